//! The runner that is killed.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use stepwell_crash::workflows::{World, app};

/// Runs the workflows of the crash test, and notes in a ledger what their functions do
#[derive(Parser)]
#[command(name = "crash-runner")]
struct Options {
    /// The server
    #[arg(long, value_name = "URL")]
    url: String,
    /// The app
    #[arg(long)]
    app: String,
    /// The runner's name
    #[arg(long)]
    runner: String,
    /// The folder of the ledger
    #[arg(long, value_name = "DIR")]
    ledger: PathBuf,
    /// The name of this process in the ledger, which no other one has
    #[arg(long)]
    process: String,
    /// How many runs may have code in progress at once
    #[arg(long, default_value_t = 64)]
    slots: u32,
    /// How many threads run code; with 1, a function that blocks its thread blocks all
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

fn main() -> ExitCode {
    match serve(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _gone = writeln!(std::io::stderr(), "crash-runner: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    let world = World::open(&options.ledger, &options.process)?;
    let mut builder = match options.threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = builder.worker_threads(options.threads.max(1)).enable_all().build()?;
    let app = app(&options.app, &options.runner, world).slots(options.slots);
    runtime.block_on(async { app.serve(options.url.as_str()).await })?;
    Ok(())
}
