//! Any doubt about the store is a new life of the node.

use serde_json::json;
use stepwell_store::Error;

use crate::support::{FaultyStore, Runner, get, post, server_on};

async fn restarts(to: std::net::SocketAddr) -> u64 {
    // While the store is being opened the answer is a 503; it is soon over.
    loop {
        let health = get(to, "/healthz").await;
        if health.status == 200 {
            return health.json()["nodeRestarts"].as_u64().unwrap();
        }
        assert_eq!(health.text("code"), "SW1008");
        tokio::task::yield_now().await;
    }
}

/// §4.8, §4.9: a start whose write is in doubt is not acknowledged, and the server goes on.
#[tokio::test]
async fn an_unknown_commit_is_answered_as_such_and_the_node_lives_on() {
    let store = FaultyStore::default();
    let server = store.server().await;
    let to = server.address();
    let mut runner = Runner::connect(to, json!([{"name": "pay"}])).await;
    for (nth, error) in
        [Error::Unknown("planted".into()), Error::Fenced, Error::Poisoned("planted".into())]
            .into_iter()
            .enumerate()
    {
        store.fail_commit(error);
        let refused = post(to, "/api/v1/runs", &json!({"workflow": "pay"})).await;
        assert_eq!((refused.status, refused.text("code")), (503, "SW1015".into()));
        assert!(refused.headers.contains("retry-after"), "{refused:?}");
        let words = runner.last_words().await;
        assert!(words.contains("opens its store again"), "{words}");
        assert_eq!(restarts(to).await, nth as u64 + 1);
        runner = Runner::connect(to, json!([{"name": "pay"}])).await;
    }
    let started = post(to, "/api/v1/runs", &json!({"workflow": "pay"})).await;
    assert_eq!(started.status, 201, "{started:?}");
}

/// A disk that is full refuses new runs with a 507; nothing is dropped.
#[tokio::test]
async fn a_full_disk_refuses_new_runs_only() {
    let store = FaultyStore::default();
    let server = store.server().await;
    let to = server.address();
    let mut runner = Runner::connect(to, json!([{"name": "pay"}])).await;
    store.fail_commit(Error::DiskFull { free: 1, reserve: 2 });
    let refused = post(to, "/api/v1/runs", &json!({"workflow": "pay"})).await;
    assert_eq!((refused.status, refused.text("code")), (507, "SW1009".into()));
    assert_eq!(restarts(to).await, 0);
    let start = tokio::spawn(async move {
        post(to, "/api/v1/runs?wait=30s", &json!({"workflow": "pay"})).await
    });
    runner.run_one().await;
    assert_eq!(start.await.unwrap().text("status"), "completed");
}

/// A panic on the node's thread costs one life, not the process.
#[tokio::test]
async fn a_panic_of_the_engine_is_survived() {
    let store = FaultyStore::default();
    let server = store.server().await;
    let to = server.address();
    let mut runner = Runner::connect(to, json!([{"name": "pay"}])).await;
    let body = json!({"workflow": "pay", "key": "k"});
    let start = tokio::spawn(async move { post(to, "/api/v1/runs?wait=30s", &body).await });
    runner.run_one().await;
    let id = start.await.unwrap().text("id");
    store.panic_on_load();
    let body = json!({"workflow": "pay", "key": "k"});
    let lost = post(to, "/api/v1/runs", &body).await;
    assert_eq!(lost.text("code"), "SW1015", "{lost:?}");
    assert_eq!(restarts(to).await, 1);
    let again = post(to, "/api/v1/runs", &body).await;
    assert_eq!((again.status, again.text("id")), (200, id));
}

/// §4.9: what was acknowledged is there after the server has started again.
#[tokio::test]
async fn a_folder_is_served_again_after_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let first = server_on(folder.path()).await;
    let to = first.address();
    let mut runner = Runner::connect(to, json!([{"name": "pay"}])).await;
    let start = tokio::spawn(async move {
        post(to, "/api/v1/runs?wait=30s", &json!({"workflow": "pay", "input": 1})).await
    });
    runner.run_one().await;
    let ended = start.await.unwrap().text("id");
    drop(runner);
    // Until the server has noticed, it may still give that runner a run.
    while get(to, "/api/v1/runners").await.json()["runners"] != json!([]) {
        tokio::task::yield_now().await;
    }
    let queued = post(to, "/api/v1/runs", &json!({"workflow": "pay"})).await.text("id");
    first.stop().await;

    let second = server_on(folder.path()).await;
    let to = second.address();
    let shown = get(to, &format!("/api/v1/runs/{ended}")).await.json();
    assert_eq!((&shown["status"], &shown["output"]), (&json!("completed"), &json!("done")));
    let mut runner = Runner::connect(to, json!([{"name": "pay"}])).await;
    runner.run_one().await;
    let shown = get(to, &format!("/api/v1/runs/{queued}?wait=30s")).await;
    assert_eq!(shown.text("status"), "completed");
    second.stop().await;
}
