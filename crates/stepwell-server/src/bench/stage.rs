//! Server and runner as processes of their own, and what they use.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::program::Program;
use crate::cli::{Client, Fault, Signals};

/// How long a process may take to be there.
const START_MAX: Duration = Duration::from_secs(30);

/// Begins the name of each folder; what follows is the id of the bench's process.
const FOLDER: &str = "stepwell-bench-";

/// The app of the bench.
pub(super) const APP: &str = "bench";

/// Exit code of a process that a signal ended.
const CUT_OFF: i32 = 130;

/// A server, a runner, and the folder of the server; all of it goes when this is dropped, and when a
/// signal ends the process.
pub(super) struct Stage {
    pub(super) url: String,
    /// What its runners are written with.
    pub(super) runner: Program,
    listen: String,
    props: Arc<Mutex<Props>>,
    /// Waits for signals.
    watch: JoinHandle<()>,
}

/// What has to be put away.
struct Props {
    folder: PathBuf,
    server: Child,
    runner: Child,
    /// Runners of other apps.
    others: Vec<Child>,
}

impl Props {
    fn put_away(&mut self) {
        for child in [&mut self.runner, &mut self.server].into_iter().chain(&mut self.others) {
            // One that has ended already is what is wanted.
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// What the server says of itself.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Health {
    pub(super) fold_lag_ms: f64,
    pub(super) disk_bytes: u64,
}

/// What a process used so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Used {
    pub(super) cpu_s: f64,
    pub(super) rss_mb: f64,
}

impl Stage {
    pub(super) fn set(runtime: &Runtime, runner: Program) -> Result<Self, Fault> {
        Self::set_filled(runtime, runner, |_| Ok(()))
    }

    /// As [`Stage::set`], on a folder that is filled before.
    pub(super) fn set_filled(
        runtime: &Runtime,
        runner: Program,
        fill: impl FnOnce(&Path) -> Result<(), Fault>,
    ) -> Result<Self, Fault> {
        put_away_after_others();
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let listen = format!("127.0.0.1:{port}");
        let url = format!("http://{listen}");
        let folder = std::env::temp_dir().join(format!("{FOLDER}{}", std::process::id()));
        let signals = {
            let _inside = runtime.enter();
            Signals::new()?
        };
        std::fs::create_dir_all(&folder)?;
        fill(&folder)?;
        let server = start_server(&folder, &listen)?;
        // From here on dropping the stage ends what was started.
        let props =
            Arc::new(Mutex::new(Props { folder, server, runner: idle()?, others: Vec::new() }));
        let watch = runtime.spawn(watch(signals, props.clone()));
        let stage = Self { url, runner, listen, props, watch };
        stage.await_server()?;
        stage.start_runner()?;
        Ok(stage)
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
        self.until("the runner that was killed is still there", || Ok(!self.lists(APP)))?;
        self.start_runner()
    }

    fn start_runner(&self) -> Result<(), Fault> {
        self.props().runner = self.runner.start(&self.url, APP)?;
        self.await_runner(APP)
    }

    fn props(&self) -> MutexGuard<'_, Props> {
        self.props.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn await_server(&self) -> Result<(), Fault> {
        self.until("the server did not start", || Ok(self.health().is_ok()))
    }

    fn await_runner(&self, app: &str) -> Result<(), Fault> {
        self.until("the runner did not connect", || {
            let mut props = self.props();
            let Props { runner, others, .. } = &mut *props;
            let ended = others.last_mut().unwrap_or(runner).try_wait()?;
            drop(props);
            match ended {
                Some(status) => Err(self.runner.ended(status)),
                None => Ok(self.lists(app)),
            }
        })
    }

    /// Tells whether a runner of an app is connected, with all of its workflows.
    fn lists(&self, app: &str) -> bool {
        let named = format!("\"{app}\"");
        let answer = Client::new(&self.url).and_then(|client| client.get("/api/v1/runners"));
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
        Client::new(&self.url)?.get("/healthz")?.read()
    }

    /// Ends the server with SIGKILL, starts it again on its folder, and returns how long it took
    /// from the start until it answered.
    pub(super) fn restart_server(&self) -> Result<Duration, Fault> {
        let mut props = self.props();
        props.server.kill()?;
        props.server.wait()?;
        let begun = Instant::now();
        props.server = start_server(&props.folder, &self.listen)?;
        drop(props);
        self.await_server()?;
        Ok(begun.elapsed())
    }

    pub(super) fn server_used(&self) -> Used {
        used(self.props().server.id())
    }

    pub(super) fn runner_used(&self) -> Used {
        used(self.props().runner.id())
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

fn start_server(folder: &Path, listen: &str) -> Result<Child, Fault> {
    let child = Command::new(std::env::current_exe()?)
        .args(["start", "--access", "loopback", "--listen", listen, "--log", "warn", "--data"])
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()?;
    Ok(child)
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

/// Reads `/proc`: CPU time in clock ticks (100 a second on Linux) and resident pages.
fn used(pid: u32) -> Used {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<f64> = stat
        .rsplit_once(')')
        .map(|(_, rest)| rest.split_whitespace().filter_map(|field| field.parse().ok()).collect())
        .unwrap_or_default();
    // The state letter is not a number: `utime` and `stime` are the 11th and 12th of the rest.
    let ticks = fields.get(10).zip(fields.get(11)).map_or(0.0, |(user, system)| user + system);
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let rss_kb = status.lines().find_map(|line| {
        line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok()
    });
    Used { cpu_s: ticks / 100.0, rss_mb: rss_kb.unwrap_or(0.0) / 1_024.0 }
}
