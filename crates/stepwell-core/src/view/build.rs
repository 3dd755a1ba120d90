//! How the view is made: one fold for the state, one pass over the records for what they hold.

use alloc::borrow::Cow;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::model::{Activation, AttemptView, Note, Paused, StepView, View};
use crate::failure::Failure;
use crate::id::RunId;
use crate::once::Verdict;
use crate::record::{self, Activated, Attempt, Logged, Opening, Record};
use crate::run::{Phase, ReplayError, Run};
use crate::status::{Kind, RunStatus, StepStatus};
use crate::step_id;
use crate::time::Timestamp;

/// Says which step something is about, and what of it.
fn about<'a>(step: &str, what: Option<&str>) -> Cow<'a, str> {
    let what = what.map(|what| alloc::format!(": {what}")).unwrap_or_default();
    Cow::Owned(alloc::format!("step `{}`{what}", step_id::shown(step)))
}

impl<'a> View<'a> {
    /// Makes the view of a run from its journal. Payloads are borrowed from it.
    ///
    /// # Errors
    /// [`ReplayError`] when the bytes are not the history of a run.
    pub fn of(id: RunId, journal: &'a [u8]) -> Result<Self, ReplayError> {
        let run = Run::replay(id, journal)?;
        let mut builder = Builder::new(&run);
        for record in record::decode(journal) {
            builder.add(record?);
        }
        Ok(builder.finish())
    }
}

struct Builder<'a, 'r> {
    run: &'r Run,
    view: View<'a>,
    /// Positions of ended steps, in the order of their ends, and how many ends each step followed.
    ends: Vec<u32>,
    followed: Vec<u32>,
    runner: Arc<str>,
    /// When the end of the run was decided: sleeps are cancelled then, functions at its end.
    decided_at: Option<Timestamp>,
    /// Lines of quick functions, which come before the only record of their step.
    early_logs: Vec<Logged<'a>>,
}

impl<'a, 'r> Builder<'a, 'r> {
    fn new(run: &'r Run) -> Self {
        let blocked = match run.phase() {
            Phase::Blocked { cause, .. } => Some(cause.clone()),
            Phase::Forward | Phase::Ending { .. } | Phase::Ended(_) => None,
        };
        let view = View {
            id: run.id(),
            namespace: run.namespace().clone(),
            app: run.app().clone(),
            workflow: run.workflow().clone(),
            status: run.status(),
            key: run.key().cloned(),
            runner: run.pinned_runner().cloned(),
            version: run.started_version().cloned(),
            created_at: run.created_at(),
            started_at: run.started_at(),
            ended_at: run.ended_at(),
            deadline: run.deadline(),
            not_before: None,
            input: None,
            output: None,
            error: None,
            metadata: None,
            search: run.search().clone(),
            paused: run.paused().map(|paused| Paused {
                at: paused.at,
                by: paused.by.clone(),
                reason: paused.reason.clone(),
            }),
            forked_from: None,
            rerun_of: None,
            blocked_because: blocked.as_ref().map(ToString::to_string),
            blocked,
            steps: Vec::with_capacity(run.steps().len()),
            logs: Vec::new(),
            activations: Vec::new(),
            history: Vec::new(),
            journal_bytes: run.journal_bytes(),
        };
        Self {
            run,
            view,
            ends: Vec::new(),
            followed: Vec::new(),
            runner: Arc::from(""),
            decided_at: None,
            early_logs: Vec::new(),
        }
    }

    fn add(&mut self, record: Record<'a>) {
        match record {
            Record::Started(started) => {
                self.view.input = started.input;
                self.view.forked_from = started.forked_from;
                self.view.rerun_of = started.rerun_of;
                self.view.not_before = started.not_before;
                self.view.metadata = started.metadata;
                self.add_origin(started.at, (started.by, started.reason));
            }
            Record::Activated(activated) => self.add_activated(activated),
            Record::Released(released) => {
                self.end_activation("released", released.at);
                self.lose_attempts(released.at);
            }
            Record::Lost(lost) => {
                self.end_activation("lost", lost.at);
                self.lose_attempts(lost.at);
            }
            Record::Woken(_) | Record::SearchSet(_) => {}
            Record::StepStarted(started) => {
                let position = self.open(&started.step, started.open);
                self.begin_attempt(position, started.attempt);
            }
            Record::AttemptFailed(failed) => {
                let position = self.open(&failed.step, failed.open);
                let status = if failed.timed_out { "timed_out" } else { "failed" };
                self.end_attempt(position, failed.attempt, (status, failed.at), Some(failed.error));
            }
            Record::SleepStarted(sleep) => self.begin_at(&sleep.step, sleep.open),
            Record::StepEnded(ended) => self.add_step_ended(ended),
            Record::RaceStarted(race) => self.begin_at(&race.step, race.open),
            Record::Verified(verified) => self.add_verified(&verified),
            Record::Logged(logged) => self.add_logged(logged),
            Record::OrderChanged(changed) => {
                let detail = alloc::format!(
                    "the code asked for `{}` where the journal has `{}`",
                    changed.found,
                    changed.expected
                );
                self.note(changed.at, "order_changed", Some(Cow::Owned(detail)));
            }
            Record::Blocked(blocked) => {
                self.end_activation("blocked", blocked.at);
                self.lose_attempts(blocked.at);
                self.note(blocked.at, "blocked", Some(Cow::Owned(blocked.cause.to_string())));
            }
            Record::Unblocked(unblocked) => {
                self.note(unblocked.at, "unblocked", Some(unblocked.by));
            }
            Record::Ending(ending) => {
                self.decided_at = Some(ending.at);
                let timed_out = ending.status == RunStatus::TimedOut;
                let what = if timed_out { "timed_out" } else { "cancelled" };
                let note = Note { at: ending.at, what, by: ending.by, detail: ending.reason };
                self.view.history.push(note);
            }
            Record::Acted(acted) => self.add_acted(acted),
            Record::Ended(ended) => {
                self.end_activation("ended", ended.at);
                self.stop_attempts("cancelled", ended.at);
                self.view.output = ended.output;
                self.view.error = ended.error;
            }
        }
    }

