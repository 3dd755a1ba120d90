//! The trait.

use std::sync::Arc;
use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::matching::Leaves;
use stepwell_core::time::Timestamp;
use stepwell_core::wait::Wait;
use stepwell_metrics::Histogram;

use crate::backup::InFolder;
use crate::batch::{Batch, Workflow};
use crate::error::Error;
use crate::event::{Did, EventId, EventRetention, Known, Place};
use crate::inbox::{Message, MessageId};
use crate::query::{
    Counts, Cursor, Ends, EndsAsk, EventList, EventName, Filter, Key, OpenRuns, Page, Queue,
};
use crate::retention::{Deletion, RunRetention};
use crate::shared::Shared;

/// How many batches a store has made durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

/// How a store is doing, for health checks, metrics and back-pressure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// The last durable batch.
    pub head: Position,
    /// The last batch that lists show.
    pub folded: Position,
    /// Age of the oldest batch that lists do not show yet.
    pub fold_lag: Duration,
    /// Bytes durable but not yet in tables; a restart reads them again.
    pub tail_bytes: u64,
    /// Bytes on disk in all; 0 for a store in memory.
    pub disk_bytes: u64,
    /// Bytes free on the disk, where that is known.
    pub disk_free: Option<u64>,
    /// With fewer bytes free it takes no new runs, where that is so.
    pub disk_reserve: Option<u64>,
    /// With more bytes in `tail_bytes` it takes no new runs, where that is so.
    pub tail_bytes_max: Option<u64>,
    /// How long syncs took since it was opened; empty for a store in memory.
    pub syncs: Histogram,
    /// Why the store takes no new runs, if it takes none.
    pub refuses_growth: Option<Error>,
}

/// Keeps the journals of runs. See the crate's page for what a store is and is not.
///
/// Calls may block. Reads show durable writes only, and every durable write (`load`, `due`, `ready`,
/// `active`, `key`, `workflows`, `waits_for`, `inbox`, and what is asked of events), with one exception: [`Store::query`] may lag behind and says so.
pub trait Store: Send + Sync {
    /// Makes a batch durable. On `Ok` every record in it survives any crash.
    ///
    /// # Errors
    /// [`Error::DiskFull`] or [`Error::Unavailable`]: nothing was written, and a batch that does not
    /// grow may still be taken. [`Error::Fenced`], [`Error::Unknown`] and [`Error::Poisoned`]: the
    /// caller drops what it knows and loads again.
    fn commit(&self, batch: &Batch) -> Result<Position, Error>;

    /// Returns a run's whole journal, or `None` for a run that is not stored.
    ///
    /// # Errors
    /// [`Error::Quarantined`] when the stored bytes are damaged; the run is then left out by
    /// [`Store::due`], [`Store::ready`], [`Store::active`] and [`Store::blocked`], and still listed
    /// by [`Store::query`]. [`Error::Unavailable`].
    fn load(&self, run: RunId) -> Result<Option<Vec<u8>>, Error>;

    /// Returns runs whose timer is due at or before `until`, in the order of (timer, run), after the
    /// cursor; at most `limit`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    fn due(
        &self,
        until: Timestamp,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error>;

    /// Returns runs of a workflow that want a runner, in the order of (ready since, run), after the
    /// cursor; at most `limit`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    fn ready(
        &self,
        queue: &Queue,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error>;

    /// Returns runs that a runner holds, in the order of their id, after the given one.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    fn active(&self, after: Option<RunId>, limit: usize) -> Result<Vec<RunId>, Error>;

