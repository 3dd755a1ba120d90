//! What the runs of a process and its session share.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_protocol::to_runner::Welcome;

use super::grant::Grant;
use super::link::Link;
use super::timers::Timers;
#[cfg(feature = "test")]
use crate::machine::Outcome;
use crate::moment::Clock;

/// Runs functions that block their thread.
pub trait Blocking: Send + Sync {
    /// Runs the function on a thread where it may block.
    fn spawn(&self, function: Box<dyn FnOnce() + Send>);
}

/// What is to happen where a function would be called.
#[cfg(feature = "test")]
pub(crate) enum Begins {
    /// Call it.
    Call,
    /// It is as if it had ended so.
    Ends(Outcome),
    /// Its process is dead: nothing of it moves any more.
    Never,
}

/// Sees functions begin and end, and may stand in for them.
#[cfg(feature = "test")]
pub(crate) trait Watch: Send + Sync {
    /// A function is about to be called for attempt `call.attempt`.
    fn begins(&self, call: crate::test::Call) -> Begins;

    /// A function has ended; the node is not told yet.
    fn ended(&self, run: RunId, step: &str, attempt: u32);
}

/// What the node said about how it works, for the runs that it gives out from then on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) linger: Duration,
    pub(crate) grace: Duration,
    pub(crate) payload_bytes_max: usize,
    pub(crate) steps_max: u32,
    pub(crate) branches_max: u32,
}

impl Terms {
    pub(super) fn of(welcome: &Welcome) -> Self {
        Self {
            linger: Duration::from_millis(welcome.linger_ms),
            grace: Duration::from_millis(welcome.grace_ms),
            payload_bytes_max: usize::try_from(welcome.payload_bytes_max).unwrap_or(usize::MAX),
            steps_max: welcome.steps_max,
            branches_max: welcome.branches_max,
        }
    }
}

pub(crate) struct Shared {
    pub(crate) app: Arc<str>,
    pub(crate) runner: Arc<str>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) blocking: Arc<dyn Blocking>,
    pub(crate) grant: Grant,
    pub(crate) link: Link,
    pub(crate) timers: Timers,
    /// Sees functions begin and end.
    #[cfg(feature = "test")]
    pub(crate) watch: Option<Arc<dyn Watch>>,
    /// Activations that this process gave back.
    forgotten: Mutex<Vec<(RunId, u32)>>,
}

impl Shared {
    pub(super) fn new(
        app: Arc<str>,
        runner: Arc<str>,
        clock: Arc<dyn Clock>,
        blocking: Arc<dyn Blocking>,
    ) -> Self {
        Self {
            app,
            runner,
            clock,
            blocking,
            grant: Grant::default(),
            link: Link::default(),
            timers: Timers::default(),
            #[cfg(feature = "test")]
            watch: None,
            forgotten: Mutex::default(),
        }
    }

    /// Notes that this process gave a run back, which it held under this epoch.
    pub(crate) fn forget(&self, run: RunId, epoch: u32) {
        self.forgotten.lock().unwrap_or_else(PoisonError::into_inner).push((run, epoch));
    }

    pub(super) fn take_forgotten(&self) -> Vec<(RunId, u32)> {
        std::mem::take(&mut *self.forgotten.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
