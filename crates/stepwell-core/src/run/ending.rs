//! How runs end: by their handler, by a cancel, by their deadline (§7.1, §7.2).

use super::act::Finish;
use super::clean_up::Leave;
use super::command::{Change, Effect};
use super::state::Phase;
use crate::failure::{Failure, names};
use crate::id::RunId;
use crate::payload;
use crate::record::{Ended, Ending, Record};
use crate::status::RunStatus;

impl Change<'_, '_> {
    pub(super) fn finish(&mut self, finish: Finish<'_>) {
        match self.run.phase {
            Phase::Ending { .. } => return self.end_as_decided(Leave::Forget),
            Phase::CleaningUp => return self.finish_clean_up(),
            Phase::Forward | Phase::Blocked { .. } | Phase::Ended(_) => {}
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
        if let Some(failure) = &error {
            if self.retry_handler(failure) {
                return;
            }
            if self.leaves_something() {
                self.push(&Record::Ending(Ending {
                    at: self.env.now,
                    until: self.env.now,
                    status,
                    by: None,
                    reason: None,
                    error: Some(failure.clone()),
                }));
                return self.end_as_decided(Leave::Forget);
            }
        }
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

    /// A cancel is accepted without a runner. One after the decision changes nothing (§7.6).
    pub(super) fn cancel(&mut self, by: Option<&str>, reason: Option<&str>) {
        if self.run.decided.is_some() {
            return self.note_cancel(by, reason);
        }
        self.decide_end(RunStatus::Cancelled, (by, reason));
    }

    /// Decides the final status; the run goes on to its end when functions in flight have ended, or
    /// at once where no runner holds it (§7.2).
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
            error: None,
        }));
        self.cancel_children();
        if self.run.is_held() {
            self.effect(Effect::End { status });
        } else {
            self.end_as_decided(Leave::Evict);
        }
    }

    /// Ends the run with the status and error that were decided, or else with these (§7.1).
    pub(super) fn end_without_code(&mut self, status: RunStatus, error: Failure<'static>) {
        let (status, error) = match &self.run.decided {
            Some(decided) => (decided.status, decided.failure()),
            None => (status, error),
        };
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
