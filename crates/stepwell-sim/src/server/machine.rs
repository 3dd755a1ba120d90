//! The machine that the node runs on: its disk, its tables, its clocks, and its processes.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Connection, OpenFlags};
use stepwell_core::time::Timestamp;
use stepwell_node::Stats;
use stepwell_sqlite::Place;

use super::backup::Backup;
use super::inbox::Item;
use super::life::{Halt, Life, note_failure};
use super::read;
use crate::clock::{MILLI, Micros, Monotonic, SECOND, Wall};
use crate::disk::{Loss, SimDisk};
use crate::env::{Env, Event};
use crate::fault::Fault;
use crate::history::{Answer, Fact, Node, Request};
use crate::net::Way;
use crate::planted::Bug;
use crate::rng::Rng;

/// Room on the disk, in bytes.
pub(super) const CAPACITY: u64 = 32 << 20;

/// Free space below which the store takes no new runs.
pub(super) const RESERVE: u64 = 64 << 10;

/// Tells apart the tables of simulations in one process.
static TABLES: AtomicU64 = AtomicU64::new(0);

/// The clocks of the machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clocks {
    pub(super) monotonic: Monotonic,
    pub(super) wall: Wall,
}

/// The machine that the node runs on.
pub(crate) struct Machine {
    pub(super) node: Node,
    pub(super) disk: SimDisk,
    pub(super) place: Place,
    /// Keeps the tables while no process has them open.
    pub(super) tables: Connection,
    /// Backups of the store, oldest first.
    pub(super) backups: Vec<Backup>,
    pub(super) backups_made: u32,
    /// How often the server was lost, and another begun with a backup.
    pub(super) restores: u128,
    /// The store was made of a backup, and nobody has let its runs go.
    pub(super) held: bool,
    pub(super) clocks: Clocks,
    pub(super) life: Option<Life>,
    /// The process stands still until then.
    pub(super) paused: Option<Micros>,
    /// How the life is over, once the time has passed that the last turn took.
    halting: Option<Halt>,
    /// What the node does is of a store that is gone.
    pub(super) left_behind: bool,
    pub(super) inbox: VecDeque<Item>,
    wake_at: Option<Micros>,
    busy_until: Micros,
    /// How many processes and openings there were.
    pub(super) begun: u32,
    pub(super) floor: Timestamp,
    pub(super) seed: u64,
    pub(super) rng: Rng,
    pub(super) bug: Bug,
}

/// The stream that the machine draws from.
const STREAM: u64 = 4;

/// The streams of two nodes are so far apart.
const NODES: u64 = 1_000;

/// Makes empty tables, which are there as long as the connection is.
pub(super) fn tables() -> rusqlite::Result<(Place, Connection)> {
    let number = TABLES.fetch_add(1, Ordering::Relaxed);
    let name = format!("sim-{}-{number}", std::process::id());
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_URI;
    let tables = Connection::open_with_flags(format!("file:/{name}?vfs=memdb"), flags)?;
    Ok((Place::Memory(name), tables))
}

impl Machine {
    /// Makes a machine with an empty disk.
    ///
    /// # Errors
    /// When SQLite gives no memory.
    pub(crate) fn new(node: Node, seed: u64, drift_ppm: i64, bug: Bug) -> rusqlite::Result<Self> {
        let (place, tables) = tables()?;
        let disk = SimDisk::new(Rng::new(seed, STREAM + 1), CAPACITY);
        disk.lies(bug.disk_lies());
        Ok(Self {
            node,
            disk,
            place,
            tables,
            backups: Vec::new(),
            backups_made: 0,
            restores: 0,
            held: false,
            clocks: Clocks { monotonic: Monotonic::new(0, drift_ppm), wall: Wall::default() },
            life: None,
            paused: None,
            halting: None,
            left_behind: false,
            inbox: VecDeque::new(),
            wake_at: None,
            busy_until: 0,
            begun: 0,
            floor: Timestamp::MIN,
            seed,
            rng: Rng::new(seed, STREAM + node.0 as u64 * NODES),
            bug,
        })
    }

    /// Returns which node it is.
    pub(crate) fn node(&self) -> Node {
        self.node
    }

    /// Tells whether it shares its store with others.
    pub(super) fn shares(&self) -> bool {
        self.life.as_ref().is_some_and(|life| life.standing.is_some())
    }

    /// Tells whether a node's process is there.
    pub(crate) fn is_up(&self) -> bool {
        self.life.is_some()
    }

    /// Tells whether the process stands still.
    pub(crate) fn is_paused(&self) -> bool {
        self.paused.is_some()
    }

    /// Returns the disk.
    pub(crate) fn disk(&self) -> &SimDisk {
        &self.disk
    }

    /// Returns the node's counters.
    pub(crate) fn stats(&self) -> Stats {
        self.life.as_ref().map(|life| life.node.stats()).unwrap_or_default()
    }

