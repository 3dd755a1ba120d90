//! A store in memory that several nodes share.
//!
//! It is the model of a database: statements are serial, its clock is its own and is set from
//! outside, connections to it can be cut while a statement is under way, and it can fall back to an
//! older state of itself.
//!
//! | file | holds |
//! | --- | --- |
//! | `database` | the database: its clock, its connections, and what befalls them |
//! | `joined` | what one member has of it |
//! | `tables` | what it keeps: members and what belongs to them; the fence |
//! | `commit` | commits |
//! | `claims` | claims |
//! | `seen` | what happened, for those who judge it |
//! | `told` | what members tell each other |

mod claims;
mod commit;
mod database;
mod joined;
mod seen;
mod tables;
mod told;

pub use database::{During, Fate, SharedMemory, Snapshot};
pub use joined::Joined;
pub use seen::Seen;
