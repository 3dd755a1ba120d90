//! Engine time: follows the wall clock, and never goes backwards.
//!
//! Timers are kept as instants of this clock, so it has to follow the wall (a machine that slept for
//! an hour wakes what was due meanwhile), and yet not go back when the wall does: an instant that was
//! written to a journal is never repeated. Ahead of the wall it goes at half speed until the wall has
//! caught up, so that durations stay right within a factor of two.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use stepwell_core::time::Timestamp;

/// What the clocks of the machine say at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// A clock that only goes forward and need not count suspended time.
    pub monotonic: Duration,
    /// Time since the Unix epoch, as set by people and daemons.
    pub wall: Duration,
}

/// Turns readings into engine time.
#[derive(Debug)]
pub struct Clock {
    last: Reading,
    /// In nanoseconds: at half speed, microseconds would round away between two close readings.
    engine_nanos: i128,
}

impl Clock {
    /// Starts at the wall clock, or at `high_water` where that is later: the greatest instant that
    /// was ever made durable (§4.9).
    pub fn new(now: Reading, high_water: Timestamp) -> Self {
        let floor = i128::from(high_water.as_micros()) * 1_000;
        Self { last: now, engine_nanos: nanos(now.wall).max(floor) }
    }

    /// Returns the engine time at a reading; never less than what it returned before.
    pub fn at(&mut self, now: Reading) -> Timestamp {
        let passed = nanos(now.monotonic.saturating_sub(self.last.monotonic));
        let wall = nanos(now.wall);
        self.engine_nanos = wall.max(self.engine_nanos + passed / 2);
        self.last = now;
        Timestamp::from_micros(i64::try_from(self.engine_nanos / 1_000).unwrap_or(i64::MAX))
    }
}

/// Reads the clocks of the machine.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    origin: Instant,
}

impl Machine {
    /// Counts monotonic time from now.
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }

    /// Reads both clocks. A wall clock before 1970 reads as 1970.
    pub fn read(&self) -> Reading {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Reading { monotonic: self.origin.elapsed(), wall }
    }
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

fn nanos(duration: Duration) -> i128 {
    i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;

    fn reading(monotonic_ms: u64, wall_ms: u64) -> Reading {
        Reading {
            monotonic: Duration::from_millis(monotonic_ms),
            wall: Duration::from_millis(wall_ms),
        }
    }

    /// Feeds readings (monotonic, wall) and compares the engine times, all in milliseconds.
    #[track_caller]
    fn check(start: (u64, u64), high_water_ms: i64, steps: &[(u64, u64, i64)]) {
        let mut clock =
            Clock::new(reading(start.0, start.1), Timestamp::from_millis(high_water_ms));
        for (monotonic, wall, engine) in steps {
            let found = clock.at(reading(*monotonic, *wall));
            assert_eq!(found.as_millis(), *engine, "at ({monotonic}, {wall})");
        }
    }

    #[test]
    fn follows_the_wall() {
        check((0, 1_000), 0, &[(0, 1_000, 1_000), (500, 1_500, 1_500), (900, 1_900, 1_900)]);
    }

    /// §3.5: times are engine time; a restart does not repeat instants that were written.
    #[test]
    fn starts_at_the_greatest_durable_instant() {
        check((0, 1_000), 5_000, &[(0, 1_000, 5_000), (1_000, 2_000, 5_500)]);
    }

    #[test]
    fn follows_a_jump_forward_such_as_a_suspend() {
        check((0, 0), 0, &[(10, HOUR, 3_600_000), (20, HOUR + 10, 3_600_010)]);
    }

    #[test]
    fn goes_at_half_speed_after_a_jump_back_and_never_backwards() {
        let back = [
            (0, 10_000, 10_000),
            (0, 9_000, 10_000),
            (1_000, 10_000, 10_500),
            (2_000, 11_000, 11_000),
            (3_000, 12_000, 12_000),
        ];
        check((0, 10_000), 0, &back);
    }

    #[test]
    fn half_speed_does_not_stall_between_close_readings() {
        let mut clock = Clock::new(reading(0, 0), Timestamp::from_millis(1_000));
        let mut last = Timestamp::MIN;
        for micros in 0..=100_000 {
            let now = Duration::from_micros(micros);
            let found = clock.at(Reading { monotonic: now, wall: now });
            assert!(found >= last);
            last = found;
        }
        assert_eq!(last.as_millis(), 1_050);
    }
}
