//! `start`, and the signals that stop it.

use stepwell_core::code::Code;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::args::Start;
use super::fault::Fault;
use super::first_key;
use super::out;
use crate::config::{Config, Given, Span};
use crate::logs;
use crate::reload::Source;
use crate::server::{self, Server};

/// Exit code of a process that a second signal ended.
const CUT_OFF: i32 = 130;

/// Most reads of the store at once.
const READERS_MAX: usize = 32;

/// Runs a server until a signal stops it.
pub(super) fn run(start: Start) -> Result<(), Fault> {
    let Start { config: file, settings: Given(given), .. } = start;
    let source = Source { given, file, ..Source::default() };
    let mut config = source.read()?;
    if let Some(Span(keep)) = start.measured_retention {
        config.retention = keep;
    }
    if start.print_config {
        return out::text(&config.to_toml());
    }
    if config.data.is_none() && config.database.url.is_none() {
        return Err(Fault::refused(
            Code::ConfigInvalid,
            "neither `data` nor `store` is set; accepted: a folder, with --data DIR, STEPWELL_DATA or \
             `data` in the file of settings, or PostgreSQL with --store URL (`stepwell dev` needs none)",
        ));
    }
    logs::start(&config)?;
    runtime()?.block_on(serve(&config, source, start.resume))
}

/// Makes the runtime of a server: requests of the API. The node and runners' connections have a
/// thread of their own.
pub(super) fn runtime() -> Result<Runtime, Fault> {
    // Reads of the store take a thread each while they last; more of them wait for their turn.
    let mut builder = Builder::new_multi_thread();
    builder.thread_name("stepwell-io").max_blocking_threads(READERS_MAX).enable_all();
    Ok(builder.build()?)
}

async fn serve(config: &Config, source: Source, resume: bool) -> Result<(), Fault> {
    let mut signals = Signals::new()?;
    let mut hangup = signal(SignalKind::hangup())?;
    let server = server::start_from(config, source, resume).await?;
    first_key::ensure(&server, &config.access).await?;
    let signal = loop {
        tokio::select! {
            signal = signals.next() => break signal,
            // Told in the log, and in the audit log: nobody waits for an answer.
            _ = hangup.recv() => drop(server.reload("SIGHUP").await),
        }
    };
    tracing::info!(signal, "stopping; a second signal exits at once");
    stop(server, &mut signals).await;
    Ok(())
}

/// Stops a server in order; a second signal ends the process at once.
pub(super) async fn stop(server: Server, signals: &mut Signals) {
    tokio::select! {
        () = server.stop() => {}
        signal = signals.next() => {
            tracing::warn!(signal, "exiting at once");
            std::process::exit(CUT_OFF);
        }
    }
}

/// The signals that ask a server to stop.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(crate) fn new() -> Result<Self, Fault> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next signal and returns its name.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
