//! The cases for stores that several nodes share.
//!
//! | file | holds |
//! | --- | --- |
//! | `harness` | how members join, and running the cases |
//! | `cluster` | a shared store under test, and what cases do with it |
//! | `claims`, `queues` | whose a run is; which runs a member claims without naming them |
//! | `fence`, `over` | who is no member any more; what becomes of what was its |
//! | `mail`, `meet` | what members tell each other |
//! | `contended`, `events` | what two members write at once; who routes an event |

mod claims;
mod cluster;
mod contended;
mod events;
mod fence;
mod harness;
mod mail;
mod meet;
mod over;
mod queues;

pub use harness::{SharedHarness, run_shared};
