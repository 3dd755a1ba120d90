//! Folder, thread, bounds, and what goes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use stepwell_sqlite::observed::{Options, SqliteObserved};
use stepwell_sqlite::sim::SimDisk;
use stepwell_sqlite::{Place, open_to_others};
use stepwell_telemetry::event::Said;
use stepwell_telemetry::keep::{Error, Keep, RunsAsk, Window};
use stepwell_telemetry::set::EVENTS_MAX;

use super::told::{Model, SPACE, Told, at, batch, declared};
use crate::crash::folder;

fn told(run: u16, id: u16, said: Said, at_ms: u32) -> Told {
    Told { run, id, step: 0, call: Some(0), said, at_ms }
}

fn ask() -> RunsAsk {
    RunsAsk { namespace: SPACE.into(), limit: 100, ..RunsAsk::default() }
}

/// Settings of a machine that is busy with other tests.
fn patient() -> Options {
    Options { patience: Duration::from_mins(1), ..Options::default() }
}

fn without_thread(disk: &SimDisk, tables: &Path, options: Options) -> SqliteObserved<SimDisk> {
    let place = Place::File(tables.join("observed.db"));
    SqliteObserved::open_on(disk.clone(), place, options).unwrap()
}

/// §10.4: a run is what all processes told of it, also of one that is gone.
#[test]
fn what_was_taken_is_there_after_a_restart() {
    let folder = folder();
    let first = [told(1, 1, Said::Running, 0), told(2, 2, Said::Running, 1)];
    let store = SqliteObserved::open(folder.path(), patient()).unwrap();
    store.append(&batch(&first)).unwrap();
    assert_eq!(store.runs(&ask(), at(0)).unwrap().runs.len(), 2);
    store.stop();
    let health = store.health();
    assert_eq!((health.head, health.tail_bytes), (health.folded, 0));
    assert!(matches!(store.append(&batch(&first)), Err(Error::Unavailable(_))));
    // It is asked twice at times.
    store.stop();
    drop(store);

    let store = SqliteObserved::open(folder.path(), patient()).unwrap();
    let more = [told(1, 3, Said::Success, 9)];
    store.append(&batch(&more)).unwrap();
    let model = Model { events: [&first[..], &more].concat(), ..Model::default() };
    model.check(&store, at(10), "again");
    // Its thread does not put the rest into tables; the next one does.
    store.append(&batch(&[told(2, 4, Said::Error, 20)])).unwrap();
    drop(store);
    let store = SqliteObserved::open(folder.path(), patient()).unwrap();
    let run = store.run(SPACE, "checkout", "req-2").unwrap().unwrap();
    assert!(!run.stale);
    assert_eq!(store.errors(SPACE, "checkout", Window::Hour, at(30)).unwrap()[0].count, 1);
}

/// §10.4: what is taken shows by itself, in memory and in a folder, also when it comes after a while.
#[test]
fn what_is_taken_shows_by_itself() {
    let folder = folder();
    let in_folder = SqliteObserved::open(folder.path(), Options::default()).unwrap();
    let in_memory = SqliteObserved::in_memory().unwrap();
    for store in [&in_folder as &dyn Keep, &in_memory] {
        for run in 0..5_u16 {
            store.append(&batch(&[told(run, 1, Said::Running, 0)])).unwrap();
            let begun = Instant::now();
            let page = loop {
                let page = store.runs(&ask(), at(0)).unwrap();
                if !page.stale {
                    break page;
                }
                assert!(begun.elapsed() < Duration::from_mins(1), "{store:?}");
            };
            assert_eq!(page.runs.len(), usize::from(run) + 1, "{store:?}");
            assert_eq!(store.health().tail_bytes, 0);
        }
    }
}

#[test]
fn nobody_else_may_read_its_files() {
    let folder = folder();
    let store = SqliteObserved::open(folder.path(), patient()).unwrap();
    store.append(&batch(&[told(1, 1, Said::Running, 0)])).unwrap();
    let inside = folder.path().join("observed");
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&inside), 0o700);
    let mut files = 0;
    for file in fs::read_dir(&inside).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        files += 1;
    }
    assert!(files >= 3, "{files}");
    let told = open_to_others(folder.path()).unwrap();
    assert!(told.iter().all(|(name, _)| name == "."), "{told:?}");
    drop(store);
    fs::set_permissions(inside.join("observed.db"), fs::Permissions::from_mode(0o644)).unwrap();
    let told = open_to_others(folder.path()).unwrap();
    assert!(told.contains(&("observed/observed.db".into(), 0o644)), "{told:?}");
}

