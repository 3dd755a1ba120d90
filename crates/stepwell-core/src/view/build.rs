//! How the view is made: one fold for the state, one pass over the records for what they hold.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::clean_up;
use super::model::{Activation, AttemptView, ChildView, Note, Paused, StepView, View};
use crate::id::RunId;
use crate::once::Verdict;
use crate::record::{
    self, Acted, Activated, CancelNoted, Ended, LogLine, Logged, Opening, Record, Retried,
    WaitStarted,
};
use crate::run::{Phase, ReplayError, Run, is_kept};
use crate::status::{Kind, StepStatus};
use crate::step_id;
use crate::time::Timestamp;

/// Says which step something is about, and what of it.
fn about<'a>(step: &str, what: Option<&str>) -> Cow<'a, str> {
    let what = what.map(|what| alloc::format!(": {what}")).unwrap_or_default();
    Cow::Owned(alloc::format!("step `{}`{what}", step_id::shown(step)))
}

mod attempts;
mod edges;

impl<'a> View<'a> {
    /// Makes the view of a run from its journal. Payloads are borrowed from it.
    ///
    /// # Errors
    /// [`ReplayError`] when the bytes are not the history of a run.
    pub fn of(id: RunId, journal: &'a [u8]) -> Result<Self, ReplayError> {
        let run = Run::replay(id, journal)?;
        let mut builder = Builder::new(&run);
        for record in record::decode_at(journal) {
            let (end, record) = record?;
            builder.journal_bytes = u64::try_from(end).unwrap_or(u64::MAX);
            builder.add(record);
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
    /// How long the journal is with the record that is added.
    journal_bytes: u64,
    /// When the end of the run was decided: sleeps are cancelled then, functions at its end.
    decided_at: Option<Timestamp>,
    /// Lines of quick functions, which come before the only record of their step.
    early_logs: Vec<Logged<'a>>,
    /// Where the newest step of each id stands, without those that began anew (§6.5).
    places: BTreeMap<Arc<str>, usize>,
    /// How many steps have their edges.
    edged: usize,
    generation: u32,
}

impl<'a, 'r> Builder<'a, 'r> {
    fn new(run: &'r Run) -> Self {
        let blocked = match run.phase() {
            Phase::Blocked { cause, .. } => Some(cause.clone()),
            Phase::Forward | Phase::Ending { .. } | Phase::CleaningUp | Phase::Ended(_) => None,
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
            generation: run.generation(),
            retry_at: run.delayed_until().filter(|_| run.generation() > 1),
            clean_up: clean_up::of(run),
            steps: Vec::with_capacity(run.steps().len()),
            logs: Vec::new(),
            activations: Vec::new(),
            history: Vec::new(),
            journal_bytes: run.journal_bytes(),
            parent: None,
            continued_from: run.continues().map(|continues| continues.from),
            continued_as: run.continued_as(),
        };
        Self {
            run,
            view,
            ends: Vec::new(),
            followed: Vec::new(),
            runner: Arc::from(""),
            journal_bytes: 0,
            decided_at: None,
            early_logs: Vec::new(),
            places: BTreeMap::new(),
            edged: 0,
            generation: 1,
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
                self.view.parent = started.parent;
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
            Record::Woken(_) | Record::Looked(_) | Record::SearchSet(_) => {}
            Record::StepStarted(started) => {
                let position = self.open(&started.step, started.open);
                self.begin_attempt(position, started.attempt);
            }
            Record::AttemptFailed(failed) => {
                let position = self.open(&failed.step, failed.open);
                let status = if failed.timed_out { "timed_out" } else { "failed" };
                self.end_attempt(position, failed.attempt, (status, failed.at), Some(failed.error));
            }
            Record::SleepStarted(sleep) => self.add_begun(&sleep.step, sleep.open),
            Record::WaitStarted(wait) => self.add_wait_started(wait),
            Record::ChildStarted(started) => self.add_child_started(started),
            Record::StepEnded(ended) => self.add_step_ended(ended),
            Record::RaceStarted(race) => self.add_begun(&race.step, race.open),
            Record::Verified(verified) => self.add_verified(&verified),
            Record::Logged(logged) => self.add_logged(logged),
            Record::OrderChanged(changed) => {
                let (found, expected) = (changed.found, changed.expected);
                let detail = alloc::format!(
                    "the code asked for `{found}` where the journal has `{expected}`"
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
                let note = clean_up::note_of(ending, &mut self.view.error);
                self.view.history.push(note);
            }
            Record::Acted(acted) => self.add_acted(acted),
            Record::Ended(ended) => self.add_ended(ended),
            Record::CleanUp(clean_up) => {
                self.leave(if clean_up.evicts { "evicted" } else { "finished" }, clean_up.at);
                self.note(clean_up.at, "cleaning_up", None);
            }
            Record::Retried(retried) => self.add_retried(&retried),
            Record::CancelNoted(noted) => self.add_cancel_noted(noted),
        }
    }

    /// Adds a step that begins with the code asking for it.
    fn add_begun(&mut self, step: &str, open: Opening<'a>) {
        let at = open.at;
        let position = self.open(step, Some(open));
        if let Some(step) = self.step(position) {
            step.started_at = Some(at);
        }
    }

    fn add_wait_started(&mut self, wait: WaitStarted<'a>) {
        let at = wait.open.at;
        let position = self.open(&wait.step, Some(wait.open));
        if let Some(step) = self.step(position) {
            step.started_at = Some(at);
            step.events_kept_from = wait.asked.map(|_| wait.since);
        }
    }

    fn add_acted(&mut self, acted: Acted<'a>) {
        let what = acted.act.done();
        let detail = match (&acted.step, acted.reason) {
            (None, reason) => reason,
            (Some(step), reason) => Some(about(step, reason.as_deref())),
        };
        self.view.history.push(Note { at: acted.at, what, by: acted.by, detail });
    }

    fn add_ended(&mut self, ended: Ended<'a>) {
        self.leave("ended", ended.at);
        self.view.output = ended.output;
        self.view.error = ended.error;
    }

    fn add_cancel_noted(&mut self, noted: CancelNoted<'a>) {
        let (what, by, detail) = ("cancel_noted", noted.by, noted.reason);
        self.view.history.push(Note { at: noted.at, what, by, detail });
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

    fn add_child_started(&mut self, started: record::ChildStarted<'a>) {
        let at = started.open.at;
        let position = self.open(&started.step, Some(started.open));
        if let Some(step) = self.step(position) {
            let (run, app, workflow) = (started.child, started.app, started.workflow);
            step.child = Some(ChildView { run, app, workflow });
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

    /// The run goes on without the copy of its runner.
    fn leave(&mut self, end: &'static str, at: Timestamp) {
        self.end_activation(end, at);
        self.stop_attempts("cancelled", at);
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

    /// Returns a step to be changed.
    fn step(&mut self, position: usize) -> Option<&mut StepView<'a>> {
        let step = self.view.steps.get_mut(position)?;
        step.changed_at = self.journal_bytes;
        Some(step)
    }

    fn open(&mut self, id: &str, open: Option<Opening<'a>>) -> usize {
        let Some(open) = open else {
            // A record without an opening follows one that has it.
            return self.places.get(id).copied().unwrap_or(usize::MAX);
        };
        let position = self.view.steps.len();
        let id: Arc<str> = Arc::from(id);
        self.places.insert(id.clone(), position);
        self.followed.push(open.after);
        let logs = self.take_early_logs(&id);
        self.view.steps.push(StepView {
            id,
            generation: self.generation,
            uncertain: false,
            kind: open.kind,
            status: StepStatus::Pending,
            word: StepStatus::Pending.as_str(),
            position: u32::try_from(position).unwrap_or(u32::MAX),
            input: open.input,
            output: None,
            error: None,
            attempts: Vec::new(),
            logs,
            metadata: open.metadata,
            once: open.once,
            branch: open.branch,
            kept_from: open.kept_from,
            scheduled_at: open.at,
            started_at: None,
            completed_at: None,
            next_at: None,
            after: Vec::new(),
            events_kept_from: None,
            child: None,
            changed_at: self.journal_bytes,
        });
        position
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
        let position = self.places.get(&**id).copied();
        match position.and_then(|position| self.step(position)) {
            Some(step) => step.logs.extend(logged.lines),
            None => self.early_logs.push(logged),
        }
    }

    fn take_early_logs(&mut self, id: &str) -> Vec<LogLine<'a>> {
        let mut lines = Vec::new();
        self.early_logs.retain_mut(|logged| {
            let mine = logged.step.as_deref() == Some(id);
            if mine {
                lines.append(&mut logged.lines);
            }
            !mine
        });
        lines
    }

    /// §6.5: what does not keep its result stays to be seen, and its id is free again.
    fn add_retried(&mut self, retried: &Retried<'a>) {
        self.leave("finished", retried.at);
        self.fix_edges();
        let states = self.run.steps();
        let kept = |place: usize| states.get(place).is_some_and(|one| is_kept(one.status));
        self.places.retain(|_, place| kept(*place));
        self.ends.retain(|position| usize::try_from(*position).is_ok_and(kept));
        self.generation = retried.generation;
        let all = self.journal_bytes;
        self.view.steps.iter_mut().for_each(|step| step.changed_at = all);
        let detail = alloc::format!("{}: {}", retried.error.name, retried.error.message);
        self.note(retried.at, "handler_retried", Some(Cow::Owned(detail)));
    }

    fn finish(mut self) -> View<'a> {
        // Backwards, so that what was said first comes to stand first.
        for logged in core::mem::take(&mut self.early_logs).into_iter().rev() {
            self.view.logs.splice(0..0, logged.lines);
        }
        self.fix_edges();
        let (decided_at, ended_at) = (self.decided_at, self.run.ended_at());
        for (step, state) in self.view.steps.iter_mut().zip(self.run.steps()) {
            (step.status, step.word) = (state.status, state.status.as_str());
            step.next_at = state.wake;
            if !state.is_ended() || step.completed_at.is_none() {
                // What it is follows from the run's state, which any record may have changed.
                step.changed_at = u64::MAX;
            }
            step.uncertain =
                state.begun && !state.compensable.is_no() && state.status == StepStatus::Cancelled;
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
        self.view
            .steps
            .sort_by_key(|step| (step.started_at.unwrap_or(step.scheduled_at), step.position));
        self.view
    }
}
