//! The session under tokio: a WebSocket on a thread of its own, runs on the user's runtime.
//!
//! | file | holds |
//! | --- | --- |
//! | `serve` | the future that serves an app |
//! | `thread` | the thread: connections, one after another |
//! | `socket` | one connection: frames in and out, deadlines |
//! | `wire` | its socket, which several threads write to |
//! | `address` | where the server is |
//! | `backoff` | how long to wait before connecting again |

mod address;
mod backoff;
mod serve;
mod socket;
mod thread;
mod wire;

pub(crate) use address::Address;
pub use serve::Serve;
