//! What goes wrong inside of a transaction.

use stepwell_store::Error;

use crate::tables;

/// An error of SQLite, or of what is in the tables.
#[derive(Debug)]
pub(super) struct Fault(Error);

impl Fault {
    /// Something in the tables is not as it was written.
    pub(super) fn corrupt(what: &str) -> Self {
        Self(Error::Corrupt(format!("the tables: {what}")))
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self(tables::failed(&error))
    }
}

impl From<Fault> for Error {
    fn from(Fault(error): Fault) -> Self {
        error
    }
}
