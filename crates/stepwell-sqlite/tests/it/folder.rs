//! Folders: one owner, one format, readable with `sqlite3`, damage told, bounds kept.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use stepwell_core::id::RunId;
use stepwell_core::matching::Leaves;
use stepwell_core::status::{RunStatus, StepStatus};
use stepwell_core::time::Timestamp;
use stepwell_sqlite::{Embedded, Options, open_to_others};
use stepwell_store::batch::Batch;
use stepwell_store::conformance::{Script, Start};
use stepwell_store::event::{Event, EventId, EventWrite, Scope};
use stepwell_store::inbox::{Message, MessageId, MessageKind};
use stepwell_store::query::{EventName, Filter};
use stepwell_store::{Error, Store};
use tempfile::TempDir;

use crate::trace::at;

fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn options() -> Options {
    Options { segment_bytes: 16 << 10, disk_reserve: 0, ..Options::default() }
}

fn open(folder: &Path) -> Result<Embedded, Error> {
    Embedded::open(folder, options())
}

fn commit(store: &Embedded, n: u32, script: &mut Script) {
    store.commit(&Batch { at: at(n), runs: vec![script.write()], ..Batch::default() }).unwrap();
}

/// Puts a run with two steps, which ends.
fn ended_run(store: &Embedded, n: u32) -> RunId {
    let mut script = Script::new(at(n), n.into(), Start::default());
    commit(store, n, &mut script);
    script.activate().end("reserve", StepStatus::Completed, "{\"n\":1}");
    script.end("charge", StepStatus::Completed, "[2]").ended(RunStatus::Completed);
    commit(store, n, &mut script);
    script.id()
}

fn tables(folder: &Path) -> Connection {
    Connection::open(folder.join("stepwell.db")).unwrap()
}

#[test]
fn a_folder_has_one_owner() {
    let folder = folder();
    let store = open(folder.path()).unwrap();
    let error = open(folder.path()).map(drop).unwrap_err();
    let pid = std::process::id().to_string();
    assert!(matches!(&error, Error::Locked { why, .. } if why.contains(&pid)), "{error}");
    drop(store);
    drop(open(folder.path()).unwrap());
}

#[test]
fn a_format_that_is_not_known_is_refused_with_both_formats() {
    let folder = folder();
    drop(open(folder.path()).unwrap());
    let path = folder.path().join("FORMAT");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("format 2", "format 3")).unwrap();
    let error = open(folder.path()).map(drop).unwrap_err();
    let (at, accepted) = (folder.path().display(), "an empty folder, or a store of format 1 to 2");
    assert_eq!(error.to_string(), format!("there is format 3 in {at}; accepted: {accepted}"));
    assert!(fs::read_to_string(&path).unwrap().contains("format 3"), "nothing is changed");
    fs::remove_file(&path).unwrap();
    let error = open(folder.path()).map(drop).unwrap_err();
    assert!(matches!(&error, Error::Format { found, .. } if found.contains("FORMAT")), "{error}");
}

#[test]
fn tables_of_another_store_are_refused() {
    let (one, other) = (folder(), folder());
    drop(open(one.path()).unwrap());
    drop(open(other.path()).unwrap());
    fs::copy(one.path().join("stepwell.db"), other.path().join("stepwell.db")).unwrap();
    let error = open(other.path()).map(drop).unwrap_err();
    assert!(matches!(error, Error::Corrupt(_)), "{error}");
}

#[test]
fn tables_of_a_later_format_are_refused() {
    let folder = folder();
    drop(open(folder.path()).unwrap());
    let set = "UPDATE meta SET value = 2 WHERE name = 'format'";
    tables(folder.path()).execute(set, []).unwrap();
    let error = open(folder.path()).map(drop).unwrap_err();
    assert!(matches!(error, Error::Format { .. }), "{error}");
}

#[test]
fn a_tables_file_that_is_no_database_is_refused() {
    let folder = folder();
    drop(open(folder.path()).unwrap());
    fs::write(folder.path().join("stepwell.db"), "not a database, whatever it was before").unwrap();
    let error = open(folder.path()).map(drop).unwrap_err();
    assert!(matches!(error, Error::Corrupt(_)), "{error}");
}

