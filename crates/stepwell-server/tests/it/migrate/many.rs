//! Many runs, half of them parked, there and back, and on.
//!
//! `STEPWELL_MIGRATE_RUNS` says how many; `make migrate` sets it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use stepwell::{App, Ctx, Result};
use stepwell_core::clean_up::{Compensable, EndOptions};
use stepwell_core::id::RunId;
use stepwell_core::record::{Activated, Ended, Opening, Record, Released, SleepStarted, Started};
use stepwell_core::run::Run;
use stepwell_core::status::{Kind, RunStatus};
use stepwell_core::summary::Summary;
use stepwell_core::time::Timestamp;
use stepwell_postgres::testing::place;
use stepwell_sqlite::{Embedded, Options};
use stepwell_store::Store;
use stepwell_store::batch::{Batch, RunWrite, Workflow};
use stepwell_store::event::{Did, Event, EventId, EventWrite, Scope};

use super::calls::{database, folder, moved, on_folder, sums};
use crate::backup::World;
use crate::support::get;

/// Runs of one commit.
const BATCH: u32 = 1_000;
/// Runs that a runner has in progress at most.
const SLOTS: u32 = 2_048;
/// Longest time in which all parked runs go on.
const PATIENCE: Duration = Duration::from_mins(20);

fn wall() -> Timestamp {
    Timestamp::from_micros(0).after(std::time::UNIX_EPOCH.elapsed().unwrap())
}

/// Writes runs into a new folder, of which every other one sleeps and is due by now, and the others have ended; an
/// event for each hundred of them.
pub(super) fn fill(folder: &Path, runs: u32) {
    let store = Embedded::open(folder, Options::default()).unwrap();
    let from = wall().before(Duration::from_hours(1));
    let mut batch = Batch { at: from, grows: true, ..Batch::default() };
    for name in ["napper", "done"] {
        batch.workflows.push(Workflow {
            namespace: "default".into(),
            app: "shop".into(),
            name: name.into(),
            options: "{}".into(),
            first_at: from,
            changed_at: from,
        });
    }
    for number in 0..runs {
        let at = from.after(Duration::from_micros(100) * number);
        let write = write(at, number);
        if number.is_multiple_of(100) {
            batch.events.extend(event(at, number, write.run));
        }
        batch.runs.push(write);
        batch.at = at;
        if number % BATCH == BATCH - 1 || number + 1 == runs {
            store.commit(&batch).unwrap();
            batch = Batch { at, grows: true, ..Batch::default() };
        }
    }
    store.fold_all().unwrap();
}

/// An event that started a run.
fn event(at: Timestamp, number: u32, run: RunId) -> [EventWrite; 3] {
    let id = EventId { namespace: "default".into(), id: format!("event-{number}").into() };
    let event = Event {
        id: id.clone(),
        name: "ordered".into(),
        accepted_at: at,
        data: Some(format!("{{\"number\":{number}}}").into()),
        offer: None,
        scope: Scope::default(),
    };
    let did = vec![Did { run, step: None }];
    [
        EventWrite::Accepted(Arc::new(event)),
        EventWrite::Did(id.clone(), did),
        EventWrite::Routed(id),
    ]
}

/// A run as a runner left it.
fn write(at: Timestamp, number: u32) -> RunWrite {
    let entropy = u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834);
    let id = RunId::new(at, entropy);
    let is_parked = number.is_multiple_of(2);
    let search = format!(r#"{{"number": {number}, "even": {is_parked}, "of": "DE"}}"#);
    let key = format!("order-{number}");
    let mut journal = Vec::new();
    Record::Started(Started {
        at,
        namespace: "default".into(),
        app: "shop".into(),
        workflow: if is_parked { "napper".into() } else { "done".into() },
        input: None,
        key: number.is_multiple_of(3).then(|| key.as_str().into()),
        deadline: None,
        not_before: None,
        metadata: None,
        runner: None,
        ends: EndOptions::default(),
        forked_from: None,
        rerun_of: None,
        by: None,
        reason: None,
        parent: None,
        depth: 0,
        continues: None,
        inherited: None,
        event: None,
        search: if number.is_multiple_of(5) {
            serde_json::from_str(&search).unwrap()
        } else {
            BTreeMap::default()
        },
        traceparent: None,
    })
    .encode(&mut journal);
    Record::Activated(Activated {
        at,
        epoch: 1,
        nonce: 7,
        runner: "green".into(),
        instance: "i-1".into(),
        version: Some("1".into()),
        build: None,
        alone: false,
        ends: EndOptions::default(),
    })
    .encode(&mut journal);
    if is_parked {
        let open = Opening {
            kind: Kind::Sleep,
            after: 0,
            at,
            input: None,
            metadata: None,
            compensable: Compensable::No,
            once: None,
            branch: None,
            kept_from: None,
        };
        let until = at.after(Duration::from_secs(2));
        Record::SleepStarted(SleepStarted { step: "nap".into(), until, open }).encode(&mut journal);
        Record::Released(Released { at, seen: 0 }).encode(&mut journal);
    } else {
        let status = RunStatus::Completed;
        Record::Ended(Ended { at, status, output: None, error: None, continued_as: None })
            .encode(&mut journal);
    }
    let summary = Summary::of(&Run::replay(id, &journal).unwrap());
    RunWrite { run: id, records: journal, summary, waits: Arc::default() }
}

