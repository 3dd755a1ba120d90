//! `dev`: a server, and a command that is restarted when its files change or it ends.

use std::path::PathBuf;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, sleep_until};

use super::args::Dev;
use super::fault::Fault;
use super::serve::{Signals, runtime, stop};
use super::watch::Watch;
use super::{first_key, out};
use crate::config::{AccessMode, Config, Settings};
use crate::logs;
use crate::reload::Source;
use crate::server;

/// Pause between looks at the files.
const LOOK_EVERY: Duration = Duration::from_millis(400);

/// Time that the command gets to stop before it is killed.
const STOP_TIME: Duration = Duration::from_secs(5);

/// Pauses before a command that ended is started again.
const PAUSE_MIN: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Runs a server, and the command if one is given, until a signal stops both.
pub(super) fn run(dev: Dev) -> Result<(), Fault> {
    let Dev { config, watch, no_watch, settings, command } = dev;
    // On the machine of who develops a key adds nothing.
    let loopback = Settings { access: Some(AccessMode::Loopback), ..Settings::default() };
    let source = Source { given: settings.0, file: config, defaults: loopback };
    let config = source.read()?;
    logs::start(&config)?;
    let roots = match (no_watch || command.is_empty(), watch.is_empty()) {
        (true, _) => Vec::new(),
        (false, true) => vec![PathBuf::from(".")],
        (false, false) => watch,
    };
    if let Some(missing) = roots.iter().find(|root| !root.exists()) {
        return Err(Fault::Usage(format!("--watch {}: there is no such file", missing.display())));
    }
    runtime()?.block_on(serve(&config, source, (roots, command)))
}

async fn serve(
    config: &Config,
    source: Source,
    (roots, command): (Vec<PathBuf>, Vec<String>),
) -> Result<(), Fault> {
    let mut signals = Signals::new()?;
    let server = server::start_from(config, source, false).await?;
    first_key::ensure(&server, &config.access).await?;
    let scheme = if config.access.tls.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}", server.address());
    greet(config, &url);
    if command.is_empty() {
        signals.next().await;
    } else {
        let mut runner = Runner { command, url, child: None, group: None };
        let ended = tokio::select! {
            _ = signals.next() => Ok(()),
            fault = keep_running(&mut runner, Watch::new(roots)) => Err(fault),
        };
        runner.stop().await;
        if let Err(fault) = ended {
            server.stop().await;
            return Err(fault);
        }
    }
    stop(server, &mut signals).await;
    Ok(())
}

fn greet(config: &Config, url: &str) {
    let kept = match &config.data {
        Some(folder) => format!("kept in {}", folder.display()),
        None => "kept in memory only; --data DIR keeps it on disk".to_owned(),
    };
    let flag = if url == "http://127.0.0.1:7878" { String::new() } else { format!(" --url {url}") };
    out::note(format_args!("stepwell serves at {url}, {kept}"));
    out::note(format_args!("  stepwell workflows{flag}"));
    out::note(format_args!("  stepwell runs start WORKFLOW --input JSON --wait{flag}"));
    out::note(format_args!("  stepwell runs list{flag}"));
}

/// The command, and its process while there is one.
struct Runner {
    command: Vec<String>,
    url: String,
    child: Option<Child>,
    /// The process group that the child leads: what it starts itself is stopped with it.
    group: Option<Pid>,
}

/// Runs the command for ever; returns only when it cannot be started.
async fn keep_running(runner: &mut Runner, mut watch: Watch) -> Fault {
    let mut pause = PAUSE_MIN;
    loop {
        if let Err(fault) = runner.start() {
            return fault;
        }
        let begun = Instant::now();
        let changed = tokio::select! {
            ended = runner.ended() => {
                out::note(format_args!("the command ended: {ended}"));
                None
            }
            path = change(&mut watch) => Some(path),
        };
        runner.stop().await;
        if let Some(path) = changed {
            out::note(format_args!("{} changed: restarting", path.display()));
            pause = PAUSE_MIN;
            continue;
        }
        if begun.elapsed() > PAUSE_MAX {
            pause = PAUSE_MIN;
        }
        out::note(format_args!(
            "starting it again in {:.1} s, or when a file changes",
            pause.as_secs_f64()
        ));
        let until = Instant::now() + pause;
        tokio::select! {
            () = sleep_until(until) => pause = (pause * 2).min(PAUSE_MAX),
            _ = change(&mut watch) => pause = PAUSE_MIN,
        }
    }
}

/// Waits for a change, and then until no more follow for a moment: editors write several files.
async fn change(watch: &mut Watch) -> PathBuf {
    let mut changed = None;
    loop {
        sleep(LOOK_EVERY).await;
        match (watch.changed(), changed.take()) {
            (None, Some(path)) => return path,
            (now, before) => changed = before.or(now),
        }
    }
}

impl Runner {
    fn start(&mut self) -> Result<(), Fault> {
        let (program, rest) = self
            .command
            .split_first()
            .ok_or_else(|| Fault::Usage("there is no command after `--`".to_owned()))?;
        let child = Command::new(program)
            .args(rest)
            .env("STEPWELL_URL", &self.url)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Fault::Machine(format!("`{program}` cannot be started: {error}")))?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        self.group = id.and_then(Pid::from_raw);
        self.child = Some(child);
        Ok(())
    }

    async fn ended(&mut self) -> String {
        match &mut self.child {
            Some(child) => match child.wait().await {
                Ok(status) => status.to_string(),
                Err(error) => error.to_string(),
            },
            None => "it was not started".to_owned(),
        }
    }

    /// Asks the command and what it started to stop, and kills what does not.
    async fn stop(&mut self) {
        let (Some(mut child), Some(group)) = (self.child.take(), self.group.take()) else { return };
        // A group that is gone already needs no signal.
        let _ = kill_process_group(group, Signal::TERM);
        if tokio::time::timeout(STOP_TIME, child.wait()).await.is_err() {
            out::note("the command does not stop: killing it");
        }
        let _ = kill_process_group(group, Signal::KILL);
        let _ = child.wait().await;
    }
}
