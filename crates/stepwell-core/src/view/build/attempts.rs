//! Attempts of steps, as they begin, end and are lost.

use crate::failure::Failure;
use crate::record::Attempt;
use crate::time::Timestamp;

use super::{AttemptView, Builder};

impl<'a> Builder<'a, '_> {
    pub(super) fn begin_attempt(&mut self, position: usize, attempt: Attempt) {
        let runner = self.runner.clone();
        let Some(step) = self.step(position) else { return };
        step.started_at.get_or_insert(attempt.started_at);
        step.attempts.push(AttemptView {
            n: attempt.n,
            status: "running",
            started_at: attempt.started_at,
            ended_at: None,
            error: None,
            runner,
            overlapped: attempt.overlapped,
        });
    }

    pub(super) fn end_attempt(
        &mut self,
        position: usize,
        attempt: Attempt,
        (status, at): (&'static str, Timestamp),
        error: Option<Failure<'a>>,
    ) {
        let running = self
            .step(position)
            .and_then(|step| step.attempts.last())
            .is_some_and(|last| last.n == attempt.n && last.status == "running");
        if !running {
            self.begin_attempt(position, attempt);
        }
        let Some(step) = self.step(position) else { return };
        if let Some(last) = step.attempts.last_mut() {
            last.status = status;
            last.ended_at = Some(at);
            last.error = error;
        }
    }

    pub(super) fn lose_attempts(&mut self, at: Timestamp) {
        self.stop_attempts("lost", at);
    }

    pub(super) fn stop_attempts(&mut self, status: &'static str, at: Timestamp) {
        let changed_at = self.journal_bytes;
        for step in &mut self.view.steps {
            for attempt in step.attempts.iter_mut().filter(|attempt| attempt.status == "running") {
                attempt.status = status;
                attempt.ended_at = Some(at);
                step.changed_at = changed_at;
            }
        }
    }
}
