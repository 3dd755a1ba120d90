//! The endpoint of runners: a WebSocket between a runner's connection and the node.
//!
//! One frame of the protocol is one text message. The connection is read only while the node takes
//! what it sends, and written only as fast as the runner reads, each bounded in bytes. Once upgraded
//! it lives on the node's thread (the driver's `thread` says why).

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::OnUpgrade;
use stepwell_core::code::Code;
use stepwell_protocol::SUBPROTOCOL;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tracing::{Instrument as _, Span};

use crate::api::Api;
use crate::carrier::{self, Carrier};
use crate::gate::Caller;
use crate::openapi::About;
use crate::problem::Problem;
use crate::request_id::RequestId;
use stepwell_driver::{Outbound, Outbox, Session};

type Socket = WebSocketStream<Carrier>;

/// Longest reason in a closing message, in bytes (RFC 6455 §5.5).
const REASON_BYTES_MAX: usize = 120;

/// Describes [`connect`].
pub(crate) fn about() -> About {
    About::new(
        "connectRunner",
        "Connects a runner, by a WebSocket with the subprotocol `stepwell.v1`",
    )
    .more("What passes on the connection is not HTTP: `docs/protocol.md` describes it.")
    .header("Sec-WebSocket-Protocol", "`stepwell.v1`.")
    .empty(101, "The connection is a WebSocket now.")
    .refuses(&[Code::VersionSkew])
}

/// Upgrades a request to a runner's connection.
///
/// # Errors
/// [`Code::VersionSkew`] when the request does not ask for the one version of the protocol that is
/// spoken here; [`Code::Unavailable`] when the server stops.
pub async fn connect(
    State(api): State<Api>,
    caller: Caller,
    mut request: Request,
) -> Result<Response<Body>, Problem> {
    let accept = accept_key(request.headers())?;
    let upgrade = hyper::upgrade::on(&mut request);
    let frame_bytes_max = api.limits.frame_bytes_max();
    let ended = caller.ended();
    let namespace = caller.namespace();
    let id = request.extensions_mut().remove::<RequestId>();
    let span_of = |session: &Session| {
        id.map_or_else(Span::none, |id| id.span_of_session(session.number(), &namespace))
    };
    let serve = |session: Session, outbox| {
        let span = span_of(&session);
        let serving = async move {
            match upgraded(upgrade, frame_bytes_max).await {
                Ok(socket) => {
                    let ends = (ended, outbox);
                    serve(socket, session, ends, frame_bytes_max).await;
                }
                Err(error) => tracing::debug!(error, "a runner's connection was not upgraded"),
            }
        };
        serving.instrument(span)
    };
    api.node.connect(caller.namespace(), serve).await?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    Ok(response)
}

/// Checks that the request asks for this protocol, and returns the answer to its key.
fn accept_key(headers: &HeaderMap) -> Result<HeaderValue, Problem> {
    let skew = |found: String| {
        Problem::new(
            Code::VersionSkew,
            format!(
                "{found}; this is the address of runners, and server {} accepts a WebSocket \
                 (version 13) with the subprotocol `{SUBPROTOCOL}`: use an SDK of the same version",
                env!("CARGO_PKG_VERSION")
            ),
        )
    };
    let has = |name, wanted: &str| words(headers, name).any(|w| w.eq_ignore_ascii_case(wanted));
    if !has(header::CONNECTION, "upgrade") || !has(header::UPGRADE, "websocket") {
        return Err(skew("the request does not ask for a WebSocket".into()));
    }
    if !has(header::SEC_WEBSOCKET_VERSION, "13") {
        return Err(skew("the request asks for another version of WebSocket".into()));
    }
    if !words(headers, header::SEC_WEBSOCKET_PROTOCOL).any(|one| one == SUBPROTOCOL) {
        let asked: Vec<_> = words(headers, header::SEC_WEBSOCKET_PROTOCOL).collect();
        let asked = if asked.is_empty() { "none".to_owned() } else { asked.join(", ") };
        return Err(skew(format!("the request offers the subprotocols: {asked}")));
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY);
    let key = key.filter(|key| key.len() == 24);
    let key =
        key.ok_or_else(|| skew("the header Sec-WebSocket-Key is missing or not one".into()))?;
    let accept = derive_accept_key(key.as_bytes());
    HeaderValue::try_from(accept).map_err(|error| Problem::bad_request(error.to_string()))
}

