//! Code sets search attributes (§9.4).

use stepwell_core::search::{self, Attributes, Change};

use super::cell::Cell;
use super::state::{Core, Out, Phase};
use crate::error::{Error, Result};

/// The search attributes of a run in this process.
#[derive(Debug, Default)]
pub(crate) struct Search {
    /// As the code sees them.
    pub(crate) all: Attributes,
    /// What this process has set, and tells again on a new connection.
    pub(crate) set: Change,
    /// What is still to be told.
    pub(crate) telling: Change,
}

impl Cell {
    pub(crate) fn set_search(&self, change: Change) -> Result<()> {
        let mut core = self.lock();
        if core.phase != Phase::Forward {
            return Ok(());
        }
        search::check(&core.search.all, &change).map_err(|why| Error::argument(why.to_string()))?;
        search::apply(&mut core.search.all, &change);
        core.search.set.extend(change.clone());
        core.search.telling.extend(change);
        // What a replay sets is told together with what follows it, so that no value goes back.
        if !core.is_replaying() {
            core.outbox.push_back(Out::Search);
        }
        drop(core);
        self.notify_from_code();
        Ok(())
    }

    /// Tells again what may not have arrived.
    pub(super) fn tell_search_again(core: &mut Core) {
        if !core.search.set.is_empty() {
            core.search.telling = core.search.set.clone();
            core.outbox.push_back(Out::Search);
        }
    }
}
