//! Stores without a disk: what they hold is gone with them.
//!
//! | file | holds |
//! | --- | --- |
//! | `alone` | the store of one node: for tests, and for `stepwell dev` without a folder |
//! | `shared` | a store that several nodes share: the model of a database, for tests and simulations |

mod alone;
mod shared;

pub use alone::Memory;
pub use shared::{During, Fate, Joined, Seen, SharedMemory, Snapshot};
