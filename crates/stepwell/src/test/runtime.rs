//! What code needs beside the engine: tokio, threads for functions that block, and wake-ups.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::Wake;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::error::{Error, Result};
use crate::moment::{Clock, Moment};
use crate::session::Blocking;

/// A clock that moves when it is told to.
#[derive(Debug)]
pub(super) struct Virtual(AtomicU64);

impl Virtual {
    pub(super) fn new(at: Moment) -> Self {
        Self(AtomicU64::new(at.as_micros()))
    }

    pub(super) fn set(&self, at: Moment) {
        self.0.fetch_max(at.as_micros(), Ordering::SeqCst);
    }
}

impl Clock for Virtual {
    fn now(&self) -> Moment {
        Moment::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Counts wake-ups, so that the test's thread can wait for one.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rung: Mutex<u64>,
    heard: Condvar,
}

impl Bell {
    fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.heard.notify_all();
    }

    pub(super) fn rung(&self) -> u64 {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits in real time until it was rung more often than `before`; tells whether it was.
    pub(super) fn wait(&self, before: u64, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        while *rung <= before {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            rung = self.heard.wait_timeout(rung, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

/// A run is to be polled.
#[derive(Debug)]
pub(super) struct Flag {
    raised: AtomicBool,
    bell: Arc<Bell>,
}

impl Flag {
    pub(super) fn raised(bell: Arc<Bell>) -> Self {
        Self { raised: AtomicBool::new(true), bell }
    }

    pub(super) fn take(&self) -> bool {
        self.raised.swap(false, Ordering::SeqCst)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.raised.store(true, Ordering::SeqCst);
        self.bell.ring();
    }
}

/// A tokio runtime on a thread of its own: a test may stand in a runtime whose thread it holds.
#[derive(Debug)]
pub(super) struct Runtime {
    handle: Handle,
    /// Dropped to stop it.
    _stop: oneshot::Sender<()>,
}

impl Runtime {
    pub(super) fn new() -> Result<Self> {
        let failed = |error: std::io::Error| Error::new(error);
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let run = move || {
            let _ = runtime.block_on(stopped);
            // A function that blocks for ever must not keep the test from its end.
            runtime.shutdown_background();
        };
        std::thread::Builder::new().name("stepwell-test".into()).spawn(run).map_err(failed)?;
        Ok(Self { handle, _stop: stop })
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Blocking for Runtime {
    fn spawn(&self, function: Box<dyn FnOnce() + Send>) {
        drop(self.handle.spawn_blocking(function));
    }
}
