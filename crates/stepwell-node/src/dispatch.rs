//! Which run gets which runner's slot, and when.
//!
//! Every workflow has a queue. Queues take turns, so that no workflow or app waits for another's
//! backlog. Memory holds a window of each queue; what is beyond it stays in the store.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use stepwell_core::id::RunId;
use stepwell_core::run::{Activate, Command, Run};
use stepwell_core::time::Timestamp;
use stepwell_store::query::{Cursor, Queue};

use crate::hot::{Deferred, Held};
use crate::input::SessionId;
use crate::node::{Node, SLICE};
use crate::output::{Output, Outputs};

/// How many runs of a queue are known in memory at most.
const WINDOW: usize = 4_096;

/// How many runs one question to the store returns.
const PAGE: usize = 512;

/// A slot that is kept on a runner while the run for it is loaded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub(crate) session: SessionId,
    /// The runner has nothing else to run and gets nothing else.
    pub(crate) alone: bool,
}

#[derive(Debug, Default)]
struct Waiting {
    window: VecDeque<(Timestamp, RunId)>,
    /// The store may know more that wait.
    in_store: bool,
    asking: Asking,
    cursor: Cursor,
    in_turn: bool,
}

/// Whether the store is being asked for a queue's runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Asking {
    #[default]
    No,
    Yes,
    /// Yes, and meanwhile a run was left to the store, which the answer may miss.
    Again,
}

/// What a run needs that not every runner with its workflow gives.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Need {
    Runner(Arc<str>),
    Alone,
}

/// The queues.
#[derive(Debug, Default)]
pub(crate) struct Dispatch {
    queues: FxHashMap<Queue, Waiting>,
    turns: VecDeque<Queue>,
    aside: BTreeMap<RunId, (Queue, Need)>,
    changed: bool,
}

impl Dispatch {
    /// Notes that a slot, a runner or a run has become free.
    pub(crate) fn wake(&mut self) {
        self.changed = true;
    }

    /// Notes that the store may know runs of this queue that want a runner.
    pub(crate) fn scan(&mut self, queue: &Queue) {
        let waiting = self.queues.entry(queue.clone()).or_default();
        waiting.in_store = true;
        self.take_turn(queue);
    }

    fn take_turn(&mut self, queue: &Queue) {
        let Some(waiting) = self.queues.get_mut(queue) else {
            return;
        };
        if !std::mem::replace(&mut waiting.in_turn, true) {
            self.turns.push_back(queue.clone());
        }
        self.changed = true;
    }

    /// Tells whether a new run may go ahead of nobody: nothing of its queue waits.
    pub(crate) fn is_empty(&self, queue: &Queue) -> bool {
        self.queues.get(queue).is_none_or(|w| w.window.is_empty() && !w.in_store)
    }
}

/// Returns the queue of a run.
pub(crate) fn queue_of(run: &Run) -> Queue {
    Queue {
        namespace: run.namespace().clone(),
        app: run.app().clone(),
        workflow: run.workflow().clone(),
    }
}

impl Node {
    /// Queues a run whose wish for a runner is durable.
    pub(crate) fn enqueue(&mut self, run: &Run, since: Timestamp) {
        let queue = queue_of(run);
        let waiting = self.dispatch.queues.entry(queue.clone()).or_default();
        if waiting.in_store || waiting.window.len() >= WINDOW {
            // It is behind those that only the store knows; the scan finds it there.
            waiting.in_store = true;
            if waiting.asking == Asking::Yes {
                waiting.asking = Asking::Again;
            }
        } else {
            waiting.window.push_back((since, run.id()));
        }
        self.dispatch.take_turn(&queue);
    }

    pub(crate) fn on_ready(&mut self, queue: &Queue, runs: &[(Timestamp, RunId)]) {
        let waiting = self.dispatch.queues.entry(queue.clone()).or_default();
        waiting.window.extend(runs);
        let missed = std::mem::take(&mut waiting.asking) == Asking::Again;
        if runs.len() < PAGE && missed {
            waiting.cursor = runs.last().copied().or(waiting.cursor);
        } else if runs.len() < PAGE {
            waiting.in_store = false;
            waiting.cursor = None;
        } else {
            waiting.cursor = runs.last().copied();
        }
        self.dispatch.take_turn(queue);
    }

