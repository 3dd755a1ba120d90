//! Deletions of runs while others write.

use std::thread;

use stepwell_core::status::{RunStatus, StepStatus};
use stepwell_sqlite::sim::SimDisk;
use stepwell_store::Store;
use stepwell_store::batch::Batch;
use stepwell_store::conformance::{Script, Start};
use stepwell_store::retention::Deletion;

use crate::crash::folder;
use crate::trace::{self, at};

/// A run that is written all the time is not to be deleted yet: that is no failure of the store.
#[test]
fn a_run_that_is_being_written_is_not_deleted_yet() {
    let (disk, tables) = (SimDisk::new(64 << 20), folder());
    let store = trace::open(&disk, tables.path()).unwrap();
    let mut script = Script::new(at(0), 1, Start::default());
    script.activate();
    let mut batches = vec![Batch { at: at(0), runs: vec![script.write()], ..Batch::default() }];
    for n in 1..600 {
        let runs = vec![script.end(&format!("step-{n}"), StepStatus::Completed, "1").write()];
        batches.push(Batch { at: at(n), runs, ..Batch::default() });
    }
    store.commit(&batches[0]).unwrap();
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for batch in &batches[1..] {
                store.commit(batch).unwrap();
            }
        });
        while !writer.is_finished() {
            let deletion = store.delete("default", script.id()).unwrap();
            let open = Deletion::Open(RunStatus::Running);
            assert!(deletion == Deletion::Early || deletion == open, "{deletion:?}");
        }
    });
    let last = vec![script.ended(RunStatus::Completed).write()];
    store.commit(&Batch { at: at(600), runs: last, ..Batch::default() }).unwrap();
    assert_eq!(store.delete("default", script.id()), Ok(Deletion::Done));
}
