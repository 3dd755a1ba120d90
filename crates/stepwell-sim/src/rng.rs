//! Randomness from the seed, in separate streams, so that a change in what one part draws does not
//! change what the others draw.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub(crate) struct Rng(ChaCha8Rng);

impl Rng {
    /// Makes the stream of a seed that belongs to one part of the simulation.
    pub(crate) fn new(seed: u64, part: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(part);
        Self(rng)
    }

    /// Returns 64 random bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Returns a number below `end`; 0 for an `end` of 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        let wide = u128::from(self.next()) * u128::from(end);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// Returns a number from `from` to `to`, both included.
    pub(crate) fn within(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to.saturating_sub(from) + 1)
    }

    /// Returns a number from `from` to `to` whose logarithm is spread evenly: mostly small, at times
    /// large.
    pub(crate) fn spread(&mut self, from: u64, to: u64) -> u64 {
        let (low, high) = (from.max(1), to.max(1));
        let doublings = u64::from(high.ilog2().saturating_sub(low.ilog2()));
        let low = low << self.within(0, doublings);
        self.within(low, low.saturating_mul(2)).clamp(from, to)
    }

    /// Returns a place in a list of `len`; 0 for an empty one.
    pub(crate) fn place(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    /// Is true in so many cases of a thousand.
    pub(crate) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// Returns one of a list.
    ///
    /// # Panics
    /// When the list is empty.
    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let place = self.place(list.len());
        &list[place]
    }

    /// Returns a place in a list of weights; the greater a weight, the likelier.
    pub(crate) fn weighed(&mut self, weights: &[u64]) -> usize {
        let mut at = self.below(weights.iter().sum());
        for (place, weight) in weights.iter().enumerate() {
            if at < *weight {
                return place;
            }
            at -= weight;
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_repeats_and_streams_differ() {
        let draw = |seed, part| {
            let mut rng = Rng::new(seed, part);
            [rng.next(), rng.below(10), rng.spread(1, 1_000)]
        };
        assert_eq!(draw(1, 1), draw(1, 1));
        assert_ne!(draw(1, 1), draw(1, 2));
        assert_ne!(draw(1, 1), draw(2, 1));
    }

    #[test]
    fn numbers_stay_in_their_bounds() {
        let mut rng = Rng::new(7, 0);
        for _ in 0..2_000 {
            assert!((3..=9).contains(&rng.within(3, 9)));
            assert!((5..=5_000).contains(&rng.spread(5, 5_000)));
            assert!(rng.weighed(&[0, 2, 1]) > 0);
        }
        assert!(!rng.chance(0) && rng.chance(1_000));
    }
}
