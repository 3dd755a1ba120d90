//! Events that somebody waits for: each is tried a few times, and its sender is told (§10.3).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, oneshot};

use super::error::{SendError, SendErrorKind};
use super::post::{Failed, Receipt, post};
use super::shared::Shared;

/// Most events of a request. As many refusals are listed in an answer, so that each is known.
const EVENTS_MAX: usize = 20;

/// Pauses between tries, and the longest that a server can ask for.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(500)];
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Most events that may wait.
const WAITING_MAX: usize = 10_000;

/// Events on their way from callers that wait.
#[derive(Debug, Default)]
pub(super) struct Singles {
    state: Mutex<State>,
    work: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Single>,
    is_closed: bool,
}

#[derive(Debug)]
struct Single {
    event: Vec<u8>,
    tell: oneshot::Sender<Result<(), SendError>>,
}

impl Singles {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands an event to the thread.
    fn push(&self, event: Vec<u8>) -> Result<oneshot::Receiver<Result<(), SendError>>, SendError> {
        let (tell, told) = oneshot::channel();
        let mut state = self.state();
        if state.is_closed {
            return Err(stopped());
        }
        if state.waiting.len() >= WAITING_MAX {
            let text = format!("{WAITING_MAX} events wait already");
            return Err(SendError::new(SendErrorKind::Full, text));
        }
        state.waiting.push_back(Single { event, tell });
        drop(state);
        self.work.notify_one();
        Ok(told)
    }

    fn take(&self) -> (Vec<Single>, bool) {
        let mut state = self.state();
        let count = state.waiting.len().min(EVENTS_MAX);
        (state.waiting.drain(..count).collect(), state.is_closed)
    }

    /// Sends what comes, until this is closed and empty.
    pub(super) async fn send(&self, shared: &Shared) {
        loop {
            let (singles, is_closed) = self.take();
            match (singles.is_empty(), is_closed) {
                (true, true) => return,
                (true, false) => self.work.notified().await,
                (false, _) => send(shared, singles).await,
            }
        }
    }

    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.work.notify_one();
    }

    /// Gives up what is there: whoever waits is told that nothing is sent any more.
    pub(super) fn abandon(&self) {
        let mut state = self.state();
        state.is_closed = true;
        state.waiting = VecDeque::new();
    }
}

fn stopped() -> SendError {
    SendError::new(SendErrorKind::Stopped, "the client was shut down")
}

/// Sends a body, and once more after each of the pauses while that is of use.
async fn try_each(shared: &Shared, body: Bytes) -> Result<Receipt, SendError> {
    for pause in PAUSES {
        match post(shared, body.clone()).await {
            Ok(receipt) => return Ok(receipt),
            Err(Failed::Never(error)) => return Err(error),
            Err(Failed::Again { pause: told, .. }) => {
                tokio::time::sleep(told.min(PAUSE_MAX).max(pause)).await;
            }
        }
    }
    post(shared, body).await.map_err(Failed::into_error)
}

async fn send(shared: &Shared, singles: Vec<Single>) {
    let mut body = shared.head.clone();
    for (at, single) in singles.iter().enumerate() {
        if at > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&single.event);
    }
    body.extend_from_slice(b"]}");
    let answer = try_each(shared, body.into()).await;
    for (at, single) in singles.into_iter().enumerate() {
        let result = match &answer {
            Ok(receipt) => {
                let refusal = receipt.refused.iter().find(|refusal| refusal.index == at);
                refusal.map_or(Ok(()), |refusal| Err(refusal.to_error()))
            }
            Err(error) => Err(error.clone()),
        };
        shared.queue.count(|stats| match &result {
            Ok(()) => stats.sent += 1,
            Err(error) if error.kind == SendErrorKind::Unreachable => {
                stats.dropped_unreachable += 1;
            }
            Err(_) => stats.dropped_refused += 1,
        });
        // Whoever waited may be gone.
        drop(single.tell.send(result));
    }
}

impl Shared {
    /// Sends an event at once, and waits until the server has taken it.
    pub(super) async fn send_now(self: &Arc<Self>, event: Vec<u8>) -> Result<(), SendError> {
        self.queue.count(|stats| stats.recorded += 1);
        let told = match self.singles.push(event) {
            Ok(told) => told,
            Err(error) => {
                self.queue.count(|stats| match error.kind {
                    SendErrorKind::Full => stats.dropped_full += 1,
                    _ => stats.dropped_stopped += 1,
                });
                return Err(error);
            }
        };
        self.start();
        told.await.unwrap_or_else(|_| {
            self.queue.count(|stats| stats.dropped_stopped += 1);
            Err(stopped())
        })
    }
}
