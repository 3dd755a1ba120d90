//! The state of a run, and the questions that the engine asks it.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::clean_up::Decided;
use super::index::Index;
use super::wait::{Parked, Waits};
use crate::clean_up::{Compensable, EndOptions};
use crate::id::RunId;
use crate::once::OnUnknown;
use crate::record::{BlockCause, Continues, Parent};
use crate::search::Attributes;
use crate::status::{Kind, RunStatus, StepStatus};
use crate::summary::ErrorLine;
use crate::time::Timestamp;

/// Losses from which on a run gets a runner to itself (§4.4).
const LOSSES_TO_SUSPECT: u32 = 2;

/// The state of a run: the fold of its records, without payloads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub(super) id: RunId,
    pub(super) namespace: Arc<str>,
    pub(super) app: Arc<str>,
    pub(super) workflow: Arc<str>,
    pub(super) key: Option<Arc<str>>,
    pub(super) runner: Option<Arc<str>>,
    pub(super) created_at: Timestamp,
    /// The greatest instant of its records.
    pub(super) last_at: Timestamp,
    pub(super) started_at: Option<Timestamp>,
    pub(super) ended_at: Option<Timestamp>,
    /// Why it did not complete, once it has ended.
    pub(super) error: Option<ErrorLine>,
    pub(super) deadline: Option<Timestamp>,
    pub(super) phase: Phase,
    pub(super) ready_since: Option<Timestamp>,
    /// Until when the start is delayed.
    pub(super) delayed: Option<Timestamp>,
    pub(super) paused: Option<Paused>,
    pub(super) activation: Option<Activation>,
    pub(super) epoch: u32,
    pub(super) started_version: Option<Arc<str>>,
    pub(super) search: Attributes,
    pub(super) losses: u32,
    pub(super) lone_losses: u32,
    pub(super) shunned: Option<Arc<str>>,
    pub(super) steps: Vec<Step>,
    pub(super) index: Index,
    /// When sleeping and retrying steps are due, by position.
    pub(super) wakes: BTreeSet<(Timestamp, u32)>,
    /// Pairs of steps whose changed order is recorded, by position.
    pub(super) reordered: BTreeSet<(u32, u32)>,
    /// What the workflow says of how its runs end.
    pub(super) ends: EndOptions,
    /// Which run of the handler this is, from 1 (§6.5).
    pub(super) generation: u32,
    /// How the run will end, once that is decided (§7.1).
    pub(super) decided: Option<Decided>,
    /// How many ends of steps the code can be given: those of its steps that count.
    pub(super) ended_steps: u32,
    /// How many ends of steps there were in all.
    pub(super) all_ends: u32,
    pub(super) failed_steps: u32,
    pub(super) journal_bytes: u64,
    pub(super) parent: Option<Parent<'static>>,
    pub(super) depth: u32,
    pub(super) continues: Option<Continues>,
    pub(super) continued_as: Option<RunId>,
    /// Children whose ends are waited for, by the position of the step that invoked them.
    pub(super) children: BTreeMap<u32, RunId>,
    /// What it waits for, and the events that it took.
    pub(super) waits: Waits,
}

/// Where a run is on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Its handler decides.
    Forward,
    /// It waits for a deploy or a person.
    Blocked {
        /// Why.
        cause: BlockCause<'static>,
        /// The build that met it.
        build: Option<Arc<str>>,
    },
    /// Its end is decided, and functions in flight get until then to return (§7.2).
    Ending {
        /// The final status.
        status: RunStatus,
        /// When waiting for them stops.
        until: Timestamp,
    },
    /// What was done is taken back, and the workflow told (§7.3, §7.4).
    CleaningUp,
    /// It has ended with this status.
    Ended(RunStatus),
}

/// A person holds the run back (§9.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paused {
    /// Since when.
    pub at: Timestamp,
    /// Who, as they said it.
    pub by: Option<Arc<str>>,
    /// Why, as they said it.
    pub reason: Option<Arc<str>>,
}

/// A run held by a runner (§1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activation {
    /// Since when.
    pub at: Timestamp,
    /// The fence.
    pub epoch: u32,
    /// The random part of the fence.
    pub nonce: u64,
    /// The runner's instance.
    pub instance: Arc<str>,
    /// The runner's build.
    pub build: Option<Arc<str>>,
    /// The runner has nothing else to run.
    pub alone: bool,
    /// The run was taken from the runner, which may not have heard of it: until it answers, or its
    /// grant lapses, no other runner gets the run (§4.7).
    pub evicted: bool,
}

