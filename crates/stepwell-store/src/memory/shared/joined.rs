//! What one member has of the database.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::matching::Leaves;
use stepwell_core::planted::{self, Plant};
use stepwell_core::time::Timestamp;
use stepwell_core::wait::Wait;

use super::commit::Refusal;
use super::database::{Database, During, Fate, SharedMemory};
use super::tables::Who;
use crate::batch::{Batch, Workflow};
use crate::error::Error;
use crate::event::{Did, EventId, EventRetention, Known, Place};
use crate::inbox::{Message, MessageId};
use crate::query::{
    Counts, Cursor, Ends, EndsAsk, EventList, EventName, Filter, Key, OpenRuns, Page, Queue,
};
use crate::retention::{Deletion, RunRetention};
use crate::shared::{Answer, Claim, Crew, Lease, Member, MemberId, Presence, Shared};
use crate::store::{Health, Position, Store};

/// What one member has of a [`SharedMemory`]: its connections, and what it counts.
#[derive(Debug)]
pub struct Joined {
    shared: SharedMemory,
    who: Who,
    /// Which database this joined, and how often its connections had been cut then.
    times: (u64, u64),
    own: Mutex<Own>,
    /// Held while a batch is committed: one follows the other.
    turn: Mutex<()>,
}

#[derive(Debug)]
struct Own {
    lease: Lease,
    head: u64,
    wire: Wire,
}

/// The member's connections.
#[derive(Clone, Copy, Debug)]
enum Wire {
    Whole,
    /// They are cut during the next statement of this kind.
    Breaks(During, Fate),
    Cut,
}

impl Joined {
    pub(super) fn new(shared: SharedMemory, who: Who, lease: Lease, times: (u64, u64)) -> Self {
        let own = Own { lease, head: 0, wire: Wire::Whole };
        Self { shared, who, times, own: Mutex::new(own), turn: Mutex::new(()) }
    }

    /// Returns which member this is.
    pub fn member(&self) -> MemberId {
        self.who.member
    }

    /// Returns how many batches it made durable, as far as it heard.
    pub fn head(&self) -> u64 {
        self.own().head
    }

    /// Returns the database.
    pub fn database(&self) -> &SharedMemory {
        &self.shared
    }

    /// Cuts the connections in the middle of a statement. Nothing comes through them after.
    pub fn cut(&self, during: During, fate: Fate) {
        self.own().wire = Wire::Breaks(during, fate);
    }

    /// Cuts the connections at once.
    pub fn cut_now(&self) {
        self.own().wire = Wire::Cut;
    }

    fn own(&self) -> MutexGuard<'_, Own> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Comes to the database, if the connections are whole.
    fn reach(&self) -> Result<MutexGuard<'_, Database>, Error> {
        let database = self.shared.lock();
        let (system, cuts) = self.times;
        let unseen = planted::has(Plant::LossUnseen);
        if database.system != system && !unseen {
            return Err(Error::Fenced);
        }
        if database.cuts != cuts && (database.system == system || !unseen)
            || matches!(self.own().wire, Wire::Cut)
        {
            return Err(Error::Unknown("the connection was cut".into()));
        }
        Ok(database)
    }

    /// Asks something that claims nothing. Nothing is lost with it where it fails.
    fn read<T>(&self, work: impl FnOnce(&Database) -> Result<T, Error>) -> Result<T, Error> {
        match self.reach() {
            Ok(database) => work(&database),
            Err(Error::Unknown(why)) => Err(Error::Unavailable(why)),
            Err(error) => Err(error),
        }
    }

    /// Asks or changes something as a member.
    fn act<T>(&self, work: impl FnOnce(&mut Database) -> Result<T, Error>) -> Result<T, Error> {
        let mut database = self.reach()?;
        database.fence(self.who)?;
        work(&mut database)
    }

    /// Commits or claims as a member; the connection may be cut meanwhile.
    fn write<T>(
        &self,
        kind: During,
        work: impl FnOnce(&mut Database) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let mut database = self.reach()?;
        let wire = self.own().wire;
        let fate = match wire {
            Wire::Breaks(during, fate) if during == kind || during == During::Any => fate,
            Wire::Breaks(..) | Wire::Whole | Wire::Cut => {
                database.fence(self.who)?;
                return work(&mut database);
            }
        };
        self.own().wire = Wire::Cut;
        // Nobody hears what becomes of it.
        let work = Box::new(move |database: &mut Database| drop(work(database)));
        database.cut_short(self.who, fate, work);
        Err(Error::Unknown("the connection was cut during the statement".into()))
    }
}

