//! A runner that does what a test says, message by message.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// Longest time that a test waits for a message; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often a runner says that it lives, where it has to.
const PING: Duration = Duration::from_millis(200);

/// A runner's connection.
pub(crate) struct Runner {
    socket: WebSocketStream<TcpStream>,
    read: VecDeque<Value>,
}

impl Runner {
    /// Connects without a word.
    pub(crate) async fn open(to: SocketAddr) -> Result<Self, Error> {
        Self::open_with(to, None).await
    }

    /// Connects with a key, without a word.
    pub(crate) async fn open_with(to: SocketAddr, key: Option<&str>) -> Result<Self, Error> {
        let mut request = format!("ws://{to}/api/v1/worker").into_client_request()?;
        let protocol = "stepwell.v1".parse().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        if let Some(key) = key {
            let bearer = format!("Bearer {key}").parse().unwrap();
            request.headers_mut().insert("authorization", bearer);
        }
        let stream = TcpStream::connect(to).await?;
        let (socket, _) = client_async(request, stream).await?;
        Ok(Self { socket, read: VecDeque::new() })
    }

    /// Connects as a runner of app `shop` with these workflows, and is welcomed.
    pub(crate) async fn connect(to: SocketAddr, workflows: Value) -> Self {
        Self::connect_with(to, None, &workflows).await
    }

    /// As [`Runner::connect`], with a key.
    pub(crate) async fn connect_with(to: SocketAddr, key: Option<&str>, workflows: &Value) -> Self {
        let mut runner = Self::open_with(to, key).await.unwrap();
        runner.say(json!([{"hello": Self::hello(workflows)}])).await;
        runner.hear("welcome").await;
        runner
    }

    /// What a runner says first.
    pub(crate) fn hello(workflows: &Value) -> Value {
        json!({"protocol": 1, "sdk": "test/0", "app": "shop", "runner": "blue", "instance": "i1",
            "slots": 10, "creditBytes": 1_000_000, "workflows": workflows})
    }

    /// Sends a frame.
    pub(crate) async fn say(&mut self, frame: Value) {
        self.send(Message::text(frame.to_string())).await;
    }

    /// Sends any message.
    pub(crate) async fn send(&mut self, message: Message) {
        // A server that has said no may be gone; the test reads what it said.
        let _ = self.socket.send(message).await;
    }

    /// Waits for a message of this name and returns what it holds; others before it are skipped.
    pub(crate) async fn hear(&mut self, name: &str) -> Value {
        let heard = self.hear_or_end(name).await;
        heard.unwrap_or_else(|| panic!("the connection ended before `{name}`"))
    }

    /// As [`Runner::hear`], and says meanwhile that it lives, as a runner does whose server waits for that.
    pub(crate) async fn hear_alive(&mut self, name: &str) -> Value {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Ok(heard) = timeout(PING, self.hear(name)).await {
                return heard;
            }
            self.say(json!([{"ping": {"k": 1}}])).await;
        }
        panic!("the server does not say `{name}`");
    }

    /// As [`Runner::hear`]; `None` where the connection ends before.
    pub(crate) async fn hear_or_end(&mut self, name: &str) -> Option<Value> {
        loop {
            while let Some(mut message) = self.read.pop_front() {
                if let Some(found) = message.get_mut(name) {
                    return Some(found.take());
                }
            }
            match self.next().await {
                Some(Message::Text(text)) => {
                    let messages: Vec<Value> = serde_json::from_str(&text).unwrap();
                    self.read.extend(messages);
                }
                Some(_) => {}
                None => return None,
            }
        }
    }

    /// Waits for the end of the connection, and returns what the server said at last.
    pub(crate) async fn last_words(&mut self) -> String {
        let mut last = String::new();
        while let Some(message) = self.next().await {
            match message {
                Message::Text(text) => last = text.to_string(),
                Message::Close(Some(frame)) if last.is_empty() => {
                    last = format!("{}: {}", frame.code, frame.reason);
                }
                _ => {}
            }
        }
        last
    }

    async fn next(&mut self) -> Option<Message> {
        let next = timeout(PATIENCE, self.socket.next()).await;
        next.expect("the server says nothing").and_then(Result::ok)
    }

    /// Takes a run, runs one step in it, and finishes with its output.
    pub(crate) async fn run_one(&mut self) {
        let activate = self.hear("activate").await;
        let a = &activate["a"];
        let opening = json!({"kind": "run", "after": 0, "agoUs": 100, "input": {"of": 1}});
        self.say(json!([{"ended": {"a": a, "step": "charge", "n": 1, "startedAgoUs": 90,
            "endedAgoUs": 10, "output": {"paid": true}, "open": opening}}]))
            .await;
        self.hear("settled").await;
        self.say(json!([{"finished": {"a": a, "output": "done"}}])).await;
    }
}