fn words(headers: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter();
    values.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(',')).map(str::trim)
}

/// Waits for the upgrade, and takes the connection over to the runtime that this runs on.
async fn upgraded(upgrade: OnUpgrade, frame_bytes_max: usize) -> Result<Socket, String> {
    let upgraded = upgrade.await.map_err(|error| error.to_string())?;
    let (stream, read) = carrier::take_over(upgraded)?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(frame_bytes_max))
        .max_frame_size(Some(frame_bytes_max));
    Ok(Socket::from_partially_read(stream, read.to_vec(), Role::Server, Some(config)).await)
}

async fn serve(
    socket: Socket,
    session: Session,
    (ended, mut outbox): (impl Future<Output = Problem>, Outbox),
    frame_bytes_max: usize,
) {
    let (mut sink, mut stream) = socket.split();
    tracing::debug!("a runner connected");
    let both = async {
        // Both ways go on by themselves: a runner that writes while it is written to cannot deadlock.
        tokio::select! {
            end = read(&mut stream, &session, frame_bytes_max) => end,
            end = write(&mut sink, &mut outbox) => end,
        }
    };
    let end = tokio::select! {
        // What comes after its key is over is not taken.
        biased;
        problem = ended => {
            let text = format!("{}: {}", problem.code, problem.detail);
            Some(close(CloseCode::Policy, &text))
        }
        end = both => end,
    };
    tracing::debug!(?end, "a runner's connection ends");
    drop(session);
    if let Some(frame) = end {
        // The runner may be gone; then it needs no reason.
        let _ = sink.send(Message::Close(Some(frame))).await;
    }
    let _ = sink.close().await;
}

/// Hands frames to the node until the connection ends; returns what to tell the runner.
async fn read(
    stream: &mut SplitStream<Socket>,
    session: &Session,
    frame_bytes_max: usize,
) -> Option<CloseFrame> {
    loop {
        match stream.next().await? {
            Ok(Message::Text(text)) => {
                if session.frame(Bytes::from(text)).await.is_err() {
                    return Some(close(CloseCode::Restart, "the server stops"));
                }
            }
            Ok(Message::Binary(_)) => {
                let text = "SW3001: frames are text messages, this one is binary";
                return Some(close(CloseCode::Unsupported, text));
            }
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
            Err(Error::Capacity(CapacityError::MessageTooLong { size, .. })) => {
                let text = format!(
                    "SW3005: a frame has {size} bytes; accepted: at most {frame_bytes_max}"
                );
                return Some(close(CloseCode::Size, &text));
            }
            Err(Error::Utf8(_)) => {
                let text = "SW3001: frames are UTF-8 text, this one is not";
                return Some(close(CloseCode::Invalid, text));
            }
            Err(Error::Protocol(error)) => {
                return Some(close(CloseCode::Protocol, &format!("SW3001: {error}")));
            }
            Ok(Message::Close(_)) | Err(_) => return None,
        }
    }
}

/// Sends what the node has for the runner, all that is there before each flush.
async fn write(sink: &mut SplitSink<Socket, Message>, outbox: &mut Outbox) -> Option<CloseFrame> {
    loop {
        let mut next = Some(outbox.next().await?);
        while let Some(item) = next {
            match item {
                Outbound::Frame(frame) => {
                    // The node writes JSON, which is UTF-8.
                    let text = Utf8Bytes::try_from(frame).ok()?;
                    sink.feed(Message::Text(text)).await.ok()?;
                }
                Outbound::Close(reason) => {
                    sink.flush().await.ok()?;
                    return Some(close(CloseCode::Normal, &reason));
                }
            }
            next = outbox.try_next();
        }
        sink.flush().await.ok()?;
    }
}

fn close(code: CloseCode, reason: &str) -> CloseFrame {
    let mut end = reason.len().min(REASON_BYTES_MAX);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    let reason = reason.get(..end).unwrap_or_default();
    CloseFrame { code, reason: reason.to_owned().into() }
}
