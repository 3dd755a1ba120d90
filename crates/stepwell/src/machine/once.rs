//! Functions that start at most once (§4.5): a start is durable before the function is called, and
//! where its outcome is lost, what became of it is found out before anything else.

use std::cmp::Reverse;
use std::sync::Arc;
use std::task::Waker;

use stepwell_core::once::Verdict;
use stepwell_core::retry::Policy;
use stepwell_protocol::to_runner::Begin;

use super::cell::Cell;
use super::line::{Level, Line};
use super::state::{Attempt, Core, Out, Outcome, State};
use crate::moment::Moment;

/// What a step is that starts at most once, and where it stands.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Once {
    /// The journal, or the code where the step is new, says so.
    pub(crate) is: bool,
    /// How the last start ended is not known.
    pub(crate) doubt: bool,
    /// The next start is durable: the function may be called.
    pub(crate) granted: bool,
    /// How often it was tried to find out.
    pub(crate) verifies: u32,
    /// What the node is being told.
    pub(crate) verdict: Option<Verdict>,
}

impl Cell {
    /// Asks the node to record the start of attempt `n`.
    pub(super) fn ask_start(&self, core: &mut Core, place: usize, n: u32, now: Moment) {
        let step = &mut core.steps[place];
        step.attempt = Some(Attempt::new(n, now));
        core.set(place, State::Asking);
        core.outbox.push_back(Out::Started(place));
        self.notify_from_code();
    }

    /// The start is durable.
    pub(crate) fn on_begin(&self, begin: &Begin<'_>, now: Moment) {
        let waker = {
            let mut core = self.lock();
            let core = &mut *core;
            let Some(place) = core.find(&begin.step) else { return };
            let step = &mut core.steps[place];
            let asked = step.attempt.as_ref().is_some_and(|attempt| attempt.n == begin.n);
            if step.state != State::Asking || !asked {
                return;
            }
            step.once.granted = true;
            step.due = now;
            core.set(place, State::Due);
            core.steps[place].waker.clone()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        self.notify();
    }

    /// How the last start ended is to be found out. Tells whether there is a function for that.
    pub(super) fn is_verified(core: &Core, place: usize) -> bool {
        core.steps[place]
            .options()
            .and_then(|options| options.once)
            .is_some_and(|once| once.verified)
    }

    /// Notes that nobody knows how the last start ended, where no function finds out.
    pub(super) fn doubt(core: &mut Core, place: usize) {
        core.steps[place].once.doubt = true;
        if !Self::is_verified(core, place) {
            Self::tell_verdict(core, place, Verdict::Unknown);
        }
    }

    fn tell_verdict(core: &mut Core, place: usize, verdict: Verdict) {
        core.steps[place].once.verdict = Some(verdict);
        core.set(place, State::Telling);
        core.outbox.push_back(Out::Verified(place));
    }

    /// The function that finds out has ended: with what it found, or with an error, after which it
    /// is tried again.
    pub(super) fn end_verify(self: &Arc<Self>, core: &mut Core, place: usize, outcome: Outcome) {
        let now = self.now();
        let failure = match outcome {
            // Handlers alone end with `Continued`.
            Outcome::Returned(_) | Outcome::Continued(_) => {
                if let Some(attempt) = &mut core.steps[place].attempt {
                    attempt.outcome = Some(outcome);
                }
                return Self::tell_verdict(core, place, Verdict::Done);
            }
            Outcome::Failed(failed) => match failed.verdict {
                Some(verdict) => {
                    core.steps[place].attempt = None;
                    return Self::tell_verdict(core, place, verdict);
                }
                None => failed.failure,
            },
        };
        let step = &mut core.steps[place];
        step.attempt = None;
        step.once.verifies += 1;
        let message = format!("what became of it was not found out: {}", failure.message);
        let policy = Policy { jitter: false, ..Policy::default() };
        match policy.next_pause(step.once.verifies, 0) {
            Some(pause) => {
                step.due = now.after(pause);
                let due = step.due;
                core.set(place, State::Verifying);
                core.timers.push(Reverse((due, place)));
                self.arm(core);
            }
            None => Self::tell_verdict(core, place, Verdict::Unknown),
        }
        core.lines.push_back(Line { step: Some(place), at: now, level: Level::Warn, message });
    }

    /// The pause before the next try to find out is over.
    pub(super) fn verify_due(core: &mut Core, place: usize, now: Moment) -> Option<Waker> {
        if core.steps[place].due > now {
            return None;
        }
        core.set(place, State::Due);
        core.steps[place].waker.clone()
    }

    /// The run is given back: starts whose functions were never called did not happen.
    pub(super) fn take_back_starts(core: &mut Core) {
        for place in 0..core.steps.len() {
            let step = &mut core.steps[place];
            if step.once.granted && step.state == State::Due {
                step.once.verdict = Some(Verdict::NotBegun);
                core.outbox.push_back(Out::Verified(place));
            }
        }
    }
}
