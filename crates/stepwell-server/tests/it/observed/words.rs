//! Observed runs in the words of other systems.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::sent::{Told, send, until};
use crate::support::{get, request, server};

/// Long enough ago that a run without events since has ended.
const LONG: u64 = 300_000;

const ENDED: Told<'static> = Told { flow: "checkout", run: "ended" };
const OPEN: Told<'static> = Told { flow: "checkout", run: "open" };

/// The words of a system for steps and calls that are open, returned, threw, and were left out (`spec/dialects.json`).
struct Words {
    dialect: &'static str,
    open: &'static str,
    returned: &'static str,
    threw: &'static str,
    left_out: &'static str,
}

const SYSTEMS: [Words; 4] = [
    Words {
        dialect: "failpath",
        open: "running",
        returned: "success",
        threw: "error",
        left_out: "skipped",
    },
    Words {
        dialect: "loops",
        open: "running",
        returned: "succeeded",
        threw: "failed",
        left_out: "succeeded",
    },
    Words {
        dialect: "durablex",
        open: "running",
        returned: "completed",
        threw: "failed",
        left_out: "skipped",
    },
    Words {
        dialect: "questpie",
        open: "running",
        returned: "completed",
        threw: "failed",
        left_out: "completed",
    },
];

async fn tell(to: SocketAddr) {
    let declared = json!({"steps": [{"key": "fetch"}, {"key": "dedupe"}, {"key": "write"}, {"key": "audit"},
            {"key": "publish"}],
        "edges": [["fetch", "dedupe"], ["dedupe", "write"], ["fetch", "audit"], ["write", "publish"]]});
    let headers = [("content-type", "application/json")];
    let body = declared.to_string();
    let put = request(to, "PUT /api/v1/flows/checkout", &headers, body.as_bytes()).await;
    assert_eq!(put.status, 200, "{put:?}");
    send(
        to,
        &[
            ENDED.event(("fetch", "c1"), "running", LONG + 900),
            ENDED.event(("fetch", "c1"), "success", LONG + 800),
            ENDED.event(("audit", "c2"), "skipped", LONG + 700),
            ENDED.event(("write", "c4"), "running", LONG + 400),
            ENDED.threw(("write", "c4"), "the disk is full", LONG),
            OPEN.event(("fetch", "c5"), "running", 20 * 60_000),
            OPEN.event(("audit", "c6"), "running", 0),
        ],
    )
    .await;
}

/// The statuses of the steps of a run, and of the last attempt of each.
fn statuses(run: &Value) -> Vec<(&str, &str, Option<&str>)> {
    let steps = run["steps"].as_array().unwrap().iter();
    steps
        .map(|step| {
            let attempt = step["attempts"].as_array().unwrap().last();
            let attempt = attempt.and_then(|attempt| attempt["status"].as_str());
            (step["key"].as_str().unwrap(), step["status"].as_str().unwrap(), attempt)
        })
        .collect()
}

/// §13.2: steps and calls of an observed run are told of in the words of each system; `missing`, `not_reached` and
/// `stuck` stay, since none of them has such a status, and so does all else.
#[tokio::test]
async fn an_observed_run_is_shown_in_the_words_of_each_system() {
    let server = server().await;
    let to = server.address();
    tell(to).await;
    let native = until(to, &ENDED.path(), |run| run["events"] == 5).await;
    let open = until(to, &OPEN.path(), |run| run["events"] == 2).await;
    assert_eq!(statuses(&native)[0], ("fetch", "completed", Some("success")));
    assert_eq!(statuses(&native)[2], ("write", "failed", Some("error")));
    assert_eq!(statuses(&open)[0], ("fetch", "stuck", Some("running")));
    for Words { dialect, open, returned, threw, left_out } in SYSTEMS {
        let run = get(to, &format!("{}?dialect={dialect}", ENDED.path())).await.json();
        let expected = [
            ("fetch", returned, Some(returned)),
            ("dedupe", "missing", None),
            ("write", threw, Some(threw)),
            ("audit", left_out, None),
            ("publish", "not_reached", None),
        ];
        assert_eq!(statuses(&run), expected, "{dialect}");
        assert_eq!((&run["status"], &run["why"]), (&native["status"], &native["why"]), "{dialect}");

        let run = get(to, &format!("{}?dialect={dialect}", OPEN.path())).await.json();
        let steps = statuses(&run);
        assert_eq!(steps[0], ("fetch", "stuck", Some(open)), "{dialect}");
        assert_eq!(steps[3], ("audit", open, Some(open)), "{dialect}");
        assert_eq!((&run["status"], steps[1].1), (&json!("stuck"), "not_reached"), "{dialect}");
    }
    server.stop().await;
}

/// §13.2: the strips of lists have the words too.
#[tokio::test]
async fn strips_are_in_the_words_of_each_system() {
    let server = server().await;
    let to = server.address();
    tell(to).await;
    let native = until(to, "/api/v1/flows/checkout/runs?q=ended", |list| {
        list["runs"][0]["steps"] == 3 && list["runs"][0]["status"] == "failed"
    });
    let native = native.await["runs"][0].clone();
    assert_eq!(native["strip"], json!(["completed", "skipped", "failed"]));
    for Words { dialect, returned, threw, left_out, .. } in SYSTEMS {
        for path in
            ["flows/checkout/runs?q=ended", "runs?kind=observed&q=ended", "runs?kind=all&q=ended"]
        {
            let list = get(to, &format!("/api/v1/{path}&dialect={dialect}")).await.json();
            let mut expected = native.clone();
            expected["strip"] = json!([returned, left_out, threw]);
            assert_eq!(list["runs"], json!([expected]), "{path} {dialect}");
        }
    }
    server.stop().await;
}
