//! Clocks: true time, the clocks of processes, and engine time.

use std::time::Duration;

use stepwell_core::time::Timestamp;

/// True time, in microseconds since the simulation began. Nobody in the simulation can read it.
pub type Micros = u64;

/// One second, in microseconds.
pub const SECOND: Micros = 1_000_000;

/// One millisecond, in microseconds.
pub const MILLI: Micros = 1_000;

/// What wall clocks show when the simulation begins: 2026-11-21T00:00:00Z.
const WALL_ORIGIN: i64 = 1_795_219_200_000_000;

/// The monotonic clock of a process: it goes a little too fast or too slow.
#[derive(Clone, Copy, Debug)]
pub struct Monotonic {
    born: Micros,
    /// Millionths by which it is too fast.
    drift_ppm: i64,
}

/// What a monotonic clock shows when its process begins, in microseconds.
const MONOTONIC_ORIGIN: u64 = 3_600_000_000;

impl Monotonic {
    /// Makes the clock of a process that begins at `born`.
    pub fn new(born: Micros, drift_ppm: i64) -> Self {
        Self { born, drift_ppm }
    }

    /// Returns what it shows.
    pub fn at(&self, now: Micros) -> u64 {
        let passed = i128::from(now.saturating_sub(self.born));
        let shown = passed * (1_000_000 + i128::from(self.drift_ppm)) / 1_000_000;
        MONOTONIC_ORIGIN + u64::try_from(shown).unwrap_or(0)
    }

    /// Returns the first true time at which it shows `local` or more.
    pub fn when(&self, local: u64) -> Micros {
        let shown = i128::from(local.saturating_sub(MONOTONIC_ORIGIN));
        let passed = shown * 1_000_000 / (1_000_000 + i128::from(self.drift_ppm));
        let mut at = self.born + u64::try_from(passed).unwrap_or(0);
        while self.at(at) < local {
            at += 1;
        }
        at
    }
}

/// The wall clock of the node's machine, which people and daemons set.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wall {
    offset: i64,
}

impl Wall {
    /// Sets the clock forward or back.
    pub fn jump(&mut self, by: i64) {
        self.offset += by;
    }

    /// Returns what it shows.
    pub fn at(self, now: Micros) -> i64 {
        WALL_ORIGIN + i64::try_from(now).unwrap_or(i64::MAX / 2) + self.offset
    }
}

/// Engine time by the server's rule: follows the wall clock, never goes back, and goes at half speed
/// while it is ahead of the wall.
#[derive(Clone, Copy, Debug)]
pub struct Engine {
    monotonic: u64,
    /// In nanoseconds: at half speed, microseconds would round away between two close readings.
    nanos: i128,
}

impl Engine {
    /// Starts at the wall clock, or at `floor` where that is later.
    pub fn new(monotonic: u64, wall: i64, floor: Timestamp) -> Self {
        let nanos = i128::from(wall.max(floor.as_micros())) * 1_000;
        Self { monotonic, nanos }
    }

    /// Returns engine time at a reading of both clocks; never less than what it returned before.
    pub fn at(&mut self, monotonic: u64, wall: i64) -> Timestamp {
        let passed = i128::from(monotonic.saturating_sub(self.monotonic)) * 1_000;
        self.nanos = (i128::from(wall) * 1_000).max(self.nanos + passed / 2);
        self.monotonic = self.monotonic.max(monotonic);
        self.now()
    }

    /// Returns what it returned last.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_micros(i64::try_from(self.nanos / 1_000).unwrap_or(i64::MAX))
    }
}

/// Makes a duration from microseconds.
pub fn micros(duration: Duration) -> Micros {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drifting_clock_is_converted_both_ways() {
        for drift in [-10_000, 0, 10_000] {
            let clock = Monotonic::new(5_000, drift);
            for local in [MONOTONIC_ORIGIN, MONOTONIC_ORIGIN + 1, MONOTONIC_ORIGIN + 9_999_999] {
                let at = clock.when(local);
                assert!(clock.at(at) >= local && (at == 5_000 || clock.at(at - 1) < local));
            }
        }
    }

    #[test]
    fn engine_time_never_goes_back_and_goes_at_half_speed_when_ahead() {
        let mut wall = Wall::default();
        let mut engine = Engine::new(0, wall.at(0), Timestamp::MIN);
        let before = engine.at(SECOND, wall.at(SECOND));
        wall.jump(-3_600 * 1_000_000);
        let after = engine.at(3 * SECOND, wall.at(3 * SECOND));
        assert_eq!(after.since(before), Duration::from_secs(1));
    }
}
