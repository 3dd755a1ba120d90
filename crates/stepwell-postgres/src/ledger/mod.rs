//! What operators own, in the same database: namespaces, keys, acts on many runs, the audit log.
//!
//! Every node reads and writes the same rows, each by one statement. Keys are hashed under a pepper that
//! is drawn once and kept beside them, so that every node can check every key.
//!
//! | file | holds |
//! | --- | --- |
//! | `open` | opening it: its tables, its pepper |
//! | `rows` | namespaces, keys, the audit log |
//! | `bulks` | acts on many runs |
//! | `schema` | the tables |

mod bulks;
mod open;
mod rows;
pub(crate) mod schema;

pub use open::{Opened, PostgresLedger, open};
