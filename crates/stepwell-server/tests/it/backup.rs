//! Backups of a server that runs, by the API and the command line, and servers on what was restored.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use stepwell_core::time::Timestamp;
use stepwell_server::config::Config;
use stepwell_server::server::{self, Server};
use tempfile::TempDir;

use crate::support::{Runner, config, get, out, post, request, server, stepwell};

/// A data folder and a folder for backups of it.
pub(crate) struct World {
    all: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { all: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.all.path().join(name)
    }

    pub(crate) async fn start(&self, data: &str) -> Server {
        let backups = Some(self.path("backups"));
        let data = Some(self.path(data));
        let config = Config { data, backup_dir: backups, backups_kept: 2, ..config() };
        server::start(&config).await.unwrap()
    }

    /// Makes a backup by the command line; returns its folder.
    pub(crate) async fn back_up(&self, server: &Server) -> PathBuf {
        let made = stepwell(format!("http://{}", server.address()), &["backup", "--json"]).await;
        assert_eq!(made.status.code(), Some(0), "{made:?}");
        let made: Value = serde_json::from_str(out(&made).trim()).unwrap();
        self.path("backups").join(made["name"].as_str().unwrap())
    }
}

/// Runs the command line without a server.
pub(crate) fn offline(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stepwell")).args(arguments).output().unwrap()
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What the API shows of each run that it lists.
pub(crate) async fn shown(server: &Server, runs: &[String]) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for run in runs {
        let answer = get(server.address(), &format!("/api/v1/runs/{run}")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        all.insert(run.clone(), answer.json());
    }
    all
}

/// A backup is made while the server runs, listed, verified, and restored: the new folder serves what there
/// was.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_made_verified_and_restored() {
    let world = World::new();
    let server = world.start("data").await;
    let to = server.address();
    let url = format!("http://{to}");
    let mut runner = Runner::connect(to, json!([{"name": "pay"}])).await;
    let mut runs = Vec::new();
    for n in 0..5 {
        let body = json!({"workflow": "pay", "input": n, "key": format!("order-{n}")});
        runs.push(post(to, "/api/v1/runs", &body).await.text("id"));
        runner.run_one().await;
        get(to, &format!("/api/v1/runs/{}/result?wait=20s", runs[n])).await;
    }
    let before = shown(&server, &runs).await;

    let made = stepwell(url.clone(), &["backup"]).await;
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    assert!(out(&made).contains("Z is there: "), "{made:?}");
    let folder = world.back_up(&server).await;
    let third = world.back_up(&server).await;
    let listed = get(to, "/api/v1/backups").await.json();
    assert_eq!((&listed["kept"], &listed["running"]), (&json!(2), &Value::Null));
    let names: Vec<_> = listed["backups"].as_array().unwrap().iter().collect();
    assert_eq!(names.len(), 2, "two are kept: {listed}");
    let name = |path: &Path| json!(path.file_name().unwrap().to_str().unwrap());
    assert_eq!((&names[0]["name"], &names[1]["name"]), (&name(&folder), &name(&third)));
    assert!(names[1]["tookMs"].is_u64() && names[1]["bytes"].as_u64() > Some(0), "{listed}");
    let told = get(to, "/metrics").await.body;
    let of =
        |name: &str| told.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    let newest = Timestamp::parse_iso(names[1]["at"].as_str().unwrap()).unwrap();
    let newest = newest.since(Timestamp::from_micros(0)).as_secs_f64();
    assert_eq!(of("stepwell_backups_taken_total "), Some(3.0), "{told}");
    assert_eq!(of("stepwell_backup_newest_timestamp_seconds "), Some(newest), "{told}");
    let table = out(&stepwell(url, &["backup", "list"]).await);
    assert!(table.contains(third.file_name().unwrap().to_str().unwrap()), "{table}");

    let verified = offline(&["backup", "verify", text(&folder)]);
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
    assert!(out(&verified).contains("are as they were written at"), "{verified:?}");
    let data = world.path("new");
    let restored = offline(&["restore", text(&folder), "--data", text(&data)]);
    assert_eq!(restored.status.code(), Some(0), "{restored:?}");
    assert!(out(&restored).contains("holds what was there at"), "{restored:?}");
    drop(runner);
    server.stop().await;
    let server = world.start("new").await;
    assert_eq!(shown(&server, &runs).await, before);
    let told = get(server.address(), "/metrics").await.body;
    let none = "\nstepwell_backup_newest_timestamp_seconds 0\n";
    assert!(told.contains(none), "those that are there are of another store: {told}");
    let body = json!({"workflow": "pay", "input": 3, "key": "order-3"});
    let again = post(server.address(), "/api/v1/runs", &body).await;
    assert_eq!((again.status, again.text("id")), (200, runs[3].clone()));
}

