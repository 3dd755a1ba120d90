//! A runner's conversation with a node, without a socket and without a clock.
//!
//! | file | holds |
//! | --- | --- |
//! | `session` | connections, frames, pings, deadlines |
//! | `runs` | the runs that the runner holds, and what the node says of them |
//! | `handshake` | what a runner says of itself |
//! | `shared` | what runs and session share |
//! | `link` | frames on their way to the node |
//! | `grant` | until when functions may start (§4.7) |
//! | `timers` | deadlines of runs |

mod grant;
mod handshake;
mod link;
mod runs;
#[expect(clippy::module_inception, reason = "the file holds the type of that name")]
mod session;
mod shared;
mod timers;

pub(crate) use handshake::{Identity, Registered};
pub(crate) use link::Outgoing;
pub(crate) use session::{FINAL, Frames};
pub use session::{Fault, Session};
pub use shared::Blocking;
#[cfg(feature = "test")]
pub(crate) use shared::{Begins, Watch};
pub(crate) use shared::{Shared, Terms};

#[cfg(test)]
mod tests;
