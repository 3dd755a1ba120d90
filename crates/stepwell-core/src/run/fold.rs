//! What each record does to the state, and replay of a stored journal.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::index::Index;
use super::state::{Activation, Paused, Phase, Run, Step};
use super::wait::Waits;
use crate::clean_up::Compensable;
use crate::id::RunId;
use crate::once::Verdict;
use crate::operation::Operation;
use crate::record::{
    self, Activated, AttemptFailed, Blocked, ChildStarted, DecodeError, Ended, Opening, Parent,
    Record, Released, SleepStarted, Started, StepEnded, StepStarted, Unblocked,
};
use crate::search::{self, Attributes};
use crate::status::{Kind, StepStatus};
use crate::summary::ErrorLine;
use crate::time::Timestamp;

/// A stored journal is not the history of a run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// A record could not be read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The journal has no records.
    #[error("the journal is empty")]
    Empty,
    /// A record cannot follow those before it.
    #[error("record {number} cannot stand there: {why}")]
    Misplaced {
        /// Its number, from 0.
        number: usize,
        /// What is wrong.
        why: &'static str,
    },
}

impl Run {
    /// Rebuilds a run from its stored journal.
    ///
    /// # Errors
    /// [`ReplayError`] when the bytes are not the history of a run.
    pub fn replay(id: RunId, journal: &[u8]) -> Result<Self, ReplayError> {
        let mut records = record::decode(journal);
        let Some(first) = records.next() else {
            return Err(ReplayError::Empty);
        };
        let Record::Started(started) = first? else {
            return Err(ReplayError::Misplaced { number: 0, why: "a journal begins with a start" });
        };
        let mut run = Self::born(id, &started);
        for (number, record) in (1..).zip(records) {
            let record = record?;
            if let Some(why) = run.excludes(&record) {
                return Err(ReplayError::Misplaced { number, why });
            }
            run.fold(&record);
        }
        run.journal_bytes = journal.len() as u64;
        Ok(run)
    }

    pub(super) fn born(id: RunId, started: &Started<'_>) -> Self {
        let mut search = Attributes::new();
        search::apply(&mut search, &started.search);
        Self {
            id,
            namespace: Arc::from(&*started.namespace),
            app: Arc::from(&*started.app),
            workflow: Arc::from(&*started.workflow),
            key: started.key.as_deref().map(Arc::from),
            runner: started.runner.as_deref().map(Arc::from),
            created_at: started.at,
            last_at: started.at,
            started_at: None,
            ended_at: None,
            error: None,
            deadline: started.deadline,
            phase: Phase::Forward,
            ready_since: started.not_before.is_none().then_some(started.at),
            delayed: started.not_before,
            paused: None,
            activation: None,
            epoch: 0,
            started_version: None,
            search,
            losses: 0,
            lone_losses: 0,
            shunned: None,
            steps: Vec::new(),
            index: Index::of(id),
            wakes: BTreeSet::new(),
            reordered: BTreeSet::new(),
            ends: started.ends.clone(),
            generation: 1,
            decided: None,
            ended_steps: 0,
            all_ends: 0,
            failed_steps: 0,
            journal_bytes: 0,
            parent: started.parent.clone().map(Parent::into_owned),
            depth: started.depth,
            continues: started.continues,
            continued_as: None,
            children: BTreeMap::new(),
            waits: Waits::of(started),
        }
    }

    /// Says why a record cannot come next, for journals that were stored.
    fn excludes(&self, record: &Record<'_>) -> Option<&'static str> {
        if matches!(self.phase, Phase::Ended(_)) {
            return Some("the run has ended");
        }
        match record {
            Record::Started(_) => Some("a run starts once"),
            Record::Activated(activated) => {
                (activated.epoch <= self.epoch).then_some("epochs only grow")
            }
            Record::StepStarted(started) => {
                self.excludes_step(&started.step, started.open.is_some())
            }
            Record::AttemptFailed(failed) => {
                self.excludes_step(&failed.step, failed.open.is_some())
            }
            Record::SleepStarted(sleep) => self.excludes_step(&sleep.step, true),
            Record::RaceStarted(race) => self.excludes_step(&race.step, true),
            Record::Verified(verified) => self.excludes_step(&verified.step, false),
            Record::ChildStarted(child) => self.excludes_step(&child.step, true),
            Record::WaitStarted(wait) => self.excludes_step(&wait.step, true),
            Record::Looked(looked) => self.excludes_step(&looked.step, false),
            Record::StepEnded(ended) => self.excludes_step(&ended.step, ended.open.is_some()),
            Record::Released(_) | Record::Lost(_) => {
                self.activation.is_none().then_some("no runner holds the run")
            }
            Record::Woken(_)
            | Record::Logged(_)
            | Record::OrderChanged(_)
            | Record::Blocked(_)
            | Record::Unblocked(_)
            | Record::Acted(_)
            | Record::Ending(_)
            | Record::Retried(_)
            | Record::CancelNoted(_)
            | Record::SearchSet(_)
            | Record::Ended(_) => None,
            Record::CleanUp(_) => {
                self.decided.is_none().then_some("what is left is known once the end is decided")
            }
        }
    }

    /// Returns where two steps stand; what the run does not know stands behind all that it does.
    pub(super) fn places(&self, one: &str, other: &str) -> (u32, u32) {
        let place = |id: &str| self.index.get(id).unwrap_or(u32::MAX);
        (place(one), place(other))
    }

    fn excludes_step(&self, id: &str, opens: bool) -> Option<&'static str> {
        match (self.step(id), opens) {
            (Some(step), _) if step.is_ended() => Some("a step ends once"),
            (Some(_), true) => Some("a step is opened once"),
            (None, false) => Some("a step's first record opens it"),
            (Some(_), false) | (None, true) => None,
        }
    }

