//! Events as clients send them: read, checked one by one, redacted, and added to a batch (§10.2, §10.4, §10.7).

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};
use serde_json::value::RawValue;
use stepwell_core::time::Timestamp;

use crate::batch::{Batch, RunName};
use crate::event::{Event, Said, Thrown};
use crate::flow::refuse_name;
use crate::redact;

/// Most events of a request.
pub const EVENTS_MAX: usize = 5_000;

/// Longest metadata of an event, in bytes of JSON. More is left out, and it is said that it was.
pub const METADATA_MAX: usize = 16 * 1_024;

/// Longest message of an error, in bytes. The rest is cut off.
pub const MESSAGE_MAX: usize = 8 * 1_024;

/// Longest stack of an error, in bytes. The rest is cut off.
pub const STACK_MAX: usize = 32 * 1_024;

/// How far a client's clock may be ahead of the server's. What is later would keep its run from being deleted.
pub const AHEAD_MAX: Duration = Duration::from_hours(24);

/// Longest id of an event or call, in characters.
const ID_MAX: usize = 64;

/// Longest name of a process or error, in characters.
const SHORT_MAX: usize = 128;

/// Why nothing of a request was taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is no request of this kind.
    #[error(
        "the body is not understood: {0}; accepted: {{\"events\": [{{\"id\", \"flow\", \"run\", \"step\", \
         \"status\", \"at\", …}}]}}"
    )]
    Shape(String),
    /// There are too many events.
    #[error("{0} events are too many; accepted: up to 5,000 in a request")]
    TooMany(usize),
}

/// An event that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Where it stands in the request, from 0.
    pub index: usize,
    /// What is wrong, where, and what is accepted.
    pub detail: String,
}

/// A text that is borrowed where it has no escapes, also where it may be left out.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole<'a> {
    #[serde(borrow, default)]
    process: Option<Text<'a>>,
    #[serde(borrow)]
    events: Vec<Sent<'a>>,
}

/// The same, where one of the events is not understood.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts<'a> {
    #[serde(borrow, default)]
    process: Option<Text<'a>>,
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Sent<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    flow: Cow<'a, str>,
    #[serde(borrow)]
    run: Cow<'a, str>,
    #[serde(borrow)]
    step: Cow<'a, str>,
    #[serde(borrow, default)]
    call: Option<Text<'a>>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    at: At,
    #[serde(borrow, default)]
    process: Option<Text<'a>>,
    #[serde(borrow, default)]
    trace: Option<Text<'a>>,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    run_metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<SentError<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentError<'a> {
    #[serde(borrow, default)]
    name: Option<Text<'a>>,
    #[serde(borrow, default)]
    message: Option<Text<'a>>,
    #[serde(borrow, default)]
    stack: Option<Text<'a>>,
}

/// Reads a request's body and adds its events to a batch, each redacted. Returns how many were taken, and which not.
///
/// # Errors
/// [`Error`] where nothing of it is understood; nothing was added then.
pub fn read(body: &[u8], namespace: &str, batch: &mut Batch) -> Result<Taken, Error> {
    let shape = |error: serde_json::Error| Error::Shape(error.to_string());
    let mut taken = Taken::default();
    if let Ok(Whole { process, events }) = serde_json::from_slice(body) {
        check_count(events.len())?;
        let adder = Adder { namespace, process };
        for (index, event) in events.into_iter().enumerate() {
            taken.note(index, adder.add(event, batch));
        }
        return Ok(taken);
    }
    // One of them is wrong, or all is: each is read for itself.
    let Parts { process, events } = serde_json::from_slice(body).map_err(shape)?;
    check_count(events.len())?;
    let adder = Adder { namespace, process };
    for (index, event) in events.into_iter().enumerate() {
        let event = serde_json::from_str::<Sent<'_>>(event.get());
        let added = event.map_err(|error| error.to_string());
        taken.note(index, added.and_then(|event| adder.add(event, batch)));
    }
    Ok(taken)
}

