//! Servers on PostgreSQL.

use serde_json::{Value, json};
use stepwell_postgres::testing::{Place, place};
use stepwell_server::config::{Config, DatabaseConfig};
use stepwell_server::server::{self, Server};

use crate::support::{Runner, config, get, post};

/// Settings of a node in a schema of its own.
pub(crate) fn on(place: &Place, node: &str) -> Config {
    let options = place.options();
    let database = DatabaseConfig {
        url: Some(options.url.parse().unwrap()),
        schema: options.schema,
        ca_file: None,
        node: Some(node.into()),
        // It does not run out while the machine is busy.
        lease: options.lease,
    };
    Config { database, ..config() }
}

async fn node(place: &Place, node: &str) -> Server {
    server::start(&on(place, node)).await.unwrap()
}

async fn ended(server: &Server, run: &str) -> Value {
    get(server.address(), &format!("/api/v1/runs/{run}/result?wait=20s")).await.json()
}

/// What one node takes another one runs, and it is all there after both have stopped.
#[tokio::test(flavor = "multi_thread")]
async fn runs_are_there_for_every_node_and_after_a_restart() {
    let Some(place) = place().unwrap() else { return };
    let (a, b) = (node(&place, "a").await, node(&place, "b").await);
    let mut runner = Runner::connect(b.address(), json!([{"name": "pay"}])).await;
    let to = a.address();
    let start = tokio::spawn(async move {
        post(to, "/api/v1/runs?wait=30s", &json!({"workflow": "pay", "key": "k"})).await
    });
    runner.run_one().await;
    let answer = start.await.unwrap();
    assert_eq!(answer.text("status"), "completed", "{answer:?}");
    let run = answer.text("id");
    drop(runner);
    a.stop().await;
    b.stop().await;
    let c = node(&place, "c").await;
    assert_eq!(ended(&c, &run).await["output"], "done");
    let again = post(c.address(), "/api/v1/runs", &json!({"workflow": "pay", "key": "k"})).await;
    assert_eq!((again.status, again.text("id")), (200, run));
    c.stop().await;
}

/// §4.7: a runner takes its run along when its node stops, and goes on at the other without a replay.
#[tokio::test(flavor = "multi_thread")]
async fn a_runner_takes_its_run_along() {
    let Some(place) = place().unwrap() else { return };
    let (a, b) = (node(&place, "a").await, node(&place, "b").await);
    let mut runner = Runner::connect(a.address(), json!([{"name": "pay"}])).await;
    let run = post(b.address(), "/api/v1/runs", &json!({"workflow": "pay"})).await.text("id");
    let activate = runner.hear_alive("activate").await;
    a.stop().await;
    let mut runner = Runner::open(b.address()).await.unwrap();
    let mut hello = Runner::hello(&json!([{"name": "pay"}]));
    hello["resume"] = json!([{"run": activate["run"], "epoch": activate["epoch"],
        "nonce": activate["nonce"], "told": 0, "idle": false}]);
    runner.say(json!([{"hello": hello}])).await;
    let resumed = runner.hear_alive("resumed").await;
    runner.say(json!([{"finished": {"a": resumed["a"], "output": "done"}}])).await;
    assert_eq!(ended(&b, &run).await["output"], "done");
    b.stop().await;
}

/// A database that cannot be used is refused with what would be.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_database_is_refused() {
    let Some(place) = place().unwrap() else { return };
    let mut config = on(&place, "a");
    config.database.url = Some("postgres://127.0.0.1:1/none".parse().unwrap());
    let why = server::start(&config).await.map(|_| ()).unwrap_err().to_string();
    assert!(why.contains("127.0.0.1") || why.contains("PostgreSQL"), "{why}");
    let mut both = Config { data: Some("/tmp/none".into()), ..on(&place, "a") };
    both.database.lease = DatabaseConfig::default().lease;
    assert!(both.check().unwrap_err().to_string().contains("one of the two"));
}
