//! Observed runs (§10): what takes their events, keeps them, and forgets them.
//!
//! | file | holds |
//! | --- | --- |
//! | `lane` | bodies on their way to the thread, bounded |
//! | `unpack` | bodies that are compressed |
//! | `work` | the thread: reads bodies, makes their events durable, answers |
//! | `hints` | telling those who watch, not too often |
//! | `shelf` | the store, opened, and opened again after it failed |
//! | `sweep` | deleting observed runs that are older than they are kept |
//! | `observed` | all of it, as the server has it |
//! | `counted` | what is counted |

mod counted;
mod hints;
mod lane;
mod observed;
mod shelf;
mod sweep;
mod unpack;
mod work;

pub(crate) use lane::{BODY_BYTES_MAX, Packing};
pub(crate) use observed::Observed;
pub use observed::{OpenObserved, Telemetry};
pub(crate) use sweep::Keeping;
