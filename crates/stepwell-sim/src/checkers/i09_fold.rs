//! I9: the state in memory is the fold of the journal: the row that the node gave with a run's last
//! records is the row that the journal gives.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::summary::Summary;

use super::all::Found;
use super::story::Story;
use crate::history::{Fact, Written};

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    let mut given: BTreeMap<u32, &[Written]> = BTreeMap::new();
    let mut rows: BTreeMap<RunId, &Arc<Summary>> = BTreeMap::new();
    let mut readings = story.readings.iter();
    for (at, fact) in story.facts {
        match fact {
            Fact::Given { batch, runs, .. } => {
                given.insert(*batch, runs);
            }
            Fact::Durable { batch } => {
                let runs = given.remove(batch).unwrap_or_default();
                rows.extend(runs.iter().map(|write| (write.run, &write.row)));
            }
            Fact::Read(_) => {
                let Some(reading) = readings.next() else { return };
                for (run, row) in std::mem::take(&mut rows) {
                    // A longer journal has a batch that was not acknowledged, and its row.
                    let Some(Ok(derived)) = reading.rows.get(&run) else { continue };
                    if derived.journal_bytes == row.journal_bytes && derived != row {
                        let what = format!("{run}: the node had {row:?}, the journal {derived:?}");
                        found.add(*at, what);
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::all::run;
    use super::super::testing::World;
    use super::*;

    #[test]
    fn a_row_that_the_journal_does_not_give_is_refused() {
        let mut world = World::whole();
        assert_eq!(run(check, &world.history), [""; 0]);
        for (_, fact) in &mut world.history.facts {
            if let Fact::Given { runs, .. } = fact {
                Arc::make_mut(&mut runs[0].row).steps_failed += 1;
            }
        }
        assert!(run(check, &world.history)[0].contains("the node had"));
    }
}
