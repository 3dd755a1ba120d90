//! Instants of a runner's own clock, which nobody else reads.

use std::time::{Duration, Instant};

/// An instant of a monotonic clock: microseconds since an origin that the clock chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

impl Moment {
    /// The latest instant.
    pub const MAX: Self = Self(u64::MAX);

    /// Makes an instant from microseconds since the clock's origin.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Returns microseconds since the clock's origin.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Adds a duration, saturating at [`Moment::MAX`].
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(micros))
    }

    /// Subtracts a duration, stopping at the clock's origin.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_sub(micros))
    }

    /// Returns the time from `earlier` to this instant, zero if it lies ahead.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.micros_since(earlier))
    }

    pub(crate) const fn micros_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// What tells a runner the time. It never goes backwards.
pub trait Clock: Send + Sync {
    /// Returns the present instant.
    fn now(&self) -> Moment;
}

/// The clock of the operating system.
#[derive(Debug)]
pub(crate) struct Monotonic {
    origin: Instant,
}

impl Monotonic {
    pub(crate) fn new() -> Self {
        // An origin in the past leaves room for instants before the process began.
        let origin = Instant::now();
        Self { origin: origin.checked_sub(Duration::from_hours(1)).unwrap_or(origin) }
    }
}

impl Clock for Monotonic {
    fn now(&self) -> Moment {
        Moment::default().after(self.origin.elapsed())
    }
}