    /// Changes the state by one record. Total: every record changes every state to some state.
    pub(super) fn fold(&mut self, record: &Record<'_>) {
        self.last_at = self.last_at.max(record.at().unwrap_or(self.last_at));
        match record {
            Record::Started(_) | Record::Logged(_) => {}
            Record::OrderChanged(changed) => {
                self.reordered.insert(self.places(&changed.expected, &changed.found));
            }
            Record::Activated(activated) => self.fold_activated(activated),
            Record::Released(released) => self.fold_released(released),
            Record::Woken(woken) => {
                self.ready_since = Some(woken.at);
                self.delayed = None;
            }
            Record::Lost(lost) => {
                self.stop_running_steps();
                let alone = self.activation.take().is_some_and(|held| held.alone);
                self.losses += u32::from(lost.counted);
                self.lone_losses += u32::from(lost.counted && alone);
                self.ready_since = Some(lost.at);
                self.want_nothing_without_code();
            }
            Record::StepStarted(started) => self.fold_step_started(started),
            Record::AttemptFailed(failed) => self.fold_attempt_failed(failed),
            Record::SleepStarted(sleep) => self.fold_sleep_started(sleep),
            Record::RaceStarted(race) => self.fold_race_started(race),
            Record::Verified(verified) => self.fold_verified(verified),
            Record::ChildStarted(child) => self.fold_child_started(child),
            Record::WaitStarted(wait) => self.fold_wait_started(wait),
            Record::Looked(looked) => self.fold_looked(looked),
            Record::StepEnded(ended) => self.fold_step_ended(ended),
            Record::Blocked(blocked) => self.fold_blocked(blocked),
            Record::Unblocked(unblocked) => self.fold_unblocked(unblocked),
            Record::Acted(acted) => self.fold_acted(acted),
            Record::Ending(ending) => {
                self.phase = Phase::Ending { status: ending.status, until: ending.until };
                self.fold_decided(ending);
                self.paused = None;
                self.ready_since = None;
                // §7.2: a function may be in flight without a record of it, and may still return.
                let held = self.is_held();
                // Children are told, and their ends are awaited.
                let engine = |status| matches!(status, StepStatus::Sleeping | StepStatus::Waiting);
                self.cancel_open_steps(|step| {
                    step.kind != Kind::Invoke && (!held || engine(step.status))
                });
            }
            Record::SearchSet(set) => search::apply(&mut self.search, &set.search),
            Record::Ended(ended) => self.fold_ended(ended),
            Record::CleanUp(clean_up) => self.fold_clean_up(clean_up),
            Record::Retried(retried) => self.fold_retried(retried),
            Record::CancelNoted(_) => self.fold_cancel_noted(),
        }
    }

    fn fold_blocked(&mut self, blocked: &Blocked<'_>) {
        self.activation = self.activation.take().filter(|_| blocked.evicts);
        if let Some(held) = &mut self.activation {
            held.evicted = true;
        }
        self.ready_since = None;
        self.stop_running_steps();
        self.phase = Phase::Blocked {
            cause: blocked.cause.clone().into_owned(),
            build: blocked.build.as_deref().map(Arc::from),
        };
    }

    fn fold_released(&mut self, released: &Released) {
        let evicted = self.activation.take().is_some_and(|held| held.evicted);
        self.stop_running_steps();
        let waits = self.awaits_something();
        let doubt = self.steps.iter().any(Step::is_in_doubt);
        let missed = released.seen < self.ended_steps || !waits || doubt;
        self.ready_since = (missed || evicted).then_some(released.at);
        self.want_nothing_without_code();
    }

