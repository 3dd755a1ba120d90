//! What is asked for.

use std::path::PathBuf;

use clap::Parser;

/// Kills servers and runners under load, and has the ledger judged
#[derive(Clone, Debug, Parser)]
#[command(name = "crash")]
pub struct Options {
    /// The binary `stepwell`
    #[arg(long, value_name = "PATH")]
    pub stepwell: PathBuf,
    /// How long clients start runs and processes are killed
    #[arg(long, default_value_t = 180, value_parser = clap::value_parser!(u64).range(2..=86_400))]
    pub seconds: u64,
    /// How often the server is killed
    #[arg(long, default_value_t = 100)]
    pub server_kills: usize,
    /// How often a runner is killed
    #[arg(long, default_value_t = 100)]
    pub runner_kills: usize,
    /// Fewest runs that prove something [default: 10 a second]
    #[arg(long, value_name = "N")]
    pub runs: Option<usize>,
    /// What instants, victims and plans are drawn from [default: by chance, and printed]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// How many runners there are at a time
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=50))]
    pub runners: u64,
    /// How many clients start runs
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u64).range(1..=200))]
    pub clients: u64,
    /// How many runs all clients start in a second, at most
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub rate: u64,
    /// How long a function blocks its thread, on a server and runners that are not killed; 0 is not
    /// at all
    #[arg(long, default_value_t = 60)]
    pub blocking_seconds: u64,
    /// Sabotage: erases so many bytes at the end of the server's log after each of its kills, and ends
    /// with 0 if the judge finds that something was lost, changed or repeated, else with 1
    #[arg(long, value_name = "BYTES")]
    pub forget: Option<usize>,
    /// Keeps the folder with the ledger, the logs and the data
    #[arg(long)]
    pub keep: bool,
}

impl Options {
    /// Returns the fewest runs that prove something.
    pub fn runs_min(&self) -> usize {
        let seconds = usize::try_from(self.seconds).unwrap_or(usize::MAX);
        self.runs.unwrap_or_else(|| seconds.saturating_mul(10))
    }
}
