//! The embedded store passes the suite: with the fold thread, without it, and under the injector.

use std::io::Write;
use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_sqlite::{Effort, Embedded, Options};
use stepwell_store::Store;
use stepwell_store::conformance::{Harness, Injected, run_all};
use stepwell_store::memory::Memory;
use tempfile::TempDir;

struct InMemory;

impl Harness for InMemory {
    fn open(&mut self) -> Arc<dyn Store> {
        Arc::new(Memory::new())
    }

    fn reopen(&mut self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        store
    }
}

/// Stores in folders of their own.
struct InFolders {
    folding: bool,
    effort: Effort,
    now: Option<(TempDir, Arc<Embedded>)>,
}

impl InFolders {
    fn new(folding: bool) -> Self {
        Self { folding, effort: Effort::default(), now: None }
    }

    fn open_in(&mut self, folder: TempDir) -> Arc<dyn Store> {
        // Small segments, so that they are changed and used again all the time.
        let options = Options {
            segment_bytes: 16 << 10,
            disk_reserve: 0,
            effort: self.effort,
            ..Options::default()
        };
        let store = Arc::new(Embedded::open(folder.path(), options).unwrap());
        if self.folding {
            store.spawn_fold().unwrap();
        }
        self.now = Some((folder, Arc::clone(&store)));
        store
    }
}

impl Harness for InFolders {
    fn open(&mut self) -> Arc<dyn Store> {
        self.now = None;
        // In memory where the system has such a folder: what a crash leaves is tested elsewhere.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        self.open_in(folder.unwrap())
    }

    fn reopen(&mut self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        drop(store);
        let (folder, store) = self.now.take().unwrap();
        assert_eq!(Arc::strong_count(&store), 1, "no other handle is left");
        drop(store);
        self.open_in(folder)
    }

    fn damage(&mut self, _store: &Arc<dyn Store>, run: RunId) -> bool {
        let (folder, _) = self.now.as_ref().unwrap();
        let tables = rusqlite::Connection::open(folder.path().join("stepwell.db")).unwrap();
        let change = "UPDATE history SET crc = crc + 1 WHERE run = ?1";
        assert!(tables.execute(change, [run.to_string()]).unwrap() > 0, "{run} is in the tables");
        true
    }

    fn settle(&mut self, _store: &Arc<dyn Store>) {
        let (_, store) = self.now.as_ref().unwrap();
        store.fold_all().unwrap();
    }
}

/// Lists are the same where attributes are read whole, and where there is no time for that.
#[test]
fn lists_are_the_same_whatever_effort_is_made() {
    for (scanned, looked) in [(0, 1), (30, 60), (1_000, 1_000)] {
        let effort = Effort { few: 0, probed: 2, scanned, looked, ..Effort::default() };
        run_all(&mut InFolders { effort, ..InFolders::new(false) });
    }
}

/// Prints the line that tells what ran.
#[test]
fn every_store_passes() {
    let memory = run_all(&mut InMemory);
    let folding = run_all(&mut InFolders::new(true));
    let not_folding = run_all(&mut InFolders::new(false));
    assert_eq!((memory.cases, folding.cases), (not_folding.cases, not_folding.cases));
    let mut faults = run_all(&mut Injected::new(InMemory, 3)).faults;
    faults += run_all(&mut Injected::new(InFolders::new(true), 3)).faults;
    faults += run_all(&mut Injected::new(InFolders::new(false), 1)).faults;
    assert!(faults > 1_000, "{faults}");
    let line =
        format!("conformance: {} cases, memory ok, embedded ok, injector ok\n", folding.cases);
    // Written past the capture of the test harness: the line is what a reader of the log looks for.
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}
