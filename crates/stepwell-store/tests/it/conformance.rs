//! The store in memory passes the suite, and a store that errs does not.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use stepwell_core::time::Timestamp;
use stepwell_store::Store;
use stepwell_store::conformance::{Harness, Injected, SharedHarness, run_all, run_shared};
use stepwell_store::memory::{Memory, SharedMemory};

struct InMemory;

impl Harness for InMemory {
    fn open(&mut self) -> Arc<dyn Store> {
        Arc::new(Memory::new())
    }

    fn reopen(&mut self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        store
    }
}

#[test]
fn the_store_in_memory_passes() {
    let report = run_all(&mut InMemory);
    assert!(report.cases >= 100, "{report:?}");
    assert_eq!(report.faults, 0);
}

#[test]
fn the_store_in_memory_passes_under_the_injector() {
    for every in [1, 2, 3] {
        // With every commit failing, a batch is done when the turn comes to the fault after it.
        let report = run_all(&mut Injected::new(InMemory, every));
        assert!(report.faults * every >= report.commits / 2, "{report:?}");
    }
}

/// Forgets everything at a reopening, as a store that never synced would.
struct Forgetful;

impl Harness for Forgetful {
    fn open(&mut self) -> Arc<dyn Store> {
        Arc::new(Memory::new())
    }

    fn reopen(&mut self, _store: Arc<dyn Store>) -> Arc<dyn Store> {
        Arc::new(Memory::new())
    }
}

#[test]
fn a_store_that_forgets_fails_with_the_name_of_the_case() {
    let error = catch_unwind(AssertUnwindSafe(|| run_all(&mut Forgetful))).unwrap_err();
    let text = error.downcast_ref::<String>().unwrap();
    assert!(text.starts_with("case ") && text.contains("Reopened"), "{text}");
}

/// A database in memory, with a nonce for each who joins.
struct Together {
    database: SharedMemory,
    nonce: u64,
}

impl Together {
    fn new() -> Self {
        let now = Timestamp::from_millis(1_795_000_000_000);
        Self { database: SharedMemory::new(now), nonce: 0 }
    }
}

impl SharedHarness for Together {
    fn open(&mut self) {
        *self = Self::new();
    }

    fn join(&mut self, node: &str) -> Arc<dyn Store> {
        self.nonce += 1;
        self.database.join(node, self.nonce)
    }

    fn pass(&mut self, time: Duration) {
        self.database.pass(time);
    }
}

/// As the store of one node at a time, which joins anew when it is opened anew.
impl Harness for Together {
    fn open(&mut self) -> Arc<dyn Store> {
        SharedHarness::open(self);
        self.join("alone")
    }

    fn reopen(&mut self, _store: Arc<dyn Store>) -> Arc<dyn Store> {
        self.join("alone")
    }
}

#[test]
fn the_shared_store_in_memory_passes() {
    let cases = run_shared(&mut Together::new());
    assert!(cases >= 40, "{cases}");
}

#[test]
fn the_shared_store_in_memory_serves_one_node_as_any_other() {
    let report = run_all(&mut Together::new());
    assert!(report.cases >= 100, "{report:?}");
}

#[test]
fn the_shared_store_in_memory_serves_one_node_under_the_injector() {
    for every in [1, 2, 3] {
        run_all(&mut Injected::new(Together::new(), every));
    }
}

/// Whoever joins is told of another's database.
struct Apart(SharedMemory);

impl SharedHarness for Apart {
    fn open(&mut self) {}

    fn join(&mut self, node: &str) -> Arc<dyn Store> {
        self.0 = SharedMemory::new(Timestamp::MIN);
        self.0.join(node, 1)
    }

    fn pass(&mut self, time: Duration) {
        self.0.pass(time);
    }
}

#[test]
fn a_store_that_is_not_shared_fails_with_the_name_of_the_case() {
    let mut apart = Apart(SharedMemory::new(Timestamp::MIN));
    let error = catch_unwind(AssertUnwindSafe(|| run_shared(&mut apart))).unwrap_err();
    let text = error.downcast_ref::<String>().unwrap();
    assert!(text.starts_with("case a_run_is_one_members"), "{text}");
}
