//! The database, the nodes and the runners.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::database::Database;
use super::options::Options;
use super::proxy::Proxy;
use crate::client::{Api, Failure};
use crate::drive::{Cast, Desk, Places, Recipe, Slot, free_address, lock, runner, words};
use crate::error::Error;
use crate::ledger::{Pen, Target};

/// The app of all runs.
const APP: &str = "cluster";

/// How long a node has to serve, once it is started.
const READY: Duration = Duration::from_mins(1);

/// How long a node that is told to stop has for that.
const STOPPED: Duration = Duration::from_secs(30);

/// How long after an end of the database a node may give up: one that starts then finds none, and says so. Whoever
/// runs it starts it again.
const EXCUSED: Duration = Duration::from_secs(15);

/// A node, with what stands between it and the database.
pub(super) struct Node {
    /// Its name, as the database knows it.
    pub(super) name: String,
    pub(super) address: SocketAddr,
    pub(super) proxy: Proxy,
    slot: Mutex<Slot>,
    /// When the database was last ended.
    database_ended: Arc<Mutex<Option<Instant>>>,
}

/// All of it.
pub(super) struct Town {
    pub(super) desk: Desk,
    pub(super) database: Mutex<Database>,
    pub(super) nodes: Vec<Node>,
    runners: Mutex<Vec<Slot>>,
    stop: Arc<AtomicBool>,
    folder: Places,
    database_ended: Arc<Mutex<Option<Instant>>>,
}

impl Town {
    /// Starts everything, and waits until it is one.
    pub(super) fn open(
        options: &Options,
        places: &Places,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, Error> {
        let database = Database::begin()?;
        let database_ended = Arc::new(Mutex::new(None));
        let mut nodes = Vec::new();
        for number in 1..=options.nodes {
            nodes.push(node(places, number, (&database, &database_ended))?);
        }
        let addresses: Vec<SocketAddr> = nodes.iter().map(|node| node.address).collect();
        let cast = Cast {
            app: APP,
            runners: options.runners,
            slots: 32,
            threads: 2,
            forget: None,
            ttl_ms: 0,
        };
        let mut runners = Vec::new();
        for at in 1..=cast.runners {
            runners.push(Slot::start(runner(places, &cast, (at, &addresses)))?);
        }
        let pen = Pen::begin(&places.ledger(), &format!("{APP}-driver"));
        let pen = pen.map_err(Error::io("the ledger is begun"))?;
        let town = Self {
            desk: Desk { api: Api::at(addresses), app: APP, pen },
            database: Mutex::new(database),
            nodes,
            runners: Mutex::new(runners),
            stop,
            folder: places.clone(),
            database_ended,
        };
        town.await_nodes()?;
        town.desk.await_workflows(|| town.check())?;
        Ok(town)
    }

    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.address).collect()
    }

    pub(super) fn ledger(&self) -> PathBuf {
        self.folder.ledger()
    }

    /// Checks that no process has ended by itself and that no signal has come.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Error::Stopped);
        }
        self.nodes.iter().try_for_each(|node| node.check().map(drop))?;
        lock(&self.runners).iter_mut().try_for_each(Slot::check)
    }

    /// Waits until every node serves.
    pub(super) fn await_nodes(&self) -> Result<(), Error> {
        for node in &self.nodes {
            let api = Api::at(vec![node.address]);
            api.insist(&format!("{} was due", node.name), READY, |api| {
                self.check().map_err(Failure::Refused)?;
                api.serves()
            })?;
        }
        Ok(())
    }

    /// Kills the runner of a number, and starts another one at once.
    pub(super) fn kill_runner(&self, which: u64) -> Result<(), Error> {
        let mut runners = lock(&self.runners);
        let at = usize::try_from(which % runners.len().max(1) as u64).unwrap_or_default();
        runners.get_mut(at).map_or(Ok(()), |slot| slot.kill_and_start(&self.desk.pen, || Ok(())))
    }

    /// Ends the database, and starts it again after a while.
    pub(super) fn end_database(&self, after: Duration) -> Result<(), Error> {
        *lock(&self.database_ended) = Some(Instant::now());
        lock(&self.database).end_and_begin(after)
    }

    /// Ends all processes, without a word in the ledger.
    pub(super) fn close(&self) {
        lock(&self.runners).clear();
        for node in &self.nodes {
            lock(&node.slot).end();
        }
    }
}

impl Node {
    /// Checks that it has not ended by itself.
    fn check(&self) -> Result<MutexGuard<'_, Slot>, Error> {
        let ended = *lock(&self.database_ended);
        let mut slot = lock(&self.slot);
        if ended.is_some_and(|ended| ended.elapsed() < EXCUSED) {
            slot.revive()?;
        } else {
            slot.check()?;
        }
        Ok(slot)
    }

    /// Kills it, and notes that.
    pub(super) fn kill(&self, pen: &Pen) -> Result<(), Error> {
        self.check()?.kill(pen)
    }

    /// Starts it again.
    pub(super) fn start(&self) -> Result<(), Error> {
        lock(&self.slot).start_again()
    }

    pub(super) fn signal(&self, signal: Signal) -> Result<(), Error> {
        self.check()?.signal(signal)
    }

    fn has_stopped(&self) -> Result<bool, Error> {
        let ended = *lock(&self.database_ended);
        match lock(&self.slot).has_stopped() {
            Err(Error::Ended { .. }) if ended.is_some_and(|ended| ended.elapsed() < EXCUSED) => {
                Ok(true)
            }
            stopped => stopped,
        }
    }

    /// Waits until it has stopped, and does something meanwhile.
    pub(super) fn await_end(
        &self,
        mut meanwhile: impl FnMut() -> Result<(), Error>,
    ) -> Result<(), Error> {
        let begun = Instant::now();
        while !self.has_stopped()? {
            meanwhile()?;
            if begun.elapsed() > STOPPED {
                let (what, last) = (format!("{} was to stop", self.name), "it runs".to_owned());
                return Err(Error::Late { what, after: STOPPED, last });
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

fn node(
    places: &Places,
    number: u64,
    (database, ended): (&Database, &Arc<Mutex<Option<Instant>>>),
) -> Result<Node, Error> {
    let (address, name) = (free_address()?, format!("node-{number}"));
    let proxy = Proxy::to(database.address())?;
    let store = database.url_by(proxy.address());
    let mut args = words(&["start", "--access", "loopback", "--listen", &address.to_string()]);
    // A run that waits leaves its runner soon, so that many replay. All else is as it comes.
    args.extend(words(&["--store", &store, "--node", &name, "--linger", "100ms"]));
    args.extend(words(&["--log-format", "text"]));
    let recipe = Recipe {
        name: format!("{APP}-{name}"),
        target: Target::Server,
        program: places.stepwell.clone(),
        args,
        name_flag: None,
        log: places.folder.join(format!("{APP}-{name}.log")),
    };
    let (slot, database_ended) = (Mutex::new(Slot::start(recipe)?), Arc::clone(ended));
    Ok(Node { name, address, proxy, slot, database_ended })
}
