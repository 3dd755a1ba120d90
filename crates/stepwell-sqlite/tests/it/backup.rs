//! Copies of stores that are in use, and stores made from them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use stepwell_access::ledger::Ledger as _;
use stepwell_core::id::RunId;
use stepwell_core::status::StepStatus;
use stepwell_core::time::Timestamp;
use stepwell_sqlite::backup::{self, Manifest};
use stepwell_sqlite::observed::{self, SqliteObserved};
use stepwell_sqlite::sim::SimDisk;
use stepwell_sqlite::{Embedded, Options, Place, ledger};
use stepwell_store::backup::{Ask, Go, Progress, Taken};
use stepwell_store::batch::Batch;
use stepwell_store::conformance::{Script, Start};
use stepwell_store::query::Filter;
use stepwell_store::{Error, Store};
use stepwell_telemetry::event::Said;
use stepwell_telemetry::keep::Keep as _;
use tempfile::TempDir;

use crate::observed::told::{self, Model, Told};

use crate::trace::at;

/// A data folder, a folder for copies of it, and one to restore into.
struct World {
    all: TempDir,
    taken: Cell<u64>,
}

impl World {
    fn new() -> Self {
        let all = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        Self { all, taken: Cell::new(0) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.all.path().join(name)
    }

    fn open(&self) -> Embedded {
        Embedded::open(self.path("data"), options()).unwrap()
    }

    fn back_up(&self, store: &Embedded) -> Taken {
        self.ask(store, &|_| Go::On).unwrap()
    }

    fn ask(&self, store: &Embedded, watch: &dyn Fn(Progress) -> Go) -> Result<Taken, Error> {
        let into = self.path("backups");
        // A microsecond later each time.
        let at = at(99).after(Duration::from_micros(self.taken.replace(self.taken.get() + 1)));
        let ask = Ask { into: &into, at, kept: 3, reserve: 0, watch };
        store.in_folder().unwrap().back_up(&ask)
    }

    fn backup(&self, taken: &Taken) -> PathBuf {
        self.path("backups").join(&taken.name)
    }

    fn restore(&self, taken: &Taken) -> Embedded {
        let made = backup::restore(&self.backup(taken), &self.path("new"), &options()).unwrap();
        let store = Embedded::open(self.path("new"), options()).unwrap();
        assert_eq!(store.store_id(), made.store);
        assert_eq!(store.verify().unwrap().problems, []);
        store
    }

    fn names(&self, name: &str) -> Vec<String> {
        let names = fs::read_dir(self.path(name)).unwrap();
        let mut names: Vec<_> =
            names.map(|one| one.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn options() -> Options {
    Options { segment_bytes: 4 << 10, disk_reserve: 0, ..Options::default() }
}

/// Commits a run with a step and returns its id.
fn commit(store: &dyn Store, n: u32) -> RunId {
    let mut run = Script::new(at(n), n.into(), Start::default());
    let output = format!("\"{}\"", "r".repeat(700));
    run.activate().end("charge", StepStatus::Completed, &output);
    store.commit(&Batch { at: at(n), runs: vec![run.write()], ..Batch::default() }).unwrap();
    run.id()
}

/// Every run of a store, with its journal.
fn journals(store: &dyn Store, runs: &[RunId]) -> BTreeMap<RunId, Option<Vec<u8>>> {
    runs.iter().map(|run| (*run, store.load(*run).unwrap())).collect()
}

/// Between any two pieces of a copy, runs are committed, folded and purged from the log: each run that was
/// acknowledged before it began is in it, byte by byte.
#[test]
fn a_copy_has_what_was_acknowledged_before_it() {
    let world = World::new();
    let store = world.open();
    let mut runs: Vec<_> = (0..300).map(|n| commit(&store, n)).collect();
    store.fold_all().unwrap();
    // What follows is in the log only, in many segments.
    runs.extend((300..330).map(|n| commit(&store, n)));
    let before = journals(&store, &runs);
    let (next, seen) = (RefCell::new(1_000), RefCell::new(Vec::new()));
    let watch = |progress: Progress| {
        seen.borrow_mut().push(progress);
        for _ in 0..40 {
            *next.borrow_mut() += 1;
            commit(&store, *next.borrow());
        }
        store.fold_all().unwrap();
        Go::On
    };
    let taken = world.ask(&store, &watch).unwrap();
    let count = seen.borrow().iter().filter(|seen| seen.total > 0).count();
    assert!(count > 10, "{count} pieces");
    assert!(seen.borrow().iter().all(|seen| seen.copied <= seen.total));
    assert_eq!((taken.store, taken.at), (store.store_id(), at(99)));
    let verified = backup::verify(&world.backup(&taken)).unwrap();
    assert_eq!((verified.problems, verified.runs), (vec![], 300));
    let restored = world.restore(&taken);
    assert_eq!(journals(&restored, &runs), before);
    assert_ne!(restored.store_id(), store.store_id());
    // It goes on, and so does the original.
    commit(&restored, 5_000);
    commit(&store, 5_000);
    drop(restored);
    let again = Embedded::open(world.path("new"), options()).unwrap();
    assert_eq!(journals(&again, &runs), before);
}

/// Threads commit as fast as they can while the store is copied, again and again.
#[test]
fn a_copy_under_load_has_what_was_acknowledged_before_it() {
    let world = World::new();
    let store = Embedded::open(
        world.path("data"),
        Options { segment_bytes: 1 << 20, fold_beyond: 1 << 20, ..options() },
    )
    .unwrap();
    store.spawn_fold().unwrap();
    let (stop, acked) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let (store, stop, acked) = (&store, &stop, &acked);
            scope.spawn(move || {
                let mut n = thread * 1_000_000;
                while !stop.load(Ordering::Relaxed) {
                    n += 1;
                    let run = commit(store, n);
                    acked.lock().unwrap().push(run);
                }
            });
        }
        for _ in 0..3 {
            while acked.lock().unwrap().len() < 500 {
                std::thread::yield_now();
            }
            let before = acked.lock().unwrap().clone();
            let taken = world.back_up(&store);
            assert_eq!(backup::verify(&world.backup(&taken)).unwrap().problems, [""; 0]);
            let restored = world.restore(&taken);
            assert_eq!(journals(&restored, &before), journals(&store, &before));
            drop(restored);
            fs::remove_dir_all(world.path("new")).unwrap();
        }
        stop.store(true, Ordering::Relaxed);
    });
}

/// A store that is in no folder of the machine is copied to another disk and into other tables; a store that is
/// made of them has what was acknowledged before, an id of its own, and is held.
#[test]
fn a_store_in_no_folder_is_copied_to_another_disk() {
    let world = World::new();
    let place = |name: &str| Place::File(world.path(name));
    let (from, to) = (SimDisk::new(1 << 24), SimDisk::new(1 << 24));
    let store = Embedded::open_on(from, place("from"), options()).unwrap();
    let mut runs = vec![commit(&store, 1)];
    store.fold_all().unwrap();
    runs.push(commit(&store, 2));
    let before = journals(&store, &runs);
    let later = Cell::new(None);
    let watch = |_: Progress| {
        later.set(later.get().or_else(|| Some(commit(&store, 3))));
        Go::On
    };
    let origin = store.copy_onto(&to, &place("to"), at(99), &watch).unwrap();
    let id = backup::settle(&to, &place("to"), &origin, &options()).unwrap();
    let restored = Embedded::open_on(to, place("to"), options()).unwrap();
    assert_eq!(journals(&restored, &runs), before);
    assert_eq!(restored.load(later.get().unwrap()).unwrap(), None);
    assert_eq!((restored.store_id(), restored.store_id() == store.store_id()), (id, false));
    let told = restored.in_folder().unwrap().restored().unwrap();
    assert_eq!((told.store, told.taken_at, told.held), (store.store_id(), at(99), true));
    let stopped = store.copy_onto(&SimDisk::new(1 << 24), &place("none"), at(99), &|_| Go::Stop);
    assert!(stopped.unwrap_err().to_string().contains("stopped"));
}

/// A restored folder says of which copy it is and holds its runs back, until they are let go for good.
#[test]
fn a_restored_folder_is_held_until_it_is_let_go() {
    let world = World::new();
    let store = world.open();
    commit(&store, 1);
    assert_eq!(store.in_folder().unwrap().restored(), None);
    let taken = world.back_up(&store);
    for lets_go in [false, true] {
        let restored = if lets_go {
            Embedded::open(world.path("new"), options()).unwrap()
        } else {
            world.restore(&taken)
        };
        let folder = restored.in_folder().unwrap();
        let told = folder.restored().unwrap();
        assert_eq!((&told.backup, told.store, told.held), (&taken.name, store.store_id(), true));
        assert_eq!((told.taken_at, told.until), (at(99), at(1)));
        if lets_go {
            folder.let_go().unwrap();
            assert!(!folder.restored().unwrap().held);
            folder.let_go().unwrap();
        }
    }
    let again = Embedded::open(world.path("new"), options()).unwrap();
    let told = again.in_folder().unwrap().restored().unwrap();
    assert_eq!((told.held, told.until), (false, at(1)));
}

/// A copy that is stopped after any piece leaves nothing that looks like one, nor does one whose process
/// died; older ones are as they were.
#[test]
fn a_copy_that_is_cut_off_is_none() {
    let world = World::new();
    let store = world.open();
    for n in 0..200 {
        commit(&store, n);
    }
    store.fold_all().unwrap();
    commit(&store, 200);
    let first = world.back_up(&store);
    let mut after = 0;
    loop {
        let left = RefCell::new(after);
        let stops = |_: Progress| {
            let left = &mut *left.borrow_mut();
            *left -= 1;
            if *left < 0 { Go::Stop } else { Go::On }
        };
        match world.ask(&store, &stops) {
            Err(error) => assert!(error.to_string().contains("was stopped"), "{error}"),
            Ok(_) => break,
        }
        assert_eq!(world.names("backups"), [first.name.as_str()], "after {after} pieces");
        after += 1;
    }
    assert!(after > 3, "{after} pieces");
    // As a process leaves it that dies meanwhile.
    let partial = world.path("backups").join(format!(".partial-{:032x}", store.store_id()));
    fs::create_dir(&partial).unwrap();
    fs::write(partial.join("stepwell.db"), "half of it").unwrap();
    assert_eq!(backup::list(&world.path("backups")).unwrap().len(), 2);
    let third = world.back_up(&store);
    assert!(!partial.exists());
    let names: Vec<_> =
        backup::list(&world.path("backups")).unwrap().into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["2026-11-18T11-08-19Z", "2026-11-18T11-08-19Z-2", &third.name]);
}

