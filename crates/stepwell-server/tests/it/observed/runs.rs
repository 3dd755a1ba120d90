//! One observed run: attempts, statuses, what is declared.

use serde_json::{Value, json};

use super::sent::{Told, ago, send, steps, until};
use crate::support::{get, post, request, server};

const SHOP: Told<'static> = Told { flow: "checkout", run: "req_1" };

/// Long enough ago that a run without events since has ended.
const LONG: u64 = 300_000;

async fn put(to: std::net::SocketAddr, flow: &str, body: &Value) -> crate::support::Answer {
    let json = [("content-type", "application/json")];
    let line = format!("PUT /api/v1/flows/{flow}");
    request(to, &line, &json, body.to_string().as_bytes()).await
}

fn pairs(run: &Value) -> Vec<(String, String)> {
    steps(run)
}

fn owned<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.map(|(key, status)| (key.to_owned(), status.to_owned())).to_vec()
}

/// §10.4: a run that is tried again under its name shows attempts 1, 2, 3, each with its process and its error.
#[tokio::test]
async fn a_run_that_is_tried_again_shows_each_attempt() {
    let server = server().await;
    let to = server.address();
    for (n, process) in [(1_u64, "worker/1"), (2, "worker/2"), (3, "worker/3")] {
        let call = format!("call-{n}");
        let began = LONG - n * 1_000;
        let end = match n {
            3 => SHOP.event(("charge", &call), "success", began - 500),
            _ => SHOP.threw(("charge", &call), &format!("no answer to try {n}"), began - 500),
        };
        let events = [SHOP.event(("charge", &call), "running", began), end];
        let batch = json!({"process": process, "events": events});
        assert_eq!(post(to, "/api/v1/telemetry", &batch).await.status, 200);
    }
    let run = until(to, &SHOP.path(), |run| run["events"] == 6).await;
    assert_eq!(
        (&run["status"], &run["steps"][0]["status"]),
        (&json!("completed"), &json!("completed"))
    );
    assert_eq!(run["processes"], json!(["worker/1", "worker/2", "worker/3"]));
    let attempts = run["steps"][0]["attempts"].as_array().unwrap();
    let told: Vec<_> = attempts
        .iter()
        .map(|one| (one["n"].as_u64(), one["status"].as_str(), one["process"].as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (Some(1), Some("error"), Some("worker/1")),
            (Some(2), Some("error"), Some("worker/2")),
            (Some(3), Some("success"), Some("worker/3")),
        ]
    );
    assert_eq!(attempts[1]["error"]["message"], "no answer to try 2");
    assert_eq!(attempts[2]["durationMs"], 500.0);
}

/// §10.4: what another process records by hand joins the run, and closes what is open.
#[tokio::test]
async fn what_another_process_records_joins_the_run() {
    let server = server().await;
    let to = server.address();
    send(to, &[SHOP.by_hand("pack", "running", LONG)]).await;
    let run = until(to, &SHOP.path(), |run| run["events"] == 1).await;
    assert_eq!(run["status"], "running");
    let end =
        json!({"process": "warehouse", "events": [SHOP.by_hand("pack", "success", LONG - 2_000)]});
    assert_eq!(post(to, "/api/v1/telemetry", &end).await.status, 200);
    let run = until(to, &SHOP.path(), |run| run["events"] == 2).await;
    assert_eq!(run["processes"], json!(["p1", "warehouse"]));
    let attempt = &run["steps"][0]["attempts"][0];
    assert_eq!((&attempt["call"], &attempt["durationMs"]), (&Value::Null, &json!(2_000.0)));
    assert_eq!(run["steps"][0]["attemptsTotal"], 1);
}

