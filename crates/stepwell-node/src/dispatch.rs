//! Which run gets which runner's slot, and when.
//!
//! Every workflow has a queue. Queues take turns, so that no workflow or app waits for another's
//! backlog. Memory holds a window of each queue; what is beyond it stays in the store.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rustc_hash::{FxHashMap, FxHashSet};
use stepwell_core::id::RunId;
use stepwell_core::planted::{self, Plant};
use stepwell_core::run::{Activate, Command, Run};
use stepwell_core::time::Timestamp;
use stepwell_store::query::{Cursor, Queue};

use crate::defer::Deferred;
use crate::hot::Held;
use crate::input::SessionId;
use crate::need::{Need, queue_of};
use crate::node::{Node, SLICE};
use crate::output::{Output, Outputs};

/// How many runs of a queue are known in memory at most.
const WINDOW: usize = 4_096;

/// How many runs one question to the store returns.
pub(crate) const PAGE: usize = 512;

/// How many runs are given to runners before others get their turn: each is read first.
const GIVES: usize = 16;

/// A slot that is kept on a runner while the run for it is loaded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub(crate) session: SessionId,
    /// The runner has nothing else to run and gets nothing else.
    pub(crate) alone: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Waiting {
    pub(crate) window: VecDeque<(Timestamp, RunId)>,
    pub(crate) scan: Scan,
    pub(crate) asking: bool,
    cursor: Cursor,
    in_turn: bool,
}

/// Whether the store may know more runs that wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Scan {
    /// No.
    #[default]
    Done,
    /// Yes: it is scanned to its end.
    Wanted,
    /// Yes, and a run was left to it since, maybe before the cursor: batches become durable in
    /// another order than that of their instants. It takes a scan from the start after this one.
    Again,
}

impl Scan {
    pub(crate) fn want(&mut self) {
        *self = if *self == Self::Done { Self::Wanted } else { Self::Again };
    }

    pub(crate) fn finish(&mut self) {
        *self = if *self == Self::Again { Self::Wanted } else { Self::Done };
    }
}

/// The queues.
#[derive(Debug, Default)]
pub(crate) struct Dispatch {
    pub(crate) queues: FxHashMap<Queue, Waiting>,
    turns: VecDeque<Queue>,
    /// Queues for which no slot was found: they take their turns again when one may be free.
    stuck: VecDeque<Queue>,
    /// Runs that need a certain runner, or one to themselves.
    pub(crate) aside: BTreeMap<Need, BTreeSet<RunId>>,
    /// The runs in windows and aside: each stands there once.
    pub(crate) known: FxHashSet<RunId>,
    changed: bool,
    /// Runs that were given in this turn.
    given: usize,
}

impl Dispatch {
    /// Notes that a slot, a runner or a run has become free.
    pub(crate) fn wake(&mut self) {
        self.turns.append(&mut self.stuck);
        self.changed = true;
    }

    /// Begins a turn.
    pub(crate) fn begin_turn(&mut self) {
        self.given = 0;
    }

    /// Notes that the store may know runs of this queue that want a runner.
    pub(crate) fn scan(&mut self, queue: &Queue) {
        let waiting = self.queues.entry(queue.clone()).or_default();
        waiting.scan.want();
        self.take_turn(queue);
        self.wake();
    }

    pub(crate) fn take_turn(&mut self, queue: &Queue) {
        let Some(waiting) = self.queues.get_mut(queue) else {
            return;
        };
        if !std::mem::replace(&mut waiting.in_turn, true) {
            self.turns.push_back(queue.clone());
        }
        self.changed = true;
    }

    /// Tells whether a run waits for one of the runners here.
    pub(crate) fn is_aside(&self, run: RunId) -> bool {
        self.known.contains(&run)
    }

    /// A run leaves that may have waited here.
    pub(crate) fn forget(&mut self, run: &Run) {
        if !self.known.remove(&run.id()) {
            return;
        }
        for waiting in self.aside.values_mut() {
            waiting.remove(&run.id());
        }
        self.aside.retain(|_, waiting| !waiting.is_empty());
        if let Some(waiting) = self.queues.get_mut(&queue_of(run)) {
            waiting.window.retain(|(_, waits)| *waits != run.id());
        }
    }

    fn set_aside(&mut self, need: Need, run: RunId) {
        if self.known.insert(run) {
            self.aside.entry(need).or_default().insert(run);
        }
    }

    fn first_aside(&self, need: &Need) -> Option<RunId> {
        self.aside.get(need)?.first().copied()
    }

