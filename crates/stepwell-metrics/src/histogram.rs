//! Histograms of plain integers: an observation is a search among some bounds and two additions.

use std::time::Duration;

/// Most bounds of a scale.
const BOUNDS_MAX: usize = 16;

/// Where the buckets of a histogram end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// 0.1 ms to 5 s: writes and syncs.
    #[default]
    Short,
    /// 1 ms to 300 s: requests, steps, waits for a runner.
    Medium,
    /// 10 ms to 30 days: runs.
    Long,
    /// 1 to 4,096: numbers of things.
    Count,
}

impl Scale {
    /// The upper bounds, in microseconds or things.
    fn bounds(self) -> &'static [u64] {
        match self {
            Self::Short => &[
                100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000,
                500_000, 1_000_000, 2_500_000, 5_000_000,
            ],
            Self::Medium => &[
                1_000,
                2_500,
                5_000,
                10_000,
                25_000,
                50_000,
                100_000,
                250_000,
                500_000,
                1_000_000,
                2_500_000,
                5_000_000,
                10_000_000,
                30_000_000,
                60_000_000,
                300_000_000,
            ],
            Self::Long => &[
                10_000,
                50_000,
                100_000,
                500_000,
                1_000_000,
                5_000_000,
                10_000_000,
                30_000_000,
                60_000_000,
                300_000_000,
                900_000_000,
                3_600_000_000,
                21_600_000_000,
                86_400_000_000,
                604_800_000_000,
                2_592_000_000_000,
            ],
            Self::Count => &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096],
        }
    }

    /// How many of what is counted make one of what is shown.
    fn unit(self) -> f64 {
        match self {
            Self::Short | Self::Medium | Self::Long => 1e6,
            Self::Count => 1.0,
        }
    }
}

/// How many observations fell into which bucket, and their sum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    scale: Scale,
    /// The last one in use is of those over every bound.
    buckets: [u64; BOUNDS_MAX + 1],
    sum: u64,
}

impl Histogram {
    /// Makes an empty one.
    pub fn new(scale: Scale) -> Self {
        Self { scale, ..Self::default() }
    }

    /// Adds a time.
    pub fn observe(&mut self, time: Duration) {
        self.count(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// Adds a number of things; for times, of microseconds.
    pub fn count(&mut self, number: u64) {
        let place = self.scale.bounds().partition_point(|bound| *bound < number);
        if let Some(bucket) = self.buckets.get_mut(place) {
            *bucket += 1;
        }
        self.sum = self.sum.saturating_add(number);
    }

    /// Returns how many observations there were.
    pub fn total(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Returns the sum of all observations, in seconds or things.
    #[expect(clippy::cast_precision_loss, reason = "a metric is a float")]
    pub fn sum(&self) -> f64 {
        self.sum as f64 / self.scale.unit()
    }

    /// Returns the bounds, in seconds or things, each with how many observations were at most that.
    #[expect(clippy::cast_precision_loss, reason = "a metric is a float")]
    pub fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        let mut below = 0;
        self.scale.bounds().iter().zip(self.buckets).map(move |(bound, count)| {
            below += count;
            (*bound as f64 / self.scale.unit(), below)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_observation_is_in_every_bucket_that_it_fits() {
        let mut histogram = Histogram::new(Scale::Short);
        for micros in [100, 101, 5_000_001] {
            histogram.observe(Duration::from_micros(micros));
        }
        let first: Vec<_> = histogram.cumulative().take(2).collect();
        assert_eq!(first, [(0.0001, 1), (0.00025, 2)]);
        assert_eq!(histogram.cumulative().last(), Some((5.0, 2)));
        assert_eq!((histogram.total(), histogram.sum()), (3, 5.000_202));
    }

    #[test]
    fn bounds_rise_and_have_room() {
        for scale in [Scale::Short, Scale::Medium, Scale::Long, Scale::Count] {
            let bounds = scale.bounds();
            assert!(bounds.is_sorted() && bounds.len() <= BOUNDS_MAX, "{scale:?}");
            let mut histogram = Histogram::new(scale);
            histogram.count(u64::MAX);
            assert_eq!((histogram.total(), histogram.cumulative().last().unwrap().1), (1, 0));
        }
    }
}
