//! The command line of the simulator.
//!
//! | file | holds |
//! | --- | --- |
//! | `args` | what can be asked for |
//! | `seeds` | running one seed or many, and telling what came of it |

mod args;
mod seeds;

pub use seeds::main;