/// A chunk is changed behind the store's back: its run is not served, all others are.
#[test]
fn a_damaged_history_quarantines_its_run_only() {
    let damages = [
        "UPDATE history SET records = replace(records, 'charge', 'charmed') WHERE run = ?1",
        "UPDATE history SET crc = crc + 1 WHERE run = ?1",
        "DELETE FROM history WHERE run = ?1 AND chunk = (SELECT max(chunk) FROM history WHERE run = ?1)",
        "UPDATE history SET chunk = chunk + 1 WHERE run = ?1",
        "DELETE FROM runs WHERE id = ?1",
        "DELETE FROM history WHERE run = ?1",
    ];
    for damage in damages {
        let folder = folder();
        let store = open(folder.path()).unwrap();
        let (bad, good) = (ended_run(&store, 1), ended_run(&store, 2));
        store.fold_all().unwrap();
        drop(store);
        tables(folder.path()).execute(damage, [bad.to_string()]).unwrap();
        let store = open(folder.path()).unwrap();
        let error = store.load(bad).unwrap_err();
        assert!(matches!(error, Error::Quarantined { run, .. } if run == bad), "{damage}: {error}");
        assert!(store.load(good).unwrap().is_some());
        let report = store.verify().unwrap();
        assert_eq!(report.problems.len(), 1, "{damage}: {:?}", report.problems);
        assert_eq!(report.problems[0].run, Some(bad));
    }
}

/// A run goes on although what is stored of it is damaged: it stays quarantined, and the records that
/// came are kept.
#[test]
fn a_quarantined_run_keeps_what_still_comes() {
    let folder = folder();
    let store = open(folder.path()).unwrap();
    let mut script = Script::new(at(1), 1, Start::default());
    commit(&store, 1, &mut script);
    store.fold_all().unwrap();
    script.activate();
    commit(&store, 2, &mut script);
    drop(store);
    tables(folder.path()).execute("UPDATE history SET crc = 0", []).unwrap();
    let store = open(folder.path()).unwrap();
    store.fold_all().unwrap();
    assert!(matches!(store.load(script.id()), Err(Error::Quarantined { .. })));
    let chunks: i64 = tables(folder.path())
        .query_row("SELECT count(*) FROM history", [], |row| row.get(0))
        .unwrap();
    assert_eq!(chunks, 2);
}

#[test]
fn rows_are_rebuilt_from_histories() {
    let folder = folder();
    let store = open(folder.path()).unwrap();
    let runs: Vec<RunId> = (1..700).map(|n| ended_run(&store, n)).collect();
    let list = |store: &Embedded| {
        let filter = Filter { namespace: "default".into(), limit: 1_000, ..Filter::default() };
        store.query(&filter, Duration::from_secs(20)).unwrap().runs
    };
    let before = list(&store);
    assert_eq!(before.len(), runs.len());
    tables(folder.path())
        .execute_batch("UPDATE runs SET status = 'queued', steps = 99; DELETE FROM runs WHERE id < (SELECT max(id) FROM runs)")
        .unwrap();
    assert_ne!(list(&store), before);
    assert_eq!(store.verify().unwrap().problems.len(), runs.len());
    let report = store.rebuild().unwrap();
    assert_eq!((report.runs, report.problems.len()), (699, 0));
    assert_eq!(list(&store), before);
    assert_eq!(store.verify().unwrap().problems, []);
}

