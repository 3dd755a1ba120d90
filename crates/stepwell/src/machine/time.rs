//! Deadlines of a run: the session calls when one has come.

use std::cmp::Reverse;
use std::sync::Arc;
use std::task::Waker;

use super::cell::Cell;
use super::state::{Core, NO_STEP, Out, Phase, State};
use super::turn::START_TOLD_AFTER;
use crate::moment::Moment;

impl Cell {
    /// Does what is due. Runs on the session's thread: a function that holds its own thread is
    /// still told of, and still runs out of time.
    pub(crate) fn on_time(self: &Arc<Self>, now: Moment) {
        let mut wakers = Vec::new();
        {
            let mut core = self.lock();
            let core = &mut *core;
            while core.looks.last().is_some_and(|look| *look <= now) {
                core.looks.pop();
            }
            let mut look = false;
            while let Some(Reverse((at, place))) = core.timers.peek().copied() {
                if at > now {
                    break;
                }
                core.timers.pop();
                if place == NO_STEP {
                    look = true;
                } else {
                    wakers.extend(self.step_due(core, place, now));
                }
            }
            self.arm(core);
            self.flush(core);
            if look {
                self.notify();
            }
        }
        wakers.into_iter().for_each(Waker::wake);
    }

    fn step_due(&self, core: &mut Core, place: usize, now: Moment) -> Option<Waker> {
        if !matches!(core.phase, Phase::Forward | Phase::Ending | Phase::Leaving(_)) {
            return None;
        }
        let step = &mut core.steps[place];
        match step.state {
            State::Running => {
                let attempt = step.attempt.as_mut()?;
                if attempt.verifies {
                    return None;
                }
                if attempt.deadline.is_some_and(|deadline| deadline <= now) {
                    self.time_out(core, place, now);
                    return core.steps[place].waker.clone();
                }
                if !attempt.start_told && attempt.started_at.after(START_TOLD_AFTER) <= now {
                    attempt.start_told = true;
                    core.outbox.push_back(Out::Started(place));
                }
                None
            }
            State::Due => {
                let stray = step.stray_until().is_some_and(|until| now < until);
                (step.due <= now && !stray).then(|| step.waker.clone()).flatten()
            }
            State::Verifying => Self::verify_due(core, place, now),
            State::Known
            | State::Asking
            | State::Racing
            | State::Telling
            | State::Waiting
            | State::Ended
            | State::Passed
            | State::Ready
            | State::Taken
            | State::Dropped => None,
        }
    }
}
