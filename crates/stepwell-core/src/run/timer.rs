//! Time: sleeps that are over, backoffs of waiting runs, deadlines.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::clean_up::Leave;
use super::command::{Change, Effect};
use super::state::Phase;
use crate::record::{Record, StepEnded, Woken};
use crate::status::{RunStatus, StepStatus};

impl Change<'_, '_> {
    /// Does all that is due. A timer that is not due yet does nothing, however often it is fired.
    pub(super) fn fire(&mut self) {
        let now = self.env.now;
        if let Phase::Ending { until, .. } = self.run.phase {
            if until <= now {
                self.end_as_decided(Leave::Evict);
            }
            return;
        }
        if self.run.bound().is_some_and(|bound| bound <= now) {
            if self.run.is_cleaning() {
                self.stop_clean_up();
            } else {
                self.decide_end(RunStatus::TimedOut, (None, None));
            }
            return;
        }
        if let Phase::Forward | Phase::CleaningUp = self.run.phase {
            self.fire_steps();
        }
    }

    fn fire_steps(&mut self) {
        let now = self.env.now;
        let due: Vec<(Arc<str>, bool)> = self
            .run
            .wakes
            .iter()
            .take_while(|(at, _)| *at <= now)
            .filter_map(|(_, position)| self.run.at(*position))
            .filter(|step| step.status != StepStatus::Waiting)
            .map(|step| (step.id.clone(), step.status == StepStatus::Sleeping))
            .collect();
        self.look_for_events();
        let held = self.run.is_held();
        // §9.1: the time of a delayed run has come.
        let mut backoff_over = self.run.delayed.is_some_and(|at| at <= now);
        for (step, sleeps) in due {
            if !sleeps {
                // A runner that holds the run keeps the time of its backoffs itself.
                backoff_over = true;
                continue;
            }
            self.push(&Record::StepEnded(StepEnded {
                step: (&*step).into(),
                at: now,
                status: StepStatus::Completed,
                attempt: None,
                output: None,
                error: None,
                open: None,
                event: None,
            }));
            if held {
                let status = StepStatus::Completed;
                self.effect(Effect::Settle { step, at: now, status, error: None });
            }
        }
        let waits = self.run.activation.is_none() && self.run.ready_since.is_none();
        if backoff_over && waits {
            self.push(&Record::Woken(Woken { at: now }));
        }
    }
}
