//! When the node could work: it was there, did not stand still, and did not wait for a slow disk.

use std::collections::BTreeMap;

use crate::clock::{MILLI, Micros};
use crate::history::Fact;

/// Waiting so long for the store is part of working.
const QUICK: Micros = 100 * MILLI;

/// The lives of nodes, and what held them up.
#[derive(Debug, Default)]
pub(super) struct Uptime {
    /// From the opening of the store until the node was gone.
    lives: Vec<(Micros, Micros)>,
    /// When nothing could be done, in order, each apart from the next.
    stalls: Vec<(Micros, Micros)>,
}

impl Uptime {
    pub(super) fn of(facts: &[(Micros, Fact)]) -> Self {
        let mut up = Self::default();
        let (mut opened, mut still) = (None, None);
        let mut given: BTreeMap<u32, Micros> = BTreeMap::new();
        let mut last = 0;
        for (at, fact) in facts {
            last = last.max(*at);
            match fact {
                Fact::Opened { .. } => opened = Some(*at),
                Fact::StoodStill => still = Some(*at),
                Fact::WentOn => up.stalls.extend(still.take().map(|from| (from, *at))),
                Fact::Given { batch, .. } => drop(given.insert(*batch, *at)),
                Fact::Durable { batch } | Fact::Turned { batch } => {
                    up.waited(given.remove(batch), *at);
                }
                Fact::Down => {
                    up.lives.extend(opened.take().map(|from| (from, *at)));
                    up.stalls.extend(still.take().map(|from| (from, *at)));
                    for (_, from) in std::mem::take(&mut given) {
                        up.waited(Some(from), *at);
                    }
                }
                _ => {}
            }
        }
        up.lives.extend(opened.map(|from| (from, last)));
        up.merge();
        up
    }

    fn waited(&mut self, from: Option<Micros>, until: Micros) {
        self.stalls.extend(from.filter(|from| from + QUICK < until).map(|from| (from, until)));
    }

    fn merge(&mut self) {
        self.stalls.sort_unstable();
        let mut apart: Vec<(Micros, Micros)> = Vec::new();
        for (from, until) in std::mem::take(&mut self.stalls) {
            match apart.last_mut() {
                Some((_, end)) if from <= *end => *end = until.max(*end),
                _ => apart.push((from, until)),
            }
        }
        self.stalls = apart;
    }

    /// Returns how long one node could work between two instants. A node that begins has what the one
    /// before had in hand to do again, so the time of several is not added up.
    pub(super) fn worked(&self, from: Micros, until: Micros) -> Micros {
        let common =
            |(a, b): (Micros, Micros), (c, d): (Micros, Micros)| b.min(d).saturating_sub(a.max(c));
        let alone = |life: &(Micros, Micros)| {
            let span = (life.0.max(from), life.1.min(until));
            let stalled: Micros = self.stalls.iter().map(|stall| common(*stall, span)).sum();
            span.1.saturating_sub(span.0).saturating_sub(stalled)
        };
        self.lives.iter().map(alone).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use stepwell_core::time::Timestamp;

    use super::*;
    use crate::clock::SECOND;
    use crate::history::Node;

    fn given(batch: u32) -> Fact {
        Fact::Given { by: Node(0), batch, at: Timestamp::MIN, runs: Vec::new(), inbox: Vec::new() }
    }

    #[test]
    fn only_time_in_which_one_node_could_work_counts() {
        let opened = Fact::Opened { high_water: Timestamp::MIN };
        let facts = [
            (0, opened.clone()),
            (2, given(1)),
            (3, given(2)),
            (7, Fact::Durable { batch: 1 }),
            (8, Fact::Durable { batch: 2 }),
            (10, Fact::StoodStill),
            (12, Fact::WentOn),
            (13, given(3)),
            (20, Fact::Down),
            (25, opened),
            (30, Fact::Finished),
        ];
        let facts = facts.map(|(at, fact)| (at * SECOND, fact));
        let up = Uptime::of(&facts);
        let worked = |from, until| up.worked(from * SECOND, until * SECOND) / SECOND;
        assert_eq!(worked(0, 2), 2);
        assert_eq!(worked(0, 9), 3);
        assert_eq!(worked(0, 25), 5);
        assert_eq!(worked(12, 29), 4);
        assert_eq!(worked(20, 25), 0);
    }

    #[test]
    fn a_quick_disk_holds_up_nobody() {
        let opened = Fact::Opened { high_water: Timestamp::MIN };
        let facts =
            [(0, opened), (0, given(1)), (QUICK, Fact::Durable { batch: 1 }), (SECOND, Fact::Down)];
        assert_eq!(Uptime::of(&facts).worked(0, SECOND), SECOND);
    }
}
