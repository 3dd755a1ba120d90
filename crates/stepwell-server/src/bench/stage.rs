//! Server and runner as processes of their own, and what they use.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::cli::{Client, Fault};

/// How long a process may take to be there.
const START_MAX: Duration = Duration::from_secs(30);

/// A server, a runner, and the folder of the server; all of it goes when this is dropped.
pub(super) struct Stage {
    pub(super) url: String,
    listen: String,
    folder: PathBuf,
    server: Child,
    runner: Child,
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
    pub(super) fn set() -> Result<Self, Fault> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let listen = format!("127.0.0.1:{port}");
        let url = format!("http://{listen}");
        let folder = std::env::temp_dir().join(format!("stepwell-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let server = start_server(&folder, &listen)?;
        // From here on dropping the stage ends what was started.
        let mut stage = Self { url, listen, folder, runner: idle()?, server };
        stage.await_server()?;
        stage.runner = Command::new(std::env::current_exe()?)
            .args(["bench-runner", "--url", &stage.url])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        stage.await_runner()?;
        Ok(stage)
    }

    fn await_server(&self) -> Result<(), Fault> {
        self.until("the server did not start", || self.health().is_ok())
    }

    fn await_runner(&self) -> Result<(), Fault> {
        self.until("the runner did not connect", || {
            let answer = Client::new(&self.url).and_then(|client| client.get("/api/v1/runners"));
            answer.is_ok_and(|answer| answer.text().contains("\"fanout\""))
        })
    }

    /// Waits until something holds, looking often: what is waited for is measured in places.
    fn until(&self, what: &str, holds: impl Fn() -> bool) -> Result<(), Fault> {
        let begun = Instant::now();
        while !holds() {
            if begun.elapsed() > START_MAX {
                return Err(Fault::Machine(format!("{what} on {}", self.listen)));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    pub(super) fn health(&self) -> Result<Health, Fault> {
        Client::new(&self.url)?.get("/healthz")?.read()
    }

    /// Ends the server with SIGKILL, starts it again on its folder, and returns how long it took
    /// from the start until it answered.
    pub(super) fn restart_server(&mut self) -> Result<Duration, Fault> {
        self.server.kill()?;
        self.server.wait()?;
        let begun = Instant::now();
        self.server = start_server(&self.folder, &self.listen)?;
        self.await_server()?;
        Ok(begun.elapsed())
    }

    pub(super) fn server_used(&self) -> Used {
        used(self.server.id())
    }

    pub(super) fn runner_used(&self) -> Used {
        used(self.runner.id())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for child in [&mut self.runner, &mut self.server] {
            // One that has ended already is what is wanted.
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn start_server(folder: &std::path::Path, listen: &str) -> Result<Child, Fault> {
    let child = Command::new(std::env::current_exe()?)
        .args(["start", "--listen", listen, "--log", "warn", "--data"])
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