    /// §9.5: who made it of another run, and why, is the first line of its history.
    fn add_origin(
        &mut self,
        at: Timestamp,
        (by, reason): (Option<Cow<'a, str>>, Option<Cow<'a, str>>),
    ) {
        let (what, of) = match (&self.view.forked_from, self.view.rerun_of) {
            (Some(from), _) => (
                "forked",
                alloc::format!("from step `{}` of {}", step_id::shown(&from.step), from.run),
            ),
            (None, Some(run)) => ("rerun", alloc::format!("of {run}")),
            (None, None) => return,
        };
        let reason = reason.map(|reason| alloc::format!(": {reason}")).unwrap_or_default();
        let detail = Some(Cow::Owned(alloc::format!("{of}{reason}")));
        self.view.history.push(Note { at, what, by, detail });
    }

    fn add_acted(&mut self, acted: record::Acted<'a>) {
        let what = acted.act.done();
        let detail = match (&acted.step, acted.reason) {
            (None, reason) => reason,
            (Some(step), reason) => Some(about(step, reason.as_deref())),
        };
        self.view.history.push(Note { at: acted.at, what, by: acted.by, detail });
    }

    /// A step without a function begins when the code asks for it.
    fn begin_at(&mut self, id: &str, open: Opening<'a>) {
        let at = open.at;
        let position = self.open(id, Some(open));
        if let Some(step) = self.step(position) {
            step.started_at = Some(at);
        }
    }

    fn add_activated(&mut self, activated: Activated<'a>) {
        self.runner = Arc::from(&*activated.runner);
        let text = |text: Cow<'a, str>| Arc::from(&*text);
        self.view.activations.push(Activation {
            epoch: activated.epoch,
            runner: self.runner.clone(),
            instance: text(activated.instance),
            version: activated.version.map(text),
            build: activated.build.map(text),
            at: activated.at,
            until: None,
            end: "held",
            alone: activated.alone,
        });
    }

    fn end_activation(&mut self, end: &'static str, at: Timestamp) {
        if let Some(last) = self.view.activations.last_mut().filter(|last| last.until.is_none()) {
            last.until = Some(at);
            last.end = end;
        }
    }

    fn note(&mut self, at: Timestamp, what: &'static str, detail: Option<Cow<'a, str>>) {
        self.view.history.push(Note { at, what, by: None, detail });
    }