    fn fold_acted(&mut self, acted: &record::Acted<'_>) {
        match acted.act {
            Operation::Pause => {
                let text =
                    |text: &Option<alloc::borrow::Cow<'_, str>>| text.as_deref().map(Arc::from);
                let (by, reason) = (text(&acted.by), text(&acted.reason));
                self.paused = Some(Paused { at: acted.at, by, reason });
            }
            Operation::Resume => self.paused = None,
            Operation::Terminate | Operation::Resolve => {}
            Operation::Retry => self.end_backoffs(acted.at),
        }
    }

    fn fold_activated(&mut self, activated: &Activated<'_>) {
        self.epoch = activated.epoch;
        self.ends = activated.ends.clone();
        self.delayed = None;
        self.ready_since = None;
        self.activation = Some(Activation {
            at: activated.at,
            epoch: activated.epoch,
            nonce: activated.nonce,
            instance: Arc::from(&*activated.instance),
            build: activated.build.as_deref().map(Arc::from),
            alone: activated.alone,
            evicted: false,
        });
        if self.started_at.is_none() {
            self.started_at = Some(activated.at);
            self.started_version = activated.version.as_deref().map(Arc::from);
        }
    }

    fn fold_step_started(&mut self, started: &StepStarted<'_>) {
        let position = self.open_step(&started.step, started.open.as_ref());
        self.set_wake(position, None);
        let epoch = self.epoch;
        if let Some(step) = self.at_mut(position) {
            step.status = StepStatus::Running;
            step.running = Some(epoch);
            step.begun = true;
            step.first_started.get_or_insert(started.attempt.started_at);
        }
    }

    fn fold_attempt_failed(&mut self, failed: &AttemptFailed<'_>) {
        let position = self.open_step(&failed.step, failed.open.as_ref());
        let once = self.at(position).is_some_and(|step| step.once.is_some());
        self.set_wake(position, Some(failed.next_at).filter(|_| !once));
        if let Some(step) = self.at_mut(position) {
            // §4.5: what ran out of time may have been done, and is not tried again like this.
            let doubt = step.once.is_some();
            step.status = if doubt { StepStatus::Unknown } else { StepStatus::Retrying };
            step.running = None;
            step.begun = false;
            step.attempts = failed.attempt.n;
            step.first_started.get_or_insert(failed.attempt.started_at);
        }
    }

    fn fold_sleep_started(&mut self, sleep: &SleepStarted<'_>) {
        let position = self.open_step(&sleep.step, Some(&sleep.open));
        self.set_wake(position, Some(sleep.until));
        if let Some(step) = self.at_mut(position) {
            step.status = StepStatus::Sleeping;
        }
    }

    fn fold_child_started(&mut self, started: &ChildStarted<'_>) {
        let position = self.open_step(&started.step, Some(&started.open));
        self.children.insert(position, started.child);
        if let Some(step) = self.at_mut(position) {
            step.status = StepStatus::Waiting;
        }
    }

    fn fold_step_ended(&mut self, ended: &StepEnded<'_>) {
        let position = self.open_step(&ended.step, ended.open.as_ref());
        self.set_wake(position, None);
        self.ended_steps += 1;
        self.all_ends += 1;
        let order = self.all_ends;
        self.children.remove(&position);
        self.fold_wait_ended(position, ended.event.as_deref(), ended.at);
        if let Some(step) = self.at_mut(position) {
            step.status = ended.status;
            step.thrown = ended.status == StepStatus::Unknown;
            if let Some(attempt) = ended.attempt {
                step.attempts = attempt.n;
                step.first_started.get_or_insert(attempt.started_at);
            }
            // §7.2: what was cancelled after it began may have been done.
            let cancelled = ended.status == StepStatus::Cancelled;
            step.begun = cancelled && (step.begun || ended.attempt.is_some());
            step.order = order;
        }
        self.fold_compensated(position);
        let failed = matches!(ended.status, StepStatus::Failed | StepStatus::TimedOut);
        self.failed_steps += u32::from(failed);
        // §4.4: only what newly ended shows that the run gets on.
        self.losses = 0;
        self.lone_losses = 0;
        if self.activation.is_none() && matches!(self.phase, Phase::Forward) {
            self.ready_since.get_or_insert(ended.at);
        }
    }

    fn fold_unblocked(&mut self, unblocked: &Unblocked<'_>) {
        let code = self.phase_of_code();
        let phase = core::mem::replace(&mut self.phase, code);
        // An operator has a reason to try again what another build does not.
        if let Phase::Blocked { build, .. } = phase {
            self.shunned = build.filter(|_| unblocked.by == Unblocked::BY_BUILD);
        }
        self.losses = 0;
        self.lone_losses = 0;
        // What it was to wait for before it may begin, it waits for still.
        self.delayed = self.delayed.filter(|until| *until > unblocked.at);
        let waits = self.activation.is_some() || self.delayed.is_some();
        self.ready_since = (!waits).then_some(unblocked.at);
    }

