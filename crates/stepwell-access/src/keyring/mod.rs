//! The keys and namespaces of a server as they stand: who is let in, and how that changes.
//!
//! | file | holds |
//! | --- | --- |
//! | `ring` | what is in memory, and who a credential is of |
//! | `keys` | making, rotating, revoking keys |
//! | `namespaces` | making, closing, forgetting namespaces |
//! | `bulks` | acts on many runs |
//! | `session` | what a browser holds in place of a key |
//! | `refused` | why somebody is not let in, or something is not changed |

mod bulks;
mod keys;
mod namespaces;
mod refused;
mod ring;
mod session;
#[cfg(test)]
mod tests;

pub use bulks::{BULKS_MAX, Begun};
pub use keys::{Create, KEYS_MAX, OVERLAP_MAX, Rotate, draw};
pub use namespaces::NAMESPACES_MAX;
pub use refused::{Error, Refused};
pub use ring::{Credential, Keyring, Live};
pub use session::{SESSION_TIME, Session};
