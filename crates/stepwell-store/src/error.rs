//! How a store says no.

use stepwell_core::id::RunId;

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another owner has taken over: drop all hot state and load again.
    #[error("another owner has taken over this store")]
    Fenced,
    /// It is not known whether the write happened: drop all hot state and load again.
    #[error("it is not known whether the write happened: {0}")]
    Unknown(String),
    /// Nothing was written, and trying again later may work.
    #[error("the store cannot take this now: {0}")]
    Unavailable(String),
    /// Nothing was written: somebody else has written the same meanwhile.
    #[error("somebody else has just written {0}; try again")]
    Contended(String),
    /// Nothing was written: free space is below the reserve.
    #[error("the disk has {free} bytes free, less than the reserve of {reserve} bytes")]
    DiskFull {
        /// Bytes free on the disk.
        free: u64,
        /// Bytes that are kept for runs to end in.
        reserve: u64,
    },
    /// Nothing was left behind: a copy does not fit on the disk.
    #[error(
        "{what} needs {needed} bytes in {folder}, where {free} bytes are free; accepted: a disk with more \
         room, or fewer copies on it"
    )]
    NoRoom {
        /// What was to be made.
        what: &'static str,
        /// Where.
        folder: String,
        /// Bytes that it takes, with what stays free.
        needed: u64,
        /// Bytes free on the disk.
        free: u64,
    },
    /// Stored bytes are damaged; what they belong to is not served.
    #[error("stored bytes are damaged: {0}")]
    Corrupt(String),
    /// The stored history of one run is damaged; other runs are served.
    #[error("the stored history of {run} is damaged: {why}")]
    Quarantined {
        /// The run.
        run: RunId,
        /// What was found.
        why: String,
    },
    /// An earlier write failed, so this handle takes no more (a failed sync cannot be retried).
    #[error("the store stopped taking writes after a failure: {0}")]
    Poisoned(String),
    /// Another process owns the folder.
    #[error("{folder} is owned by another process: {why}")]
    Locked {
        /// The folder.
        folder: String,
        /// What is known of the owner.
        why: String,
    },
    /// The folder cannot be made, or not written in.
    #[error(
        "the data folder {folder} cannot be used: {why}; accepted: a folder that this process may \
         make, or read and write"
    )]
    Unusable {
        /// The folder.
        folder: String,
        /// What was tried, and what the system says.
        why: String,
    },
    /// A database is not one that a store can be in, or it cannot be used as it is named.
    #[error("{found}; accepted: {accepted}")]
    Refused {
        /// What was found.
        found: String,
        /// What is accepted in its place.
        accepted: String,
    },
    /// The format of what is stored is not read by this version.
    #[error("there is {found}; accepted: an empty folder, or a store of format {known}")]
    Format {
        /// What was found, and where.
        found: String,
        /// The format that is read.
        known: String,
    },
}
