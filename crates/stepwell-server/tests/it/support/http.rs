//! Requests, written by hand so that tests can send anything.

use std::fmt::Write as _;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::described;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The headers as they came, in small letters.
    pub(crate) headers: String,
    pub(crate) body: String,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// A header, by its name in small letters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let fields = self.headers.lines().filter_map(|line| line.split_once(": "));
        fields.into_iter().find(|(of, _)| *of == name).map(|(_, value)| value)
    }

    /// The value of a field of the body, a text.
    #[track_caller]
    pub(crate) fn text(&self, field: &str) -> String {
        let value = self.json()[field].clone();
        value.as_str().unwrap_or_else(|| panic!("no `{field}` in {self:?}")).to_owned()
    }
}

/// Sends bytes on a connection of their own, and reads the answer.
pub(crate) async fn exchange(to: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(to).await.unwrap();
    // A server that has said no may close before it has read all.
    let _ = stream.write_all(bytes).await;
    let mut read = Vec::new();
    let _ = stream.read_to_end(&mut read).await;
    let text = String::from_utf8_lossy(&read).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let answer = Answer {
        status: status.unwrap_or_else(|| panic!("no answer to {:?}: {text}", show(bytes))),
        headers: head.to_lowercase(),
        body: body.to_owned(),
    };
    described::check(bytes, &answer);
    answer
}

/// Sends a request and reads the status alone, also of an answer that never ends.
pub(crate) async fn status(to: SocketAddr, line: &str, header: (&str, &str)) -> u16 {
    let (name, value) = header;
    let bytes = format!("{line} HTTP/1.1\r\nhost: {to}\r\n{name}: {value}\r\n\r\n");
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut head = [0; "HTTP/1.1 200".len()];
    stream.read_exact(&mut head).await.unwrap();
    let head = String::from_utf8_lossy(&head).into_owned();
    head.rsplit(' ')
        .next()
        .and_then(|status| status.parse().ok())
        .unwrap_or_else(|| panic!("{head}"))
}

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned()
}

/// Sends a request with headers, beside `Host` and `Connection: close`.
pub(crate) async fn request(
    to: SocketAddr,
    line: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut bytes = format!("{line} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\n");
    for (name, value) in headers {
        write!(bytes, "{name}: {value}\r\n").unwrap();
    }
    if !body.is_empty() {
        write!(bytes, "content-length: {}\r\n", body.len()).unwrap();
    }
    bytes.push_str("\r\n");
    let mut bytes = bytes.into_bytes();
    bytes.extend_from_slice(body);
    exchange(to, &bytes).await
}

/// Gets a path.
pub(crate) async fn get(to: SocketAddr, path: &str) -> Answer {
    request(to, &format!("GET {path}"), &[], b"").await
}

/// Posts JSON to a path.
pub(crate) async fn post(to: SocketAddr, path: &str, body: &Value) -> Answer {
    let json = [("content-type", "application/json")];
    request(to, &format!("POST {path}"), &json, body.to_string().as_bytes()).await
}
