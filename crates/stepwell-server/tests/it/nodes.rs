//! Several servers on one store: what is asked of one, another does, and what one leaves goes on at another.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use stepwell_core::time::Timestamp;
use stepwell_server::server::{self, Server};
use stepwell_store::Store;
use stepwell_store::memory::SharedMemory;

use crate::support::{Runner, config, get, post};

/// A store in memory that servers share, whose clock follows the machine's.
struct Shared {
    database: SharedMemory,
    over: Arc<AtomicBool>,
    nonces: Arc<AtomicU64>,
}

fn wall() -> Timestamp {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_micros(i64::try_from(wall.as_micros()).unwrap())
}

impl Shared {
    fn new() -> Self {
        let database = SharedMemory::new(wall());
        // No lease runs out while the machine is busy.
        database.set_term(Duration::from_mins(2));
        let over = Arc::new(AtomicBool::new(false));
        let (ticking, ends) = (database.clone(), Arc::clone(&over));
        std::thread::spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                ticking.set_time(wall());
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        Self { database, over, nonces: Arc::default() }
    }

    async fn node(&self, name: &'static str) -> Server {
        let (database, nonces) = (self.database.clone(), Arc::clone(&self.nonces));
        let open = move || {
            let joined: Arc<dyn Store> =
                database.join(name, nonces.fetch_add(1, Ordering::Relaxed));
            Ok(joined)
        };
        server::start_on(&config(), Box::new(open)).await.unwrap()
    }

