//! `stepwell doctor --store`: what it tells of a database.

use serde_json::{Value, json};
use stepwell_postgres::testing::{Place, place};
use stepwell_server::server;

use crate::backup::offline;
use crate::postgres::on;
use crate::support::{Runner, get, out, post};

/// Looks at a database; returns the exit code, and what is told to programs and to people.
fn look(place: &Place) -> (Option<i32>, Value, String) {
    let options = place.options();
    let all = ["doctor", "--store", &options.url, "--store-schema", &options.schema];
    let json = offline(&[&all[..], &["--json"]].concat());
    let shown = offline(&all);
    assert_eq!(json.status.code(), shown.status.code(), "{json:?}");
    let told = serde_json::from_str(out(&json).trim()).unwrap_or_default();
    (shown.status.code(), told, out(&shown))
}

fn sql(place: &Place, text: &str) {
    place.sql(text).unwrap();
}

/// Nodes with their leases, what lags, what is damaged, and runs that nobody takes over; beside nodes that are at
/// work.
#[tokio::test(flavor = "multi_thread")]
async fn doctor_tells_nodes_lags_orphans_and_damage() {
    let Some(place) = place().unwrap() else { return };
    let (a, b) = (
        server::start(&on(&place, "a")).await.unwrap(),
        server::start(&on(&place, "b")).await.unwrap(),
    );
    let mut runner = Runner::connect(a.address(), json!([{"name": "pay"}])).await;
    let mut runs = Vec::new();
    for key in ["one", "two", "three"] {
        let body = json!({"workflow": "pay", "key": key, "search": {"of": key}});
        runs.push(post(b.address(), "/api/v1/runs", &body).await.text("id"));
        runner.run_one().await;
        get(a.address(), &format!("/api/v1/runs/{}/result?wait=20s", runs[runs.len() - 1])).await;
    }
    let asleep = json!({"workflow": "pay", "delay": "1h"});
    let asleep = post(b.address(), "/api/v1/runs", &asleep).await.text("id");
    let (code, told, shown) = look(&place);
    assert_eq!((code, &told["problems"]), (Some(0), &json!([])), "{told}");
    assert_eq!(
        (&told["runs"], &told["orphans"], &told["format"]),
        (&json!(4), &json!(0), &json!(2))
    );
    let nodes = told["nodes"].as_array().unwrap();
    let of = |name: &str| nodes.iter().find(|node| node["node"] == name).unwrap();
    assert_eq!((&of("a")["state"], &of("b")["state"]), (&json!("live"), &json!("live")));
    assert!(of("a")["leaseMs"].as_i64() > Some(0) && of("a")["head"].as_u64() > Some(0), "{told}");
    assert!(shown.contains("✓ nothing is damaged") && shown.contains("live"), "{shown}");
    runner.say(json!([{"bye": {}}])).await;
    drop(runner);
    a.stop().await;
    b.stop().await;

    // Nobody is there: what waits is told with its age, and is no fault of the store.
    sql(&place, "UPDATE runs SET timer_at = store_time() - 90000000 WHERE timer_at IS NOT NULL");
    sql(
        &place,
        "INSERT INTO events (namespace, id, name, accepted_at, routed, kept)
        VALUES ('default', 'e', 'said', store_time() - 5000000, false, true)",
    );
    sql(&place, "UPDATE runs SET owner = 999999 WHERE key = 'one'");
    let (_, told, shown) = look(&place);
    assert_eq!((&told["dueTimers"]["count"], &told["leftRuns"]), (&json!(1), &json!(1)), "{told}");
    assert!(told["dueTimers"]["oldestMs"].as_u64() >= Some(90_000), "{told}");
    assert!(told["unroutedEvents"]["oldestMs"].as_u64() >= Some(5_000), "{told}");
    assert_eq!(told["orphans"], json!(0), "nobody is there who could take it over");
    assert!(shown.contains("1 runs are of nodes that are gone"), "{shown}");

    // A node that is there long enough, and does not take over: it would have.
    sql(
        &place,
        "INSERT INTO members (node, nonce, since, lease_until, head, base, high_water)
        VALUES ('idle', gen_random_uuid(), store_time() - 60000000, store_time() + 60000000, 0, 0, 0)",
    );
    let (code, told, shown) = look(&place);
    assert_eq!(
        (code, &told["orphans"], &told["leftRuns"]),
        (Some(1), &json!(1), &json!(0)),
        "{told}"
    );
    assert!(shown.contains("✗ the store: 1 runs are of members that are gone"), "{shown}");
    sql(&place, "UPDATE runs SET owner = NULL, timer_at = NULL; DELETE FROM members");

    damaged(&place, &runs, &asleep);
}

/// What is damaged is told with the run, or the event, that it is.
fn damaged(place: &Place, runs: &[String], asleep: &str) {
    sql(
        place,
        "UPDATE history SET bytes = overlay(bytes placing 'x'::bytea from 3)
        WHERE run = (SELECT id FROM runs WHERE key = 'one')",
    );
    sql(place, "UPDATE runs SET status = 'failed' WHERE key = 'two'");
    sql(place, "DELETE FROM history WHERE run = (SELECT id FROM runs WHERE key = 'three')");
    sql(place, "UPDATE events SET crc = 1 WHERE id = 'e'");
    sql(place, "UPDATE searches SET run = gen_random_uuid() WHERE text = 'one'");
    let (code, told, shown) = look(place);
    assert_eq!(code, Some(1), "{told}");
    let what = |run: &str| {
        let problems = told["problems"].as_array().unwrap();
        let found = problems.iter().find(|problem| problem["run"] == run);
        found.unwrap_or_else(|| panic!("{run}: {told}"))["what"].to_string()
    };
    assert!(what(&runs[0]).contains("is not what was written (CRC32C)"), "{told}");
    assert!(what(&runs[1]).contains("its row is not that of its journal"), "{told}");
    assert!(what(&runs[2]).contains("its history is missing"), "{told}");
    assert!(
        shown.contains("the event `e` of namespace `default` is not what was written"),
        "{shown}"
    );
    assert!(shown.contains("1 rows of `searches` are of runs that are not there"), "{shown}");
    assert!(what(asleep).contains("its row"), "its timer was taken away: {told}");
}

/// What is no store is told, with what is accepted.
#[tokio::test(flavor = "multi_thread")]
async fn doctor_says_where_no_store_is() {
    let Some(place) = place().unwrap() else { return };
    let url = place.options().url;
    let nothing = offline(&["doctor", "--store", &url, "--store-schema", "nothing_there"]);
    let said = String::from_utf8_lossy(&nothing.stderr).into_owned();
    assert_eq!(nothing.status.code(), Some(1), "{said}");
    assert!(said.contains("there is no store in the schema `nothing_there`; accepted: "), "{said}");
    for (arguments, wanted) in [
        (vec!["doctor", "--store", "localhost"], "accepted: postgres://"),
        (vec!["doctor", "--store", &url, "--data", "x"], "cannot be used with"),
        (vec!["doctor", "--store-schema", "s"], "--store"),
    ] {
        let refused = offline(&arguments);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(said.contains(wanted), "{said}");
    }
}
