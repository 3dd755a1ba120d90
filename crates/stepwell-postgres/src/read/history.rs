//! Journals, and whether they are what was written.

use stepwell_core::id::RunId;
use stepwell_store::Error;
use tokio_postgres::Row;

use super::row::get;
use crate::check;
use crate::session::Sessions;
use crate::value::uuid;

/// What reads a journal: the run is the first value. A run without a chunk has one row of nulls.
pub(crate) const CHUNKS: &str = "SELECT history.at_byte, history.bytes, history.crc
    FROM runs LEFT JOIN history ON history.run = runs.id
    WHERE runs.id = $1 ORDER BY history.at_byte";

/// What is stored of a run.
pub(crate) enum Journal {
    /// Nothing.
    Missing,
    /// All that was written.
    Whole(Vec<u8>),
    /// Something that was not, and why.
    Damaged(String),
}

/// Reads a journal.
///
/// # Errors
/// [`Error::Unavailable`].
pub(crate) fn journal(sessions: &Sessions, run: RunId) -> Result<Journal, Error> {
    let rows = sessions.ask(CHUNKS, vec![Box::new(uuid(run))])?;
    join(run, rows.iter())
}

/// Puts chunks together, and checks them.
///
/// # Errors
/// [`Error::Corrupt`] when a column is not what it was.
pub(crate) fn join<'r>(run: RunId, rows: impl Iterator<Item = &'r Row>) -> Result<Journal, Error> {
    let mut journal: Option<Vec<u8>> = None;
    for row in rows {
        let Some(at_byte) = get::<Option<i64>>(row, 0)? else {
            return Ok(Journal::Damaged("its history is missing".into()));
        };
        let (bytes, crc): (&[u8], i64) = (get(row, 1)?, get(row, 2)?);
        let so_far = journal.get_or_insert_default();
        if i64::try_from(so_far.len()) != Ok(at_byte) {
            let found = so_far.len();
            let why = format!("a chunk is for byte {at_byte}, and {found} bytes are before it");
            return Ok(Journal::Damaged(why));
        }
        if check::chunk(run, at_byte, bytes) != crc {
            let why = format!("the chunk at byte {at_byte} is not what was written (CRC32C)");
            return Ok(Journal::Damaged(why));
        }
        so_far.extend_from_slice(bytes);
    }
    Ok(journal.map_or(Journal::Missing, Journal::Whole))
}