    fn fold_ended(&mut self, ended: &Ended<'_>) {
        // §5.6: what is still open when a run ends is cancelled.
        self.cancel_open_steps(|_| true);
        self.children.clear();
        self.phase = Phase::Ended(ended.status);
        self.continued_as = ended.continued_as;
        self.paused = None;
        self.delayed = None;
        self.ended_at = Some(ended.at);
        self.error = ended.error.as_ref().map(ErrorLine::of);
        self.activation = None;
        self.ready_since = None;
    }

    fn want_nothing_without_code(&mut self) {
        match self.phase {
            Phase::Forward | Phase::CleaningUp | Phase::Ended(_) => {}
            Phase::Blocked { .. } => self.ready_since = None,
            Phase::Ending { .. } => {
                self.ready_since = None;
                // §7.2: what has not returned is cancelled; children's ends are awaited.
                self.cancel_open_steps(|step| step.kind != Kind::Invoke);
            }
        }
    }

    /// §9.5: steps and a handler that wait out a backoff are due at once.
    fn end_backoffs(&mut self, at: Timestamp) {
        for (position, wake) in self.backoffs_after(at) {
            self.set_wake(position, Some(wake.min(at)));
        }
        if self.handler_waits_after(at) {
            self.delayed = Some(at);
        }
    }

    /// What ran on a runner that is gone has not ended: its step begins again (§4.2).
    pub(super) fn stop_running_steps(&mut self) {
        for step in self.steps.iter_mut().filter(|step| step.status == StepStatus::Running) {
            match (step.kind, step.once) {
                // The branches of a race go on wherever the run does.
                (Kind::Race, _) => continue,
                // §4.5: this start counts, and how it ended is to be found out.
                (_, Some(_)) => {
                    step.status = StepStatus::Unknown;
                    step.attempts += 1;
                }
                (_, None) => step.status = StepStatus::Pending,
            }
            step.running = None;
        }
    }

    pub(super) fn cancel_open_steps(&mut self, which: impl Fn(&Step) -> bool) {
        for step in &mut self.steps {
            if !step.is_ended() && which(step) {
                step.status = StepStatus::Cancelled;
            }
            // The end is decided: no backoff is waited for.
            step.wake = None;
        }
        self.wakes.clear();
        self.fold_no_waits();
    }

    /// Finds a step or, at its first record, gives it the next position (§3.5).
    pub(super) fn open_step(&mut self, id: &str, open: Option<&Opening<'_>>) -> u32 {
        if let Some(position) = self.index.get(id) {
            return position;
        }
        let position = u32::try_from(self.steps.len()).unwrap_or(u32::MAX);
        let id: Arc<str> = Arc::from(id);
        self.steps.push(Step {
            id: id.clone(),
            kind: open.map_or(Kind::Run, |open| open.kind),
            status: StepStatus::Pending,
            attempts: 0,
            running: None,
            wake: None,
            first_started: None,
            compensable: open.map_or(Compensable::No, |open| open.compensable),
            begun: false,
            order: 0,
            generation: self.generation,
            once: open.and_then(|open| open.once).map(|once| once.on_unknown),
            thrown: false,
            race: open.and_then(|open| open.branch.as_ref()).map(|one| Arc::from(&*one.race)),
            parked: None,
        });
        self.index.insert(id, position);
        position
    }

    /// §4.5: what is not done, or was never begun, may begin again.
    fn fold_verified(&mut self, verified: &record::Verified<'_>) {
        let position = self.open_step(&verified.step, None);
        let Some(step) = self.at_mut(position) else { return };
        match verified.verdict {
            Verdict::NotDone | Verdict::NotBegun => {
                step.status = StepStatus::Pending;
                step.running = None;
            }
            // What follows the verdict has a record of its own.
            Verdict::Done | Verdict::Unknown => {}
        }
    }

    pub(super) fn set_wake(&mut self, position: u32, wake: Option<Timestamp>) {
        let Some(step) = self.at_mut(position) else {
            return;
        };
        let before = core::mem::replace(&mut step.wake, wake);
        if let Some(before) = before {
            self.wakes.remove(&(before, position));
        }
        if let Some(at) = wake {
            self.wakes.insert((at, position));
        }
    }

    pub(super) fn at_mut(&mut self, position: u32) -> Option<&mut Step> {
        self.steps.get_mut(usize::try_from(position).ok()?)
    }
}
