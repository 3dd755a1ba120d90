//! The embedded store: a log that is synced before any answer, folded into SQLite tables.
//!
//! A commit is one write and one sync of the log. What is durable there and not yet in tables is
//! kept in an overlay; reads see both as one. A fold moves batches from log to tables in large
//! transactions, each with the position of the log inside. Truth is: tables at position P, and the
//! log behind P.
//!
//! | module | holds |
//! | --- | --- |
//! | [`disk`] | what the log asks of a disk, and the disk of the operating system |
//! | `log` | segments, frames, recovery |
//! | `overlay` | what is durable and not yet in tables |
//! | `tables` | SQLite: schema, reads, what a fold writes |
//! | `fold` | moving batches from log to tables |
//! | [`backup`] | copies of a store that is in use, and stores made from them |
//! | [`moving`] | folders moved to stores of another kind, and from them |
//! | [`doctor`] | what is damaged; rows made anew |
//! | `room` | what the disk and the tail have left |
//! | `rights` | who may read the files of a folder |
//! | `folder` | owner, format and id of a folder |
//! | [`ledger`] | what operators own: namespaces, keys, the audit log |
//! | [`observed`] | runs of code that is not durable: a log and tables of their own |
//! | `sim` | a disk in memory that crashes, from a seed (feature `sim`) |
//!
//! ```
//! use stepwell_sqlite::{Embedded, Options};
//! use stepwell_store::{Store, batch::Batch};
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path();
//! let store = Embedded::open(path, Options::default())?;
//! store.spawn_fold()?;
//! let position = store.commit(&Batch::default())?;
//! assert_eq!(store.health().head, position);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod backup;
pub mod disk;
pub mod doctor;
mod embedded;
mod fold;
mod folder;
pub mod ledger;
mod log;
pub mod moving;
pub mod observed;
mod options;
mod overlay;
mod rights;
mod room;
#[cfg(any(test, feature = "sim"))]
pub mod sim;
mod store;
mod tables;

pub use embedded::Embedded;
pub use fold::Folded;
pub use options::{Effort, Options};
pub use rights::open_to_others;
pub use tables::Place;
