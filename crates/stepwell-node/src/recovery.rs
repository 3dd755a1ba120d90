//! Runs whose runner is away: it comes back in time and goes on, or the run is lost to it.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;
use stepwell_core::id::RunId;
use stepwell_core::planted::{self, Plant};
use stepwell_core::record;
use stepwell_core::run::{Command, Phase, Run};
use stepwell_core::status::{Kind, StepStatus};
use stepwell_protocol::to_node::Resume;
use stepwell_protocol::to_runner::{Resumed, Retry, Settled, ToRunner};
use stepwell_store::query::Queue;

use crate::defer::Deferred;
use crate::dispatch::Slot;
use crate::input::SessionId;
use crate::node::{Node, SLICE};
use crate::output::{Output, Outputs};

const PAGE: usize = 1_024;

/// A runner that presents a run that it still holds.
#[derive(Debug)]
pub(crate) struct Return {
    pub(crate) session: SessionId,
    pub(crate) instance: Arc<str>,
    pub(crate) resume: Resume,
    /// Until when it is tried again while the run is another member's.
    pub(crate) until: Option<Duration>,
}

/// Runs whose runner is away, by the instant of the monotonic clock until which it may come back.
#[derive(Debug, Default)]
pub(crate) struct Away {
    until: BTreeSet<(Duration, RunId)>,
    by_run: FxHashMap<RunId, Duration>,
    /// Runs that were presented, and wait for their turn to be read.
    presented: VecDeque<Return>,
}

impl Away {
    pub(crate) fn insert(&mut self, until: Duration, run: RunId) {
        self.remove(run);
        self.by_run.insert(run, until);
        self.until.insert((until, run));
    }

    pub(crate) fn remove(&mut self, run: RunId) {
        if let Some(until) = self.by_run.remove(&run) {
            self.until.remove(&(until, run));
        }
    }

    pub(crate) fn present(&mut self, back: Return) {
        self.presented.push_back(back);
    }

    fn pop(&mut self, now: Duration) -> Option<RunId> {
        let (_, run) = self.until.first().copied().filter(|(until, _)| *until <= now)?;
        self.remove(run);
        Some(run)
    }

    /// Returns until when a run's runner may come back.
    pub(crate) fn until(&self, run: RunId) -> Option<Duration> {
        self.by_run.get(&run).copied()
    }

    pub(crate) fn next(&self) -> Option<Duration> {
        self.until.first().map(|(at, _)| *at)
    }
}

/// After a start: what a runner holds by its journal is given the time to be presented.
pub(crate) fn first_question() -> Output {
    Output::Active { after: None, limit: PAGE }
}

/// Tells whether results of a kind of step come from the engine: of others the runner has them.
fn is_brought(kind: Kind) -> bool {
    match kind {
        Kind::WaitForEvent | Kind::NamedWait | Kind::Invoke | Kind::Emit => true,
        Kind::Run
        | Kind::Sleep
        | Kind::SleepUntil
        | Kind::Race
        | Kind::Skip
        | Kind::Compensate
        | Kind::OnFailure => false,
    }
}

impl Node {
    pub(crate) fn on_active(&mut self, runs: &[RunId], out: &mut Outputs) {
        let until = self.monotonic + self.config.limits.runner_ttl();
        for run in runs {
            // Its runner may have presented it before it was read here.
            if self.hot.live(*run).is_none_or(|live| live.held.is_none()) {
                self.away.insert(until, *run);
            }
        }
        if let Some(last) = runs.last().filter(|_| runs.len() >= PAGE) {
            out.list.push(Output::Active { after: Some(*last), limit: PAGE });
        }
    }

    /// Looks at runs that were presented, a slice at a time: many runners may come back at once.
    pub(crate) fn take_returns(&mut self, out: &mut Outputs) {
        for _ in 0..SLICE {
            let Some(back) = self.away.presented.pop_front() else {
                return;
            };
            self.with_run(back.resume.run, Deferred::Return(back), out);
        }
        if !self.away.presented.is_empty() {
            self.come_back(out);
        }
    }

    pub(crate) fn lose_overdue(&mut self, out: &mut Outputs) {
        if !self.away.presented.is_empty() {
            // One of them may be what is overdue: its runner is back.
            return;
        }
        for _ in 0..SLICE {
            let Some(run) = self.away.pop(self.monotonic) else {
                return;
            };
            self.with_run(run, Deferred::Lose, out);
        }
        self.come_back(out);
    }

    /// Loses a run, unless its runner came back.
    pub(crate) fn lose_now(&mut self, id: RunId) {
        let Some(live) = self.hot.live(id) else {
            return;
        };
        let Some(activation) = live.run.activation() else {
            return;
        };
        if live.held.is_some_and(|held| held.session.is_some()) {
            return;
        }
        // §4.4: a loss counts unless it is known that no code of the run was in progress.
        let counted = live.held.is_none_or(|held| !held.idle);
        let epoch = activation.epoch;
        self.count_loss(id);
        self.apply(id, Command::Lose { epoch, counted }, None).unwrap_or_default();
    }

