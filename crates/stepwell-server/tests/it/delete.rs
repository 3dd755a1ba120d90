//! Runs are deleted on request.

use serde_json::json;

use crate::support::{Runner, get, out, post, request, server, stepwell};

/// A run that has ended is gone with its key, whoever asks; who watches is told to look again.
#[tokio::test]
async fn an_ended_run_is_deleted_with_its_key() {
    let server = server().await;
    let to = server.address();
    let mut runner = Runner::connect(to, json!([{"name": "pay"}])).await;
    let body = json!({"workflow": "pay", "input": 1, "key": "order-7"});
    let run = post(to, "/api/v1/runs", &body).await.text("id");
    let path = format!("/api/v1/runs/{run}");

    let early = request(to, &format!("DELETE {path}"), &[], b"").await;
    assert_eq!((early.status, early.text("code")), (409, "SW2005".into()), "{early:?}");
    assert!(early.text("detail").contains("is running; accepted: a run that has ended"));

    runner.run_one().await;
    assert_eq!(get(to, &format!("{path}/result?wait=20s")).await.status, 200);
    let mut watch = server.node().watch("default".into(), None);
    let gone = request(to, &format!("DELETE {path}"), &[], b"").await;
    assert_eq!((gone.status, gone.json()), (200, json!({"id": run, "deleted": true})));
    assert!(matches!(
        watch.next().await,
        stepwell_driver::Told::Changed(changed) if changed.others && changed.runs.is_empty()
    ));
    for path in [path.clone(), format!("{path}/why"), format!("{path}/result")] {
        assert_eq!(get(to, &path).await.text("code"), "SW2001", "{path}");
    }
    let other = request(to, &format!("PATCH {path}"), &[], b"").await;
    assert!(other.headers.contains("allow: delete, get, head"), "{other:?}");
    let again = request(to, &format!("DELETE {path}"), &[], b"").await;
    assert_eq!((again.status, again.text("code")), (404, "SW2001".into()));
    assert_eq!(get(to, "/api/v1/runs").await.json()["runs"], json!([]));

    let body = json!({"workflow": "pay", "input": 2, "key": "order-7"});
    let second = post(to, "/api/v1/runs", &body).await;
    assert_eq!((second.status, second.json()["created"].clone()), (201, json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_deletes_a_run() {
    let server = server().await;
    let to = server.address();
    let url = format!("http://{to}");
    let mut runner = Runner::connect(to, json!([{"name": "pay"}])).await;
    let run = post(to, "/api/v1/runs", &json!({"workflow": "pay"})).await.text("id");
    let refused = stepwell(url.clone(), &["runs", "delete", &run]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).starts_with("error[SW2005]: "), "{refused:?}");
    runner.run_one().await;
    get(to, &format!("/api/v1/runs/{run}/result?wait=20s")).await;
    let why = "they asked for it, & more";
    let done = stepwell(url, &["runs", "delete", &run, "--reason", why]).await;
    assert_eq!(out(&done), format!("{run} is deleted\n"), "{done:?}");
    assert_eq!(get(to, &format!("/api/v1/runs/{run}")).await.status, 404);
    let audit = get(to, "/api/v1/audit").await.json();
    let rows = audit["rows"].as_array().unwrap();
    let told =
        rows.iter().any(|row| (&row["object"], &row["reason"]) == (&json!(run), &json!(why)));
    assert!(told, "{audit}");
}
