//! Why somebody is not let in, or something is not changed.

use stepwell_core::code::Code;
use stepwell_core::time::Timestamp;

use crate::key::Malformed;
use crate::ledger;

/// Why a credential is not taken. Who has the right secret of a key may know what became of it; who has
/// not is told nothing about keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// There is none.
    #[error(
        "the request has no key; accepted: the header `Authorization: Bearer sw_…`, or a session of \
         the console"
    )]
    Missing,
    /// It has another form.
    #[error("{0}")]
    Malformed(#[from] Malformed),
    /// No key like this was made here.
    #[error(
        "this key is not known here; accepted: a key of this server, as `stepwell keys create` \
             prints it"
    )]
    Unknown,
    /// The key was revoked.
    #[error("this key was revoked at {0}; accepted: a key that is live")]
    Revoked(Timestamp),
    /// The key has expired.
    #[error("this key expired at {0}; accepted: a key that is live")]
    Expired(Timestamp),
    /// The key was rotated, and the time in which both were taken is over.
    #[error("this key was replaced by a rotation, and was taken until {0}; accepted: the new key")]
    Replaced(Timestamp),
    /// The namespace was deleted.
    #[error("the namespace of this key was deleted; accepted: a key of one that is there")]
    Closed,
    /// The session of a browser is not one of this server, or its time is over.
    #[error("the session is over; accepted: a new one, made with a key")]
    Session,
}

/// Why keys or namespaces were not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What is asked for is not accepted.
    #[error("{0}")]
    Invalid(String),
    /// There is no such key or namespace.
    #[error("{0}")]
    NotFound(String),
    /// The key or namespace is not in a state for this.
    #[error("{0}")]
    Conflict(String),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
}

impl Error {
    /// Returns the stable code.
    pub const fn code(&self) -> Code {
        match self {
            Self::Invalid(_) => Code::BadRequest,
            Self::NotFound(_) => Code::UnknownAccess,
            Self::Conflict(_) => Code::AccessConflict,
            Self::Ledger(error) => error.code(),
        }
    }
}
