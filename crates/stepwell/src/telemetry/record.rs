//! Steps that are told of by hand.

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;
use serde_json::value::RawValue;

use super::event::{About, Event, Says, WithRun};
use super::fault::Fault;
use super::metadata;
use super::telemetry::Handle;

/// What is told of a step that cannot be wrapped; taken by
/// [`Telemetry::record_step`](super::Telemetry::record_step) (§10.2).
///
/// `Running` opens an attempt; `Success` and `Error` close the latest that was opened so, or are an
/// attempt without a duration where none is open (§10.4).
#[derive(Clone, Debug, Default)]
pub struct StepRecord<'a> {
    /// The slug of the flow.
    pub flow_key: &'a str,
    /// The id of the run, which others may tell of, too.
    pub run_id: &'a str,
    /// The name of the step in the flow.
    pub step_key: &'a str,
    /// What happened.
    pub status: Recorded,
    /// What is told of it: an object, of at most 16 KiB. Default: nothing.
    pub metadata: Option<Value>,
    /// With [`Recorded::Error`]: what went wrong. Default: nothing.
    pub error: Option<&'a str>,
    /// When it happened. Default: now.
    pub at: Option<SystemTime>,
}

/// What happened to a step that is told of by hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Recorded {
    /// It began.
    Running,
    /// It went well.
    #[default]
    Success,
    /// It failed.
    Error,
}

/// A record with everything that its event borrows.
pub(super) struct Seen<'a> {
    pub(super) about: About,
    step: &'a str,
    says: Says,
    at: SystemTime,
    metadata: Option<Arc<RawValue>>,
    fault: Option<Fault>,
}

impl<'a> StepRecord<'a> {
    pub(super) fn seen(self, handle: &Handle) -> Seen<'a> {
        let shared = &handle.shared;
        let says = match self.status {
            Recorded::Running => Says::Running,
            Recorded::Success => Says::Success,
            Recorded::Error => Says::Error,
        };
        // An error belongs to the one status that has any.
        let text = self.error.filter(|_| says == Says::Error);
        Seen {
            about: About {
                flow: self.flow_key.into(),
                run: self.run_id.into(),
                metadata: handle.default_sealed.clone(),
                trace: None,
            },
            step: self.step_key,
            says,
            at: self.at.unwrap_or_else(SystemTime::now),
            metadata: shared.redaction.sealed(metadata::object(self.metadata)),
            fault: text.map(|text| Fault::text(text).sealed(&shared.redaction)),
        }
    }
}

impl Seen<'_> {
    pub(super) fn event(&self) -> Event<'_> {
        Event {
            step: self.step,
            call: None,
            says: self.says,
            at: self.at,
            metadata: self.metadata.as_deref(),
            fault: self.fault.as_ref(),
            with_run: WithRun::Told,
        }
    }
}
