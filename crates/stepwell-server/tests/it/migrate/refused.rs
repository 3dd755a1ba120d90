//! What is refused, and a move that was killed.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use stepwell_postgres::Postgres;
use stepwell_postgres::testing::{Place, place};
use stepwell_server::server;
use stepwell_sqlite::{Embedded, Options};
use stepwell_store::Store;

use super::calls::{database, folder, migrate, moved, on_folder, sums};
use super::many::fill;
use crate::backup::{World, offline, text};
use crate::postgres::on;
use crate::support::out;

/// Runs of the moves that are killed: several portions of them.
const RUNS: u32 = 9_000;

/// Starts a move whose database is held up where it comes to the runs of bulk acts, nearly at its end, waits until it is there, and kills
/// it.
fn kill_in_between(place: &Place, from: &[String], to: &[String]) {
    place.sql("BEGIN; LOCK TABLE bulk_runs IN ACCESS EXCLUSIVE MODE").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_stepwell"));
    command.arg("migrate").args(from).args(to).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let begun = Instant::now();
    let waits =
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'bulk_runs'::regclass";
    while place.sql(waits).unwrap() != [[Some("1".to_owned())]] {
        assert!(begun.elapsed() < Duration::from_mins(1), "it does not come to bulk acts");
        assert_eq!(child.try_wait().unwrap(), None, "it has ended");
        std::thread::sleep(Duration::from_millis(20));
    }
    // SIGKILL.
    child.kill().unwrap();
    child.wait().unwrap();
    place.sql("ROLLBACK").unwrap();
}

/// A move that was killed goes on where it was, writes nothing twice, and what is half there is refused by servers and
/// by moves of another store, in both directions.
#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_was_killed_goes_on_where_it_was() {
    let Some(place) = place().unwrap() else { return };
    let world = World::new();
    let (data, other, back) = (world.path("data"), world.path("other"), world.path("back"));
    fill(&data, RUNS);
    fill(&other, 10);
    // Its tables, so that one of them can be locked.
    drop(Postgres::join(&place.options(), "first", 1).unwrap());
    let (from, to) = (folder("from", &data), database("to", &place));
    kill_in_between(&place, &from, &to);
    let counted = place.sql("SELECT count(*) FROM runs").unwrap();
    assert_eq!(counted, [[Some(RUNS.to_string())]]);
    let refused = server::start(&on(&place, "a")).await.map(drop).unwrap_err().to_string();
    assert!(
        refused.contains("that a move was filling") && refused.contains("stepwell migrate"),
        "{refused}"
    );
    let refused = migrate(&folder("from", &other), &to, &[]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("is being filled from the folder of store"), "{said}");
    let told = moved(&from, &to);
    assert_eq!(told["written"], json!(0), "all journals were there: {told}");
    let there = sums(&told);

    let (from, to) = (database("from", &place), folder("to", &back));
    kill_in_between(&place, &from, &to);
    let refused = Embedded::open(&back, Options::default()).map(drop).unwrap_err().to_string();
    assert!(refused.contains("that a move was filling"), "{refused}");
    let refused = migrate(&folder("from", &other), &to, &[]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("is being filled from database"), "{said}");
    let told = moved(&from, &to);
    assert_eq!((&told["written"], sums(&told)), (&json!(0), there));
}

/// A move changes nothing where it was, until it is at its end.
#[test]
fn a_move_that_did_not_end_leaves_its_source_as_it_was() {
    let Some(place) = place().unwrap() else { return };
    let world = World::new();
    let data = world.path("data");
    fill(&data, 50);
    drop(Postgres::join(&place.options(), "first", 1).unwrap());
    kill_in_between(&place, &folder("from", &data), &database("to", &place));
    let store = Embedded::open(&data, Options::default()).unwrap();
    assert_eq!(store.verify().unwrap().runs, 50);
    // It went on: what was begun is of a past of it.
    let at = store.high_water().unwrap().after(Duration::from_secs(1));
    let batch = stepwell_store::batch::Batch { at, ..Default::default() };
    store.commit(&batch).unwrap();
    drop(store);
    let refused = migrate(&folder("from", &data), &database("to", &place), &[]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("unchanged since"), "{said}");
}