    /// Gives a run back to the runner that held it, with all that it missed.
    pub(crate) fn take_back(&mut self, id: RunId, back: &Return, journal: &[u8]) {
        // §1: what another namespace has is not there, also for who knows all of its names.
        let here = self.sessions.get(back.session).map(|session| &session.namespace);
        let run = self.hot.run(id).filter(|run| here == Some(run.namespace()));
        let void_until = self.config.restored.void_until;
        let void_until = void_until.filter(|_| !planted::has(Plant::OriginalResumed));
        let matches = run.and_then(|run| run.activation()).is_some_and(|activation| {
            planted::has(Plant::UncheckedEpoch)
                || activation.epoch == back.resume.epoch
                    && activation.nonce == back.resume.nonce
                    && activation.instance == back.instance
                    && void_until.is_none_or(|until| activation.at > until)
        });
        if !matches {
            // A restored store counts on from its backup: this runner may have been given the run here, under the
            // epoch that it names of the original. It holds what it was given last, and that is not gone.
            let (session, epoch) = (Some(back.session), back.resume.epoch);
            let held = self.hot.live(id).and_then(|live| live.held);
            if held.is_none_or(|held| (held.session, held.epoch) != (session, epoch)) {
                self.refuse_return(back, id);
            }
            return;
        }
        let is_evicted = |run: &Run| run.activation().is_some_and(|held| held.evicted);
        if self
            .hot
            .run(id)
            .is_some_and(|run| run.ended_steps() < back.resume.told || is_evicted(run))
        {
            // The runner was told what the journal does not have: its copy is of another history. Or
            // the run was taken from it, and it has not heard so: it starts nothing before it does.
            self.disown(id, back.resume.epoch);
            return self.refuse_return(back, id);
        }
        if let Some(held) = self.hot.live(id).and_then(|live| live.held.take()) {
            self.let_go(id, held);
        }
        self.away.remove(id);
        let idle = back.resume.idle;
        if !idle && let Some(session) = self.sessions.get_mut(back.session) {
            session.used += 1;
        }
        let a = self.hold(id, Slot { session: back.session, alone: false }, idle);
        if self.hot.run(id).is_some_and(Run::must_be_alone) {
            self.sessions.give_alone(back.session, id);
        }
        self.tell_missed(id, a, back, journal);
        let missed = self.hot.run(id).is_some_and(|run| run.ended_steps() > back.resume.told);
        if missed && !self.is_paused(id) {
            self.set_busy(id);
        }
        self.set_timer(id);
    }

    fn tell_missed(&mut self, id: RunId, a: u32, back: &Return, journal: &[u8]) {
        let Some(run) = self.hot.run(id) else { return };
        let effects = self.commits.effects(id);
        let paused = run.paused().is_some();
        let resumed = Resumed { a, run: id, paused };
        let mut sent = effects.send(back.session, &ToRunner::Resumed(resumed));
        let ends = crate::activation::kept_ends(journal).into_iter();
        for ended in ends.skip(usize::try_from(back.resume.told).unwrap_or(usize::MAX)) {
            let status = Some(ended.status).filter(|s| *s != StepStatus::Completed);
            let (step, at_us) = (ended.step, ended.at.as_micros());
            let error = ended.error;
            let brought = run.step(&step).is_some_and(|step| is_brought(step.kind));
            let output = ended.output.filter(|_| brought);
            let settled = Settled { a, step, at_us, status, error, output };
            sent += effects.send(back.session, &ToRunner::Settled(settled));
        }
        for step in run.steps().iter().filter(|step| step.status == StepStatus::Retrying) {
            let wait = step.wake.map_or_else(Default::default, |at| at.since(self.now));
            let in_us = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
            let retry = Retry { a, step: (&*step.id).into(), n: step.attempts + 1, in_us };
            sent += effects.send(back.session, &ToRunner::Retry(retry));
        }
        if let Phase::Ending { status, .. } = run.phase() {
            sent += effects.send(back.session, &ToRunner::End { a, status: *status });
        }
        if let Some(session) = self.sessions.get_mut(back.session) {
            session.spend(sent);
        }
    }

    pub(crate) fn refuse_return(&mut self, back: &Return, run: RunId) {
        let gone = ToRunner::Gone { run, epoch: back.resume.epoch };
        self.tell_of(run, back.session, &gone);
    }

    pub(crate) fn on_blocked(&mut self, queue: &Queue, runs: &[RunId], out: &mut Outputs) {
        let Some(build) = self.registry.unblocking(queue) else {
            return;
        };
        for run in runs {
            self.with_run(*run, Deferred::Unblock(build.clone()), out);
        }
        let after = runs.last().copied().filter(|_| runs.len() >= SLICE);
        if after.is_some() || self.registry.unblocked(queue) {
            let queue = queue.clone();
            out.list.push(Output::Blocked { queue, after, limit: SLICE });
        }
    }

    /// §4.10: a run that a build could not go on with is tried again with another.
    pub(crate) fn unblock(&mut self, id: RunId, build: Option<&str>) {
        let Some(run) = self.hot.run(id) else { return };
        let Phase::Blocked { build: met_by, .. } = run.phase() else {
            return;
        };
        if met_by.as_deref() != build {
            self.apply(id, Command::Unblock { by: record::Unblocked::BY_BUILD }, None)
                .unwrap_or_default();
        }
    }
}
