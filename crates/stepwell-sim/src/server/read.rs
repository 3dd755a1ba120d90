//! Reading all that the store holds.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;
use stepwell_store::query::{Filter, Queue};
use stepwell_store::{Error, Store};

use super::inbox::NAMESPACE;
use crate::history::ReadBack;

/// More than any simulation has.
const ALL: usize = 100_000;

/// Reads the journals of the given runs, every index, and, where asked for, every row.
///
/// # Errors
/// Those of the store; a journal that cannot be read is no error.
pub(super) fn everything(
    store: &dyn Store,
    runs: &BTreeSet<RunId>,
    rows: bool,
) -> Result<ReadBack, Error> {
    let mut read = ReadBack::default();
    for run in runs {
        match store.load(*run) {
            Ok(Some(journal)) => read.journals.push((*run, Arc::from(journal))),
            Ok(None) => {}
            Err(Error::Quarantined { why, .. }) => read.unreadable.push((*run, why)),
            Err(error) => return Err(error),
        }
    }
    read.timers = store.due(Timestamp::MAX, None, ALL)?;
    read.active = store.active(None, ALL)?;
    for workflow in store.workflows()? {
        let (app, workflow) = (workflow.app, workflow.name);
        let queue = Queue { namespace: NAMESPACE.into(), app, workflow };
        read.ready.extend(store.ready(&queue, None, ALL)?);
        read.blocked.extend(store.blocked(&queue, None, ALL)?);
    }
    read.ready.sort_unstable();
    read.blocked.sort_unstable();
    read.inbox = store.inbox(None, ALL)?.iter().map(|message| message.id).collect();
    if rows {
        let filter = Filter { namespace: NAMESPACE.into(), limit: ALL, ..Filter::default() };
        let page = store.query(&filter, Duration::from_secs(1))?;
        read.rows = (!page.stale).then_some(page.runs);
    }
    Ok(read)
}
