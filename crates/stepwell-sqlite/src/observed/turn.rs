//! The status of a run at any instant (§10.5): one until an instant, and another from then on.

use std::time::Duration;

use stepwell_core::time::Timestamp;
use stepwell_telemetry::row::Row;
use stepwell_telemetry::status::{Patience, RunStatus};

/// The smallest step of time.
const MICRO: Duration = Duration::from_micros(1);

/// When the status of a run turns, if nothing more is told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// Its status until then.
    pub(super) before: RunStatus,
    /// When it turns; [`Timestamp::MAX`] if never.
    pub(super) at: Timestamp,
    /// Its status from then on.
    pub(super) after: RunStatus,
}

impl Turn {
    /// Computes the turn of a row.
    pub(super) fn of(row: &Row, patience: Patience) -> Self {
        let at = match row.open_at {
            Some(open) => open.after(patience.stuck_after).after(MICRO),
            None if row.is_through => Timestamp::MAX,
            None => row.last_at.after(patience.quiet_after),
        };
        let before = patience.status(row, at.before(MICRO));
        Self { before, at, after: patience.status(row, at) }
    }

    /// Tells whether a run that has not ended ends then, or the other way round.
    pub(super) fn changes_end(self) -> bool {
        self.at < Timestamp::MAX && self.before.is_ended() != self.after.is_ended()
    }

    /// Returns the status at an instant.
    #[cfg(test)]
    fn at(self, now: Timestamp) -> RunStatus {
        if now < self.at { self.before } else { self.after }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(open_at: Option<i64>, is_through: bool, failed: u32) -> Row {
        Row {
            first_at: Timestamp::from_micros(0),
            last_at: Timestamp::from_micros(1_000),
            open_at: open_at.map(Timestamp::from_micros),
            is_through,
            events: 1,
            steps: 1,
            ended: 1,
            failed,
            attempts: 1,
            broken: None,
            strip: "c".into(),
            trace: None,
            metadata: None,
        }
    }

    /// §10.5: what the columns say of a run at any instant is what the rule says.
    #[test]
    fn a_status_follows_from_its_turn() {
        let micros = Duration::from_micros;
        let patience = [(500, 300), (300, 500), (0, 0), (u64::MAX, u64::MAX)];
        for (stuck_after, quiet_after) in patience.map(|(a, b)| (micros(a), micros(b))) {
            let patience = Patience { stuck_after, quiet_after };
            for open_at in [None, Some(0), Some(700), Some(1_000)] {
                for (is_through, failed) in [(false, 0), (false, 1), (true, 0), (true, 1)] {
                    let row = row(open_at, is_through, failed);
                    let turn = Turn::of(&row, patience);
                    for now in (0..3_000).map(Timestamp::from_micros) {
                        let place = format!("{row:?} {patience:?} {now:?}");
                        assert_eq!(turn.at(now), patience.status(&row, now), "{place}");
                    }
                }
            }
        }
    }
}
