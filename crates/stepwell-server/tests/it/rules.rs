//! Events and operators' acts through the command line, against a server in this process.

use serde_json::{Value, json};
use stepwell_server::server::Server;

use crate::support::{Runner, get, out, server, stepwell};

/// A server, the command line to it, and a runner.
struct Stage {
    server: Server,
    runner: Runner,
}

impl Stage {
    async fn set(workflows: Value) -> Self {
        let server = server().await;
        let runner = Runner::connect(server.address(), workflows).await;
        Self { server, runner }
    }

    /// Runs a command that has to succeed, and returns what it printed.
    async fn cli(&self, arguments: &[&str]) -> String {
        let url = format!("http://{}", self.server.address());
        let output = stepwell(url, arguments).await;
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        out(&output)
    }

    /// Runs a command that has to fail, and returns its exit code and what it said.
    async fn refused(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let url = format!("http://{}", self.server.address());
        let output = stepwell(url, arguments).await;
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    async fn start(&self, workflow: &str) -> String {
        let started = self.cli(&["runs", "start", workflow, "--json"]).await;
        let started: Value = serde_json::from_str(&started).unwrap();
        started["id"].as_str().unwrap().to_owned()
    }

    /// The runner takes the next run.
    async fn activate(&mut self) -> Value {
        self.runner.hear("activate").await
    }

    /// Waits until the server has read all that the runner said.
    async fn is_read(&mut self) {
        self.runner.say(json!([{"ping": {"k": 1}}])).await;
        self.runner.hear("pong").await;
    }

    async fn shown(&self, run: &str) -> Value {
        get(self.server.address(), &format!("/api/v1/runs/{run}")).await.json()
    }
}

/// A step that ended.
fn ended(a: &Value, step: &str, with: &Value) -> Value {
    let mut ended = json!({"a": a, "step": step, "n": 1, "startedAgoUs": 20, "endedAgoUs": 10,
        "open": {"kind": "run", "after": 0, "agoUs": 30}});
    ended.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
    json!({ "ended": ended })
}

/// A list tells of each run what it does and how its steps stand; who has seen a run is told what changed.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_told_at_a_glance_and_by_what_changed() {
    let mut stage = Stage::set(json!([{"name": "pay"}])).await;
    let run = stage.start("pay").await;
    let a = stage.activate().await["a"].clone();
    stage.runner.say(json!([ended(&a, "charge", &json!({"output": {"paid": true}}))])).await;
    stage.is_read().await;
    let seen = stage.shown(&run).await;
    let begun = json!({"a": a, "step": "ship", "n": 1, "agoUs": 5,
        "open": {"kind": "run", "after": 1, "agoUs": 6}});
    stage.runner.say(json!([{ "started": begun }])).await;
    stage.is_read().await;
    let to = stage.server.address();
    let missing = "run_00000000000000000000000000000001";
    let glance = get(to, &format!("/api/v1/runs/glance?ids={run},{missing}")).await.json();
    let glance = &glance["runs"][0];
    assert_eq!((&glance["id"], &glance["strip"]), (&json!(run), &json!("cr")), "{glance}");
    assert_eq!(glance["cause"], json!("running"));
    assert!(glance["doing"].as_str().unwrap().contains("`ship`"), "{glance}");
    let path = format!("/api/v1/runs/{run}?since={}", seen["journalBytes"]);
    let changed = get(to, &path).await.json();
    assert_eq!(changed["since"], seen["journalBytes"]);
    let steps: Vec<_> = changed["steps"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(steps, [&json!("ship")]);
    // Nobody has seen more than there is: that was another run.
    let whole = get(to, &format!("/api/v1/runs/{run}?since=1000000")).await.json();
    assert_eq!((&whole["since"], whole["steps"].as_array().unwrap().len()), (&Value::Null, 2));
    let none = get(to, &format!("/api/v1/runs/glance?ids={missing}")).await.json();
    assert_eq!(none, json!({"runs": []}));
    stage.server.stop().await;
}

/// §8.1, §8.3, §8.7: an event shows which waits it woke, which runs it started, and which wait it nearly
/// woke and why not; sent again it does nothing more.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_sent_listed_and_shown_with_what_it_did() {
    let mail = json!({"name": "mail", "triggers": [{"event": "paid", "match": {"order": 7}}]});
    let mut stage = Stage::set(json!([{"name": "ship"}, mail])).await;
    let run = stage.start("ship").await;
    let a = stage.activate().await["a"].clone();
    let input = json!({"event": "paid", "match": {"order": 7}});
    let open = json!({"kind": "waitForEvent", "after": 0, "agoUs": 0, "input": input});
    let wait = json!({"a": a, "step": "payment", "event": "paid", "match": {"order": 7},
        "open": open});
    stage.runner.say(json!([{ "wait": wait }, {"released": {"a": a, "seen": 0}}])).await;
    stage.is_read().await;
    let why = stage.cli(&["runs", "why", &run]).await;
    assert!(why.contains("`paid`") && why.contains("payment"), "{why}");

