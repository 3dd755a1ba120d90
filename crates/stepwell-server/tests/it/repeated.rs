//! Requests that are sent again because their answer was lost: what docs/api.md says of each of them.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde_json::{Value, json};
use stepwell_access::Role;

use crate::access::Keyed;
use crate::support::{Answer, Runner, get, post, request, server};

/// Sends a request many times at once.
async fn at_once(to: SocketAddr, path: &str, body: &Value) -> Vec<Answer> {
    let send = || {
        let (path, body) = (path.to_owned(), body.clone());
        tokio::spawn(async move { post(to, &path, &body).await })
    };
    let sent: Vec<_> = (0..16).map(|_| send()).collect();
    let mut answers = Vec::new();
    for one in sent {
        answers.push(one.await.unwrap());
    }
    answers
}

/// §4.8: repeats that overtake each other start one run, and one of them is told so.
#[tokio::test(flavor = "multi_thread")]
async fn starts_with_one_key_at_once_start_one_run() {
    let server = server().await;
    let to = server.address();
    let mut runner = Runner::connect(to, json!([{"name": "pay"}])).await;
    let body = json!({"workflow": "pay", "input": {"a": 1, "b": 2}, "key": "k"});
    let answers = at_once(to, "/api/v1/runs", &body).await;
    let ids: BTreeSet<_> = answers.iter().map(|answer| answer.text("id")).collect();
    assert_eq!(ids.len(), 1, "{answers:?}");
    let created: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!(created.len(), 1, "{answers:?}");
    assert_eq!(created[0].json()["created"], true);
    assert!(answers.iter().all(|answer| answer.status == 201 || answer.status == 200));

    // With `wait` a repeat hears how the first one ended, also when it has ended long ago.
    runner.run_one().await;
    let ended = post(to, "/api/v1/runs?wait=20s", &body).await;
    assert_eq!((ended.status, ended.text("status")), (200, "completed".into()), "{ended:?}");
    assert_eq!(
        (&ended.json()["created"], &ended.json()["output"]),
        (&json!(false), &json!("done"))
    );

    // Without a key each start is another run.
    let bare = json!({"workflow": "pay"});
    let (one, two) = (post(to, "/api/v1/runs", &bare).await, post(to, "/api/v1/runs", &bare).await);
    assert_ne!(one.text("id"), two.text("id"));
}

/// §8.7: an event is known by its id alone.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_sent_again_does_nothing_more() {
    let server = server().await;
    let to = server.address();
    let body = json!({"event": "paid", "id": "e-1", "data": 1});
    let answers = at_once(to, "/api/v1/events", &body).await;
    let accepted = answers.iter().filter(|answer| answer.json()["accepted"] == true);
    assert_eq!(accepted.count(), 1, "{answers:?}");
    for answer in &answers {
        assert_eq!(
            (answer.status == 201, answer.text("id")),
            (answer.json()["accepted"] == true, "e-1".into())
        );
    }
    // What else the repeat says is not looked at.
    let other =
        post(to, "/api/v1/events", &json!({"event": "other", "id": "e-1", "data": 2})).await;
    assert_eq!((other.status, &other.json()["accepted"]), (200, &json!(false)));
    assert_eq!(get(to, "/api/v1/events/e-1").await.json()["data"], 1);
    assert_eq!(get(to, "/api/v1/events").await.json()["events"].as_array().unwrap().len(), 1);

    let bare = json!({"event": "paid"});
    let (one, two) =
        (post(to, "/api/v1/events", &bare).await, post(to, "/api/v1/events", &bare).await);
    assert_ne!(one.text("id"), two.text("id"));
}

/// §9.5: an act that is done is not done again; what would start another run does.
#[tokio::test]
async fn acts_that_are_sent_again_change_nothing_more() {
    let server = server().await;
    let to = server.address();
    drop(Runner::connect(to, json!([{"name": "pay"}])).await);
    let run = post(to, "/api/v1/runs", &json!({"workflow": "pay", "delay": "1h"})).await.text("id");
    let path = format!("/api/v1/runs/{run}");
    let act = async |act: &str| post(to, &format!("{path}/{act}"), &json!({})).await;
    let history = async || get(to, &path).await.json()["history"].as_array().unwrap().len();
    for name in ["pause", "resume", "retry"] {
        let first = act(name).await;
        let told = history().await;
        let second = act(name).await;
        assert_eq!((first.status, second.status), (200, 200), "{name}: {second:?}");
        assert_eq!(first.json(), second.json(), "{name}");
        assert_eq!(history().await, told, "{name} is told once");
    }
    assert_eq!(act("cancel").await.text("status"), "cancelled");
    for name in ["cancel", "terminate"] {
        let again = act(name).await;
        assert_eq!((again.status, again.text("status")), (200, "cancelled".into()), "{name}");
    }
    for name in ["pause", "resume", "retry"] {
        let late = act(name).await;
        assert_eq!((late.status, late.text("code")), (409, "SW2005".into()), "{name}: {late:?}");
    }
    let (one, two) = (act("rerun").await, act("rerun").await);
    assert_eq!((one.status, two.status), (201, 201), "{one:?} {two:?}");
    assert_ne!(one.text("id"), two.text("id"));

    let delete = async || request(to, &format!("DELETE {path}"), &[], b"").await;
    assert_eq!(delete().await.status, 200);
    let again = delete().await;
    assert_eq!((again.status, again.text("code")), (404, "SW2001".into()));
}

/// Keys and namespaces: what is made twice is two, or refused; what is taken away twice is away.
#[tokio::test]
async fn keys_and_namespaces_that_are_sent_again() {
    let keyed = Keyed::start().await;
    let admin = keyed.key("default", Role::Admin).await;
    let shop = json!({"name": "shop"});
    assert_eq!(keyed.post("/api/v1/namespaces", &admin, shop.clone()).await.status, 201);
    let again = keyed.post("/api/v1/namespaces", &admin, shop).await;
    assert_eq!((again.status, again.text("code")), (409, "SW1014".into()));

    let ci = json!({"name": "ci", "role": "viewer", "namespace": "shop"});
    let one = keyed.post("/api/v1/keys", &admin, ci.clone()).await;
    let two = keyed.post("/api/v1/keys", &admin, ci).await;
    assert_ne!(one.text("id"), two.text("id"));
    let rotate = format!("/api/v1/keys/{}/rotate", one.text("id"));
    let first = keyed.post(&rotate, &admin, json!({})).await.text("key");
    let second = keyed.post(&rotate, &admin, json!({})).await.text("key");
    assert_ne!(first, second);
    assert_eq!(keyed.get("/api/v1/me", &second).await.status, 200);
    let revoke = format!("/api/v1/keys/{}/revoke", one.text("id"));
    let first = keyed.post(&revoke, &admin, json!({})).await;
    let second = keyed.post(&revoke, &admin, json!({})).await;
    assert_eq!(
        (first.status, first.json()["revokedAt"].clone()),
        (200, second.json()["revokedAt"].clone())
    );

    let delete = async || keyed.ask("DELETE /api/v1/namespaces/shop", Some(&admin), None).await;
    assert_eq!(delete().await.json()["gone"], true);
    let again = delete().await;
    assert_eq!((again.status, again.text("code")), (404, "SW1013".into()));
}
