//! The real SDK as a runner: its session and its runs, moved by the simulation, and workflows that
//! are real async functions.
//!
//! | file | holds |
//! | --- | --- |
//! | `brain` | the process: its connection, polling its runs |
//! | `watch` | what the frames that it gets and sends tell of grants, pauses and ends |
//! | `code` | the workflow: a program run by async code |
//! | `desk` | where code meets the simulation: calls of functions, deliveries |

mod brain;
mod code;
mod desk;
mod watch;

pub(crate) use brain::Sdk;
