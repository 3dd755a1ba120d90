//! Ids of requests: in answers, in problems, in the log, on the command line.

use serde_json::{Value, json};

use crate::process::Process;
use crate::support::{FaultyStore, Runner, get, post, request, server, stepwell};

/// Starts a server that logs all it can.
fn talkative() -> Process {
    let dev = ["dev", "--listen", "127.0.0.1:0", "--log-format", "json", "--log", "debug"];
    Process::start(&dev)
}

/// What lines on a request are told apart by.
fn is_of(id: &str) -> impl Fn(&Value) -> bool {
    move |line| line["span"]["request_id"] == id
}

#[tokio::test]
async fn each_answer_names_its_request() {
    let server = server().await;
    let to = server.address();
    for path in ["/healthz", "/api/v1/runs", "/", "/nothing", "/api/v1/openapi.json"] {
        let (one, two) = (get(to, path).await, get(to, path).await);
        let (one, two) = (one.header("x-request-id"), two.header("x-request-id"));
        assert!(one.is_some() && two.is_some() && one != two, "{path}: {one:?} {two:?}");
        let given = request(to, &format!("GET {path}"), &[("x-request-id", "web-7")], b"").await;
        assert_eq!(given.header("x-request-id"), Some("web-7"), "{path}");
        let bad = request(to, &format!("GET {path}"), &[("x-request-id", "a b")], b"").await;
        assert!(bad.header("x-request-id").is_some_and(|id| id != "a b"), "{path}");
    }
    let unknown = request(to, "GET /api/v1/nothing", &[("x-request-id", "web-8")], b"").await;
    assert_eq!((unknown.status, unknown.text("requestId")), (404, "web-8".into()));
}

/// Whatever refuses it: the gate, the table of routes, a handler.
#[tokio::test]
async fn a_refused_request_is_found_in_the_log() {
    let server = talkative();
    let to = server.address;
    let run = format!("run_{:032x}", 7);
    let show = format!("GET /api/v1/runs/{run}");
    for (line, headers, status, message) in [
        (&*show, ("origin", "https://evil.example"), 403, "refused at the gate"),
        ("GET /api/v1/nothing", ("accept", "*/*"), 404, "answered"),
        ("POST /api/v1/runs", ("content-type", "text/plain"), 415, "answered"),
        (&*show, ("accept", "*/*"), 404, "answered"),
    ] {
        let refused = request(to, line, &[headers], b"").await;
        assert_eq!(refused.status, status, "{refused:?}");
        let id = refused.text("requestId");
        let logged = server.logged(is_of(&id));
        assert_eq!(logged["message"], message, "{logged}");
        assert_eq!(logged["code"], refused.text("code"), "{logged}");
    }
    // Its namespace and run are known by then.
    let shown = request(to, &show, &[("x-request-id", "web-9")], b"").await;
    assert_eq!(shown.text("requestId"), "web-9");
    let span =
        json!({"name": "request", "namespace": "default", "request_id": "web-9", "run_id": run});
    assert_eq!(server.logged(is_of("web-9"))["span"], span);
}

#[tokio::test]
async fn a_start_is_found_in_the_log_by_its_run() {
    let server = talkative();
    let to = server.address;
    let _runner = Runner::connect(to, json!([{"name": "pay"}])).await;
    let connected = server.logged(|line| line["message"] == "a runner connected");
    let span = &connected["span"];
    assert_eq!((&span["name"], &span["namespace"]), (&json!("runner"), &json!("default")));
    assert!(span["request_id"].is_string() && span["session"].is_number(), "{connected}");
    let id = post(to, "/api/v1/runs", &json!({"workflow": "pay"})).await.text("id");
    let logged = server.logged(|line| line["span"]["run_id"] == *id);
    assert_eq!((&logged["status"], &logged["route"]), (&json!(201), &json!("/api/v1/runs")));
}

/// What the operator looks for is what the user was told.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_names_a_request_that_the_server_failed() {
    let store = FaultyStore::default();
    let server = store.server().await;
    let url = format!("http://{}", server.address());
    let run = format!("run_{:032x}", 7);
    let refused = stepwell(url.clone(), &["runs", "show", &run]).await;
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.starts_with("error[SW2001]") && !told.contains("(request "), "{told}");
    store.panic_on_load();
    let failed = stepwell(url, &["runs", "show", &run]).await;
    let told = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(told.starts_with("error[SW1007]") && told.contains(" (request "), "{told}");
}
