//! Statuses of steps in the words of other systems (§13.2), as the API shows them.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::support::{Runner, get, post, server};

const TABLE: &str = include_str!("../../../../spec/dialects.json");

/// For each system its words, by the words of Stepwell.
type Table = BTreeMap<String, BTreeMap<String, String>>;

fn table() -> Table {
    serde_json::from_str(TABLE).unwrap()
}

/// Puts a word of a system in place of one of Stepwell; what is none stays.
fn say(words: &BTreeMap<String, String>, status: &mut Value) {
    if let Some(word) = words.get(status.as_str().unwrap()) {
        *status = json!(word);
    }
}

/// What a run that is shown in the words of Stepwell is in those of a system: steps and attempts have them, all else
/// is the same.
fn translated(run: &Value, words: &BTreeMap<String, String>) -> Value {
    let mut run = run.clone();
    for step in run["steps"].as_array_mut().unwrap() {
        say(words, &mut step["status"]);
        for attempt in step["attempts"].as_array_mut().unwrap() {
            say(words, &mut attempt["status"]);
        }
    }
    run
}

fn opening(kind: &str) -> Value {
    json!({"kind": kind, "after": 0, "agoUs": 100, "input": {"of": kind}})
}

/// A message that a step ended after one attempt.
fn ended(a: &Value, step: &str, more: &Value) -> Value {
    let mut ended = json!({"a": a, "step": step, "n": 1, "startedAgoUs": 90, "endedAgoUs": 10,
        "open": opening("run")});
    ended.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "ended": ended })
}

/// Starts a run, and says of it what a runner does whose handler has steps of every status.
async fn run_with_every_status(to: SocketAddr, runner: &mut Runner) -> String {
    let id = post(to, "/api/v1/runs", &json!({"workflow": "pay"})).await.text("id");
    let a = runner.hear("activate").await["a"].clone();
    let error = json!({"name": "Error", "message": "declined"});
    let once = json!({"kind": "run", "after": 0, "agoUs": 100, "once": {}});
    let retry = json!({"maxAttempts": 3, "backoffMs": 3_600_000, "maxBackoffMs": 3_600_000,
        "jitter": false});
    runner
        .say(json!([
            ended(&a, "reserve", &json!({"output": {"place": 1}})),
            ended(&a, "charge", &json!({"error": error, "terminal": true})),
            ended(&a, "slow", &json!({"error": error, "terminal": true, "timedOut": true})),
            ended(&a, "again", &json!({"error": error, "retry": retry})),
            {"skip": {"a": a, "step": "gift", "open": opening("skip")}},
            {"dropped": {"a": a, "step": "loser", "open": opening("run")}},
            {"sleep": {"a": a, "step": "nap", "forUs": 3_600_000_000_u64, "open": opening("sleep")}},
            {"wait": {"a": a, "step": "word", "event": "paid", "open": opening("waitForEvent")}},
            {"started": {"a": a, "step": "wire", "n": 1, "agoUs": 50, "open": once}},
            {"started": {"a": a, "step": "lost", "n": 1, "agoUs": 50, "open": opening("run")}},
        ]))
        .await;
    runner.hear("begin").await;
    // What it is in the middle of is lost with it.
    runner.say(json!([{"released": {"a": a, "seen": 0}}])).await;
    let a = runner.hear("activate").await["a"].clone();
    let started = json!({"a": a, "step": "busy", "n": 1, "agoUs": 50, "open": opening("run")});
    runner.say(json!([{ "started": started }, {"ping": {"k": 1}}])).await;
    runner.hear("pong").await;
    id
}

