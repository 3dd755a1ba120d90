//! Why a test could not go on.

use std::path::PathBuf;
use std::time::Duration;

/// Why a test could not go on. What the engine did wrong is a finding of the judge, not an error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something of the operating system failed.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why not.
        source: std::io::Error,
    },
    /// A process ended though nobody had killed it.
    #[error("{process} ended by itself with {status}; its log is {}", log.display())]
    Ended {
        /// The process.
        process: String,
        /// How it ended.
        status: String,
        /// Its log.
        log: PathBuf,
    },
    /// A server refused what it has to accept.
    #[error("{what} was refused with {status}: {body}")]
    Refused {
        /// What was asked.
        what: String,
        /// The status of the answer.
        status: u16,
        /// The answer.
        body: String,
    },
    /// A server accepted what it has to refuse.
    #[error("{what} was accepted")]
    Accepted {
        /// What was asked.
        what: String,
    },
    /// Something did not happen in time.
    #[error("{what} within {after:?}: {last}")]
    Late {
        /// What should have happened.
        what: String,
        /// The time that it had.
        after: Duration,
        /// What the last try said.
        last: String,
    },
    /// A process logged what no crash explains.
    #[error("{} has {count} lines about faults; the first: {line}", log.display())]
    Logged {
        /// The log.
        log: PathBuf,
        /// How many such lines there are.
        count: usize,
        /// The first of them.
        line: String,
    },
    /// The database does not do what it is for.
    #[error("the database: {0}")]
    Database(String),
    /// A signal stopped the test.
    #[error("stopped by a signal")]
    Stopped,
}

impl Error {
    /// Returns what makes an error of the operating system one of these.
    pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        |source| Self::Io { what: what.into(), source }
    }
}
