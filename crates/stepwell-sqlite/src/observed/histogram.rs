//! How long calls took: counts in classes that grow with what they hold, from which what was counted can be
//! taken off again.

use std::collections::BTreeMap;
use std::time::Duration;

/// How many classes there are to each doubling, as a power of two: a class is a sixteenth wide, so its middle
/// is at most about 3 % away from what is in it.
const BITS: u32 = 4;

/// Returns the class of a duration.
pub(super) fn class(took: Duration) -> u16 {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let Some(doublings) = micros.checked_ilog2().filter(|doublings| *doublings >= BITS) else {
        return u16::try_from(micros).unwrap_or(u16::MAX);
    };
    let part = (micros >> (doublings - BITS)) & ((1 << BITS) - 1);
    let class = (u64::from(doublings - BITS + 1) << BITS) + part;
    u16::try_from(class).unwrap_or(u16::MAX)
}

/// Returns the middle of a class.
fn middle(class: u16) -> Duration {
    let (doubling, part) = (u32::from(class >> BITS), u64::from(class & ((1 << BITS) - 1)));
    let Some(shift) = doubling.checked_sub(1) else { return Duration::from_micros(part) };
    let least = ((1 << BITS) + part).checked_shl(shift).unwrap_or(u64::MAX);
    let width = 1_u64.checked_shl(shift).unwrap_or(u64::MAX);
    Duration::from_micros(least.saturating_add(width / 2))
}

/// Counts by class; there is none that is 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Histogram(BTreeMap<u16, u64>);

impl Histogram {
    /// Reads what [`Histogram::to_bytes`] wrote, up to where it is damaged.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let mut histogram = Self::default();
        histogram.add_bytes(bytes);
        histogram
    }

    /// Adds counts that were written.
    pub(super) fn add_bytes(&mut self, bytes: &[u8]) {
        let (mut rest, mut class) = (bytes, 0_u16);
        while let Some((step, count)) = number(&mut rest).zip(number(&mut rest)) {
            class = class.saturating_add(u16::try_from(step).unwrap_or(u16::MAX));
            *self.0.entry(class).or_default() += count;
        }
    }

    /// Adds to the count of a class, or takes off.
    pub(super) fn change(&mut self, class: u16, change: i64) {
        let count = self.0.entry(class).or_default();
        *count = count.saturating_add_signed(change);
        if *count == 0 {
            self.0.remove(&class);
        }
    }

    /// Writes for each class how far it is from the one before, and its count; numbers have seven bits a byte,
    /// the lowest first.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let (mut bytes, mut last) = (Vec::new(), 0);
        for (class, count) in &self.0 {
            put(&mut bytes, u64::from(class - last));
            put(&mut bytes, *count);
            last = *class;
        }
        bytes
    }

    /// Returns durations under which these shares of all are, in thousandths; `None` where there is nothing.
    pub(super) fn quantiles<const N: usize>(&self, shares: [u64; N]) -> Option<[Duration; N]> {
        let all: u64 = self.0.values().sum();
        (all > 0).then(|| shares.map(|share| self.quantile(all, share)))
    }

    fn quantile(&self, all: u64, share: u64) -> Duration {
        let wanted = all.saturating_mul(share).div_ceil(1_000).max(1);
        let mut seen = 0;
        let mut classes = self.0.iter();
        let found = classes.find(|(_, count)| {
            seen += **count;
            seen >= wanted
        });
        found.map_or(Duration::ZERO, |(class, _)| middle(*class))
    }
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).unwrap_or(0) | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap_or(0));
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, tail) = rest.split_first()?;
        *rest = tail;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The middle of a class is at most 5 % away from whatever is in it.
    #[test]
    fn a_class_is_narrow() {
        let mut last = 0;
        for micros in (0..5_000).chain((13..55).map(|bits| (1 << bits) - 1)) {
            let took = Duration::from_micros(micros);
            let found = class(took);
            assert!(found >= last, "{took:?} is of class {found}, less than {last}");
            last = found;
            let away = middle(found).abs_diff(took).as_secs_f64();
            assert!(away <= took.as_secs_f64() * 0.05, "{took:?}: {:?}", middle(found));
        }
        assert!(class(Duration::MAX) >= last);
    }

    #[test]
    fn quantiles_are_those_of_what_was_counted() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantiles([500]), None);
        for millis in 1..=1_000 {
            histogram.change(class(Duration::from_millis(millis)), 1);
        }
        let found = histogram.quantiles([500, 950, 990, 1_000]).unwrap();
        for (found, millis) in found.into_iter().zip([500.0, 950.0, 990.0, 1_000.0]) {
            let away = (found.as_secs_f64() * 1e3 - millis).abs() / millis;
            assert!(away < 0.05, "{found:?}, {millis} ms");
        }
    }

    #[test]
    fn what_is_taken_off_leaves_no_trace() {
        let mut histogram = Histogram::default();
        histogram.change(3, 2);
        let before = histogram.clone();
        histogram.change(300, 1_000);
        assert_eq!(Histogram::read(&histogram.to_bytes()), histogram);
        histogram.change(300, -1_000);
        assert_eq!(histogram, before);
        // More than there is cannot be taken off.
        histogram.change(3, -5);
        assert!(histogram.to_bytes().is_empty());
        let mut sum = before.clone();
        sum.add_bytes(&before.to_bytes());
        assert_eq!(sum.quantiles([1_000]), before.quantiles([1_000]));
        assert_ne!(sum, before);
    }
}
