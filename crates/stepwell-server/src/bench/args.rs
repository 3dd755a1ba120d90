//! Commands and flags of the bench.

use clap::{Args, Subcommand, ValueEnum};

use super::program::Program;
use super::storage::{Kind, Storage};

/// Runs of a sequence that are measured.
const RUNS: u32 = 20;
/// How long a load is measured, in seconds.
const SECONDS: u64 = 30;
/// How many runs are parked.
const PARKED: u32 = 200_000;
/// How many runs wait for events, and how many events are sent.
const WAITS: u32 = 100_000;
const EVENTS: u32 = 10_000;
/// How many runs are replayed, and how many steps of each run functions: with their wait, as many as a
/// run may have.
const REPLAYS: u32 = 3;
const REPLAYED: u32 = 9_999;
/// How many runs lists are made of.
const LISTED: u32 = 200_000;
/// How many senders send telemetry, and how many events at once.
const SENDERS: u32 = 4;
const BATCH: u32 = 1_000;
/// How long a load is watched, in minutes, and how many runs a second it starts.
const MINUTES: u64 = 30;
const RATE: u32 = 200;

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
    /// A run with many steps that a new runner takes up
    Replay(Replay),
    /// First pages of lists by every pair of filters, among many stored runs
    Lists(Lists),
    /// Events of observed runs, acknowledged once they are durable
    Telemetry(Telemetry),
    /// Runs as in `throughput`, alone and then beside telemetry that comes as fast as it is taken
    Share(Share),
    /// Runs as in `throughput`, on a database with one node and then with two
    Nodes(Load),
    /// Runs at a steady rate for a long time, which go again once they are old: what grows all the same
    Soak(Soak),
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
    Replay,
    Lists,
    Telemetry,
    Share,
    Nodes,
    Soak,
}

impl Workload {
    /// Tells whether it is measured on a kind of store, and if not, why.
    pub(super) fn is_for(self, store: Kind) -> Result<(), &'static str> {
        match (self, store) {
            (Self::Lists | Self::Telemetry | Self::Share, Kind::Postgres) => {
                Err("it is measured with a folder only")
            }
            (Self::Soak, Kind::Folder) => {
                Err("tables of a database are measured: --store postgres")
            }
            (Self::Nodes, Kind::Folder) => Err("several nodes share a database: --store postgres"),
            _ => Ok(()),
        }
    }
}

/// See [`Bench::All`].
#[derive(Debug, Args)]
pub(crate) struct All {
    /// Print one object of JSON a measurement, then one with the table
    #[arg(long)]
    pub(super) json: bool,
    /// What the runner is written with; some marks are for one of them
    #[arg(long, value_enum, default_value_t, value_name = "LANGUAGE")]
    pub(super) runner: Program,
    /// Where the server keeps what it writes: `folder`, `postgres` or an address; some marks are for one of them
    #[arg(long, default_value = "folder", value_name = "STORE")]
    pub(super) store: Storage,
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

/// What each workload can be told.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Common {
    /// Print one object of JSON
    #[arg(long)]
    pub(super) json: bool,
    /// What the runner is written with; `node` takes the npm package `stepwell` that it finds from the
    /// current folder
    #[arg(long, value_enum, default_value_t, value_name = "LANGUAGE")]
    pub(super) runner: Program,
    /// Where the server keeps what it writes: `folder`, `postgres` for a private cluster of the PostgreSQL that is
    /// installed here, or the address of a database (postgres://…), which gets a schema for as long
    #[arg(long, default_value = "folder", value_name = "STORE")]
    pub(super) store: Storage,
}

/// See [`Bench::Sequential`] and [`Bench::Fanout`].
#[derive(Debug, Args)]
pub(crate) struct Sequential {
    #[command(flatten)]
    pub(super) common: Common,
    /// How many runs are measured, after as many for warming up
    #[arg(long, default_value_t = RUNS, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) runs: u32,
}

/// See [`Bench::Throughput`] and [`Bench::Noop`].
#[derive(Debug, Args)]
pub(crate) struct Load {
    #[command(flatten)]
    pub(super) common: Common,
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
    #[command(flatten)]
    pub(super) common: Common,
    /// How many runs are parked
    #[arg(long, default_value_t = PARKED, value_parser = clap::value_parser!(u32).range(1..=2_000_000))]
    pub(super) runs: u32,
}

/// See [`Bench::Events`].
#[derive(Debug, Args)]
pub(crate) struct Events {
    #[command(flatten)]
    pub(super) common: Common,
    /// How many runs wait
    #[arg(long, default_value_t = WAITS, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) waits: u32,
    /// How many events are sent, each for one of them
    #[arg(long = "events", default_value_t = EVENTS, value_parser = clap::value_parser!(u32).range(10..=100_000))]
    pub(super) sent: u32,
}

/// See [`Bench::Replay`].
#[derive(Debug, Args)]
pub(crate) struct Replay {
    #[command(flatten)]
    pub(super) common: Common,
    /// How many runs are replayed
    #[arg(long, default_value_t = REPLAYS, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(super) runs: u32,
    /// How many steps of each run functions; a wait for an event is one more
    #[arg(long, default_value_t = REPLAYED, value_parser = clap::value_parser!(u32).range(1..=9_999))]
    pub(super) steps: u32,
}