    /// Ends what a node has, as one does that takes its place.
    fn end(&self, name: &str) {
        drop(self.database.join(name, self.nonces.fetch_add(1, Ordering::Relaxed)));
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

async fn status(to: SocketAddr, run: &str) -> Value {
    get(to, &format!("/api/v1/runs/{run}")).await.json()["status"].take()
}

async fn ended(to: SocketAddr, run: &str) -> Value {
    get(to, &format!("/api/v1/runs/{run}/result?wait=20s")).await.json()
}

/// A runner of one node gets the runs that another one takes, and who waits there hears of their end.
#[tokio::test]
async fn a_run_of_one_node_runs_at_another() {
    let shared = Shared::new();
    let (a, b) = (shared.node("a").await, shared.node("b").await);
    let mut runner = Runner::connect(b.address(), json!([{"name": "pay"}])).await;
    let to = a.address();
    // What was registered at one node is known at the others at once.
    let start = tokio::spawn(async move {
        post(to, "/api/v1/runs?wait=30s", &json!({"workflow": "pay", "key": "k"})).await
    });
    runner.run_one().await;
    let answer = start.await.unwrap();
    assert_eq!(answer.text("status"), "completed", "{answer:?}");
    let again = post(b.address(), "/api/v1/runs", &json!({"workflow": "pay", "key": "k"})).await;
    assert_eq!((again.status, again.text("id")), (200, answer.text("id")));
    let seen = get(a.address(), "/api/v1/runners").await.json();
    assert_eq!(seen["runners"][0]["name"], "blue", "{seen}");
    a.stop().await;
    b.stop().await;
}

/// What is asked of a node about a run that another one has is done by that one, and answered.
#[tokio::test]
async fn acts_reach_runs_of_other_nodes() {
    let shared = Shared::new();
    let (a, b) = (shared.node("a").await, shared.node("b").await);
    let mut runner = Runner::connect(b.address(), json!([{"name": "pay"}])).await;
    let run = post(b.address(), "/api/v1/runs", &json!({"workflow": "pay"})).await.text("id");
    let activate = runner.hear("activate").await;
    let paused = post(a.address(), &format!("/api/v1/runs/{run}/pause"), &json!({})).await;
    assert_eq!(paused.status, 200, "{paused:?}");
    runner.hear_alive("pause").await;
    let refused = post(a.address(), "/api/v1/runs/run_0/cancel", &json!({})).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    let terminated = post(a.address(), &format!("/api/v1/runs/{run}/terminate"), &json!({})).await;
    assert_eq!(terminated.text("status"), "cancelled", "{terminated:?}");
    assert_eq!(status(b.address(), &run).await, "cancelled");
    assert_eq!(activate["run"], run.as_str());
    let late = post(a.address(), &format!("/api/v1/runs/{run}/pause"), &json!({})).await;
    assert_eq!(late.text("code"), "SW2005", "{late:?}");
}

/// §8.4: an event that one node accepts ends waits of runs that another one has.
#[tokio::test]
async fn events_reach_waits_of_runs_of_other_nodes() {
    let shared = Shared::new();
    let (a, b) = (shared.node("a").await, shared.node("b").await);
    let mut runner = Runner::connect(b.address(), json!([{"name": "pay"}])).await;
    let run = post(a.address(), "/api/v1/runs", &json!({"workflow": "pay"})).await.text("id");
    let handle = runner.hear_alive("activate").await["a"].take();
    let open = json!({"kind": "waitForEvent", "after": 0, "agoUs": 1});
    runner
        .say(json!([{"wait": {"a": handle, "step": "word", "event": "paid", "open": open}}]))
        .await;
    let sent = json!({"event": "paid", "data": {"sum": 7}});
    let sent = post(a.address(), "/api/v1/events", &sent).await;
    assert_eq!(sent.status, 201, "{sent:?}");
    let settled = runner.hear_alive("settled").await;
    assert_eq!(settled["step"], "word");
    assert!(settled["output"].to_string().contains("\"sum\":7"), "{settled}");
    runner.say(json!([{"finished": {"a": handle, "output": "done"}}])).await;
    assert_eq!(ended(a.address(), &run).await["output"], "done");
}

/// §4.7: a runner whose node is gone takes its runs to another, and goes on there without a replay.
#[tokio::test]
async fn a_runner_takes_its_runs_along_to_another_node() {
    let shared = Shared::new();
    let (a, b) = (shared.node("a").await, shared.node("b").await);
    let mut runner = Runner::connect(a.address(), json!([{"name": "pay"}])).await;
    let run = post(a.address(), "/api/v1/runs", &json!({"workflow": "pay"})).await.text("id");
    let activate = runner.hear("activate").await;
    let opening = json!({"kind": "run", "after": 0, "agoUs": 100});
    runner
        .say(json!([{"ended": {"a": activate["a"], "step": "charge", "n": 1, "startedAgoUs": 90,
            "endedAgoUs": 10, "output": 1, "open": opening}}]))
        .await;
    runner.hear("settled").await;
    shared.end("a");
    let words = runner.last_words().await;
    assert!(words.contains("again"), "{words}");
    let mut runner = Runner::open(b.address()).await.unwrap();
    let mut hello = Runner::hello(&json!([{"name": "pay"}]));
    hello["resume"] = json!([{"run": activate["run"], "epoch": activate["epoch"],
        "nonce": activate["nonce"], "told": 1, "idle": false}]);
    runner.say(json!([{"hello": hello}])).await;
    let resumed = runner.hear_alive("resumed").await;
    assert_eq!(resumed["run"], run.as_str());
    runner.say(json!([{"finished": {"a": resumed["a"], "output": "done"}}])).await;
    assert_eq!(ended(a.address(), &run).await["output"], "done");
    let history = get(b.address(), &format!("/api/v1/runs/{run}/history")).await;
    let text = &history.body;
    assert_eq!(text.matches("\"activated\"").count(), 1, "{text}");
}

/// §4.3: a run that slept at one node goes on at another, once that one stopped.
#[tokio::test]
async fn what_a_node_leaves_goes_on_at_others() {
    let shared = Shared::new();
    let (a, b) = (shared.node("a").await, shared.node("b").await);
    let mut first = Runner::connect(a.address(), json!([{"name": "pay"}])).await;
    let run = post(a.address(), "/api/v1/runs", &json!({"workflow": "pay"})).await.text("id");
    let handle = first.hear("activate").await["a"].take();
    let open = json!({"kind": "sleep", "after": 0, "agoUs": 1});
    first
        .say(json!([
            {"sleep": {"a": handle, "step": "nap", "forUs": 300_000, "open": open}},
            {"released": {"a": handle, "seen": 0}},
        ]))
        .await;
    a.stop().await;
    let mut second = Runner::connect(b.address(), json!([{"name": "pay"}])).await;
    let activate = second.hear_alive("activate").await;
    assert_eq!(activate["run"], run.as_str());
    second.say(json!([{"finished": {"a": activate["a"], "output": "done"}}])).await;
    assert_eq!(ended(b.address(), &run).await["output"], "done");
}
