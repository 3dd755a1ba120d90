//! The suite that every store must pass, and the injector that wraps stores in faults.
//!
//! A store is given to the suite through a [`Harness`]. Each case runs three times: as it comes,
//! with pending work of the store done after every commit, and with the store opened anew after
//! every commit. After each commit of a case, and at its end, every answer of the store is compared
//! with a model that is too simple to be wrong.
//!
//! | file | holds |
//! | --- | --- |
//! | `harness` | how a store is opened, and running the suite |
//! | `injector` | faults before and after the work of a commit |
//! | `world` | a store under test beside its model |
//! | `model` | what a store must answer, by looking at everything |
//! | `script` | journals of runs in every state |
//! | `events`, `inbox` | what the world does with events and messages |
//! | `cases` | the cases |
//! | `shared` | the cases for stores that several nodes share |

#![expect(
    clippy::unwrap_used,
    reason = "the suite is made of assertions: a store that does not answer fails its case"
)]

mod cases;
mod events;
mod harness;
mod inbox;
mod injector;
mod model;
mod script;
mod shared;
mod world;

pub use harness::{Harness, Injected, Report, run_all};
pub use injector::{Fault, Injector};
pub use script::{Script, Start};
pub use shared::{SharedHarness, run_shared};
