//! Bad requests about a run that is there, and about events.

use serde_json::json;

use super::{ApiCase, check, other, with};
use crate::support::{Runner, get, post, server};

fn starts() -> Vec<ApiCase> {
    let runs = "POST /api/v1/runs";
    let bad = (400, "SW1001");
    let many: Vec<_> = (0..21).map(|n| format!("\"a{n}\":1")).collect();
    let many = format!(r#"{{"workflow":"pay","search":{{{}}}}}"#, many.join(","));
    let long = format!(r#"{{"workflow":"pay","search":{{"a":"{}"}}}}"#, "x".repeat(257));
    vec![
        with("too many search attributes", runs, &many, bad, "at most 20"),
        with(
            "a search attribute that is too long",
            runs,
            &long,
            bad,
            "257 bytes; accepted: at most 256",
        ),
        with(
            "a search attribute without a name",
            runs,
            r#"{"workflow":"pay","search":{"":1}}"#,
            bad,
            "is empty",
        ),
        with(
            "a delay and an instant",
            runs,
            r#"{"workflow":"pay","delay":"1h","at":"2030-01-01T00:00:00Z"}"#,
            bad,
            "not both",
        ),
        with(
            "an instant that is none",
            runs,
            r#"{"workflow":"pay","at":"tomorrow"}"#,
            bad,
            "`tomorrow` is not an instant; accepted",
        ),
        with(
            "a delay that is negative",
            runs,
            r#"{"workflow":"pay","delay":"-1s"}"#,
            bad,
            "`delay`: `-1s` is not a duration",
        ),
        with(
            "a wait that is too long",
            "POST /api/v1/runs?wait=6m",
            r#"{"workflow":"pay"}"#,
            bad,
            "at most 5m",
        ),
        with(
            "a wait that is misspelt",
            "POST /api/v1/runs?wiat=1m",
            r#"{"workflow":"pay"}"#,
            bad,
            "expected `wait`",
        ),
        other(
            "a search without a comparison",
            "GET /api/v1/runs?search=amount",
            bad,
            "NAME then =, <",
        ),
        other("a parent that is none", "GET /api/v1/runs?parent=7", bad, "`7` is not a run id"),
        other("an end that is none", "GET /api/v1/runs?to=x", bad, "ISO 8601"),
        other("a glance at nothing", "GET /api/v1/runs/glance", bad, "missing field `ids`"),
    ]
}

fn acts(run: &str) -> Vec<ApiCase> {
    let bad = (400, "SW1001");
    let at = |act: &str| format!("POST /api/v1/runs/{run}/{act}");
    let (resolve, fork) = (at("resolve"), at("fork"));
    let long = format!(r#"{{"reason":"{}"}}"#, "x".repeat(257));
    vec![
        with("nothing resolved", &resolve, "{}", bad, "missing field `step`"),
        with(
            "an unknown outcome",
            &resolve,
            r#"{"step":"s","outcome":"maybe"}"#,
            bad,
            "expected one of `completed`",
        ),
        with(
            "a failure without an error",
            &resolve,
            r#"{"step":"s","outcome":"failed"}"#,
            bad,
            "needs `error`",
        ),
        with(
            "an end with an error",
            &resolve,
            r#"{"step":"s","outcome":"completed","error":{"name":"a","message":"b"}}"#,
            bad,
            "has no `error`",
        ),
        with(
            "an output of nothing",
            &resolve,
            r#"{"step":"s","outcome":"notDone","output":1}"#,
            bad,
            "neither",
        ),
        with(
            "a step that is not unknown",
            &resolve,
            r#"{"step":"s","outcome":"notDone"}"#,
            (409, "SW2005"),
            "`s`",
        ),
        with(
            "a fork of an unknown step",
            &fork,
            r#"{"step":"s"}"#,
            (422, "SW2012"),
            "there is no step `s`",
        ),
        with("a fork of no failure", &fork, "{}", (422, "SW2012"), "say from which step"),
        with("outputs that are a list", &fork, r#"{"outputs":[]}"#, bad, "expected a map"),
        with("a rerun from a step", &at("rerun"), r#"{"step":"s"}"#, bad, "unknown field `step`"),
        with("nobody", &at("pause"), r#"{"by":""}"#, bad, "the field by is empty; accepted"),
        with("too long a reason", &at("pause"), &long, bad, "257 bytes; accepted: 1 to 256"),
        other(
            "deleting what goes on",
            format!("DELETE /api/v1/runs/{run}"),
            (409, "SW2005"),
            "accepted: a run that has ended",
        ),
        other(
            "a record that is none",
            format!("GET /api/v1/runs/{run}/history?cursor=x"),
            bad,
            "`cursor` is `x`; accepted",
        ),
    ]
}

fn events() -> Vec<ApiCase> {
    let send = "POST /api/v1/events";
    let bad = (400, "SW1001");
    let large = format!(r#"{{"event":"a","data":"{}"}}"#, "x".repeat(513 << 10));
    vec![
        with("an event without a name", send, "{}", bad, "missing field `event`"),
        with(
            "an event with an empty name",
            send,
            r#"{"event":""}"#,
            bad,
            "an event is empty; accepted",
        ),
        with(
            "an event with an empty id",
            send,
            r#"{"event":"a","id":""}"#,
            bad,
            "an event's id is empty",
        ),
        with(
            "an event with a bell",
            send,
            r#"{"event":"a\u0007"}"#,
            bad,
            "holds a control character",
        ),
        with("an event for no run", send, r#"{"event":"a","run":"7"}"#, bad, "`7` is not a run id"),
        with(
            "an event for two runs",
            send,
            r#"{"event":"a","run":"run_00000000000000000000000000000001","key":"k"}"#,
            bad,
            "not for both",
        ),
        with(
            "a workflow without a key",
            send,
            r#"{"event":"a","workflow":"pay"}"#,
            bad,
            "with `key` only",
        ),
        with("data over the limit", send, &large, (413, "SW2007"), "524288"),
        other("no events", "GET /api/v1/events?limit=0", bad, "1 to 500"),
        other(
            "a cursor of events that is none",
            "GET /api/v1/events?cursor=x",
            bad,
            "`cursor` of the page before",
        ),
        other(
            "an instant of events that is none",
            "GET /api/v1/events?from=yesterday",
            bad,
            "ISO 8601",
        ),
        other("an unknown event", "GET /api/v1/events/none", (404, "SW2010"), "`none`"),
    ]
}

#[tokio::test]
async fn requests_about_runs_and_events_are_answered_with_what_is_accepted() {
    let server = server().await;
    let to = server.address();
    drop(Runner::connect(to, json!([{"name": "pay"}])).await);
    let run = post(to, "/api/v1/runs", &json!({"workflow": "pay", "delay": "1h"})).await.text("id");
    for case in starts().iter().chain(&acts(&run)).chain(&events()) {
        check(to, case).await;
    }
    // The run is as it was, alone, and there is no event.
    let list = get(to, "/api/v1/runs").await.json();
    assert_eq!(list["runs"].as_array().unwrap().len(), 1);
    assert_eq!(get(to, &format!("/api/v1/runs/{run}")).await.json()["history"], json!([]));
    assert_eq!(get(to, "/api/v1/events").await.json()["events"], json!([]));
}
