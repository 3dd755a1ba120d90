//! The session under tokio: a WebSocket on a thread of its own, runs on the user's runtime.
//!
//! | file | holds |
//! | --- | --- |
//! | `serve` | the future that serves an app |
//! | `thread` | the thread: connections, one after another |
//! | `socket` | one connection: frames in and out, deadlines |
//! | `wire` | its socket, which several threads write to |
//! | `upgrade` | how a connection becomes a WebSocket |
//! | `address`, `target` | where the server is, and the way to it |
//! | `turn` | which of several nodes is asked |
//! | `key`, `tls` | who asks, and whom it trusts |
//! | `backoff` | how long to wait before trying a server again |

mod address;
mod backoff;
mod key;
mod serve;
mod socket;
mod target;
mod thread;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;
mod turn;
mod upgrade;
mod wire;

use std::time::Duration;

pub(crate) use backoff::Backoff;
pub use serve::Serve;
#[cfg(feature = "embedded")]
pub(crate) use target::Local;
pub(crate) use target::{Connector, Reach, Target};
pub(crate) use turn::Turn;

/// How long making a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// The first pause and the longest between two tries to connect.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
