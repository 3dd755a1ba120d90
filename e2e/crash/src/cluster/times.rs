//! How long it takes until runs go on.

use std::fmt;
use std::time::Duration;

/// Durations that were measured.
#[derive(Clone, Debug, Default)]
pub(super) struct Times(Vec<Duration>);

impl Times {
    pub(super) fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// Returns the least of them that at least so many of a hundred are no longer than; `None` where there are none.
    pub(super) fn part(&self, of_hundred: usize) -> Option<Duration> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * of_hundred).div_ceil(100);
        sorted.get(rank.saturating_sub(1)).copied()
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |of_hundred| self.part(of_hundred).unwrap_or_default().as_secs_f64();
        let (half, most, all) = (show(50), show(99), show(100));
        write!(f, "p50 {half:.2} s, p99 {most:.2} s, longest {all:.2} s, of {}", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_those_of_what_was_measured() {
        let mut times = Times::default();
        assert_eq!(times.part(50), None);
        for ms in (1..=200).rev() {
            times.add(Duration::from_millis(ms));
        }
        let part = |of_hundred| times.part(of_hundred).unwrap().as_millis();
        assert_eq!((part(50), part(99), part(100)), (100, 198, 200));
        assert_eq!(times.to_string(), "p50 0.10 s, p99 0.20 s, longest 0.20 s, of 200");
    }
}
