//! The node and the connections of runners on a thread of their own, and the ways to it.
//!
//! | file | holds |
//! | --- | --- |
//! | `inbox` | the bounded queue in front of the node's thread |
//! | `outgoing` | the bounded queue to one runner's connection |
//! | `handle` | what the rest of the server uses: starts, waits, cancels, reads |
//! | `life` | one life of a node over one opening of the store |
//! | `thread` | the thread: lives, one after the other, and what is between them |

mod handle;
mod inbox;
mod life;
mod outgoing;
mod thread;

pub use handle::{Created, Handle, Session, Waited};
pub use outgoing::{Outbound, Outbox};
pub use thread::{Driver, Failed, Open, Running};
