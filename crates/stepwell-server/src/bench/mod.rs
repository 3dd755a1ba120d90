//! `stepwell bench`: measures a server with its durability on, and a runner in Rust or on Node.
//!
//! Server, runner and load are three processes on this machine; the server has a temporary folder, or a
//! database.
//! What the workloads are, and which figures are reached, stands in `bench/README.md`.
//!
//! | file | holds |
//! | --- | --- |
//! | `args` | commands and flags |
//! | `workflows`, `runner.mjs` | the runner's side, in Rust and for Node |
//! | `program` | the runner as a command |
//! | `storage` | where servers keep what they write: a folder, or a database |
//! | `stage` | servers and runners as processes, and what they use |
//! | `used` | what processes used |
//! | `load` | starting runs and timing them |
//! | `workload` | the workloads |
//! | `events` | events among many waits |
//! | `replay` | long runs that a new runner takes up |
//! | `lists`, `filler` | first pages of lists among many stored runs |
//! | `telemetry` | events of observed runs, alone and beside durable ones |
//! | `readback` | every run is read back and counted |
//! | `soak` | load for a long time, and what grows |
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
mod soak;
mod stage;
mod storage;
mod table;
mod telemetry;
mod used;
mod workflows;
mod workload;

pub(crate) use args::{Bench, BenchRunner};
pub(crate) use workflows::serve;
pub(crate) use workload::run;