/// §13.2: each of the eleven statuses is shown in the word that each system has for it, also of attempts; statuses of
/// runs and all else stay, and so does `lost`. Of what changed since an earlier answer the same holds.
#[tokio::test]
async fn every_status_is_shown_in_the_words_of_each_system() {
    let server = server().await;
    let to = server.address();
    let mut runner = Runner::connect(to, json!([{"name": "pay"}])).await;
    let id = run_with_every_status(to, &mut runner).await;
    let path = format!("/api/v1/runs/{id}");
    let native = get(to, &path).await.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let statuses: BTreeMap<_, _> = native["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (text(&step["status"]), text(&step["id"])))
        .collect();
    let expected = [
        ("pending", "lost"),
        ("running", "busy"),
        ("retrying", "again"),
        ("sleeping", "nap"),
        ("waiting", "word"),
        ("completed", "reserve"),
        ("failed", "charge"),
        ("timed_out", "slow"),
        ("skipped", "gift"),
        ("cancelled", "loser"),
        ("unknown", "wire"),
    ];
    let expected = expected.map(|(status, step)| (status.to_owned(), step.to_owned()));
    assert_eq!(statuses, expected.into(), "a step of each status is there");
    let since = native["journalBytes"].as_u64().unwrap();

    let table = table();
    assert_eq!(table.len(), 4);
    for (dialect, words) in &table {
        let shown = get(to, &format!("{path}?dialect={dialect}")).await;
        assert_eq!(shown.status, 200, "{shown:?}");
        assert_eq!(shown.json(), translated(&native, words), "{dialect}");
        let lost =
            shown.json()["steps"].as_array().unwrap().iter().find_map(|step| {
                (step["id"] == "lost").then(|| step["attempts"][0]["status"].clone())
            });
        assert_eq!(lost, Some(json!("lost")), "{dialect}");

        let changed = get(to, &format!("{path}?since={since}")).await.json();
        let shown = get(to, &format!("{path}?since={since}&dialect={dialect}")).await.json();
        assert!(shown["steps"].as_array().unwrap().len() < 11, "{shown}");
        assert_eq!(shown, translated(&changed, words), "{dialect}");
    }
    server.stop().await;
}

/// §13.2: a clean-up tells of its compensations, and of `onFailure`, in the words of the system.
#[tokio::test]
async fn a_clean_up_is_shown_in_the_words_of_each_system() {
    let server = server().await;
    let to = server.address();
    let mut runner = Runner::connect(to, json!([{"name": "pay", "onFailure": true}])).await;
    let id = post(to, "/api/v1/runs", &json!({"workflow": "pay"})).await.text("id");
    let a = runner.hear("activate").await["a"].clone();
    let mut reserve = ended(&a, "reserve", &json!({"output": 1}));
    reserve["ended"]["open"]["compensable"] = json!("completed");
    let error = json!({"name": "Error", "message": "declined"});
    runner.say(json!([reserve, {"finished": {"a": a, "error": error}}, {"ping": {"k": 1}}])).await;
    runner.hear("pong").await;
    let path = format!("/api/v1/runs/{id}");
    let native = get(to, &path).await.json();
    let compensation = json!({"step": "reserve", "unknown": false, "status": "pending"});
    assert_eq!(native["cleanUp"]["compensations"], json!([compensation]), "{native}");
    assert_eq!(native["cleanUp"]["onFailure"], json!("pending"));
    for (dialect, words) in &table() {
        let mut expected = translated(&native, words);
        say(words, &mut expected["cleanUp"]["compensations"][0]["status"]);
        say(words, &mut expected["cleanUp"]["onFailure"]);
        let shown = get(to, &format!("{path}?dialect={dialect}")).await.json();
        assert_eq!(shown, expected, "{dialect}");
        assert_eq!(shown["cleanUp"]["status"], json!("failed"), "the status of a run stays");
    }
    server.stop().await;
}

/// §13.2: where nobody has the name, the answer says which there are; where no statuses of steps are, none is taken.
#[tokio::test]
async fn another_dialect_is_refused() {
    let server = server().await;
    let to = server.address();
    let run = "run_00000000000000000000000000000001";
    for (path, says) in [
        ("/runs/{run}?dialect=temporal", "`dialect` is `temporal`; accepted: failpath, loops"),
        ("/runs/{run}?dialect=Loops", "accepted: failpath, loops, durablex, questpie"),
        ("/runs/{run}?dialect=", "accepted: failpath, loops, durablex, questpie"),
        ("/runs/{run}?dialect=loops&dialect=loops", "duplicate"),
        ("/runs/{run}/observed?dialect=x", "accepted: failpath, loops, durablex, questpie"),
        ("/flows/f/runs/r?dialect=x", "accepted: failpath, loops, durablex, questpie"),
        ("/flows/f/runs?dialect=x", "accepted: failpath, loops, durablex, questpie"),
        ("/runs?kind=all&dialect=x", "accepted: failpath, loops, durablex, questpie"),
        ("/runs?dialect=x", "accepted: failpath, loops, durablex, questpie"),
        ("/runs/counts?dialect=loops", "a count has no `dialect`"),
        ("/stream?dialect=loops", "unknown field `dialect`"),
        ("/flows/f?dialect=loops", "unknown field `dialect`"),
    ] {
        let path = format!("/api/v1{}", path.replace("{run}", run));
        let refused = get(to, &path).await;
        assert_eq!((refused.status, &*refused.text("code")), (400, "SW1001"), "{path}");
        assert!(refused.text("detail").contains(says), "{path}: {refused:?}");
    }
    let none = get(to, &format!("/api/v1/runs/{run}?dialect=loops")).await;
    assert_eq!(none.text("code"), "SW2001", "a name that is known is no fault");
    server.stop().await;
}
