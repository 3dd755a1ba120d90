//! How long to wait before trying a server again.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Doubles from the first pause to the longest, each between half and all of it, so that programs do not
/// all come back at the same instant.
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
    random: RandomState,
}

impl Backoff {
    pub(crate) fn between(first: Duration, longest: Duration) -> Self {
        Self { first, longest, next: first, random: RandomState::new() }
    }

    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }

    pub(crate) fn next(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(self.longest);
        let part = u32::try_from(self.random.hash_one(pause) % 1_000).unwrap_or(0);
        self.random = RandomState::new();
        pause / 2 + pause / 2 * part / 1_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_begin_anew() {
        let (first, longest) = (Duration::from_millis(50), Duration::from_secs(2));
        let mut backoff = Backoff::between(first, longest);
        for _ in 0..10 {
            assert!(backoff.next() <= longest);
        }
        assert!(backoff.next() >= longest / 2);
        backoff.reset();
        assert!(backoff.next() <= first);
    }
}