    /// Gives waiting runs to free slots, in turns, a slice at a time.
    pub(crate) fn dispatch(&mut self, out: &mut Outputs) {
        if self.draining || !std::mem::take(&mut self.dispatch.changed) {
            return;
        }
        self.dispatch_aside(out);
        let mut stuck = Vec::new();
        for _ in 0..SLICE {
            let Some(queue) = self.dispatch.turns.pop_front() else {
                break;
            };
            match self.dispatch_one(&queue, out) {
                Turn::Given => self.dispatch.turns.push_back(queue),
                Turn::NoSlot => stuck.push(queue),
                Turn::Empty => {
                    if let Some(waiting) = self.dispatch.queues.get_mut(&queue) {
                        waiting.in_turn = false;
                    }
                }
            }
        }
        if !self.dispatch.turns.is_empty() {
            self.dispatch.changed = true;
            self.come_back(out);
        }
        self.dispatch.turns.extend(stuck);
    }

    fn dispatch_one(&mut self, queue: &Queue, out: &mut Outputs) -> Turn {
        let Some(waiting) = self.dispatch.queues.get_mut(queue) else {
            return Turn::Empty;
        };
        if waiting.window.is_empty() && !waiting.in_store {
            return Turn::Empty;
        }
        let Some(session) = self.sessions.pick(queue, None) else {
            return Turn::NoSlot;
        };
        if let Some((_, run)) = waiting.window.pop_front() {
            let slot = Slot { session, alone: false };
            self.keep_slot(slot);
            self.with_run(run, Deferred::Dispatch(slot), out);
            return Turn::Given;
        }
        if waiting.asking == Asking::No {
            waiting.asking = Asking::Yes;
            let (queue, after) = (queue.clone(), waiting.cursor);
            out.list.push(Output::Ready { queue, after, limit: PAGE });
        }
        Turn::Empty
    }

    /// Tries runs that need a certain runner, or one to themselves.
    fn dispatch_aside(&mut self, out: &mut Outputs) {
        let tried: Vec<_> = self
            .dispatch
            .aside
            .iter()
            .take(SLICE)
            .map(|(run, what)| (*run, what.clone()))
            .collect();
        for (run, (queue, need)) in tried {
            let slot = match &need {
                Need::Runner(name) => self
                    .sessions
                    .pick(&queue, Some(name))
                    .map(|session| Slot { session, alone: false }),
                Need::Alone => self
                    .sessions
                    .pick_empty(&queue, run)
                    .map(|session| Slot { session, alone: true }),
            };
            if let Some(slot) = slot {
                self.dispatch.aside.remove(&run);
                self.keep_slot(slot);
                if slot.alone {
                    self.sessions.give_alone(slot.session, run);
                }
                self.with_run(run, Deferred::Dispatch(slot), out);
            }
        }
    }

    fn keep_slot(&mut self, slot: Slot) {
        if let Some(session) = self.sessions.get_mut(slot.session) {
            session.used += 1;
        }
    }

    pub(crate) fn free_slot(&mut self, slot: Slot) {
        if let Some(session) = self.sessions.get_mut(slot.session) {
            session.used = session.used.saturating_sub(1);
            if slot.alone {
                session.alone = None;
            }
        }
        self.dispatch.wake();
    }

    /// Gives a new run to a runner in the commit that starts it, where one is free.
    pub(crate) fn try_at_once(&mut self, id: RunId, journal: &[u8], out: &mut Outputs) {
        let Some(run) = self.hot.run(id) else { return };
        let queue = queue_of(run);
        if self.draining || !self.dispatch.is_empty(&queue) {
            return;
        }
        let pinned = run.pinned_runner().cloned();
        if let Some(session) = self.sessions.pick(&queue, pinned.as_ref()) {
            let slot = Slot { session, alone: false };
            self.keep_slot(slot);
            self.activate_from(id, slot, journal, out);
        }
    }

