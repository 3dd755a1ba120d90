//! Commands and flags of the bench.

use clap::{Args, Subcommand};

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
}

/// See [`Bench::Sequential`] and [`Bench::Fanout`].
#[derive(Debug, Args)]
pub(crate) struct Sequential {
    /// Print one object of JSON
    #[arg(long)]
    pub(super) json: bool,
    /// How many runs are measured, after as many for warming up
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) runs: u32,
}

/// See [`Bench::Throughput`] and [`Bench::Noop`].
#[derive(Debug, Args)]
pub(crate) struct Load {
    /// Print one object of JSON
    #[arg(long)]
    pub(super) json: bool,
    /// How long is measured, in seconds, after 3 s of warming up; a throughput counts from 30 on
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3_600))]
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
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(1..=2_000_000))]
    pub(super) runs: u32,
}

/// The runner that the bench starts.
#[derive(Debug, Args)]
pub(crate) struct BenchRunner {
    /// Address of the server
    #[arg(long)]
    pub(super) url: String,
}
