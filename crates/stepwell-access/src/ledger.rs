//! What keeps what operators own: namespaces, keys, the audit log.
//!
//! It is apart from the store of runs: it is written rarely, each write is durable when it returns, and
//! nothing of it passes through the node.

use std::fmt::Debug;
use std::sync::Arc;

use stepwell_core::code::Code;
use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;

use crate::audit::{Ask, Entry, Row};
use crate::bulk::Bulk;
use crate::key::{Key, KeyId};
use crate::namespace::Namespace;

/// Why a ledger did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing was written; trying again later may work.
    #[error("the ledger cannot take this now: {0}")]
    Unavailable(String),
    /// Nothing was written: the disk is full.
    #[error("the ledger has no room on the disk: {0}")]
    DiskFull(String),
    /// What is kept is damaged.
    #[error("the ledger is damaged: {0}")]
    Corrupt(String),
}

impl Error {
    /// Returns the stable code.
    pub const fn code(&self) -> Code {
        match self {
            Self::Unavailable(_) => Code::Unavailable,
            Self::DiskFull(_) => Code::DiskFull,
            Self::Corrupt(_) => Code::StoreFailed,
        }
    }
}

/// Which acts on many runs are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkAsk {
    /// Only those of this namespace.
    pub namespace: Option<Arc<str>>,
    /// Only those that have not ended.
    pub open: bool,
    /// Most of them.
    pub limit: usize,
}

/// Keeps namespaces, keys, acts on many runs, and the audit log. Each call may block, and what it wrote is durable.
pub trait Ledger: Debug + Send + Sync {
    /// Returns every namespace, by name.
    ///
    /// # Errors
    /// [`Error`].
    fn namespaces(&self) -> Result<Vec<Namespace>, Error>;

    /// Keeps a namespace in place of one of the same name.
    ///
    /// # Errors
    /// [`Error`].
    fn put_namespace(&self, namespace: &Namespace) -> Result<(), Error>;

    /// Forgets a namespace with all of its keys and acts on many runs.
    ///
    /// # Errors
    /// [`Error`].
    fn remove_namespace(&self, name: &str) -> Result<(), Error>;

    /// Returns every key, in the order in which they were made.
    ///
    /// # Errors
    /// [`Error`].
    fn keys(&self) -> Result<Vec<Key>, Error>;

    /// Keeps a key in place of one of the same id.
    ///
    /// # Errors
    /// [`Error`].
    fn put_key(&self, key: &Key) -> Result<(), Error>;

    /// Keeps a key if there is none at all; tells whether it does. Of several that try at the same time one does.
    ///
    /// # Errors
    /// [`Error`].
    fn put_first_key(&self, key: &Key) -> Result<bool, Error>;

    /// Notes when keys were last used. What is not known here is passed over.
    ///
    /// # Errors
    /// [`Error`].
    fn used(&self, keys: &[(KeyId, Timestamp)]) -> Result<(), Error>;

    /// Writes the next row of the audit log.
    ///
    /// # Errors
    /// [`Error`].
    fn append(&self, entry: Entry) -> Result<Row, Error>;

    /// Returns rows of the audit log.
    ///
    /// # Errors
    /// [`Error`].
    fn audit(&self, ask: &Ask) -> Result<Vec<Row>, Error>;

    /// Returns acts on many runs, the last to be asked for first.
    ///
    /// # Errors
    /// [`Error`].
    fn bulks(&self, ask: &BulkAsk) -> Result<Vec<Bulk>, Error>;

    /// Returns an act on many runs.
    ///
    /// # Errors
    /// [`Error`].
    fn bulk(&self, id: &str) -> Result<Option<Bulk>, Error>;

    /// Returns the act on many runs of a namespace that was asked for with an idempotency key.
    ///
    /// # Errors
    /// [`Error`].
    fn bulk_of_key(&self, namespace: &str, key: &str) -> Result<Option<Bulk>, Error>;

    /// Keeps an act on many runs in place of one of the same id, and these runs as the last of its
    /// portions, all or nothing. The runs of one that has ended are forgotten.
    ///
    /// # Errors
    /// [`Error`].
    fn put_bulk(&self, bulk: &Bulk, portion: Option<&[RunId]>) -> Result<(), Error>;

    /// Returns a portion of the runs of an act, counted from 0; empty where there is none.
    ///
    /// # Errors
    /// [`Error`].
    fn bulk_portion(&self, id: &str, portion: u32) -> Result<Vec<RunId>, Error>;

    /// Returns the end and the id of the last run whose trace was exported; `None` before the first.
    ///
    /// # Errors
    /// [`Error`].
    fn exported(&self) -> Result<Option<(Timestamp, RunId)>, Error>;

    /// Keeps how far traces were exported, in place of what was kept.
    ///
    /// # Errors
    /// [`Error`].
    fn put_exported(&self, last: (Timestamp, RunId)) -> Result<(), Error>;

    /// Forgets acts on many runs that ended before this instant.
    ///
    /// # Errors
    /// [`Error`].
    fn forget_bulks(&self, before: Timestamp) -> Result<(), Error>;
}
