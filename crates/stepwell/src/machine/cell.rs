//! The place where a run's code and its session meet.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

use serde_json::value::RawValue;
use stepwell_core::id::RunId;

use super::inside;
use super::state::{Attached, Core, NO_STEP};
use crate::ctx::Parent;
use crate::moment::Moment;
use crate::named_wait::NamedWaits;
use crate::session::{Shared, Terms};

/// What is known of a run from its activation on.
#[derive(Debug)]
pub(crate) struct Info {
    pub(crate) run: RunId,
    pub(crate) epoch: u32,
    pub(crate) nonce: u64,
    pub(crate) namespace: String,
    pub(crate) workflow: Arc<str>,
    pub(crate) version: Option<Arc<str>>,
    pub(crate) strict: bool,
    pub(crate) key: Option<String>,
    pub(crate) metadata: Option<Box<RawValue>>,
    pub(crate) parent: Option<Parent>,
    pub(crate) created_at_us: i64,
    pub(crate) started_version: Option<String>,
    /// The id and the name of the event that started it.
    pub(crate) event: Option<(String, String)>,
    pub(crate) input: Option<Box<RawValue>>,
    /// The waits that the app declares.
    pub(crate) waits: Arc<NamedWaits>,
}

/// A run's state, shared by its code and its session.
///
/// The lock is never held while code of the user runs.
pub(crate) struct Cell {
    pub(crate) info: Info,
    pub(crate) shared: Arc<Shared>,
    pub(crate) terms: Terms,
    core: Mutex<Core>,
    flags: AtomicU8,
    /// Wakes whoever polls the [`Run`](super::Run).
    outer: Mutex<Option<Waker>>,
}

/// The run is being polled.
const POLLING: u8 = 1;
/// The run is to be polled, or to look at its state again before it is left.
const TURN: u8 = 2;
/// The handler is to be polled.
const HANDLER: u8 = 4;

impl Cell {
    pub(crate) fn new(
        info: Info,
        shared: Arc<Shared>,
        terms: Terms,
        a: u32,
        generation: u64,
    ) -> Self {
        let core = Mutex::new(Core::new(Attached { a, generation }, info.created_at_us));
        // The first poll is for the handler.
        let flags = AtomicU8::new(HANDLER);
        Self { info, shared, terms, core, flags, outer: Mutex::new(None) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Moment {
        self.shared.clock.now()
    }

    /// Returns what tells this run from others of the process.
    pub(crate) fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Has the run look at its state again.
    pub(crate) fn notify(&self) {
        self.raise(TURN);
    }

    /// Has the run look at its state again, where a thread other than its own changed it.
    pub(crate) fn notify_from_code(&self) {
        if !inside::in_handler(self.address()) {
            self.notify();
        }
    }

    /// Has the run poll its handler.
    pub(super) fn notify_handler(&self) {
        self.raise(TURN | HANDLER);
    }

    fn raise(&self, flags: u8) {
        let before = self.flags.fetch_or(flags, Ordering::AcqRel);
        if before & (POLLING | TURN) == 0 {
            self.wake_outer();
        }
    }

    pub(super) fn wake_outer(&self) {
        let outer = self.outer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(outer) = outer {
            outer.wake();
        }
    }

    /// Lets go of whoever polls the run.
    pub(super) fn forget_outer(&self) {
        *self.outer.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Begins a poll of the run.
    pub(super) fn begin_poll(&self, waker: &Waker) {
        let mut outer = self.outer.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *outer {
            Some(known) => known.clone_from(waker),
            None => *outer = Some(waker.clone()),
        }
        drop(outer);
        self.flags.fetch_or(POLLING, Ordering::AcqRel);
        self.flags.fetch_and(!TURN, Ordering::AcqRel);
    }

    /// Tells whether the handler is to be polled, and takes the mark away. The run looks at its
    /// state again after that poll.
    pub(super) fn take_handler_flag(&self) -> bool {
        self.flags.fetch_and(!(HANDLER | TURN), Ordering::AcqRel) & HANDLER != 0
    }

    /// Ends a poll of the run. Tells whether something happened meanwhile.
    pub(super) fn end_poll(&self) -> bool {
        self.flags.fetch_and(!POLLING, Ordering::AcqRel) & TURN != 0
    }

    /// Has the session look at the run when its next deadline has come.
    pub(crate) fn arm(self: &Arc<Self>, core: &mut Core) {
        let Some(std::cmp::Reverse((at, _))) = core.timers.peek() else { return };
        if core.looks.last().is_none_or(|look| *at < *look) {
            core.looks.push(*at);
            self.shared.timers.push(*at, self);
        }
    }

    /// Sets a deadline of a step, or of the run.
    pub(crate) fn set_timer(self: &Arc<Self>, core: &mut Core, at: Moment, step: Option<usize>) {
        core.timers.push(std::cmp::Reverse((at, step.unwrap_or(NO_STEP))));
        self.arm(core);
    }
}

/// What the handler's futures are woken by.
impl Wake for Cell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.raise(TURN | HANDLER);
    }
}
