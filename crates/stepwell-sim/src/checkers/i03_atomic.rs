//! I3: a transition is there whole or not at all: the batch in all its runs, the row, every index.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::summary::Summary;

use super::all::Found;
use super::story::{Reading, Story};
use crate::history::{Fact, Written};

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    batches(story, found);
    for reading in &story.readings {
        rows(reading, found);
        indexes(reading, found);
    }
}

/// A batch whose fate was open when the node went down is in all journals or in none.
fn batches(story: &Story<'_>, found: &mut Found) {
    let mut sizes: BTreeMap<RunId, usize> = BTreeMap::new();
    let mut open: BTreeMap<u32, &[Written]> = BTreeMap::new();
    // Only batches of new runs are refused and the node goes on.
    let mut refused: BTreeSet<RunId> = BTreeSet::new();
    for (at, fact) in story.facts {
        match fact {
            Fact::Given { batch, runs, .. } => {
                open.insert(*batch, runs);
            }
            Fact::Turned { batch } => {
                let runs = open.remove(batch).unwrap_or_default();
                let new = runs.iter().filter(|write| !sizes.contains_key(&write.run));
                refused.extend(new.map(|write| write.run));
            }
            Fact::Durable { batch } => {
                for write in open.remove(batch).unwrap_or_default() {
                    *sizes.entry(write.run).or_default() += write.records.len();
                }
            }
            Fact::Read(read) => {
                let journals: BTreeMap<_, _> =
                    read.journals.iter().map(|(run, journal)| (*run, journal.len())).collect();
                for (batch, runs) in std::mem::take(&mut open) {
                    judge((*at, batch), runs, &mut sizes, &journals, found);
                }
                for run in refused.iter().filter(|run| journals.contains_key(run)) {
                    found.add(*at, format!("{run} is there, and its start was refused"));
                }
                sizes.extend(journals);
            }
            _ => {}
        }
    }
}

fn judge(
    (at, batch): (u64, u32),
    runs: &[Written],
    sizes: &mut BTreeMap<RunId, usize>,
    journals: &BTreeMap<RunId, usize>,
    found: &mut Found,
) {
    let (mut there, mut missing) = (0, 0);
    for write in runs {
        let end = sizes.get(&write.run).copied().unwrap_or(0) + write.records.len();
        if journals.get(&write.run).is_some_and(|size| *size >= end) {
            there += 1;
        } else {
            missing += 1;
        }
    }
    if there > 0 && missing > 0 {
        let what = format!("batch {batch} is in {there} journals and missing in {missing}");
        found.add(at, what);
    }
    if missing == 0 {
        for write in runs {
            *sizes.entry(write.run).or_default() += write.records.len();
        }
    }
}

fn rows(reading: &Reading<'_>, found: &mut Found) {
    let Some(rows) = &reading.read.rows else { return };
    let stored: BTreeMap<RunId, &Summary> = rows.iter().map(|row| (row.id, row)).collect();
    for (run, derived) in &reading.rows {
        let Ok(derived) = derived else { continue };
        match stored.get(run) {
            None => found.add(reading.at, format!("{run} has a journal and no row")),
            Some(row) if **row != **derived => {
                let what = format!("{run}: the row {row:?} is not that of the journal {derived:?}");
                found.add(reading.at, what);
            }
            Some(_) => {}
        }
    }
    for run in stored.keys().filter(|run| !reading.rows.contains_key(run)) {
        found.add(reading.at, format!("{run} has a row and no journal"));
    }
}

fn indexes(reading: &Reading<'_>, found: &mut Found) {
    let rows: Vec<&Arc<Summary>> = reading.rows.values().flatten().collect();
    let sorted = |list: &mut Vec<_>| list.sort_unstable();
    let mut timers: Vec<_> = rows.iter().filter_map(|r| Some((r.timer_at?, r.id))).collect();
    let mut ready: Vec<_> = rows.iter().filter_map(|r| Some((r.ready_since?, r.id))).collect();
    sorted(&mut timers);
    sorted(&mut ready);
    let active: Vec<_> = rows.iter().filter(|r| r.active).map(|r| r.id).collect();
    let blocked: Vec<_> = rows.iter().filter(|r| r.blocked.is_some()).map(|r| r.id).collect();
    let mut compare = |what: &str, same: bool| {
        if !same {
            found.add(reading.at, format!("the index of {what} is not that of the journals"));
        }
    };
    compare("timers", timers == reading.read.timers);
    compare("runs that want a runner", ready == reading.read.ready);
    compare("runs that a runner holds", active == reading.read.active);
    compare("blocked runs", blocked == reading.read.blocked);
}

#[cfg(test)]
mod tests {
    use super::super::all::run;
    use super::super::testing::World;
    use super::*;

    #[test]
    fn rows_and_indexes_of_the_journals_pass() {
        assert_eq!(run(check, &World::whole().history), [""; 0]);
    }

    #[test]
    fn a_row_that_is_not_of_its_journal_is_refused() {
        let mut world = World::whole();
        world.last_read().rows.as_mut().unwrap()[0].steps += 1;
        assert!(run(check, &world.history)[0].contains("is not that of the journal"));
    }

    #[test]
    fn an_index_that_misses_a_run_is_refused() {
        let mut world = World::whole();
        let id = world.run;
        world.last_read().active.push(id);
        assert!(run(check, &world.history)[0].contains("the index of runs that a runner holds"));
    }

    #[test]
    fn half_a_batch_is_refused() {
        let mut world = World::whole();
        let other = RunId::from_u128(5);
        let at = world.place(|fact| matches!(fact, Fact::Given { .. }));
        let (_, Fact::Given { runs, .. }) = &mut world.history.facts[at] else { panic!() };
        let lost = Written { run: other, ..runs[0].clone() };
        runs.push(lost);
        world.history.facts.retain(|(_, fact)| !matches!(fact, Fact::Durable { batch: 1 }));
        assert!(run(check, &world.history)[0].contains("missing in 1"));
    }
}
