//! What is done with a run once its journal is there, or is known not to be.

use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::run::Command;

use crate::api::Asked;
use crate::dispatch::Slot;
use crate::events::Sending;
use crate::inbox::Told;
use crate::node::Node;
use crate::output::Outputs;
use crate::recovery::Return;
use crate::remake::ForkAt;
use crate::route::{Delivery, Triggering};
use crate::single::Single;

/// What is to be done with a run once its journal is there.
#[derive(Debug)]
pub(crate) enum Deferred {
    /// Fire its timers.
    Fire,
    /// Give it to a runner, for whom a slot is kept.
    Dispatch(Slot),
    /// Its runner came back.
    Return(Return),
    /// Its runner did not come back.
    Lose,
    /// Somebody asked something.
    Asked(Asked),
    /// Another run tells it something.
    Told(Told),
    /// A runner with this build registered its workflow.
    Unblock(Option<Arc<str>>),
    /// An event is for its waits.
    Deliver(Box<Delivery>),
    /// An event is sent to it alone.
    Send(Box<Sending>),
    /// An event starts it, unless it did.
    Trigger(Box<Triggering>),
    /// A new event is for a wait of it, and no other.
    Single(Box<Single>),
}

impl Deferred {
    /// Tells whether the journal itself is needed, and not the state alone.
    pub(crate) fn needs_journal(&self) -> bool {
        match self {
            Self::Dispatch(_) | Self::Return(_) => true,
            Self::Asked(asked) => asked.needs_journal(),
            Self::Fire
            | Self::Told(_)
            | Self::Lose
            | Self::Unblock(_)
            | Self::Deliver(_)
            | Self::Send(_)
            | Self::Trigger(_)
            | Self::Single(_) => false,
        }
    }

    /// Tells whether it is done by looking at the run alone.
    pub(crate) fn only_looks(&self) -> bool {
        match self {
            Self::Asked(
                Asked::Wait { .. } | Asked::End { .. } | Asked::Repeat { .. } | Asked::Import(_),
            )
            | Self::Send(_)
            | Self::Trigger(_) => true,
            Self::Asked(Asked::Fork { fork, .. }) => fork.from == ForkAt::Start,
            _ => false,
        }
    }
}

impl Node {
    pub(crate) fn missing(
        &mut self,
        run: RunId,
        waiting: Vec<Deferred>,
        error: Option<&stepwell_store::Error>,
        out: &mut Outputs,
    ) {
        for what in waiting {
            match what {
                // The run that its key named was deleted meanwhile, and the key with it.
                Deferred::Asked(Asked::Repeat { request, start }) if error.is_none() => {
                    self.on_start(request, *start, out);
                }
                Deferred::Asked(Asked::Import(importing)) => match error {
                    Some(error) => self.refuse_import(*importing, error, out),
                    None => self.take_copy(importing, out),
                },
                Deferred::Asked(asked) => self.answer_missing(run, &asked, error),
                Deferred::Dispatch(slot) => self.free_slot(slot),
                Deferred::Return(back) => self.refuse_return(&back, run),
                Deferred::Told(told) => self.unheard(&told.message, error),
                Deferred::Deliver(delivery) => self.undeliverable(&delivery),
                Deferred::Send(sending) => self.send_to_nobody(run, &sending, error),
                Deferred::Trigger(triggering) => self.trigger(*triggering, error.is_some()),
                Deferred::Single(single) => self.accept_asked(single.asked),
                Deferred::Fire | Deferred::Lose | Deferred::Unblock(_) => {}
            }
        }
    }

    pub(crate) fn perform(
        &mut self,
        run: RunId,
        what: Deferred,
        journal: &[u8],
        out: &mut Outputs,
    ) {
        match what {
            Deferred::Fire => self.apply(run, Command::Fire, None).unwrap_or_default(),
            Deferred::Dispatch(slot) => self.activate_from(run, slot, journal, out),
            Deferred::Return(back) => self.take_back(run, &back, journal),
            Deferred::Lose => self.lose_now(run),
            Deferred::Asked(asked) => self.answer(run, asked, journal, out),
            Deferred::Told(told) => self.hear(run, &told, out),
            Deferred::Unblock(build) => self.unblock(run, build.as_deref()),
            Deferred::Deliver(delivery) => self.deliver(run, &delivery),
            Deferred::Send(sending) => self.send_to(run, &sending),
            Deferred::Trigger(triggering) => self.trigger(*triggering, true),
            Deferred::Single(single) => self.accept_single(run, *single),
        }
    }
}
