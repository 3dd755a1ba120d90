//! Ended runs are deleted once they are older than the retention.

use std::sync::Arc;

use serde_json::json;
use stepwell_core::id::RunId;
use stepwell_core::status::RunStatus;
use stepwell_core::summary::Summary;
use stepwell_core::time::Timestamp;
use stepwell_store::Store;
use stepwell_store::batch::{Batch, RunWrite};

use crate::support::{FaultyStore, get};

fn ended(at: Timestamp) -> RunWrite {
    let id = RunId::new(at, 7);
    let summary = Summary {
        id,
        namespace: "default".into(),
        app: "shop".into(),
        workflow: "pay".into(),
        key: None,
        status: RunStatus::Completed,
        created_at: at,
        started_at: Some(at),
        ended_at: Some(at),
        version: None,
        ready_since: None,
        timer_at: None,
        active: false,
        steps: 0,
        steps_ended: 0,
        steps_failed: 0,
        blocked: None,
        journal_bytes: 0,
        parent: None,
        error: None,
        search: stepwell_core::search::Attributes::new(),
    };
    RunWrite { run: id, records: Vec::new(), summary, waits: Arc::default() }
}

/// §4.8: what is younger than the retention stays.
#[tokio::test]
async fn old_runs_are_deleted_and_young_ones_stay() {
    let store = FaultyStore::default();
    let now = Timestamp::from_micros(0).after(std::time::UNIX_EPOCH.elapsed().unwrap());
    let day = std::time::Duration::from_hours(24);
    let old = ended(now.before(day * 8));
    let young = ended(now.before(day * 6));
    let young_id = young.run.to_string();
    let batch = Batch { runs: vec![old, young], ..Batch::default() };
    store.commit(&batch).unwrap();
    let server = store.server().await;
    loop {
        let list = get(server.address(), "/api/v1/runs").await.json();
        let runs = list["runs"].as_array().unwrap();
        if runs.len() == 1 {
            assert_eq!(runs[0]["id"], json!(young_id));
            break;
        }
    }
    server.stop().await;
}