    /// Returns runs of a workflow that are blocked, in the order of their id, after the given one.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    fn blocked(
        &self,
        queue: &Queue,
        after: Option<RunId>,
        limit: usize,
    ) -> Result<Vec<RunId>, Error>;

    /// Finds the run that an idempotency key started.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    fn key(&self, key: &Key) -> Result<Option<RunId>, Error>;

    /// Returns every workflow ever registered.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    fn workflows(&self) -> Result<Vec<Workflow>, Error>;

    /// Returns the waits for an event that are filed under these leaves, in their order, after the
    /// given one; at most `limit`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    fn waits_for(
        &self,
        event: &EventName,
        leaves: &Leaves,
        after: Option<&Wait>,
        limit: usize,
    ) -> Result<Vec<Wait>, Error>;

    /// Returns what is known of an event.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the stored event is damaged; [`Error::Unavailable`].
    fn event(&self, id: &EventId) -> Result<Option<Known>, Error>;

    /// Returns events of a namespace whose content is kept, in the order of (acceptance, id) or the
    /// other way round, behind the given one in that order; at most `limit`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    fn events_list(
        &self,
        list: &EventList,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Vec<Place>, Error>;

    /// Returns events of any namespace that have not done all that they do, in the order of
    /// (acceptance, namespace, id), after the given one; at most `limit`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    fn unrouted(&self, after: Option<&Place>, limit: usize) -> Result<Vec<Place>, Error>;

    /// Returns what an event did, in the order of (run, step), after the given one; at most `limit`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    fn did(&self, event: &EventId, after: Option<&Did>, limit: usize) -> Result<Vec<Did>, Error>;

    /// Returns messages that were not consumed, in the order of (receiver, sender, kind), after the
    /// given one; at most `limit`.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when a stored message is damaged; [`Error::Unavailable`].
    fn inbox(&self, after: Option<&MessageId>, limit: usize) -> Result<Vec<Arc<Message>>, Error>;

    /// Drops what of events is older than it is to be kept; of at most `limit` events, oldest first.
    /// Returns of how many. An event that is not routed stays.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    fn purge_events(&self, retention: EventRetention, limit: usize) -> Result<usize, Error>;

    /// Lists runs, newest first. Waits up to `patience` until it shows every write that was durable
    /// when it was asked, else the page is marked stale.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    fn query(&self, filter: &Filter, patience: Duration) -> Result<Page, Error>;

    /// Counts the runs of each status that a filter asks for; its statuses, cursor and limit are not
    /// looked at. Waits as [`Store::query`] does.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    fn counts(&self, filter: &Filter, patience: Duration) -> Result<Counts, Error>;

    /// Counts the runs that have not ended of every namespace, in the order of workflow and status; of the
    /// first [`OPEN_WORKFLOWS_MAX`](crate::query::OPEN_WORKFLOWS_MAX) workflows. Waits as
    /// [`Store::query`] does. The work is that of what is counted.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    fn open_runs(&self, patience: Duration) -> Result<Vec<OpenRuns>, Error>;

    /// Counts runs that ended, by the minute, the last to end first. Waits as [`Store::query`] does.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    fn ends(&self, ask: &EndsAsk, patience: Duration) -> Result<Ends, Error>;

    /// Returns runs of every namespace that ended before `until`, in the order of (end, run), after the cursor; at
    /// most `limit`. May lag behind as [`Store::query`] does, and then shows all that ended before some write and
    /// none after.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    fn ended(
        &self,
        until: Timestamp,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error>;

    /// Deletes runs that ended longer ago than they are kept, with their keys; at most `limit`. Returns
    /// how many. The work is that of what goes, whatever stays.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    fn purge(&self, retention: &RunRetention, limit: usize) -> Result<usize, Error>;

    /// Deletes a run of a namespace that has ended, with its journal, its key, and what events did to
    /// it; returns once that is durable. A run whose journal is damaged goes too.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    fn delete(&self, namespace: &str, run: RunId) -> Result<Deletion, Error>;

    /// Returns the greatest `at` of any durable batch, [`Timestamp::MIN`] before the first.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    fn high_water(&self) -> Result<Timestamp, Error>;

    /// Tells how the store is doing.
    fn health(&self) -> Health;

    /// Returns what the store can do as one that several nodes share; `None` where it has one node.
    fn shared(&self) -> Option<&dyn Shared> {
        None
    }

    /// Returns what the store can do as one in a folder; `None` where it is in none.
    fn in_folder(&self) -> Option<&dyn InFolder> {
        None
    }
}