/// See [`Bench::Lists`].
#[derive(Debug, Args)]
pub(crate) struct Lists {
    #[command(flatten)]
    pub(super) common: Common,
    /// How many runs are stored
    #[arg(long, default_value_t = LISTED, value_parser = clap::value_parser!(u32).range(1_000..=2_000_000))]
    pub(super) runs: u32,
}

/// See [`Bench::Telemetry`].
#[derive(Debug, Args)]
pub(crate) struct Telemetry {
    #[command(flatten)]
    pub(super) common: Common,
    /// How long is measured, in seconds, after 10 s of warming up; it counts from 30 on
    #[arg(long, default_value_t = SECONDS, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub(super) seconds: u64,
    /// How many senders there are, each with one batch under way
    #[arg(long, default_value_t = SENDERS, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(super) senders: u32,
    /// How many events a batch has; a run has 20
    #[arg(long, default_value_t = BATCH, value_parser = clap::value_parser!(u32).range(20..=5_000))]
    pub(super) batch: u32,
    /// Compress the batches
    #[arg(long)]
    pub(super) gzip: bool,
}

/// See [`Bench::Share`].
#[derive(Debug, Args)]
pub(crate) struct Share {
    #[command(flatten)]
    pub(super) common: Common,
    /// How long each half is measured, in seconds, after 3 s of warming up
    #[arg(long, default_value_t = SECONDS, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub(super) seconds: u64,
    /// How many runs are in flight
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub(super) in_flight: u32,
    /// How many senders of telemetry there are, each with one batch under way
    #[arg(long, default_value_t = SENDERS, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(super) senders: u32,
    /// How many events a batch has; a run has 20
    #[arg(long, default_value_t = BATCH, value_parser = clap::value_parser!(u32).range(20..=5_000))]
    pub(super) batch: u32,
}

/// See [`Bench::Soak`].
#[derive(Debug, Args)]
pub(crate) struct Soak {
    #[command(flatten)]
    pub(super) common: Common,
    /// How long, in minutes; it counts from 30 on
    #[arg(long, default_value_t = MINUTES, value_parser = clap::value_parser!(u64).range(1..=10_080))]
    pub(super) minutes: u64,
    /// How many runs are started a second
    #[arg(long, default_value_t = RATE, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) rate: u32,
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

impl Bench {
    /// Returns which one it is; `None` for all of them.
    pub(super) fn workload(&self) -> Option<Workload> {
        Some(match self {
            Self::Sequential(_) => Workload::Sequential,
            Self::Throughput(_) => Workload::Throughput,
            Self::Noop(_) => Workload::Noop,
            Self::Fanout(_) => Workload::Fanout,
            Self::Parked(_) => Workload::Parked,
            Self::Events(_) => Workload::Events,
            Self::Replay(_) => Workload::Replay,
            Self::Lists(_) => Workload::Lists,
            Self::Telemetry(_) => Workload::Telemetry,
            Self::Share(_) => Workload::Share,
            Self::Nodes(_) => Workload::Nodes,
            Self::Soak(_) => Workload::Soak,
            Self::All(_) => return None,
        })
    }

    /// Returns what each workload can be told.
    pub(super) fn common(&self) -> Common {
        let common = match self {
            Self::Sequential(args) | Self::Fanout(args) => &args.common,
            Self::Throughput(args) | Self::Noop(args) | Self::Nodes(args) => &args.common,
            Self::Parked(args) => &args.common,
            Self::Events(args) => &args.common,
            Self::Replay(args) => &args.common,
            Self::Lists(args) => &args.common,
            Self::Telemetry(args) => &args.common,
            Self::Share(args) => &args.common,
            Self::Soak(args) => &args.common,
            Self::All(All { json, runner, store, .. }) => {
                return Common { json: *json, runner: *runner, store: store.clone() };
            }
        };
        common.clone()
    }

    /// Returns a workload with its defaults.
    pub(super) fn of(workload: Workload, common: Common) -> Self {
        let sequence = |common| Sequential { common, runs: RUNS };
        let load = |common| Load { common, seconds: SECONDS, in_flight: None };
        match workload {
            Workload::Sequential => Self::Sequential(sequence(common)),
            Workload::Throughput => Self::Throughput(load(common)),
            Workload::Noop => Self::Noop(load(common)),
            Workload::Fanout => Self::Fanout(sequence(common)),
            Workload::Nodes => Self::Nodes(load(common)),
            Workload::Parked => Self::Parked(Parked { common, runs: PARKED }),
            Workload::Events => Self::Events(Events { common, waits: WAITS, sent: EVENTS }),
            Workload::Lists => Self::Lists(Lists { common, runs: LISTED }),
            Workload::Telemetry => Self::Telemetry(Telemetry {
                common,
                seconds: SECONDS,
                senders: SENDERS,
                batch: BATCH,
                gzip: false,
            }),
            Workload::Share => Self::Share(Share {
                common,
                seconds: SECONDS,
                in_flight: 512,
                senders: SENDERS,
                batch: BATCH,
            }),
            Workload::Soak => Self::Soak(Soak { common, minutes: MINUTES, rate: RATE }),
            Workload::Replay => Self::Replay(Replay { common, runs: REPLAYS, steps: REPLAYED }),
        }
    }
}
