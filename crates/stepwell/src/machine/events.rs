//! What steps that wait for events, or send them, are told to the node with.

use std::time::Duration;

use serde_json::value::RawValue;
use stepwell_core::record::OnTimeout;
use stepwell_protocol::event::{Emit, Since, Wait};

use super::message::opening;
use super::state::Step;
use crate::duration::to_micros;
use crate::moment::Moment;

/// What an event step asks of the engine.
#[derive(Debug)]
pub(crate) enum EventAsk {
    /// It waits for an event.
    Wait(WaitAsk),
    /// It sends an event.
    Emit(EmitAsk),
}

/// What a wait asks for.
#[derive(Debug)]
pub(crate) struct WaitAsk {
    pub(crate) event: String,
    pub(crate) wanted: Option<Box<RawValue>>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) on_timeout: Given,
    pub(crate) since: Since,
}

/// What a time-out gives the code.
#[derive(Clone, Debug)]
pub(crate) enum Given {
    Null,
    Fail,
    Value(Box<RawValue>),
}

/// What is sent.
#[derive(Debug)]
pub(crate) struct EmitAsk {
    pub(crate) event: String,
    pub(crate) data: Option<Box<RawValue>>,
    pub(crate) offer: Option<Box<RawValue>>,
    pub(crate) app: Option<String>,
    pub(crate) run: Option<String>,
}

pub(super) fn wait(step: &Step, a: u32, now: Moment) -> Option<Wait<'_>> {
    let EventAsk::Wait(ask) = step.details.as_deref()?.event.as_ref()? else { return None };
    Some(Wait {
        a,
        step: (&*step.id).into(),
        event: ask.event.as_str().into(),
        wanted: ask.wanted.as_deref(),
        for_us: ask.timeout.map(to_micros),
        on_timeout: match &ask.on_timeout {
            Given::Null => OnTimeout::Null,
            Given::Fail => OnTimeout::Fail,
            Given::Value(value) => OnTimeout::Value(value),
        },
        since: ask.since,
        open: opening(step, now),
    })
}

pub(super) fn emit(step: &Step, a: u32, now: Moment) -> Option<Emit<'_>> {
    let EventAsk::Emit(ask) = step.details.as_deref()?.event.as_ref()? else { return None };
    Some(Emit {
        a,
        step: (&*step.id).into(),
        event: ask.event.as_str().into(),
        data: ask.data.as_deref(),
        offer: ask.offer.as_deref(),
        app: ask.app.as_deref().map(Into::into),
        run: ask.run.as_deref().map(Into::into),
        open: opening(step, now),
    })
}

/// Returns how many bytes of payloads such a message has, over those of the opening.
pub(super) fn bytes(step: &Step) -> usize {
    let event = step.details.as_deref().and_then(|details| details.event.as_ref());
    let payloads = match event {
        Some(EventAsk::Wait(ask)) => [ask.wanted.as_deref(), None],
        Some(EventAsk::Emit(ask)) => [ask.data.as_deref(), ask.offer.as_deref()],
        None => [None, None],
    };
    payloads.iter().flatten().map(|raw| raw.get().len()).sum()
}
