//! Acts on many runs: which they are, how far they are, and that they go on after a restart.

use std::net::SocketAddr;

use serde_json::{Value, json};
use stepwell_access::Role;

use crate::access::Keyed;
use crate::support::{Runner, get, out, post, server, server_on, stepwell};

async fn start(to: SocketAddr, runs: usize, key: &str) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 0..runs {
        let body = json!({"workflow": "pay", "runner": "green", "search": {"of": key}, "input": n});
        ids.push(post(to, "/api/v1/runs", &body).await.text("id"));
    }
    ids
}

async fn ended(to: SocketAddr, job: &Value) -> Value {
    let path = format!("/api/v1/bulk/{}", job["id"].as_str().unwrap());
    loop {
        let job = get(to, &path).await.json();
        if job["endedAt"].is_string() {
            return job;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

async fn statuses(to: SocketAddr) -> Value {
    get(to, "/api/v1/runs/counts").await.json()["counts"].clone()
}

#[tokio::test]
async fn an_act_reaches_the_runs_that_the_filter_names() {
    let server = server().await;
    let to = server.address();
    drop(Runner::connect(to, json!([{"name": "pay"}])).await);
    start(to, 70, "first").await;
    start(to, 3, "other").await;
    let filter = json!({"search": "of=first", "status": "queued"});
    let dry =
        post(to, "/api/v1/bulk", &json!({"act": "cancel", "filter": filter, "dryRun": true})).await;
    assert_eq!(dry.status, 200, "{dry:?}");
    let dry = dry.json();
    assert_eq!(dry["matched"], json!({"runs": 70, "orMore": false}), "{dry}");
    assert_eq!(dry["byStatus"], json!({"queued": {"runs": 70, "orMore": false}}));
    assert_eq!(dry["sample"].as_array().unwrap().len(), 20);
    assert_eq!(statuses(to).await["queued"]["runs"], json!(73), "nothing was done");

    let body = json!({"act": "cancel", "filter": filter, "reason": "a mistake", "key": "k-1"});
    let begun = post(to, "/api/v1/bulk", &body).await;
    assert_eq!(begun.status, 201, "{begun:?}");
    let again = post(to, "/api/v1/bulk", &body).await;
    assert_eq!((again.status, again.text("id")), (200, begun.text("id")));
    let other = json!({"act": "pause", "filter": filter, "key": "k-1"});
    let conflict = post(to, "/api/v1/bulk", &other).await;
    assert_eq!((conflict.status, conflict.text("code")), (409, "SW2004".into()));
    let done = ended(to, &begun.json()).await;
    assert_eq!(
        (&done["state"], &done["matched"], &done["done"]),
        (&json!("done"), &json!(70), &json!(70))
    );
    let counts = statuses(to).await;
    assert_eq!((&counts["queued"]["runs"], &counts["cancelled"]["runs"]), (&json!(3), &json!(70)));
    let run =
        get(to, "/api/v1/runs?search=of%3Dfirst&limit=1").await.json()["runs"][0]["id"].clone();
    let run = get(to, &format!("/api/v1/runs/{}", run.as_str().unwrap())).await.json();
    assert_eq!(run["history"][0]["detail"], json!("a mistake"), "{run}");
    let listed = get(to, "/api/v1/bulk").await.json();
    assert_eq!(listed["jobs"].as_array().unwrap().len(), 1, "{listed}");
}

/// What a run is told that is not in a state for the act is told of the job, and the others get it.
#[tokio::test]
async fn runs_that_refuse_are_counted_with_their_reason() {
    let server = server().await;
    let to = server.address();
    drop(Runner::connect(to, json!([{"name": "pay"}])).await);
    let ids = start(to, 5, "x").await;
    for id in &ids[..2] {
        post(to, &format!("/api/v1/runs/{id}/cancel"), &json!({})).await;
    }
    let body = json!({"act": "delete", "filter": {"workflow": "pay"}});
    let job = post(to, "/api/v1/bulk", &body).await.json();
    let done = ended(to, &job).await;
    assert_eq!((&done["done"], &done["refused"]), (&json!(2), &json!(3)), "{done}");
    let refusal = &done["refusals"][0];
    assert_eq!((&refusal["code"], &refusal["runs"]), (&json!("SW2005"), &json!(3)));
    assert!(refusal["detail"].as_str().unwrap().contains("is queued; accepted"), "{refusal}");
    assert_eq!(statuses(to).await["cancelled"]["runs"], json!(0));

    for (body, says) in [
        (json!({"act": "delete", "filter": {}}), "the filter is empty"),
        (json!({"act": "fork", "filter": {"app": "a"}}), "unknown variant `fork`"),
        (json!({"act": "delete", "filter": {"limit": "5"}}), "has no `limit`"),
        (json!({"act": "delete", "filter": {"status": "gone"}}), "`status` is `gone`"),
        (json!({"act": "delete", "filter": {"colour": "red"}}), "unknown field `colour`"),
        (json!({"act": "delete"}), "missing field `filter`"),
    ] {
        let refused = post(to, "/api/v1/bulk", &body).await;
        assert_eq!((refused.status, refused.text("code")), (400, "SW1001".into()), "{body}");
        assert!(refused.text("detail").contains(says), "{body}: {refused:?}");
    }
    let none = get(to, "/api/v1/bulk/blk_none").await;
    assert_eq!((none.status, none.text("code")), (404, "SW2015".into()));
}

/// A job goes on after a restart, and reaches each run that was there as it was asked for, and none that
/// began later.
#[tokio::test]
async fn an_act_goes_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let server = server_on(folder.path()).await;
    let to = server.address();
    drop(Runner::connect(to, json!([{"name": "pay"}])).await);
    start(to, 400, "x").await;
    let body = json!({"act": "terminate", "filter": {"workflow": "pay"}});
    let job = post(to, "/api/v1/bulk", &body).await.json();
    let late = start(to, 1, "late").await.remove(0);
    server.stop().await;
    let server = server_on(folder.path()).await;
    let to = server.address();
    let done = ended(to, &job).await;
    assert_eq!((&done["state"], &done["matched"]), (&json!("done"), &json!(400)), "{done}");
    assert!(done["done"].as_u64().unwrap() >= 400, "{done}");
    let counts = statuses(to).await;
    assert_eq!((&counts["queued"]["runs"], &counts["cancelled"]["runs"]), (&json!(1), &json!(400)));
    let late = get(to, &format!("/api/v1/runs/{late}")).await.json();
    assert_eq!(late["status"], json!("queued"));
}

/// What was begun with a key ends with it, and an operator can stop it; others do not see it.
#[tokio::test]
async fn an_act_is_stopped_by_hand_or_with_its_key() {
    let keyed = Keyed::start().await;
    keyed.namespace("shop").await;
    keyed.namespace("stock").await;
    let worker = keyed.key("shop", Role::Worker).await;
    drop(Runner::connect_with(keyed.to, Some(&worker), &json!([{"name": "pay"}])).await);
    let client = keyed.key("shop", Role::Client).await;
    for _ in 0..300 {
        keyed.post("/api/v1/runs", &client, json!({"workflow": "pay"})).await;
    }
    let operator = keyed.key("shop", Role::Operator).await;
    let body = json!({"act": "pause", "filter": {"workflow": "pay"}});
    assert_eq!(keyed.post("/api/v1/bulk", &client, body.clone()).await.status, 403);
    let id = keyed.post("/api/v1/bulk", &operator, body.clone()).await.text("id");
    let path = format!("/api/v1/bulk/{id}");
    let stopped =
        keyed.post(&format!("{path}/stop"), &operator, json!({"reason": "too many"})).await;
    assert_eq!(stopped.text("state"), "stopped", "{stopped:?}");
    assert!(stopped.text("why").ends_with("stopped it: too many"), "{stopped:?}");
    let other = keyed.key("stock", Role::Operator).await;
    assert_eq!(keyed.get(&path, &other).await.status, 404);
    assert_eq!(keyed.post(&format!("{path}/stop"), &other, json!({})).await.status, 404);

    let (key, secret) = keyed.make("shop", Role::Operator).await;
    let body = json!({"act": "resume", "filter": {"workflow": "pay"}});
    let id = keyed.post("/api/v1/bulk", &secret, body).await.text("id");
    keyed.revoke(&key).await;
    let path = format!("/api/v1/bulk/{id}");
    let ended = loop {
        let job = keyed.get(&path, &operator).await.json();
        if job["endedAt"].is_string() {
            break job;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    assert_eq!(ended["state"], json!("stopped"), "{ended}");
    assert!(ended["why"].as_str().unwrap().starts_with("its key was revoked at "), "{ended}");
    let admin = keyed.key("shop", Role::Admin).await;
    let rows = keyed.get("/api/v1/audit?limit=3", &admin).await.json();
    assert_eq!(rows["rows"][0]["act"], json!("bulk.end"), "{rows}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_acts_on_many_runs() {
    let server = server().await;
    let to = server.address();
    let url = format!("http://{to}");
    drop(Runner::connect(to, json!([{"name": "pay"}])).await);
    start(to, 40, "x").await;
    let which = ["--workflow", "pay", "--status", "queued"];
    let asked = [&["bulk", "cancel"][..], &which].concat();
    let dry = stepwell(url.clone(), &[&asked[..], &["--dry-run"]].concat()).await;
    assert!(out(&dry).starts_with("cancel would reach 40 runs\n"), "{dry:?}");
    let done = stepwell(url.clone(), &[&asked[..], &["--reason", "a mistake"]].concat()).await;
    assert!(done.status.success(), "{done:?}");
    assert!(out(&done).contains(" done: 40 of 40 done"), "{done:?}");
    let listed = stepwell(url.clone(), &["bulk", "list", "--json"]).await;
    let job: Value = serde_json::from_str(&out(&listed)).unwrap();
    let shown = stepwell(url.clone(), &["bulk", "show", job["id"].as_str().unwrap()]).await;
    assert!(out(&shown).starts_with("cancel blk_"), "{shown:?}");
    let again = stepwell(url.clone(), &["bulk", "stop", job["id"].as_str().unwrap()]).await;
    assert!(out(&again).contains(" done: "), "what has ended stays as it is: {again:?}");
    let refused = stepwell(url.clone(), &["bulk", "pause", "--workflow", "pay"]).await;
    assert_eq!(refused.status.code(), Some(4), "{refused:?}");
    assert!(out(&refused).contains("40 SW2005, such as run_"), "{refused:?}");
    let none = stepwell(url, &["bulk", "delete"]).await;
    assert_eq!(none.status.code(), Some(1), "{none:?}");
}
