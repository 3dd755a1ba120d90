//! What statistics were told of steps that a run did not reach: kept with the run, to be taken off again when
//! it turns out that it has not ended.

use std::borrow::Cow;

use stepwell_core::time::Timestamp;
use stepwell_telemetry::tally::Undone;

/// Steps that an ended run did not do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Gaps<'a> {
    /// When it ended.
    pub(super) at: Timestamp,
    pub(super) missing: Vec<Cow<'a, str>>,
    pub(super) not_reached: Vec<Cow<'a, str>>,
}

impl<'a> Gaps<'a> {
    pub(super) fn of(at: Timestamp, undone: Undone<'a>) -> Self {
        let own = |steps: Vec<&'a str>| steps.into_iter().map(Cow::Borrowed).collect();
        Self { at, missing: own(undone.missing), not_reached: own(undone.not_reached) }
    }

    /// Returns the gaps as bytes; none where there is no gap. The instant stands first, then each step: `0` or
    /// `1` for one that was missing or not reached, the length of its key in two bytes, and the key.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let steps = [(0, &self.missing), (1, &self.not_reached)];
        if steps.iter().all(|(_, steps)| steps.is_empty()) {
            return Vec::new();
        }
        let mut bytes = self.at.as_micros().to_le_bytes().to_vec();
        for (kind, steps) in steps {
            for step in steps {
                // Keys have 200 characters at most.
                let len = u16::try_from(step.len()).unwrap_or(u16::MAX);
                bytes.push(kind);
                bytes.extend_from_slice(&len.to_le_bytes());
                bytes.extend_from_slice(&step.as_bytes()[..usize::from(len)]);
            }
        }
        bytes
    }

    /// Reads what [`Gaps::to_bytes`] wrote, up to where it is damaged.
    pub(super) fn read(bytes: &'a [u8]) -> Self {
        let mut gaps = Self::default();
        let Some((at, mut rest)) = bytes.split_first_chunk() else { return gaps };
        gaps.at = Timestamp::from_micros(i64::from_le_bytes(*at));
        while let Some(([kind, low, high], tail)) = rest.split_first_chunk() {
            let len = usize::from(u16::from_le_bytes([*low, *high]));
            let Some((step, tail)) = tail.split_at_checked(len) else { break };
            let steps = if *kind == 0 { &mut gaps.missing } else { &mut gaps.not_reached };
            steps.push(String::from_utf8_lossy(step));
            rest = tail;
        }
        gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let gaps = Gaps {
            at: Timestamp::from_micros(-7),
            missing: vec!["é".into(), "pack".into()],
            not_reached: vec!["ship".into()],
        };
        assert_eq!(Gaps::read(&gaps.to_bytes()), gaps);
        let none = Gaps { at: Timestamp::MAX, ..Gaps::default() };
        assert!(none.to_bytes().is_empty());
        assert_eq!(Gaps::read(&[]), Gaps::default());
    }
}
