//! The driver against a node that is scripted over a real WebSocket.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use stepwell::{App, Ctx, ErrorKind, Result};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

use crate::world::{RUN, brief};

/// Nothing here takes this long; a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Node {
    pub(crate) listener: TcpListener,
}

pub(crate) struct Connection {
    pub(crate) socket: WebSocketStream<TcpStream>,
    pings: usize,
}

impl Node {
    pub(crate) async fn listen() -> (Self, String) {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        (Self { listener }, url)
    }

    #[expect(clippy::result_large_err, reason = "the type is the library's")]
    async fn accept(&self) -> Connection {
        let (stream, _) = self.listener.accept().await.unwrap();
        let check = |request: &Request, mut response: Response| {
            assert_eq!(request.uri().path(), "/api/v1/worker");
            let protocol = request.headers()["sec-websocket-protocol"].clone();
            assert_eq!(protocol, "stepwell.v1");
            response.headers_mut().insert("sec-websocket-protocol", protocol);
            Ok(response)
        };
        let socket = tokio_tungstenite::accept_hdr_async(stream, check).await.unwrap();
        Connection { socket, pings: 0 }
    }

    /// Accepts a connection and welcomes its runner.
    pub(crate) async fn welcome(&self) -> (Connection, Value) {
        let mut connection = self.accept().await;
        let hello = connection.next().await;
        let welcome = json!({
            "server": "0.1.0", "pingMs": 5, "ttlMs": 10_000, "lingerMs": 1_000,
            "graceMs": 30_000, "payloadBytesMax": 4_194_304, "stepsMax": 10_000,
            "branchesMax": 1_000, "creditBytes": 8_388_608,
        });
        connection.send(json!([{ "welcome": welcome }])).await;
        (connection, hello["hello"].clone())
    }
}

impl Connection {
    async fn send(&mut self, frame: Value) {
        self.socket.send(Message::text(frame.to_string())).await.unwrap();
    }

    /// Returns the next message that is no ping; pings are answered.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.socket.next()).await.unwrap();
            let Message::Text(text) = frame.unwrap().unwrap() else { continue };
            let mut frame: Vec<Value> = serde_json::from_str(&text).unwrap();
            for message in frame.iter().filter(|message| message.get("ping").is_some()) {
                self.pings += 1;
                let pong = json!([{ "pong": { "k": message["ping"]["k"] } }]);
                self.socket.send(Message::text(pong.to_string())).await.unwrap();
            }
            frame.retain(|message| message.get("ping").is_none());
            assert!(frame.len() <= 1, "{frame:?}");
            if let Some(message) = frame.pop() {
                return message;
            }
        }
    }

    async fn pinged(&mut self, times: usize) {
        let until = self.pings + times;
        while self.pings < until {
            let frame = tokio::time::timeout(PATIENCE, self.socket.next()).await.unwrap();
            let Message::Text(text) = frame.unwrap().unwrap() else { continue };
            let frame: Vec<Value> = serde_json::from_str(&text).unwrap();
            assert!(frame.iter().all(|message| message.get("ping").is_some()), "{frame:?}");
            self.pings += 1;
        }
    }

    pub(crate) async fn activate(&mut self, input: Value) {
        let activate = json!({
            "a": 1, "run": RUN, "epoch": 1, "nonce": 7, "namespace": "default", "workflow": "w",
            "createdAtUs": 0, "input": input,
        });
        self.send(json!([{ "activate": activate }])).await;
    }

    async fn settle(&mut self, step: &str) {
        self.send(json!([{ "settled": { "a": 1, "step": step, "atUs": 1 } }])).await;
    }
}

async fn greet(ctx: Ctx, name: String) -> Result<String> {
    let text = ctx.run("greet", || async { Ok(format!("hello {name}")) }).await?;
    ctx.run("shout", || async { Ok(text.to_uppercase()) }).await
}

/// §4.1, §4.8: a run over a real connection, a lost connection in its middle, and a graceful stop.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_goes_over_a_lost_connection() {
    let (node, url) = Node::listen().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let app = App::new("shop").runner("blue").slots(3).build("b1").workflow("w", greet);
    let serve = app.serve(url).with_graceful_shutdown(async { drop(stopped.await) });
    let serving = tokio::spawn(serve.into_future());
    let (mut first, hello) = node.welcome().await;
    assert_eq!(
        (&hello["app"], &hello["runner"], &hello["slots"]),
        (&json!("shop"), &json!("blue"), &json!(3))
    );
    assert_eq!((&hello["protocol"], &hello["build"]), (&json!(1), &json!("b1")));
    first.activate(json!("ann")).await;
    assert_eq!(brief(&first.next().await), "ended greet#1 \"hello ann\"");
    drop(first);
    let (mut second, again) = node.welcome().await;
    assert_eq!(again["instance"], hello["instance"]);
    assert_eq!(again["resume"][0]["run"], RUN);
    second.send(json!([{ "resumed": { "a": 1, "run": RUN } }])).await;
    assert_eq!(brief(&second.next().await), "ended greet#1 \"hello ann\"");
    second.settle("greet").await;
    assert_eq!(brief(&second.next().await), "ended shout#1 \"HELLO ANN\"");
    second.settle("shout").await;
    assert_eq!(brief(&second.next().await), "finished \"HELLO ANN\"");
    second.send(json!([{ "done": { "a": 1 } }])).await;
    stop.send(()).unwrap();
    assert_eq!(brief(&second.next().await), "drain");
    tokio::time::timeout(PATIENCE, serving).await.unwrap().unwrap().unwrap();
}