/// The question that the README shows: a plain `sqlite3 -readonly`, while the store is open.
#[test]
fn plain_sqlite_answers_questions_about_runs_and_steps() {
    let folder = folder();
    let store = open(folder.path()).unwrap();
    let run = ended_run(&store, 1);
    let mut sleeping = Script::new(at(2), 2, Start::default());
    sleeping.activate().fail("charge", at(60)).sleep("pause", at(90)).begin("ship").release();
    commit(&store, 2, &mut sleeping);
    store.fold_all().unwrap();
    let question = "SELECT r.status, s.number, s.step, s.kind, s.status, s.attempts, s.output
        FROM steps s JOIN runs r ON r.id = s.run ORDER BY s.run, s.number";
    let expected = [
        "completed|1|reserve|run|completed|1|{\"n\":1}",
        "completed|2|charge|run|completed|1|[2]",
        "waiting|1|charge|run|retrying|1|",
        "waiting|2|pause|sleep|sleeping|0|",
        "waiting|3|ship|run|pending|1|",
    ];
    let path = folder.path().join("stepwell.db");
    let reader = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut statement = reader.prepare(question).unwrap();
    let rows = statement.query_map([], |row| {
        let column = |at| {
            Ok(match row.get(at)? {
                Value::Integer(number) => number.to_string(),
                Value::Text(text) => text,
                Value::Null => String::new(),
                other @ (Value::Real(_) | Value::Blob(_)) => format!("{other:?}"),
            })
        };
        Ok((0..7).map(column).collect::<rusqlite::Result<Vec<_>>>()?.join("|"))
    });
    let found: Vec<String> = rows.unwrap().map(Result::unwrap).collect();
    assert_eq!(found, expected);
    // And with the program that people have, where it is installed.
    for open in [true, false] {
        let Ok(output) = Command::new("sqlite3").arg("-readonly").arg(&path).arg(question).output()
        else {
            break;
        };
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text.lines().collect::<Vec<_>>(), expected, "open: {open}");
    }
    assert!(store.load(run).unwrap().is_some());
}

/// §4.9: the folder as a killed process leaves it, with the tables' own log beside them.
#[test]
fn a_copy_of_a_live_folder_opens() {
    let folder = folder();
    let store = open(folder.path()).unwrap();
    let runs: Vec<RunId> = (1..40).map(|n| ended_run(&store, n)).collect();
    store.fold_all().unwrap();
    let later: Vec<RunId> = (40..60).map(|n| ended_run(&store, n)).collect();
    let copy = copy_of(folder.path());
    let copied = open(copy.path()).unwrap();
    for run in runs.iter().chain(&later) {
        assert_eq!(copied.load(*run).unwrap(), store.load(*run).unwrap());
    }
    assert_eq!(copied.verify().unwrap().problems, []);
}

fn copy_of(from: &Path) -> TempDir {
    let to = folder();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
    }
    to
}

/// A data folder of each released format is read for ever.
#[test]
fn the_first_format_is_read() {
    let fixture = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/format-1");
    let copy = copy_of(&fixture);
    let store = open(copy.path()).unwrap();
    assert_eq!(store.store_id(), 0x5_7e11_f1c7);
    let filter = Filter { namespace: "default".into(), limit: 99, ..Filter::default() };
    let page = store.query(&filter, Duration::from_secs(20)).unwrap();
    let found: Vec<(&str, u32)> =
        page.runs.iter().map(|row| (row.status.as_str(), row.steps)).collect();
    let expected = [
        ("queued", 0),
        ("blocked", 0),
        ("failed", 1),
        ("completed", 2),
        ("waiting", 2),
        ("running", 1),
        ("queued", 0),
    ];
    assert_eq!(found, expected);
    let begin = Timestamp::from_millis(1_795_262_400_000);
    assert_eq!(store.high_water().unwrap(), begin.after(Duration::from_secs(9)));
    assert_eq!(store.workflows().unwrap().len(), 1);
    let running = store.load(page.runs[5].id).unwrap().unwrap();
    assert!(String::from_utf8(running).unwrap().contains("\"ch_2\""), "from the log");
    assert_eq!(store.verify().unwrap().problems, []);
}

