//! Chance from a seed.

use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};

/// `SplitMix64`: the same seed gives the same numbers.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Begins with a seed.
    pub const fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// Begins with a seed that nobody can know, from the operating system.
    pub fn unknown() -> Self {
        Self(RandomState::new().hash_one(0))
    }

    /// Returns dice for a part of the work, which do not depend on how often these are thrown.
    #[must_use]
    pub fn part(&self, part: u64) -> Self {
        let mut dice = Self(self.0 ^ part.wrapping_mul(0xd6e8_feb8_6659_fd93));
        Self(dice.next())
    }

    /// Draws 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Draws a number of at least `from` and at most `to`.
    pub const fn within(&mut self, from: u64, to: u64) -> u64 {
        let span = to.saturating_sub(from).saturating_add(1);
        from + self.next() % span
    }

    /// Is true once in so many times.
    pub const fn one_in(&mut self, times: u64) -> bool {
        self.within(1, times) == 1
    }

    /// Draws a text of so many bytes.
    pub fn text(&mut self, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes + 16);
        while text.len() < bytes {
            let _ok = write!(text, "{:016x}", self.next());
        }
        text.truncate(bytes);
        text
    }
}
