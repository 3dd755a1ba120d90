//! Bugs that are planted, to show that checkers see them.
//!
//! Some stand in the core, the node and the store, where [`stepwell_core::planted`] is asked for them;
//! the others stand between the engine and the simulated world. Only a build with the feature `planted`
//! can choose one.
//!
//! | file | holds |
//! | --- | --- |
//! | `bug` | which bugs there are, and which one is chosen |
//! | `shown` | a store with a bug between it and its reader |

mod bug;
mod shown;

pub use bug::Bug;
#[cfg(feature = "planted")]
pub use bug::Known;
