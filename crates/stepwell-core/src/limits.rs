//! What is bounded, and by how much (semantics §12).

use core::time::Duration;

use serde::{Deserialize, Serialize};

/// Bytes that a frame may have beyond one payload.
pub const FRAME_ROOM_BYTES: usize = 64 * 1024;

/// Bytes that a frame may have whatever the limit on payloads: a frame holds many small messages,
/// and the handshake a list.
pub const FRAME_BYTES_MIN: usize = 4 * 1024 * 1024;

/// Bytes of a history after which it is sent in a further chunk.
pub const CHUNK_BYTES: usize = 256 * 1024;

/// The limits of a node; every one is a setting, and these are the defaults of §12.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Limits {
    /// Largest input, output or metadata in bytes. Default 4 MiB.
    pub payload_bytes_max: usize,
    /// Most steps in a run, 1 to 100,000. Default 10,000.
    pub steps_max: u32,
    /// Most steps of a run in flight at once. Default 1,000.
    pub branches_max: u32,
    /// How deep children may be nested below a run that no run invoked. Default 32.
    pub nesting_max: u32,
    /// Largest journal of a run in bytes; beyond it the run is blocked. Default 64 MiB.
    pub journal_bytes_max: u64,
    /// Silence after which a runner's runs go to another, in milliseconds. Default 10,000.
    pub runner_ttl_ms: u64,
    /// Time that a waiting run stays with its runner after its last message, in milliseconds (§5.2).
    /// Default 1,000.
    pub linger_ms: u64,
    /// Time that functions in flight get once a run is ending, in milliseconds (§7.2).
    /// Default 30,000.
    pub grace_ms: u64,
    /// Time that the clean-up of a run gets, in milliseconds (§7.6). Default 86,400,000: a day.
    pub cleanup_ms: u64,
    /// Largest data, or `match`, of an event in bytes. Default 512 KiB.
    pub event_bytes_max: usize,
    /// How long events are kept, in milliseconds: no wait looks farther back (§8.4).
    /// Default 86,400,000: a day.
    pub event_kept_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            payload_bytes_max: 4 * 1024 * 1024,
            steps_max: 10_000,
            branches_max: 1_000,
            nesting_max: 32,
            journal_bytes_max: 64 * 1024 * 1024,
            runner_ttl_ms: 10_000,
            linger_ms: 1_000,
            grace_ms: 30_000,
            cleanup_ms: 24 * 60 * 60 * 1_000,
            event_bytes_max: 512 * 1024,
            event_kept_ms: 24 * 60 * 60 * 1_000,
        }
    }
}

impl Limits {
    /// Returns the largest frame of a runner in bytes: a payload, at least [`FRAME_BYTES_MIN`], and
    /// [`FRAME_ROOM_BYTES`].
    pub fn frame_bytes_max(&self) -> usize {
        self.payload_bytes_max.max(FRAME_BYTES_MIN) + FRAME_ROOM_BYTES
    }

    /// Returns [`Limits::runner_ttl_ms`] as a duration.
    pub fn runner_ttl(&self) -> Duration {
        Duration::from_millis(self.runner_ttl_ms)
    }

    /// Returns [`Limits::linger_ms`] as a duration.
    pub fn linger(&self) -> Duration {
        Duration::from_millis(self.linger_ms)
    }

    /// Returns [`Limits::grace_ms`] as a duration.
    pub fn grace(&self) -> Duration {
        Duration::from_millis(self.grace_ms)
    }

    /// Returns [`Limits::event_kept_ms`] as a duration.
    pub fn event_kept(&self) -> Duration {
        Duration::from_millis(self.event_kept_ms)
    }

    /// Returns [`Limits::cleanup_ms`] as a duration.
    pub fn cleanup(&self) -> Duration {
        Duration::from_millis(self.cleanup_ms)
    }
}
