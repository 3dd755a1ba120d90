//! Servers and runners as processes of their own, and what they use.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::args::Common;
use super::program::Program;
use super::report::Line;
use super::storage::{Database, Kind, Sizes};
use super::used::{Used, used};
use crate::cli::{Client, Fault, Signals};

/// How long a process may take to be there.
const START_MAX: Duration = Duration::from_secs(30);

/// Begins the name of each folder; what follows is the id of the bench's process.
const FOLDER: &str = "stepwell-bench-";

/// The app of the bench.
pub(super) const APP: &str = "bench";

/// Exit code of a process that a signal ended.
const CUT_OFF: i32 = 130;

/// Servers, each with a runner, and their folder or database; all of it goes when this is dropped, and when a
/// signal ends the process.
pub(super) struct Stage {
    /// The address of the first server.
    pub(super) url: String,
    /// The addresses of all servers.
    urls: Vec<String>,
    /// What its runners are written with.
    pub(super) runner: Program,
    store: Kind,
    listen: String,
    props: Arc<Mutex<Props>>,
    /// Waits for signals.
    watch: JoinHandle<()>,
}

/// What has to be put away.
struct Props {
    settings: Settings,
    server: Child,
    runner: Child,
    /// More servers of the same database, and their runners.
    more: Vec<Child>,
    /// Runners of other apps.
    others: Vec<Child>,
}

/// What servers are started with.
struct Settings {
    folder: PathBuf,
    database: Option<Database>,
    arguments: &'static [&'static str],
}

impl Settings {
    /// Starts a server, on the folder where there is no database.
    fn start_server(&self, listen: &str) -> Result<Child, Fault> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["start", "--access", "loopback", "--listen", listen, "--log", "warn"]);
        command.args(self.arguments);
        match &self.database {
            Some(database) => command.envs(database.environment()),
            None => command.arg("--data").arg(&self.folder),
        };
        Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?)
    }
}

impl Props {
    fn put_away(&mut self) {
        let rest = self.more.iter_mut().chain(&mut self.others);
        for child in [&mut self.runner, &mut self.server].into_iter().chain(rest) {
            // One that has ended already is what is wanted.
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = std::fs::remove_dir_all(&self.settings.folder);
        drop(self.settings.database.take());
    }
}

/// What the server says of itself.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Health {
    pub(super) fold_lag_ms: f64,
    pub(super) disk_bytes: u64,
}

impl Stage {
    pub(super) fn set(runtime: &Runtime, common: &Common) -> Result<Self, Fault> {
        Self::set_with(runtime, common, &[])
    }

