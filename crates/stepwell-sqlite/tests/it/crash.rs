//! Crashes at every call that changes the disk, with what was not synced lost in many ways; failing
//! writes and syncs; a full disk.

use std::fs;
use std::path::Path;

use stepwell_sqlite::sim::{Faults, Loss, SimDisk};
use stepwell_store::batch::Batch;
use stepwell_store::conformance::{Script, Start};
use stepwell_store::{Error, Store};
use tempfile::TempDir;

use crate::trace::{self, Promised, TABLES, at};

const CAPACITY: u64 = 1 << 20;

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Copies the tables: `SQLite` made them durable itself.
fn copy_tables(from: &Path) -> TempDir {
    let to = folder();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
    }
    to
}

/// What may be left of so many sectors: nothing, all, each alone, all but each, and some by chance.
fn losses(unsynced: usize) -> Vec<Loss> {
    let mut losses = vec![Loss::None, Loss::All];
    let sectors = u32::try_from(unsynced).unwrap().min(60);
    if sectors <= 3 {
        losses.extend((1..(1_u64 << sectors)).map(Loss::Keep));
    } else {
        for sector in [0, 1, sectors / 2, sectors - 1] {
            losses.push(Loss::Keep(1 << sector));
            losses.push(Loss::Keep(!(1 << sector)));
        }
    }
    losses.extend((0..4).map(Loss::Seed));
    losses
}

/// Stops the machine at each call of a course in turn, and goes on from each of the states that the disk may
/// be left in. Returns how many these were.
pub(crate) fn each_crash<P: Clone>(
    capacity: u64,
    calls: u64,
    course: impl Fn(&SimDisk, &Path, u64) -> P,
    goes_on: impl Fn(&SimDisk, &Path, &mut P, &str),
) -> usize {
    let mut states = 0;
    for call in 1..=calls {
        let (disk, tables) = (SimDisk::new(capacity), folder());
        disk.set_faults(Faults { crash_at: Some(call), ..Faults::default() });
        let promised = course(&disk, tables.path(), call);
        for loss in losses(disk.unsynced()) {
            states += 1;
            let (disk, tables) = (disk.copy(), copy_tables(tables.path()));
            disk.restart(loss);
            let place = format!("crash at call {call} of {calls}, {loss:?}");
            goes_on(&disk, tables.path(), &mut promised.clone(), &place);
        }
    }
    states
}

/// After a crash: what was promised is there, and the store goes on, also through the next crash.
fn goes_on(disk: &SimDisk, tables: &Path, promised: &mut Promised, place: &str) {
    let store = trace::open(disk, tables).unwrap_or_else(|error| panic!("{place}: {error}"));
    promised.check(&store, place);
    let mut script = Script::new(at(900), 7_000, Start::default());
    let next = Batch { at: at(900), runs: vec![script.write()], ..Batch::default() };
    promised.commit(&store, &next).unwrap();
    drop(store);
    disk.restart(Loss::All);
    let store = trace::open(disk, tables).unwrap_or_else(|error| panic!("{place}, again: {error}"));
    promised.check(&store, place);
    assert_eq!(promised.in_flight, None);
}

/// §4.9: the machine stops at every write, sync, creation and removal of the trace in turn.
#[test]
fn a_crash_anywhere_loses_nothing_acknowledged_and_leaves_nothing_half() {
    let calls = {
        let (disk, tables) = (SimDisk::new(CAPACITY), folder());
        trace::run(&disk, tables.path(), &mut Promised::default()).unwrap();
        disk.calls()
    };
    assert!(calls > 100, "{calls}");
    let course = |disk: &SimDisk, tables: &Path, call| {
        let mut promised = Promised::default();
        let outcome = trace::run(disk, tables, &mut promised);
        // A crash while a segment is removed is told to no one.
        assert!(outcome.is_err() || call == calls || promised.in_flight.is_none(), "call {call}");
        promised
    };
    let states = each_crash(CAPACITY, calls, course, goes_on);
    assert!(states > 800, "{states}");
}