    let sent =
        stage.cli(&["events", "send", "paid", "--data", "{\"order\": 8}", "--id", "e8"]).await;
    assert_eq!(sent, "e8 accepted\n");
    let shown = stage.cli(&["events", "show", "e8"]).await;
    let nearly =
        format!("nearly woke {run}, step `payment`: it wants 7 at $.order, and the event has 8");
    assert!(shown.contains(&nearly), "{shown}");

    let send = ["events", "send", "paid", "--data", "{\"order\": 7}", "--id", "e7"];
    assert_eq!(stage.cli(&send).await, "e7 accepted\n");
    let (one, other) = (stage.activate().await, stage.activate().await);
    let (started, woken) = if one["run"] == json!(run) { (other, one) } else { (one, other) };
    assert_eq!(woken["ended"][0]["output"], json!({"order": 7}));
    assert_eq!(started["input"], json!({"order": 7}));
    assert_eq!(stage.cli(&send).await, "e7 known before; it does nothing more\n");
    let shown = stage.cli(&["events", "show", "e7"]).await;
    assert!(shown.starts_with("e7 paid, accepted ") && !shown.contains("not routed"), "{shown}");
    let did = format!("started {}", started["run"].as_str().unwrap());
    assert!(
        shown.contains(&did) && shown.contains(&format!("woke {run}, step `payment`")),
        "{shown}"
    );

    let listed = stage.cli(&["events", "list", "paid", "--json"]).await;
    let ids: Vec<Value> = listed
        .lines()
        .map(|row| serde_json::from_str::<Value>(row).unwrap()["id"].take())
        .collect();
    assert_eq!(ids, [json!("e8"), json!("e7")]);
    let table = stage.cli(&["events", "list", "paid", "--limit", "1"]).await;
    assert!(table.contains("e8") && !table.contains("e7"), "{table}");
    let (code, said) = stage.refused(&["events", "show", "e9"]).await;
    assert!(code == Some(1) && said.contains("e9"), "{code:?} {said}");
    let (code, said) = stage.refused(&["events", "send", "paid", "--data", "{"]).await;
    assert!(code == Some(2) && said.contains("--data"), "{code:?} {said}");
}

/// §7.7, §9.5, §9.6: acts are done, told with who and why, and one that does not fit is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_paused_resumed_and_retried() {
    let mut stage = Stage::set(json!([{"name": "pay"}])).await;
    let run = stage.start("pay").await;
    let a = stage.activate().await["a"].clone();
    let paused = stage.cli(&["runs", "pause", &run, "--reason", "look first"]).await;
    assert_eq!(paused, format!("{run} ‖ paused\n"));
    stage.runner.say(json!([ended(&a, "charge", &json!({"output": 1})), {"idle": {"a": a}}])).await;
    stage.is_read().await;
    let why = stage.cli(&["runs", "why", &run]).await;
    assert!(why.contains("paused by ann") && why.contains("look first"), "{why}");
    stage.cli(&["runs", "resume", &run]).await;
    let shown = stage.shown(&run).await;
    let whats: Vec<_> = shown["history"].as_array().unwrap().iter().map(|n| &n["what"]).collect();
    assert_eq!(whats, [&json!("paused"), &json!("resumed")]);
    assert_eq!(shown["history"][0]["by"], json!("ann"));

    stage.cli(&["runs", "terminate", &run, "--by", "bob", "--reason", "no"]).await;
    let page = stage.cli(&["runs", "show", &run]).await;
    assert!(page.contains("terminated by bob: no") && page.contains("⊘ cancelled"), "{page}");
    let (code, said) = stage.refused(&["runs", "resume", &run]).await;
    assert!(code == Some(1) && said.starts_with("error[SW2005]"), "{code:?} {said}");
}

