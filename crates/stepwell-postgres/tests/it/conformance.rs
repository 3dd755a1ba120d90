//! The store on PostgreSQL passes the suites: for every store, also under the injector, and for those
//! that several nodes share.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_postgres::testing::{Place, place};
use stepwell_postgres::{Effort, Options, Postgres};
use stepwell_store::Store;
use stepwell_store::conformance::{Harness, Injected, SharedHarness, run_all, run_shared};

/// One schema, emptied for each store.
struct InSchema {
    place: Place,
    options: Options,
    opened: u128,
    ahead: Duration,
}

impl InSchema {
    fn new(place: Place) -> Self {
        // As much time as it takes: lists are to be whole.
        let effort = Effort { looked: 50_000, time: Duration::from_mins(1) };
        let options = Options { effort, ..place.options() };
        Self { place, options, opened: 0, ahead: Duration::ZERO }
    }

    fn enter(&mut self, node: &str) -> Arc<Postgres> {
        self.opened += 1;
        Arc::new(Postgres::join(&self.options, node, self.opened).unwrap())
    }

    fn empty(&self) {
        if self.opened > 0 {
            self.place.clear().unwrap();
        }
    }
}

impl Harness for InSchema {
    fn open(&mut self) -> Arc<dyn Store> {
        self.empty();
        self.enter("node")
    }

    fn reopen(&mut self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        assert_eq!(Arc::strong_count(&store), 1, "no other handle is left");
        drop(store);
        self.enter("node")
    }

    fn damage(&mut self, _: &Arc<dyn Store>, run: RunId) -> bool {
        let id = run.to_string().replace("run_", "");
        let change = format!("UPDATE history SET crc = crc + 1 WHERE run = '{id}' RETURNING 1");
        assert!(!self.place.sql(&change).unwrap().is_empty(), "{run} is in the tables");
        true
    }
}

impl SharedHarness for InSchema {
    fn open(&mut self) {
        self.empty();
    }

    fn join(&mut self, node: &str) -> Arc<dyn Store> {
        self.enter(node)
    }

    fn pass(&mut self, time: Duration) {
        self.ahead += time;
        self.place.set_ahead(self.ahead).unwrap();
    }
}

fn tell(line: &str) {
    // Written past the capture of the test harness: the line is what a reader of the log looks for.
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// Prints the line that tells what ran.
#[test]
fn the_store_passes() {
    let Some(place) = place().unwrap() else { return };
    let version = place.version().unwrap();
    let report = run_all(&mut InSchema::new(place));
    tell(&format!("conformance: {} cases, PostgreSQL {version} ok\n", report.cases));
}

/// Faults before and after the work of a commit.
#[test]
fn the_store_passes_under_the_injector() {
    let Some(place) = place().unwrap() else { return };
    let version = place.version().unwrap();
    let report = run_all(&mut Injected::new(InSchema::new(place), 3));
    let faults = report.faults;
    assert!(faults > 300, "{faults}");
    let cases = report.cases;
    tell(&format!("conformance: {cases} cases under {faults} faults, PostgreSQL {version} ok\n"));
}

/// Whose a run is, leases, claims, takeover, and what members tell each other.
#[test]
fn the_store_can_be_shared() {
    let Some(place) = place().unwrap() else { return };
    let version = place.version().unwrap();
    let cases = run_shared(&mut InSchema::new(place));
    tell(&format!("conformance: {cases} cases of shared stores, PostgreSQL {version} ok\n"));
}