/// The crash comes between the commit of a fold and the trimming of the log: the log still holds what
/// the tables hold.
#[test]
fn a_crash_between_fold_and_trim_repeats_nothing() {
    let (disk, tables) = (SimDisk::new(CAPACITY), folder());
    let mut promised = Promised::default();
    let store = trace::open(&disk, tables.path()).unwrap();
    for batch in trace::batches() {
        promised.commit(&store, &batch).unwrap();
    }
    let untrimmed = disk.copy();
    store.fold_all().unwrap();
    drop(store);
    goes_on(&untrimmed, tables.path(), &mut promised, "log from before the trim");
}

/// The log is folded, and the tables are lost or from before: that is damage, not an empty store.
#[test]
fn tables_older_than_the_log_fail_closed() {
    let (disk, tables) = (SimDisk::new(CAPACITY), folder());
    let mut promised = Promised::default();
    let store = trace::open(&disk, tables.path()).unwrap();
    for batch in trace::batches() {
        promised.commit(&store, &batch).unwrap();
        store.fold_all().unwrap();
    }
    drop(store);
    fs::remove_file(tables.path().join(TABLES)).unwrap();
    let outcome = trace::open(&disk, tables.path()).map(|_| ());
    assert!(matches!(outcome, Err(Error::Corrupt(_))), "{outcome:?}");
}

/// After a failed write or sync the store takes nothing and answers nothing; opened again it serves
/// only what is really on disk: a crash right after loses none of it.
#[test]
fn a_failed_write_or_sync_poisons_until_the_store_is_opened_again() {
    let calls = {
        let (disk, tables) = (SimDisk::new(CAPACITY), folder());
        trace::run(&disk, tables.path(), &mut Promised::default()).unwrap();
        disk.calls()
    };
    let mut poisoned = 0;
    for call in 1..=calls {
        let (disk, tables) = (SimDisk::new(CAPACITY), folder());
        disk.set_faults(Faults { fail_at: Some(call), ..Faults::default() });
        let mut promised = Promised::default();
        let mut refused = false;
        match trace::run(&disk, tables.path(), &mut promised) {
            Err(Error::Unknown(_)) => poisoned += 1,
            Err(Error::Unavailable(_)) => refused = true,
            // What was to be removed is removed later.
            outcome => outcome.unwrap(),
        }
        let place = format!("failure at call {call} of {calls}");
        let store = trace::open(&disk, tables.path()).unwrap_or_else(|e| panic!("{place}: {e}"));
        let before = promised.acked.len();
        promised.check(&store, &place);
        assert!(!refused || promised.acked.len() == before, "{place}: refused, and yet done");
        drop(store);
        // What was served must be on disk, not in a cache that takes it for written.
        disk.restart(Loss::All);
        let place = format!("{place}, and a crash");
        goes_on(&disk, tables.path(), &mut promised, &place);
    }
    assert!(poisoned > 40, "{poisoned}");
}

#[test]
fn a_poisoned_store_says_so_to_everyone() {
    let (disk, tables) = (SimDisk::new(CAPACITY), folder());
    let store = trace::open(&disk, tables.path()).unwrap();
    let mut batches = trace::batches().into_iter();
    store.commit(&batches.next().unwrap()).unwrap();
    // The next commit is a write and a sync.
    disk.set_faults(Faults { fail_at: Some(disk.calls() + 2), ..Faults::default() });
    let batch = batches.next().unwrap();
    assert!(matches!(store.commit(&batch), Err(Error::Unknown(why)) if why.contains("sync")));
    disk.set_faults(Faults::default());
    assert!(matches!(store.commit(&batch), Err(Error::Poisoned(_))));
    let run = batch.runs[0].run;
    assert!(matches!(store.load(run), Err(Error::Poisoned(_))));
    assert!(matches!(store.active(None, 1), Err(Error::Poisoned(_))));
    assert!(matches!(store.high_water(), Err(Error::Poisoned(_))));
    assert!(matches!(store.health().refuses_growth, Some(Error::Poisoned(_))));
    drop(store);
    let store = trace::open(&disk, tables.path()).unwrap();
    assert!(store.load(run).is_ok());
}

