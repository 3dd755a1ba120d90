//! One connection: frames in and out, deadlines.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::time::{Instant, Sleep};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};

use super::backoff::Backoff;
use super::target::{Stream, Target};
use super::thread::{Driver, Lost, Stop};
use super::wire::Wire;
use crate::client::Answer;
use crate::moment::Clock;
use crate::session::FINAL;

pub(super) type Socket = WebSocketStream<Stream>;

/// Largest frame that is taken: payloads can be made larger by a setting of the server.
const FRAME_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Most frames that are taken or sent before the others get their turn.
const TURNS_MAX: usize = 32;

/// Why there is no connection.
pub(super) enum Unconnected {
    /// Trying again is of no use.
    Refused { code: String, message: String },
    /// It may be there later.
    Broken(String),
}

impl<E: std::fmt::Display> From<E> for Unconnected {
    fn from(error: E) -> Self {
        Self::Broken(error.to_string())
    }
}

/// Connects to a node and upgrades to a WebSocket.
pub(super) async fn connect(target: Target) -> Result<Socket, Unconnected> {
    let stream = target.connect().await?;
    let request = hyper::Request::builder()
        .uri(target.url("ws", stepwell_protocol::PATH))
        .header("Host", target.authority())
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", generate_key())
        .header("Sec-WebSocket-Protocol", stepwell_protocol::SUBPROTOCOL)
        .body(())?;
    let request = request.into_client_request()?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(FRAME_BYTES_MAX))
        .max_frame_size(Some(FRAME_BYTES_MAX));
    match tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(answer)) => {
            let status = answer.status();
            Err(refusal(status, answer.into_body().unwrap_or_default()))
        }
        Err(error) => Err(error.into()),
    }
}

/// The server answered, and not with a WebSocket.
fn refusal(status: hyper::StatusCode, body: Vec<u8>) -> Unconnected {
    let error = Answer { status, body: body.into() }.into_error();
    match error.code() {
        Some(code) if FINAL.contains(&code) => {
            Unconnected::Refused { code: code.to_owned(), message: error.message().to_owned() }
        }
        Some(_) | None => Unconnected::Broken(format!("{error:?}")),
    }
}

/// A connection at work.
pub(super) struct Conversation<'a> {
    pub(super) driver: &'a mut Driver,
    pub(super) wire: Arc<Wire>,
    /// Wakes whoever sends frames.
    pub(super) waker: Waker,
    pub(super) stop: &'a mut Stop,
    pub(super) backoff: &'a mut Backoff,
}

impl Conversation<'_> {
    pub(super) async fn run(mut self) -> Lost {
        let mut sleep = Box::pin(tokio::time::sleep(std::time::Duration::ZERO));
        let lost = poll_fn(|cx| self.poll(cx, sleep.as_mut())).await;
        if let Lost::Over = lost {
            // What is told last is to arrive: a run that was given back goes on at once.
            drop(tokio::time::timeout(std::time::Duration::from_secs(1), self.close()).await);
        }
        drop(self.wire.take());
        lost
    }

    fn poll(&mut self, cx: &mut Context<'_>, mut sleep: Pin<&mut Sleep>) -> Poll<Lost> {
        self.wire.set_thread(cx.waker());
        self.driver.session.set_wakers(cx.waker(), &self.waker);
        self.driver.look_for_stop(self.stop, cx);
        for _ in 0..TURNS_MAX {
            if let Poll::Ready(lost) = self.poll_once(cx) {
                return Poll::Ready(lost);
            }
            let Some(left) = self.driver.time_left(*self.stop) else { return Poll::Pending };
            if left.is_zero() {
                continue;
            }
            // Most deadlines stay where they are from one look to the next.
            let until = Instant::now() + left;
            if sleep.is_elapsed() || until < sleep.deadline() {
                sleep.as_mut().reset(until);
            }
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_once(&mut self, cx: &mut Context<'_>) -> Poll<Lost> {
        let now = self.driver.clock.now();
        self.driver.session.on_time(now);
        if let Err(fault) = self.driver.session.check(now) {
            return Poll::Ready(Lost::Fault(fault));
        }
        if let Poll::Ready(lost) = self.receive(cx) {
            return Poll::Ready(lost);
        }
        for run in self.driver.session.take_runs() {
            drop(self.driver.runtime.spawn(run));
        }
        if let Poll::Ready(Err(why)) = self.wire.poll_send(cx) {
            return Poll::Ready(Lost::Broken(why.to_string()));
        }
        if self.stop.is_over(&mut self.driver.session, now) {
            return Poll::Ready(Lost::Over);
        }
        Poll::Pending
    }

    fn receive(&mut self, cx: &mut Context<'_>) -> Poll<Lost> {
        let mut told = 0;
        for _ in 0..TURNS_MAX {
            let Poll::Ready(next) = self.wire.poll_next(cx) else {
                return Poll::Pending;
            };
            let message = match next {
                Some(Ok(message)) => message,
                Some(Err(error)) => return Poll::Ready(Lost::Broken(error.to_string())),
                None => {
                    return Poll::Ready(Lost::Broken("the server closed the connection".into()));
                }
            };
            let frame: Bytes = match message {
                Message::Text(text) => text.into(),
                Message::Binary(_) => {
                    let text = "the server sent a binary message".into();
                    return Poll::Ready(Lost::Broken(text));
                }
                Message::Close(frame) => {
                    let why = frame.map(|frame| frame.reason.to_string()).unwrap_or_default();
                    let text = format!("the server closed the connection: {why}");
                    return Poll::Ready(Lost::Broken(text));
                }
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
            };
            // Before the runs hear of it: what they say to that is already sent accordingly.
            told += frame.len();
            self.wire.told(told);
            let now = self.driver.clock.now();
            if let Err(fault) = self.driver.session.on_frame(&frame, now) {
                return Poll::Ready(Lost::Fault(fault));
            }
            if self.driver.session.is_welcome() {
                self.backoff.reset();
                // Nobody has to wait for it.
                self.driver.welcome.take().map(|welcome| welcome.send(()));
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    async fn close(&mut self) {
        let sent = poll_fn(|cx| self.wire.poll_send(cx)).await;
        if let Some(mut socket) = self.wire.take()
            && sent.is_ok()
        {
            // The node may be gone already; there is nobody left to tell.
            drop(socket.close(None).await);
        }
    }
}
