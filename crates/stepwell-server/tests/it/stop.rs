//! Stopping in order.

use serde_json::json;

use crate::support::{Runner, post, server};

/// A stop ends waits without losing their runs, and tells runners that it comes.
#[tokio::test]
async fn a_stop_answers_waits_and_tells_runners() {
    let server = server().await;
    let to = server.address();
    let mut runner = Runner::connect(to, json!([{"name": "pay"}])).await;
    let start =
        tokio::spawn(
            async move { post(to, "/api/v1/runs?wait=1m", &json!({"workflow": "pay"})).await },
        );
    runner.hear("activate").await;
    let stop = tokio::spawn(server.stop());
    runner.hear("draining").await;
    let started = start.await.unwrap();
    assert_eq!(started.status, 202, "{started:?}");
    assert!(started.text("id").starts_with("run_"));
    stop.await.unwrap();
    assert!(runner.last_words().await.contains("the server stops"));
    assert!(tokio::net::TcpStream::connect(to).await.is_err());
}
