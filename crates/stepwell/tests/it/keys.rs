//! Keys: how they are shown, and what happens where one is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use serde_json::json;
use stepwell::{App, Client, Ctx, Error, ErrorKind, Result};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, oneshot};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::driver::{Connection, Node, answer_once};
use crate::world::{RUN, brief};

/// Nothing here takes this long; a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(20);

const KEY: &str = "sw_testkey_secretsecret";

async fn nothing(_ctx: Ctx) -> Result<()> {
    Ok(())
}

fn shop() -> App {
    App::new("shop").workflow("w", nothing)
}

fn unauthenticated(detail: &str) -> serde_json::Value {
    json!({ "title": "t", "status": 401, "code": "SW1010", "detail": detail })
}

async fn end_of(serving: JoinHandle<Result<()>>) -> Error {
    tokio::time::timeout(PATIENCE, serving).await.unwrap().unwrap().unwrap_err()
}

/// Calls of a client and the connection of a runner show the key, and nothing else does.
#[tokio::test]
async fn a_key_is_in_each_request_and_in_no_text() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let builder = Client::builder(&url).key(KEY);
    let shown = format!("{builder:?}");
    let client = builder.build().unwrap();
    let run = client.run(RUN.parse().unwrap());
    let refusal = unauthenticated("the key is not known");
    let answer = answer_once(&listener, "401 Unauthorized", &refusal);
    let (status, request) = tokio::join!(run.status(), answer);
    let authorization = format!("authorization: Bearer {KEY}\r\n");
    assert!(request.contains(&authorization), "{request}");
    let error = status.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Refused, Some("SW1010")));
    let serve = shop().serve(&url).key(KEY);
    let texts = [shown, format!("{client:?}"), format!("{serve:?}"), format!("{error:?}")];
    for text in texts {
        assert!(!text.contains("testkey") && !text.contains("secret"), "{text}");
    }
    let answer = answer_once(&listener, "401 Unauthorized", &refusal);
    let (served, request) = tokio::join!(serve.into_future(), answer);
    assert!(request.starts_with("GET /api/v1/worker HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&authorization), "{request}");
    assert_eq!(served.unwrap_err().message(), "the key is not known");
}

/// A key that is not taken ends serving with one error, whatever it is that refuses it.
#[tokio::test]
async fn a_runner_whose_key_is_refused_ends() {
    let coded = |code: &str| json!({ "title": "t", "code": code, "detail": "no" }).to_string();
    for (status, body, kind, code, message) in [
        ("401 Unauthorized", coded("SW1010"), ErrorKind::Refused, Some("SW1010"), "no"),
        ("403 Forbidden", coded("SW1011"), ErrorKind::Refused, Some("SW1011"), "no"),
        ("403 Forbidden", coded("SW1006"), ErrorKind::Refused, Some("SW1006"), "no"),
        // Not of a server of ours: a proxy in front of it, say.
        ("401 Unauthorized", "who?".into(), ErrorKind::Connection, None, "401 Unauthorized: who?"),
    ] {
        let (node, url) = Node::listen().await;
        let serve = shop().serve(url).into_future();
        let (error, _) = tokio::join!(serve, answer_once(&node.listener, status, body));
        let error = error.unwrap_err();
        assert_eq!((error.kind(), error.code()), (kind, code));
        assert!(error.message().contains(message), "{error}");
    }
}

/// §4.7: too many requests are no reason to end, and the server says when to come again.
#[tokio::test]
async fn a_runner_that_is_told_to_wait_comes_again() {
    let (node, url) = Node::listen().await;
    let serving = tokio::spawn(shop().serve(url).key(KEY).into_future());
    let body = json!({ "title": "t", "code": "SW1012", "detail": "slowly" });
    let status = "429 Too Many Requests\r\nretry-after: 0";
    answer_once(&node.listener, status, &body).await;
    answer_once(&node.listener, "503 Service Unavailable", "").await;
    answer_once(&node.listener, "401 Unauthorized", &unauthenticated("no")).await;
    assert_eq!(end_of(serving).await.code(), Some("SW1010"));
}

/// A function that a test lets end, in a run of a runner that is served.
struct Busy {
    serving: JoinHandle<Result<()>>,
    connection: Connection,
    node: Node,
    release: oneshot::Sender<()>,
    has_ended: Arc<AtomicBool>,
    has_gone_on: Arc<AtomicBool>,
}

impl Busy {
    async fn serve(drain: &str) -> Self {
        let (node, url) = Node::listen().await;
        let (release, released) = oneshot::channel::<()>();
        let released = Arc::new(Mutex::new(Some(released)));
        let (has_ended, has_gone_on): (Arc<AtomicBool>, Arc<AtomicBool>) = Default::default();
        let (ends, goes_on) = (Arc::clone(&has_ended), Arc::clone(&has_gone_on));
        let handler = move |ctx: Ctx| {
            let (released, ends) = (Arc::clone(&released), Arc::clone(&ends));
            let goes_on = Arc::clone(&goes_on);
            async move {
                let wait = || async {
                    let released = released.lock().await.take();
                    released.unwrap().await?;
                    ends.store(true, Ordering::SeqCst);
                    Ok(())
                };
                let other = || async {
                    goes_on.store(true, Ordering::SeqCst);
                    Ok(())
                };
                ctx.run("wait", wait).await?;
                ctx.run("other", other).await
            }
        };
        let app = App::new("shop").workflow("w", handler);
        let serve = app.serve(url).key(KEY).drain_timeout(drain);
        let serving = tokio::spawn(serve.into_future());
        let (mut connection, _) = node.welcome().await;
        connection.activate(json!(null)).await;
        assert_eq!(brief(&connection.next().await), "started wait#1");
        Self { serving, connection, node, release, has_ended, has_gone_on }
    }

    /// Closes the connection as a server does whose key was revoked, and sees that it is gone.
    async fn revoke(&mut self) {
        let reason = "SW1010: the key `ci` was revoked".into();
        let frame = CloseFrame { code: CloseCode::Policy, reason };
        self.connection.socket.close(Some(frame)).await.unwrap();
        let gone = async { while let Some(Ok(_)) = self.connection.socket.next().await {} };
        tokio::time::timeout(PATIENCE, gone).await.unwrap();
    }
}

/// A key that is revoked later ends serving once what is in progress has ended; nothing else begins.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_lets_functions_end_and_then_ends_the_runner() {
    let mut busy = Busy::serve("20s").await;
    busy.revoke().await;
    assert!(!busy.serving.is_finished());
    busy.release.send(()).unwrap();
    let error = end_of(busy.serving).await;
    assert_eq!((error.kind(), error.code()), (ErrorKind::Refused, Some("SW1010")));
    assert_eq!(error.message(), "the key `ci` was revoked");
    assert!(busy.has_ended.load(Ordering::SeqCst), "the function was not let end");
    assert!(!busy.has_gone_on.load(Ordering::SeqCst), "another function began");
}

