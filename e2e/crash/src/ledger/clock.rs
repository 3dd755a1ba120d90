//! When something happened, by two clocks.

use std::time::SystemTime;

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// An instant by the wall clock, for people, and by the monotonic clock of the machine, for order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stamp {
    /// Microseconds since 1970.
    pub wall_us: u64,
    /// Nanoseconds since the machine started; comparable between processes.
    pub mono_ns: u64,
}

impl Stamp {
    /// Reads both clocks.
    pub fn now() -> Self {
        let wall = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let mono = clock_gettime(ClockId::Monotonic);
        let seconds = u64::try_from(mono.tv_sec).unwrap_or_default();
        let nanos = u64::try_from(mono.tv_nsec).unwrap_or_default();
        Self {
            wall_us: u64::try_from(wall.as_micros()).unwrap_or(u64::MAX),
            mono_ns: seconds * 1_000_000_000 + nanos,
        }
    }
}
