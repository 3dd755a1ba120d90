//! Why something was not done.

use stepwell_core::code::Code;
use stepwell_node::ApiError;
use stepwell_store::Error as StoreError;

/// Why something was not done, for the one who asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct Error {
    /// The stable code.
    pub code: Code,
    /// What is wrong, and what is accepted.
    pub detail: String,
    /// Places in a value that do not fit, for SW2006.
    pub places: Vec<Place>,
}

/// A place in a value that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The place as a JSON pointer (RFC 6901); empty for the whole value.
    pub path: String,
    /// What is wrong there.
    pub message: String,
}

impl Error {
    /// Makes an error from a code and a text.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), places: Vec::new() }
    }

    /// The node stops or starts again; trying again helps.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(Code::Unavailable, detail)
    }
}

impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        Self::new(error.code, error.detail)
    }
}

/// Gives what the store says the code under which people are told of it.
impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::DiskFull { .. } | StoreError::NoRoom { .. } => Code::DiskFull,
            StoreError::Quarantined { .. } => Code::Quarantined,
            StoreError::Corrupt(_) => Code::LogCorrupt,
            StoreError::Poisoned(_) => Code::StoreFailed,
            StoreError::Locked { .. } => Code::FolderLocked,
            StoreError::Unusable { .. } => Code::FolderUnusable,
            StoreError::Format { .. } => Code::FormatUnknown,
            _ => Code::Unavailable,
        };
        Self::new(code, error.to_string())
    }
}
