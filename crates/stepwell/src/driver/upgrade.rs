//! A connection becomes a WebSocket, or the server says why not.
//!
//! The request is sent by `hyper` and not by `tungstenite`, which writes the whole of it into its log:
//! with the key.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, SEC_WEBSOCKET_ACCEPT};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::target::{Stream, Target};
use crate::client::{self, Answer};
use crate::session::FINAL;

pub(super) type Socket = WebSocketStream<Stream>;

/// Largest frame that is taken: payloads can be made larger by a setting of the server.
const FRAME_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Most bytes that are read of an answer that says why there is no connection.
const REFUSAL_BYTES_MAX: usize = 64 * 1024;

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum Unconnected {
    /// Trying again is of no use. The code is absent where what refuses is no server of ours.
    Refused { code: Option<String>, message: String },
    /// It may be there later, and no earlier than after `pause`.
    Broken { why: String, pause: Duration },
}

impl<E: std::fmt::Display> From<E> for Unconnected {
    fn from(error: E) -> Self {
        Self::Broken { why: error.to_string(), pause: Duration::ZERO }
    }
}

/// Connects to a node and upgrades to a WebSocket (RFC 6455 §4.1).
pub(super) async fn connect(target: Target) -> Result<Socket, Unconnected> {
    let stream = target.connect().await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let key = generate_key();
    let request = request(&target, &key)?;
    let asking = pin!(async move { upgraded(sender.send_request(request).await?, &key).await });
    match select(asking, pin!(connection.with_upgrades())).await {
        Either::Left((socket, _)) => socket,
        // It ends as it is handed over, and where it broke the question has ended with why.
        Either::Right((_, asking)) => asking.await,
    }
}

fn request(target: &Target, key: &str) -> Result<Request<Empty<Bytes>>, Unconnected> {
    let path = target.path(stepwell_protocol::PATH);
    let mut request = Request::builder()
        .uri(path)
        .header("Host", target.authority())
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", key)
        .header("Sec-WebSocket-Protocol", stepwell_protocol::SUBPROTOCOL);
    if let Some(key) = target.key() {
        request = request.header(AUTHORIZATION, key.header());
    }
    Ok(request.body(Empty::new())?)
}

/// Takes the connection over from the HTTP library.
async fn upgraded(answer: Response<Incoming>, key: &str) -> Result<Socket, Unconnected> {
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(refusal(answer).await);
    }
    let accepted = answer.headers().get(SEC_WEBSOCKET_ACCEPT);
    if accepted.is_none_or(|accepted| *accepted != *derive_accept_key(key.as_bytes())) {
        return Err("what answers is not a WebSocket".into());
    }
    let upgraded = hyper::upgrade::on(answer).await?;
    let parts = upgraded.downcast::<TokioIo<Stream>>();
    let parts = parts.map_err(|_| "the connection is not the one that was made")?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(FRAME_BYTES_MAX))
        .max_frame_size(Some(FRAME_BYTES_MAX));
    let (stream, read) = (parts.io.into_inner(), parts.read_buf.to_vec());
    Ok(Socket::from_partially_read(stream, read, Role::Client, Some(config)).await)
}

/// The server answered, and not with a WebSocket.
async fn refusal(answer: Response<Incoming>) -> Unconnected {
    let status = answer.status();
    let pause = client::pause(answer.headers());
    let body = Limited::new(answer.into_body(), REFUSAL_BYTES_MAX).collect().await;
    // An answer that breaks off tells its status.
    let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let error = Answer { status, body, pause }.into_error();
    let code = error.code().map(ToOwned::to_owned);
    // A key that is not taken now is not taken later: whoever runs this has to see it.
    let is_about_who_asks = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    if is_about_who_asks || code.as_deref().is_some_and(|code| FINAL.contains(&code)) {
        Unconnected::Refused { code, message: error.message().to_owned() }
    } else {
        Unconnected::Broken { why: format!("{error:?}"), pause }
    }
}
