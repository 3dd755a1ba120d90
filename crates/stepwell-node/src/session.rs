//! Connections of runners: who they are, what slots they have, and their end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;
use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;
use stepwell_protocol::to_runner::ToRunner;
use stepwell_store::query::Queue;
use stepwell_store::shared::Crew as Hands;

use crate::input::SessionId;
use crate::meter::{APPS_MAX, Crew, OTHER};
use crate::node::Node;
use crate::output::{Output, Outputs, Reply, RunnerInfo};

/// A connection of a runner.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) namespace: Arc<str>,
    /// It said `hello` and was taken.
    pub(crate) ready: bool,
    pub(crate) app: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) instance: Arc<str>,
    pub(crate) sdk: Arc<str>,
    pub(crate) build: Option<Arc<str>>,
    pub(crate) slots: u32,
    /// Slots taken or kept.
    pub(crate) used: u32,
    /// Slots that are kept for runs being read.
    pub(crate) kept: u32,
    /// Bytes that it may be sent.
    pub(crate) credit: i64,
    /// The credit that it began with: never more is under way to it.
    pub(crate) credit_max: i64,
    /// How large the last activation was: about what a run being read will take.
    pub(crate) activation_bytes: usize,
    /// Bytes that it sent and was not yet given back.
    pub(crate) owed: u64,
    pub(crate) next_handle: u32,
    pub(crate) held: FxHashMap<u32, RunId>,
    /// The run that has it to itself, or that it is being emptied for.
    pub(crate) alone: Option<RunId>,
    pub(crate) draining: bool,
    pub(crate) connected_at: Timestamp,
    /// When its last `ping` arrived, for people.
    pub(crate) pinged_at: Timestamp,
    /// The same by the clock that leases are counted with: its grant ends before this plus the TTL.
    pub(crate) heard: Duration,
    /// Its workflows and their versions.
    pub(crate) workflows: BTreeMap<Arc<str>, Option<Arc<str>>>,
}

impl Session {
    pub(crate) fn has_slot(&self, workflow: &str) -> bool {
        self.ready
            && !self.draining
            && self.alone.is_none()
            && self.has_credit()
            && self.used < self.slots
            && self.workflows.contains_key(workflow)
    }

    pub(crate) fn has_credit(&self) -> bool {
        let kept = usize::try_from(self.kept).unwrap_or(usize::MAX);
        let promised = self.activation_bytes.saturating_mul(kept);
        self.credit > i64::try_from(promised).unwrap_or(i64::MAX)
    }

    /// Counts bytes that it is sent.
    pub(crate) fn spend(&mut self, bytes: usize) {
        self.credit = self.credit.saturating_sub(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// Counts bytes that it has handled.
    pub(crate) fn earn(&mut self, bytes: u64) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.credit = self.credit.saturating_add(bytes).min(self.credit_max);
    }
}

/// The connections.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    all: BTreeMap<SessionId, Session>,
    by_app: FxHashMap<(Arc<str>, Arc<str>), Vec<SessionId>>,
}

impl Sessions {
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    pub(crate) fn get(&self, id: SessionId) -> Option<&Session> {
        self.all.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        self.all.get_mut(&id)
    }

    /// Returns those that said `hello`.
    pub(crate) fn ready(&self) -> impl Iterator<Item = &Session> {
        self.all.values().filter(|session| session.ready)
    }

    pub(crate) fn ids(&self) -> Vec<SessionId> {
        self.all.keys().copied().collect()
    }

    pub(crate) fn index(&mut self, id: SessionId) {
        if let Some(session) = self.all.get(&id) {
            let app = (session.namespace.clone(), session.app.clone());
            self.by_app.entry(app).or_default().push(id);
        }
    }

    fn of_queue(&self, queue: &Queue) -> impl Iterator<Item = (SessionId, &Session)> {
        let app = (queue.namespace.clone(), queue.app.clone());
        let ids = self.by_app.get(&app).map(Vec::as_slice).unwrap_or_default();
        ids.iter().filter_map(|id| Some((*id, self.all.get(id)?)))
    }

    /// Returns who could run what waits in a queue, and how many slots of theirs are free.
    pub(crate) fn crew(&self, queue: &Queue, unshunned: Timestamp) -> (Hands, usize) {
        let mut crew = Hands { unshunned, ..Hands::default() };
        let mut free = 0;
        for (_, session) in self.of_queue(queue) {
            if !session.has_slot(&queue.workflow) {
                continue;
            }
            free += session.slots.saturating_sub(session.used) as usize;
            crew.names.push(session.name.clone());
            crew.builds.push(session.build.clone().unwrap_or_default());
        }
        (crew, free)
    }