#[test]
fn a_folder_of_a_later_version_is_refused() {
    let folder = folder();
    drop(SqliteObserved::open(folder.path(), patient()).unwrap());
    let format = folder.path().join("observed/FORMAT");
    let text = fs::read_to_string(&format).unwrap();
    assert!(text.starts_with("stepwell observed runs\nformat 1\n"), "{text}");
    fs::write(&format, text.replace("format 1", "format 2")).unwrap();
    let refused = SqliteObserved::open(folder.path(), Options::default()).map(|_| ());
    let why = refused.unwrap_err().to_string();
    assert!(why.contains("format 2") && why.contains("observed"), "{why}");
}

/// §10.7: what waits to be folded is bounded; beyond it nothing is taken, and nothing taken is lost.
#[test]
fn a_long_tail_is_refused_and_goes_on_once_folded() {
    let (disk, tables) = (SimDisk::new(1 << 22), folder());
    let options = Options { tail_max: 4_000, disk_reserve: 0, ..Options::default() };
    let options = Options { segment_bytes: 1 << 16, ..options };
    let store = without_thread(&disk, tables.path(), options);
    let mut model = Model::default();
    let refused = (0..200).find_map(|id| {
        let event = told(1, id, Said::Running, id.into());
        let refused = store.append(&batch(&[event])).err();
        model.events.extend(refused.is_none().then_some(event));
        refused
    });
    let why = refused.expect("a bound");
    assert!(matches!(&why, Error::Unavailable(why) if why.contains("4000")), "{why}");
    store.fold_all().unwrap();
    let event = told(1, 900, Said::Success, 900);
    store.append(&batch(&[event])).unwrap();
    model.events.push(event);
    model.check(&store, at(1_000), "folded");
}

/// Below the reserve nothing is taken, so that durable runs go on.
#[test]
fn a_low_disk_is_refused() {
    let (disk, tables) = (SimDisk::new(1 << 20), folder());
    let options = Options { segment_bytes: 1 << 16, disk_reserve: 1 << 30, ..Options::default() };
    let store = without_thread(&disk, tables.path(), options);
    let refused = store.append(&batch(&[told(1, 1, Said::Running, 0)]));
    assert!(matches!(refused, Err(Error::DiskFull(_))), "{refused:?}");
}

/// A run keeps so many events; more are counted.
#[test]
fn a_run_keeps_a_bounded_number_of_events() {
    let store = SqliteObserved::in_memory().unwrap();
    let most = u16::try_from(EVENTS_MAX).unwrap();
    for some in (0..most + 7).collect::<Vec<_>>().chunks(4_000) {
        let events: Vec<Told> =
            some.iter().map(|id| told(1, *id, Said::Running, (*id).into())).collect();
        store.append(&batch(&events)).unwrap();
    }
    store.stop();
    let page = store.runs(&ask(), at(0)).unwrap();
    assert_eq!(page.runs[0].row.events, u32::from(most));
    let kept = store.run(SPACE, "refund", "req-1").unwrap().unwrap();
    let set = stepwell_telemetry::set::Set::read(&kept.set).unwrap();
    assert_eq!((set.len(), set.dropped()), (EVENTS_MAX, 7));
}

