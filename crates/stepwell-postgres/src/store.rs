//! The store as every node asks it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use stepwell_core::id::RunId;
use stepwell_core::matching::Leaves;
use stepwell_core::time::Timestamp;
use stepwell_core::wait::Wait;
use stepwell_metrics::Histogram;
use stepwell_store::batch::{Batch, Workflow};
use stepwell_store::event::{Did, EventId, EventRetention, Known as KnownEvent, Place};
use stepwell_store::inbox::{Message, MessageId};
use stepwell_store::query::{
    Counts, Cursor, Ends, EndsAsk, EventList, EventName, Filter, Key, OpenRuns, Page, Queue,
};
use stepwell_store::retention::{Deletion, RunRetention};
use stepwell_store::shared::Shared;
use stepwell_store::{Error, Health, Position, Store};

use crate::error::no_connection;
use crate::lane::Lane;
use crate::member::{Me, locked};
use crate::migrate::migrate;
use crate::options::{Effort, Options};
use crate::read::{self, Journal};
use crate::server::{check, check_sessions};
use crate::session::{Purpose, Sessions};
use crate::write::{Commit, Known, commit};
use crate::{delete, member};

/// How often it is looked how large the tables are.
const SIZE_EVERY: Duration = Duration::from_mins(1);

/// A store on PostgreSQL, as one member of it.
///
/// Dropping it ends the membership, where the database can be reached.
pub struct Postgres {
    pub(crate) sessions: Sessions,
    pub(crate) me: Me,
    pub(crate) writer: Mutex<Writer>,
    effort: Effort,
    head: AtomicI64,
    syncs: Mutex<Histogram>,
    pub(crate) disk_bytes: AtomicU64,
    size_at: Mutex<Option<Instant>>,
    /// Runs whose journals are not what was written.
    pub(crate) damaged: Mutex<BTreeSet<RunId>>,
}

/// What a member writes with, one batch after the other.
pub(crate) struct Writer {
    pub(crate) lane: Lane,
    pub(crate) known: Known,
}

impl Postgres {
    /// Joins the store that is in a database, making it where there is none: as a new member, of the
    /// node with this name. Whoever was a member under this name is none any more.
    ///
    /// `nonce` is drawn at random by the caller, anew for each member.
    ///
    /// # Errors
    /// [`Error::Refused`] when the database cannot hold a store, or is not to be used so;
    /// [`Error::Format`] when a later version wrote what is there; [`Error::Unavailable`].
    pub fn join(options: &Options, node: &str, nonce: u128) -> Result<Self, Error> {
        let sessions = Sessions::start(options)?;
        let mut client = sessions.connect(Purpose::Write)?;
        let readers = sessions.readers();
        let (schema, lease) = (options.schema.clone(), options.lease);
        let name = node.to_owned();
        let (client, me) = sessions.line.wait(async move {
            check(&client).await?;
            let other = readers.get().await.map_err(|error| no_connection(&error))?;
            check_sessions(&client, &other).await?;
            migrate(&mut client, &schema).await?;
            let me = Me::join(&mut client, (&schema, &name, nonce), lease).await?;
            Ok::<_, Error>((client, me))
        })??;
        let writer = Writer { lane: Lane::new(client, options.lease), known: Known::default() };
        Ok(Self {
            head: AtomicI64::new(me.base),
            sessions,
            me,
            writer: Mutex::new(writer),
            effort: options.effort,
            syncs: Mutex::default(),
            disk_bytes: AtomicU64::new(0),
            size_at: Mutex::default(),
            damaged: Mutex::default(),
        })
    }

    fn position(&self) -> Position {
        Position(self.head.load(Ordering::Acquire).unsigned_abs())
    }

    /// Tells, once every so often, that it is time to look how large the tables are.
    pub(crate) fn is_size_old(&self) -> bool {
        let mut looked = locked(&self.size_at);
        let is_old = looked.is_none_or(|at| at.elapsed() > SIZE_EVERY);
        if is_old {
            *looked = Some(Instant::now());
        }
        is_old
    }

    pub(crate) fn left_out(&self) -> Vec<RunId> {
        locked(&self.damaged).iter().copied().collect()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // A member that is gone without a word is told by its lease.
        let _ = member::leave(self);
    }
}

impl Store for Postgres {
    fn commit(&self, batch: &Batch) -> Result<Position, Error> {
        let mut writer = locked(&self.writer);
        let Writer { lane, known } = &mut *writer;
        let head = self.head.load(Ordering::Acquire);
        let begun = Instant::now();
        let work = Commit { me: &self.me, head, batch };
        commit(&work, known, (lane, &self.sessions.line))?;
        locked(&self.syncs).observe(begun.elapsed());
        self.head.store(head + 1, Ordering::Release);
        Ok(self.position())
    }

