//! When a run has nothing to do in this process, and what is done then.

use std::sync::Arc;

use super::cell::Cell;
use super::state::{Core, Out, Outcome, Phase, Rest, State, Step};
use crate::moment::Moment;

/// What to do next with a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Poll the handler.
    Handler,
    /// Wait to be woken.
    Wait,
    /// Drop everything.
    Over,
}

impl Core {
    /// Tells whether functions of steps are in progress.
    pub(crate) fn is_calling(&self) -> bool {
        match self.phase {
            Phase::Forward | Phase::Ending | Phase::Leaving(_) => {
                self.counts.running > 0 || self.blocking > 0
            }
            Phase::Gathering
            | Phase::Loading
            | Phase::Blocked
            | Phase::Finished
            | Phase::Closed => false,
        }
    }

    /// Tells whether the code waits for the engine only (and perhaps for futures that are no steps).
    pub(super) fn is_idle(&self, now: Moment) -> bool {
        let counts = self.counts;
        let waits = counts.waiting + counts.due > 0;
        self.phase == Phase::Forward
            && counts.running == 0
            && counts.telling == 0
            && counts.verifying == 0
            && self.overstays(now).is_none()
            && if self.is_paused() { waits || self.askable > 0 } else { waits && self.askable == 0 }
    }

    /// Returns until when a next attempt waits at most for a function that ran out of time (§6.4): the
    /// run is nobody else's before.
    fn overstays(&self, now: Moment) -> Option<Moment> {
        if self.blocking == 0 {
            return None;
        }
        let strays = self.steps.iter().filter(|step| step.state == State::Due);
        strays.filter_map(Step::stray_until).filter(|until| now < *until).max()
    }

    /// How many ends the code has seen, where none is left that it asks for: what was told and is
    /// never asked for does not make the run ready again.
    fn seen(&self) -> u32 {
        if self.askable == 0 { self.told } else { self.passed }
    }

    /// Tells whether a function could begin were the run not paused.
    fn is_held_back(&self, now: Moment) -> bool {
        let due = |step: &Step| step.state == State::Due && step.due <= now;
        self.is_paused() && self.counts.due > 0 && self.steps.iter().any(due)
    }
}

impl Cell {
    /// Ends a look at the run whose handler is pending.
    pub(super) fn rest(self: &Arc<Self>, core: &mut Core) {
        let gathers = core.phase == Phase::Gathering;
        if !(gathers || core.phase == Phase::Forward) || core.attached.is_none() {
            return;
        }
        let now = self.now();
        let works = core.counts.running + core.counts.telling > 0;
        let overstays = core.overstays(now).filter(|_| !works);
        if let Some(until) = overstays {
            self.set_timer(core, until, None);
        }
        if core.draining && !works && overstays.is_none() {
            // What is in the queue and asked for was not seen: the run is ready again at once.
            self.release(core);
            return;
        }
        if gathers {
            return self.rest_gathering(core);
        }
        if !core.is_idle(now) {
            core.resting = None;
            return;
        }
        if !core.idle_told {
            core.idle_told = true;
            core.outbox.push_back(Out::Idle);
        }
        let Some(rest) = core.resting else {
            core.resting = Some(Rest { since: now });
            self.set_timer(core, now.after(self.terms.linger), None);
            return;
        };
        if now >= rest.since.after(self.terms.linger) {
            self.release(core);
        }
    }

    fn release(&self, core: &mut Core) {
        let (seen, ready) = (core.seen(), core.is_held_back(self.now()));
        Self::take_back_starts(core);
        core.outbox.push_back(Out::Released { seen, ready });
        core.phase = Phase::Closed;
        self.flush(core);
        core.attached = None;
        self.shared.forget(self.info.run, self.info.epoch);
    }

    /// The handler returned. What it left behind is cancelled by the end of the run (§5.6).
    pub(super) fn on_returned(self: &Arc<Self>, outcome: Outcome) {
        let now = self.now();
        let mut core = self.lock();
        let core = &mut *core;
        if core.phase == Phase::Gathering {
            Self::gathered_all(core);
            self.notify();
            return;
        }
        if core.phase != Phase::Forward {
            return;
        }
        core.finish = Some(outcome);
        let until = now.after(self.terms.grace);
        core.phase = Phase::Leaving(until);
        if core.blocking > 0 {
            let attempts = core.steps.iter().filter_map(|step| step.attempt.as_ref());
            for signal in attempts.filter_map(|attempt| attempt.signal.as_ref()) {
                signal.fire();
            }
            self.set_timer(core, until, None);
        }
    }

    /// Says what to do after the end of a run was decided, by its handler or from outside.
    pub(super) fn next_of_ending(&self, core: &mut Core) -> Option<Next> {
        match core.phase {
            Phase::Ending if core.counts.running == 0 => {
                self.finish_cancelled(core);
                Some(Next::Over)
            }
            Phase::Forward | Phase::Gathering | Phase::Ending => None,
            Phase::Leaving(until) if core.blocking == 0 || until <= self.now() => {
                core.phase = Phase::Finished;
                core.outbox.push_back(Out::Finished);
                self.flush(core);
                Some(Next::Over)
            }
            Phase::Loading | Phase::Leaving(_) => Some(Next::Wait),
            Phase::Blocked | Phase::Finished | Phase::Closed => {
                self.flush(core);
                Some(Next::Over)
            }
        }
    }
}
