//! Backups of the store, and a store that is made of one where the server is lost.
//!
//! Both are done as a server does them, but for the copying of files: what is copied goes to a disk in memory, and
//! it is not seen whether a folder of files is whole.

use std::cell::RefCell;
use std::sync::Arc;

use rusqlite::Connection;
use stepwell_core::time::Timestamp;
use stepwell_node::Input;
use stepwell_sqlite::Place;
use stepwell_sqlite::backup::{Origin, settle};
use stepwell_store::backup::{Go, InFolder as _};

use super::life::note_failure;
use super::machine::{CAPACITY, Machine, tables};
use super::read;
use crate::clock::{MILLI, SECOND};
use crate::disk::{Loss, SimDisk};
use crate::env::{Env, Event};
use crate::fault::Fault;
use crate::history::Fact;
use crate::rng::Rng;

/// A backup: a disk with a part of a log, and tables.
pub(super) struct Backup {
    number: u32,
    disk: SimDisk,
    place: Place,
    tables: Connection,
    origin: Origin,
}

/// The stream that disks of backups draw from, with the backup's number.
const STREAM: u64 = 100;

impl Machine {
    /// Returns how many backups there are.
    pub(crate) fn backups(&self) -> usize {
        self.backups.len()
    }

    /// Tells whether the store was made of a backup, and nobody has let its runs go.
    pub(crate) fn is_held(&self) -> bool {
        self.held
    }

    /// Makes a backup; what came for the node is handled meanwhile. Tells whether there was a server to ask.
    pub(crate) fn back_up(&mut self, env: &mut Env) -> bool {
        if !self.is_free(env.now) {
            return false;
        }
        let Some((life, store)) =
            self.life.as_ref().and_then(|l| Some((l.number, Arc::clone(l.embedded.as_ref()?))))
        else {
            return false;
        };
        // Without memory for tables there is no backup, and nothing else either.
        let Ok((place, tables)) = tables() else { return true };
        self.backups_made += 1;
        let number = self.backups_made;
        let disk = SimDisk::new(Rng::new(self.seed, STREAM + u64::from(number)), CAPACITY);
        let at = Timestamp::from_micros(self.clocks.wall.at(env.now));
        let begun = env.history.facts.len();
        let world = RefCell::new((&mut *self, &mut *env));
        let copied = store.copy_onto(&disk, &place, at, &|_| {
            let (machine, env) = &mut *world.borrow_mut();
            if machine.is_free(env.now) && !machine.inbox.is_empty() {
                machine.turn(env);
            }
            Go::On
        });
        let origin = match copied {
            Ok(origin) if self.life.as_ref().is_some_and(|one| one.number == life) => origin,
            Ok(_) => {
                env.line(format_args!("the process ended before backup {number} was whole"));
                return true;
            }
            Err(error) => {
                env.line(format_args!("backup {number} failed: {error}"));
                return true;
            }
        };
        env.line(format_args!("backup {number} is whole"));
        env.fault_at(Fault::BackupMade, None);
        let fact = (env.now, Fact::BackupBegun { backup: number });
        env.history.facts.insert(begun, fact);
        self.backups.push(Backup { number, disk, place, tables, origin });
        true
    }

    /// The server is lost with its disk, and another begins with the backup at a place. Tells whether there was a
    /// server to lose: it is one that works, so that it can be seen what it had.
    pub(crate) fn lose(&mut self, which: usize, env: &mut Env) -> bool {
        if !self.is_free(env.now) || which >= self.backups.len() {
            return false;
        }
        self.disk.disarm();
        let Some(life) = &self.life else { return false };
        // A store that does not know what is durable is opened again first.
        let Ok(read) = read::everything(&*life.store, env.ledger.all(), false) else {
            return false;
        };
        env.fact(Fact::Read(Box::new(read)));
        let Backup { number, disk, place, tables, origin } = self.backups.remove(which);
        env.line(format_args!("the server is lost, another begins with backup {number}"));
        env.fault_at(Fault::ServerLost, None);
        env.fact(Fact::ServerLost { backup: number });
        self.end_life(env);
        self.floor = Timestamp::MIN;
        env.ledger.forget();
        (self.disk, self.place, self.tables) = (disk, place, tables);
        self.disk.lies(self.bug.disk_lies());
        self.restores += 1;
        self.held = true;
        if let Err(error) = settle(&self.disk, &self.place, &origin, &self.options(env)) {
            env.fact(Fact::Damaged(error.to_string()));
        }
        self.disk.crash(Loss::None);
        self.disk.take_latency();
        let pause = self.rng.spread(5 * MILLI, 4 * SECOND);
        env.after(pause, Event::NodeBegins(self.node));
        true
    }

    /// Lets the runs of a restored store go. Tells whether that is done.
    pub(crate) fn let_go(&mut self, env: &mut Env) -> bool {
        if !self.is_free(env.now) {
            return false;
        }
        let Some(life) = &mut self.life else { return false };
        life.clocks = self.clocks;
        let Some(store) = &life.embedded else { return false };
        let done = store.let_go();
        life.lag += self.disk.take_latency();
        note_failure(&self.disk, env);
        if self.disk.has_ended() {
            self.crash(Loss::None, Some(Fault::NodeKilled), env);
            return false;
        }
        if let Err(error) = done {
            env.line(format_args!("the runs are not let go: {error}"));
            return false;
        }
        env.line(format_args!("the runs are let go"));
        self.held = false;
        life.held = false;
        env.fact(Fact::LetGo);
        life.tell(Input::LetGo, env);
        let settled = life.settle(env);
        self.finish(settled, env);
        true
    }
}