fn check_count(events: usize) -> Result<(), Error> {
    if events > EVENTS_MAX { Err(Error::TooMany(events)) } else { Ok(()) }
}

/// What became of the events of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// How many were taken.
    pub accepted: usize,
    /// How many were not.
    pub refused: usize,
    /// The first 20 that were not.
    pub first_refused: Vec<Refused>,
}

impl Taken {
    fn note(&mut self, index: usize, added: Result<(), String>) {
        let Err(detail) = added else {
            self.accepted += 1;
            return;
        };
        self.refused += 1;
        if self.first_refused.len() < 20 {
            self.first_refused.push(Refused { index, detail });
        }
    }
}

struct Adder<'a> {
    namespace: &'a str,
    process: Option<Text<'a>>,
}

impl Adder<'_> {
    fn add(&self, sent: Sent<'_>, batch: &mut Batch) -> Result<(), String> {
        for (field, name) in [("flow", &sent.flow), ("run", &sent.run), ("step", &sent.step)] {
            if let Some(accepted) = refuse_name(name) {
                return Err(format!("`{field}`: {accepted}"));
            }
        }
        let call = sent.call.map(|Text(call)| call);
        for (field, id) in [("id", Some(&sent.id)), ("call", call.as_ref())] {
            if let Some(id) = id.filter(|id| !is_id(id)) {
                let id: String = id.chars().take(ID_MAX + 1).collect();
                let accepted = "1 to 64 of the characters A-Z a-z 0-9 _ . : -";
                return Err(format!("`{field}`: {id:?} is not accepted; accepted: {accepted}"));
            }
        }
        let said = Said::parse(&sent.status).ok_or_else(|| {
            let status: String = sent.status.chars().take(40).collect();
            format!("`status`: {status:?}; accepted: running, success, error, skipped")
        })?;
        let received = batch.received();
        if sent.at.0 > received.after(AHEAD_MAX) {
            return Err(format!(
                "`at`: {} is more than a day later than the server's clock, {received}; accepted: up to a day",
                sent.at.0
            ));
        }
        let (metadata, is_dropped) = told("metadata", sent.metadata)?;
        let (run_metadata, _) = told("runMetadata", sent.run_metadata)?;
        let process = sent.process.as_ref().or(self.process.as_ref()).map(|Text(name)| name);
        let event = Event {
            id: sent.id,
            step: sent.step,
            call,
            said,
            at: sent.at.0,
            process: process.filter(|name| !name.is_empty()).map(|name| cut(name, SHORT_MAX)),
            trace: sent.trace.as_ref().map(|Text(text)| trace(text)).transpose()?,
            metadata,
            is_metadata_dropped: is_dropped,
            run_metadata,
            thrown: match (said, sent.error) {
                (_, None) => None,
                (Said::Error, Some(error)) => Some(thrown(&error)),
                (_, Some(_)) => {
                    return Err("`error`: accepted with the status `error` only".to_owned());
                }
            },
        };
        let run = RunName { namespace: self.namespace, flow: &sent.flow, run: &sent.run };
        batch.push(run, &event);
        Ok(())
    }
}

fn is_id(id: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b'-');
    !id.is_empty() && id.len() <= ID_MAX && id.bytes().all(is_letter)
}

fn trace(text: &str) -> Result<u128, String> {
    let is_hex = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let trace = is_hex.then(|| u128::from_str_radix(text, 16).ok()).flatten();
    let accepted = "`trace`: accepted: 32 hexadecimal digits that are not all 0";
    trace.filter(|trace| *trace != 0).ok_or_else(|| accepted.to_owned())
}

/// Metadata, redacted, and whether it is too much to be kept.
fn told<'a>(field: &str, raw: Option<&RawValue>) -> Result<(Option<Cow<'a, str>>, bool), String> {
    let Some(raw) = raw.map(RawValue::get).filter(|raw| *raw != "null") else {
        return Ok((None, false));
    };
    if !raw.starts_with('{') {
        return Err(format!("`{field}`: accepted: a JSON object"));
    }
    if raw.len() > METADATA_MAX {
        return Ok((None, true));
    }
    let redacted =
        redact::json(raw).ok_or_else(|| format!("`{field}`: accepted: a JSON object"))?;
    Ok(((redacted != "{}").then_some(Cow::Owned(redacted)), false))
}