    /// Something came for the node.
    pub(crate) fn take(&mut self, item: Item, env: &mut Env) {
        if self.life.is_none() {
            return Self::turn_away(&item, env);
        }
        self.inbox.push_back(item);
        // A little later, so that what comes together is committed together.
        let gathers = self.rng.spread(1, 1_000);
        self.wake(env.now + gathers, env);
    }

    fn turn_away(item: &Item, env: &mut Env) {
        let delay = env.plan.delay(&mut env.rng);
        match item {
            Item::Reaches(session) => env.close(*session, Way::Down),
            Item::Asks(request, ..) => {
                env.after(delay, Event::Answered(*request, Box::new(Answer::Refused { code: "" })));
            }
            Item::Frame(..) | Item::Gone(_) | Item::GivesUp(_) | Item::Drain | Item::Hint => {}
        }
    }

    fn wake(&mut self, at: Micros, env: &mut Env) {
        let at = at.max(self.busy_until);
        if self.wake_at.is_none_or(|before| at < before) {
            self.wake_at = Some(at);
            env.at(at, Event::NodeWakes(self.node));
        }
    }

    /// The node looks at what came.
    pub(crate) fn on_wake(&mut self, env: &mut Env) {
        if self.wake_at == Some(env.now) {
            self.turn(env);
        }
    }

    /// The node handles what came, unless it stands still.
    pub(super) fn turn(&mut self, env: &mut Env) {
        self.wake_at = None;
        if self.paused.is_some() || self.halting.is_some() {
            return;
        }
        let Some(life) = self.life.as_mut().filter(|life| !life.is_blocked()) else { return };
        life.clocks = self.clocks;
        env.unheard = self.left_behind;
        let turned = life.turn(&mut self.inbox, env);
        env.unheard = false;
        self.finish(turned, env);
    }

    /// The store moves on.
    pub(crate) fn on_store_done(&mut self, number: u32, env: &mut Env) {
        if self.life.as_ref().is_none_or(|life| life.number != number) {
            return;
        }
        if self.paused.is_some() {
            return env.after(MILLI, Event::StoreDone(self.node, number));
        }
        if self.halting.is_some() {
            return;
        }
        let Some(life) = &mut self.life else { return };
        life.clocks = self.clocks;
        let shared = life.standing.is_some();
        env.unheard = self.left_behind;
        let done = if shared { life.database_moves(env) } else { life.store_moves(env) };
        env.unheard = false;
        self.finish(done, env);
    }

    /// Moves on after a turn: plans the next, or ends the life.
    pub(super) fn finish(&mut self, turned: Result<(), Halt>, env: &mut Env) {
        let lag = self.life.as_mut().map_or(0, |life| std::mem::take(&mut life.lag));
        self.busy_until = env.now + lag;
        match turned {
            Ok(()) => self.plan_next(env),
            Err(halt) if lag > 0 => {
                self.halting = Some(halt);
                env.at(self.busy_until, Event::NodeHalts(self.node));
            }
            Err(halt) => self.halt(halt, env),
        }
    }

    /// The time has passed that the last turn took.
    pub(crate) fn on_halt(&mut self, env: &mut Env) {
        if let Some(halt) = self.halting.take() {
            self.halt(halt, env);
        }
    }

    fn halt(&mut self, halt: Halt, env: &mut Env) {
        match halt {
            Halt::Ended => self.crash(Loss::None, Some(Fault::NodeKilled), env),
            Halt::Doubt(why) => {
                env.line(format_args!("the node doubts: {why}"));
                self.end_life(env);
                let pause = self.rng.spread(50 * MILLI, SECOND);
                env.after(pause, Event::NodeBegins(self.node));
            }
        }
    }

    fn plan_next(&mut self, env: &mut Env) {
        let Some(life) = self.life.as_mut().filter(|life| !life.is_blocked()) else { return };
        let now = life.now(env);
        let next = if life.again || !self.inbox.is_empty() {
            Some(1)
        } else {
            let until = |tick: Timestamp| crate::clock::micros(tick.since(now)).max(1);
            life.node.next_tick().map(until)
        };
        if let Some(delay) = next {
            self.wake(self.busy_until + delay.min(60 * SECOND), env);
        }
    }

    /// Lets go of the node and of everyone who is connected.
    pub(super) fn end_life(&mut self, env: &mut Env) {
        let Some(mut life) = self.life.take() else { return };
        self.floor = self.floor.max(life.now(env));
        Self::count(&life.node.stats(), env);
        if life.standing.is_none() {
            env.fact(Fact::Down);
        }
        for session in &life.sessions {
            env.close(*session, Way::Down);
        }
        let reached = self.inbox.drain(..).filter_map(|item| match item {
            Item::Asks(request, ..) => Some(request),
            Item::Reaches(session) => {
                env.close(session, Way::Down);
                None
            }
            _ => None,
        });
        let reached: Vec<Request> = reached.collect();
        for request in life.requests.iter().copied().chain(reached) {
            let delay = env.plan.delay(&mut env.rng);
            env.after(delay, Event::Answered(request, Box::new(Answer::Refused { code: "" })));
        }
        self.wake_at = None;
        self.busy_until = env.now;
        self.paused = None;
        self.halting = None;
    }

