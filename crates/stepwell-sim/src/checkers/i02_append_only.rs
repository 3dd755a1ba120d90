//! I2: a journal only grows: what was read is how every later reading begins.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwell_core::id::RunId;

use super::all::Found;
use super::story::Story;

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    let mut known: BTreeMap<RunId, &Arc<[u8]>> = BTreeMap::new();
    for reading in &story.readings {
        for (run, row) in &reading.rows {
            if let Err(why) = row {
                found.add(reading.at, format!("{run}: the journal does not replay: {why}"));
            }
        }
        for (run, journal) in &reading.read.journals {
            if let Some(before) = known.insert(*run, journal)
                && !journal.starts_with(before)
            {
                let sizes = (before.len(), journal.len());
                found.add(reading.at, format!("{run}: its journal was rewritten {sizes:?}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::all::run;
    use super::super::testing::{World, journal_of};
    use super::*;

    #[test]
    fn a_journal_that_grows_passes() {
        assert_eq!(run(check, &World::whole().history), [""; 0]);
    }

    #[test]
    fn a_journal_that_is_rewritten_is_refused() {
        let mut world = World::whole();
        world.read_again();
        let journal = journal_of(world.last_read());
        let text = String::from_utf8(journal.to_vec()).unwrap().replace("first", "other");
        *journal = Arc::from(text.as_bytes());
        assert!(run(check, &world.history)[0].contains("rewritten"));
    }

    #[test]
    fn a_journal_that_does_not_replay_is_refused() {
        let mut world = World::whole();
        let journal = journal_of(world.last_read());
        *journal = Arc::from(&journal[..journal.len() - 5]);
        assert!(run(check, &world.history)[0].contains("does not replay"));
    }
}
