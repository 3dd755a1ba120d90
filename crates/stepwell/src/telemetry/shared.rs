//! What handles of a client share with the thread that sends.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::error::{SendError, SendErrorKind};
use super::event::{About, Event, Ids};
use super::fault::{Stack, calm};
use super::metadata::Redaction;
use super::queue::{Queue, Taken};
use super::sender;
use super::single::Singles;
use crate::client::Http;

/// Hears of events that were not sent.
pub(super) type OnError = Arc<dyn Fn(&SendError) + Send + Sync>;

/// How events are sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// Longest time for a request.
    pub(super) request: Duration,
    /// For how long the events of a request are tried again.
    pub(super) retry: Duration,
    /// For how long a flush and a shutdown wait.
    pub(super) flush: Duration,
    /// For how long the last handle waits as it is dropped.
    pub(super) exit: Duration,
}

/// A client, as its handles and its thread see it.
pub(super) struct Shared {
    pub(super) http: Http,
    pub(super) times: Times,
    /// What stands in front of the events of each request.
    pub(super) head: Vec<u8>,
    pub(super) queue: Queue,
    pub(super) singles: Singles,
    pub(super) ids: Ids,
    pub(super) redaction: Redaction,
    pub(super) stack: Stack,
    pub(super) on_error: Option<OnError>,
    pub(super) is_started: AtomicBool,
    pub(super) over: Over,
}

/// Whether the thread has ended.
#[derive(Debug, Default)]
pub(super) struct Over {
    is: Mutex<bool>,
    changed: Condvar,
}

impl Over {
    pub(super) fn set(&self) {
        *self.is.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Waits until the thread has ended, or for so long.
    fn wait(&self, within: Duration) {
        let is = self.is.lock().unwrap_or_else(PoisonError::into_inner);
        // Which of the two it was makes no difference.
        drop(self.changed.wait_timeout_while(is, within, |is| !*is));
    }
}

impl Shared {
    /// Hands an event to the thread; one that finds no room is dropped and counted (§10.3).
    pub(super) fn push(self: &Arc<Self>, event: &Event<'_>, about: &About) -> Taken {
        let taken = self.queue.push(&event.encode(self.ids.next(), about));
        if !self.is_started.load(Ordering::Relaxed) {
            self.start();
        }
        taken
    }

    /// Starts the thread, unless it was.
    pub(super) fn start(self: &Arc<Self>) {
        if !self.is_started.swap(true, Ordering::AcqRel) {
            sender::start(self.clone());
        }
    }

    /// Tells of events that were not sent. What the program's function throws goes no further (§10.3).
    pub(super) fn report(&self, error: &SendError) {
        if let Some(on_error) = &self.on_error {
            calm(|| on_error(error));
        } else {
            tracing::debug!(target: "stepwell::telemetry", "{error}");
        }
    }

    /// Tells of events that found no room, if there are any.
    pub(super) fn report_drops(&self) {
        let events = self.queue.take_untold();
        if events > 0 {
            let text = "they came faster than they could be sent";
            self.report(&SendError::new(SendErrorKind::Full, text).of(events));
        }
    }

    /// Lets the thread send what it has, and waits for that as long as was said.
    pub(super) fn close(&self) {
        self.queue.close(self.times.flush);
        self.singles.close();
        if self.is_started.load(Ordering::Acquire) && !self.times.exit.is_zero() {
            self.over.wait(self.times.exit);
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("http", &self.http).finish_non_exhaustive()
    }
}
