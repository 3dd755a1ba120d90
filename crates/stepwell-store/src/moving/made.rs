//! What follows from a journal, and things as the engine has them.

use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::run::Run;
use stepwell_core::summary::Summary;
use stepwell_core::time::Timestamp;
use stepwell_core::wait::Wait;

use super::kind::Kind;
use super::row::{Field, Row};
use crate::error::Error;
use crate::event::{Event, EventId, Known, Scope};
use crate::inbox::{Message, MessageId, MessageKind};
use crate::shared::Needs;

/// What follows from a journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Derived {
    /// The row of the run.
    pub summary: Summary,
    /// Its parked waits.
    pub waits: Arc<[Wait]>,
    /// What it needs of a runner.
    pub needs: Option<Needs>,
}

impl Derived {
    /// Replays a journal.
    ///
    /// # Errors
    /// [`Error::Quarantined`] when it does not replay.
    pub fn of(id: RunId, journal: &[u8]) -> Result<Self, Error> {
        let run = Run::replay(id, journal).map_err(|error| Error::Quarantined {
            run: id,
            why: format!("its journal does not replay: {error}"),
        })?;
        Ok(Self { summary: Summary::of(&run), waits: Wait::all_of(&run), needs: Needs::of(&run) })
    }
}

/// Returns the run of a row of [`Kind::Journals`], and its journal.
///
/// # Errors
/// [`Error::Corrupt`] when it is none.
pub fn journal_of(row: Row) -> Result<(RunId, Vec<u8>), Error> {
    match <[Field; 2]>::try_from(row) {
        Ok([Field::Run(run), Field::Bytes(journal)]) => Ok((run, journal)),
        _ => Err(bad(Kind::Journals)),
    }
}

/// Returns what a row of [`Kind::Events`] says.
///
/// # Errors
/// [`Error::Corrupt`] when it is none.
pub fn event_of(row: &Row) -> Result<Known, Error> {
    let bad = || bad(Kind::Events);
    let at = |at: usize| row.get(at).ok_or_else(bad);
    let text = |nth: usize| at(nth)?.text().cloned().ok_or_else(bad);
    let maybe = |nth: usize| match at(nth)? {
        Field::None => Ok(None),
        other => other.text().cloned().map(Some).ok_or_else(bad),
    };
    let flag = |nth: usize| match at(nth)? {
        Field::Flag(flag) => Ok(*flag),
        _ => Err(bad()),
    };
    let event = Event {
        id: EventId { namespace: text(0)?, id: text(1)? },
        name: text(2)?,
        accepted_at: at(3)?.number().map(Timestamp::from_micros).ok_or_else(bad)?,
        data: maybe(4)?,
        offer: maybe(5)?,
        scope: Scope { app: maybe(6)?, workflow: maybe(7)?, run: at(8)?.run(), key: maybe(9)? },
    };
    Ok(Known { event: Arc::new(event), routed: flag(10)?, kept: flag(11)? })
}

/// Returns what a row of [`Kind::Messages`] says.
///
/// # Errors
/// [`Error::Corrupt`] when it is none.
pub fn message_of(row: &Row) -> Result<Message, Error> {
    match row.as_slice() {
        [Field::Run(to), Field::Run(from), Field::Text(kind), Field::Text(body)] => {
            let kind = MessageKind::parse(kind).ok_or_else(|| bad(Kind::Messages))?;
            let id = MessageId { to: *to, from: *from, kind };
            Ok(Message { id, body: Arc::clone(body) })
        }
        _ => Err(bad(Kind::Messages)),
    }
}

fn bad(kind: Kind) -> Error {
    Error::Corrupt(format!("a row of {} is none", kind.as_str()))
}