    fn step(&mut self, position: usize) -> Option<&mut StepView<'a>> {
        self.view.steps.get_mut(position)
    }

    fn open(&mut self, id: &str, open: Option<Opening<'a>>) -> usize {
        let Some(open) = open else {
            // A record without an opening follows one that has it.
            let found = self.run.position(id).and_then(|found| usize::try_from(found).ok());
            return found.unwrap_or(usize::MAX);
        };
        let position = self.view.steps.len();
        self.followed.push(open.after);
        self.view.steps.push(StepView {
            id: Arc::from(id),
            kind: open.kind,
            status: StepStatus::Pending,
            position: u32::try_from(position).unwrap_or(u32::MAX),
            input: open.input,
            output: None,
            error: None,
            attempts: Vec::new(),
            logs: Vec::new(),
            metadata: open.metadata,
            once: open.once,
            branch: open.branch,
            kept_from: open.kept_from,
            scheduled_at: open.at,
            started_at: None,
            completed_at: None,
            next_at: None,
            after: Vec::new(),
        });
        position
    }

    fn begin_attempt(&mut self, position: usize, attempt: Attempt) {
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

    fn end_attempt(
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

    fn lose_attempts(&mut self, at: Timestamp) {
        self.stop_attempts("lost", at);
    }

    fn stop_attempts(&mut self, status: &'static str, at: Timestamp) {
        let attempts = self.view.steps.iter_mut().flat_map(|step| &mut step.attempts);
        for attempt in attempts.filter(|attempt| attempt.status == "running") {
            attempt.status = status;
            attempt.ended_at = Some(at);
        }
    }

    fn add_step_ended(&mut self, ended: record::StepEnded<'a>) {
        let position = self.open(&ended.step, ended.open);
        self.ends.push(u32::try_from(position).unwrap_or(u32::MAX));
        if let Some(attempt) = ended.attempt {
            let status = match ended.status {
                StepStatus::Completed => "completed",
                StepStatus::TimedOut => "timed_out",
                StepStatus::Cancelled => "cancelled",
                StepStatus::Unknown => "unknown",
                StepStatus::Failed
                | StepStatus::Pending
                | StepStatus::Running
                | StepStatus::Retrying
                | StepStatus::Sleeping
                | StepStatus::Waiting
                | StepStatus::Skipped => "failed",
            };
            self.end_attempt(position, attempt, (status, ended.at), ended.error.clone());
        }
        let Some(step) = self.step(position) else { return };
        for attempt in step.attempts.iter_mut().filter(|attempt| attempt.status == "running") {
            // The code dropped the step while its function ran (§5.6).
            attempt.status = "cancelled";
            attempt.ended_at = Some(ended.at);
        }
        step.output = ended.output;
        step.error = ended.error;
        step.completed_at = Some(ended.at);
        if step.started_at.is_none() {
            step.started_at = Some(step.scheduled_at);
        }
    }

    fn add_verified(&mut self, verified: &record::Verified<'a>) {
        let verdict = verified.verdict.as_str();
        self.note(verified.at, "verified", Some(about(&verified.step, Some(verdict))));
        if verified.verdict == Verdict::NotBegun
            && let Some(position) = self.run.position(&verified.step)
            && let Some(step) = self.step(usize::try_from(position).unwrap_or(usize::MAX))
        {
            // Its function was not called: there was no attempt.
            step.attempts.pop();
        }
    }

    fn add_logged(&mut self, logged: Logged<'a>) {
        let Some(id) = &logged.step else {
            self.view.logs.extend(logged.lines);
            return;
        };
        let position = self.run.position(id).and_then(|found| usize::try_from(found).ok());
        match position.and_then(|position| self.view.steps.get_mut(position)) {
            Some(step) => step.logs.extend(logged.lines),
            None => self.early_logs.push(logged),
        }
    }

    fn finish(mut self) -> View<'a> {
        // Backwards, so that what was said first comes to stand first.
        for logged in core::mem::take(&mut self.early_logs).into_iter().rev() {
            let id = logged.step.as_deref().unwrap_or_default();
            let position = self.run.position(id).and_then(|found| usize::try_from(found).ok());
            match position.and_then(|position| self.view.steps.get_mut(position)) {
                Some(step) => step.logs.splice(0..0, logged.lines),
                None => self.view.logs.splice(0..0, logged.lines),
            };
        }
        let (decided_at, ended_at) = (self.decided_at, self.run.ended_at());
        for (step, state) in self.view.steps.iter_mut().zip(self.run.steps()) {
            step.status = state.status;
            step.next_at = state.wake;
            if state.is_ended() && step.completed_at.is_none() {
                step.completed_at = match step.kind {
                    Kind::Run
                    | Kind::Invoke
                    | Kind::Emit
                    | Kind::Race
                    | Kind::Skip
                    | Kind::Compensate
                    | Kind::OnFailure => ended_at.or(decided_at),
                    Kind::Sleep | Kind::SleepUntil | Kind::WaitForEvent | Kind::NamedWait => {
                        decided_at.or(ended_at)
                    }
                };
            }
        }
        let implied = self.implied();
        let edges: Vec<Vec<Arc<str>>> =
            self.followed.iter().map(|after| self.edges(*after, &implied)).collect();
        for (step, after) in self.view.steps.iter_mut().zip(edges) {
            step.after = after;
        }
        self.view
            .steps
            .sort_by_key(|step| (step.started_at.unwrap_or(step.scheduled_at), step.position));
        self.view
    }

    /// For each count of ends, how many of them another one of them followed.
    fn implied(&self) -> Vec<u32> {
        let mut most = 0;
        let mut implied = alloc::vec![0];
        for position in &self.ends {
            let at = usize::try_from(*position).unwrap_or(usize::MAX);
            let cancelled = |step: &StepView<'_>| step.status == StepStatus::Cancelled;
            if !self.view.steps.get(at).is_none_or(cancelled) {
                // What was cancelled was not delivered, and so stands for nothing that it followed.
                most = self.followed.get(at).copied().unwrap_or(0).max(most);
            }
            implied.push(most);
        }
        implied
    }

    /// Of the first `after` ends, those that none of the others followed: the others are implied.
    fn edges(&self, after: u32, implied: &[u32]) -> Vec<Arc<str>> {
        let count = usize::try_from(after).unwrap_or(usize::MAX).min(self.ends.len());
        let implied = implied.get(count).and_then(|most| usize::try_from(*most).ok()).unwrap_or(0);
        let ends = self.ends.get(implied..count).unwrap_or_default();
        let step =
            |position: &u32| self.view.steps.get(usize::try_from(*position).unwrap_or(usize::MAX));
        ends.iter()
            .filter_map(step)
            .filter(|step| step.status != StepStatus::Cancelled)
            .map(|step| step.id.clone())
            .collect()
    }
}
