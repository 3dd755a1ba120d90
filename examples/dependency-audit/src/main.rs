//! The licences of everything that a `Cargo.lock` names.
//!
//! One run reads the file, has each package looked at by a child run, sixteen at a time, and writes a
//! report, in which what is not permissive awaits approval. It then waits for events that say what people
//! decided, for ten minutes at most, and writes the report again. Kill the program in the middle and
//! start it again: packages that were looked at are not looked at again.
//!
//! | file | holds |
//! | --- | --- |
//! | `main` | arguments, the runner, starting the run |
//! | `workflow` | the audit, and the child that looks at a package |
//! | `lock` | what a `Cargo.lock` names |
//! | `manifest` | finding a package's manifest and the licence in it |
//! | `licence` | what a licence expression means |
//! | `report` | the report as JSON and as Markdown |

mod licence;
mod lock;
mod manifest;
mod report;
#[cfg(test)]
mod tests;
mod workflow;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use stepwell::client::RunHandle;
use stepwell::{App, Client, Error, ErrorKind, Result};
use tokio::sync::oneshot;

use crate::workflow::{Audit, Summary, audit, package};

/// How long the server and this program's own registration are waited for.
const READY: Duration = Duration::from_secs(20);

/// Audits the licences of everything in a Cargo.lock, with one durable run per package.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where the server is.
    #[arg(long, env = "STEPWELL_URL", default_value = "http://127.0.0.1:7878")]
    url: String,
    /// The Cargo.lock to read.
    #[arg(long, default_value = "Cargo.lock")]
    lock: PathBuf,
    /// The folder for report.json and report.md; made if it is not there.
    #[arg(long, default_value = "target/dependency-audit")]
    out: PathBuf,
    /// A licence that people are asked about though it is permissive, by its SPDX name; may be given several
    /// times
    #[arg(long, value_name = "LICENCE")]
    ask: Vec<String>,
    /// End once the report is written; otherwise go on serving audits that others start.
    #[arg(long)]
    once: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&mut std::io::stderr(), &format!("dependency-audit: {error:?}"));
            ExitCode::FAILURE
        }
    }
}

/// Writes a line; a reader that has gone away is no reason to stop.
fn say(to: &mut impl Write, line: &str) {
    drop(writeln!(to, "{line}"));
}

async fn serve(arguments: &Arguments) -> Result<()> {
    let request = Audit {
        lock: absolute(&arguments.lock)?,
        out: absolute(&arguments.out)?,
        cargo_home: absolute(&manifest::cargo_home()?)?,
        ask: arguments.ask.clone(),
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let app = App::new("dependency-audit").workflow("audit", audit).workflow("package", package);
    let serve = app.serve(&arguments.url).with_graceful_shutdown(async move {
        tokio::select! {
            _ = stopped => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    });
    let mut serving = tokio::spawn(serve.into_future());
    let client = Client::new(&arguments.url)?;
    tokio::select! {
        done = run_audit(&client, &request) => done?,
        // Stopped, or not accepted by the server: nothing will do the audit.
        served = &mut serving => return served?,
    }
    if arguments.once {
        // The runner may have ended by itself; then its end says why.
        let _ = stop.send(());
    }
    serving.await?
}

/// Runs of other programs may be in other folders: paths in an input are whole.
fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|error| Error::new(format!("{}: {error}", path.display())))
}

async fn run_audit(client: &Client, request: &Audit) -> Result<()> {
    let run = start_when_ready(client, request).await?;
    say(&mut std::io::stdout(), &format!("{}  audits {}", run.id(), request.lock.display()));
    let summary: Summary = run.wait().await?;
    say(&mut std::io::stdout(), &format!("{}  {summary}", run.id()));
    Ok(())
}

/// The server may still be starting, and the workflow be on its way to it.
async fn start_when_ready(client: &Client, request: &Audit) -> Result<RunHandle> {
    let begin = tokio::time::Instant::now();
    loop {
        let error = match client.start("audit", request).app("dependency-audit").await {
            Ok(run) => return Ok(run),
            Err(error) => error,
        };
        let unknown_workflow = error.code() == Some("SW2002");
        let is_early = error.kind() == ErrorKind::Connection || unknown_workflow;
        if !is_early || begin.elapsed() > READY {
            return Err(error);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
