//! What PostgreSQL says, as the store says it.

use std::error::Error as StdError;

use deadpool_postgres::PoolError;
use stepwell_store::Error;
use tokio_postgres::error::{DbError, Severity, SqlState};

/// Tells of something that was only asked, or that changed nothing.
pub(crate) fn failed(error: &tokio_postgres::Error) -> Error {
    Error::Unavailable(told(error))
}

/// Tells of a column that holds what it may not hold.
pub(crate) fn unread(error: &tokio_postgres::Error) -> Error {
    Error::Corrupt(told(error))
}

/// Tells of a connection that is not to be had.
pub(crate) fn no_connection(error: &PoolError) -> Error {
    match error {
        PoolError::Backend(error) => failed(error),
        other => Error::Unavailable(format!("no connection to PostgreSQL: {other}")),
    }
}

/// Tells whether a connection is of no use any more after this.
pub(crate) fn is_lost(error: &tokio_postgres::Error) -> bool {
    error.is_closed() || error.as_db_error().map_or_else(|| has_io(error), is_fatal)
}

/// What became of a statement that writes, and of which no good end is known.
pub(crate) fn unwritten(error: &tokio_postgres::Error) -> Error {
    let Some(said) = error.as_db_error().filter(|said| !is_fatal(said)) else {
        // Whether it is durable is not known: the answer may have been on its way.
        return if is_lost(error) { Error::Unknown(told(error)) } else { failed(error) };
    };
    let code = said.code();
    if *code == SqlState::UNIQUE_VIOLATION {
        return match said.table() {
            // At this place of a journal there are records already: whoever wrote these knows more.
            Some("history") => Error::Fenced,
            Some("keys") => Error::Contended("the idempotency key of a run".into()),
            Some("events") => Error::Contended("an event".into()),
            Some("runs") => Error::Contended("a run".into()),
            Some(_) | None => failed(error),
        };
    }
    // How the statement itself says that a run is not this member's.
    if *code == SqlState::DIVISION_BY_ZERO || *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        return Error::Fenced;
    }
    if *code == SqlState::T_R_DEADLOCK_DETECTED || *code == SqlState::T_R_SERIALIZATION_FAILURE {
        return Error::Contended("what is written here".into());
    }
    failed(error)
}

fn is_fatal(said: &DbError) -> bool {
    matches!(said.parsed_severity(), Some(Severity::Fatal | Severity::Panic))
}

fn has_io(error: &tokio_postgres::Error) -> bool {
    let mut cause = error.source();
    while let Some(one) = cause {
        if one.is::<std::io::Error>() {
            return true;
        }
        cause = one.source();
    }
    false
}

/// Returns what an error says, with its causes, and never what was asked or its values.
pub(crate) fn told(error: &tokio_postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        return format!("PostgreSQL says: {} (SQLSTATE {})", said.message(), said.code().code());
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(one) = cause {
        let more = one.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = one.source();
    }
    text
}
