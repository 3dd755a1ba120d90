//! A server with its runners, and the ledger.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::desk::Desk;
use super::forget::forget;
use super::slot::{Recipe, Slot};
use crate::client::Api;
use crate::error::Error;
use crate::ledger::{Pen, Target};

/// Where things are.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// The binary `stepwell`.
    pub(crate) stepwell: PathBuf,
    /// The binary `crash-runner`.
    pub(crate) runner: PathBuf,
    /// The folder of the test.
    pub(crate) folder: PathBuf,
}

impl Places {
    pub(crate) fn ledger(&self) -> PathBuf {
        self.folder.join("ledger")
    }
}

/// Runners of a stage.
#[derive(Clone, Debug)]
pub(crate) struct Cast {
    pub(crate) app: &'static str,
    pub(crate) runners: u64,
    pub(crate) slots: u32,
    pub(crate) threads: u32,
    /// How many bytes of its log the server forgets with each kill.
    pub(crate) forget: Option<usize>,
    /// Silence after which a runner's runs go to another, in milliseconds.
    pub(crate) ttl_ms: u64,
}

/// A server with its runners.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(super) desk: Desk,
    /// How many bytes of its log the server forgets with each kill.
    forget: Option<usize>,
    stop: Arc<AtomicBool>,
    stepwell: PathBuf,
    data: PathBuf,
    server: Mutex<Slot>,
    runners: Mutex<Vec<Slot>>,
}

impl Stage {
    /// Starts a server and runners, and waits until they know each other.
    pub(super) fn open(places: &Places, cast: &Cast, stop: Arc<AtomicBool>) -> Result<Self, Error> {
        let address = free_address()?;
        let data = places.folder.join(format!("{}.data", cast.app));
        let server = Slot::start(server(places, cast, (&data, address)))?;
        let mut runners = Vec::new();
        for at in 1..=cast.runners {
            runners.push(Slot::start(runner(places, cast, (at, &[address])))?);
        }
        let pen = Pen::begin(&places.ledger(), &format!("{}-driver", cast.app));
        let pen = pen.map_err(Error::io("the ledger is begun"))?;
        let stage = Self {
            desk: Desk { api: Api::at(vec![address]), app: cast.app, pen },
            forget: cast.forget,
            stop,
            stepwell: places.stepwell.clone(),
            data,
            server: Mutex::new(server),
            runners: Mutex::new(runners),
        };
        stage.desk.await_workflows(|| stage.check())?;
        Ok(stage)
    }

    /// Checks that no process has ended by itself and that no signal has come.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Error::Stopped);
        }
        lock(&self.server).check()?;
        lock(&self.runners).iter_mut().try_for_each(Slot::check)
    }

    /// Waits, and checks meanwhile.
    pub(super) fn wait_until(&self, at: Instant) -> Result<(), Error> {
        loop {
            self.check()?;
            let left = at.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(Duration::from_millis(100)));
        }
    }

    /// Kills the server, or the runner of a number, and starts another one at once.
    pub(super) fn kill(&self, target: Target, which: u64) -> Result<(), Error> {
        match target {
            Target::Server => lock(&self.server).kill_and_start(&self.desk.pen, || self.sabotage()),
            Target::Runner => {
                let mut runners = lock(&self.runners);
                let count = runners.len().max(1) as u64;
                let at = usize::try_from(which % count).unwrap_or_default();
                runners
                    .get_mut(at)
                    .map_or(Ok(()), |slot| slot.kill_and_start(&self.desk.pen, || Ok(())))
            }
        }
    }

    fn sabotage(&self) -> Result<(), Error> {
        let Some(bytes) = self.forget else { return Ok(()) };
        forget(&self.data, bytes).map_err(Error::io("the end of the log is erased"))
    }

    /// Kills everything and starts nothing again. The kill of the server counts.
    pub(super) fn close(&self) -> Result<(), Error> {
        lock(&self.runners).clear();
        lock(&self.server).kill(&self.desk.pen)
    }

    /// Has the data folder read whole and checked; returns what the check says.
    pub(super) fn examine(&self) -> Result<String, Error> {
        let mut command = Command::new(&self.stepwell);
        command.arg("doctor").arg("--data").arg(&self.data);
        let output = command.output().map_err(Error::io("the data folder is examined"))?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).trim().to_owned();
        if output.status.success() {
            return Ok(text);
        }
        let (process, status) = (format!("stepwell doctor ({text})"), output.status.to_string());
        Err(Error::Ended { process, status, log: self.data.clone() })
    }
}

pub(crate) fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An address that is free now. The server of a stage comes back to it after each kill.
pub(crate) fn free_address() -> Result<SocketAddr, Error> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address.map_err(Error::io("a free port is looked for"))
}

pub(crate) fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

fn server(places: &Places, cast: &Cast, (data, address): (&Path, SocketAddr)) -> Recipe {
    let (ttl, ping) = (format!("{}ms", cast.ttl_ms), format!("{}ms", cast.ttl_ms / 4));
    let mut args = words(&["start", "--access", "loopback", "--listen", &address.to_string()]);
    args.extend(words(&["--runner-ttl", &ttl]));
    // A run that waits leaves its runner soon, so that many replay.
    args.extend(words(&["--ping", &ping, "--linger", "100ms", "--log-format", "text", "--data"]));
    args.push(data.into());
    Recipe {
        name: format!("{}-server", cast.app),
        target: Target::Server,
        program: places.stepwell.clone(),
        args,
        name_flag: None,
        log: places.folder.join(format!("{}-server.log", cast.app)),
    }
}

/// Returns how a runner is started that knows these nodes.
pub(crate) fn runner(
    places: &Places,
    cast: &Cast,
    (at, addresses): (u64, &[SocketAddr]),
) -> Recipe {
    let name = format!("{}-runner-{at}", cast.app);
    let urls: Vec<String> = addresses.iter().map(|one| format!("http://{one}")).collect();
    let (url, slots) = (urls.join(","), cast.slots.to_string());
    let threads = cast.threads.to_string();
    let mut args = words(&["--url", &url, "--app", cast.app, "--runner", &name]);
    args.extend(words(&["--slots", &slots, "--threads", &threads, "--ledger"]));
    args.push(places.ledger().into());
    Recipe {
        log: places.folder.join(format!("{name}.log")),
        name,
        target: Target::Runner,
        program: places.runner.clone(),
        args,
        name_flag: Some("--process"),
    }
}
