//! What the API answers.

use serde_json::{Value, json};

use crate::support::{Runner, get, post, redacted, server};

fn pay() -> Value {
    json!([{"name": "pay", "version": "2"}])
}

/// §3.3: a run is shown with its step, attempt, runner and instants, as `docs/api.md` says.
#[tokio::test]
async fn a_run_is_started_waited_for_and_shown() {
    let server = server().await;
    let to = server.address();
    let mut runner = Runner::connect(to, pay()).await;
    let body = json!({"workflow": "pay", "input": {"order": 7}, "key": "order-7",
        "metadata": {"from": "mail"}});
    let start = tokio::spawn(async move { post(to, "/api/v1/runs?wait=30s", &body).await });
    runner.run_one().await;
    let started = start.await.unwrap();
    assert_eq!(started.status, 201, "{started:?}");
    insta::assert_json_snapshot!("started_and_ended", redacted(started.json()));
    assert!(started.headers.contains("location: /api/v1/runs/run_"), "{started:?}");

    let shown = get(to, &format!("/api/v1/runs/{}", started.text("id"))).await;
    assert_eq!(shown.status, 200);
    insta::assert_json_snapshot!("shown", redacted(shown.json()));

    let list = get(to, "/api/v1/runs?workflow=pay&status=completed,failed&from=1h").await;
    insta::assert_json_snapshot!("list", redacted(list.json()));
    insta::assert_json_snapshot!("workflows", redacted(get(to, "/api/v1/workflows").await.json()));
    insta::assert_json_snapshot!("runners", redacted(get(to, "/api/v1/runners").await.json()));
    server.stop().await;
}