/// §10.5: a run that ended in silence has its missing steps counted once, and no more when it goes on.
#[test]
fn a_late_event_takes_back_what_silence_counted() {
    let (disk, tables) = (SimDisk::new(1 << 20), folder());
    let options = Options { disk_reserve: 0, segment_bytes: 1 << 16, ..Options::default() };
    let store = without_thread(&disk, tables.path(), options);
    let flow = declared("checkout", 5_000);
    assert!(store.declare(SPACE, "checkout", Some(&flow)).unwrap());
    assert!(!store.declare(SPACE, "checkout", Some(&flow)).unwrap(), "nothing changed");
    let begin = [told(2, 1, Said::Running, 0), told(2, 2, Said::Success, 9)];
    store.append(&batch(&begin)).unwrap();
    let missing = |now_ms: u64| {
        store.keep_house(at(now_ms)).unwrap();
        let stats = store.stats(SPACE, "checkout", Window::Hour, at(now_ms)).unwrap();
        stats.health.iter().map(|part| part.missing).sum::<u64>()
    };
    store.fold_all().unwrap();
    assert_eq!(missing(5_000), 0);
    assert_eq!(missing(5_009), 3);
    assert_eq!(missing(9_000), 3, "counted once");
    let late = Told { step: 1, id: 3, ..told(2, 3, Said::Running, 6_000) };
    store.append(&batch(&[late])).unwrap();
    store.fold_all().unwrap();
    assert_eq!(missing(9_000), 0);
    assert_eq!(missing(60_000), 0, "something is open");
}

/// Runs go by the age of their last event, statistics by theirs; what is younger stays.
#[test]
fn what_is_old_goes_and_the_rest_stays() {
    let (disk, tables) = (SimDisk::new(1 << 22), folder());
    let options = Options { disk_reserve: 0, segment_bytes: 1 << 16, ..Options::default() };
    let store = without_thread(&disk, tables.path(), options);
    let hour = 3_600_000;
    let mut events = Vec::new();
    for run in 0..20_u16 {
        let id = run * 2;
        let begin = u32::from(run) * hour / 10;
        events.push(told(run, id, Said::Running, begin));
        events.push(told(run, id + 1, Said::Error, begin + 1));
    }
    store.append(&batch(&events)).unwrap();
    store.fold_all().unwrap();
    let before = at(u64::from(hour));
    let (mut gone, mut slices) = (0, 0);
    loop {
        let purged = store.purge(before, 3).unwrap();
        assert!(purged.runs <= 3);
        gone += purged.runs;
        slices += 1;
        if !purged.more {
            break;
        }
    }
    assert_eq!((gone, slices), (10, 4));
    let now = at(u64::from(hour) * 2);
    let left = store.runs(&ask(), now).unwrap().runs;
    assert!(left.len() == 10 && left.iter().all(|run| run.row.last_at >= before), "{left:?}");
    for flow in ["checkout", "refund"] {
        let count: u64 = store
            .errors(SPACE, flow, Window::Day, now)
            .unwrap()
            .iter()
            .map(|group| group.count)
            .sum();
        assert_eq!(count, 5, "{flow}");
        let stats = store.stats(SPACE, flow, Window::Day, now).unwrap();
        assert_eq!(stats.health.iter().map(|part| part.runs).sum::<u64>(), 5, "{flow}");
        assert_eq!(stats.steps.iter().map(|step| step.failed).sum::<u64>(), 5, "{flow}");
    }
    while store.purge(at(u64::from(hour) * 3), 100).unwrap().more {}
    assert!(store.flows(SPACE, now).unwrap().is_empty());
}

/// Nothing of a namespace is left, nothing of another is touched, and the name may be used again.
#[test]
fn a_namespace_goes_whole() {
    let store = SqliteObserved::in_memory().unwrap();
    let events = [told(1, 1, Said::Running, 0), told(1, 2, Said::Error, 1)];
    store.append(&batch(&events)).unwrap();
    store.declare(SPACE, "unused", Some(&declared("unused", 1))).unwrap();
    store.declare("other", "unused", Some(&declared("unused", 1))).unwrap();
    store.remove_namespace(SPACE).unwrap();
    store.remove_namespace("nobody").unwrap();
    assert!(store.flows(SPACE, at(0)).unwrap().is_empty());
    assert!(store.runs(&ask(), at(0)).unwrap().runs.is_empty());
    assert_eq!(store.run(SPACE, "refund", "req-1").unwrap(), None);
    assert!(store.errors(SPACE, "refund", Window::Day, at(0)).unwrap().is_empty());
    assert_eq!(store.flows("other", at(0)).unwrap().len(), 1);
    store.append(&batch(&events)).unwrap();
    store.stop();
    Model { events: events.to_vec(), ..Model::default() }.check(&store, at(0), "anew");
}
