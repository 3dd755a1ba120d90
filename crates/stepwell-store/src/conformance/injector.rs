//! A store that fails, before or after doing the work.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::matching::Leaves;
use stepwell_core::time::Timestamp;
use stepwell_core::wait::Wait;

use crate::batch::{Batch, Workflow};
use crate::error::Error;
use crate::event::{Did, EventId, EventRetention, Known, Place};
use crate::inbox::{Message, MessageId};
use crate::query::{
    Counts, Cursor, Ends, EndsAsk, EventList, EventName, Filter, Key, OpenRuns, Page, Queue,
};
use crate::retention::{Deletion, RunRetention};
use crate::shared::Shared;
use crate::store::{Health, Position, Store};

/// How a commit fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done, and the answer is that this is not known.
    Before,
    /// All is done, and the answer is that this is not known.
    After,
    /// Nothing is done: the disk is full.
    DiskFull,
    /// Nothing is done: not now.
    Unavailable,
}

impl Fault {
    /// Every fault, in the order in which they are injected.
    pub const ALL: [Self; 4] = [Self::After, Self::Before, Self::DiskFull, Self::Unavailable];
}

/// Wraps a store; every so many commits one fails, with each fault in turn.
pub struct Injector<S: Store + ?Sized> {
    inner: Arc<S>,
    every: u64,
    commits: AtomicU64,
}

impl<S: Store + ?Sized> Injector<S> {
    /// Wraps a store of which each `every`-th commit fails; none, for 0.
    pub fn new(inner: Arc<S>, every: u64) -> Self {
        Self { inner, every, commits: AtomicU64::new(0) }
    }

    /// Returns the store inside.
    pub fn inner(&self) -> &Arc<S> {
        &self.inner
    }

    fn next(&self) -> Option<Fault> {
        let number = self.commits.fetch_add(1, Ordering::Relaxed) + 1;
        if self.every == 0 || !number.is_multiple_of(self.every) {
            return None;
        }
        let turn = number / self.every - 1;
        Fault::ALL.get(usize::try_from(turn).ok()? % Fault::ALL.len()).copied()
    }
}

impl<S: Store + ?Sized> Store for Injector<S> {
    fn commit(&self, batch: &Batch) -> Result<Position, Error> {
        match self.next() {
            None => self.inner.commit(batch),
            Some(Fault::Before) => Err(Error::Unknown("injected, before the work".into())),
            Some(Fault::After) => {
                self.inner.commit(batch)?;
                Err(Error::Unknown("injected, after the work".into()))
            }
            Some(Fault::DiskFull) => Err(Error::DiskFull { free: 0, reserve: 1 }),
            Some(Fault::Unavailable) => Err(Error::Unavailable("injected".into())),
        }
    }

    fn load(&self, run: RunId) -> Result<Option<Vec<u8>>, Error> {
        self.inner.load(run)
    }

    fn due(
        &self,
        until: Timestamp,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error> {
        self.inner.due(until, after, limit)
    }

    fn ready(
        &self,
        queue: &Queue,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error> {
        self.inner.ready(queue, after, limit)
    }

    fn active(&self, after: Option<RunId>, limit: usize) -> Result<Vec<RunId>, Error> {
        self.inner.active(after, limit)
    }

    fn blocked(
        &self,
        queue: &Queue,
        after: Option<RunId>,
        limit: usize,
    ) -> Result<Vec<RunId>, Error> {
        self.inner.blocked(queue, after, limit)
    }

    fn key(&self, key: &Key) -> Result<Option<RunId>, Error> {
        self.inner.key(key)
    }

    fn workflows(&self) -> Result<Vec<Workflow>, Error> {
        self.inner.workflows()
    }

    fn waits_for(
        &self,
        event: &EventName,
        leaves: &Leaves,
        after: Option<&Wait>,
        limit: usize,
    ) -> Result<Vec<Wait>, Error> {
        self.inner.waits_for(event, leaves, after, limit)
    }

    fn event(&self, id: &EventId) -> Result<Option<Known>, Error> {
        self.inner.event(id)
    }

    fn unrouted(&self, after: Option<&Place>, limit: usize) -> Result<Vec<Place>, Error> {
        self.inner.unrouted(after, limit)
    }

    fn did(&self, event: &EventId, after: Option<&Did>, limit: usize) -> Result<Vec<Did>, Error> {
        self.inner.did(event, after, limit)
    }

    fn inbox(&self, after: Option<&MessageId>, limit: usize) -> Result<Vec<Arc<Message>>, Error> {
        self.inner.inbox(after, limit)
    }

    fn purge_events(&self, retention: EventRetention, limit: usize) -> Result<usize, Error> {
        self.inner.purge_events(retention, limit)
    }

    fn query(&self, filter: &Filter, patience: Duration) -> Result<Page, Error> {
        self.inner.query(filter, patience)
    }

    fn counts(&self, filter: &Filter, patience: Duration) -> Result<Counts, Error> {
        self.inner.counts(filter, patience)
    }

    fn open_runs(&self, patience: Duration) -> Result<Vec<OpenRuns>, Error> {
        self.inner.open_runs(patience)
    }

    fn ends(&self, ask: &EndsAsk, patience: Duration) -> Result<Ends, Error> {
        self.inner.ends(ask, patience)
    }

    fn events_list(
        &self,
        list: &EventList,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Vec<Place>, Error> {
        self.inner.events_list(list, after, limit)
    }

    fn ended(
        &self,
        until: Timestamp,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error> {
        self.inner.ended(until, after, limit)
    }

    fn purge(&self, retention: &RunRetention, limit: usize) -> Result<usize, Error> {
        self.inner.purge(retention, limit)
    }

    fn delete(&self, namespace: &str, run: RunId) -> Result<Deletion, Error> {
        self.inner.delete(namespace, run)
    }

    fn high_water(&self) -> Result<Timestamp, Error> {
        self.inner.high_water()
    }

    fn health(&self) -> Health {
        self.inner.health()
    }

    fn shared(&self) -> Option<&dyn Shared> {
        self.inner.shared()
    }
}
