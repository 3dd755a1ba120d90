//! `stepwell bench`: measures a server with its durability on, and a runner in Rust or on Node.
//!
//! Server, runner and load are three processes on this machine; the server has a temporary folder.
//! What the workloads are, and which figures are reached, stands in `bench/README.md`.
//!
//! | file | holds |
//! | --- | --- |
//! | `args` | commands and flags |
//! | `workflows`, `runner.mjs` | the runner's side, in Rust and for Node |
//! | `program` | the runner as a command |
//! | `stage` | server and runner as processes, and what they use |
//! | `load` | starting runs and timing them |
//! | `workload` | the workloads |
//! | `events` | events among many waits |
//! | `replay` | long runs that a new runner takes up |
//! | `lists`, `filler` | first pages of lists among many stored runs |
//! | `telemetry` | events of observed runs, alone and beside durable ones |
//! | `readback` | every run is read back and counted |
//! | `report` | the figures, as JSON or as a line for people |
//! | `all` | every workload several times |
//! | `table`, `marks` | their figures as one table, held against marks |
//! | `machine` | what was measured on |

mod all;
mod args;
mod events;
mod filler;
mod lists;
mod load;
mod machine;
mod marks;
mod program;
mod readback;
mod replay;
mod report;
mod stage;
mod table;
mod telemetry;
mod workflows;
mod workload;

pub(crate) use args::{Bench, BenchRunner};
pub(crate) use workflows::serve;
pub(crate) use workload::run;
