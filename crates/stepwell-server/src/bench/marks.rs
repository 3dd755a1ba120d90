//! The marks that `bench all` compares with: the one place where they stand.
//!
//! They are for a machine with 2 cores and an fdatasync of about 0.1 ms, and hold for the median.

use super::program::Program;
use super::storage::Kind;

/// What a figure has to reach.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) runner: Program,
    /// The kind of store.
    pub(super) store: Kind,
    pub(super) workload: &'static str,
    /// As in JSON.
    pub(super) figure: &'static str,
    pub(super) bound: Bound,
}

/// On which side of the mark a figure has to be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

/// All marks.
pub(super) const MARKS: [Mark; 27] = [
    at_most("sequential", "step_p50_ms", 0.3),
    at_least("throughput", "steps_per_s", 60_000.0),
    at_least("noop", "runs_per_s", 5_000.0),
    at_most("fanout", "fanout_p50_ms", 60.0),
    // Of 200,000 parked runs.
    at_most("parked", "server_rss_mb", 300.0),
    at_most("parked", "disk_bytes_each", 1_500.0),
    at_most("parked", "restart_ms", 1_000.0),
    // Among 100,000 waits on one name.
    at_most("events", "event_p99_ms", 1.0),
    at_most("events", "event_growth", 2.0),
    at_most("events", "event_drift", 2.0),
    at_most("events", "wake_all_s", 15.0),
    at_most("events", "others_growth", 2.0),
    // Of 10,000 steps.
    at_most("replay", "replay_ms", 100.0),
    // Among 200,000 stored runs.
    at_most("lists", "list_worst_ms", 100.0),
    at_most("lists", "counts_ms", 50.0),
    at_least("telemetry", "events_per_s", 100_000.0),
    // §10.7: of the figure alone.
    at_least("share", "share", 0.4),
    node(at_most("sequential", "step_p50_ms", 0.45)),
    node(at_least("throughput", "steps_per_s", 20_000.0)),
    node(at_most("replay", "replay_ms", 300.0)),
    // The database is on the same machine.
    postgres(at_most("sequential", "step_p50_ms", 1.0)),
    postgres(at_least("throughput", "steps_per_s", 20_000.0)),
    // Of one node.
    postgres(at_least("nodes", "share", 0.9)),
    // In ten minutes.
    postgres(at_most("soak", "tables_growth", 0.02)),
    postgres(at_most("soak", "indexes_growth", 0.02)),
    postgres(at_most("soak", "cpu_growth", 0.02)),
    postgres(at_most("soak", "rss_growth", 0.02)),
];

const fn at_most(workload: &'static str, figure: &'static str, bound: f64) -> Mark {
    Mark {
        runner: Program::Rust,
        store: Kind::Folder,
        workload,
        figure,
        bound: Bound::AtMost(bound),
    }
}

const fn at_least(workload: &'static str, figure: &'static str, bound: f64) -> Mark {
    Mark {
        runner: Program::Rust,
        store: Kind::Folder,
        workload,
        figure,
        bound: Bound::AtLeast(bound),
    }
}

const fn node(mark: Mark) -> Mark {
    Mark { runner: Program::Node, ..mark }
}

const fn postgres(mark: Mark) -> Mark {
    Mark { store: Kind::Postgres, ..mark }
}

/// Returns the marks of a runner on a kind of store.
pub(super) fn of(runner: Program, store: Kind) -> impl Iterator<Item = Mark> {
    MARKS.into_iter().filter(move |mark| (mark.runner, mark.store) == (runner, store))
}

impl Bound {
    /// Tells whether a value reaches it. What is not a number reaches nothing.
    pub(super) fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtMost(bound) => value <= bound,
            Self::AtLeast(bound) => value >= bound,
        }
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtMost(bound) => write!(f, "≤ {bound}"),
            Self::AtLeast(bound) => write!(f, "≥ {bound}"),
        }
    }
}