impl Store for Joined {
    fn commit(&self, batch: &Batch) -> Result<Position, Error> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let (who, n, batch) = (self.who, self.own().head + 1, batch.clone());
        let position = self.write(During::Commit, move |database| {
            let times = (database.now, database.checked);
            database.tables.commit(who, times, n, &batch).map_err(|refusal| match refusal {
                Refusal::Store(error) => error,
                Refusal::Stray(run) => {
                    database.strays.push((who.member, run));
                    Error::Fenced
                }
            })
        })?;
        self.own().head = n;
        Ok(position)
    }

    fn load(&self, run: RunId) -> Result<Option<Vec<u8>>, Error> {
        self.read(|database| database.tables.store.load(run))
    }

    fn due(
        &self,
        until: Timestamp,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error> {
        self.read(|database| database.tables.store.due(until, after, limit))
    }

    fn ready(
        &self,
        queue: &Queue,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error> {
        self.read(|database| database.tables.store.ready(queue, after, limit))
    }

    fn active(&self, after: Option<RunId>, limit: usize) -> Result<Vec<RunId>, Error> {
        self.read(|database| database.tables.store.active(after, limit))
    }

    fn blocked(
        &self,
        queue: &Queue,
        after: Option<RunId>,
        limit: usize,
    ) -> Result<Vec<RunId>, Error> {
        self.read(|database| database.tables.store.blocked(queue, after, limit))
    }

    fn key(&self, key: &Key) -> Result<Option<RunId>, Error> {
        self.read(|database| Ok(database.tables.keys.get(key).copied()))
    }

    fn workflows(&self) -> Result<Vec<Workflow>, Error> {
        self.read(|database| database.tables.store.workflows())
    }

    fn waits_for(
        &self,
        event: &EventName,
        leaves: &Leaves,
        after: Option<&Wait>,
        limit: usize,
    ) -> Result<Vec<Wait>, Error> {
        self.read(|database| database.tables.store.waits_for(event, leaves, after, limit))
    }

    fn event(&self, id: &EventId) -> Result<Option<Known>, Error> {
        self.read(|database| database.tables.store.event(id))
    }

    fn events_list(
        &self,
        list: &EventList,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Vec<Place>, Error> {
        self.read(|database| database.tables.store.events_list(list, after, limit))
    }

    fn unrouted(&self, after: Option<&Place>, limit: usize) -> Result<Vec<Place>, Error> {
        self.read(|database| database.tables.store.unrouted(after, limit))
    }

    fn did(&self, event: &EventId, after: Option<&Did>, limit: usize) -> Result<Vec<Did>, Error> {
        self.read(|database| database.tables.store.did(event, after, limit))
    }

    fn inbox(&self, after: Option<&MessageId>, limit: usize) -> Result<Vec<Arc<Message>>, Error> {
        self.read(|database| database.tables.store.inbox(after, limit))
    }

    fn purge_events(&self, retention: EventRetention, limit: usize) -> Result<usize, Error> {
        self.read(|database| database.tables.store.purge_events(retention, limit))
    }

    fn query(&self, filter: &Filter, patience: Duration) -> Result<Page, Error> {
        self.read(|database| database.tables.store.query(filter, patience))
    }

    fn counts(&self, filter: &Filter, patience: Duration) -> Result<Counts, Error> {
        self.read(|database| database.tables.store.counts(filter, patience))
    }

    fn open_runs(&self, patience: Duration) -> Result<Vec<OpenRuns>, Error> {
        self.read(|database| database.tables.store.open_runs(patience))
    }

    fn ends(&self, ask: &EndsAsk, patience: Duration) -> Result<Ends, Error> {
        self.read(|database| database.tables.store.ends(ask, patience))
    }

    fn ended(
        &self,
        until: Timestamp,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error> {
        self.read(|database| database.tables.store.ended(until, after, limit))
    }

    fn purge(&self, retention: &RunRetention, limit: usize) -> Result<usize, Error> {
        self.act(|database| {
            let purged = database.tables.store.purge(retention, limit)?;
            database.tables.sweep();
            Ok(purged)
        })
    }

    fn delete(&self, namespace: &str, run: RunId) -> Result<Deletion, Error> {
        self.act(|database| {
            let deletion = database.tables.store.delete(namespace, run)?;
            database.tables.sweep();
            Ok(deletion)
        })
    }

    fn high_water(&self) -> Result<Timestamp, Error> {
        self.read(|database| database.tables.store.high_water())
    }

    fn health(&self) -> Health {
        self.shared.lock().tables.store.health()
    }

    fn shared(&self) -> Option<&dyn Shared> {
        Some(self)
    }
}

impl Shared for Joined {
    fn lease(&self) -> Lease {
        self.own().lease
    }

    fn renew(&self) -> Result<Lease, Error> {
        let lease = self.act(|database| {
            let (now, term) = (database.now, database.term);
            database.tables.renew(self.who, now, term)
        })?;
        self.own().lease = lease;
        Ok(lease)
    }

    fn time(&self) -> Result<Timestamp, Error> {
        self.act(|database| Ok(database.now))
    }

    fn claim(&self, runs: &[RunId]) -> Result<Vec<Claim>, Error> {
        let (who, runs) = (self.who, runs.to_vec());
        self.write(During::Any, move |database| database.tables.claim(who, &runs))
    }

    fn claim_due(&self, until: Timestamp, limit: usize) -> Result<Vec<RunId>, Error> {
        let who = self.who;
        self.write(During::Any, move |database| Ok(database.tables.claim_due(who, until, limit)))
    }

    fn claim_ready(
        &self,
        queue: &Queue,
        crew: &Crew,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error> {
        let (who, queue, crew) = (self.who, queue.clone(), crew.clone());
        self.write(During::Any, move |database| {
            Ok(database.tables.claim_ready(who, &queue, &crew, limit))
        })
    }

    fn claim_unrouted(&self, limit: usize) -> Result<Vec<Place>, Error> {
        let who = self.who;
        self.write(During::Any, move |database| Ok(database.tables.claim_unrouted(who, limit)))
    }

    fn mail(&self, after: Option<&MessageId>, limit: usize) -> Result<Vec<Arc<Message>>, Error> {
        self.act(|database| Ok(database.tables.mail(self.who, after, limit)))
    }

    fn answers(&self, asks: &[RunId]) -> Result<Vec<Answer>, Error> {
        self.act(|database| Ok(database.tables.answers(asks)))
    }

    fn over(&self, runs: &[RunId]) -> Result<Vec<RunId>, Error> {
        self.act(|database| Ok(database.tables.over(runs)))
    }

    fn registered(&self, since: u64) -> Result<(u64, Vec<Workflow>), Error> {
        self.act(|database| database.tables.registered(since))
    }

    fn meet(&self, runners: &[Presence]) -> Result<Vec<Arc<str>>, Error> {
        self.act(|database| {
            let now = database.now;
            database.tables.meet(self.who, now, runners.to_vec())
        })
    }

    fn runners(&self) -> Result<Vec<(MemberId, Presence)>, Error> {
        self.act(|database| Ok(database.tables.runners(database.now)))
    }

    fn take_over(&self, grant: Duration, limit: usize) -> Result<usize, Error> {
        self.act(|database| {
            for member in database.tables.gone(database.now) {
                if !planted::has(Plant::TakenFromLiving) {
                    database.end(member);
                }
            }
            Ok(database.tables.free(database.now, grant, limit))
        })
    }

    fn tidy(&self, until: Timestamp, limit: usize) -> Result<usize, Error> {
        self.act(|database| Ok(database.tables.tidy(until, limit)))
    }

    fn leave(&self) -> Result<(), Error> {
        self.act(|database| {
            database.end(self.who.member);
            Ok(())
        })
    }

    fn members(&self) -> Result<Vec<Member>, Error> {
        self.act(|database| Ok(database.tables.list()))
    }
}