/// §4.8: a repeat with the same key returns the first run, another input is a conflict.
#[tokio::test]
async fn a_repeated_key_returns_the_first_run() {
    let server = server().await;
    let to = server.address();
    let _runner = Runner::connect(to, pay()).await;
    let body = json!({"workflow": "pay", "input": [1], "key": "k"});
    let first = post(to, "/api/v1/runs", &body).await;
    let second = post(to, "/api/v1/runs", &body).await;
    assert_eq!((first.status, second.status), (201, 200));
    assert_eq!(first.text("id"), second.text("id"));
    assert_eq!(second.json()["created"], json!(false));
    let other = json!({"workflow": "pay", "input": [2], "key": "k"});
    let conflict = post(to, "/api/v1/runs", &other).await;
    assert_eq!((conflict.status, conflict.text("code")), (409, "SW2004".into()));
    let list = get(to, "/api/v1/runs?key=k").await.json();
    assert_eq!(list["runs"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_list_is_read_page_by_page() {
    let server = server().await;
    let to = server.address();
    drop(Runner::connect(to, pay()).await);
    let mut started = Vec::new();
    for _ in 0..5 {
        started.push(post(to, "/api/v1/runs", &json!({"workflow": "pay"})).await.text("id"));
    }
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = get(to, &format!("/api/v1/runs?limit=2{cursor}")).await.json();
        let ids = page["runs"].as_array().unwrap().iter();
        found.extend(ids.map(|run| run["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    // Newest first; within a millisecond by the random part of the id.
    started.sort_by(|a, b| b.cmp(a));
    assert_eq!(found, started);
    let none = get(to, "/api/v1/runs?to=1h").await.json();
    assert_eq!(none["runs"], json!([]));
}

/// §9.7, §9.2: a run that waits for a child says why that one is not moving; children are listed by
/// their parent, and both name each other.
#[tokio::test]
async fn a_run_that_waits_for_a_child_says_why_the_child_waits() {
    let server = server().await;
    let to = server.address();
    let mut runner = Runner::connect(to, pay()).await;
    let id = post(to, "/api/v1/runs", &json!({"workflow": "pay"})).await.text("id");
    let a = runner.hear("activate").await["a"].clone();
    let input = json!({"workflow": "pay", "runner": "green"});
    let open = json!({"kind": "invoke", "after": 0, "agoUs": 0, "input": input});
    let invoke = json!({"invoke": {"a": a, "step": "ship", "open": open}});
    let released = json!({"released": {"a": a, "seen": 0}});
    runner.say(json!([invoke, {"idle": {"a": a}}, released, {"ping": {"k": 1}}])).await;
    runner.hear("pong").await;
    let list = get(to, &format!("/api/v1/runs?parent={id}")).await.json();
    let child = list["runs"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(list["runs"][0]["parent"], json!(id));
    let answer = get(to, &format!("/api/v1/runs/{id}/why")).await.json();
    let why = format!(
        "waiting in step `ship` for child {child} of `pay`, which is queued: it is pinned to runner \
         `green`, which is not connected"
    );
    assert_eq!((&answer["cause"], &answer["why"]), (&json!("child"), &json!(why)));
    let shown = get(to, &format!("/api/v1/runs/{child}")).await.json();
    assert_eq!(shown["parent"], json!({"run": id, "step": "ship"}));
    let shown = get(to, &format!("/api/v1/runs/{id}")).await.json();
    let expected = json!({"run": child, "app": "shop", "workflow": "pay"});
    assert_eq!(shown["steps"][0]["child"], expected);
}

/// §7.1, §7.6: a run that waits for a runner is cancelled without one.
#[tokio::test]
async fn a_queued_run_is_cancelled_and_says_why_it_waited() {
    let server = server().await;
    let to = server.address();
    let pinned = json!({"workflow": "pay", "runner": "green"});
    let runner = Runner::connect(to, pay()).await;
    let id = post(to, "/api/v1/runs", &pinned).await.text("id");
    let path = format!("/api/v1/runs/{id}");
    let why = get(to, &path).await.text("why");
    assert_eq!(why, "it is pinned to runner `green`, which is not connected");
    let answer = get(to, &format!("{path}/why")).await;
    let expected = json!({"id": id, "status": "queued", "cause": "no_pinned_runner", "why": why});
    assert_eq!(answer.json(), expected);
    drop(runner);
    let cancelled = post(to, &format!("{path}/cancel"), &json!({"reason": "not needed"})).await;
    assert_eq!(cancelled.json(), json!({"id": id, "status": "cancelled"}));
    let again = post(to, &format!("{path}/cancel"), &json!({})).await;
    assert_eq!(again.json()["status"], json!("cancelled"));
    let shown = get(to, &format!("{path}?wait=1m")).await.json();
    assert_eq!((&shown["status"], &shown["why"]), (&json!("cancelled"), &Value::Null));
    assert_eq!(shown["history"][0]["detail"], json!("not needed"));
}

/// §9.5: acts of operators are in the history with who and why; one that does not fit is refused.
#[tokio::test]
async fn operators_act_on_a_run() {
    let server = server().await;
    let to = server.address();
    drop(Runner::connect(to, pay()).await);
    let id = post(to, "/api/v1/runs", &json!({"workflow": "pay"})).await.text("id");
    let path = format!("/api/v1/runs/{id}");
    let retried = post(to, &format!("{path}/retry"), &json!({})).await;
    assert_eq!(retried.json(), json!({"id": id, "status": "queued"}));
    let body = json!({"by": "ann", "reason": "stuck"});
    let ended = post(to, &format!("{path}/terminate"), &body).await;
    assert_eq!(ended.json(), json!({"id": id, "status": "cancelled"}));
    let shown = get(to, &path).await.json();
    assert_eq!(shown["error"]["message"], json!("the run was terminated"));
    let history = shown["history"].as_array().unwrap();
    assert_eq!(history.len(), 1, "a retry that changes nothing is not recorded");
    let note = (&history[0]["what"], &history[0]["by"], &history[0]["detail"]);
    assert_eq!(note, (&json!("terminated"), &json!("ann"), &json!("stuck")));
    let refused = post(to, &format!("{path}/retry"), &json!({})).await;
    assert_eq!((refused.status, refused.text("code")), (409, "SW2005".into()));
    let unknown = post(to, &format!("{path}/terminate"), &json!({"why": "so"})).await;
    assert_eq!((unknown.status, unknown.text("code")), (400, "SW1001".into()));
}

/// §9.1: a start can be delayed by a time or until an instant, not by both.
#[tokio::test]
async fn a_start_is_delayed() {
    let server = server().await;
    let to = server.address();
    drop(Runner::connect(to, pay()).await);
    for when in [json!({"delay": "1h"}), json!({"at": "2999-01-01T00:00:00Z"})] {
        let mut body = json!({"workflow": "pay"});
        body.as_object_mut().unwrap().extend(when.as_object().unwrap().clone());
        let id = post(to, "/api/v1/runs", &body).await.text("id");
        let shown = get(to, &format!("/api/v1/runs/{id}")).await.json();
        assert_eq!(shown["status"], json!("waiting"));
        let until = shown["notBefore"].as_str().unwrap();
        assert_eq!(shown["why"], json!(format!("its start is delayed until {until}")));
        let ended = post(to, &format!("/api/v1/runs/{id}/cancel"), &json!({})).await;
        assert_eq!(ended.json()["status"], json!("cancelled"));
    }
    for (when, said) in [
        (json!({"delay": "1h", "at": "2999-01-01T00:00:00Z"}), "not both"),
        (json!({"delay": "soon"}), "`delay`"),
        (json!({"at": "soon"}), "`at`"),
    ] {
        let mut body = json!({"workflow": "pay"});
        body.as_object_mut().unwrap().extend(when.as_object().unwrap().clone());
        let refused = post(to, "/api/v1/runs", &body).await;
        assert_eq!(refused.status, 400);
        assert!(refused.text("detail").contains(said), "{refused:?}");
    }
}

/// §9.1: an input that does not fit the schema is a 422 with the path, and starts no run.
#[tokio::test]
async fn an_input_that_does_not_fit_starts_nothing() {
    let server = server().await;
    let to = server.address();
    let schema = json!({"type": "object", "properties": {"cents": {"type": "integer"}}});
    let _runner = Runner::connect(to, json!([{"name": "pay", "inputSchema": schema}])).await;
    let refused =
        post(to, "/api/v1/runs", &json!({"workflow": "pay", "input": {"cents": "1"}})).await;
    assert_eq!(refused.status, 422);
    insta::assert_json_snapshot!("does_not_fit", redacted(refused.json()));
    assert_eq!(get(to, "/api/v1/runs").await.json()["runs"], json!([]));
    let taken = post(to, "/api/v1/runs", &json!({"workflow": "pay", "input": {"cents": 1}})).await;
    assert_eq!(taken.status, 201, "{taken:?}");
    // Another input is held against it as well, however a run is made of this one.
    for (act, input, status) in [
        ("rerun", json!({"cents": "1"}), 422),
        ("fork", json!({"cents": "1"}), 422),
        ("rerun", json!({"cents": 2}), 201),
    ] {
        let path = format!("/api/v1/runs/{}/{act}", taken.text("id"));
        let made = post(to, &path, &json!({"input": input})).await;
        assert_eq!(made.status, status, "{act} with {input}: {made:?}");
    }
}

#[tokio::test]
async fn a_wait_that_is_over_leaves_the_run_going() {
    let server = server().await;
    let to = server.address();
    let mut runner = Runner::connect(to, pay()).await;
    let started = post(to, "/api/v1/runs?wait=1ms", &json!({"workflow": "pay"})).await;
    assert_eq!(started.status, 202, "{started:?}");
    let path = format!("/api/v1/runs/{}", started.text("id"));
    let open = get(to, &format!("{path}?wait=1ms")).await.json();
    assert_eq!(open["endedAt"], Value::Null);
    let result = format!("{path}/result");
    let id = started.text("id");
    let goes_on = json!({"id": id, "status": "running", "output": null, "error": null});
    for wait in ["", "?wait=1ms"] {
        let answer = get(to, &format!("{result}{wait}")).await;
        assert_eq!((answer.status, answer.json()), (202, goes_on.clone()));
    }
    let waiting = ["{path}?wait=1m", "{path}/result?wait=1m"].map(|form| {
        let path = form.replace("{path}", &path);
        tokio::spawn(async move { get(to, &path).await })
    });
    runner.run_one().await;
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap().text("status"), "completed");
    }
    let ended = json!({"id": id, "status": "completed", "output": "done", "error": null});
    for wait in ["", "?wait=1ms"] {
        let answer = get(to, &format!("{result}{wait}")).await;
        assert_eq!((answer.status, answer.json()), (200, ended.clone()));
    }
}

#[tokio::test]
async fn health_and_metrics_tell_what_happened() {
    let server = server().await;
    let to = server.address();
    let mut runner = Runner::connect(to, pay()).await;
    let body = json!({"workflow": "pay"});
    let start = tokio::spawn(async move { post(to, "/api/v1/runs?wait=30s", &body).await });
    runner.run_one().await;
    start.await.unwrap();
    let health = get(to, "/healthz").await.json();
    assert_eq!((&health["status"], &health["nodeRestarts"]), (&json!("ok"), &json!(0)));
    let metrics = get(to, "/metrics").await.body;
    for line in [
        r#"stepwell_runs_started_total{namespace="default",workflow="pay"} 1"#,
        r#"stepwell_runs_ended_total{namespace="default",workflow="pay",status="completed"} 1"#,
        r#"stepwell_run_duration_seconds_count{namespace="default",workflow="pay"} 1"#,
        r#"stepwell_dispatch_lag_seconds_count{namespace="default",workflow="pay"} 1"#,
        r#"stepwell_steps_started_total{namespace="default",workflow="pay"} 1"#,
        r#"stepwell_steps_ended_total{namespace="default",workflow="pay",status="completed"} 1"#,
        r#"stepwell_step_duration_seconds_count{namespace="default",workflow="pay"} 1"#,
        r#"stepwell_activations_total{namespace="default",workflow="pay"} 1"#,
        r#"stepwell_http_requests_total{method="POST",route="/api/v1/runs",status="201"} 1"#,
        "stepwell_sessions 1",
        "stepwell_node_restarts_total 0",
        "# TYPE stepwell_store_fold_lag_seconds gauge",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} is not in:\n{metrics}");
    }
}

/// The page that clients are written against names every route.
#[test]
fn the_page_about_the_api_names_every_route() {
    let page = include_str!("../../../../docs/api.md");
    for route in stepwell_http::api::routes() {
        let row = format!("`{} {}`", route.method, route.path);
        assert!(page.contains(&row), "docs/api.md lacks {row}");
    }
}