/// The oldest copies go, those of this store only.
#[test]
fn as_many_copies_are_kept_as_is_said() {
    let world = World::new();
    let store = world.open();
    commit(&store, 1);
    let foreign = world.path("backups").join("2020-01-01T00-00-00Z");
    let first = world.back_up(&store);
    let mut other = Manifest::read(&world.backup(&first)).unwrap();
    (other.store, other.at) = (77, at(1));
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join(backup::MANIFEST), other.to_text()).unwrap();
    let names: Vec<_> = (0..5).map(|_| world.back_up(&store).name).collect();
    let mut kept: Vec<_> = names[2..].to_vec();
    kept.insert(0, "2020-01-01T00-00-00Z".to_owned());
    let listed = backup::list(&world.path("backups")).unwrap();
    let listed: Vec<_> = listed.into_iter().map(|one| one.name).collect();
    assert_eq!(listed, kept);
    assert_eq!(world.names("backups").len(), 4);
}

/// What does not fit is refused before anything is written, and copies that are there stay.
#[test]
fn a_copy_that_does_not_fit_is_refused() {
    let world = World::new();
    let store = world.open();
    commit(&store, 1);
    let taken = world.back_up(&store);
    let into = world.path("backups");
    let ask = Ask { into: &into, at: at(9), kept: 1, reserve: 1 << 60, watch: &|_| Go::On };
    let error = store.in_folder().unwrap().back_up(&ask).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Error::NoRoom { needed, .. } if needed > 1 << 60), "{text}");
    assert!(
        text.contains(&into.display().to_string()) && text.contains("bytes are free"),
        "{text}"
    );
    assert_eq!(world.names("backups"), [taken.name]);
}

