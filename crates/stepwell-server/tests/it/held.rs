//! A restored server holds its runs back until somebody lets them go.

use std::time::Duration;

use serde_json::{Value, json};

use crate::backup::{World, offline, text};
use crate::process::Process;
use crate::support::{Runner, get, out, post, stepwell};

/// Restores a server with a run that a runner holds; returns what the runner was given.
async fn restored(world: &World) -> (String, Value) {
    let server = world.start("data").await;
    let to = server.address();
    let mut runner = Runner::connect(to, json!([{"name": "pay"}])).await;
    let run = post(to, "/api/v1/runs", &json!({"workflow": "pay", "input": 1})).await.text("id");
    let activate = runner.hear("activate").await;
    let folder = world.back_up(&server).await;
    let data = world.path("new");
    let made = offline(&["restore", text(&folder), "--data", text(&data)]);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    assert!(out(&made).contains("`stepwell start --resume`"), "{made:?}");
    drop(runner);
    server.stop().await;
    (run, activate)
}

/// §4.7, §4.9: nothing is given out, starts are accepted, everybody is told why; a runner that presents what
/// the original gave it is told that it is gone; after `resume` all of it goes on, also after a restart.
#[tokio::test(flavor = "multi_thread")]
async fn a_restored_server_runs_nothing_until_it_is_let_go() {
    let world = World::new();
    let (first, activate) = restored(&world).await;
    let server = world.start("new").await;
    let to = server.address();
    let url = format!("http://{to}");
    let health = get(to, "/healthz").await.json();
    assert_eq!((&health["status"], &health["restored"]["held"]), (&json!("held"), &json!(true)));
    let mut hello = Runner::hello(&json!([{"name": "pay"}]));
    hello["resume"] = json!([{"run": activate["run"], "epoch": activate["epoch"],
        "nonce": activate["nonce"], "told": 0}]);
    let mut runner = Runner::open(to).await.unwrap();
    runner.say(json!([{"hello": hello}])).await;
    let gone = json!({"run": first, "epoch": activate["epoch"]});
    assert_eq!(runner.hear("gone").await, gone);
    let second = post(to, "/api/v1/runs", &json!({"workflow": "pay", "input": 2})).await;
    assert_eq!(second.status, 201, "{second:?}");
    let second = second.text("id");
    for run in [&first, &second] {
        let why = get(to, &format!("/api/v1/runs/{run}/why")).await.json();
        assert_eq!(why["cause"], json!("held"), "{why}");
        let shown = why["why"].as_str().unwrap();
        assert!(shown.starts_with("dispatch is off: this server was restored"), "{why}");
    }
    let doctor = out(&stepwell(url.clone(), &["doctor"]).await);
    assert!(doctor.contains("held"), "{doctor}");
    assert_eq!(server.node().stats().await.unwrap().activations, 0);

    drop(runner);
    let mut runner = Runner::connect(to, json!([{"name": "pay"}])).await;
    let resumed = stepwell(url.clone(), &["resume"]).await;
    assert_eq!(resumed.status.code(), Some(0), "{resumed:?}");
    assert!(out(&resumed).contains("runs go on from backup 2"), "{resumed:?}");
    let next = runner.hear("activate").await;
    assert_eq!(next["run"], json!(second));
    let health = get(to, "/healthz").await.json();
    assert_eq!((&health["status"], &health["restored"]["held"]), (&json!("ok"), &json!(false)));
    let again = post(to, "/api/v1/server/resume", &json!({})).await;
    assert_eq!((again.status, &again.json()["restored"]["held"]), (200, &json!(false)));
    drop(runner);
    server.stop().await;
    let server = world.start("new").await;
    assert_eq!(get(server.address(), "/healthz").await.json()["status"], json!("ok"));
}

/// Jobs that the original had begun wait as well; what is asked of the restored server goes on.
#[tokio::test(flavor = "multi_thread")]
async fn acts_on_many_runs_wait_with_the_runs() {
    let world = World::new();
    let server = world.start("data").await;
    let to = server.address();
    drop(Runner::connect(to, json!([{"name": "pay"}])).await);
    for n in 0..400 {
        let body = json!({"workflow": "pay", "runner": "green", "input": n});
        assert_eq!(post(to, "/api/v1/runs", &body).await.status, 201);
    }
    let pause = json!({"act": "pause", "filter": {"workflow": "pay"}});
    let before = post(to, "/api/v1/bulk", &pause).await.text("id");
    let folder = world.back_up(&server).await;
    server.stop().await;
    let made = offline(&["restore", text(&folder), "--data", text(&world.path("new"))]);
    assert_eq!(made.status.code(), Some(0), "{made:?}");

    let server = world.start("new").await;
    let to = server.address();
    let job = async |id: &str| get(to, &format!("/api/v1/bulk/{id}")).await.json();
    let begun = job(&before).await;
    assert_eq!(begun["endedAt"], Value::Null, "it was cut off by the copy: {begun}");
    let cancel = json!({"act": "cancel", "filter": {"status": "queued"}});
    let after = post(to, "/api/v1/bulk", &cancel).await.text("id");
    until(async || job(&after).await["state"] == json!("done")).await;
    assert_eq!(job(&before).await, begun, "nothing of it was done meanwhile");
    post(to, "/api/v1/server/resume", &json!({})).await;
    until(async || job(&before).await["state"] == json!("done")).await;
}

/// `start --resume` lets runs go as it starts, for good.
#[tokio::test]
async fn start_with_resume_lets_runs_go() {
    let world = World::new();
    let (first, _) = restored(&world).await;
    let data = world.path("new");
    let start = ["start", "--data", text(&data), "--listen", "127.0.0.1:0", "--access", "loopback"];
    let json = ["--log-format", "json", "--runner-ttl", "4s", "--ping", "200ms"];
    let process = Process::start(&[&start[..], &json, &["--resume"]].concat());
    let mut runner = Runner::connect(process.address, json!([{"name": "pay"}])).await;
    let health = get(process.address, "/healthz").await.json();
    assert_eq!((&health["status"], &health["restored"]["held"]), (&json!("ok"), &json!(false)));
    // What the original had given out is lost to it once nobody can hold it, and given out anew.
    let next = runner.hear_alive("activate").await;
    assert_eq!((&next["run"], &next["epoch"]), (&json!(first), &json!(2)));
}

/// On a server that was not restored there is nothing to let go.
#[tokio::test(flavor = "multi_thread")]
async fn resume_of_another_server_says_that_nothing_was_held() {
    let world = World::new();
    let server = world.start("data").await;
    let told = stepwell(format!("http://{}", server.address()), &["resume"]).await;
    assert_eq!(told.status.code(), Some(0), "{told:?}");
    assert!(out(&told).contains("nothing was held"), "{told:?}");
    assert_eq!(get(server.address(), "/healthz").await.json()["restored"], Value::Null);
}

/// Waits until something is so.
async fn until(is_so: impl AsyncFn() -> bool) {
    for _ in 0..1_000 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it did not happen within 20 s");
}
