//! Who may do what: keys, roles, rights, namespaces, and the ledger that operators own.
//!
//! There is no IO here, no clock and no randomness: time and entropy are arguments, and what is kept is
//! kept by a [`Ledger`].
//!
//! | module | holds |
//! | --- | --- |
//! | [`role`] | roles, rights, and the one table between them |
//! | [`key`] | API keys: their text, and what is kept of them |
//! | [`namespace`] | namespaces |
//! | [`audit`] | the audit log and its chain of hashes |
//! | [`bulk`] | acts on many runs, and how far they are |
//! | [`keyring`] | the keys and namespaces as they stand: who is let in, and how that changes |
//! | [`ledger`] | what keeps all of it |
//! | [`memory`] | a ledger in memory |
//! | `conformance` | the suite that every ledger passes (feature `conformance`) |
//!
//! ```
//! use stepwell_access::{Right, Role, Scope};
//!
//! assert!(Role::Operator.grants(Right::Act, Scope::Namespace));
//! assert!(!Role::Viewer.grants(Right::Act, Scope::Namespace));
//! assert!(!Role::Admin.grants(Right::Server, Scope::Namespace));
//! assert!(Role::Admin.grants(Right::Server, Scope::Server));
//! ```

pub mod audit;
pub mod bulk;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod key;
pub mod keyring;
pub mod ledger;
pub mod memory;
pub mod namespace;
pub mod role;

pub use bulk::Bulk;
pub use key::{Key, KeyId, Pepper, Secret};
pub use keyring::Keyring;
pub use ledger::Ledger;
pub use memory::MemoryLedger;
pub use namespace::Namespace;
pub use role::{Right, Role, Scope};
