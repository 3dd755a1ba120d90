//! Observed runs: what code that is not durable tells of itself (§10), apart from the store of durable runs.
//!
//! Events are appended to a log of their own, which is synced before they are acknowledged. A thread puts
//! them together by run and writes tables: the set of a run's events, the row that follows from it, and what
//! it adds to statistics, with the position of the log in the same transaction. So what is acknowledged is
//! never lost and never counted twice.
//!
//! | file | holds |
//! | --- | --- |
//! | `store` | folder, opening, reading and writing tables |
//! | `options` | settings |
//! | `keep` | the trait that callers see |
//! | `lane` | the log, and what of it is not in tables yet |
//! | `thread` | what is done in the background, and its end |
//! | `schema` | the tables |
//! | `flows`, `declared` | numbers and declarations of flows |
//! | `group` | events of a slice of the log, by run |
//! | `write` | what a fold writes of each run |
//! | `row`, `turn` | a row as columns, and its status at any instant |
//! | `gaps`, `deltas`, `histogram` | what a transaction changes of statistics |
//! | `house` | what changes without an event: runs end, flows are declared |
//! | `list`, `read`, `stats` | what is read |
//! | `purge` | what goes |
//! | `copy`, `check` | observed runs in backups; what is damaged |
//! | `fault` | errors inside of a transaction |

mod check;
mod copy;
mod declared;
mod deltas;
mod fault;
mod flows;
mod gaps;
mod group;
mod histogram;
mod house;
mod keep;
mod lane;
mod list;
mod options;
mod purge;
mod read;
mod row;
mod schema;
mod stats;
mod store;
mod thread;
mod turn;
mod write;

pub use check::verify;
pub(crate) use copy::{bytes, copy, settle};
pub use options::Options;
pub use store::SqliteObserved;
pub(crate) use store::{FOLDER, holds};

/// The name of the tables' file.
pub(crate) const TABLES: &str = "observed.db";
