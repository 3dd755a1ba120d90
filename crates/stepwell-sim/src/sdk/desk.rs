//! Where code meets the simulation: code says which functions begin and what it was given; the
//! simulation says how functions end.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use stepwell_core::id::RunId;

use crate::calls::Outcome;
use crate::history::{End, TakenBack};
use crate::program::Try;

/// Something that code said.
#[derive(Debug)]
pub(super) enum Said {
    /// A function begins.
    Begins { run: RunId, step: Arc<str>, n: u32, does: Try, slot: Slot },
    /// A function was dropped before its end.
    Drops(Slot),
    /// The end of a step was given to the code.
    Given { run: RunId, end: End },
    /// A step is taken back.
    TakesBack { run: RunId, step: Arc<str>, by: TakenBack },
    /// The workflow is told of a run that ends badly.
    Told { run: RunId, completed: Vec<Arc<str>>, uncertain: Vec<Arc<str>> },
}

/// Where code meets the simulation.
#[derive(Clone, Debug, Default)]
pub(super) struct Desk(Arc<Mutex<Vec<Said>>>);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    pub(super) fn say(&self, said: Said) {
        lock(&self.0).push(said);
    }

    /// Returns what code said since this was asked last.
    pub(super) fn take(&self) -> Vec<Said> {
        std::mem::take(&mut lock(&self.0))
    }

    /// Calls a function; the future gives how it ends.
    pub(super) fn call(&self, run: RunId, step: &Arc<str>, (n, does): (u32, Try)) -> Calling {
        let slot = Slot::default();
        let step = Arc::clone(step);
        self.say(Said::Begins { run, step, n, does, slot: slot.clone() });
        Calling { desk: self.clone(), slot }
    }
}

/// Where the end of a call is put.
#[derive(Clone, Debug, Default)]
pub(super) struct Slot(Arc<Mutex<Filled>>);

#[derive(Debug, Default)]
struct Filled {
    outcome: Option<Outcome>,
    taken: bool,
    waker: Option<Waker>,
}

impl Slot {
    pub(super) fn fill(&self, outcome: Outcome) {
        let mut filled = lock(&self.0);
        filled.outcome = Some(outcome);
        if let Some(waker) = filled.waker.take() {
            drop(filled);
            waker.wake();
        }
    }

    /// Tells whether two are the same.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// A call in progress.
#[derive(Debug)]
pub(super) struct Calling {
    desk: Desk,
    slot: Slot,
}

impl Future for Calling {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let mut filled = lock(&self.slot.0);
        let Some(outcome) = filled.outcome.take() else {
            filled.waker = Some(cx.waker().clone());
            return Poll::Pending;
        };
        filled.taken = true;
        Poll::Ready(outcome)
    }
}

impl Drop for Calling {
    fn drop(&mut self) {
        let over = {
            let filled = lock(&self.slot.0);
            filled.taken || filled.outcome.is_some()
        };
        if !over {
            self.desk.say(Said::Drops(self.slot.clone()));
        }
    }
}
