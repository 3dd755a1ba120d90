//! How a store is opened, and running the suite.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use stepwell_core::id::RunId;

use super::cases;
use super::injector::Injector;
use super::world::{Mode, World};
use crate::store::Store;

/// Gives the suite the stores that it tests.
pub trait Harness {
    /// Opens a new, empty store.
    fn open(&mut self) -> Arc<dyn Store>;

    /// Closes a store, of which no other handle is left, and opens what it kept.
    fn reopen(&mut self, store: Arc<dyn Store>) -> Arc<dyn Store>;

    /// Damages what is stored of a run behind the store's back. Tells whether it could: a store that
    /// keeps everything in memory has nothing to be damaged.
    fn damage(&mut self, store: &Arc<dyn Store>, run: RunId) -> bool {
        let _ = (store, run);
        false
    }

    /// Lets the store do work that it would do in the background.
    fn settle(&mut self, store: &Arc<dyn Store>) {
        let _ = store;
    }
}

/// What ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// How many cases ran; each in three modes.
    pub cases: usize,
    /// How many commits were made.
    pub commits: u64,
    /// How many faults were injected into them.
    pub faults: u64,
}

/// Runs every case.
///
/// # Panics
/// When a case fails; the panic's message names the case and the mode.
pub fn run_all(harness: &mut dyn Harness) -> Report {
    let cases = cases::all();
    let mut report = Report { cases: cases.len(), commits: 0, faults: 0 };
    for case in &cases {
        for mode in Mode::ALL {
            let mut world = World::new(harness, mode);
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                (case.run)(&mut world);
                world.check();
            }));
            report.commits += world.commits;
            report.faults += world.faults;
            if let Err(cause) = outcome {
                let text = cause_of(&*cause);
                resume_unwind(Box::new(format!("case {} ({mode:?}): {text}", case.name)));
            }
        }
    }
    report
}

/// Returns what a panic says.
pub(super) fn cause_of(cause: &(dyn Any + Send)) -> &str {
    let text = cause.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| cause.downcast_ref::<&str>().copied()).unwrap_or("it panicked")
}

/// A harness whose stores fail again and again: each `every`-th commit, with each fault in turn.
pub struct Injected<H> {
    harness: H,
    every: u64,
    inner: Option<Arc<dyn Store>>,
}

impl<H: Harness> Injected<H> {
    /// Wraps the stores of a harness.
    pub fn new(harness: H, every: u64) -> Self {
        Self { harness, every, inner: None }
    }

    fn wrap(&mut self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        self.inner = Some(Arc::clone(&store));
        Arc::new(Injector::new(store, self.every))
    }
}

impl<H: Harness> Harness for Injected<H> {
    fn open(&mut self) -> Arc<dyn Store> {
        let store = self.harness.open();
        self.wrap(store)
    }

    fn reopen(&mut self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        drop(store);
        match self.inner.take() {
            Some(inner) => {
                let store = self.harness.reopen(inner);
                self.wrap(store)
            }
            None => self.open(),
        }
    }

    fn damage(&mut self, store: &Arc<dyn Store>, run: RunId) -> bool {
        self.harness.damage(self.inner.as_ref().unwrap_or(store), run)
    }

    fn settle(&mut self, store: &Arc<dyn Store>) {
        self.harness.settle(self.inner.as_ref().unwrap_or(store));
    }
}
