//! The session under tokio: a WebSocket on a thread of its own, runs on the user's runtime.
//!
//! | file | holds |
//! | --- | --- |
//! | `serve` | the future that serves an app |
//! | `thread` | the thread: connections, one after another |
//! | `socket` | one connection: frames in and out, deadlines |
//! | `wire` | its socket, which several threads write to |
//! | `address`, `target` | where the server is, and the way to it |
//! | `backoff` | how long to wait before connecting again |

mod address;
mod backoff;
mod serve;
mod socket;
mod target;
mod thread;
mod wire;

use std::time::Duration;

pub use serve::Serve;
#[cfg(feature = "embedded")]
pub(crate) use target::Local;
pub(crate) use target::{Connector, Target};

/// How long making a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
