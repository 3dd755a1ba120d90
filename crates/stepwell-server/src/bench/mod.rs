//! `stepwell bench`: measures a server with its durability on, and a Rust runner.
//!
//! Server, runner and load are three processes on this machine; the server has a temporary folder.
//! What the workloads are, and which figures are reached, stands in `bench/README.md`.
//!
//! | file | holds |
//! | --- | --- |
//! | `args` | commands and flags |
//! | `workflows` | the runner's side |
//! | `stage` | server and runner as processes, and what they use |
//! | `load` | starting runs and timing them |
//! | `workload` | the workloads |
//! | `events` | events among many waits |
//! | `readback` | every run is read back and counted |
//! | `report` | the figures, as JSON or as a line for people |
//! | `all` | every workload several times |
//! | `table`, `marks` | their figures as one table, held against marks |
//! | `machine` | what was measured on |

mod all;
mod args;
mod events;
mod load;
mod machine;
mod marks;
mod readback;
mod report;
mod stage;
mod table;
mod workflows;
mod workload;

pub(crate) use args::{Bench, BenchRunner};
pub(crate) use workflows::serve;
pub(crate) use workload::run;
