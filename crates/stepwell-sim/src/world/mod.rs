//! The simulated world: everything of one seed, from its beginning to its end.
//!
//! | file | holds |
//! | --- | --- |
//! | `sim` | the loop over events |
//! | `clients` | those who start, cancel and wait |
//! | `remake` | those who resolve steps, and make new runs of others |
//! | `chaos` | making things go wrong, and healing them |
//! | `several` | what goes wrong where several nodes share a database |
//! | `keeper` | who makes backups, and begins another server with one where the server is lost |
//! | `outcome` | what a seed came to |

mod chaos;
mod clients;
mod keeper;
mod outcome;
mod remake;
mod several;
mod sim;

pub use outcome::Outcome;
pub use sim::{Settings, run};