/// §4.7: pings go on while a function holds the only thread of the user's runtime.
#[test]
fn a_function_that_holds_the_runtime_does_not_stop_the_pings() {
    let node_side =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (node, url) = node_side.block_on(Node::listen());
    let (release, released) = mpsc::channel::<()>();
    let released = std::sync::Arc::new(std::sync::Mutex::new(released));
    let workflow = move |ctx: Ctx| {
        let released = released.clone();
        async move {
            ctx.run("block", || async {
                released.lock().unwrap().recv_timeout(PATIENCE)?;
                Ok(())
            })
            .await
        }
    };
    let user_side = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let serving = std::thread::spawn(move || {
        let app = App::new("shop").workflow("w", workflow);
        user_side.block_on(app.serve(url).into_future())
    });
    node_side.block_on(async {
        let (mut connection, _) = node.welcome().await;
        connection.activate(json!(null)).await;
        // §4.3: its start is told, too.
        assert_eq!(brief(&connection.next().await), "started block#1");
        connection.pinged(5).await;
        release.send(()).unwrap();
        assert_eq!(brief(&connection.next().await), "ended block#1 ()");
        let refused = json!([{ "refused": { "code": "SW3003", "message": "that is enough" } }]);
        connection.send(refused).await;
    });
    let error = serving.join().unwrap().unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Refused, Some("SW3003")));
    assert_eq!(error.message(), "that is enough");
}

/// A server that answers the handshake with an error: its text reaches whoever serves.
#[tokio::test]
async fn a_refusal_before_the_handshake_is_told() {
    let (node, url) = Node::listen().await;
    let answer = async {
        let body = json!({ "title": "skew", "code": "SW3002", "detail": "this server speaks 2" });
        answer_once(&node.listener, "426 Upgrade Required", &body).await
    };
    let serve = App::new("shop").workflow("w", greet).serve(url).into_future();
    let (error, _) = tokio::join!(serve, answer);
    let error = error.unwrap_err();
    assert_eq!((error.code(), error.message()), (Some("SW3002"), "this server speaks 2"));
}

/// What an app was given is checked before anything is sent.
#[tokio::test]
async fn apps_that_cannot_work_are_refused() {
    async fn needs(_ctx: Ctx, _data: stepwell::Data<u16>) -> Result<()> {
        Ok(())
    }
    let app = || App::new("shop").workflow("w", greet);
    let url = "http://127.0.0.1:9";
    for (serve, word) in [
        (App::new("shop").serve(url), "no workflow"),
        (App::new("").workflow("w", greet).serve(url), "empty"),
        (app().workflow("w", greet).serve(url), "two workflows `w`"),
        (app().slots(0).serve(url), "1 to 100000"),
        (app().data(1_u8).data(2_u8).serve(url), "two values"),
        (app().workflow("n", needs).serve(url), "Data<u16>"),
        (app().serve("ftp://example.org"), "https://"),
        (app().serve(url).drain_timeout("soon"), "duration"),
    ] {
        let error = serve.await.unwrap_err();
        assert!(error.message().contains(word), "{error}");
    }
}

/// Answers one HTTP request and returns it.
pub(crate) async fn answer_once(
    listener: &TcpListener,
    status: &str,
    body: impl ToString,
) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let request = read_request(&mut stream).await;
    let body = body.to_string();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close", body.len());
    stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).await.unwrap();
    request
}

/// Reads one HTTP request with its body.
pub(crate) async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut request = Vec::new();
    loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).await.unwrap();
        assert_ne!(count, 0, "the request broke off");
        request.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, rest)) = text.split_once("\r\n\r\n") else { continue };
        let mut lengths = head.lines().filter_map(|line| line.strip_prefix("content-length: "));
        let length: usize = lengths.next_back().map_or(0, |length| length.parse().unwrap());
        if rest.len() >= length {
            return text;
        }
    }
}

/// A runner whose server is away can be stopped.
#[tokio::test]
async fn a_runner_without_a_server_can_be_stopped() {
    let (node, url) = Node::listen().await;
    drop(node);
    let (stop, stopped) = oneshot::channel::<()>();
    let serve = App::new("shop").workflow("w", greet).serve(url);
    let serving =
        tokio::spawn(serve.with_graceful_shutdown(async { drop(stopped.await) }).into_future());
    tokio::task::yield_now().await;
    stop.send(()).unwrap();
    tokio::time::timeout(PATIENCE, serving).await.unwrap().unwrap().unwrap();
}

/// A server that is not serving any more ends its connection.
#[tokio::test]
async fn dropping_the_future_ends_the_connection() {
    let (node, url) = Node::listen().await;
    let serving = tokio::spawn(App::new("shop").workflow("w", greet).serve(url).into_future());
    let (mut connection, _) = node.welcome().await;
    serving.abort();
    let end = async {
        while let Some(Ok(message)) = connection.socket.next().await {
            if message.is_close() {
                break;
            }
        }
    };
    tokio::time::timeout(PATIENCE, end).await.unwrap();
}
