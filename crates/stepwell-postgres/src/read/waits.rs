//! Parked waits, and messages between runs.

use std::sync::Arc;

use stepwell_core::matching::Leaves;
use stepwell_core::time::Timestamp;
use stepwell_core::wait::Wait;
use stepwell_store::Error;
use stepwell_store::inbox::{Message, MessageId};
use stepwell_store::query::EventName;
use tokio_postgres::Row;
use uuid::Uuid;

use super::row::get;
use crate::check;
use crate::lane::Sql;
use crate::session::Sessions;
use crate::value::{Text, kind, kind_of, leaf, leaf_of, rows, run_id, uuid};

/// Returns the waits for an event under these leaves, behind the given one, in their order.
pub(crate) fn waits_for(
    sessions: &Sessions,
    event: &EventName,
    leaves: &Leaves,
    (after, limit): (Option<&Wait>, usize),
) -> Result<Vec<Wait>, Error> {
    let mut sql = Sql::default();
    let (namespace, name) =
        (sql.value(Text::from(&event.namespace)), sql.value(Text::from(&event.name)));
    let bound = after.map(|wait| {
        let (leaf, run) = (sql.value(leaf(wait.leaf)), sql.value(uuid(wait.run)));
        let step = sql.value(Text::from(&wait.step));
        format!(" AND (leaf, run, step) > ({leaf}, {run}, {step})")
    });
    let bound = bound.unwrap_or_default();
    let limit = sql.value(rows(limit));
    let found = format!(
        "SELECT leaf, run, step, namespace, app, event, wanted, since FROM waits
        WHERE namespace = {namespace} AND event = {name}{bound}"
    );
    match leaves {
        Leaves::All => {
            sql.push(&format!("{found} ORDER BY leaf, run, step LIMIT {limit}"));
        }
        // Each leaf is entered at its place.
        Leaves::Each(leaves) => {
            let leaves: Vec<i64> = leaves.iter().copied().map(leaf).collect();
            let leaves = sql.value(leaves);
            sql.push(&format!(
                "SELECT found.* FROM unnest({leaves}::bigint[]) AS wanted_leaf CROSS JOIN LATERAL (
                    {found} AND leaf = wanted_leaf ORDER BY leaf, run, step LIMIT {limit}
                ) AS found ORDER BY leaf, run, step LIMIT {limit}"
            ));
        }
    }
    sessions.ask(sql.text, sql.values)?.iter().map(wait).collect()
}

fn wait(row: &Row) -> Result<Wait, Error> {
    let text = |at| get::<Text>(row, at).map(|text| text.0);
    Ok(Wait {
        leaf: leaf_of(get(row, 0)?),
        run: run_id(get(row, 1)?),
        step: text(2)?,
        namespace: text(3)?,
        app: text(4)?,
        event: text(5)?,
        wanted: get::<Option<Text>>(row, 6)?.map(|text| text.0),
        from: Timestamp::from_micros(get(row, 7)?),
    })
}

/// The columns that [`message`] takes.
pub(crate) const MESSAGE: &str = "inbox.recipient, inbox.sender, inbox.kind, inbox.body, inbox.crc";

/// Returns messages behind the given one, by receiver, sender and kind.
pub(crate) fn inbox(
    sessions: &Sessions,
    after: Option<&MessageId>,
    limit: usize,
) -> Result<Vec<Arc<Message>>, Error> {
    let mut sql = Sql::new(format!("SELECT {MESSAGE} FROM inbox"), Vec::new());
    if let Some(MessageId { to, from, kind: what }) = after {
        let (to, from, what) =
            (sql.value(uuid(*to)), sql.value(uuid(*from)), sql.value(kind(*what)));
        sql.push(&format!(" WHERE (recipient, sender, kind) > ({to}, {from}, {what})"));
    }
    let limit = sql.value(rows(limit));
    sql.push(&format!(" ORDER BY recipient, sender, kind LIMIT {limit}"));
    sessions.ask(sql.text, sql.values)?.iter().map(message).collect()
}

/// Reads a row of [`MESSAGE`].
///
/// # Errors
/// [`Error::Corrupt`] when it is not what was written.
pub(crate) fn message(row: &Row) -> Result<Arc<Message>, Error> {
    let (to, from) = (run_id(get::<Uuid>(row, 0)?), run_id(get::<Uuid>(row, 1)?));
    let stored: i16 = get(row, 2)?;
    let kind = kind_of(stored)
        .ok_or_else(|| Error::Corrupt(format!("`{stored}` is not the kind of a message")))?;
    let message = Message { id: MessageId { to, from, kind }, body: get::<Text>(row, 3)?.0 };
    if check::message(&message) != get::<i64>(row, 4)? {
        let kind = kind.as_str();
        return Err(Error::Corrupt(format!("the message {kind} from {from} to {to}")));
    }
    Ok(Arc::new(message))
}
