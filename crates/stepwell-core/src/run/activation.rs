//! Runs and runners: activation, release, loss, blocking.

use alloc::borrow::Cow;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::act::Then;
use super::clean_up::Leave;
use super::command::{Activate, Change, Effect, Rejection};
use super::state::Phase;
use crate::record::{
    Activated, BlockCause, Blocked, LogLine, Logged, Lost, OrderChanged, Record, Released,
    SearchSet, Unblocked, Woken,
};
use crate::search;

/// Losses of a run that had its runner to itself, after which it is blocked (§4.4).
const LONE_LOSSES_MAX: u32 = 3;

impl Change<'_, '_> {
    pub(super) fn activate(&mut self, activate: &Activate<'_>) -> Result<(), Rejection> {
        let wants = matches!(self.run.phase, Phase::Forward | Phase::CleaningUp);
        if !wants || self.run.activation.is_some() || self.run.ready_since().is_none() {
            return Err(Rejection::NotReady);
        }
        if self.run.must_be_alone() && !activate.alone {
            return Err(Rejection::NotReady);
        }
        // §7.1: its time is over, whether a timer has said so yet or not.
        if self.run.bound().is_some_and(|bound| bound <= self.env.now) {
            return Err(Rejection::NotReady);
        }
        self.push(&Record::Activated(Activated {
            at: self.env.now,
            epoch: self.run.epoch + 1,
            nonce: activate.nonce,
            runner: activate.runner.into(),
            instance: activate.instance.into(),
            version: activate.version.map(Into::into),
            build: activate.build.map(Into::into),
            alone: self.run.must_be_alone(),
            ends: activate.ends.cloned().unwrap_or_default(),
        }));
        Ok(())
    }

    pub(super) fn release(&mut self, seen: u32, then: Then) {
        self.push(&Record::Released(Released { at: self.env.now, seen }));
        match self.run.phase {
            Phase::Ending { .. } => self.end_as_decided(Leave::Evict),
            Phase::Forward | Phase::CleaningUp
                if then == Then::GoOn && self.run.ready_since.is_none() =>
            {
                self.push(&Record::Woken(Woken { at: self.env.now }));
            }
            Phase::Forward | Phase::CleaningUp | Phase::Blocked { .. } | Phase::Ended(_) => {}
        }
    }

    pub(super) fn lose(&mut self, epoch: u32, counted: bool) -> Result<(), Rejection> {
        if self.run.activation.as_ref().is_none_or(|held| held.epoch != epoch) {
            return Err(Rejection::Fenced(epoch));
        }
        // §4.10: the build that it crashed is no reason to try again.
        let build = self.build();
        // What was taken from the runner did not crash it.
        let counted = counted && self.run.activation.as_ref().is_some_and(|held| !held.evicted);
        self.push(&Record::Lost(Lost { at: self.env.now, counted }));
        if self.is_ending() {
            self.end_as_decided(Leave::Evict);
        } else if counted && self.run.lone_losses >= LONE_LOSSES_MAX {
            let cause = BlockCause::CrashesRunner { times: self.run.lone_losses };
            self.block_for(cause, build.as_deref());
        }
        Ok(())
    }

    pub(super) fn block(&mut self, cause: BlockCause<'_>) {
        let build = self.build();
        self.block_for(cause, build.as_deref());
    }

    fn build(&self) -> Option<Arc<str>> {
        self.run.activation.as_ref().and_then(|held| held.build.clone())
    }

    fn block_for(&mut self, cause: BlockCause<'_>, build: Option<&str>) {
        let (Phase::Forward | Phase::CleaningUp) = self.run.phase else {
            return;
        };
        let was_held = self.run.activation.is_some();
        self.push(&Record::Blocked(Blocked {
            at: self.env.now,
            cause,
            build: build.map(Into::into),
            evicts: was_held,
        }));
        if was_held {
            self.effect(Effect::Evict);
        }
    }

    pub(super) fn unblock(&mut self, by: &'static str) -> Result<(), Rejection> {
        // §4.5: no build knows an outcome that its runner lost; an operator may have it tried again.
        let Phase::Blocked { cause, .. } = &self.run.phase else {
            return Err(Rejection::NotBlocked);
        };
        if matches!(cause, BlockCause::OutcomeUnknown { .. }) {
            return Err(Rejection::NotBlocked);
        }
        self.push(&Record::Unblocked(Unblocked { at: self.env.now, by: by.into() }));
        Ok(())
    }

    /// §4.10: a changed order is recorded once; every replay of the same code meets it again.
    pub(super) fn note_order(&mut self, expected: Cow<'_, str>, found: Cow<'_, str>) {
        if self.run.reordered.contains(&self.run.places(&expected, &found)) {
            return;
        }
        self.push(&Record::OrderChanged(OrderChanged { at: self.env.now, expected, found }));
    }

    pub(super) fn log(&mut self, step: Option<Cow<'_, str>>, lines: Vec<LogLine<'_>>) {
        self.push(&Record::Logged(Logged { step, lines }));
    }

    /// §9.4: what changes nothing is not recorded; every replay of the same code sets it again.
    pub(super) fn set_search(&mut self, change: search::Change) -> Result<(), Rejection> {
        search::check(&self.run.search, &change)?;
        let mut after = self.run.search.clone();
        search::apply(&mut after, &change);
        if after != self.run.search {
            self.push(&Record::SearchSet(SearchSet { at: self.env.now, search: change }));
        }
        Ok(())
    }

    /// §12: a journal over its limit blocks the run before the next effect.
    pub(super) fn bound_journal(&mut self) {
        let (bytes, limit) = (self.run.journal_bytes, self.env.limits.journal_bytes_max);
        if bytes > limit {
            self.block(BlockCause::JournalFull { bytes, limit });
        }
    }
}
