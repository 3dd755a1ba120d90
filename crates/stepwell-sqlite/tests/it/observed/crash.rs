//! Crashes at every call that changes the disk, failing writes and syncs, a full disk: nothing that was
//! acknowledged is lost, and nothing is counted twice.

use std::path::Path;

use stepwell_sqlite::Place;
use stepwell_sqlite::observed::{Options, SqliteObserved};
use stepwell_sqlite::sim::{Faults, Loss, SimDisk};
use stepwell_telemetry::event::Said;
use stepwell_telemetry::keep::{Error, Keep};

use super::told::{Model, Told, at, batch, declared};
use crate::crash::{each_crash, folder};

const CAPACITY: u64 = 1 << 20;

fn open(disk: &SimDisk, tables: &Path) -> Result<SqliteObserved<SimDisk>, stepwell_store::Error> {
    let options = Options { segment_bytes: 4_096, disk_reserve: 0, ..Options::default() };
    SqliteObserved::open_on(disk.clone(), Place::File(tables.join("observed.db")), options)
}

/// Batches of events: runs that go on from one to the next, an error, an event that comes again.
fn batches() -> Vec<Vec<Told>> {
    let told = |n: u16| {
        let said = [Said::Running, Said::Success, Said::Running, Said::Error][usize::from(n % 4)];
        Told {
            run: n % 3,
            id: n,
            step: u8::try_from(n / 6 % 4).unwrap(),
            call: Some(u8::try_from(n / 12 % 5).unwrap()),
            said,
            at_ms: u32::from(n) * 10,
        }
    };
    let mut batches: Vec<Vec<Told>> =
        (0..12_u16).map(|b| (b * 9..b * 9 + 9).map(told).collect()).collect();
    batches[7].push(told(3));
    batches
}

/// What the store said yes to, and what it was asked last.
#[derive(Clone, Debug, Default)]
struct Promised {
    acked: Vec<Told>,
    in_flight: Vec<Told>,
    /// The flow was declared; it is not known whether where `Some(false)`.
    declared: Option<bool>,
}

impl Promised {
    fn append(&mut self, store: &dyn Keep, events: &[Told]) -> Result<(), Error> {
        self.in_flight = events.to_vec();
        store.append(&batch(events))?;
        self.acked.append(&mut self.in_flight);
        Ok(())
    }

    /// Demands that all that was acknowledged is there, and of what is in flight all or nothing.
    fn check(&mut self, store: &SqliteObserved<SimDisk>, place: &str) {
        let now = at(300_000);
        store.fold_all().unwrap();
        store.keep_house(now).unwrap();
        let declared = store.declared("default", "checkout").unwrap();
        assert!(declared.is_some() || self.declared != Some(true), "{place}: not declared");
        let mut model = Model { events: self.acked.clone(), ..Model::default() };
        if let Some(flow) = declared {
            model.flows.insert("checkout".into(), (*flow).clone());
        }
        if self.has_in_flight(store) {
            model.events.append(&mut self.in_flight);
        }
        self.in_flight.clear();
        self.acked.clone_from(&model.events);
        if !self.acked.is_empty() {
            model.check(store, now, place);
        }
    }

    /// Tells whether the first event that was not acknowledged, a new one, is there; [`Model::check`] tells whether the
    /// others are then.
    fn has_in_flight(&self, store: &dyn Keep) -> bool {
        let Some(first) = self.in_flight.first() else { return false };
        let mut bytes = Vec::new();
        first.event().encode(&mut bytes);
        let kept = store.run("default", first.flow(), &first.name()).unwrap();
        kept.is_some_and(|kept| kept.set.windows(bytes.len()).any(|some| some == bytes))
    }
}

/// A fixed course of batches, folds, a declaration and openings.
fn run(disk: &SimDisk, tables: &Path, promised: &mut Promised) -> Result<(), String> {
    let text = |error: stepwell_store::Error| error.to_string();
    let mut store = open(disk, tables).map_err(text)?;
    for (n, events) in batches().into_iter().enumerate() {
        promised.append(&store, &events).map_err(|error| error.to_string())?;
        match n {
            2 => {
                promised.declared = Some(false);
                let flow = declared("checkout", 1_000);
                store.declare("default", "checkout", Some(&flow)).unwrap();
                promised.declared = Some(true);
            }
            3 | 6 | 8 => store.fold_all().map_err(text)?,
            5 => {
                drop(store);
                store = open(disk, tables).map_err(text)?;
            }
            9 => store.keep_house(at(300_000)).map_err(text)?,
            _ => {}
        }
    }
    Ok(())
}

fn goes_on(disk: &SimDisk, tables: &Path, promised: &mut Promised, place: &str) {
    let store = open(disk, tables).unwrap_or_else(|error| panic!("{place}: {error}"));
    promised.check(&store, place);
    let next = Told { run: 1, id: 900, step: 0, call: None, said: Said::Skipped, at_ms: 5_000 };
    promised.append(&store, &[next]).unwrap();
    drop(store);
    disk.restart(Loss::All);
    let store = open(disk, tables).unwrap_or_else(|error| panic!("{place}, again: {error}"));
    assert!(promised.in_flight.is_empty());
    promised.check(&store, &format!("{place}, again"));
}

