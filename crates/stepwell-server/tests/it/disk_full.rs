//! A disk that fills up, for real: a small one that `scripts/disk-full.sh` mounts and names.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stepwell_server::config::Config;
use stepwell_server::server;

use crate::support::{Runner, config, get, post};

/// Free space below which starts are refused.
const RESERVE: u64 = 32 << 20;
/// Runs that are in progress as the disk fills up.
const RUNS: usize = 40;
/// Longest time from when there is space again until a start is accepted.
const BACK_WITHIN: Duration = Duration::from_secs(10);

/// Fills a disk up to so many bytes with a file; what of it is the file system's own is left out.
fn fill(folder: &Path, leave: u64) -> PathBuf {
    let path = folder.join("ballast");
    let mut file = File::create(&path).unwrap();
    let piece = vec![7_u8; 1 << 16];
    while free(folder) > leave && file.write_all(&piece).is_ok() {}
    file.sync_all().unwrap();
    path
}

fn free(folder: &Path) -> u64 {
    let stat = rustix::fs::statvfs(folder).unwrap();
    stat.f_bavail * stat.f_frsize
}

async fn start(to: std::net::SocketAddr, n: usize) -> crate::support::Answer {
    post(to, "/api/v1/runs", &json!({"workflow": "pay", "input": n})).await
}

/// §12: with less room than the reserve starts are refused with 507, what has begun ends, and with room again all
/// is as before; a backup that does not fit is refused and the one before stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_starts_and_lets_runs_end() {
    let Some(disk) = std::env::var_os("STEPWELL_SMALL_DISK").map(PathBuf::from) else {
        println!("disk-full: not run here; `make disk-full` mounts a small disk for it");
        return;
    };
    let (data, backup_dir) = (Some(disk.join("data")), Some(disk.join("backups")));
    let mut settings = Config { data, backup_dir, reserve_bytes: RESERVE, ..config() };
    // The runner of this test sends no pings.
    settings.limits.runner_ttl_ms = 600_000;
    let server = server::start(&settings).await.unwrap();
    let to = server.address();
    let mut runner = Runner::open(to).await.unwrap();
    let mut hello = Runner::hello(&json!([{"name": "pay"}]));
    hello["slots"] = json!(RUNS + 1);
    runner.say(json!([{"hello": hello}])).await;
    runner.hear("welcome").await;
    let mut runs = Vec::new();
    for n in 0..RUNS {
        runs.push(start(to, n).await.text("id"));
    }
    assert_eq!(post(to, "/api/v1/backups", &json!({})).await.status, 202);
    let kept = until_backed_up(to).await["backups"].clone();
    assert_eq!(kept.as_array().unwrap().len(), 1, "{kept}");

    let mut refused = 0;
    let mut least = u64::MAX;
    for leave in [RESERVE / 2, 1 << 20, 0] {
        let ballast = fill(&disk, leave);
        least = least.min(free(&disk));
        for n in 0..20 {
            let answer = start(to, n).await;
            assert_eq!((answer.status, answer.text("code")), (507, "SW1009".into()), "{answer:?}");
            refused += 1;
        }
        let event = post(to, "/api/v1/events", &json!({"event": "paid"})).await;
        assert_eq!(event.status, 507, "{event:?}");
        let health = get(to, "/healthz").await;
        assert_eq!(health.json()["status"], json!("degraded"), "{health:?}");
        // A third of the runs ends in each round.
        for _ in 0..RUNS / 3 {
            runner.run_one().await;
        }
        // Where nothing can be written at all, the act is not in the audit log, and so is not begun.
        let asked = post(to, "/api/v1/backups", &json!({})).await;
        let listed = until_backed_up(to).await;
        let told = if asked.status == 202 {
            listed["lastFailure"]["code"].clone()
        } else {
            json!(asked.text("code"))
        };
        assert_eq!(told, json!("SW1009"), "{asked:?}");
        assert_eq!(listed["backups"], kept, "{listed}");
        fs::remove_file(ballast).unwrap();
    }
    let space = Instant::now();
    let accepted = loop {
        let answer = start(to, 0).await;
        if answer.status == 201 {
            break answer.text("id");
        }
        assert!(space.elapsed() < BACK_WITHIN, "{answer:?}");
    };
    let back = space.elapsed();
    runs.push(accepted);
    for _ in 0..RUNS - RUNS / 3 * 3 + 1 {
        runner.run_one().await;
    }
    for run in &runs {
        let ended = get(to, &format!("/api/v1/runs/{run}/result?wait=20s")).await.json();
        assert_eq!(ended["status"], json!("completed"), "{run}: {ended}");
    }
    assert_eq!(get(to, "/healthz").await.json()["status"], json!("ok"));
    let restarts = server.node().restarts();
    assert_eq!(restarts, 0, "the store was opened again");
    drop(runner);
    server.stop().await;
    let server = server::start(&settings).await.unwrap();
    let to = server.address();
    let counts = get(to, "/api/v1/runs/counts").await.json();
    println!(
        "disk-full: {refused} starts refused with 507 while as little as {least} bytes were free, {} runs ended \
         meanwhile and after; a start was accepted {:.0} ms after there was room again; after a restart: {counts}",
        runs.len(),
        back.as_secs_f64() * 1e3,
    );
}

async fn until_backed_up(to: std::net::SocketAddr) -> Value {
    loop {
        let listed = get(to, "/api/v1/backups").await.json();
        if listed["running"].is_null() {
            return listed;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