fn thrown<'a>(error: &SentError<'_>) -> Thrown<'a> {
    let text = |text: &Option<Text<'_>>, max| -> Cow<'a, str> {
        let text = text.as_ref().map(|Text(text)| &**text).unwrap_or_default();
        Cow::Owned(cut(&redact::text(text), max).into_owned())
    };
    let name = match text(&error.name, SHORT_MAX) {
        name if name.is_empty() => Cow::Borrowed("Error"),
        name => name,
    };
    let stack = error.stack.as_ref().map(|_| text(&error.stack, STACK_MAX));
    Thrown { name, message: text(&error.message, MESSAGE_MAX), stack }
}

/// The begin of a text, of so many bytes at most.
fn cut(text: &str, max: usize) -> Cow<'_, str> {
    Cow::Borrowed(text.get(..text.floor_char_boundary(max)).unwrap_or(text))
}

/// Milliseconds since the epoch, or a text of RFC 3339.
struct At(Timestamp);

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Reader;

        impl Visitor<'_> for Reader {
            type Value = At;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "`at` as milliseconds since the epoch, or as RFC 3339 text, between 2000 and 2200",
                )
            }

            fn visit_u64<E: de::Error>(self, ms: u64) -> Result<At, E> {
                let at = i64::try_from(ms).ok().and_then(|ms| ms.checked_mul(1_000));
                let found = || E::invalid_value(de::Unexpected::Unsigned(ms), &self);
                at.and_then(At::of).ok_or_else(found)
            }

            fn visit_i64<E: de::Error>(self, ms: i64) -> Result<At, E> {
                Err(E::invalid_value(de::Unexpected::Signed(ms), &self))
            }

            #[expect(clippy::cast_possible_truncation, reason = "what is out of range is refused")]
            fn visit_f64<E: de::Error>(self, ms: f64) -> Result<At, E> {
                let found = || E::invalid_value(de::Unexpected::Float(ms), &self);
                At::of((ms * 1_000.0).round() as i64).ok_or_else(found)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<At, E> {
                let at = Timestamp::parse_iso(text).ok().map(Timestamp::as_micros);
                let found = || E::invalid_value(de::Unexpected::Str(text), &self);
                at.and_then(At::of).ok_or_else(found)
            }
        }

        reader.deserialize_any(Reader)
    }
}

/// The years 2000 to 2200, in microseconds.
const YEARS: std::ops::Range<i64> = 946_684_800_000_000..7_258_118_400_000_000;