    /// As [`Stage::set`], with more arguments for the server.
    pub(super) fn set_with(
        runtime: &Runtime,
        common: &Common,
        arguments: &'static [&'static str],
    ) -> Result<Self, Fault> {
        Self::set_filled(runtime, (common, arguments), |_| Ok(()))
    }

    /// As [`Stage::set`], with so many servers on one database.
    pub(super) fn set_nodes(runtime: &Runtime, common: &Common, nodes: u32) -> Result<Self, Fault> {
        let mut stage = Self::set(runtime, common)?;
        for _ in 1..nodes {
            stage.add_node()?;
        }
        Ok(stage)
    }

    /// As [`Stage::set`], on a folder that is filled before.
    pub(super) fn set_filled(
        runtime: &Runtime,
        (common, arguments): (&Common, &'static [&'static str]),
        fill: impl FnOnce(&Path) -> Result<(), Fault>,
    ) -> Result<Self, Fault> {
        put_away_after_others();
        let listen = free_address()?;
        let url = format!("http://{listen}");
        let folder = std::env::temp_dir().join(format!("{FOLDER}{}", std::process::id()));
        let signals = {
            let _inside = runtime.enter();
            Signals::new()?
        };
        std::fs::create_dir_all(&folder)?;
        fill(&folder)?;
        let database = Database::begin(&common.store)?;
        let settings = Settings { folder, database, arguments };
        let server = settings.start_server(&listen)?;
        // From here on dropping the stage ends what was started.
        let (more, others) = (Vec::new(), Vec::new());
        let props = Props { settings, server, runner: idle()?, more, others };
        let props = Arc::new(Mutex::new(props));
        let watch = runtime.spawn(watch(signals, props.clone()));
        let (store, runner) = (common.store.kind(), common.runner);
        let urls = vec![url.clone()];
        let stage = Self { url, urls, runner, store, listen, props, watch };
        stage.until_runs(&stage.url)?;
        stage.start_runner()?;
        Ok(stage)
    }

    /// Adds a server on the same database, with a runner of its own.
    fn add_node(&mut self) -> Result<(), Fault> {
        let listen = free_address()?;
        let url = format!("http://{listen}");
        let mut props = self.props();
        let server = props.settings.start_server(&listen)?;
        props.more.push(server);
        drop(props);
        self.until_runs(&url)?;
        let runner = self.runner.start(&url, APP)?;
        self.props().more.push(runner);
        let is_there = || Ok(Self::lists(&url, APP));
        self.until("the runner of another node did not connect", is_there)?;
        self.urls.push(url);
        Ok(())
    }

    /// Returns the addresses of all servers.
    pub(super) fn urls(&self) -> &[String] {
        &self.urls
    }

    /// Returns the figures that say what is measured.
    pub(super) fn line(&self) -> Result<Line, Fault> {
        let database = match &self.props().settings.database {
            Some(database) => Some(database.settings()?),
            None => None,
        };
        let nodes = database.as_ref().and_then(|_| u32::try_from(self.urls.len()).ok());
        Ok(Line { runner: self.runner, store: self.store, nodes, database, ..Line::default() })
    }

    /// Adds a runner, of another app.
    pub(super) fn add_runner(&self, app: &str) -> Result<(), Fault> {
        let runner = self.runner.start(&self.url, app)?;
        self.props().others.push(runner);
        self.await_runner(app)
    }

    /// Ends the runner with SIGKILL, and starts another one in its place.
    pub(super) fn restart_runner(&self) -> Result<(), Fault> {
        let ended = || {
            let mut props = self.props();
            props.runner.kill()?;
            props.runner.wait()
        };
        ended()?;
        self.until("the runner that was killed is still there", || {
            Ok(!Self::lists(&self.url, APP))
        })?;
        self.start_runner()
    }

    fn start_runner(&self) -> Result<(), Fault> {
        self.props().runner = self.runner.start(&self.url, APP)?;
        self.await_runner(APP)
    }

    fn props(&self) -> MutexGuard<'_, Props> {
        self.props.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn until_runs(&self, url: &str) -> Result<(), Fault> {
        self.until("the server did not start", || Ok(health(url).is_ok()))
    }

    fn await_runner(&self, app: &str) -> Result<(), Fault> {
        self.until("the runner did not connect", || {
            let mut props = self.props();
            let Props { runner, others, .. } = &mut *props;
            let ended = others.last_mut().unwrap_or(runner).try_wait()?;
            drop(props);
            match ended {
                Some(status) => Err(self.runner.ended(status)),
                None => Ok(Self::lists(&self.url, app)),
            }
        })
    }

    /// Tells whether a runner of an app is connected, with all of its workflows.
    fn lists(url: &str, app: &str) -> bool {
        let named = format!("\"{app}\"");
        let answer = Client::new(url).and_then(|client| client.get("/api/v1/runners"));
        answer.is_ok_and(|answer| {
            let text = answer.text();
            text.contains("\"fanout\"") && text.contains(&named)
        })
    }

    /// Waits until something holds, looking often: what is waited for is measured in places.
    fn until(&self, what: &str, holds: impl Fn() -> Result<bool, Fault>) -> Result<(), Fault> {
        let begun = Instant::now();
        while !holds()? {
            if begun.elapsed() > START_MAX {
                return Err(Fault::Machine(format!("{what} on {}", self.listen)));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Returns the address that the server listens on.
    pub(super) fn listen(&self) -> &str {
        &self.listen
    }

    pub(super) fn health(&self) -> Result<Health, Fault> {
        health(&self.url)
    }

    /// Ends the server with SIGKILL, starts it again on its folder, and returns how long it took
    /// from the start until it answered.
    pub(super) fn restart_server(&self) -> Result<Duration, Fault> {
        let mut props = self.props();
        props.server.kill()?;
        props.server.wait()?;
        let begun = Instant::now();
        props.server = props.settings.start_server(&self.listen)?;
        drop(props);
        self.until_runs(&self.url)?;
        Ok(begun.elapsed())
    }

    pub(super) fn server_used(&self) -> Used {
        let props = self.props();
        let more = props.more.iter().step_by(2);
        std::iter::once(&props.server).chain(more).map(|one| used(one.id())).sum()
    }

    /// Returns what the database used of processors so far, where that can be seen, and what is in it.
    pub(super) fn database_used(&self) -> Result<(Option<f64>, Sizes), Fault> {
        match &self.props().settings.database {
            Some(database) => Ok((database.cpu_s(), database.sizes()?)),
            None => Err(Fault::Machine("there is no database".into())),
        }
    }

    pub(super) fn runner_used(&self) -> Used {
        let props = self.props();
        let more = props.more.iter().skip(1).step_by(2);
        std::iter::once(&props.runner).chain(more).map(|one| used(one.id())).sum()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.watch.abort();
        self.props().put_away();
    }
}

/// Puts everything away once a signal comes, and ends the process.
async fn watch(mut signals: Signals, props: Arc<Mutex<Props>>) {
    signals.next().await;
    props.lock().unwrap_or_else(PoisonError::into_inner).put_away();
    std::process::exit(CUT_OFF);
}

/// Ends servers and removes folders of benches that were killed: what is in them is worth nothing, and
/// there may be gigabytes.
fn put_away_after_others() {
    let Ok(entries) = std::fs::read_dir(std::env::temp_dir()) else { return };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let bench = path.file_name().and_then(|name| name.to_str()?.strip_prefix(FOLDER));
        let Some(bench) = bench.and_then(|text| text.parse::<u32>().ok()) else { continue };
        if bench == std::process::id() || PathBuf::from(format!("/proc/{bench}")).exists() {
            continue;
        }
        end_server_of(&path);
        // One that cannot be removed is tried again by the next bench.
        let _ = std::fs::remove_dir_all(&path);
    }
}

/// Ends the processes that have the folder of a bench among their arguments: its server.
fn end_server_of(folder: &Path) {
    let Ok(entries) = std::fs::read_dir("/proc") else { return };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let arguments = std::fs::read(path.join("cmdline")).unwrap_or_default();
        let named = arguments.split(|byte| *byte == 0);
        if !named.into_iter().any(|one| one == folder.as_os_str().as_encoded_bytes()) {
            continue;
        }
        let id = path.file_name().and_then(|name| name.to_str()?.parse().ok());
        if let Some(id) = id.and_then(rustix::process::Pid::from_raw) {
            // It may have ended by itself.
            let _ = rustix::process::kill_process(id, rustix::process::Signal::KILL);
        }
    }
}

fn health(url: &str) -> Result<Health, Fault> {
    Client::new(url)?.get("/healthz")?.read()
}

fn free_address() -> Result<String, Fault> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

/// A process that has nothing to do, in the place of one that is not started yet.
fn idle() -> Result<Child, Fault> {
    let child = Command::new(std::env::current_exe()?)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()?;
    Ok(child)
}