/// A folder from before there were events and waits gets the tables for them.
#[test]
fn the_first_format_takes_events() {
    let copy = copy_of(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/format-1"));
    let store = open(copy.path()).unwrap();
    let event = event("e-1");
    let accepted = EventWrite::Accepted(Arc::new(event.clone()));
    store.commit(&Batch { at: at(1), events: vec![accepted], ..Batch::default() }).unwrap();
    drop(store);
    let store = open(copy.path()).unwrap();
    assert_eq!(*store.event(&event.id).unwrap().unwrap().event, event, "from the log");
    store.fold_all().unwrap();
    assert_eq!(*store.event(&event.id).unwrap().unwrap().event, event, "from the tables");
    let name = EventName { namespace: "default".into(), name: "paid".into() };
    assert_eq!(store.waits_for(&name, &Leaves::All, None, 9).unwrap(), []);
}

/// A folder from before there were children gets what they need: a column, an index, the inbox.
#[test]
fn the_first_format_takes_children_and_messages() {
    let copy = copy_of(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/format-1"));
    let store = open(copy.path()).unwrap();
    let parent = RunId::from_u128(77);
    let mut child = Script::new(at(1), 1, Start { parent: Some(parent), ..Start::default() });
    let id = MessageId { to: parent, from: child.id(), kind: MessageKind::ChildEnded };
    let message = Arc::new(Message { id, body: "{}".into() });
    let (runs, messages) = (vec![child.write()], vec![message.clone()]);
    store.commit(&Batch { at: at(1), runs, messages, ..Batch::default() }).unwrap();
    drop(store);
    let store = open(copy.path()).unwrap();
    assert_eq!(store.inbox(None, 9).unwrap(), std::slice::from_ref(&message), "from the log");
    store.fold_all().unwrap();
    assert_eq!(store.inbox(None, 9).unwrap(), [message], "from the tables");
    let of = Some(parent);
    let filter = Filter { namespace: "default".into(), parent: of, limit: 9, ..Filter::default() };
    let page = store.query(&filter, Duration::from_secs(20)).unwrap();
    assert_eq!(page.runs.iter().map(|row| row.id).collect::<Vec<_>>(), [child.id()]);
    let damage = "UPDATE inbox SET body = '{\"a\":1}'";
    tables(copy.path()).execute(damage, []).unwrap();
    assert!(matches!(store.inbox(None, 9), Err(Error::Corrupt(_))), "a damaged message is told");
}

/// An event is changed behind the store's back: it is not served, all others are.
#[test]
fn a_damaged_event_is_told() {
    let folder = folder();
    let store = open(folder.path()).unwrap();
    let events = ["e-1", "e-2"].map(event);
    let accepted = events.clone().map(|event| EventWrite::Accepted(Arc::new(event)));
    store.commit(&Batch { at: at(1), events: accepted.to_vec(), ..Batch::default() }).unwrap();
    store.fold_all().unwrap();
    let damage = "UPDATE events SET data = '{\"order\":2}' WHERE id = 'e-1'";
    tables(folder.path()).execute(damage, []).unwrap();
    let error = store.event(&events[0].id).unwrap_err();
    assert!(matches!(&error, Error::Corrupt(what) if what.contains("`e-1`")), "{error}");
    assert!(store.event(&events[1].id).unwrap().is_some());
    let problems = store.verify().unwrap().problems;
    assert!(matches!(&problems[..], [one] if one.what.contains("`e-1`")), "{problems:?}");
}

fn event(id: &str) -> Event {
    Event {
        id: EventId { namespace: "default".into(), id: id.into() },
        name: "paid".into(),
        accepted_at: at(1),
        data: Some("{\"order\":1}".into()),
        offer: None,
        scope: Scope::default(),
    }
}

/// Nothing is folded, so the tail grows: beyond its bound new runs wait, running ones go on.
#[test]
fn a_tail_over_its_bound_refuses_new_runs_only() {
    let folder = folder();
    let store = Embedded::open(folder.path(), Options { tail_max: 20_000, ..options() }).unwrap();
    let mut running = Script::new(at(1), 1, Start::default());
    commit(&store, 1, &mut running);
    let mut n = 10;
    let mut start = || {
        n += 1;
        let mut script = Script::new(at(n), n.into(), Start::default());
        Batch { at: at(n), runs: vec![script.write()], grows: true, ..Batch::default() }
    };
    let refused = loop {
        if let Err(error) = store.commit(&start()) {
            break error;
        }
    };
    assert!(matches!(&refused, Error::Unavailable(why) if why.contains("20000")), "{refused}");
    assert!(store.health().tail_bytes > 20_000);
    assert_eq!(store.health().refuses_growth, Some(refused));
    running.activate().ended(RunStatus::Completed);
    commit(&store, 2, &mut running);
    store.fold_all().unwrap();
    store.commit(&start()).unwrap();
    assert_eq!(store.health().refuses_growth, None);
}

/// Batches are folded when they are old, with those that are half as old, and all of them when nothing is
/// committed any more.
#[test]
fn a_fold_takes_what_is_old_and_all_when_nothing_comes() {
    let folder = folder();
    let options = Options { fold_after: Duration::from_secs(4), ..options() };
    let store = Embedded::open(folder.path(), options).unwrap();
    store.fold_all().unwrap();
    for n in 1..=4 {
        ended_run(&store, n);
    }
    assert_eq!(store.fold_once(at(4), u64::MAX).unwrap().batches, 0);
    ended_run(&store, 5);
    // Each second has two commits.
    let folded = store.fold_once(at(5), u64::MAX).unwrap();
    assert_eq!((folded.batches, folded.runs, folded.more), (6, 3, false));
    assert_eq!(store.fold_once(at(6), u64::MAX).unwrap().batches, 0);
    let folded = store.fold_once(at(9), u64::MAX).unwrap();
    assert_eq!((folded.batches, folded.runs, folded.more), (4, 2, false));
}

/// News of runs that are in the tables already go there late, with as many others as there are by then.
#[test]
fn a_fold_that_would_write_all_over_the_tables_waits() {
    let folder = folder();
    let (fold_after, fold_late) = (Duration::from_secs(3), Duration::from_secs(8));
    let options = Options { fold_after, fold_late, ..options() };
    let store = Embedded::open(folder.path(), options).unwrap();
    let mut scripts: Vec<_> = (1..=4)
        .map(|n| {
            let mut script = Script::new(at(1), n, Start::default());
            commit(&store, 1, &mut script);
            script
        })
        .collect();
    store.fold_all().unwrap();
    for (n, script) in (10..).step_by(2).zip(&mut scripts) {
        assert_eq!(store.fold_once(at(n), u64::MAX).unwrap().batches, 0, "at {n}");
        script.activate().ended(RunStatus::Completed);
        commit(&store, n, script);
    }
    // Of 10, 12, 14 and 16, what is half of the 8 seconds old goes with the first.
    assert_eq!(store.fold_once(at(18), u64::MAX).unwrap().batches, 3);
}

/// Of a tail that is too long the older half is folded, whatever its age.
#[test]
fn a_fold_takes_the_older_half_of_what_is_too_much() {
    let folder = folder();
    let fold_after = Duration::from_mins(1);
    let options = Options { fold_beyond: 10_000, fold_after, ..options() };
    let store = Embedded::open(folder.path(), options).unwrap();
    store.fold_all().unwrap();
    let mut n = 1;
    while store.health().tail_bytes <= 10_000 {
        ended_run(&store, n);
        n += 1;
    }
    store.fold_once(at(n - 1), u64::MAX).unwrap();
    let left = store.health().tail_bytes;
    assert!(left <= 5_000 && left > 4_000, "{left}");
}

#[test]
fn segments_are_used_again_and_space_is_given_back() {
    let folder = folder();
    let store = open(folder.path()).unwrap();
    let count = || {
        let names = fs::read_dir(folder.path()).unwrap();
        names
            .filter(|entry| {
                entry.as_ref().unwrap().file_name().to_str().unwrap().starts_with("log-")
            })
            .count()
    };
    for n in 1..200 {
        ended_run(&store, n);
    }
    assert!(count() > 9, "{}", count());
    store.fold_all().unwrap();
    let kept = count();
    assert!(kept <= 9, "{kept}");
    for n in 200..230 {
        ended_run(&store, n);
    }
    assert_eq!(count(), kept, "segments are used again");
}

#[test]
fn the_fold_thread_folds_in_the_background_and_lists_wait_for_it() {
    let folder = folder();
    let store = open(folder.path()).unwrap();
    store.spawn_fold().unwrap();
    let filter = Filter { namespace: "default".into(), limit: 9, ..Filter::default() };
    for n in 1..5 {
        let run = ended_run(&store, n);
        let page = store.query(&filter, Duration::from_secs(20)).unwrap();
        assert!(!page.stale);
        assert_eq!(page.runs[0].id, run);
    }
    assert_eq!(store.health().tail_bytes, 0);
}

/// Files that an earlier version made, and whatever else lets others read them, are for their owner only once the
/// folder was opened; until then they are told.
#[test]
fn files_that_others_may_read_are_tightened() {
    let folder = folder();
    drop(open(folder.path()).unwrap());
    let mode = |name: &str, mode: u32| {
        fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    mode(".", 0o700);
    assert_eq!(open_to_others(folder.path()).unwrap(), []);
    mode("stepwell.db", 0o644);
    mode("log-000001", 0o640);
    mode("notes.txt", 0o644);
    let told = [("log-000001".to_owned(), 0o640), ("stepwell.db".to_owned(), 0o644)];
    assert_eq!(open_to_others(folder.path()).unwrap(), told);
    drop(open(folder.path()).unwrap());
    assert_eq!(open_to_others(folder.path()).unwrap(), []);
    mode(".", 0o755);
    drop(open(folder.path()).unwrap());
    assert_eq!(open_to_others(folder.path()).unwrap(), [(".".to_owned(), 0o755)]);
    let notes = fs::metadata(folder.path().join("notes.txt")).unwrap().permissions().mode();
    assert_eq!(notes & 0o777, 0o644, "what is not ours stays as it is");
}

/// Rows that belong to nothing are told, and go when what is derived is made anew.
#[test]
fn rows_that_belong_to_nothing_are_told_and_dropped() {
    let orphans = [
        "INSERT INTO searches (run, name, namespace, kind, value) VALUES ('run_0', 'a', 'default', 1, '1')",
        "INSERT INTO waits (namespace, event, leaf, run, step, app, since)
            VALUES ('default', 'paid', 0, 'run_0', 'w', 'shop', 0)",
        "INSERT INTO event_runs (namespace, event, run, step) VALUES ('default', 'e', 'run_0', 'w')",
    ];
    for (orphan, told) in orphans.into_iter().zip(["searches", "waits", "event_runs"]) {
        let folder = folder();
        let store = open(folder.path()).unwrap();
        ended_run(&store, 1);
        store.fold_all().unwrap();
        drop(store);
        tables(folder.path()).execute(orphan, []).unwrap();
        let store = open(folder.path()).unwrap();
        let problems = store.verify().unwrap().problems;
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].what.starts_with(&format!("1 rows of `{told}`")), "{problems:?}");
        store.rebuild().unwrap();
        assert_eq!(store.verify().unwrap().problems, []);
    }
}

/// What days brought in is told of the last seven, and how far tables, log and engine time are.
#[test]
fn growth_is_told_by_the_day() {
    const DAY: u32 = 86_400;
    let folder = folder();
    let store = open(folder.path()).unwrap();
    for n in 0..9 {
        for more in 0..=n {
            ended_run(&store, n * DAY + more);
        }
    }
    let tail = store.verify().unwrap();
    assert!(tail.tail_bytes > 0 && tail.folded < tail.head, "{tail:?}");
    assert_eq!(tail.high_water, at(8 * DAY + 8));
    store.fold_all().unwrap();
    let report = store.verify().unwrap();
    assert_eq!((report.tail_bytes, report.folded), (0, report.head));
    let runs: Vec<_> = report.days.iter().map(|day| day.runs).collect();
    assert_eq!(runs, [3, 4, 5, 6, 7, 8, 9]);
    assert!(report.days.iter().all(|day| day.journal_bytes > day.runs * 100), "{report:?}");
    assert!(report.days.windows(2).all(|two| two[0].begins < two[1].begins));
}