    /// Returns the queues whose runners have free slots.
    pub(crate) fn free_queues(&self) -> BTreeSet<Queue> {
        let mut queues = BTreeSet::new();
        for session in self.all.values() {
            for workflow in session.workflows.keys().filter(|workflow| session.has_slot(workflow)) {
                queues.insert(Queue {
                    namespace: session.namespace.clone(),
                    app: session.app.clone(),
                    workflow: workflow.clone(),
                });
            }
        }
        queues
    }

    /// Tells whether a runner of a workflow, busy or not, is one of these.
    pub(crate) fn any(&self, queue: &Queue, is: impl Fn(&Session) -> bool) -> bool {
        self.of_queue(queue).any(|(_, s)| {
            s.ready && !s.draining && s.workflows.contains_key(&queue.workflow) && is(s)
        })
    }

    /// Finds the runner with the most free slots for a workflow.
    pub(crate) fn pick(
        &self,
        queue: &Queue,
        accepts: impl Fn(&Session) -> bool,
    ) -> Option<SessionId> {
        self.of_queue(queue)
            .filter(|(_, s)| s.has_slot(&queue.workflow) && accepts(s))
            .max_by_key(|(_, s)| s.slots - s.used)
            .map(|(id, _)| id)
    }

    /// Finds a runner with a free slot that has this version of the workflow.
    pub(crate) fn pick_version(
        &self,
        queue: &Queue,
        accepts: impl Fn(&Session) -> bool,
        version: &Arc<str>,
    ) -> Option<SessionId> {
        self.of_queue(queue)
            .filter(|(_, s)| s.has_slot(&queue.workflow) && accepts(s))
            .find(|(_, s)| {
                s.workflows.get(&queue.workflow).and_then(Option::as_ref) == Some(version)
            })
            .map(|(id, _)| id)
    }

    /// Finds a runner without any run in progress, and tells so. Where there is none, the least busy
    /// one is given nothing more until it is empty.
    pub(crate) fn pick_empty(
        &mut self,
        queue: &Queue,
        accepts: impl Fn(&Session) -> bool,
        run: RunId,
    ) -> Option<(SessionId, bool)> {
        let found = self
            .of_queue(queue)
            .filter(|(_, s)| s.ready && !s.draining && s.has_credit())
            .filter(|(_, s)| accepts(s))
            .filter(|(_, s)| s.workflows.contains_key(&queue.workflow))
            .filter(|(_, s)| s.alone.is_none_or(|reserved| reserved == run))
            .min_by_key(|(id, s)| (s.alone != Some(run), s.used, *id))
            .map(|(id, s)| (id, s.used));
        let (id, used) = found?;
        self.give_alone(id, run);
        Some((id, used == 0))
    }

    /// Returns the runs that have a runner to themselves, or that one is being emptied for.
    pub(crate) fn reserved(&self) -> Vec<RunId> {
        self.all.values().filter_map(|session| session.alone).collect()
    }

    /// Gives a run a runner to itself, and no other.
    pub(crate) fn give_alone(&mut self, id: SessionId, run: RunId) {
        for (other, session) in &mut self.all {
            if *other == id {
                session.alone = Some(run);
            } else if session.alone == Some(run) {
                session.alone = None;
            }
        }
    }

    /// No runner is emptied for this run any more. Tells whether one was.
    pub(crate) fn unreserve(&mut self, run: RunId) -> bool {
        let mut was = false;
        for session in self.all.values_mut().filter(|session| session.alone == Some(run)) {
            session.alone = None;
            was = true;
        }
        was
    }

    /// Returns the version of a workflow on a runner.
    pub(crate) fn version(&self, id: SessionId, workflow: &str) -> Option<Arc<str>> {
        self.all.get(&id)?.workflows.get(workflow).cloned().flatten()
    }

    pub(crate) fn next_silent(&self, ttl: Duration) -> Option<Duration> {
        self.all.values().map(|session| session.heard + ttl).min()
    }

    /// Describes the runners of a namespace.
    pub(crate) fn describe(&self, namespace: &Arc<str>) -> Reply {
        let ready = self.all.values().filter(|s| s.ready && s.namespace == *namespace);
        Reply::Runners(ready.map(describe).collect())
    }

    /// Adds up the runners of each app.
    pub(crate) fn crews(&self) -> Vec<Crew> {
        let mut crews: BTreeMap<(&str, &str), Crew> = BTreeMap::new();
        for session in self.all.values().filter(|session| session.ready) {
            let key = (&*session.namespace, &*session.app);
            let known = crews.contains_key(&key) || crews.len() < APPS_MAX;
            let (namespace, app) = if known { key } else { (OTHER, OTHER) };
            let crew = crews.entry((namespace, app)).or_insert_with(|| Crew::of(namespace, app));
            crew.runners += 1;
            crew.slots += u64::from(session.slots);
            crew.used += u64::from(session.used);
            crew.held += session.held.len() as u64;
        }
        crews.into_values().collect()
    }

