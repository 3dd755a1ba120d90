//! What happens to events that do not arrive (§10.3).

use std::fmt;

/// Why events were not sent, or not yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendError {
    pub(super) kind: SendErrorKind,
    pub(super) message: String,
    pub(super) code: Option<String>,
    pub(super) events: usize,
    pub(super) is_final: bool,
}

/// What sort of error a [`SendError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SendErrorKind {
    /// The server cannot be reached, did not answer in time, or what answered is no server of ours.
    Unreachable,
    /// The server did not take a request, or an event of it; with the status of the answer.
    Refused(u16),
    /// There was no room: events came faster than they could be sent.
    Full,
    /// The client was shut down, or its thread could not begin.
    Stopped,
}

impl SendError {
    pub(super) fn new(kind: SendErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), code: None, events: 1, is_final: true }
    }

    pub(super) fn with_code(mut self, code: Option<&str>) -> Self {
        self.code = code.filter(|code| !code.is_empty()).map(ToOwned::to_owned);
        self
    }

    /// Says how many events it is about.
    pub(super) fn of(mut self, events: usize) -> Self {
        self.events = events;
        self
    }

    /// Says that they are tried again.
    pub(super) fn for_now(mut self) -> Self {
        self.is_final = false;
        self
    }

    /// Returns what sort of error it is.
    pub fn kind(&self) -> SendErrorKind {
        self.kind
    }

    /// Returns the stable code of the server's answer, such as `SW1010`.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Returns how many events it is about.
    pub fn events(&self) -> usize {
        self.events
    }

    /// Tells whether these events are lost. If not, they are tried again.
    pub fn is_dropped(&self) -> bool {
        self.is_final
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.events == 1 { "" } else { "s" };
        let then = if self.is_final { "" } else { "; they are tried again" };
        write!(f, "{} event{plural} of telemetry not sent: {}{then}", self.events, self.message)
    }
}

impl std::error::Error for SendError {}

/// What became of a client's events, counted since it was made.
///
/// What was recorded is sent, waits, or was dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Events that code told.
    pub recorded: u64,
    /// Events that the server has taken.
    pub sent: u64,
    /// Events that are waiting, or on their way.
    pub waiting: u64,
    /// Dropped, since there was no room.
    pub dropped_full: u64,
    /// Dropped, since the server did not take them.
    pub dropped_refused: u64,
    /// Dropped, since the server could not be reached for too long.
    pub dropped_unreachable: u64,
    /// Dropped, since they came after the shutdown, or were still waiting when its time was over.
    pub dropped_stopped: u64,
}

impl Stats {
    /// Returns how many events were dropped, whatever the reason.
    pub fn dropped(&self) -> u64 {
        self.dropped_full + self.dropped_refused + self.dropped_unreachable + self.dropped_stopped
    }
}