    fn take_aside(&mut self, need: &Need, run: RunId) {
        self.known.remove(&run);
        if let Some(waiting) = self.aside.get_mut(need) {
            waiting.remove(&run);
            if waiting.is_empty() {
                self.aside.remove(need);
            }
        }
    }

    /// Tells whether a new run may go ahead of nobody: nothing of its queue waits.
    pub(crate) fn is_empty(&self, queue: &Queue) -> bool {
        self.queues.get(queue).is_none_or(|w| w.window.is_empty() && w.scan == Scan::Done)
    }
}

impl Node {
    /// Queues a run whose wish for a runner is durable.
    pub(crate) fn enqueue(&mut self, run: &Run, since: Timestamp) {
        if self.dispatch.known.contains(&run.id()) {
            // It was only looked at meanwhile.
            return;
        }
        let queue = queue_of(run);
        let waiting = self.dispatch.queues.entry(queue.clone()).or_default();
        if waiting.scan != Scan::Done || waiting.window.len() >= WINDOW {
            // It is behind those that only the store knows; a scan finds it there.
            waiting.scan.want();
        } else {
            waiting.window.push_back((since, run.id()));
            self.dispatch.known.insert(run.id());
        }
        self.dispatch.take_turn(&queue);
    }

    pub(crate) fn on_ready(&mut self, queue: &Queue, runs: &[(Timestamp, RunId)]) {
        let waiting = self.dispatch.queues.entry(queue.clone()).or_default();
        waiting.asking = false;
        for (since, run) in runs {
            // What is in memory comes to its queue by itself, should it still want a runner.
            if !self.hot.contains(*run) && self.dispatch.known.insert(*run) {
                waiting.window.push_back((*since, *run));
            }
        }
        waiting.cursor = runs.last().copied().filter(|_| runs.len() >= PAGE);
        if waiting.cursor.is_none() {
            waiting.scan.finish();
        }
        self.dispatch.take_turn(queue);
    }