/// Whatever byte of a copy is changed or missing: it is told, and nothing is made of it.
#[test]
fn a_damaged_copy_is_told_and_not_restored() {
    let world = World::new();
    let store = world.open();
    let opened = ledger::open(world.path("data")).unwrap();
    drop(opened);
    drop(SqliteObserved::open(world.path("data"), observed::Options::default()).unwrap());
    for n in 0..20 {
        commit(&store, n);
    }
    store.fold_all().unwrap();
    commit(&store, 20);
    let taken = world.back_up(&store);
    let folder = world.backup(&taken);
    for file in Manifest::read(&folder).unwrap().files {
        let path = folder.join(&file.name);
        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        for damaged in [Some(&flipped[..]), Some(&whole[..whole.len() - 1]), None] {
            match damaged {
                Some(bytes) => fs::write(&path, bytes).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            let problems = backup::verify(&folder).unwrap().problems;
            assert_eq!(problems.len(), 1, "{}: {problems:?}", file.name);
            assert!(problems[0].starts_with(&file.name), "{problems:?}");
            let made = backup::restore(&folder, &world.path("new"), &options());
            assert!(made.is_err(), "{}", file.name);
            assert_eq!(world.names("new"), [""; 0], "{}", file.name);
        }
        fs::write(&path, whole).unwrap();
    }
    fs::write(folder.join("more"), "").unwrap();
    let problems = backup::verify(&folder).unwrap().problems;
    assert_eq!(problems, ["more does not belong to it"]);
    fs::remove_file(folder.join("more")).unwrap();
    assert_eq!(backup::verify(&folder).unwrap().problems, [""; 0]);
    let manifest = folder.join(backup::MANIFEST);
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("layout 1", "layout 2")).unwrap();
    let error = backup::verify(&folder).unwrap_err();
    assert!(matches!(&error, Error::Format { found, .. } if found.contains("layout 2")), "{error}");
    let error = backup::verify(&world.path("data")).unwrap_err().to_string();
    assert!(error.contains("is no backup"), "{error}");
}

