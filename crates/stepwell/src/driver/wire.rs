//! A connection's socket, written to by the thread of the connection and by threads that run code.
//!
//! Waking the thread of the connection for one small frame takes longer than sending it. So where the
//! node told little, and few runs go on at once, whoever has something to tell sends it; where it
//! told much, the thread of the connection collects what many runs say into few frames.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::{Sink, Stream};
use tokio_tungstenite::tungstenite::protocol::frame::Utf8Bytes;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::upgrade::Socket;
use crate::session::Frames;

/// Up to so many bytes at once the node told little: the ends of some five steps.
const LITTLE_BYTES: usize = 512;

/// A socket that several threads write to; as a waker, it is woken when there is a frame to be sent.
pub(super) struct Wire {
    /// Gone once the connection has ended: a waker may be kept for longer.
    socket: Mutex<Option<Socket>>,
    frames: Frames,
    /// Wakes the thread of the connection.
    thread: Mutex<Waker>,
    told_little: AtomicBool,
}

impl Wire {
    pub(super) fn new(socket: Socket, frames: Frames) -> Arc<Self> {
        Arc::new(Self {
            socket: Mutex::new(Some(socket)),
            frames,
            thread: Mutex::new(Waker::noop().clone()),
            told_little: AtomicBool::new(false),
        })
    }

    /// Sets what wakes the thread of the connection.
    pub(super) fn set_thread(&self, waker: &Waker) {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner).clone_from(waker);
    }

    /// Notes how many bytes the node told since the thread of the connection last looked.
    pub(super) fn told(&self, bytes: usize) {
        self.told_little.store(bytes <= LITTLE_BYTES, Ordering::Relaxed);
    }

    /// Receives the next message.
    pub(super) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, Error>>> {
        let mut socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        socket.as_mut().map_or(Poll::Ready(None), |socket| Pin::new(socket).poll_next(cx))
    }

    /// Sends what waits, and is pending while the node does not take it.
    pub(super) fn poll_send(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let mut socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        socket.as_mut().map_or(Poll::Ready(Err(Error::ConnectionClosed)), |socket| {
            send(socket, &self.frames, cx)
        })
    }

    /// Ends the writing of others; returns the socket.
    pub(super) fn take(&self) -> Option<Socket> {
        self.socket.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Sends what waits, unless somebody else has the socket. Tells whether that was all.
    fn send_now(&self, thread: &Waker) -> bool {
        let mut socket = match self.socket.try_lock() {
            Ok(socket) => socket,
            Err(TryLockError::Poisoned(socket)) => socket.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        // What cannot be sent now is sent by the thread, which is woken when the socket has room; it
        // also meets the error that there may be.
        let mut cx = Context::from_waker(thread);
        socket.as_mut().is_some_and(|socket| {
            matches!(send(socket, &self.frames, &mut cx), Poll::Ready(Ok(())))
        })
    }
}

/// A frame is there to be sent.
impl Wake for Wire {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if !self.told_little.load(Ordering::Relaxed) || !self.send_now(&thread) {
            thread.wake();
        }
    }
}

/// Sends frames until there is none left. Frames are taken while the socket is held, so they leave
/// in the order in which they were made.
fn send(socket: &mut Socket, frames: &Frames, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
    let mut socket = Pin::new(socket);
    loop {
        match socket.as_mut().poll_ready(cx) {
            Poll::Ready(Ok(())) => {}
            other => return other,
        }
        let Some(frame) = frames.next() else { break };
        // The protocol is JSON, which is UTF-8.
        let text = Utf8Bytes::try_from(frame).map_err(|error| Error::Utf8(error.to_string()))?;
        socket.as_mut().start_send(Message::Text(text))?;
    }
    socket.poll_flush(cx)
}
