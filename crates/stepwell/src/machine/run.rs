//! The future that polls a run's handler.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use serde_json::value::RawValue;

use super::cell::Cell;
use super::clean::Clean;
use super::inside::enter_handler;
use super::rest::Next;
use super::state::{Outcome, Phase};
use crate::error::{Error, Result};

/// A handler that runs; gives the run's output.
pub(crate) type HandlerFuture = Pin<Box<dyn Future<Output = Result<Option<Box<RawValue>>>> + Send>>;

/// Calls a handler.
pub(crate) type Start = Box<dyn FnOnce() -> HandlerFuture + Send>;

/// Most ends of steps that are delivered before others get their turn.
const DELIVERIES_MAX: usize = 256;

/// A run that this process holds: a future that ends when the process does not need it any more.
///
/// Whoever polls it decides on which thread the handler and its steps run.
#[must_use = "a run does nothing unless polled"]
pub struct Run {
    cell: Arc<Cell>,
    waker: Waker,
    start: Option<Start>,
    handler: Option<HandlerFuture>,
    /// Makes the code of its clean-up.
    clean: Option<Clean>,
}

impl Run {
    pub(crate) fn new(cell: Arc<Cell>, start: Start, clean: Option<Clean>) -> Self {
        let waker = Waker::from(cell.clone());
        Self { cell, waker, start: Some(start), handler: None, clean }
    }

    /// Returns the run's id.
    pub fn id(&self) -> stepwell_core::id::RunId {
        self.cell.info.run
    }

    /// Tells whether its handler waits for a future that is no step.
    #[cfg(feature = "test")]
    pub(crate) fn awaits_others(&self) -> bool {
        let core = self.cell.lock();
        core.phase == Phase::Forward && core.counts.in_flight() == 0 && core.askable == 0
    }

    /// Tells whether functions of it are in progress.
    #[cfg(feature = "test")]
    pub(crate) fn is_calling(&self) -> bool {
        self.cell.lock().is_calling()
    }

    fn next(&mut self, looked: &mut bool) -> Next {
        self.clean_up();
        let waker = {
            let mut core = self.cell.lock();
            let core = &mut *core;
            if let Some(next) = self.cell.next_of_ending(core) {
                return next;
            }
            self.cell.deliver_next(core)
        };
        match waker {
            Some(waker) => {
                waker.wake();
                self.cell.take_handler_flag();
                Next::Handler
            }
            // A handler that wakes itself waits for its turn among others.
            None if !*looked && self.cell.take_handler_flag() => {
                *looked = true;
                Next::Handler
            }
            None => Next::Wait,
        }
    }

    /// §7.5: once the handler has said how steps are taken back, that is done in its place.
    fn clean_up(&mut self) {
        if self.clean.is_none() {
            return;
        }
        let gathered = Cell::gathered(&mut self.cell.lock());
        let Some(work) = gathered else { return };
        if let Some(clean) = self.clean.take() {
            self.drop_handler();
            self.start = Some(Box::new(move || clean(work)));
            self.cell.notify_handler();
        }
    }

    fn poll_handler(&mut self) {
        let mut cx = Context::from_waker(&self.waker);
        let polled = {
            let _inside = enter_handler(self.cell.address());
            let (start, handler) = (&mut self.start, &mut self.handler);
            catch_unwind(AssertUnwindSafe(|| {
                if let Some(start) = start.take() {
                    *handler = Some(start());
                }
                match handler {
                    Some(handler) => handler.as_mut().poll(&mut cx),
                    None => Poll::Pending,
                }
            }))
        };
        let result = match polled {
            Ok(Poll::Pending) => return,
            Ok(Poll::Ready(result)) => result,
            Err(panic) => Err(Error::panic(&*panic)),
        };
        let outcome = match result {
            Ok(output) => Outcome::Returned(output),
            Err(error) => error.into_end(),
        };
        // Steps that the handler still held are dropped before the run is told to have ended.
        self.drop_handler();
        self.cell.on_returned(outcome);
    }

    fn drop_handler(&mut self) {
        let (start, handler) = (self.start.take(), self.handler.take());
        let _inside = enter_handler(self.cell.address());
        let dropped = catch_unwind(AssertUnwindSafe(|| drop((start, handler))));
        if dropped.is_err() {
            tracing::warn!(run = %self.cell.info.run, "a value of the handler panicked as it was dropped");
        }
    }

    fn leave(&mut self) -> Poll<()> {
        self.drop_handler();
        self.cell.lock().forget_wakers();
        self.cell.forget_outer();
        Poll::Ready(())
    }
}

impl Future for Run {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.cell.begin_poll(cx.waker());
        let (mut looked, mut polls) = (false, 0);
        loop {
            match this.next(&mut looked) {
                Next::Handler => {
                    polls += 1;
                    this.cell.lock().resting = None;
                    this.poll_handler();
                    if polls < DELIVERIES_MAX {
                        continue;
                    }
                    cx.waker().wake_by_ref();
                }
                Next::Wait => {}
                Next::Over => return this.leave(),
            }
            let mut core = this.cell.lock();
            if polls < DELIVERIES_MAX {
                this.cell.rest(&mut core);
            }
            this.cell.flush(&mut core);
            if matches!(core.phase, Phase::Blocked | Phase::Closed) {
                drop(core);
                return this.leave();
            }
            break;
        }
        if this.cell.end_poll() {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.drop_handler();
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("id", &self.cell.info.run).finish_non_exhaustive()
    }
}