/// The same where the connection broke, and the next one is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_refused_on_the_way_back_lets_functions_end() {
    let busy = Busy::serve("20s").await;
    drop(busy.connection);
    answer_once(&busy.node.listener, "401 Unauthorized", &unauthenticated("it has expired")).await;
    busy.release.send(()).unwrap();
    assert_eq!(end_of(busy.serving).await.message(), "it has expired");
    assert!(busy.has_ended.load(Ordering::SeqCst), "the function was not let end");
}

/// A function that does not end is awaited for as long as a shutdown would.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_that_does_not_end_does_not_hold_a_refused_runner() {
    let mut busy = Busy::serve("10ms").await;
    busy.revoke().await;
    assert_eq!(end_of(busy.serving).await.code(), Some("SW1010"));
    assert!(!busy.has_ended.load(Ordering::SeqCst));
}

/// What is closed for another reason is connected to again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_reasons_to_close_are_no_end() {
    let (node, url) = Node::listen().await;
    let serving = tokio::spawn(shop().serve(url).key(KEY).into_future());
    let (mut connection, _) = node.welcome().await;
    let frame = CloseFrame { code: CloseCode::Restart, reason: "the server stops".into() };
    connection.socket.close(Some(frame)).await.unwrap();
    let (_connection, hello) = node.welcome().await;
    assert_eq!(hello["app"], "shop");
    serving.abort();
}

/// Keys that cannot be sent are refused before anything is.
#[tokio::test]
async fn what_is_no_key_is_refused_at_once() {
    let error = shop().serve("http://127.0.0.1:9").key("two words").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    assert!(error.message().contains("`key`") && !error.message().contains("words"), "{error}");
    let error = Client::builder("http://127.0.0.1:9").key("").build().unwrap_err();
    assert!(error.message().contains("is empty"), "{error}");
}