/// A step as the engine needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its id.
    pub id: Arc<str>,
    /// What it is made by.
    pub kind: Kind,
    /// Where it stands.
    pub status: StepStatus,
    /// How many of its attempts have ended; lost ones do not count (§4.4).
    pub attempts: u32,
    /// The epoch under which a running attempt of it was recorded.
    pub running: Option<u32>,
    /// When it wakes or is tried again, while it sleeps or retries.
    pub wake: Option<Timestamp>,
    /// When its first attempt began, for the total time (§2.1).
    pub first_started: Option<Timestamp>,
    /// Whether it can be taken back (§7.3).
    pub compensable: Compensable,
    /// A function of it began, and nobody knows how it ended: it runs, was lost or was cancelled.
    pub begun: bool,
    /// Which end of a step in the run its end was, from 1; 0 while it has none.
    pub order: u32,
    /// Under which run of the handler it began, from 1 (§6.5).
    pub generation: u32,
    /// Its function starts at most once, and what happens where its outcome is lost (§4.5).
    pub once: Option<OnUnknown>,
    /// The code was given its unknown outcome as an error: it has ended.
    pub thrown: bool,
    /// The race whose branch it stands in (§5.5).
    pub race: Option<Arc<str>>,
    /// What it waits for, while it waits for an event.
    pub parked: Option<Arc<Parked>>,
}

impl Step {
    /// Tells whether the step has ended; an ended step never changes (§4.1).
    pub fn is_ended(&self) -> bool {
        self.status.is_ended() || self.thrown
    }

    /// Tells whether its outcome is to be found out (§4.5).
    pub fn is_in_doubt(&self) -> bool {
        self.status == StepStatus::Unknown && !self.thrown
    }
}

impl Run {
    /// Returns the run's id.
    pub fn id(&self) -> RunId {
        self.id
    }

    /// Returns the namespace.
    pub fn namespace(&self) -> &Arc<str> {
        &self.namespace
    }

    /// Returns the app.
    pub fn app(&self) -> &Arc<str> {
        &self.app
    }

    /// Returns the workflow.
    pub fn workflow(&self) -> &Arc<str> {
        &self.workflow
    }

    /// Returns what the workflow says of how its runs end.
    pub fn ends(&self) -> &EndOptions {
        &self.ends
    }

    /// Returns the idempotency key.
    pub fn key(&self) -> Option<&Arc<str>> {
        self.key.as_ref()
    }

    /// Returns the name of the runner that the run is pinned to.
    pub fn pinned_runner(&self) -> Option<&Arc<str>> {
        self.runner.as_ref()
    }

    /// Returns the greatest instant of its records.
    pub fn last_at(&self) -> Timestamp {
        self.last_at
    }

    /// Returns when the start was accepted.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// Returns when a runner first got the run.
    pub fn started_at(&self) -> Option<Timestamp> {
        self.started_at
    }