impl At {
    fn of(micros: i64) -> Option<Self> {
        YEARS.contains(&micros).then(|| Self(Timestamp::from_micros(micros)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch;

    fn take(body: &str) -> (Result<Taken, Error>, Vec<(String, Event<'static>)>) {
        let mut batch = Batch::new(Timestamp::from_millis(1_795_390_276_123));
        let taken = read(body.as_bytes(), "default", &mut batch);
        let bytes: &'static [u8] = Box::leak(batch.into_bytes().into_boxed_slice());
        let (_, events) = batch::read(bytes).expect("a batch");
        let events = events.map(|event| {
            let (run, event) = event.expect("whole");
            let name = format!("{}/{}/{}", run.namespace, run.flow, run.run);
            (name, Event::decode(event).expect("an event"))
        });
        (taken, events.collect())
    }

    fn event(more: &str) -> String {
        let base = r#""id":"e-1","flow":"checkout","run":"r","step":"charge","status":"error""#;
        format!(r#"{{"process":"p","events":[{{{base},{more}}}]}}"#)
    }

    #[test]
    fn an_event_is_taken_with_all_of_it() {
        let (taken, events) = take(&event(
            r#""at":1795390276123.25,"call":"c","trace":"0af7651916cd43dd8448eb211c80319c",
               "metadata":{"n": 1, "password": "x"},"runMetadata":{"region":"eu"},
               "error":{"name":"TypeError","message":"password=hunter2 is wrong","stack":"at a"}"#,
        ));
        assert_eq!(taken.expect("taken").accepted, 1);
        let (name, event) = &events[0];
        assert_eq!(name, "default/checkout/r");
        assert_eq!(event.at.as_micros(), 1_795_390_276_123_250);
        assert_eq!(event.metadata.as_deref(), Some(r#"{"n":1,"password":"[redacted]"}"#));
        assert_eq!(event.process.as_deref(), Some("p"));
        let thrown = event.thrown.as_ref().expect("an error");
        assert_eq!(thrown.message, "password=[redacted] is wrong");
    }

    #[test]
    fn instants_are_read_as_number_and_as_text() {
        for (at, micros) in [
            ("1795390276123", Some(1_795_390_276_123_000)),
            (r#""2026-11-21T10:00:00.5Z""#, Some(1_795_255_200_500_000)),
            ("1e300", None),
            ("-5", None),
            (r#""yesterday""#, None),
            ("null", None),
        ] {
            let (taken, events) = take(&event(&format!(r#""at":{at}"#)));
            assert_eq!(taken.expect("a request").accepted, usize::from(micros.is_some()), "{at}");
            assert_eq!(events.first().map(|(_, event)| event.at.as_micros()), micros, "{at}");
        }
    }

    #[test]
    fn a_wrong_event_does_not_take_others_along() {
        let good =
            r#"{"id":"1","flow":"f","run":"r","step":"s","status":"running","at":1795390276123}"#;
        for (bad, part) in [
            ("7", "invalid type"),
            (r#"{"id":"2"}"#, "missing field `flow`"),
            (&good.replace("running", "done"), "accepted: running, success"),
            (&good.replace("\"f\"", "\"\""), "`flow`"),
            (&good.replace("\"1\"", "\"a b\""), "`id`"),
            (&good.replace("\"at\"", "\"extra\":1,\"at\""), "unknown field `extra`"),
            (&good.replace("\"at\"", "\"metadata\":[1],\"at\""), "`metadata`"),
            (&good.replace("\"at\"", "\"trace\":\"00\",\"at\""), "`trace`"),
            (&good.replace("1795390276123", "1795476676124"), "`at`: 2026-11-23T23:31"),
            (&good.replace("\"at\"", "\"error\":{\"message\":\"x\"},\"at\""), "`error`"),
        ] {
            let (taken, events) = take(&format!(r#"{{"events":[{bad},{good}]}}"#));
            let taken = taken.expect("a request");
            assert_eq!((taken.accepted, taken.refused, events.len()), (1, 1, 1), "{bad}");
            let detail = &taken.first_refused[0].detail;
            assert!(detail.contains(part), "{bad}: {detail}");
        }
    }

    #[test]
    fn what_is_no_request_is_refused_whole() {
        for body in ["", "[]", "{}", r#"{"events":1}"#, r#"{"events":[],"more":1}"#, "\u{0}"] {
            assert!(matches!(take(body).0, Err(Error::Shape(_))), "{body:?}");
        }
        let many = vec!["1"; EVENTS_MAX + 1].join(",");
        assert_eq!(take(&format!(r#"{{"events":[{many}]}}"#)).0, Err(Error::TooMany(5_001)));
    }

    #[test]
    fn what_is_too_long_is_cut_and_said() {
        let long = "é".repeat(METADATA_MAX);
        let body = event(&format!(
            r#""at":1795390276123,"metadata":{{"a":"{long}"}},"error":{{"message":"{long}"}}"#
        ));
        let (_, events) = take(&body);
        let event = &events[0].1;
        assert_eq!((event.metadata.is_none(), event.is_metadata_dropped), (true, true));
        assert_eq!(event.thrown.as_ref().map(|thrown| thrown.message.len()), Some(MESSAGE_MAX));
    }
}
