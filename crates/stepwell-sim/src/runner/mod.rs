//! Processes of runners, whatever they are made of.
//!
//! | file | holds |
//! | --- | --- |
//! | `port` | what a process can do: read its clock, send, call functions |
//! | `host` | a process: paused or not, its timers |
//! | `fleet` | named runners and their processes, over time |

mod fleet;
mod host;
mod port;

pub(crate) use fleet::{Fleet, name};
pub(crate) use port::Port;