async fn napper(ctx: Ctx) -> Result<()> {
    ctx.sleep("nap", "2s").await
}

async fn done(_: Ctx) -> Result<()> {
    Ok(())
}

fn rate(count: u32, took: Duration) -> f64 {
    f64::from(count) / took.as_secs_f64().max(0.001)
}

/// Parked and ended runs are the same byte by byte in a folder, in PostgreSQL and in another folder; and there all
/// that were parked go on and end.
#[expect(clippy::print_stdout, reason = "the figures are what `make migrate` shows")]
#[tokio::test(flavor = "multi_thread")]
async fn parked_runs_move_there_and_back_and_all_go_on() {
    let Some(place) = place().unwrap() else { return };
    let runs =
        std::env::var("STEPWELL_MIGRATE_RUNS").ok().map_or(400, |text| text.parse().unwrap());
    let world = World::new();
    let (data, back) = (world.path("data"), world.path("back"));
    fill(&data, runs);
    let begun = Instant::now();
    let there = moved(&folder("from", &data), &database("to", &place));
    let took_there = begun.elapsed();
    let begun = Instant::now();
    let here = moved(&database("from", &place), &folder("to", &back));
    let took_back = begun.elapsed();
    assert_eq!(sums(&there), sums(&here), "what came back is not what was there");
    for (kind, count, hash) in sums(&here) {
        println!("migrate: {kind:<18}{count:>9}  {hash}");
    }
    let millis = |told: &Value, name: &str| Duration::from_millis(told[name].as_u64().unwrap());
    for (what, told, took) in
        [("folder to PostgreSQL", &there, took_there), ("PostgreSQL to folder", &here, took_back)]
    {
        println!(
            "migrate: {what}: {runs} runs in {took:.1?}; written in {:.1?} ({:.0} a second), compared in {:.1?}",
            millis(told, "movedMs"),
            rate(runs, millis(told, "movedMs")),
            millis(told, "comparedMs"),
        );
    }

    let server = on_folder(&back).await;
    let url = format!("http://{}", server.address());
    let app = App::new("shop").workflow("napper", napper).workflow("done", done);
    let runner = tokio::spawn(app.runner("green").slots(SLOTS).serve(url).into_future());
    let parked = runs.div_ceil(2);
    let begun = Instant::now();
    let of = |counts: &Value, status: &str| counts[status]["runs"].as_u64().unwrap();
    let counts = loop {
        let counts = get(server.address(), "/api/v1/runs/counts").await.json()["counts"].take();
        let open = ["queued", "running", "waiting"].map(|status| of(&counts, status));
        if open == [0; 3] || begun.elapsed() > PATIENCE {
            break counts;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    for status in ["queued", "running", "waiting", "blocked", "failed", "cancelled", "timed_out"] {
        assert_eq!(of(&counts, status), 0, "{counts}");
    }
    let took = begun.elapsed();
    println!(
        "migrate: all {parked} parked runs went on and ended in {took:.1?} ({:.0} a second)",
        rate(parked, took)
    );
    runner.abort();
    server.stop().await;
    let store = Embedded::open(&back, Options::default()).unwrap();
    let report = store.verify().unwrap();
    assert_eq!((report.runs, report.problems), (u64::from(runs), Vec::new()));
    assert_eq!(store.open_runs(Duration::ZERO).unwrap(), []);
}
