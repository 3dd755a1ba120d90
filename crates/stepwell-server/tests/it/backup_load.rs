//! A backup of a server under full load: a process with a runner and clients, all of them at work.
//!
//! `STEPWELL_BACKUP_SECONDS` says how long there is load before the backup; `make backup-test` sets it, and wants
//! starts not to take much longer meanwhile.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stepwell::Client;
use stepwell_core::id::RunId;
use stepwell_sqlite::{Embedded, Options, backup};
use stepwell_store::Store as _;

use crate::process::Process;
use crate::support::{get, post};

/// Runs in flight at once, of ten steps each.
const IN_FLIGHT: usize = 64;
const STEPS: u32 = 10;
/// How much longer starts may take while a backup is made: times as long, and so much more.
const SLOWER: f64 = 3.0;
const SLOWER_MS: f64 = 20.0;

/// The runner of the bench, as a process.
struct Bots(Child);

impl Bots {
    fn start(url: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stepwell"));
        command.args(["bench-runner", "--url", url]);
        Self(command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Bots {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What clients saw: each run that was acknowledged, when, and after how long.
#[derive(Default)]
struct Seen {
    acked: Mutex<Vec<(RunId, Instant, Duration)>>,
    stop: AtomicBool,
}

impl Seen {
    fn acked(&self) -> Vec<(RunId, Instant, Duration)> {
        self.acked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn load(self: Arc<Self>, client: Client) {
        while !self.stop.load(Ordering::Acquire) {
            let begun = Instant::now();
            let run = client.start("steps", &STEPS).await.unwrap();
            let acked = (run.id(), Instant::now(), begun.elapsed());
            self.acked.lock().unwrap_or_else(PoisonError::into_inner).push(acked);
            let _: Vec<u32> = run.wait().await.unwrap();
        }
    }
}

/// The 99th percentile of how long starts took that were acknowledged in a span, in milliseconds.
fn p99(acked: &[(RunId, Instant, Duration)], from: Instant, to: Instant) -> f64 {
    let within = acked.iter().filter(|(_, at, _)| *at >= from && *at <= to);
    let mut took: Vec<_> = within.map(|(_, _, took)| took.as_secs_f64() * 1e3).collect();
    took.sort_by(f64::total_cmp);
    took.get(took.len() * 99 / 100).copied().unwrap_or_default()
}

/// Restores a backup and holds each run against the original; returns how many files it has, and bytes.
fn judge(folder: &Path, name: &str, runs: &[RunId]) -> (usize, u64) {
    let copy = folder.join("backups").join(name);
    let verified = backup::verify(&copy).unwrap();
    assert_eq!(verified.problems, [""; 0]);
    let options = Options::default();
    let restored = folder.join("restored");
    backup::restore(&copy, &restored, &options).unwrap();
    let original = Embedded::open(folder.join("data"), options.clone()).unwrap();
    let restored = Embedded::open(&restored, options).unwrap();
    for run in runs {
        let (is, was) = (restored.load(*run).unwrap(), original.load(*run).unwrap());
        let is = is.unwrap_or_else(|| panic!("{run} was acknowledged and is not there"));
        assert!(!is.is_empty() && was.unwrap().starts_with(&is), "{run} is another one");
    }
    assert_eq!(restored.verify().unwrap().problems, []);
    (verified.manifest.files.len(), verified.manifest.bytes())
}

#[expect(clippy::print_stdout, reason = "the figures are what `make backup-test` shows")]
fn say(text: &str) {
    println!("{text}");
}

/// §4.9: every run that was acknowledged before a backup began is in what is restored from it, byte by byte as
/// the original has it up to there, and each file has the hash that was written.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_has_every_run_that_was_acknowledged_before_it() {
    let seconds = std::env::var("STEPWELL_BACKUP_SECONDS").ok().map(|text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let (data, backups) = (folder.path().join("data"), folder.path().join("backups"));
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let start =
        ["start", "--listen", "127.0.0.1:0", "--access", "loopback", "--log-format", "json"];
    let (data_text, backups_text) = (text(&data), text(&backups));
    let folders = ["--data", &data_text, "--backup-dir", &backups_text];
    let server = Process::start(&[&start[..], &folders].concat());
    let to = server.address;
    let url = format!("http://{to}");
    let bots = Bots::start(&url);
    while get(to, "/api/v1/workflows").await.json()["workflows"]
        .as_array()
        .is_none_or(Vec::is_empty)
    {
        tokio::task::yield_now().await;
    }
    let seen = Arc::new(Seen::default());
    let client = Client::new(&url).unwrap();
    let load: Vec<_> =
        (0..IN_FLIGHT).map(|_| tokio::spawn(seen.clone().load(client.clone()))).collect();
    let first = Instant::now();
    let enough = |seen: &Seen| match seconds {
        Some(seconds) => first.elapsed() >= Duration::from_secs(seconds),
        None => seen.acked().len() >= 300,
    };
    while !enough(&seen) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    let before = seen.acked();
    let begun = Instant::now();
    let asked = post(to, "/api/v1/backups", &json!({})).await;
    assert_eq!((asked.status, &asked.json()["begun"]), (202, &json!(true)), "{asked:?}");
    let listed = loop {
        let listed = get(to, "/api/v1/backups").await.json();
        if listed["running"].is_null() {
            break listed;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let ended = Instant::now();
    assert_eq!(listed["lastFailure"], Value::Null);
    seen.stop.store(true, Ordering::Release);
    for load in load {
        load.await.unwrap();
    }
    drop((bots, server));

    let name = listed["backups"][0]["name"].as_str().unwrap();
    let before: Vec<_> = before.into_iter().map(|(run, ..)| run).collect();
    let (files, bytes) = judge(folder.path(), name, &before);

    let acked = seen.acked();
    let (quiet, busy) = (p99(&acked, first, begun), p99(&acked, begun, ended));
    let during = acked.iter().filter(|(_, at, _)| *at >= begun && *at <= ended).count();
    // Tenths of MiB.
    let tenths = bytes * 10 / (1 << 20);
    say(&format!(
        "backup: {} runs acknowledged before it, all of them restored byte by byte; {files} files of {}.{} MiB \
         with their hashes, in {:.2} s; starts took p99 {quiet:.1} ms before and {busy:.1} ms during it \
         ({during} starts)",
        before.len(),
        tenths / 10,
        tenths % 10,
        ended.duration_since(begun).as_secs_f64(),
    ));
    // A few runs on a machine that does other things say nothing of times.
    if seconds.is_some() {
        let most = quiet * SLOWER + SLOWER_MS;
        assert!(busy <= most, "starts took {busy:.1} ms during the backup; accepted: {most:.1} ms");
    }
}
