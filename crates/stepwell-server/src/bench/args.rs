//! Commands and flags of the bench.

use clap::{Args, Subcommand, ValueEnum};

/// Runs of a sequence that are measured.
const RUNS: u32 = 20;
/// How long a load is measured, in seconds.
const SECONDS: u64 = 30;
/// How many runs are parked.
const PARKED: u32 = 200_000;
/// How many runs wait for events, and how many events are sent.
const WAITS: u32 = 100_000;
const EVENTS: u32 = 10_000;

/// What is measured.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// One run at a time, 100 steps after each other
    Sequential(Sequential),
    /// Many runs in flight, 10 steps each
    Throughput(Load),
    /// Many runs without steps, each started and awaited by a request of its own
    Noop(Load),
    /// One run with 1,000 parallel steps
    Fanout(Sequential),
    /// Many runs that sleep for an hour
    Parked(Parked),
    /// Events among many waits on one name, then one event that wakes as many
    Events(Events),
    /// All of these, several times; prints a table and fails where a mark is missed
    All(All),
}

/// The workloads by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Workload {
    Sequential,
    Throughput,
    Noop,
    Fanout,
    Parked,
    Events,
}

/// See [`Bench::All`].
#[derive(Debug, Args)]
pub(crate) struct All {
    /// Print one object of JSON a measurement, then one with the table
    #[arg(long)]
    pub(super) json: bool,
    /// Only these workloads, divided by commas
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WORKLOADS")]
    pub(super) only: Vec<Workload>,
    /// How often each is measured [default: 5 for sequential and fanout, 3 for the others]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(super) times: Option<u32>,
    /// What was built, to be printed with the table
    #[arg(long, value_name = "TEXT")]
    pub(super) commit: Option<String>,
}

/// See [`Bench::Sequential`] and [`Bench::Fanout`].
#[derive(Debug, Args)]
pub(crate) struct Sequential {
    /// Print one object of JSON
    #[arg(long)]
    pub(super) json: bool,
    /// How many runs are measured, after as many for warming up
    #[arg(long, default_value_t = RUNS, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) runs: u32,
}

/// See [`Bench::Throughput`] and [`Bench::Noop`].
#[derive(Debug, Args)]
pub(crate) struct Load {
    /// Print one object of JSON
    #[arg(long)]
    pub(super) json: bool,
    /// How long is measured, in seconds, after 3 s of warming up; a throughput counts from 30 on
    #[arg(long, default_value_t = SECONDS, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub(super) seconds: u64,
    /// How many runs are in flight [default: 512 for throughput, 64 for noop]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub(super) in_flight: Option<u32>,
}

/// See [`Bench::Parked`].
#[derive(Debug, Args)]
pub(crate) struct Parked {
    /// Print one object of JSON
    #[arg(long)]
    pub(super) json: bool,
    /// How many runs are parked
    #[arg(long, default_value_t = PARKED, value_parser = clap::value_parser!(u32).range(1..=2_000_000))]
    pub(super) runs: u32,
}

/// See [`Bench::Events`].
#[derive(Debug, Args)]
pub(crate) struct Events {
    /// Print one object of JSON
    #[arg(long)]
    pub(super) json: bool,
    /// How many runs wait
    #[arg(long, default_value_t = WAITS, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) waits: u32,
    /// How many events are sent, each for one of them
    #[arg(long = "events", default_value_t = EVENTS, value_parser = clap::value_parser!(u32).range(10..=100_000))]
    pub(super) sent: u32,
}

/// The runner that the bench starts.
#[derive(Debug, Args)]
pub(crate) struct BenchRunner {
    /// Address of the server
    #[arg(long)]
    pub(super) url: String,
    /// Name of its app
    #[arg(long, default_value = "bench")]
    pub(super) app: String,
}

impl Default for Sequential {
    fn default() -> Self {
        Self { json: false, runs: RUNS }
    }
}

impl Default for Load {
    fn default() -> Self {
        Self { json: false, seconds: SECONDS, in_flight: None }
    }
}

impl Default for Events {
    fn default() -> Self {
        Self { json: false, waits: WAITS, sent: EVENTS }
    }
}

impl Default for Parked {
    fn default() -> Self {
        Self { json: false, runs: PARKED }
    }
}
