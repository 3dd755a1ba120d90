//! The endpoint of runners.

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Runner, get, post, request, server};

/// An SDK of another version is refused with a clear text, before anything else.
#[tokio::test]
async fn another_version_is_refused_with_what_is_accepted() {
    let server = server().await;
    let to = server.address();
    let upgrade = [
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let plain = get(to, "/api/v1/worker").await;
    assert_eq!((plain.status, plain.text("code")), (426, "SW3002".into()));
    let mut headers = upgrade.to_vec();
    headers.push(("connection", "upgrade"));
    let none = request(to, "GET /api/v1/worker", &headers, b"").await;
    assert!(none.text("detail").contains("subprotocols: none"), "{none:?}");
    headers.push(("sec-websocket-protocol", "stepwell.v0, stepwell.v9"));
    let other = request(to, "GET /api/v1/worker", &headers, b"").await;
    assert_eq!(other.status, 426);
    assert!(other.text("detail").contains("stepwell.v0, stepwell.v9"), "{other:?}");
    assert!(other.text("detail").contains("accepts a WebSocket"), "{other:?}");

    let mut runner = Runner::open(to).await.unwrap();
    let mut hello = Runner::hello(&json!([{"name": "pay"}]));
    hello["protocol"] = json!(99);
    runner.say(json!([{"hello": hello}])).await;
    let refused = runner.hear("refused").await;
    assert_eq!(refused["code"], json!("SW3002"));
    assert!(refused["message"].as_str().unwrap().contains("speaks protocol 99"));
}

/// Pings of WebSocket are answered, and do not count as silence or as messages.
#[tokio::test]
async fn pings_of_the_transport_are_answered() {
    let server = server().await;
    let mut runner = Runner::connect(server.address(), json!([{"name": "pay"}])).await;
    runner.send(Message::Ping("x".into())).await;
    runner.say(json!([{"ping": {"k": 7}}])).await;
    assert_eq!(runner.hear("pong").await, json!({"k": 7}));
}

/// §4.1: a step's end is told to its runner once it is durable, and is there for others then.
#[tokio::test]
async fn a_settled_step_is_there_for_others() {
    let server = server().await;
    let to = server.address();
    let mut runner = Runner::connect(to, json!([{"name": "pay"}])).await;
    let id = post(to, "/api/v1/runs", &json!({"workflow": "pay"})).await.text("id");
    let a = runner.hear("activate").await["a"].take();
    let open = json!({"kind": "run", "after": 0, "agoUs": 9});
    runner
        .say(json!([{"ended": {"a": a, "step": "s", "n": 1, "startedAgoUs": 8, "endedAgoUs": 1,
            "output": [1, 2], "open": open}}]))
        .await;
    runner.hear("settled").await;
    let shown = get(to, &format!("/api/v1/runs/{id}")).await.json();
    assert_eq!(shown["steps"][0]["output"], json!([1, 2]));
    assert_eq!(shown["why"], json!("its code runs on runner `blue`"));
}