/// §10.5: a step that was left out is skipped, one that was forgotten is missing, one behind a failure is not reached, one
/// that nobody declared is shown as such. What is declared later counts for runs that are there.
#[tokio::test]
async fn skipped_missing_and_not_reached_are_told_apart() {
    let server = server().await;
    let to = server.address();
    send(
        to,
        &[
            SHOP.event(("fetch", "c1"), "running", LONG + 900),
            SHOP.event(("fetch", "c1"), "success", LONG + 800),
            SHOP.event(("audit", "c2"), "skipped", LONG + 700),
            SHOP.event(("extra", "c3"), "running", LONG + 600),
            SHOP.event(("extra", "c3"), "success", LONG + 500),
            SHOP.event(("write", "c4"), "running", LONG + 400),
            SHOP.threw(("write", "c4"), "the disk is full", LONG),
        ],
    )
    .await;
    let run = until(to, &SHOP.path(), |run| run["events"] == 7).await;
    assert_eq!((&run["declared"], &run["status"]), (&json!(false), &json!("failed")));
    let declared = json!({"name": "Checkout", "edges": [["fetch", "dedupe"], ["dedupe", "write"],
            ["fetch", "audit"], ["write", "publish"]],
        "steps": [{"key": "fetch"}, {"key": "dedupe"}, {"key": "write"}, {"key": "audit"},
            {"key": "publish", "name": "Publish it"}]});
    let put_first = put(to, "checkout", &declared).await;
    assert_eq!(
        (put_first.status, &put_first.json()["changed"]),
        (200, &json!(true)),
        "{put_first:?}"
    );
    assert_eq!(put(to, "checkout", &declared).await.json()["changed"], false);
    let run = get(to, &SHOP.path()).await.json();
    let expected = owned([
        ("fetch", "completed"),
        ("dedupe", "missing"),
        ("write", "failed"),
        ("audit", "skipped"),
        ("publish", "not_reached"),
        ("extra", "completed"),
    ]);
    assert_eq!(pairs(&run), expected);
    assert_eq!((&run["name"], &run["firstFailed"]), (&json!("Checkout"), &json!("write")));
    assert_eq!(run["steps"][5]["declared"], false);
    let why = run["why"].as_str().unwrap();
    assert!(why.contains("the disk is full") && why.contains("`dedupe` is missing"), "{why}");
    // Taken back, it is as it was.
    let gone = request(to, "DELETE /api/v1/flows/checkout?reason=renamed", &[], b"").await;
    assert_eq!((gone.status, &gone.json()["changed"]), (200, &json!(true)));
    assert_eq!(get(to, &SHOP.path()).await.json()["declared"], false);
}

/// A slug that no flow can have is refused by every address that has one, with what is accepted.
#[tokio::test]
async fn a_slug_that_no_flow_can_have_is_refused() {
    let server = server().await;
    let to = server.address();
    for slug in ["0".repeat(201), "a%0Ab".to_owned()] {
        for (method, behind) in
            [("GET", ""), ("GET", "/errors"), ("GET", "/learned"), ("GET", "/runs"), ("DELETE", "")]
        {
            let answer =
                request(to, &format!("{method} /api/v1/flows/{slug}{behind}"), &[], b"").await;
            assert_eq!(answer.status, 400, "{method} {behind}: {answer:?}");
            let detail = answer.json()["detail"].as_str().unwrap().to_owned();
            assert!(detail.contains("1 to 200 characters"), "{detail}");
        }
    }
    let longest = format!("/api/v1/flows/{}/runs", "0".repeat(200));
    assert_eq!(get(to, &longest).await.status, 200);
}

/// §10.5: what is open for longer than the flow says is stuck, and an event that comes later opens a run again.
#[tokio::test]
async fn a_run_is_stuck_and_opens_again() {
    let server = server().await;
    let to = server.address();
    send(to, &[SHOP.event(("charge", "c1"), "running", 20 * 60_000)]).await;
    let run = until(to, &SHOP.path(), |run| run["status"] == "stuck").await;
    assert_eq!(pairs(&run), owned([("charge", "stuck")]));
    let flow = json!({"steps": [{"key": "charge"}], "stuckAfter": "1h"});
    assert_eq!(put(to, "checkout", &flow).await.status, 200);
    until(to, &SHOP.path(), |run| run["status"] == "running").await;
    // The only terminal step ends: so does the run, at once.
    send(to, &[SHOP.event(("charge", "c1"), "success", 0)]).await;
    let run = until(to, &SHOP.path(), |run| run["status"] == "completed").await;
    assert_eq!(run["endedAt"], run["lastAt"]);
    send(to, &[SHOP.event(("charge", "c2"), "running", 0)]).await;
    until(to, &SHOP.path(), |run| run["status"] == "running" && run["endedAt"].is_null()).await;
}

