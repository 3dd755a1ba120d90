//! Several nodes of one server: which of them is asked, and what is asked of another.

use serde_json::{Value, json};
use stepwell::{App, Client, Ctx, ErrorKind, Result, RunStatus};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::driver::{Connection, Node, answer_once, read_request};
use crate::world::{RUN, brief};

async fn greet(ctx: Ctx, name: String) -> Result<String> {
    ctx.run("greet", || async { Ok(format!("hello {name}")) }).await
}

/// Waits for the runner at both nodes. Returns its connection, its greeting, the node that it came to, and the other
/// one.
async fn either(a: Node, b: Node) -> (Connection, Value, Node, Node) {
    tokio::select! {
        (connection, hello) = a.welcome() => (connection, hello, a, b),
        (connection, hello) = b.welcome() => (connection, hello, b, a),
    }
}

/// §4.7: a runner whose node is gone takes its runs to the next one, and comes back the same way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runner_goes_on_at_the_next_node() {
    let ((a, url_a), (b, url_b)) = (Node::listen().await, Node::listen().await);
    let (stop, stopped) = oneshot::channel::<()>();
    let serve = App::new("shop").workflow("w", greet).serve(format!("{url_a}, {url_b}"));
    let serving =
        tokio::spawn(serve.with_graceful_shutdown(async { drop(stopped.await) }).into_future());
    let (mut connection, hello, node, other) = either(a, b).await;
    connection.activate(json!("ann")).await;
    assert_eq!(brief(&connection.next().await), "ended greet#1 \"hello ann\"");
    // Still there, and no good any more.
    drop(connection);
    let (connection, second) = other.welcome().await;
    assert_eq!(second["instance"], hello["instance"]);
    assert_eq!(second["resume"][0]["run"], RUN);
    // Gone: nobody listens there.
    drop((connection, other));
    let (mut connection, third) = node.welcome().await;
    assert_eq!(third["instance"], hello["instance"]);
    assert_eq!(third["resume"][0]["run"], RUN);
    stop.send(()).unwrap();
    drop(serving);
    assert_eq!(brief(&connection.next().await), "drain");
}

/// A node that says when to come again does not keep the runner from the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_takes_no_runners_is_passed_over() {
    let ((a, url_a), (b, url_b)) = (Node::listen().await, Node::listen().await);
    let serve = App::new("shop").workflow("w", greet).serve(format!("{url_a},{url_b}"));
    let serving = tokio::spawn(serve.into_future());
    let busy = "503 Service Unavailable\r\nretry-after: 600";
    let body = json!({ "title": "t", "code": "SW1008", "detail": "the server is stopping" });
    let other = tokio::select! {
        _ = answer_once(&a.listener, busy, &body) => b,
        _ = answer_once(&b.listener, busy, &body) => a,
    };
    let (_, hello) = other.welcome().await;
    assert_eq!(hello["app"], "shop");
    serving.abort();
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

/// What no node has seen is asked of the next, also a start that would be two if it was asked twice.
#[tokio::test]
async fn what_a_node_cannot_have_seen_is_asked_of_the_next() {
    let started = json!({ "id": RUN, "created": true });
    // Which one is asked first is left to chance.
    for _ in 0..8 {
        let (dead, dead_url) = listen().await;
        let (live, live_url) = listen().await;
        drop(dead);
        let client = Client::new(&format!("{dead_url},{live_url}")).unwrap();
        let (run, request) = tokio::join!(
            client.start("checkout", &()).into_future(),
            answer_once(&live, "201 Created", &started)
        );
        assert_eq!(run.unwrap().id().to_string(), RUN);
        assert!(request.starts_with("POST /api/v1/runs"), "{request}");
    }
    let (one, two) = (listen().await, listen().await);
    let client = Client::new(&format!("{},{}", one.1, two.1)).unwrap();
    drop((one, two));
    let error = client.start("checkout", &()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
}

/// Reads a request at whichever of two nodes it comes to, and breaks the connection. Returns the other node.
async fn break_one(a: TcpListener, b: TcpListener) -> (String, TcpListener) {
    let (mut stream, other) = tokio::select! {
        accepted = a.accept() => (accepted.unwrap().0, b),
        accepted = b.accept() => (accepted.unwrap().0, a),
    };
    let request = read_request(&mut stream).await;
    stream.shutdown().await.unwrap();
    (request, other)
}

/// §4.8: what a node may have done is asked of another only where a repeat does nothing more.
#[tokio::test]
async fn what_may_have_been_done_is_asked_again_only_with_a_key() {
    let ((a, url_a), (b, url_b)) = (listen().await, listen().await);
    let client = Client::new(&format!("{url_a},{url_b}")).unwrap();
    let start = client.start("checkout", &()).into_future();
    let (run, (_, other)) = tokio::join!(start, break_one(a, b));
    assert_eq!(run.unwrap_err().kind(), ErrorKind::Connection);
    // Nobody had asked it.
    let asked = tokio::time::timeout(std::time::Duration::ZERO, other.accept()).await;
    assert!(asked.is_err());

    let ((a, url_a), (b, url_b)) = (listen().await, listen().await);
    let client = Client::new(&format!("{url_a},{url_b}")).unwrap();
    let started = json!({ "id": RUN, "created": false });
    let start = client.start("checkout", &()).key("order-7").into_future();
    let answering = async {
        let (request, other) = break_one(a, b).await;
        (request, answer_once(&other, "200 OK", &started).await)
    };
    let (run, (first, second)) = tokio::join!(start, answering);
    assert_eq!(run.unwrap().id().to_string(), RUN);
    let body = |request: &str| request.split_once("\r\n\r\n").unwrap().1.to_owned();
    assert_eq!(body(&first), body(&second));
    assert!(first.contains("order-7"), "{first}");
}

/// A node that cannot take a request now is passed over where the request may be asked twice.
#[tokio::test]
async fn a_question_goes_on_to_a_node_that_can_take_it() {
    let ((a, url_a), (b, url_b)) = (listen().await, listen().await);
    let client = Client::new(&format!("{url_a},{url_b}")).unwrap();
    let run = client.run(RUN.parse().unwrap());
    let (busy, body) = ("503 Service Unavailable", json!({ "code": "SW1008", "detail": "no" }));
    let answering = async {
        let other = tokio::select! {
            _ = answer_once(&a, busy, &body) => b,
            _ = answer_once(&b, busy, &body) => a,
        };
        answer_once(&other, "200 OK", json!({ "status": "completed" })).await
    };
    let (status, _) = tokio::join!(run.status(), answering);
    assert_eq!(status.unwrap(), RunStatus::Completed);
}

/// A list is refused with the entry that is wrong, and what is accepted.
#[tokio::test]
async fn a_bad_address_among_several_is_named() {
    let urls = "http://127.0.0.1:1,127.0.0.1:2";
    let serve = App::new("shop").workflow("w", greet).serve(urls);
    for error in [Client::new(urls).unwrap_err(), serve.await.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Argument);
        let text = error.message();
        assert!(text.starts_with("number 2 of 2, `127.0.0.1:2` is not the address"), "{text}");
        assert!(text.contains("accepted: http://host:port"), "{text}");
    }
}