/// Every write finds no space in turn: it is refused, nothing is half written, and the same batch
/// goes through afterwards.
#[test]
fn a_write_that_finds_no_space_is_refused_and_can_be_repeated() {
    for nth in 1..40 {
        let (disk, tables) = (SimDisk::new(CAPACITY), folder());
        let store = trace::open(&disk, tables.path()).unwrap();
        disk.set_faults(Faults { full_at: Some(disk.calls() + nth), ..Faults::default() });
        let mut promised = Promised::default();
        for batch in trace::batches() {
            match promised.commit(&store, &batch) {
                Ok(()) => {}
                Err(Error::DiskFull { .. }) => promised.commit(&store, &batch).unwrap(),
                Err(error) => panic!("call {nth}: {error}"),
            }
        }
        drop(store);
        disk.restart(Loss::All);
        goes_on(&disk, tables.path(), &mut promised, &format!("no space at call {nth}"));
    }
}

/// The disk fills up: new runs are refused below the reserve, running runs go on in it.
#[test]
fn below_the_reserve_new_runs_are_refused_and_running_ones_end() {
    let (disk, tables) = (SimDisk::new(64 << 10), folder());
    let options = stepwell_sqlite::Options {
        segment_bytes: 4_096,
        disk_reserve: 32 << 10,
        ..Default::default()
    };
    let place = stepwell_sqlite::Place::File(tables.path().join(TABLES));
    let store = stepwell_sqlite::Embedded::open_on(disk.clone(), place, options).unwrap();
    let mut running = Script::new(at(1), 1, Start::default());
    let start = Batch { at: at(1), runs: vec![running.write()], grows: true, ..Batch::default() };
    store.commit(&start).unwrap();
    disk.set_capacity(36 << 10);
    let mut new = Script::new(at(2), 2, Start::default());
    let start = Batch { at: at(2), runs: vec![new.write()], grows: true, ..Batch::default() };
    let refused = store.commit(&start);
    assert!(matches!(refused, Err(Error::DiskFull { reserve, .. }) if reserve == 32 << 10));
    assert_eq!(store.load(new.id()).unwrap(), None);
    assert!(matches!(store.health().refuses_growth, Some(Error::DiskFull { .. })));
    running.activate().ended(stepwell_core::status::RunStatus::Completed);
    store.commit(&Batch { at: at(3), runs: vec![running.write()], ..Batch::default() }).unwrap();
    disk.set_capacity(1 << 20);
    store.commit(&start).unwrap();
    assert_eq!(store.health().refuses_growth, None);
}

/// A folder of the first format is opened, and the machine stops at every call of that in turn: what is left
/// opens, as the old format or the new one, and then has the new one.
#[test]
fn a_crash_anywhere_in_an_upgrade_leaves_a_folder_that_opens() {
    let (old, tables) = (SimDisk::new(CAPACITY), folder());
    let mut promised = Promised::default();
    trace::run(&old, tables.path(), &mut promised).unwrap();
    old.damage("FORMAT", |bytes| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        *bytes = text.replace("format 2", "format 1").into_bytes();
    });
    let format = |disk: &SimDisk| String::from_utf8(disk.bytes("FORMAT").unwrap()).unwrap();
    let (before, disk) = (old.calls(), old.copy());
    drop(trace::open(&disk, copy_tables(tables.path()).path()).unwrap());
    assert!(format(&disk).contains("format 2"));
    assert_eq!(disk.bytes("FORMAT.next"), None);
    let calls = disk.calls() - before;
    assert!(calls > 6, "{calls}");
    let mut left = [0_u32; 2];
    for call in 1..=calls {
        let (disk, copied) = (old.copy(), copy_tables(tables.path()));
        disk.set_faults(Faults { crash_at: Some(before + call), ..Faults::default() });
        // Whether it opened or not is all the same to who finds the folder later.
        drop(trace::open(&disk, copied.path()));
        for loss in losses(disk.unsynced()) {
            let (disk, tables) = (disk.copy(), copy_tables(copied.path()));
            disk.restart(loss);
            left[usize::from(format(&disk).contains("format 2"))] += 1;
            let place = format!("crash at call {call} of {calls}, {loss:?}");
            goes_on(&disk, tables.path(), &mut promised.clone(), &place);
            assert!(format(&disk).contains("format 2"), "{place}");
        }
    }
    assert!(left[0] > 0 && left[1] > 0, "{left:?}");
}
