//! The stream of changes.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;

use crate::support::{Runner, get, post, server};

/// Longest time that a test waits for a message; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// A reader of the stream.
struct Reader {
    lines: Lines<BufReader<TcpStream>>,
}

/// One message.
#[derive(Debug)]
struct Message {
    name: String,
    id: String,
    data: Value,
}

impl Reader {
    async fn connect(to: SocketAddr, after: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(to).await.unwrap();
        let after = after.map(|id| format!("last-event-id: {id}\r\n")).unwrap_or_default();
        let request = format!("GET /api/v1/stream HTTP/1.1\r\nhost: {to}\r\n{after}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut reader = Self { lines: BufReader::new(stream).lines() };
        let status = reader.line().await.unwrap();
        assert!(status.starts_with("HTTP/1.1 200"), "{status}");
        assert!(reader.until("content-type: text/event-stream").await);
        assert!(reader.until("").await);
        reader
    }

    /// The next line; `None` at the end of the stream.
    async fn line(&mut self) -> Option<String> {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
        line.expect("nothing came in time").unwrap()
    }

    async fn until(&mut self, wanted: &str) -> bool {
        while let Some(line) = self.line().await {
            if line == wanted {
                return true;
            }
        }
        false
    }

    /// The next message; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Message> {
        let mut message = Message { name: String::new(), id: String::new(), data: Value::Null };
        loop {
            let line = self.line().await?;
            // Other lines are the sizes of chunks, and say nothing about messages.
            match line.split_once(": ") {
                Some(("event", name)) => name.clone_into(&mut message.name),
                Some(("id", id)) => id.clone_into(&mut message.id),
                Some(("data", data)) => message.data = serde_json::from_str(data).unwrap(),
                None if line.is_empty() && !message.name.is_empty() => return Some(message),
                _ => {}
            }
        }
    }

    /// Waits for the message that names a run with its journal as long as this.
    async fn hear_of(&mut self, run: &Value) -> Message {
        loop {
            let message = self.next().await.expect("the stream ended");
            let wanted = json!({"id": run["id"], "journalBytes": run["journalBytes"]});
            let named = message.data["runs"].as_array();
            if named.is_some_and(|runs| runs.contains(&wanted)) {
                return message;
            }
        }
    }
}

async fn start(to: SocketAddr) -> Value {
    let id = post(to, "/api/v1/runs", &json!({"workflow": "pay"})).await.text("id");
    get(to, &format!("/api/v1/runs/{id}")).await.json()
}

#[tokio::test]
async fn a_change_of_a_run_is_told_with_the_size_of_its_journal() {
    let server = server().await;
    let to = server.address();
    let mut reader = Reader::connect(to, None).await;
    assert_eq!(reader.next().await.unwrap().name, "hello");
    let _runner = Runner::connect(to, json!([{"name": "pay"}])).await;
    let told = reader.next().await.unwrap();
    assert_eq!(told.data["runners"], json!(true), "{told:?}");
    let id = post(to, "/api/v1/runs", &json!({"workflow": "pay"})).await.text("id");
    let shown = get(to, &format!("/api/v1/runs/{id}")).await.json();
    let told = reader.hear_of(&shown).await;
    assert_eq!(told.name, "changes");
    assert_eq!(told.data["others"], json!(false));
    server.stop().await;
}

#[tokio::test]
async fn an_event_is_told() {
    let server = server().await;
    let to = server.address();
    let mut reader = Reader::connect(to, None).await;
    reader.next().await.unwrap();
    post(to, "/api/v1/events", &json!({"event": "paid"})).await;
    let told = reader.next().await.unwrap();
    assert_eq!(told.data["events"], json!(true), "{told:?}");
    server.stop().await;
}

#[tokio::test]
async fn who_was_away_is_told_what_it_missed() {
    let server = server().await;
    let to = server.address();
    let _runner = Runner::connect(to, json!([{"name": "pay"}])).await;
    // Somebody watches all the time, so that changes are remembered.
    let mut other = Reader::connect(to, None).await;
    let mut reader = Reader::connect(to, None).await;
    let run = start(to).await;
    let last = reader.hear_of(&run).await.id;
    drop(reader);
    let missed = start(to).await;
    other.hear_of(&missed).await;
    let mut back = Reader::connect(to, Some(&last)).await;
    assert_eq!(back.next().await.unwrap().name, "hello");
    back.hear_of(&missed).await;
    server.stop().await;
}

#[tokio::test]
async fn an_unknown_place_is_told_to_look_at_everything_again() {
    let server = server().await;
    let to = server.address();
    for place in ["0000000000000000-3", "never told"] {
        let mut reader = Reader::connect(to, Some(place)).await;
        assert_eq!(reader.next().await.unwrap().name, "hello", "{place}");
        assert_eq!(reader.next().await.unwrap().name, "reset", "{place}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_stop_ends_the_stream() {
    let server = server().await;
    let mut reader = Reader::connect(server.address(), None).await;
    reader.next().await.unwrap();
    let stop = tokio::spawn(server.stop());
    assert!(reader.next().await.is_none());
    stop.await.unwrap();
}