/// A flow shows its runs of a window: steps, errors that are the same, parts of the window.
#[tokio::test]
async fn a_flow_adds_its_runs_up() {
    let server = server().await;
    let to = server.address();
    for n in 0..6_u64 {
        let run = format!("order {n}/{n}");
        let told = Told { flow: "imports", run: &run };
        let end = match n {
            0..4 => told.event(("write", "c2"), "success", LONG),
            _ => told.threw(("write", "c2"), &format!("order {n} is not there"), LONG),
        };
        let first = [
            told.event(("fetch", "c1"), "running", LONG + 300),
            told.event(("fetch", "c1"), "success", LONG + 200),
            told.event(("write", "c2"), "running", LONG + 100),
        ];
        send(to, &first).await;
        send(to, &[end]).await;
    }
    let path = "/api/v1/flows/imports?window=1h";
    let flow = until(to, path, |flow| flow["runs"]["failed"] == 2).await;
    assert_eq!((&flow["learned"], &flow["runs"]["total"]), (&json!(true), &json!(6)));
    assert_eq!(flow["edges"], json!([["fetch", "write"]]));
    let write = &flow["steps"][1];
    assert_eq!((&write["counts"]["ok"], &write["counts"]["failed"]), (&json!(4), &json!(2)));
    assert_eq!((&write["firstFailed"], &write["declared"]), (&json!(2), &json!(false)));
    let p50 = flow["steps"][0]["p50Ms"].as_f64().unwrap();
    assert!((90.0..=110.0).contains(&p50), "{p50}");
    assert_eq!(flow["health"].as_array().unwrap().len(), 60);
    let errors = get(to, "/api/v1/flows/imports/errors").await.json();
    let errors = errors["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!((&errors[0]["count"], &errors[0]["step"]), (&json!(2), &json!("write")));
    let listed = get(to, "/api/v1/flows").await.json();
    let row = &listed["flows"][0];
    assert_eq!((&row["flow"], &row["last24h"]["runs"]), (&json!("imports"), &json!(6)));
    // A name with a slash and a blank is one part of an address.
    let one = get(to, "/api/v1/flows/imports/runs/order%205%2F5").await;
    assert_eq!((one.status, &one.json()["status"]), (200, &json!("failed")), "{one:?}");
    let learned = get(to, "/api/v1/flows/imports/learned").await.json();
    assert_eq!(learned["steps"], json!([{"key": "fetch"}, {"key": "write"}]));
    for path in
        ["/api/v1/flows/other", "/api/v1/flows/other/learned", "/api/v1/flows/imports/runs/7"]
    {
        let none = get(to, path).await;
        assert_eq!((none.status, &*none.text("code")), (404, "SW2016"), "{path}");
    }
    for (path, part) in [
        ("/api/v1/flows/imports?window=2h", "accepted: 1h, 24h, 7d"),
        ("/api/v1/flows/imports/runs?status=queued", "accepted: running, stuck"),
        ("/api/v1/flows/imports/runs?limit=0", "1 to 500"),
        ("/api/v1/flows/imports/runs?cursor=x", "`next` of a page"),
        ("/api/v1/flows/imports/runs?more=1", "more"),
    ] {
        let refused = get(to, path).await;
        assert_eq!(refused.status, 400, "{path}");
        assert!(refused.text("detail").contains(part), "{refused:?}");
    }
}

/// §10.6: what is not accepted of a declaration is told with its place, all at once, and nothing is declared.
#[tokio::test]
async fn a_declaration_that_is_not_accepted_says_all_that_is_wrong() {
    let server = server().await;
    let to = server.address();
    let wrong =
        json!({"slug": "other", "steps": [{"key": "a"}, {"key": "a"}], "edges": [["a", "b"]]});
    let refused = put(to, "checkout", &wrong).await;
    assert_eq!((refused.status, &*refused.text("code")), (400, "SW1001"));
    let detail = refused.text("detail");
    for part in ["`slug`", "`steps[1]`", "`edges[0]`", "`checkout`"] {
        assert!(detail.contains(part), "{detail}");
    }
    assert_eq!(get(to, "/api/v1/flows").await.json()["flows"], json!([]));
}

/// Metadata of calls and of the run is shown, the last word on each key of the latter.
#[tokio::test]
async fn metadata_is_shown() {
    let server = server().await;
    let to = server.address();
    let mut first = SHOP.event(("charge", "c1"), "running", LONG);
    first["metadata"] = json!({"cents": 500});
    first["runMetadata"] = json!({"region": "eu", "plan": "free"});
    let mut last = SHOP.event(("charge", "c1"), "success", LONG - 100);
    last["runMetadata"] = json!({"plan": "pro"});
    last["at"] = json!(ago(LONG - 100).as_micros() / 1_000);
    send(to, &[last, first]).await;
    let run = until(to, &SHOP.path(), |run| run["events"] == 2).await;
    assert_eq!(run["metadata"], json!({"region": "eu", "plan": "pro"}));
    assert_eq!(run["steps"][0]["attempts"][0]["metadata"], json!({"cents": 500}));
    let list = get(to, "/api/v1/flows/checkout/runs").await.json();
    assert_eq!(list["runs"][0]["metadata"], json!({"region": "eu", "plan": "pro"}));
    assert_eq!(list["runs"][0]["strip"], json!(["completed"]));
}