/// §4.5, §9.5: the outcome of a function that was lost in the middle is told by a person.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_outcome_is_resolved() {
    let mut stage = Stage::set(json!([{"name": "pay"}])).await;
    let run = stage.start("pay").await;
    let a = stage.activate().await["a"].clone();
    let open = json!({"kind": "run", "after": 0, "agoUs": 0, "once": {}});
    let started = json!({"a": a, "step": "wire", "n": 1, "agoUs": 0, "open": open});
    stage.runner.say(json!([{ "started": started }])).await;
    stage.runner.hear("begin").await;
    stage.runner.say(json!([{"released": {"a": a, "seen": 0}}])).await;
    let a = stage.activate().await["a"].clone();
    let verified = json!({"a": a, "step": "wire", "n": 1, "verdict": "unknown"});
    stage.runner.say(json!([{ "verified": verified }])).await;
    stage.runner.hear("evict").await;
    stage.runner.say(json!([{"released": {"a": a, "seen": 0}}])).await;
    let page = stage.cli(&["runs", "show", &run]).await;
    assert!(
        page.contains("unknown") && page.contains("step `wire` ended, and it must not run twice"),
        "{page}"
    );
    let resolve = ["runs", "resolve", &run, "--step", "wire", "--completed", "{\"id\": 7}"];
    stage.cli(&resolve).await;
    let given = stage.activate().await;
    assert_eq!(given["ended"][0]["output"], json!({"id": 7}));
    let (code, said) = stage.refused(&resolve).await;
    assert!(code == Some(1) && said.starts_with("error[SW"), "{code:?} {said}");
}

/// §9.5, §9.8: a run is started again, and goes on from one of its steps with another result before it.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_started_again_and_forked() {
    let mut stage = Stage::set(json!([{"name": "pay"}])).await;
    let run = stage.start("pay").await;
    let a = stage.activate().await["a"].clone();
    let error = json!({"error": {"name": "Error", "message": "declined"}, "terminal": true});
    let reserve = ended(&a, "reserve", &json!({"output": {"place": 1}}));
    stage.runner.say(json!([reserve])).await;
    stage.is_read().await;
    let mut charge = ended(&a, "charge", &error);
    charge["ended"]["open"]["after"] = json!(1);
    stage.runner.say(json!([charge])).await;
    let thrown = json!({"a": a, "error": {"name": "Error", "message": "declined"}});
    stage.runner.say(json!([{ "finished": thrown }])).await;
    stage.is_read().await;
    assert_eq!(stage.shown(&run).await["status"], json!("failed"));

    let again = stage.cli(&["runs", "rerun", &run, "--json"]).await;
    let again: Value = serde_json::from_str(&again).unwrap();
    let given = stage.activate().await;
    assert_eq!((&given["run"], &given["ended"]), (&again["id"], &Value::Null));
    let fork = ["runs", "fork", &run, "--output", "reserve={\"place\": 2}", "--reason", "moved"];
    let said = stage.cli(&fork).await;
    assert!(said.ends_with(&format!(" fork of {run}\n")), "{said}");
    let given = stage.activate().await;
    assert_eq!(given["ended"].as_array().unwrap().len(), 1);
    assert_eq!(given["ended"][0]["output"], json!({"place": 2}));
    let page = stage.cli(&["runs", "show", given["run"].as_str().unwrap()]).await;
    assert!(page.contains(&format!("forked from {run} at step charge")), "{page}");
    assert!(page.contains(&format!("ended in {run}")), "{page}");
    let page = stage.cli(&["runs", "show", again["id"].as_str().unwrap()]).await;
    assert!(page.contains(&format!("rerun of {run}")), "{page}");
    let (code, said) = stage.refused(&["runs", "fork", &run, "--from", "none"]).await;
    assert!(code == Some(1) && said.contains("`reserve`, `charge`"), "{code:?} {said}");
}
