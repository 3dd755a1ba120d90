//! The database: its clock, its connections, and what befalls them.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::planted::{self, Plant};
use stepwell_core::time::Timestamp;

use super::joined::Joined;
use super::seen::Seen;
use super::tables::{Tables, Who};
use crate::error::Error;
use crate::shared::{Lease, MemberId};
use crate::store::Store;

/// How long a lease runs, unless another term is given.
const TERM: Duration = Duration::from_secs(3);

/// When connections are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum During {
    /// During the next commit.
    Commit,
    /// During the next commit or claim.
    Any,
}

/// What becomes of a statement whose connection is cut while it is under way. Who asked hears
/// [`Error::Unknown`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It never comes to the database.
    Lost,
    /// It is done.
    Done,
    /// It comes to the database at an instant of its time, and is checked then.
    Late(Timestamp),
    /// It is checked at once, and done at an instant of the database's time: until then it holds the
    /// row of its member, and who would end the member waits for it.
    Held(Timestamp),
}

/// All that is stored at one instant.
#[derive(Clone, Debug)]
pub struct Snapshot(Tables);

/// A database in memory that members join.
#[derive(Clone)]
pub struct SharedMemory {
    inner: Arc<Mutex<Database>>,
}

/// What is behind the lock.
pub(super) struct Database {
    pub(super) tables: Tables,
    pub(super) now: Timestamp,
    pub(super) term: Duration,
    /// Tells databases apart whose pasts differ.
    pub(super) system: u64,
    /// How often all connections were cut.
    pub(super) cuts: u64,
    /// When it was checked that who asked for what is being done is a member.
    pub(super) checked: Timestamp,
    late: Vec<Statement>,
    pub(super) strays: Vec<(MemberId, RunId)>,
}

/// A statement whose effect is still to come, and whom nobody listens to.
struct Statement {
    at: Timestamp,
    who: Who,
    /// When it was checked, where that is over.
    held: Option<Timestamp>,
    work: Work,
}

/// What a statement does, once it is checked.
pub(super) type Work = Box<dyn FnOnce(&mut Database) + Send>;

impl fmt::Debug for SharedMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = self.lock();
        let (now, members) = (database.now, &database.tables.members);
        f.debug_struct("SharedMemory").field("now", &now).field("members", members).finish()
    }
}

impl SharedMemory {
    /// Makes an empty one whose clock shows `now`.
    pub fn new(now: Timestamp) -> Self {
        let database = Database {
            tables: Tables::default(),
            now,
            term: TERM,
            system: 1,
            cuts: 0,
            checked: now,
            late: Vec::new(),
            strays: Vec::new(),
        };
        Self { inner: Arc::new(Mutex::new(database)) }
    }

    /// Sets how long leases run from now on; 3 s before.
    pub fn set_term(&self, term: Duration) {
        self.lock().term = term;
    }

    /// Joins as a new member; ends the one of the same name, once what it has under way is done.
    pub fn join(&self, node: &str, nonce: u64) -> Arc<Joined> {
        let mut database = self.lock();
        let (now, term) = (database.now, database.term);
        let same = database.tables.members.iter().filter(|(_, row)| *row.node == *node);
        let before: Vec<_> = same.map(|(member, _)| *member).collect();
        for member in before {
            database.end(member);
        }
        let until = now.after(term);
        let who = database.tables.join(node, nonce, now, until);
        let lease = Lease { member: who.member, now, until };
        Arc::new(Joined::new(self.clone(), who, lease, (database.system, database.cuts)))
    }

    /// Returns what its clock shows.
    pub fn now(&self) -> Timestamp {
        self.lock().now
    }

    /// Sets its clock, and does what was to be done late by then.
    pub fn set_time(&self, now: Timestamp) {
        let mut database = self.lock();
        let mut late = std::mem::take(&mut database.late);
        late.sort_by_key(|statement| statement.at);
        for statement in late {
            if statement.at <= now {
                database.now = database.now.max(statement.at);
                database.perform(statement);
            } else {
                database.late.push(statement);
            }
        }
        database.now = now;
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        let now = self.now().after(time);
        self.set_time(now);
    }

    /// Cuts every connection, as a restart does, or the failover to a standby that has everything.
    /// Nothing is under way any more.
    pub fn cut_all(&self) {
        let mut database = self.lock();
        database.cuts += 1;
        database.late.clear();
    }

    /// Returns all that is stored.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(Tables { seen: None, ..self.lock().tables.clone() })
    }

    /// Falls back to what was stored at an earlier instant, as the failover to a standby does that
    /// lags behind. Nobody who joined before is a member any more (I20).
    pub fn fall_back(&self, snapshot: Snapshot) {
        let mut database = self.lock();
        let seen = database.tables.seen.take();
        database.tables = Tables { seen, ..snapshot.0 };
        database.system += 1;
        database.cuts += 1;
        database.late.clear();
    }

    /// Begins to note what happens, and returns what happened since this was called last.
    pub fn seen(&self) -> Vec<Seen> {
        self.lock().tables.seen.replace(Vec::new()).unwrap_or_default()
    }

    /// Looks at what is stored, without being a member.
    pub fn look<T>(&self, look: impl FnOnce(&dyn Store) -> T) -> T {
        look(&self.lock().tables.store)
    }

    /// Returns when the next statement of those is done that are late.
    pub fn next_late(&self) -> Option<Timestamp> {
        self.lock().late.iter().map(|statement| statement.at).min()
    }

    /// Returns who tried to write of which run that was not its own. That is a fault of a node, and was refused.
    pub fn strays(&self) -> Vec<(MemberId, RunId)> {
        self.lock().strays.clone()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Database> {
        // What panics within leaves a statement half done, in a test or a simulation that fails.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Database {
    /// Ends a member, once what holds its row is done.
    pub(super) fn end(&mut self, member: MemberId) {
        let late = std::mem::take(&mut self.late);
        let waits = !planted::has(Plant::EndsUnderWrite);
        for statement in late {
            if waits && statement.held.is_some() && statement.who.member == member {
                self.perform(statement);
            } else {
                self.late.push(statement);
            }
        }
        self.tables.end(member, self.now);
    }

    /// Fails for who is not a member now.
    pub(super) fn fence(&mut self, who: Who) -> Result<(), Error> {
        self.checked = self.now;
        self.tables.fence(who, self.now).map(drop)
    }

    /// Lets a statement meet its fate, to which nobody listens.
    pub(super) fn cut_short(&mut self, who: Who, fate: Fate, work: Work) {
        let now = self.now;
        let statement = |at, held| Statement { at, who, held, work };
        match fate {
            Fate::Lost => {}
            Fate::Done => self.perform(statement(now, None)),
            Fate::Late(at) => self.late.push(statement(at, None)),
            Fate::Held(at) => {
                if self.fence(who).is_ok() {
                    self.late.push(statement(at, Some(now)));
                }
            }
        }
    }

    /// Does what was under way. What holds its member's row was checked before.
    fn perform(&mut self, statement: Statement) {
        if let Some(checked) = statement.held {
            self.checked = checked;
        } else if self.fence(statement.who).is_err() {
            return;
        }
        (statement.work)(self);
    }
}
