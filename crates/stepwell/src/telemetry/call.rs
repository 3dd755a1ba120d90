//! One call of a step: told of as it begins and as it ends (§10.2, §10.4).

use std::fmt;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use serde_json::value::RawValue;

use super::event::{About, Event, Says, WithRun};
use super::fault::Fault;
use super::metadata::Object;
use super::queue::Taken;
use super::telemetry::Handle;

/// Where calls are told of: a run, and the client.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) handle: Arc<Handle>,
    pub(super) about: Arc<About>,
}

/// A call. One that is dropped before its end was told ends as cancelled.
pub(super) struct Call {
    place: Place,
    step: Box<str>,
    /// The number of its id.
    number: u64,
    metadata: Option<Arc<RawValue>>,
    /// What is told with the end in place of that.
    more: Option<Arc<RawValue>>,
    began_at: SystemTime,
    began: Instant,
    state: State,
}

/// How far a call is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Its begin is not, or found no room.
    Untold,
    /// Its begin is, with its metadata.
    Told,
    /// Its end is, or is not to be.
    Over,
}

impl Place {
    pub(super) fn new(handle: Arc<Handle>, about: About) -> Self {
        Self { handle, about: Arc::new(about) }
    }

    /// Notes a call that begins now, without telling of it.
    pub(super) fn call(&self, step: &str, metadata: Object) -> Call {
        let shared = &self.handle.shared;
        Call {
            step: step.into(),
            number: shared.ids.next().number,
            metadata: shared.redaction.sealed(metadata),
            more: None,
            began_at: SystemTime::now(),
            began: Instant::now(),
            state: State::Untold,
            place: self.clone(),
        }
    }

    /// Tells of a call that begins now.
    pub(super) fn begin(&self, step: &str, metadata: Object) -> Call {
        let mut call = self.call(step, metadata);
        if self.handle.shared.push(&call.begins(), &self.about) == Taken::Kept {
            call.state = State::Told;
        }
        call
    }

    /// Tells that a step is left out.
    pub(super) fn skip(&self, step: &str) {
        self.handle.shared.push(&Self::skips(step), &self.about);
    }

    pub(super) fn skips(step: &str) -> Event<'_> {
        Event {
            step,
            call: None,
            says: Says::Skipped,
            at: SystemTime::now(),
            metadata: None,
            fault: None,
            with_run: WithRun::Told,
        }
    }

    pub(super) fn encode(&self, event: &Event<'_>) -> Vec<u8> {
        event.encode(self.handle.shared.ids.next(), &self.about)
    }
}

impl Call {
    pub(super) fn begins(&self) -> Event<'_> {
        Event {
            metadata: self.metadata.as_deref(),
            ..self.event(Says::Running, self.began_at, None)
        }
    }

    /// The end of the call, with its fault if it failed. The clock of the machine may be set meanwhile; how
    /// long the call took does not change by that.
    pub(super) fn ends<'a>(&'a self, fault: Option<&'a Fault>) -> Event<'a> {
        let says = if fault.is_some() { Says::Error } else { Says::Success };
        self.event(says, self.began_at + self.began.elapsed(), fault)
    }

    fn event<'a>(&'a self, says: Says, at: SystemTime, fault: Option<&'a Fault>) -> Event<'a> {
        let (metadata, with_run) = match self.state {
            State::Untold => (self.metadata.as_deref(), WithRun::Told),
            State::Told | State::Over => (None, WithRun::Left),
        };
        let metadata = self.more.as_deref().or(metadata);
        let call = Some(self.place.handle.shared.ids.of(self.number));
        Event { step: &self.step, call, says, at, metadata, fault, with_run }
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Sets what is told with the end of the call.
    #[cfg(feature = "tracing-layer")]
    pub(super) fn add(&mut self, metadata: Object) {
        self.more = self.place.handle.shared.redaction.sealed(metadata);
    }

    /// Notes that the begin of the call has arrived.
    pub(super) fn on_told(&mut self) {
        self.state = State::Told;
    }

    /// Notes that the end of the call is told of otherwise, or not at all.
    pub(super) fn leave(mut self) {
        self.state = State::Over;
    }

    /// Tells how the call has ended.
    pub(super) fn end(mut self, fault: Option<Fault>) {
        self.tell_end(fault);
    }

    fn tell_end(&mut self, fault: Option<Fault>) {
        let shared = &self.place.handle.shared;
        let fault = fault.map(|fault| fault.sealed(&shared.redaction));
        shared.push(&self.ends(fault.as_ref()), &self.place.about);
        self.state = State::Over;
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.state != State::Over {
            self.tell_end(Some(Fault::cancelled()));
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("step", &self.step)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Place").field(&self.about).finish()
    }
}
