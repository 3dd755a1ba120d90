//! Events as they are sent.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::fault::Fault;
use crate::random;

/// Makes ids: what the client drew when it was made, and a number.
#[derive(Debug)]
pub(super) struct Ids {
    client: String,
    next: AtomicU64,
}

/// The id of an event or of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Id<'a> {
    client: &'a str,
    pub(super) number: u64,
}

impl Ids {
    pub(super) fn new() -> Self {
        Self { client: random::name(), next: AtomicU64::new(0) }
    }

    pub(super) fn next(&self) -> Id<'_> {
        self.of(self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Returns the id with a number.
    pub(super) fn of(&self, number: u64) -> Id<'_> {
        Id { client: &self.client, number }
    }
}

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.client, self.number)
    }
}

impl Serialize for Id<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What an event says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Says {
    Running,
    Success,
    Error,
    Skipped,
}

/// The run that events are about.
#[derive(Clone, Debug)]
pub(super) struct About {
    pub(super) flow: Box<str>,
    pub(super) run: Box<str>,
    pub(super) metadata: Option<Arc<RawValue>>,
    pub(super) trace: Option<Box<str>>,
}

/// An event of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event<'a> {
    pub(super) step: &'a str,
    pub(super) call: Option<Id<'a>>,
    pub(super) says: Says,
    pub(super) at: SystemTime,
    pub(super) metadata: Option<&'a RawValue>,
    pub(super) fault: Option<&'a Fault>,
    pub(super) with_run: WithRun,
}

/// Whether an event tells what is known of its run: one for each call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WithRun {
    Told,
    Left,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    id: Id<'a>,
    flow: &'a str,
    run: &'a str,
    step: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<Id<'a>>,
    status: Says,
    /// Milliseconds since the epoch.
    at: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_metadata: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Thrown<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<&'a str>,
}

#[derive(Serialize)]
struct Thrown<'a> {
    name: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    stack: Option<&'a str>,
}

impl Event<'_> {
    /// Writes the event.
    pub(super) fn encode(&self, id: Id<'_>, about: &About) -> Vec<u8> {
        let run_metadata = match self.with_run {
            WithRun::Told => about.metadata.as_deref(),
            WithRun::Left => None,
        };
        let wire = Wire {
            id,
            flow: &about.flow,
            run: &about.run,
            step: self.step,
            call: self.call,
            status: self.says,
            at: millis(self.at),
            metadata: self.metadata,
            run_metadata,
            error: self.fault.map(|fault| Thrown {
                name: &fault.name,
                message: &fault.message,
                stack: fault.stack.as_deref(),
            }),
            trace: about.trace.as_deref(),
        };
        let mut bytes = Vec::with_capacity(384);
        // It is made of texts and numbers, which can always be written.
        drop(serde_json::to_writer(&mut bytes, &wire));
        bytes
    }
}

/// Returns an instant in milliseconds since the epoch, to the microsecond.
fn millis(at: SystemTime) -> f64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    #[expect(clippy::cast_precision_loss, reason = "microseconds fit until the year 2255")]
    let micros = since.as_micros() as f64;
    micros / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// §10.4: each event has an id of its own, a time that is exact to the microsecond, and its call.
    #[test]
    fn an_event_is_written_as_the_server_reads_it() {
        let ids = Ids::new();
        let about = About {
            flow: "checkout".into(),
            run: "req_\"1\"".into(),
            metadata: Some(Arc::from(RawValue::from_string("{\"a\":1}".into()).unwrap())),
            trace: Some("4bf92f3577b34da6a3ce929d0e0e4736".into()),
        };
        let call = ids.next();
        let fault = Fault { name: "E".into(), message: "no".into(), stack: Some("at".into()) };
        let at = UNIX_EPOCH + Duration::from_micros(1_795_390_276_123_257);
        let event = Event {
            step: "charge",
            call: Some(call),
            says: Says::Error,
            at,
            metadata: None,
            fault: Some(&fault),
            with_run: WithRun::Told,
        };
        let id = ids.next();
        let text = String::from_utf8(event.encode(id, &about)).unwrap();
        let name = &ids.client;
        assert_eq!(name.len(), 32);
        let expected = format!(
            "{{\"id\":\"{name}-1\",\"flow\":\"checkout\",\"run\":\"req_\\\"1\\\"\",\"step\":\"charge\",\
             \"call\":\"{name}-0\",\"status\":\"error\",\"at\":1795390276123.257,\
             \"runMetadata\":{{\"a\":1}},\"error\":{{\"name\":\"E\",\"message\":\"no\",\"stack\":\"at\"}},\
             \"trace\":\"4bf92f3577b34da6a3ce929d0e0e4736\"}}"
        );
        assert_eq!(text, expected);
        let short = Event { fault: None, with_run: WithRun::Left, says: Says::Success, ..event };
        let text = String::from_utf8(short.encode(ids.next(), &about)).unwrap();
        assert!(!text.contains("runMetadata") && !text.contains("error"), "{text}");
    }
}
