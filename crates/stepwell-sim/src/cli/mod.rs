//! The command line of the simulator.
//!
//! | file | holds |
//! | --- | --- |
//! | `args` | what can be asked for |
//! | `seeds` | running one seed or many, and telling what came of it |
//! | `hunt` | looking for every planted bug |

mod args;
#[cfg(feature = "planted")]
mod hunt;
mod seeds;

pub use seeds::main;
