//! Whether a step's function, or a handler, is being polled on this thread.

use std::cell::Cell;

/// A step whose function is being polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Inside {
    /// The address of the run's cell: tells runs of this process apart.
    pub(crate) run: usize,
    /// The step's place.
    pub(crate) step: usize,
}

thread_local! {
    static FUNCTION: Cell<Option<Inside>> = const { Cell::new(None) };
    static HANDLER: Cell<usize> = const { Cell::new(0) };
}

/// Returns the step whose function is being polled on this thread.
pub(crate) fn inside() -> Option<Inside> {
    FUNCTION.get()
}

/// Tells whether the handler of this run is being polled on this thread.
pub(super) fn in_handler(run: usize) -> bool {
    HANDLER.get() == run
}

/// Marks this thread while it lives.
#[must_use]
pub(crate) struct Guard {
    before: Option<Inside>,
}

impl Inside {
    pub(crate) fn enter(self) -> Guard {
        Guard { before: FUNCTION.replace(Some(self)) }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        FUNCTION.set(self.before);
    }
}

/// Marks this thread while it lives.
#[must_use]
pub(super) struct HandlerGuard {
    before: usize,
}

pub(super) fn enter_handler(run: usize) -> HandlerGuard {
    HandlerGuard { before: HANDLER.replace(run) }
}

impl Drop for HandlerGuard {
    fn drop(&mut self) {
        HANDLER.set(self.before);
    }
}
