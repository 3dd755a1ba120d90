//! Telling those who watch that something was observed: at once where it is the first for a while, else with what
//! comes after it. Events come by the thousand, and each hint takes the place of a change that is remembered.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Least time between two hints to those who watch a namespace.
const PERIOD: Duration = Duration::from_millis(100);

/// Of which namespaces is to be told.
#[derive(Debug, Default)]
pub(super) struct Hints {
    namespaces: BTreeSet<Arc<str>>,
    told_at: Option<Instant>,
}

impl Hints {
    /// Something was observed in a namespace.
    pub(super) fn add(&mut self, namespace: &Arc<str>) {
        if !self.namespaces.contains(namespace) {
            self.namespaces.insert(Arc::clone(namespace));
        }
    }

    /// Returns after how long is to be told; `None` where there is nothing to tell.
    pub(super) fn due_in(&self, now: Instant) -> Option<Duration> {
        if self.namespaces.is_empty() {
            return None;
        }
        let next = self.told_at.map_or(now, |told_at| told_at + PERIOD);
        Some(next.saturating_duration_since(now))
    }

    /// Returns those that are to be told of now.
    pub(super) fn take(&mut self, now: Instant) -> BTreeSet<Arc<str>> {
        if self.due_in(now) != Some(Duration::ZERO) {
            return BTreeSet::new();
        }
        self.told_at = Some(now);
        std::mem::take(&mut self.namespaces)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_at_once_and_the_rest_together() {
        let (mut hints, start) = (Hints::default(), Instant::now());
        let (ours, theirs): (Arc<str>, Arc<str>) = ("ours".into(), "theirs".into());
        assert_eq!(hints.due_in(start), None);
        hints.add(&ours);
        assert_eq!(hints.take(start), BTreeSet::from([Arc::clone(&ours)]));
        for _ in 0..3 {
            hints.add(&ours);
            hints.add(&theirs);
        }
        let soon = start + PERIOD / 4;
        assert!(hints.take(soon).is_empty());
        assert_eq!(hints.due_in(soon), Some(PERIOD * 3 / 4));
        assert_eq!(hints.take(start + PERIOD).len(), 2);
        assert_eq!(hints.due_in(start + PERIOD), None);
    }
}
