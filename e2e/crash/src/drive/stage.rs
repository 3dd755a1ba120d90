//! A server with its runners, and the ledger.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::forget::forget;
use super::slot::{Recipe, Slot};
use crate::client::{Api, Failure};
use crate::error::Error;
use crate::ledger::{Pen, Target};
use crate::plan::WORKFLOWS;

/// How long a server and its runners have to be ready.
const READY: Duration = Duration::from_secs(30);

/// Where things are.
#[derive(Clone, Debug)]
pub(super) struct Places {
    /// The binary `stepwell`.
    pub(super) stepwell: PathBuf,
    /// The binary `crash-runner`.
    pub(super) runner: PathBuf,
    /// The folder of the test.
    pub(super) folder: PathBuf,
}

impl Places {
    pub(super) fn ledger(&self) -> PathBuf {
        self.folder.join("ledger")
    }
}

/// Runners of a stage.
#[derive(Clone, Debug)]
pub(super) struct Cast {
    pub(super) app: &'static str,
    pub(super) runners: u64,
    pub(super) slots: u32,
    pub(super) threads: u32,
    /// How many bytes of its log the server forgets with each kill.
    pub(super) forget: Option<usize>,
    /// Silence after which a runner's runs go to another, in milliseconds.
    pub(super) ttl_ms: u64,
}

/// A server with its runners.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) api: Api,
    pub(super) app: &'static str,
    pub(super) pen: Pen,
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
        let api = Api { address: free_address()? };
        let data = places.folder.join(format!("{}.data", cast.app));
        let server = Slot::start(server(places, cast, (&data, api.address)))?;
        let mut runners = Vec::new();
        for at in 1..=cast.runners {
            runners.push(Slot::start(runner(places, cast, (at, api.address)))?);
        }
        let pen = Pen::begin(&places.ledger(), &format!("{}-driver", cast.app));
        let stage = Self {
            api,
            app: cast.app,
            pen: pen.map_err(Error::io("the ledger is begun"))?,
            forget: cast.forget,
            stop,
            stepwell: places.stepwell.clone(),
            data,
            server: Mutex::new(server),
            runners: Mutex::new(runners),
        };
        stage.await_workflows()?;
        Ok(stage)
    }

    fn await_workflows(&self) -> Result<(), Error> {
        self.api.insist("a server with workflows was due", READY, |api| {
            self.check().map_err(Failure::Refused)?;
            if api.has_workflows(&WORKFLOWS)? {
                return Ok(());
            }
            Err(Failure::Away("the workflows are not registered".into()))
        })
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
            Target::Server => lock(&self.server).kill_and_start(&self.pen, || self.sabotage()),
            Target::Runner => {
                let mut runners = lock(&self.runners);
                let count = runners.len().max(1) as u64;
                let at = usize::try_from(which % count).unwrap_or_default();
                runners.get_mut(at).map_or(Ok(()), |slot| slot.kill_and_start(&self.pen, || Ok(())))
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
        lock(&self.server).kill(&self.pen)
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

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An address that is free now. The server of a stage comes back to it after each kill.
fn free_address() -> Result<SocketAddr, Error> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address.map_err(Error::io("a free port is looked for"))
}

fn words(words: &[&str]) -> Vec<OsString> {
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

fn runner(places: &Places, cast: &Cast, (at, address): (u64, SocketAddr)) -> Recipe {
    let name = format!("{}-runner-{at}", cast.app);
    let (url, slots) = (format!("http://{address}"), cast.slots.to_string());
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
