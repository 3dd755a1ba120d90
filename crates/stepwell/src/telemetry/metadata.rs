//! Metadata and texts of errors: bounded, and without secrets (§10.7).

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use stepwell_telemetry::incoming::METADATA_MAX;
use stepwell_telemetry::redact;

use super::fault::calm;

/// A JSON object.
pub(super) type Object = Map<String, Value>;

/// Most levels that the program's own function is asked about; what is deeper is taken out in any case.
const DEPTH_MAX: usize = 32;

const TOO_LARGE: &str = "metadata of more than 16 KiB is left out";
const UNREADABLE: &str = "metadata that is no JSON is left out";

/// What a program redacts beside what is redacted in any case.
type Hook = Arc<dyn Fn(&str, &mut Value) + Send + Sync>;

/// What is taken out of metadata and texts.
#[derive(Clone, Default)]
pub(super) struct Redaction {
    pub(super) hook: Option<Hook>,
}

/// Makes an object of a value; what is none stands in one under `value`.
pub(super) fn object(value: impl Serialize) -> Object {
    match calm(|| serde_json::to_value(value)) {
        Some(Ok(Value::Object(object))) => object,
        Some(Ok(Value::Null)) => Object::new(),
        Some(Ok(other)) => Object::from_iter([("value".to_owned(), other)]),
        Some(Err(_)) | None => left_out(UNREADABLE),
    }
}

/// Says in place of metadata why there is none.
fn left_out(why: &str) -> Object {
    Object::from_iter([("stepwell".to_owned(), why.into())])
}

impl Redaction {
    /// Takes secrets out of metadata and writes it; nothing where there is nothing.
    pub(super) fn sealed(&self, mut object: Object) -> Option<Arc<RawValue>> {
        if let Some(hook) = &self.hook {
            ask_members(&**hook, "", &mut object, 0);
        }
        if object.is_empty() {
            return None;
        }
        let text = redact::json(&serde_json::to_string(&object).ok()?)?;
        if text.len() > METADATA_MAX {
            let why = serde_json::value::to_raw_value(&left_out(TOO_LARGE));
            return why.ok().map(Arc::from);
        }
        RawValue::from_string(text).ok().map(Arc::from)
    }

    /// Takes secrets out of a text of an error; `path` says which.
    pub(super) fn text(&self, path: &str, text: String) -> String {
        let text = match &self.hook {
            Some(hook) => {
                let mut value = Value::String(text);
                ask(&**hook, path, &mut value);
                match value {
                    Value::String(text) => text,
                    other => other.to_string(),
                }
            }
            None => text,
        };
        redact::text(&text).into_owned()
    }
}

/// Asks the program's own function about a value. One on which it panics is taken out.
fn ask(hook: &dyn Fn(&str, &mut Value), path: &str, value: &mut Value) {
    if calm(|| hook(path, value)).is_none() {
        *value = Value::String(redact::REDACTED.to_owned());
    }
}

fn ask_members(hook: &dyn Fn(&str, &mut Value), path: &str, object: &mut Object, depth: usize) {
    for (key, value) in object {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        ask_within(hook, &path, value, depth);
    }
}

fn ask_within(hook: &dyn Fn(&str, &mut Value), path: &str, value: &mut Value, depth: usize) {
    match value {
        Value::Object(_) | Value::Array(_) if depth >= DEPTH_MAX => {}
        Value::Object(object) => ask_members(hook, path, object, depth + 1),
        Value::Array(items) => {
            for (at, item) in items.iter_mut().enumerate() {
                ask_within(hook, &format!("{path}.{at}"), item, depth + 1);
            }
        }
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) | Value::String(_) => ask(hook, path, value),
    }
}

impl fmt::Debug for Redaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redaction").field("hook", &self.hook.is_some()).finish()
    }
}