    /// Returns when the run ended.
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.ended_at
    }

    /// Returns the error with which the run ended, cut for lists.
    pub fn error(&self) -> Option<&ErrorLine> {
        self.error.as_ref()
    }

    /// Returns when the run times out.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.deadline
    }

    /// Returns where the run is on its way.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// Tells whether the run's end is decided, and children or its runner are waited for.
    pub(super) fn is_ending(&self) -> bool {
        matches!(self.phase, Phase::Ending { .. })
    }

    /// Returns the live activation.
    pub fn activation(&self) -> Option<&Activation> {
        self.activation.as_ref()
    }

    /// Tells whether a runner holds the run and works on it.
    pub(super) fn is_held(&self) -> bool {
        self.activation.as_ref().is_some_and(|held| !held.evicted)
    }

    /// Returns the epoch of the last activation, 0 before the first.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Returns the workflow version that the first activation had (§9.9).
    pub fn started_version(&self) -> Option<&Arc<str>> {
        self.started_version.as_ref()
    }

    /// Returns the search attributes (§9.4).
    pub fn search(&self) -> &Attributes {
        &self.search
    }

    /// Returns the steps in the order of their position.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Finds a step by its id.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.index.get(id).and_then(|position| self.at(position))
    }

    /// Returns the position of a step (§3.5).
    pub fn position(&self, id: &str) -> Option<u32> {
        self.index.get(id)
    }

    /// Returns how many steps have ended, which is how many ends the code can be given.
    pub fn ended_steps(&self) -> u32 {
        self.ended_steps
    }

    /// Returns how many steps failed or timed out.
    pub fn failed_steps(&self) -> u32 {
        self.failed_steps
    }

    /// Returns the size of the journal in bytes.
    pub fn journal_bytes(&self) -> u64 {
        self.journal_bytes
    }

    /// Returns how often the run was lost since it last got on.
    pub fn losses(&self) -> u32 {
        self.losses
    }

    /// Returns the status that people see (§3.2).
    pub fn status(&self) -> RunStatus {
        match &self.phase {
            Phase::Ended(status) => *status,
            Phase::Ending { .. } | Phase::CleaningUp => RunStatus::Compensating,
            Phase::Blocked { .. } => RunStatus::Blocked,
            Phase::Forward if self.paused.is_some() => RunStatus::Paused,
            Phase::Forward if self.is_held() => RunStatus::Running,
            Phase::Forward if self.activation.is_some() || self.ready_since.is_some() => {
                RunStatus::Queued
            }
            Phase::Forward => RunStatus::Waiting,
        }
    }

    /// Returns since when the run wants a runner's slot; a paused run wants none (§9.6).
    pub fn ready_since(&self) -> Option<Timestamp> {
        self.ready_since.filter(|_| self.paused.is_none())
    }

    /// Returns until when its start is delayed, while it is (§9.1).
    pub fn delayed_until(&self) -> Option<Timestamp> {
        self.delayed
    }

    /// Returns by whom the run is held back (§9.6).
    pub fn paused(&self) -> Option<&Paused> {
        self.paused.as_ref()
    }

    /// Tells whether the run may only be given a runner that has nothing else to run (§4.4).
    pub fn must_be_alone(&self) -> bool {
        self.losses >= LOSSES_TO_SUSPECT
    }

    /// Returns the build that the run is kept from: one that could not go on with it before another
    /// came, whose runners may still be there (§4.10).
    pub fn shunned_build(&self) -> Option<&Arc<str>> {
        self.shunned.as_ref()
    }

    /// Returns when [`super::Command::Fire`] is due: the earliest of deadline, sleeps, the end of
    /// the time to end in, and, while no runner holds the run, backoffs.
    pub fn next_timer(&self) -> Option<Timestamp> {
        match &self.phase {
            Phase::Ended(_) => None,
            // While children's ends are awaited, nothing else is (§7.2).
            Phase::Ending { until, .. } => self.children.is_empty().then_some(*until),
            Phase::Blocked { .. } => self.bound(),
            Phase::Forward | Phase::CleaningUp => {
                let step = if let Some(held) = &self.activation {
                    // Of an evicted run nobody is told what is due before it is given out again.
                    if held.evicted {
                        return self.bound();
                    }
                    self.wakes.iter().find(|(_, position)| self.goes_on(*position))
                } else if self.ready_since.is_some() && self.paused.is_some() {
                    // §9.6: timers go on; what they bring waits for the resume.
                    self.wakes.iter().find(|(_, position)| self.goes_on(*position))
                } else if self.ready_since.is_some() {
                    // It replays soon, and is then told what is due.
                    None
                } else {
                    self.wakes.first()
                };
                let step = step.map(|(at, _)| *at).or(self.delayed);
                let queued = self.ready_since().is_some();
                let look = self.look_due().filter(|_| !queued);
                step.into_iter().chain(look).chain(self.bound()).min()
            }
        }
    }

    /// Returns the run and step that invoked it (§9.2).
    pub fn parent(&self) -> Option<&Parent<'static>> {
        self.parent.as_ref()
    }

    /// Returns how many runs stand above it.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// Returns the chain that it goes on with (§2.3).
    pub fn continues(&self) -> Option<Continues> {
        self.continues
    }

    /// Returns the first run of its chain, which is itself where it goes on with none.
    pub fn first_of_chain(&self) -> RunId {
        self.continues.map_or(self.id, |continues| continues.first)
    }

    /// Returns the run that goes on with it (§2.3).
    pub fn continued_as(&self) -> Option<RunId> {
        self.continued_as
    }

    /// Returns the child whose end a step waits for.
    pub fn child_of(&self, step: &str) -> Option<RunId> {
        self.children.get(&self.position(step)?).copied()
    }

    /// Returns the children whose ends are waited for, in the order of their steps.
    pub fn children(&self) -> impl Iterator<Item = RunId> + '_ {
        self.children.values().copied()
    }

    /// Tells whether a step's time comes whether a runner holds the run or not.
    fn goes_on(&self, position: u32) -> bool {
        let timed = |status| matches!(status, StepStatus::Sleeping | StepStatus::Waiting);
        self.at(position).is_some_and(|step| timed(step.status))
    }

    /// Returns the positions of steps that wait out a backoff which ends after `at`, and when it does.
    pub(super) fn backoffs_after(&self, at: Timestamp) -> Vec<(u32, Timestamp)> {
        let later = self.wakes.iter().filter(|(wake, _)| *wake > at);
        later
            .filter(|(_, position)| {
                self.at(*position).is_some_and(|step| step.status == StepStatus::Retrying)
            })
            .map(|(wake, position)| (*position, *wake))
            .collect()
    }

    pub(super) fn at(&self, position: u32) -> Option<&Step> {
        self.steps.get(usize::try_from(position).ok()?)
    }
}
