//! Journals in the tables: chunks of records, each with a check.

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use stepwell_core::id::RunId;
use stepwell_store::Error;

use super::connection::failed;

/// A journal as the tables hold it.
#[derive(Debug, Default)]
pub(crate) struct Stored {
    /// The position up to which the tables are.
    pub(crate) position: u64,
    /// The records; `None` for a run that the tables do not know.
    pub(crate) journal: Option<Vec<u8>>,
}

/// Why a journal cannot be read.
#[derive(Debug)]
pub(crate) enum Damage {
    /// Its bytes are not those that were written.
    Run(String),
    /// The tables cannot be read.
    Tables(Error),
}

/// Returns the check of a chunk. It covers the run and the number of the chunk, so that a row in
/// another's place is told too.
pub(super) fn check(run: RunId, chunk: i64, parts: &[impl AsRef<[u8]>]) -> u32 {
    let crc = crc32c::crc32c(&run.as_u128().to_le_bytes());
    let crc = crc32c::crc32c_append(crc, &chunk.to_le_bytes());
    parts.iter().fold(crc, |crc, part| crc32c::crc32c_append(crc, part.as_ref()))
}

/// Reads a journal and checks it. Reads the position in the same snapshot.
///
/// # Errors
/// [`Damage`].
pub(crate) fn journal(connection: &Connection, run: RunId) -> Result<Stored, Damage> {
    let read = || {
        let mut statement = connection.prepare_cached(
            "SELECT meta.value, runs.journal_bytes FROM meta LEFT JOIN runs ON runs.id = ?1
                WHERE meta.name = 'position'",
        )?;
        let mut rows = statement.query([run.to_string()])?;
        let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        let (position, expected): (i64, Option<i64>) = (row.get(0)?, row.get(1)?);
        // The snapshot lasts as long as this statement is not at its end.
        let chunks = chunks(connection, run)?;
        drop(rows);
        Ok((position, expected, chunks))
    };
    let (position, expected, chunks) =
        read().map_err(|e: rusqlite::Error| Damage::Tables(failed(&e)))?;
    let position = u64::try_from(position).unwrap_or(0);
    let bytes = chunks.map_err(Damage::Run)?;
    match (expected, bytes) {
        (None, None) => Ok(Stored { position, journal: None }),
        (Some(expected), Some(bytes)) if i64::try_from(bytes.len()) == Ok(expected) => {
            Ok(Stored { position, journal: Some(bytes) })
        }
        (Some(expected), bytes) => {
            let found = bytes.map_or(0, |bytes| bytes.len());
            Err(Damage::Run(format!("{found} bytes are stored where {expected} were written")))
        }
        (None, Some(_)) => Err(Damage::Run("its row is missing".into())),
    }
}

/// Reads and checks the chunks of a run, without regard to its row; the inner error tells of damage.
pub(crate) fn chunks(
    connection: &Connection,
    run: RunId,
) -> rusqlite::Result<Result<Option<Vec<u8>>, String>> {
    let mut statement = connection
        .prepare_cached("SELECT chunk, records, crc FROM history WHERE run = ?1 ORDER BY chunk")?;
    let mut rows = statement.query([run.to_string()])?;
    let mut journal: Option<Vec<u8>> = None;
    let mut wanted = 0;
    while let Some(row) = rows.next()? {
        let chunk: i64 = row.get(0)?;
        if chunk != wanted {
            return Ok(Err(format!("chunk {wanted} is missing")));
        }
        wanted += 1;
        let records = match row.get_ref(1)? {
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
            ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => &[],
        };
        let crc: i64 = row.get(2)?;
        if i64::from(check(run, chunk, &[records])) != crc {
            return Ok(Err(format!("chunk {chunk} is not what was written (CRC32C)")));
        }
        journal.get_or_insert_default().extend_from_slice(records);
    }
    Ok(Ok(journal))
}
