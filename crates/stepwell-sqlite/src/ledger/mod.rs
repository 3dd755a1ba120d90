//! What operators own, in `ledger.db` of a data folder: namespaces, keys, the audit log.
//!
//! It is a database of its own, beside that of runs: it is written rarely, each write is synced before it
//! returns, and no fold waits for it. The pepper of its keys is in a file of its own, `pepper`.
//!
//! | file | holds |
//! | --- | --- |
//! | `copy` | copying both files |
//! | `moving` | both files, as moves have them |
//! | `open` | finding or making both files |
//! | `pepper` | the file `pepper` |
//! | `schema` | the tables |
//! | `sqlite` | the ledger |
//! | `bulks` | acts on many runs in it |

mod bulks;
mod copy;
mod moving;
mod open;
mod pepper;
mod schema;
mod sqlite;

pub(crate) use copy::{bytes, copy};
pub(crate) use moving::{file, keep_pepper, make, pepper_of};
pub use open::{Alone, Opened, open, open_alone};
pub(crate) use sqlite::EXPORTED;
pub use sqlite::SqliteLedger;
