//! How runs end: by their handler, by a cancel, by their deadline (§7.1, §7.2).

use alloc::string::ToString;

use super::command::{Change, Effect, Finish};
use super::state::Phase;
use crate::failure::{Failure, names};
use crate::id::RunId;
use crate::payload;
use crate::record::{Ended, Ending, Record, Released};
use crate::status::RunStatus;

impl Change<'_, '_> {
    pub(super) fn finish(&mut self, finish: Finish<'_>) {
        if let Phase::Ending { .. } = self.run.phase {
            self.end_as_decided();
            if let Phase::Ending { .. } = self.run.phase {
                self.effect(Effect::Dismiss);
            }
            return;
        }
        self.cancel_children();
        let (status, output, error) = match finish {
            Finish::Continued { by } => return self.continue_as(by),
            Finish::Completed(output) => {
                let checked = output
                    .map_or(Ok(()), |raw| payload::check(raw, self.env.limits.payload_bytes_max));
                match checked {
                    Ok(()) => (RunStatus::Completed, output, None),
                    Err(why) => {
                        let message = alloc::format!("the run's output is refused: {why}");
                        (RunStatus::Failed, None, Some(Failure::new(names::LIMIT, message)))
                    }
                }
            }
            Finish::Failed(failure) => (RunStatus::Failed, None, Some(failure)),
        };
        let told = error.clone().map(Failure::into_owned);
        self.push(&Record::Ended(Ended {
            at: self.env.now,
            status,
            output,
            error,
            continued_as: None,
        }));
        self.effect(Effect::Ended { status, error: told });
    }

    /// §2.3: the run completes, and another one goes on in the same commit.
    fn continue_as(&mut self, by: RunId) {
        self.push(&Record::Ended(Ended {
            at: self.env.now,
            status: RunStatus::Completed,
            output: None,
            error: None,
            continued_as: Some(by),
        }));
        self.effect(Effect::Continued { by });
    }

    /// A cancel is accepted without a runner. One during the ending changes nothing (§7.6).
    pub(super) fn cancel(&mut self, by: Option<&str>, reason: Option<&str>) {
        if let Phase::Ending { .. } = self.run.phase {
            return;
        }
        self.decide_end(RunStatus::Cancelled, (by, reason));
    }

    /// Decides the final status; the run ends when functions in flight have, or at once where no
    /// runner holds it (§7.2).
    pub(super) fn decide_end(
        &mut self,
        status: RunStatus,
        (by, reason): (Option<&str>, Option<&str>),
    ) {
        self.push(&Record::Ending(Ending {
            at: self.env.now,
            until: self.env.now.after(self.env.limits.grace()),
            status,
            by: by.map(Into::into),
            reason: reason.map(Into::into),
        }));
        self.cancel_children();
        if self.run.is_held() {
            self.effect(Effect::End { status });
        } else {
            self.end_as_decided();
        }
    }

    /// Ends the run whose end is decided, unless children of it have not ended: then it only parts
    /// from its runner, and their ends are awaited (§7.2).
    pub(super) fn end_as_decided(&mut self) {
        let Phase::Ending { status, .. } = self.run.phase else {
            return;
        };
        if !self.run.children.is_empty() {
            if self.run.activation.is_some() {
                let seen = self.run.ended_steps();
                self.push(&Record::Released(Released { at: self.env.now, seen }));
            }
            return;
        }
        let message = match status {
            RunStatus::TimedOut => "the run's deadline passed",
            RunStatus::Cancelled
            | RunStatus::Queued
            | RunStatus::Running
            | RunStatus::Waiting
            | RunStatus::Paused
            | RunStatus::Blocked
            | RunStatus::Compensating
            | RunStatus::Completed
            | RunStatus::Failed => "the run was cancelled",
        };
        self.end_without_code(status, message);
    }

    /// Ends the run with a status that no handler gave it.
    pub(super) fn end_without_code(&mut self, status: RunStatus, message: &str) {
        let error = Failure::new(names::CANCELLED, message.to_string());
        self.push(&Record::Ended(Ended {
            at: self.env.now,
            status,
            output: None,
            error: Some(error.clone()),
            continued_as: None,
        }));
        self.effect(Effect::Ended { status, error: Some(error) });
    }
}