    fn load(&self, run: RunId) -> Result<Option<Vec<u8>>, Error> {
        match read::journal(&self.sessions, run)? {
            Journal::Missing => Ok(None),
            Journal::Whole(journal) => Ok(Some(journal)),
            Journal::Damaged(why) => {
                locked(&self.damaged).insert(run);
                Err(Error::Quarantined { run, why })
            }
        }
    }

    fn due(
        &self,
        until: Timestamp,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error> {
        read::due(&self.sessions, until, (after, limit, &self.left_out()))
    }

    fn ready(
        &self,
        queue: &Queue,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error> {
        read::ready(&self.sessions, queue, (after, limit, &self.left_out()))
    }

    fn active(&self, after: Option<RunId>, limit: usize) -> Result<Vec<RunId>, Error> {
        read::active(&self.sessions, (after, limit, &self.left_out()))
    }

    fn blocked(
        &self,
        queue: &Queue,
        after: Option<RunId>,
        limit: usize,
    ) -> Result<Vec<RunId>, Error> {
        read::blocked(&self.sessions, queue, (after, limit, &self.left_out()))
    }

    fn key(&self, key: &Key) -> Result<Option<RunId>, Error> {
        read::key(&self.sessions, key)
    }

    fn workflows(&self) -> Result<Vec<Workflow>, Error> {
        read::workflows(&self.sessions)
    }

    fn waits_for(
        &self,
        event: &EventName,
        leaves: &Leaves,
        after: Option<&Wait>,
        limit: usize,
    ) -> Result<Vec<Wait>, Error> {
        read::waits_for(&self.sessions, event, leaves, (after, limit))
    }

    fn event(&self, id: &EventId) -> Result<Option<KnownEvent>, Error> {
        read::event(&self.sessions, id)
    }

    fn events_list(
        &self,
        list: &EventList,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Vec<Place>, Error> {
        read::events_list(&self.sessions, list, (after, limit))
    }

    fn unrouted(&self, after: Option<&Place>, limit: usize) -> Result<Vec<Place>, Error> {
        read::unrouted(&self.sessions, after, limit)
    }

    fn did(&self, event: &EventId, after: Option<&Did>, limit: usize) -> Result<Vec<Did>, Error> {
        read::did(&self.sessions, event, (after, limit))
    }

    fn inbox(&self, after: Option<&MessageId>, limit: usize) -> Result<Vec<Arc<Message>>, Error> {
        read::inbox(&self.sessions, after, limit)
    }

    fn purge_events(&self, retention: EventRetention, limit: usize) -> Result<usize, Error> {
        delete::purge_events(&self.sessions, retention, limit)
    }

    /// Never stale: what is durable is in the tables.
    fn query(&self, filter: &Filter, _patience: Duration) -> Result<Page, Error> {
        let position = self.position();
        let read::Found { runs, more, reached } = read::list(&self.sessions, filter, self.effort)?;
        Ok(Page { runs, more, reached, position, stale: false })
    }

    fn counts(&self, filter: &Filter, _patience: Duration) -> Result<Counts, Error> {
        let position = self.position();
        let counts = read::counts(&self.sessions, filter, self.effort)?;
        Ok(Counts { counts, position, stale: false })
    }

    fn open_runs(&self, _patience: Duration) -> Result<Vec<OpenRuns>, Error> {
        read::open_runs(&self.sessions)
    }

    fn ends(&self, ask: &EndsAsk, _patience: Duration) -> Result<Ends, Error> {
        let position = self.position();
        let minutes = read::ends(&self.sessions, ask)?;
        Ok(Ends { minutes, position, stale: false })
    }

    fn ended(
        &self,
        until: Timestamp,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error> {
        read::ended(&self.sessions, until, (after, limit))
    }

    fn purge(&self, retention: &RunRetention, limit: usize) -> Result<usize, Error> {
        self.is_one()?;
        delete::purge(&self.sessions, retention, limit)
    }

    fn delete(&self, namespace: &str, run: RunId) -> Result<Deletion, Error> {
        self.is_one()?;
        let deletion = delete::delete(&self.sessions, namespace, run)?;
        if deletion == Deletion::Done {
            locked(&self.damaged).remove(&run);
        }
        Ok(deletion)
    }

    fn high_water(&self) -> Result<Timestamp, Error> {
        read::high_water(&self.sessions)
    }

    fn health(&self) -> Health {
        let head = self.position();
        Health {
            head,
            folded: head,
            disk_bytes: self.disk_bytes.load(Ordering::Relaxed),
            syncs: locked(&self.syncs).clone(),
            ..Health::default()
        }
    }

    fn shared(&self) -> Option<&dyn Shared> {
        Some(self)
    }
}