    /// Counts what the node was told.
    pub(crate) fn count(stats: &Stats, env: &mut Env) {
        env.commands += stats.activations + stats.losses + stats.timers_fired;
    }

    /// Ends the process, as a kill or a loss of power does, and lets the next one begin later.
    pub(crate) fn crash(&mut self, loss: Loss, fault: Option<Fault>, env: &mut Env) {
        env.line(format_args!("the node's process ends: {loss:?}"));
        // A kill is at times a loss of power that comes while a call is under way.
        let in_call = self.disk.has_ended();
        let (loss, fault) = match (loss, fault) {
            (Loss::None, Some(_)) if in_call => self.pending_loss(),
            other => other,
        };
        if let Some(fault) = fault {
            env.fault_at(fault, None);
        }
        self.end_life(env);
        self.disk.take_fired();
        self.disk.crash(loss);
        // A process that begins does not know what time the one before had.
        self.floor = Timestamp::MIN;
        let pause = self.rng.spread(5 * MILLI, 4 * SECOND);
        env.after(pause, Event::NodeBegins(self.node));
    }

    fn pending_loss(&mut self) -> (Loss, Option<Fault>) {
        match self.rng.weighed(&[2, 3, 3]) {
            0 => (Loss::None, Some(Fault::NodeKilled)),
            1 => (Loss::Sectors, Some(Fault::PowerLost)),
            _ => (Loss::Torn, Some(Fault::SectorTorn)),
        }
    }

    /// Kills the process after so many outputs.
    pub(crate) fn kill_after(&mut self, outputs: u32) {
        if let Some(life) = &mut self.life {
            life.dying = Some(outputs);
        }
    }

    /// Another store is in place of the one that the node knows.
    pub(crate) fn is_left_behind(&mut self) {
        self.left_behind = self.life.is_some();
    }

    /// Lets the process stand still.
    pub(crate) fn pause(&mut self, until: Micros, env: &mut Env) {
        self.paused = Some(until);
        if !self.shares() {
            env.fact(Fact::StoodStill);
        }
        env.at(until, Event::NodeGoesOn(self.node));
    }

    /// Lets the process go on, when its time has come.
    pub(crate) fn on_go_on(&mut self, env: &mut Env) {
        if self.paused == Some(env.now) {
            self.go_on(env);
        }
    }

    /// Lets the process go on, if it stands still.
    pub(crate) fn go_on(&mut self, env: &mut Env) {
        if self.paused.take().is_some() {
            if !self.shares() {
                env.fact(Fact::WentOn);
            }
            self.wake_at = None;
            self.wake(env.now + 1, env);
        }
    }

    /// Sets the wall clock.
    pub(crate) fn jump(&mut self, by: i64) {
        self.clocks.wall.jump(by);
    }

    /// Returns until when the process waits for its disk: what it then does is planned already.
    pub(crate) fn busy_until(&self, now: Micros) -> Option<Micros> {
        let store = self.life.as_ref().map_or(0, |life| life.store_until);
        let until = self.busy_until.max(store);
        (until > now).then_some(until + 1)
    }

    /// Tells whether a process is there that can be asked for something: it does not stand still, and does not
    /// wait for its disk. What a waiting one does next is planned already: nothing may end it before.
    pub(super) fn is_free(&self, now: Micros) -> bool {
        let still = self.paused.is_some() || self.halting.is_some();
        self.life.is_some() && !still && self.busy_until(now).is_none()
    }

    /// Stops in order: drains, closes the store, and begins again.
    pub(crate) fn stop(&mut self, env: &mut Env) {
        if let Some(until) = self.busy_until(env.now) {
            return env.at(until, Event::NodeStops(self.node));
        }
        self.leave(env);
        self.end_life(env);
        self.disk.crash(Loss::None);
        self.floor = Timestamp::MIN;
        env.after(20 * MILLI, Event::NodeBegins(self.node));
    }

    /// Folds some of the log into the tables.
    pub(crate) fn fold(&mut self, env: &mut Env) {
        if !self.is_free(env.now) {
            return;
        }
        let Some(life) = &mut self.life else { return };
        life.clocks = self.clocks;
        let now = life.now(env);
        let Some(store) = &life.embedded else { return };
        let folded = store.fold_once(now, self.rng.spread(500, 1 << 20));
        self.disk.take_latency();
        note_failure(&self.disk, env);
        if self.disk.has_ended() {
            return self.crash(Loss::None, Some(Fault::NodeKilled), env);
        }
        if let Err(error) = folded {
            env.line(format_args!("the fold failed: {error}"));
        }
    }

    /// Reads everything at the end, from the store as it is.
    pub(crate) fn read_all(&mut self, env: &mut Env) {
        let Some(life) = &self.life else { return };
        match read::everything(&*life.store, env.ledger.all(), true) {
            Ok(read) => env.fact(Fact::Read(Box::new(read))),
            Err(error) => env.fact(Fact::Damaged(error.to_string())),
        }
    }
}