fn calls() -> u64 {
    let (disk, tables) = (SimDisk::new(CAPACITY), folder());
    run(&disk, tables.path(), &mut Promised::default()).unwrap();
    disk.calls()
}

/// §10.4: the machine stops at every write, sync, creation and removal in turn. What was acknowledged is
/// there and is counted once; what was not is there whole or not at all.
#[test]
fn a_crash_anywhere_loses_no_event_and_counts_none_twice() {
    let calls = calls();
    assert!(calls > 40, "{calls}");
    let course = |disk: &SimDisk, tables: &Path, _| {
        let mut promised = Promised::default();
        // A crash while a segment is removed is told to no one.
        let _ = run(disk, tables, &mut promised);
        promised
    };
    let states = each_crash(CAPACITY, calls, course, goes_on);
    assert!(states > 200, "{states}");
}

/// The crash comes between the commit of a fold and the trimming of the log.
#[test]
fn a_crash_between_fold_and_trim_counts_nothing_twice() {
    let (disk, tables) = (SimDisk::new(CAPACITY), folder());
    let mut promised = Promised::default();
    let store = open(&disk, tables.path()).unwrap();
    for events in batches() {
        promised.append(&store, &events).unwrap();
    }
    let untrimmed = disk.copy();
    store.fold_all().unwrap();
    drop(store);
    goes_on(&untrimmed, tables.path(), &mut promised, "log from before the trim");
}

/// After a failed write or sync nothing more is taken; opened again, what is served is on the disk.
#[test]
fn a_failed_write_or_sync_poisons_until_it_is_opened_again() {
    let calls = calls();
    let mut poisoned = 0;
    for call in 1..=calls {
        let (disk, tables) = (SimDisk::new(CAPACITY), folder());
        disk.set_faults(Faults { fail_at: Some(call), ..Faults::default() });
        let mut promised = Promised::default();
        let outcome = run(&disk, tables.path(), &mut promised);
        poisoned += u32::from(outcome.is_err_and(|why| why.contains("not taken any more")));
        let place = format!("failure at call {call} of {calls}");
        let store = open(&disk, tables.path()).unwrap_or_else(|e| panic!("{place}: {e}"));
        promised.check(&store, &place);
        drop(store);
        // What was served must be on the disk, not in a cache that takes it for written.
        disk.restart(Loss::All);
        goes_on(&disk, tables.path(), &mut promised, &format!("{place}, and a crash"));
    }
    assert!(poisoned >= 12, "{poisoned}");
}

#[test]
fn a_poisoned_store_says_so_and_still_answers() {
    let (disk, tables) = (SimDisk::new(CAPACITY), folder());
    let store = open(&disk, tables.path()).unwrap();
    let batches = batches();
    store.append(&batch(&batches[0])).unwrap();
    // The next append is a write and a sync.
    disk.set_faults(Faults { fail_at: Some(disk.calls() + 2), ..Faults::default() });
    assert!(matches!(store.append(&batch(&batches[1])), Err(Error::Poisoned(_))));
    disk.set_faults(Faults::default());
    assert!(matches!(store.append(&batch(&batches[1])), Err(Error::Poisoned(_))));
    assert!(store.health().is_poisoned);
    // What is in tables is durable.
    let model = Model { events: batches[0].clone(), ..Model::default() };
    model.check(&store, at(0), "poisoned");
}

/// Every write finds no space in turn: it is refused, and goes through when there is space again.
#[test]
fn a_write_that_finds_no_space_is_refused_and_can_be_repeated() {
    let mut refused = 0;
    for nth in 1..30 {
        let (disk, tables) = (SimDisk::new(CAPACITY), folder());
        let store = open(&disk, tables.path()).unwrap();
        disk.set_faults(Faults { full_at: Some(disk.calls() + nth), ..Faults::default() });
        let mut promised = Promised::default();
        for events in batches() {
            match promised.append(&store, &events) {
                Ok(()) => {}
                Err(Error::DiskFull(_)) => {
                    refused += 1;
                    promised.append(&store, &events).unwrap();
                }
                Err(error) => panic!("call {nth}: {error}"),
            }
        }
        drop(store);
        disk.restart(Loss::All);
        goes_on(&disk, tables.path(), &mut promised, &format!("no space at call {nth}"));
    }
    assert!(refused > 8, "{refused}");
}

/// Tables from before what the log gave up: that is damage, not an empty store.
#[test]
fn tables_that_are_lost_fail_closed() {
    let (disk, tables) = (SimDisk::new(CAPACITY), folder());
    run(&disk, tables.path(), &mut Promised::default()).unwrap();
    std::fs::remove_file(tables.path().join("observed.db")).unwrap();
    let outcome = open(&disk, tables.path()).map(|_| ());
    assert!(matches!(outcome, Err(stepwell_store::Error::Corrupt(_))), "{outcome:?}");
}