    fn remove(&mut self, id: SessionId) -> Option<Session> {
        let session = self.all.remove(&id)?;
        let app = (session.namespace.clone(), session.app.clone());
        if let Some(ids) = self.by_app.get_mut(&app) {
            ids.retain(|other| *other != id);
        }
        Some(session)
    }
}

impl Node {
    pub(crate) fn on_connected(&mut self, id: SessionId, namespace: Arc<str>) {
        let nothing: Arc<str> = Arc::from("");
        let session = Session {
            namespace,
            ready: false,
            app: nothing.clone(),
            name: nothing.clone(),
            instance: nothing.clone(),
            sdk: nothing,
            build: None,
            slots: 0,
            used: 0,
            kept: 0,
            credit: 0,
            credit_max: 0,
            activation_bytes: 0,
            owed: 0,
            next_handle: 1,
            held: FxHashMap::default(),
            alone: None,
            draining: false,
            connected_at: self.now,
            pinged_at: self.now,
            heard: self.monotonic,
            workflows: BTreeMap::new(),
        };
        self.sessions.all.insert(id, session);
    }

    /// The connection is gone; its runner may come back until its grant has certainly ended.
    pub(crate) fn on_disconnected(&mut self, id: SessionId) {
        let Some(session) = self.sessions.remove(id) else {
            return;
        };
        let until = session.heard + self.config.limits.runner_ttl();
        for run in session.held.into_values() {
            let Some(live) = self.hot.live(run) else {
                continue;
            };
            if let Some(held) = live.held.as_mut().filter(|held| held.session == Some(id)) {
                held.session = None;
                self.away.insert(until, run);
                if self.config.shared {
                    self.share.cooling.push(run);
                }
            }
        }
        self.dispatch.wake();
    }

    /// A process has one connection: what came before its last `hello` is dead, whether that is
    /// known yet or not.
    pub(crate) fn replace_older(&mut self, id: SessionId, out: &mut Outputs) {
        let Some(new) = self.sessions.get(id) else { return };
        let same = |s: &Session| {
            s.ready
                && s.namespace == new.namespace
                && s.app == new.app
                && s.name == new.name
                && s.instance == new.instance
        };
        let all = self.sessions.all.iter();
        let older: Vec<_> =
            all.filter(|(other, s)| **other != id && same(s)).map(|(other, _)| *other).collect();
        for session in older {
            self.on_disconnected(session);
            let reason = "its process has connected again".to_owned();
            out.list.push(Output::Close { session, reason });
        }
    }

    pub(crate) fn drop_silent_sessions(&mut self, out: &mut Outputs) {
        let ttl = self.config.limits.runner_ttl();
        for id in self.sessions.ids() {
            let silent = self.sessions.get(id).is_some_and(|s| s.heard + ttl <= self.monotonic);
            if silent {
                self.on_disconnected(id);
                let reason = format!("no ping within {} ms", ttl.as_millis());
                out.list.push(Output::Close { session: id, reason });
            }
        }
    }

    /// Closes the connections of processes that are known to be elsewhere.
    pub(crate) fn drop_instances(&mut self, gone: &[Arc<str>], why: &str, out: &mut Outputs) {
        for session in self.sessions.ids() {
            if self.sessions.get(session).is_some_and(|s| s.ready && gone.contains(&s.instance)) {
                self.on_disconnected(session);
                out.list.push(Output::Close { session, reason: why.to_owned() });
            }
        }
    }

    pub(crate) fn tell_draining(&mut self, out: &mut Outputs) {
        for session in self.sessions.ids() {
            send_now(session, &ToRunner::Draining {}, out);
        }
    }
}

/// Sends what tells nothing about a run, and so need not wait for a commit.
pub(crate) fn send_now(session: SessionId, message: &ToRunner<'_>, out: &mut Outputs) {
    let control = matches!(
        message,
        ToRunner::Pong { .. }
            | ToRunner::Draining {}
            | ToRunner::Refused(_)
            | ToRunner::Credit { .. }
    );
    assert!(control, "what tells of a run hangs on its commit");
    let mut writer = stepwell_protocol::frame::Writer::default();
    writer.push(message);
    if let Some(frame) = writer.take() {
        out.list.push(Output::Send { session, frame });
    }
}

pub(crate) fn describe(session: &Session) -> RunnerInfo {
    let workflows = session.workflows.iter().map(|(name, version)| match version {
        Some(version) => Arc::from(format!("{name}@{version}")),
        None => name.clone(),
    });
    RunnerInfo {
        app: session.app.clone(),
        name: session.name.clone(),
        instance: session.instance.clone(),
        sdk: session.sdk.clone(),
        build: session.build.clone(),
        connected_at: session.connected_at,
        seen_at: session.pinged_at,
        slots: session.slots,
        busy: session.used,
        held: u32::try_from(session.held.len()).unwrap_or(u32::MAX),
        draining: session.draining,
        workflows: workflows.collect(),
    }
}
