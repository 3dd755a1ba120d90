//! What operators do to a run (§9.5).

use alloc::vec::Vec;

use super::command::{Change, Effect, Operate, Rejection};
use super::state::Phase;
use crate::failure::{Failure, names};
use crate::operation::Operation;
use crate::record::{Acted, Record, Unblocked};
use crate::status::RunStatus;

impl Change<'_, '_> {
    /// An act that changes nothing is taken and not recorded.
    pub(super) fn operate(&mut self, operate: Operate<'_>) -> Result<(), Rejection> {
        match operate.act {
            Operation::Pause => self.pause(operate),
            Operation::Resume => {
                self.resume(operate);
                Ok(())
            }
            Operation::Terminate => {
                self.terminate(operate);
                Ok(())
            }
            Operation::Retry => self.retry_now(operate),
            // It comes with what is known of a step: as a command of its own.
            Operation::Resolve => Err(Rejection::NotUnknown("".into())),
        }
    }

    fn record(&mut self, operate: Operate<'_>) {
        self.push(&Record::Acted(Acted {
            at: self.env.now,
            act: operate.act,
            by: operate.by.map(Into::into),
            reason: operate.reason.map(Into::into),
            step: None,
        }));
    }

    /// §7.6: nothing is awaited any more. A status that is decided stays (§7.1).
    fn terminate(&mut self, operate: Operate<'_>) {
        let held = self.run.activation.is_some();
        if !self.is_ending() {
            // Those of an ending run were told when its end was decided.
            self.cancel_children();
        }
        self.record(operate);
        let error = Failure::new(names::CANCELLED, "the run was terminated");
        self.end_without_code(RunStatus::Cancelled, error);
        if held {
            self.effect(Effect::Evict);
        }
    }

    /// §9.6: what is in flight ends and is recorded; nothing new begins.
    fn pause(&mut self, operate: Operate<'_>) -> Result<(), Rejection> {
        if self.run.decided.is_some() {
            return Err(Rejection::Ending);
        }
        if self.run.paused.is_none() {
            self.record(operate);
            if self.run.is_held() {
                self.effect(Effect::Pause);
            }
        }
        Ok(())
    }

    fn resume(&mut self, operate: Operate<'_>) {
        if self.run.paused.is_some() {
            self.record(operate);
            if self.run.is_held() {
                self.effect(Effect::Unpause);
            }
        }
    }

    fn retry_now(&mut self, operate: Operate<'_>) -> Result<(), Rejection> {
        if self.is_ending() {
            return Err(Rejection::Ending);
        }
        let now = self.env.now;
        let blocked = matches!(self.run.phase, Phase::Blocked { .. });
        let backoffs = self.run.backoffs_after(now);
        if backoffs.is_empty() && !blocked && !self.run.handler_waits_after(now) {
            return Ok(());
        }
        self.record(operate);
        if blocked {
            self.push(&Record::Unblocked(Unblocked { at: now, by: Unblocked::BY_OPERATOR.into() }));
        }
        if self.run.is_held() {
            let steps = backoffs.into_iter().filter_map(|(position, _)| self.run.at(position));
            let told: Vec<Effect> = steps
                .map(|step| Effect::Retry { step: step.id.clone(), n: step.attempts + 1, at: now })
                .collect();
            for effect in told {
                self.effect(effect);
            }
        } else {
            self.fire();
        }
        Ok(())
    }
}
