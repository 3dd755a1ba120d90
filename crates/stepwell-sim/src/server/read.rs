//! Reading all that the store holds.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;
use stepwell_store::query::{EventList, EventName, Filter, Queue};
use stepwell_store::{Error, Store};

use super::inbox::NAMESPACE;
use crate::history::{ReadBack, Sent};
use crate::program::Topic;

/// Reads every event with what it did.
fn events(store: &dyn Store) -> Result<Vec<Sent>, Error> {
    let mut found = Vec::new();
    for name in 0..Topic::ALL.0 {
        let topic = Topic { name, key: 0 };
        let event = EventName { namespace: NAMESPACE.into(), name: topic.event().into() };
        for place in store.events_list(&EventList::since(&event, Timestamp::MIN), None, ALL)? {
            let Some(known) = store.event(&place.id)? else { continue };
            let data: Data = serde_json::from_str(known.event.data.as_deref().unwrap_or(""))
                .map_err(|error| Error::Corrupt(error.to_string()))?;
            let did = store.did(&place.id, None, ALL)?;
            found.push(Sent {
                id: place.id.id,
                topic: Topic { name, key: data.key },
                accepted_at: known.event.accepted_at,
                routed: known.routed,
                woke: did.into_iter().filter_map(|did| Some((did.run, did.step?))).collect(),
            });
        }
    }
    found.sort_by_key(|event| event.accepted_at);
    Ok(found)
}

#[derive(Deserialize)]
struct Data {
    key: u64,
}

/// More than any simulation has.
const ALL: usize = 100_000;

/// Reads the journals of the given runs and copies, every index, and, where asked for, every row.
///
/// # Errors
/// Those of the store; a journal that cannot be read is no error.
pub(super) fn everything(
    store: &dyn Store,
    (runs, copies): (&BTreeSet<RunId>, &BTreeSet<RunId>),
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
    for copy in copies {
        if let Some(journal) = store.load(*copy)? {
            read.copies.push((*copy, Arc::from(journal)));
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
    read.events = events(store)?;
    read.inbox = store.inbox(None, ALL)?.iter().map(|message| message.id).collect();
    if rows {
        let filter = Filter { namespace: NAMESPACE.into(), limit: ALL, ..Filter::default() };
        let page = store.query(&filter, Duration::from_secs(1))?;
        read.rows = (!page.stale).then_some(page.runs);
    }
    Ok(read)
}