/// A folder with something in it is not written into, and a restore that was cut off is no store.
#[test]
fn a_restore_takes_an_empty_folder_and_is_whole_or_refused() {
    let world = World::new();
    let store = world.open();
    commit(&store, 1);
    let taken = world.back_up(&store);
    fs::create_dir(world.path("new")).unwrap();
    fs::write(world.path("new").join("notes.txt"), "mine").unwrap();
    let error = backup::restore(&world.backup(&taken), &world.path("new"), &options()).unwrap_err();
    assert!(error.to_string().contains("not empty: there is notes.txt"), "{error}");
    assert_eq!(world.names("new"), ["notes.txt"]);
    fs::remove_file(world.path("new").join("notes.txt")).unwrap();
    drop(world.restore(&taken));
    // As a process leaves it that dies before the mark is gone.
    fs::write(world.path("new").join("RESTORING"), "").unwrap();
    let error = Embedded::open(world.path("new"), options()).map(drop).unwrap_err();
    assert!(error.to_string().contains("a restore that was cut off"), "{error}");
    assert!(Embedded::is_there(world.path("new")).unwrap());
}

/// A backup started as a data folder is refused: it is none.
#[test]
fn a_copy_is_no_data_folder() {
    let world = World::new();
    let store = world.open();
    commit(&store, 1);
    let taken = world.back_up(&store);
    let error = Embedded::open(world.backup(&taken), options()).map(drop).unwrap_err();
    assert!(matches!(error, Error::Format { .. }), "{error}");
}

/// Keys go along, with what checks them, for nobody but the server's own user.
#[test]
fn ledger_and_pepper_go_along_and_nobody_else_reads_them() {
    let world = World::new();
    let store = world.open();
    let opened = ledger::open(world.path("data")).unwrap();
    let shop = stepwell_access::Namespace {
        name: "shop".into(),
        created_at: Timestamp::from_micros(7),
        created_by: "ann".into(),
        closed_at: None,
    };
    opened.ledger.put_namespace(&shop).unwrap();
    commit(&store, 1);
    let taken = world.back_up(&store);
    drop(world.restore(&taken));
    let restored = ledger::open(world.path("new")).unwrap();
    assert!(restored.ledger.namespaces().unwrap().contains(&shop));
    for folder in [world.backup(&taken), world.path("new"), world.path("data")] {
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    }
}

/// Observed runs go along, as of the moment at which the backup was taken, and go on after a restore; damage is
/// told of theirs too.
#[test]
fn observed_runs_go_along() {
    let world = World::new();
    let store = world.open();
    commit(&store, 1);
    let open = |name| SqliteObserved::open(world.path(name), observed::Options::default()).unwrap();
    let skip = |run, id| Told { run, id, step: 0, call: None, said: Said::Skipped, at_ms: 1 };
    let events = (0..50).map(|id| skip(id % 9, id)).collect();
    let mut model = Model { events, ..Model::default() };
    let original = open("data");
    original.append(&told::batch(&model.events)).unwrap();
    original.stop();
    let taken = world.back_up(&store);
    drop(original);
    let original = open("data");
    original.append(&told::batch(&[skip(1, 99)])).unwrap();
    original.stop();

    drop(world.restore(&taken));
    assert_eq!(observed::verify(&world.path("new")).unwrap(), []);
    let restored = open("new");
    model.check(&restored, told::at(0), "restored");
    restored.append(&told::batch(&[skip(2, 100)])).unwrap();
    restored.stop();
    model.events.push(skip(2, 100));
    drop(restored);
    let restored = open("new");
    model.check(&restored, told::at(0), "restored, and opened again");
    restored.stop();
    drop(restored);

    let tables = world.path("new").join("observed/observed.db");
    let tables = rusqlite::Connection::open(tables).unwrap();
    tables.execute("UPDATE runs SET attempts = attempts + 1 WHERE run = 'req-3'", []).unwrap();
    drop(tables);
    let problems = observed::verify(&world.path("new")).unwrap();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].what.contains("req-3"), "{problems:?}");
}

/// What was given back to nobody else is listed as before: rows are those of the journals.
#[test]
fn lists_of_a_restored_store_are_those_of_the_original() {
    let world = World::new();
    let store = world.open();
    for n in 0..50 {
        commit(&store, n);
    }
    let taken = world.back_up(&store);
    let restored = world.restore(&taken);
    let list = |store: &Embedded| {
        let filter = Filter { namespace: "default".into(), limit: 99, ..Filter::default() };
        store.query(&filter, Duration::from_secs(20)).unwrap().runs
    };
    assert_eq!(list(&restored), list(&store));
    assert_eq!(list(&restored).len(), 50);
}