    /// Gives a run to the runner whose slot is kept for it.
    pub(crate) fn activate_from(
        &mut self,
        id: RunId,
        slot: Slot,
        journal: &[u8],
        out: &mut Outputs,
    ) {
        let Some(run) = self.hot.run(id) else {
            return self.free_slot(slot);
        };
        if run.ready_since().is_none() {
            return self.free_slot(slot);
        }
        if let Some(need) = self.unmet_need(id, slot) {
            let Some(run) = self.hot.run(id) else {
                return self.free_slot(slot);
            };
            let queue = queue_of(run);
            self.dispatch.aside.insert(id, (queue, need));
            self.free_slot(slot);
            return;
        }
        let slot = self.same_version(id, slot);
        let nonce = self.entropy();
        let Some(session) = self.sessions.get_mut(slot.session) else {
            return self.requeue(id);
        };
        let (name, instance, build) =
            (session.name.clone(), session.instance.clone(), session.build.clone());
        let Some(run) = self.hot.run(id) else {
            return self.free_slot(slot);
        };
        let version = self.sessions.version(slot.session, run.workflow());
        let activate = Activate {
            nonce,
            runner: &name,
            instance: &instance,
            version: version.as_deref(),
            build: build.as_deref(),
            alone: slot.alone,
        };
        if self.apply(id, Command::Activate(activate), None).is_err() {
            return self.free_slot(slot);
        }
        self.stats.activations += 1;
        self.hold(id, slot, false);
        let sent = self.send_activation(id, journal);
        if let Some(session) = self.sessions.get_mut(slot.session) {
            session.credit -= i64::try_from(sent).unwrap_or(i64::MAX);
        }
        if let Some(live) = self.hot.live(id)
            && live.run.next_timer().is_some_and(|at| at <= self.now)
        {
            // A sleep that ended while no runner held the run is told at once.
            self.with_run(id, Deferred::Fire, out);
        }
    }

    /// Binds a run to a connection. The slot is counted already, unless the run is idle.
    pub(crate) fn hold(&mut self, id: RunId, slot: Slot, idle: bool) -> u32 {
        let Some(session) = self.sessions.get_mut(slot.session) else {
            return 0;
        };
        let a = session.next_handle;
        session.next_handle = session.next_handle.wrapping_add(1);
        session.held.insert(a, id);
        if let Some(live) = self.hot.live(id) {
            let epoch = live.run.epoch();
            let session = Some(slot.session);
            live.held = Some(Held { session, a, epoch, idle });
        }
        a
    }

    fn unmet_need(&self, id: RunId, slot: Slot) -> Option<Need> {
        let run = self.hot.run(id)?;
        let session = self.sessions.get(slot.session)?;
        if let Some(name) = run.pinned_runner().filter(|name| **name != session.name) {
            return Some(Need::Runner(name.clone()));
        }
        (run.must_be_alone() && !slot.alone).then_some(Need::Alone)
    }

    /// §9.9: a runner with the version that began the run is preferred, where one has a slot.
    fn same_version(&mut self, id: RunId, slot: Slot) -> Slot {
        let Some(run) = self.hot.run(id) else {
            return slot;
        };
        let Some(version) = run.started_version().filter(|_| !slot.alone) else {
            return slot;
        };
        if self.sessions.version(slot.session, run.workflow()).as_ref() == Some(version) {
            return slot;
        }
        let pinned = run.pinned_runner();
        let Some(session) = self.sessions.pick_version(&queue_of(run), pinned, version) else {
            return slot;
        };
        let better = Slot { session, alone: false };
        self.keep_slot(better);
        self.free_slot(slot);
        better
    }

    /// The runner for whom a slot was kept has gone: the run waits again.
    fn requeue(&mut self, id: RunId) {
        let Some(run) = self.hot.run(id) else { return };
        let queue = queue_of(run);
        self.dispatch.scan(&queue);
    }

    /// A run and its runner part.
    pub(crate) fn let_go(&mut self, id: RunId, held: Held) {
        self.away.remove(id);
        if let Some(session) = held.session.and_then(|session| self.sessions.get_mut(session)) {
            session.held.remove(&held.a);
            if !held.idle {
                session.used = session.used.saturating_sub(1);
            }
            if session.alone == Some(id) {
                session.alone = None;
            }
        }
        self.dispatch.wake();
    }

    /// A run that waited for the engine only has something to do again.
    pub(crate) fn set_busy(&mut self, id: RunId) {
        let Some(live) = self.hot.live(id) else {
            return;
        };
        // §4.4: a run that got on is no longer suspected.
        let alone = live.run.must_be_alone();
        let Some(held) = live.held.as_mut() else {
            return;
        };
        let was_idle = std::mem::replace(&mut held.idle, false);
        let session = held.session;
        if let Some(session) = session.and_then(|session| self.sessions.get_mut(session)) {
            if was_idle {
                // It may be one more than the slots: the copy is there, and replaying it costs more.
                session.used += 1;
            }
            if session.alone == Some(id) && !alone {
                session.alone = None;
                self.dispatch.wake();
            }
        }
    }
}

enum Turn {
    Given,
    NoSlot,
    Empty,
}
