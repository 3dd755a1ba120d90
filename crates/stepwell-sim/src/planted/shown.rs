//! A store with a bug between it and its reader.

use std::sync::Arc;
use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::matching::Leaves;
use stepwell_core::record::{self, Record};
use stepwell_core::run::Run;
use stepwell_core::time::Timestamp;
use stepwell_core::wait::Wait;
use stepwell_store::batch::{Batch, Workflow};
use stepwell_store::event::{Did, EventId, EventRetention, Known, Place};
use stepwell_store::inbox::{Message, MessageId};
use stepwell_store::query::{
    Counts, Cursor, Ends, EndsAsk, EventList, EventName, Filter, Key, OpenRuns, Page, Queue,
};
use stepwell_store::retention::{Deletion, RunRetention};
use stepwell_store::shared::Shared;
use stepwell_store::{Error, Health, Position, Store};

use super::bug::What;

/// A store with a bug between it and its reader, or none.
pub(super) struct Shown {
    pub(super) store: Arc<dyn Store>,
    pub(super) what: What,
    /// It was opened before.
    pub(super) reopened: bool,
}

impl Store for Shown {
    fn commit(&self, batch: &Batch) -> Result<Position, Error> {
        if self.what == What::HalfBatches && batch.runs.len() > 2 {
            let half = Batch { runs: batch.runs[..1].to_vec(), ..batch.clone() };
            return self.store.commit(&half);
        }
        if self.what == What::InboxKept {
            return self.store.commit(&Batch { consumed: Vec::new(), ..batch.clone() });
        }
        self.store.commit(batch)
    }

    fn load(&self, run: RunId) -> Result<Option<Vec<u8>>, Error> {
        let mut journal = self.store.load(run)?;
        if self.what == What::TailCut
            && self.reopened
            && let Some(journal) = &mut journal
            && let Some(at) = journal.windows(2).rposition(|pair| pair == b",{")
        {
            journal.truncate(at + 1);
        }
        // A runner that holds the run knows better, and would quarrel with the node for ever.
        let parked = |journal: &Vec<u8>| {
            Run::replay(run, journal).is_ok_and(|run| run.activation().is_none())
        };
        if self.what == What::AttemptsLost && journal.as_ref().is_some_and(parked) {
            return Ok(journal.map(|journal| change(&journal, forget_attempts)));
        }
        Ok(journal)
    }

    fn due(
        &self,
        until: Timestamp,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error> {
        self.store.due(until, after, limit)
    }

    fn ready(
        &self,
        queue: &Queue,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error> {
        self.store.ready(queue, after, limit)
    }

    fn active(&self, after: Option<RunId>, limit: usize) -> Result<Vec<RunId>, Error> {
        self.store.active(after, limit)
    }

    fn blocked(
        &self,
        queue: &Queue,
        after: Option<RunId>,
        limit: usize,
    ) -> Result<Vec<RunId>, Error> {
        self.store.blocked(queue, after, limit)
    }

    fn key(&self, key: &Key) -> Result<Option<RunId>, Error> {
        if self.what == What::KeysForgotten { Ok(None) } else { self.store.key(key) }
    }

    fn workflows(&self) -> Result<Vec<Workflow>, Error> {
        self.store.workflows()
    }

    fn waits_for(
        &self,
        event: &EventName,
        leaves: &Leaves,
        after: Option<&Wait>,
        limit: usize,
    ) -> Result<Vec<Wait>, Error> {
        let waits = self.store.waits_for(event, leaves, after, limit)?;
        Ok(if self.what == What::WaitsUnseen { Vec::new() } else { waits })
    }

    fn event(&self, id: &EventId) -> Result<Option<Known>, Error> {
        self.store.event(id)
    }

    fn unrouted(&self, after: Option<&Place>, limit: usize) -> Result<Vec<Place>, Error> {
        self.store.unrouted(after, limit)
    }

    fn did(&self, event: &EventId, after: Option<&Did>, limit: usize) -> Result<Vec<Did>, Error> {
        self.store.did(event, after, limit)
    }

    fn inbox(&self, after: Option<&MessageId>, limit: usize) -> Result<Vec<Arc<Message>>, Error> {
        self.store.inbox(after, limit)
    }

    fn purge_events(&self, retention: EventRetention, limit: usize) -> Result<usize, Error> {
        self.store.purge_events(retention, limit)
    }

    fn query(&self, filter: &Filter, patience: Duration) -> Result<Page, Error> {
        self.store.query(filter, patience)
    }

    fn counts(&self, filter: &Filter, patience: Duration) -> Result<Counts, Error> {
        self.store.counts(filter, patience)
    }

    fn open_runs(&self, patience: Duration) -> Result<Vec<OpenRuns>, Error> {
        self.store.open_runs(patience)
    }

    fn ends(&self, ask: &EndsAsk, patience: Duration) -> Result<Ends, Error> {
        self.store.ends(ask, patience)
    }

    fn events_list(
        &self,
        list: &EventList,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Vec<Place>, Error> {
        if self.what == What::LooksLate {
            // Off by one instant in the code would be off by a second here: instants seldom meet.
            let list = EventList { from: list.from.after(Duration::from_secs(1)), ..list.clone() };
            return self.store.events_list(&list, after, limit);
        }
        self.store.events_list(list, after, limit)
    }

    fn ended(
        &self,
        until: Timestamp,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error> {
        self.store.ended(until, after, limit)
    }

    fn purge(&self, retention: &RunRetention, limit: usize) -> Result<usize, Error> {
        self.store.purge(retention, limit)
    }

    fn delete(&self, namespace: &str, run: RunId) -> Result<Deletion, Error> {
        self.store.delete(namespace, run)
    }

    fn high_water(&self) -> Result<Timestamp, Error> {
        self.store.high_water()
    }

    fn health(&self) -> Health {
        self.store.health()
    }

    fn shared(&self) -> Option<&dyn Shared> {
        self.store.shared()
    }
}

fn forget_attempts(record: &mut Record<'_>) {
    if let Record::AttemptFailed(failed) = record {
        // The journal keeps its length.
        failed.attempt.n = if failed.attempt.n < 10 { 0 } else { failed.attempt.n };
    }
}

/// Changes records of a journal.
fn change(journal: &[u8], change: impl Fn(&mut Record<'_>)) -> Vec<u8> {
    let mut changed = Vec::with_capacity(journal.len());
    for mut record in record::decode(journal).map_while(Result::ok) {
        change(&mut record);
        record.encode(&mut changed);
    }
    changed
}
