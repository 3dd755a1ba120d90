//! The store on PostgreSQL, which several nodes share.
//!
//! There is no log and nothing is written behind: a commit is one statement, and what it wrote is what every
//! read shows. Who opens the store is a *member* of it, by a row with a lease in the database's time; that row
//! is the fence. A commit takes it from one head to the next in the same statement that writes everything else,
//! so who is no member any more, or is not where it believes to be, writes nothing.
//!
//! | module | holds |
//! | --- | --- |
//! | `options` | settings |
//! | [`ledger`] | namespaces, keys, acts on many runs, the audit log |
//! | `store` | what every node asks (`Store`) |
//! | `shared` | what nodes ask that share a store (`Shared`) |
//! | `member`, `take_over` | joining, the lease, leaving; what becomes of members that are gone |
//! | `claim` | claiming runs and events |
//! | `write` | the statement of a commit |
//! | `read` | everything that is asked |
//! | `delete` | runs and events that go |
//! | [`doctor`] | what is damaged, who is there, what lags |
//! | [`moving`] | databases moved to stores of another kind, and from them |
//! | `schema`, `migrate` | tables, and how they become what this version knows |
//! | `server` | which servers a store can be on |
//! | `line`, `session`, `lane` | the thread of the connections, those for reading, the one for writing |
//! | `address`, `tls` | where the database is, and whom a connection is trusted to lead to |
//! | `error` | what PostgreSQL says, as the store says it |
//! | `check`, `value` | checks of what is stored, and values as columns hold them |
//! | `testing` | a cluster of a test's own (feature `testing`) |

mod address;
mod check;
mod claim;
mod delete;
pub mod doctor;
mod error;
mod lane;
pub mod ledger;
mod line;
mod member;
mod migrate;
pub mod moving;
mod options;
mod read;
mod schema;
mod server;
mod session;
mod shared;
mod store;
mod take_over;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod tls;
mod value;
mod write;

pub use options::{Effort, Options};
pub use store::Postgres;
