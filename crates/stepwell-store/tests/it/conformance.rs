//! The store in memory passes the suite, and a store that errs does not.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use stepwell_store::Store;
use stepwell_store::conformance::{Harness, Injected, run_all};
use stepwell_store::memory::Memory;

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
