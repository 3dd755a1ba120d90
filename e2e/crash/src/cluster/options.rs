//! What is asked for.

use std::path::PathBuf;

use clap::Parser;

/// Does what can happen to several nodes on one PostgreSQL, and has the ledger judged
#[derive(Clone, Debug, Parser)]
#[command(name = "cluster-crash")]
pub struct Options {
    /// The binary `stepwell`
    #[arg(long, value_name = "PATH")]
    pub stepwell: PathBuf,
    /// How many faults, kills included
    #[arg(long, default_value_t = 160, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub faults: u64,
    /// What faults, victims and plans are drawn from [default: by chance, and printed]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// How many nodes there are
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(2..=9))]
    pub nodes: u64,
    /// How many runners there are
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=50))]
    pub runners: u64,
    /// How many clients start runs
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=200))]
    pub clients: u64,
    /// How many runs all clients start in a second, at most
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub rate: u64,
    /// Fewest runs that prove something [default: 15 for each fault]
    #[arg(long, value_name = "N")]
    pub runs: Option<usize>,
    /// Sabotage: the database loses a few runs that have ended with each of its ends. Ends with 0 if the judge finds
    /// it out, else with 1
    #[arg(long)]
    pub forget: bool,
    /// Measures nothing: how long it takes until runs go on is told and not judged
    #[arg(long)]
    pub no_times: bool,
    /// Keeps the folder with the ledger and the logs
    #[arg(long)]
    pub keep: bool,
}

impl Options {
    /// Returns the fewest runs that prove something.
    pub fn runs_min(&self) -> usize {
        let faults = usize::try_from(self.faults).unwrap_or(usize::MAX);
        self.runs.unwrap_or_else(|| faults.saturating_mul(15))
    }
}
