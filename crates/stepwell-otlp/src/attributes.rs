//! Attributes, times and errors as the protocol has them.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Status;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use stepwell_core::failure::Failure;
use stepwell_core::time::Timestamp;

/// Most characters of an error's message or stack.
const CHARS_MAX: usize = 8_192;

/// Makes an attribute of a text.
pub(crate) fn text(key: &str, value: impl Into<String>) -> KeyValue {
    attribute(key, Value::StringValue(value.into()))
}

/// Makes an attribute of a number.
pub(crate) fn number(key: &str, value: impl Into<i64>) -> KeyValue {
    attribute(key, Value::IntValue(value.into()))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    let value = Some(AnyValue { value: Some(value) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

/// Returns an instant in nanoseconds since 1970; 0 for one before.
pub(crate) fn nanos(at: Timestamp) -> u64 {
    u64::try_from(at.as_micros()).unwrap_or(0).saturating_mul(1_000)
}

/// Says how something ended: badly with why, where that is known, or not badly.
pub(crate) fn status(is_bad: bool, error: Option<&Failure<'_>>) -> Option<Status> {
    let message = error.map(|error| cut(&format!("{}: {}", error.name, error.message)));
    let message = message.unwrap_or_default();
    is_bad.then(|| Status { message, code: StatusCode::Error.into() })
}

/// Makes the event that stands for an error, by the conventions of OpenTelemetry.
pub(crate) fn exception(at: u64, error: &Failure<'_>) -> Event {
    let mut attributes =
        vec![text("exception.type", &*error.name), text("exception.message", cut(&error.message))];
    attributes.extend(error.stack.as_deref().map(|stack| text("exception.stacktrace", cut(stack))));
    Event { time_unix_nano: at, name: "exception".to_owned(), attributes, ..Event::default() }
}

fn cut(text: &str) -> String {
    text.chars().take(CHARS_MAX).collect()
}
