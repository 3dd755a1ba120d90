//! One connection: frames in and out, deadlines.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::time::{Instant, Sleep};
use tokio_tungstenite::tungstenite::Message;

use super::backoff::Backoff;
use super::thread::{Driver, Lost, Stop};
use super::wire::Wire;
use crate::moment::Clock;
use crate::session::Fault;

/// Most frames that are taken or sent before the others get their turn.
const TURNS_MAX: usize = 32;

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
                    return Poll::Ready(Fault::of_close(&why).map_or_else(
                        || Lost::Broken(format!("the server closed the connection: {why}")),
                        Lost::Fault,
                    ));
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
