//! Messages between runs, in the order in which they are read.

use std::sync::Arc;

use rusqlite::{Connection, Row, params};
use stepwell_store::Error;
use stepwell_store::inbox::{InboxWrite, Message, MessageId, MessageKind};

use super::connection::failed;
use super::read::rows;
use super::row::{Unread, bad, run_id};

/// Returns messages behind the given one, at most `limit`.
pub(crate) fn inbox(
    connection: &Connection,
    after: Option<&MessageId>,
    limit: usize,
) -> Result<Vec<Arc<Message>>, Error> {
    let sql = "SELECT recipient, sender, kind, body, crc FROM inbox
        WHERE (recipient, sender, kind) > (?1, ?2, ?3) ORDER BY recipient, sender, kind LIMIT ?4";
    // The empty text sorts before every id.
    let (to, from, kind) = after.map_or((String::new(), String::new(), ""), |id| {
        (id.to.to_string(), id.from.to_string(), id.kind.as_str())
    });
    let ask = || {
        connection
            .prepare_cached(sql)?
            .query_map(params![to, from, kind, rows(limit)], read)?
            .collect::<rusqlite::Result<Vec<_>>>()
    };
    let found = ask().map_err(|e| failed(&e))?;
    found
        .into_iter()
        .map(|(message, whole)| {
            let MessageId { to, from, kind } = message.id;
            let why = || format!("the message {} from {from} to {to}", kind.as_str());
            if whole { Ok(Arc::new(message)) } else { Err(Error::Corrupt(why())) }
        })
        .collect()
}

/// Writes what a batch says of the inbox.
pub(super) fn put_inbox(connection: &Connection, write: &InboxWrite) -> rusqlite::Result<()> {
    let MessageId { to, from, kind } = write.id();
    let (to, from, kind) = (to.to_string(), from.to_string(), kind.as_str());
    match write {
        InboxWrite::Sent(message) => {
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO inbox (recipient, sender, kind, body, crc)
                    VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![to, from, kind, message.body, check(message)])?;
        }
        InboxWrite::Consumed(_) => {
            connection
                .prepare_cached(
                    "DELETE FROM inbox WHERE recipient = ?1 AND sender = ?2 AND kind = ?3",
                )?
                .execute(params![to, from, kind])?;
        }
    }
    Ok(())
}

/// Reads a row, and whether it is what was written.
fn read(row: &Row<'_>) -> rusqlite::Result<(Message, bool)> {
    let kind = row.get_ref(2)?.as_str().map_err(|e| bad(2, e))?;
    let kind = MessageKind::parse(kind)
        .ok_or_else(|| bad(2, Unread(format!("`{kind}` is not the kind of a message"))))?;
    let id = MessageId { to: run_id(row, 0)?, from: run_id(row, 1)?, kind };
    let message = Message { id, body: row.get(3)? };
    let whole = i64::from(check(&message)) == row.get::<_, i64>(4)?;
    Ok((message, whole))
}

/// Returns the check of a message: over its name and its body.
pub(crate) fn check(message: &Message) -> u32 {
    let MessageId { to, from, kind } = message.id;
    let crc = crc32c::crc32c(&to.as_u128().to_le_bytes());
    let crc = crc32c::crc32c_append(crc, &from.as_u128().to_le_bytes());
    let crc = crc32c::crc32c_append(crc, kind.as_str().as_bytes());
    crc32c::crc32c_append(crc, message.body.as_bytes())
}
