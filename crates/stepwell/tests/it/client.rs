//! The client against a server that is scripted over HTTP.

use serde_json::{Value, json};
use stepwell::{Client, ErrorKind, RunStatus};
use tokio::net::TcpListener;

use crate::driver::answer_once;
use crate::world::RUN;

async fn listen() -> (TcpListener, Client) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let client = Client::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    (listener, client)
}

fn body_of(request: &str) -> Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// §9.1: what is said of a start is sent, and nothing else.
#[tokio::test]
async fn a_start_says_what_it_was_told() {
    let (listener, client) = listen().await;
    let started = json!({ "id": RUN, "created": true });
    let start = client
        .start("checkout", &json!({ "cents": 5 }))
        .app("shop")
        .key("order-7")
        .timeout("30s")
        .metadata("m")
        .runner("blue");
    let (run, request) =
        tokio::join!(start.into_future(), answer_once(&listener, "201 Created", &started));
    let run = run.unwrap();
    assert_eq!((run.id().to_string().as_str(), run.is_created()), (RUN, true));
    assert!(request.starts_with("POST /api/v1/runs HTTP/1.1\r\n"), "{request}");
    assert_eq!(
        body_of(&request),
        json!({ "workflow": "checkout", "app": "shop", "input": { "cents": 5 }, "key": "order-7",
            "timeout": 30_000, "metadata": "m", "runner": "blue" })
    );
    let at = std::time::UNIX_EPOCH + std::time::Duration::from_mins(1);
    for (start, field, value) in [
        (client.start("later", &()).delay("10m"), "delay", json!(600_000)),
        (client.start("later", &()).at(at), "at", json!("1970-01-01T00:01:00.000000Z")),
    ] {
        let (_, request) =
            tokio::join!(start.into_future(), answer_once(&listener, "201 Created", &started));
        assert_eq!(body_of(&request), json!({ "workflow": "later", field: value }));
    }
    let (_, request) = tokio::join!(
        client.start("nothing", &()).into_future(),
        answer_once(&listener, "200 OK", json!({ "id": RUN, "created": false }))
    );
    assert_eq!(body_of(&request), json!({ "workflow": "nothing" }));
}

/// The end of a run is its output, or an error of its own kind with what stood behind it.
#[tokio::test]
async fn waiting_gives_the_output_or_the_error() {
    let (listener, client) = listen().await;
    let run = client.run(RUN.parse().unwrap());
    let running = json!({ "id": RUN, "status": "running" });
    let done = json!({ "id": RUN, "status": "completed", "output": [1, 2] });
    let answers = async {
        answer_once(&listener, "202 Accepted", &running).await;
        answer_once(&listener, "200 OK", &done).await
    };
    let (output, request) = tokio::join!(run.wait::<Vec<u8>>(), answers);
    assert_eq!(output.unwrap(), [1, 2]);
    assert!(
        request.starts_with(&format!("GET /api/v1/runs/{RUN}/result?wait=30000ms ")),
        "{request}"
    );
    for (status, kind) in [
        ("failed", ErrorKind::RunFailed),
        ("cancelled", ErrorKind::RunCancelled),
        ("timed_out", ErrorKind::RunTimedOut),
    ] {
        let error = json!({ "name": "StepError", "message": "no funds" });
        let end = json!({ "id": RUN, "status": status, "error": error });
        let (ended, _) = tokio::join!(run.wait::<()>(), answer_once(&listener, "200 OK", &end));
        let ended = ended.unwrap_err();
        assert_eq!(ended.kind(), kind);
        assert_eq!(ended.cause().unwrap().name, "StepError");
    }
}

/// A start that waits needs no second request where the run is quick, and goes on where it is not.
#[tokio::test]
async fn a_start_can_wait() {
    let (listener, client) = listen().await;
    let done = json!({ "id": RUN, "created": true, "status": "completed", "output": 7 });
    let (output, request) =
        tokio::join!(client.start("w", &1).wait::<u8>(), answer_once(&listener, "200 OK", &done));
    assert_eq!(output.unwrap(), 7);
    assert!(request.starts_with("POST /api/v1/runs?wait=30000ms "), "{request}");
    let accepted = json!({ "id": RUN, "created": true });
    let answers = async {
        answer_once(&listener, "202 Accepted", &accepted).await;
        answer_once(&listener, "200 OK", &done).await
    };
    let (output, _) = tokio::join!(client.start("w", &1).wait::<u8>(), answers);
    assert_eq!(output.unwrap(), 7);
}

/// A run that goes on after the time for waiting is over is no failure.
#[tokio::test]
async fn waiting_for_a_time_ends() {
    let (listener, client) = listen().await;
    let run = client.run(RUN.parse().unwrap());
    let running = json!({ "id": RUN, "status": "waiting" });
    let (end, request) =
        tokio::join!(run.wait_for::<()>("0s"), answer_once(&listener, "202 Accepted", &running));
    assert_eq!(end.unwrap_err().kind(), ErrorKind::WaitTimeout);
    assert!(request.contains("?wait=0ms "), "{request}");
    let (status, _) = tokio::join!(run.status(), answer_once(&listener, "202 Accepted", &running));
    assert_eq!(status.unwrap(), RunStatus::Waiting);
}

/// §4.8: a cancel has returned once it is durable, which the server's answer says.
#[tokio::test]
async fn a_cancel_says_why() {
    let (listener, client) = listen().await;
    let run = client.run(RUN.parse().unwrap());
    let answer = json!({ "id": RUN, "status": "compensating" });
    let (cancelled, request) =
        tokio::join!(run.cancel(Some("no stock")), answer_once(&listener, "200 OK", &answer));
    cancelled.unwrap();
    assert!(request.starts_with(&format!("POST /api/v1/runs/{RUN}/cancel ")), "{request}");
    assert_eq!(body_of(&request), json!({ "reason": "no stock" }));
}

/// Errors of the server keep their code and text; what is no such error is told as it came.
#[tokio::test]
async fn errors_of_the_server_are_told() {
    let (listener, client) = listen().await;
    let problem = json!({ "type": "x", "title": "unknown", "status": 404, "code": "SW2002",
        "detail": "no workflow `chekout`; did you mean `checkout`?" });
    let (error, _) = tokio::join!(
        client.start("chekout", &()).into_future(),
        answer_once(&listener, "404 Not Found", &problem)
    );
    let error = error.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Refused, Some("SW2002")));
    assert!(error.message().contains("did you mean"), "{error}");
    let (error, _) = tokio::join!(
        client.start("w", &()).into_future(),
        answer_once(&listener, "502 Bad Gateway", json!("proxy"))
    );
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.message().contains("502"), "{error}");
    drop(listener);
    let error = client.start("w", &()).await.unwrap_err();
    assert!(error.message().contains("refused"), "{error}");
}

/// §2.6, §11: what cannot be sent is told before anything is.
#[tokio::test]
async fn bad_arguments_are_told_without_a_request() {
    let (_, client) = listen().await;
    let error = client.start("w", &f64::NAN).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Serialization);
    let error = client.start("w", &()).timeout("1 month").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    assert_eq!(Client::new("ftp://a").unwrap_err().kind(), ErrorKind::Argument);
}