fn refusal(from: &[String], to: &[String]) -> (Option<i32>, String) {
    let output = migrate(from, to, &[]);
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// What somebody uses is not moved and not moved to, nor is what is not empty; bad options say what is accepted.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_moved_is_refused_with_what_can() {
    let Some(place) = place().unwrap() else { return };
    let world = World::new();
    let (data, live, new) = (world.path("data"), world.path("live"), world.path("new"));
    fill(&data, 5);
    let alive = on_folder(&live).await;
    let used = server::start(&on(&place, "a")).await.unwrap();
    let [from_data, from_live] = [&data, &live].map(|path| folder("from", path));
    let [to_new, to_data] = [&new, &data].map(|path| folder("to", path));
    let (from_used, to_used) = (database("from", &place), database("to", &place));
    let mut nowhere = database("from", &place);
    nowhere[3] = "nothing_there".to_owned();
    let flags = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let is_empty = Path::new(text(&new)).join("x");
    std::fs::create_dir_all(&is_empty).unwrap();
    let cases = [
        (from_live.clone(), to_used.clone(), 1, "is owned by another process"),
        (from_data.clone(), to_used.clone(), 1, "the node `a` uses the store"),
        (from_used.clone(), folder("to", &world.path("fresh")), 1, "the node `a` uses the store"),
        (
            from_data.clone(),
            to_new.clone(),
            1,
            "is not empty: there is x; accepted: an empty folder",
        ),
        (from_data.clone(), to_data.clone(), 2, "accepted: two stores"),
        (nowhere, folder("to", &world.path("fresh")), 1, "there is no whole store in the schema"),
        (folder("from", &is_empty), to_used.clone(), 1, "no store is there"),
        (
            flags(&["--from", "mysql://root:hunter2@h/d"]),
            to_new.clone(),
            2,
            "accepted: postgres://",
        ),
        (
            flags(&["--from", text(&data), "--from-schema", "s"]),
            to_used.clone(),
            2,
            "is for databases",
        ),
        (from_data.clone(), Vec::new(), 2, "--to <PLACE>"),
    ];
    for (from, to, code, wanted) in cases {
        let (found, said) = refusal(&from, &to);
        assert_eq!(found, Some(code), "{said}");
        assert!(said.contains(wanted) && !said.contains("hunter2"), "{wanted}: {said}");
    }
    // Nothing was made of it.
    assert!(!world.path("fresh").join("MOVING").exists());

    used.stop().await;
    let (code, said) = refusal(&from_data, &to_used);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("is not empty: there are rows in its table"), "{said}");

    alive.stop().await;
}

/// Observed runs are kept in folders only, and so is left behind only what one says is to be.
#[tokio::test(flavor = "multi_thread")]
async fn observed_runs_are_left_behind_only_where_one_says_so() {
    let Some(place) = place().unwrap() else { return };
    let world = World::new();
    let data = world.path("data");
    let server = on_folder(&data).await;
    let url = format!("http://{}", server.address());
    let telemetry =
        stepwell::telemetry::Telemetry::builder().url(url).project_key("sw_any").build();
    telemetry.run("checkout", "req_1").skip("gift-wrap");
    assert!(telemetry.flush().await);
    server.stop().await;
    let (from, to) = (folder("from", &data), database("to", &place));
    let (code, said) = refusal(&from, &to);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("observed runs or flows") && said.contains("--without-observed"),
        "{said}"
    );
    let done = migrate(&from, &to, &["--without-observed"]);
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    assert!(out(&done).contains("is marked as moved"), "{done:?}");
}

/// Runs that are held back since they are of a copy are not moved.
#[test]
fn what_is_held_back_is_not_moved() {
    let Some(place) = place().unwrap() else { return };
    let world = World::new();
    let (data, restored) = (world.path("data"), world.path("restored"));
    fill(&data, 5);
    let store: Arc<dyn Store> = Arc::new(Embedded::open(&data, Options::default()).unwrap());
    let ask = stepwell_store::backup::Ask {
        into: &world.path("backups"),
        at: store.high_water().unwrap(),
        kept: 1,
        reserve: 0,
        watch: &|_| stepwell_store::backup::Go::On,
    };
    let taken = store.in_folder().unwrap().back_up(&ask).unwrap();
    drop(store);
    let copy = world.path("backups").join(taken.name);
    let made = offline(&["restore", text(&copy), "--data", text(&restored)]);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    let (code, said) = refusal(&folder("from", &restored), &database("to", &place));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("held back") && said.contains("stepwell start --resume"), "{said}");
    let let_go = Embedded::open(&restored, Options::default()).unwrap();
    let_go.in_folder().unwrap().let_go().unwrap();
    let until = let_go.in_folder().unwrap().restored().unwrap().until;
    drop(let_go);
    // What the copy's original gave out stays void, there and back.
    moved(&folder("from", &restored), &database("to", &place));
    let void = place.sql("SELECT value FROM meta WHERE name = 'void_until'").unwrap();
    assert_eq!(void, [[Some(until.as_micros().to_string())]]);
    let back = world.path("back");
    moved(&database("from", &place), &folder("to", &back));
    let back = Embedded::open(&back, Options::default()).unwrap();
    let restored = back.in_folder().unwrap().restored().unwrap();
    assert_eq!((restored.until, restored.held), (until, false));
}
