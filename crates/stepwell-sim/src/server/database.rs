//! The database that several nodes share, as the simulation sees it: its clock is true time.

use std::collections::BTreeMap;

use stepwell_core::time::Timestamp;
use stepwell_store::batch::Batch;
use stepwell_store::memory::{Seen, SharedMemory, Snapshot};
use stepwell_store::shared::MemberId;

use super::read;
use crate::clock::{MILLI, Micros, SECOND, Wall};
use crate::env::{Env, Event};
use crate::fault::Fault;
use crate::history::Fact;

/// How long nobody can join where another database took over, or it begins anew.
const DOWN: (Micros, Micros) = (10 * MILLI, 3 * SECOND);

/// The database, and what is under way to it.
pub(crate) struct Database {
    pub(super) memory: SharedMemory,
    /// Batches that were given to it, by member and by which of its batches each is.
    given: BTreeMap<(MemberId, u64), (u32, Batch)>,
    slow_until: Micros,
    pub(super) down_until: Micros,
    /// What is still held of activations before this is void.
    pub(super) void_until: Option<Timestamp>,
    standby: Option<(u32, Snapshot)>,
    standbys: u32,
}

/// Returns what the clock of the database shows.
fn clock(now: Micros) -> Timestamp {
    Timestamp::from_micros(Wall::default().at(now))
}

impl Database {
    /// Makes an empty one.
    pub(crate) fn new() -> Self {
        let memory = SharedMemory::new(clock(0));
        memory.seen();
        Self {
            memory,
            given: BTreeMap::new(),
            slow_until: 0,
            down_until: 0,
            void_until: None,
            standby: None,
            standbys: 0,
        }
    }

    /// Notes which batch a member gives.
    pub(super) fn gives(&mut self, member: (MemberId, u64), number: u32, batch: &Batch) {
        self.given.insert(member, (number, batch.clone()));
    }
}

impl Env {
    /// Returns the database, at the time that it is; what was late until now is done.
    pub(crate) fn database(&mut self) -> &mut Database {
        let now = clock(self.now);
        self.database.memory.set_time(now);
        self.note_seen();
        &mut self.database
    }

    /// Notes what happened in the database.
    pub(super) fn note_seen(&mut self) {
        for seen in self.database.memory.seen() {
            self.line(format_args!("database: {seen:?}"));
            if let Seen::Committed { member, n, .. } = &seen
                && let Some((number, batch)) = self.database.given.remove(&(*member, *n))
            {
                self.ledger.keeps(&batch);
                self.history.add(self.now, Fact::Durable { batch: number });
            }
            self.history.add(self.now, Fact::Seen(seen));
        }
    }

    /// Returns how long a statement takes one way.
    pub(super) fn database_delay(&mut self) -> Micros {
        let (least, most) = self.plan.shared.delay;
        if self.now < self.database.slow_until {
            return self.rng.spread(100 * MILLI, 5 * SECOND);
        }
        self.rng.spread(least, most)
    }

    /// Returns an instant of the database's time that comes within some seconds; it is looked at then.
    pub(crate) fn database_later(&mut self) -> Timestamp {
        let later = self.rng.spread(1, 8 * SECOND);
        self.after(later, Event::DatabaseMoves);
        clock(self.now + later)
    }

    /// The database does what it has to do by now.
    pub(crate) fn on_database(&mut self) {
        self.database();
    }

    /// The database gets slow for a while.
    pub(crate) fn slow_database(&mut self) {
        let time = self.rng.spread(100 * MILLI, 10 * SECOND);
        self.database.slow_until = self.now + time;
        self.fault_at(Fault::DatabaseSlow, None);
    }

    /// Lets the database be as quick as ever.
    pub(crate) fn heal_database(&mut self) {
        self.database.slow_until = 0;
        self.database.standby = None;
    }

    /// The database begins anew, or a standby takes over that has everything.
    pub(crate) fn restart_database(&mut self) {
        self.fault_at(Fault::DatabaseRestarted, None);
        self.database().memory.cut_all();
        self.take_down();
    }

    fn take_down(&mut self) {
        let time = self.rng.spread(DOWN.0, DOWN.1);
        self.database.down_until = self.now + time;
    }

    /// A standby stays behind from now on; it takes over a little later.
    pub(crate) fn leave_standby_behind(&mut self) {
        // That a store loses what it acknowledged is enough once.
        if self.database.standbys > 0 {
            return;
        }
        let snapshot = self.database().memory.snapshot();
        self.database.standbys += 1;
        let number = self.database.standbys;
        self.database.standby = Some((number, snapshot));
        self.fact(Fact::BackupBegun { backup: number });
        let time = self.rng.spread(MILLI, 3 * SECOND);
        self.after(time, Event::StandbyTakesOver);
    }

    /// The standby takes over that stayed behind. Tells whether there was one.
    pub(crate) fn take_over_by_standby(&mut self) -> bool {
        let Some((number, snapshot)) = self.database.standby.take() else { return false };
        self.fault_at(Fault::DatabaseFellBack, None);
        self.database();
        self.read_database(false);
        self.fact(Fact::ServerLost { backup: number });
        self.database.memory.fall_back(snapshot);
        self.database.given.clear();
        self.database.memory.seen();
        // No node's time was ahead of this.
        let void = clock(self.now + SECOND);
        self.database.void_until = Some(void);
        self.ledger.forget();
        let high_water = self.database.memory.look(|store| store.high_water());
        self.open_database(high_water.unwrap_or(Timestamp::MIN));
        self.read_database(true);
        self.take_down();
        true
    }

    /// Notes that there is a database. How long something takes is judged once nothing goes wrong any more.
    pub(crate) fn open_database(&mut self, high_water: Timestamp) {
        self.fact(Fact::Opened { high_water });
        self.fact(Fact::StoodStill);
    }

    /// Reads everything that the database holds.
    pub(crate) fn read_database(&mut self, rows: bool) {
        self.database();
        let Self { database, ledger, .. } = self;
        match database.memory.look(|store| read::everything(store, ledger.all(), rows)) {
            Ok(read) => {
                self.ledger.found(&read);
                self.fact(Fact::Read(Box::new(read)));
            }
            Err(error) => self.fact(Fact::Damaged(error.to_string())),
        }
    }
}