/// What cannot be done is refused with a code and what is accepted.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_backed_up_or_restored_is_told() {
    let memory = server().await;
    let refused = post(memory.address(), "/api/v1/backups", &json!({})).await;
    assert_eq!((refused.status, refused.text("code")), (400, "SW4005".into()));
    assert!(refused.text("detail").contains("`backup_dir` is not set"), "{refused:?}");
    let empty = get(memory.address(), "/api/v1/backups").await.json();
    assert_eq!((&empty["kept"], &empty["backups"]), (&Value::Null, &json!([])));

    let world = World::new();
    let server = world.start("data").await;
    let to = server.address();
    // Where it goes is a setting and nothing else.
    let path = json!({"folder": "/tmp/elsewhere"});
    let refused = post(to, "/api/v1/backups", &path).await;
    assert_eq!((refused.status, refused.text("code")), (400, "SW1001".into()), "{refused:?}");
    let bare = request(to, "POST /api/v1/backups", &[], b"").await;
    assert_eq!((bare.status, &bare.json()["begun"]), (202, &json!(true)), "{bare:?}");
    let folder = world.back_up(&server).await;

    let data = world.path("data");
    let cases: [(&[&str], &str, &str); 4] = [
        (&["backup", "verify", "/nowhere"], "SW1008", "/nowhere is no backup"),
        (&["restore", "/nowhere", "--data", "x"], "SW1008", "/nowhere is no backup"),
        (&["restore", text(&folder), "--data", text(&data)], "SW4007", "it is not empty: there is"),
        (&["backup", "verify", text(&data)], "SW1008", "is no backup"),
    ];
    for (arguments, code, why) in cases {
        let output = offline(arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {told}");
        assert!(told.contains(&format!("error[{code}]: ")) && told.contains(why), "{told}");
    }
    let tables = folder.join("stepwell.db");
    let mut bytes = std::fs::read(&tables).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&tables, bytes).unwrap();
    let damaged = offline(&["backup", "verify", text(&folder)]);
    assert_eq!(damaged.status.code(), Some(1), "{damaged:?}");
    assert!(out(&damaged).contains("✗ stepwell.db is not as it was written"), "{damaged:?}");
    let refused = offline(&["restore", text(&folder), "--data", text(&world.path("new"))]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
}

/// A disk without room for a backup is told with its code; the server goes on, and backups that are there
/// stay.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_without_room_is_told() {
    let world = World::new();
    let server = world.start("data").await;
    let folder = world.back_up(&server).await;
    server.stop().await;
    let (data, backups) = (Some(world.path("data")), Some(world.path("backups")));
    // A reserve that no disk of a test has.
    let config = Config { data, backup_dir: backups, reserve_bytes: 1 << 60, ..config() };
    let server = server::start(&config).await.unwrap();
    let to = server.address();
    let made = stepwell(format!("http://{to}"), &["backup"]).await;
    let told = String::from_utf8_lossy(&made.stderr).into_owned();
    assert_eq!(made.status.code(), Some(1), "{told}");
    assert!(told.contains("error[SW1009]: a backup needs ") && told.contains("are free"), "{told}");
    let listed = get(to, "/api/v1/backups").await.json();
    assert_eq!(listed["lastFailure"]["code"], json!("SW1009"), "{listed}");
    assert_eq!(listed["backups"].as_array().unwrap().len(), 1);
    assert!(folder.is_dir());
}