    /// Gives waiting runs to free slots, queue by queue, so many in a turn.
    pub(crate) fn dispatch(&mut self, out: &mut Outputs) {
        let held = self.config.restored.held && !planted::has(Plant::HeldGivenOut);
        if self.draining || held || !self.dispatch.changed {
            return;
        }
        if self.dispatch.given >= GIVES {
            return self.come_back(out);
        }
        self.dispatch.changed = false;
        self.dispatch_aside(out);
        for _ in 0..SLICE {
            if self.dispatch.given >= GIVES {
                break;
            }
            let Some(queue) = self.dispatch.turns.pop_front() else {
                break;
            };
            match self.dispatch_one(&queue, out) {
                Turn::Given => {
                    self.dispatch.given += 1;
                    self.dispatch.turns.push_back(queue);
                }
                Turn::NoSlot => self.dispatch.stuck.push_back(queue),
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
    }

    fn dispatch_one(&mut self, queue: &Queue, out: &mut Outputs) -> Turn {
        let Some(waiting) = self.dispatch.queues.get_mut(queue) else {
            return Turn::Empty;
        };
        if waiting.window.is_empty() && waiting.scan == Scan::Done {
            return Turn::Empty;
        }
        let Some(session) = self.sessions.pick(queue, |_| true) else {
            if self.config.shared {
                self.release_window(queue);
            }
            return Turn::NoSlot;
        };
        if let Some((_, run)) = waiting.window.pop_front() {
            self.dispatch.known.remove(&run);
            let slot = Slot { session, alone: false };
            self.keep_slot(slot);
            self.with_run(run, Deferred::Dispatch(slot), out);
            return Turn::Given;
        }
        if !std::mem::replace(&mut waiting.asking, true) {
            let (queue, after) = (queue.clone(), waiting.cursor);
            out.list.push(if self.config.shared {
                self.claim_ready(queue)
            } else {
                Output::Ready { queue, after, limit: PAGE }
            });
        }
        Turn::Empty
    }

    /// Tries runs that need a certain runner, or one to themselves, a slice at a time.
    fn dispatch_aside(&mut self, out: &mut Outputs) {
        let needs: Vec<_> = self.dispatch.aside.keys().cloned().collect();
        let mut left = SLICE;
        for need in needs {
            if need.alone {
                self.give_to_empty(&need, &mut left, out);
            } else {
                self.give_pinned(&need, &mut left, out);
            }
            if left == 0 {
                self.dispatch.changed = true;
                return self.come_back(out);
            }
        }
    }

    fn give_pinned(&mut self, need: &Need, left: &mut usize, out: &mut Outputs) {
        let wants = need.wants(&self.sessions);
        while *left > 0
            && let Some(session) = self.sessions.pick(&need.queue, |session| wants.accept(session))
            && let Some(run) = self.dispatch.first_aside(need)
        {
            *left -= 1;
            self.give_aside(need, run, Slot { session, alone: false }, out);
        }
    }

    fn give_to_empty(&mut self, need: &Need, left: &mut usize, out: &mut Outputs) {
        let wants = need.wants(&self.sessions);
        let Some(waiting) = self.dispatch.aside.get(need) else {
            return;
        };
        // First those that a runner is being emptied for; then, as long as there are runners that
        // are not, others.
        let mut tried = self.sessions.reserved();
        tried.retain(|run| waiting.contains(run));
        let reserved = tried.len();
        let others = waiting.iter().filter(|run| !tried.contains(run)).take(SLICE);
        tried.extend(others.copied().collect::<Vec<_>>());
        for (at, run) in tried.into_iter().enumerate() {
            match self.sessions.pick_empty(&need.queue, |session| wants.accept(session), run) {
                Some((session, true)) if *left > 0 => {
                    *left -= 1;
                    self.give_aside(need, run, Slot { session, alone: true }, out);
                }
                None if at >= reserved => return,
                Some(_) | None => {}
            }
        }
    }

    fn give_aside(&mut self, need: &Need, run: RunId, slot: Slot, out: &mut Outputs) {
        self.dispatch.take_aside(need, run);
        self.keep_slot(slot);
        self.with_run(run, Deferred::Dispatch(slot), out);
    }

    pub(crate) fn keep_slot(&mut self, slot: Slot) {
        if let Some(session) = self.sessions.get_mut(slot.session) {
            session.used += 1;
            session.kept += 1;
        }
    }

    pub(crate) fn free_slot(&mut self, slot: Slot) {
        if let Some(session) = self.sessions.get_mut(slot.session) {
            session.used = session.used.saturating_sub(1);
            session.kept = session.kept.saturating_sub(1);
            if slot.alone {
                session.alone = None;
            }
        }
        self.dispatch.wake();
    }

    /// Gives a run to a runner in the commit that lets it want one, where one is free and no other run
    /// is before it.
    pub(crate) fn try_at_once(&mut self, id: RunId, journal: &[u8], out: &mut Outputs) {
        let Some(run) = self.hot.run(id) else { return };
        let queue = queue_of(run);
        let delayed = run.ready_since().is_none();
        if delayed || self.draining || !self.dispatch.is_empty(&queue) {
            return;
        }
        let need = Need::of(run);
        let wants = need.wants(&self.sessions);
        if let Some(session) = self.sessions.pick(&queue, |session| wants.accept(session)) {
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
        let Some(since) = run.ready_since() else {
            return self.free_slot(slot);
        };
        if let Some(need) = self.unmet_need(id, slot) {
            self.dispatch.set_aside(need, id);
            return self.free_slot(slot);
        }
        if self.has_company(id, slot) {
            // A runner came back with its runs while this one was read.
            if slot.alone {
                self.dispatch.set_aside(Need::of(run), id);
            }
            return self.free_slot(Slot { alone: false, ..slot });
        }
        let slot = self.same_version(id, slot);
        // 53 bits: numbers in JSON keep no more in every language.
        let nonce = self.entropy() >> 11;
        let Some(session) = self.sessions.get_mut(slot.session) else {
            // The runner for whom the slot was kept has gone: the run comes to its queue again.
            return self.dispatch.wake();
        };
        let (name, instance, build) =
            (session.name.clone(), session.instance.clone(), session.build.clone());
        let Some(run) = self.hot.run(id) else {
            return self.free_slot(slot);
        };
        let version = self.sessions.version(slot.session, run.workflow());
        let ends = self.registry.get(&queue_of(run)).map(|(_, options)| options.ends.clone());
        let activate = Activate {
            nonce,
            runner: &name,
            instance: &instance,
            version: version.as_deref(),
            build: build.as_deref(),
            alone: slot.alone,
            ends: ends.as_ref(),
        };
        if self.apply(id, Command::Activate(activate), None).is_err() {
            // Its deadline may have passed before its timer had its turn.
            self.with_run(id, Deferred::Fire, out);
            return self.free_slot(slot);
        }
        self.count_activation(id, since);
        self.hold(id, slot, false);
        let sent = self.send_activation(id, journal);
        if let Some(session) = self.sessions.get_mut(slot.session) {
            let had_credit = session.has_credit();
            session.kept = session.kept.saturating_sub(1);
            session.activation_bytes = sent;
            session.spend(sent);
            if !had_credit && session.has_credit() {
                self.dispatch.wake();
            }
        }
        if let Some(live) = self.hot.live(id)
            && live.next_timer().is_some_and(|at| at <= self.now)
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
