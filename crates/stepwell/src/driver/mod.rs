//! The session under tokio: a WebSocket on a thread of its own, runs on the user's runtime.
//!
//! | file | holds |
//! | --- | --- |
//! | `serve` | the future that serves an app |
//! | `thread` | the thread: connections, one after another |
//! | `socket` | one connection: frames in and out, deadlines |
//! | `address` | where the server is |
//! | `backoff` | how long to wait before connecting again |

mod address;
mod backoff;
mod serve;
mod socket;
mod thread;

pub(crate) use address::Address;
pub use serve::Serve;
