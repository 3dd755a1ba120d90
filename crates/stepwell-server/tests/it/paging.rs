//! Pages of a list while what it lists changes: nothing that was there throughout is missed or seen twice.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::support::{Runner, get, post, request, server_on};

/// Runs, and events, that are there from before the first page to after the last one.
const STAY: usize = 60;
/// Small, so that much happens between the first page and the last.
const PAGE: usize = 7;
/// Runs that have to come and go while a list is read for that to count.
const GONE_MIN: u32 = 5;

/// Goes through a list; returns how often each thing was seen.
async fn read(to: SocketAddr, (list, of, next): (&str, &str, &str)) -> BTreeMap<String, usize> {
    let mut seen = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let page = get(to, &format!("{list}limit={PAGE}{cursor}")).await.json();
        for one in page[of].as_array().unwrap() {
            *seen.entry(one["id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        let Some(text) = page[next].as_str() else { return seen };
        cursor = format!("&cursor={text}");
    }
}

/// Starts a run that no runner gets for an hour.
async fn start(to: SocketAddr, key: &str) -> String {
    let body = json!({"workflow": "pay", "delay": "1h", "key": key});
    post(to, "/api/v1/runs", &body).await.text("id")
}

async fn terminate(to: SocketAddr, run: &str) {
    let ended = post(to, &format!("/api/v1/runs/{run}/terminate"), &json!({})).await;
    assert_eq!(ended.status, 200, "{ended:?}");
}

/// Starts runs, ends and deletes some of them, and sends events, until it is told to stop.
async fn churn(to: SocketAddr, who: &'static str, stop: Arc<AtomicBool>, gone: Arc<AtomicU32>) {
    for n in 0_u32.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        start(to, &format!("stay-not-{who}-{n}")).await;
        let run = start(to, &format!("gone-{who}-{n}")).await;
        terminate(to, &run).await;
        post(to, "/api/v1/events", &json!({"event": "noise", "data": n})).await;
        let deleted = request(to, &format!("DELETE /api/v1/runs/{run}"), &[], b"").await;
        assert_eq!(deleted.status, 200, "{deleted:?}");
        gone.fetch_add(1, Ordering::Relaxed);
    }
}

/// §9.4: while runs are started, ended and deleted and events are sent, what stays is on one page, once.
#[tokio::test(flavor = "multi_thread")]
async fn pages_hold_each_thing_once_while_others_come_and_go() {
    let folder = tempfile::tempdir().unwrap();
    let server = server_on(&folder.path().join("data")).await;
    let to = server.address();
    drop(Runner::connect(to, json!([{"name": "pay"}])).await);
    let (mut runs, mut ended, mut events) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..STAY {
        let run = start(to, &format!("stay-{n}")).await;
        if n % 2 == 0 {
            terminate(to, &run).await;
            ended.push(run.clone());
        }
        runs.push(run);
        let event = json!({"event": "stays", "id": format!("stay-{n}")});
        events.push(post(to, "/api/v1/events", &event).await.text("id"));
    }
    let (stop, gone) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let churning =
        ["a", "b"].map(|who| tokio::spawn(churn(to, who, Arc::clone(&stop), Arc::clone(&gone))));
    let lists = [
        (("/api/v1/runs?", "runs", "next"), &runs),
        (("/api/v1/runs?status=cancelled&", "runs", "next"), &ended),
        (("/api/v1/runs?workflow=pay&from=1d&", "runs", "next"), &runs),
        (("/api/v1/runs?q=stay-&", "runs", "next"), &runs),
        (("/api/v1/events?", "events", "cursor"), &events),
        (("/api/v1/events?order=oldest&", "events", "cursor"), &events),
        (("/api/v1/events?event=stays&", "events", "cursor"), &events),
    ];
    for (list, stays) in lists {
        let before = gone.load(Ordering::Relaxed);
        let mut passes = 0;
        while passes < 2 || gone.load(Ordering::Relaxed) < before + GONE_MIN {
            let seen = read(to, list).await;
            let missed: Vec<_> = stays.iter().filter(|id| !seen.contains_key(*id)).collect();
            assert!(missed.is_empty(), "{list:?}: pass {passes} missed {missed:?}");
            let twice: Vec<_> = seen.iter().filter(|(_, times)| **times > 1).collect();
            assert!(twice.is_empty(), "{list:?}: pass {passes} saw twice: {twice:?}");
            passes += 1;
        }
    }
    stop.store(true, Ordering::Relaxed);
    for churning in churning {
        churning.await.unwrap();
    }
    // The audit log only grows: from the oldest on, each row comes once, in the order of its number.
    let mut after = Value::from(0);
    let mut last = 0;
    while !after.is_null() {
        let page =
            get(to, &format!("/api/v1/audit?order=oldest&limit=50&after={after}")).await.json();
        for row in page["rows"].as_array().unwrap() {
            assert_eq!(row["n"].as_u64().unwrap(), last + 1, "{row}");
            last += 1;
        }
        after = page["next"].clone();
    }
    assert!(last > 0);
    server.stop().await;
}
