//! Events and what they did.

use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;
use stepwell_store::Error;
use stepwell_store::event::{Did, Event, EventId, Known, Place, Scope};
use stepwell_store::query::EventList;
use tokio_postgres::Row;
use uuid::Uuid;

use super::row::get;
use crate::check;
use crate::session::Sessions;
use crate::value::{Text, Value, maybe, rows, run_id, uuid};

/// The columns that [`read_event`] takes.
pub(crate) const EVENT: &str =
    "namespace, id, name, accepted_at, data, offer, app, workflow, run, key, routed, kept, crc";

/// Finds an event.
///
/// # Errors
/// [`Error::Corrupt`] when it is not what was written.
pub(crate) fn event(sessions: &Sessions, id: &EventId) -> Result<Option<Known>, Error> {
    let sql = format!("SELECT {EVENT} FROM events WHERE namespace = $1 AND id = $2");
    let values: Vec<Value> =
        vec![Box::new(Text::from(&id.namespace)), Box::new(Text::from(&id.id))];
    sessions.ask(sql, values)?.first().map(read_event).transpose()
}

/// Reads a row of [`EVENT`].
///
/// # Errors
/// [`Error::Corrupt`] when it is not what was written.
pub(crate) fn read_event(row: &Row) -> Result<Known, Error> {
    let text = |at| get::<Text>(row, at).map(|text| text.0);
    let some = |at| get::<Option<Text>>(row, at).map(|text| text.map(|text| text.0));
    let event = Event {
        id: EventId { namespace: text(0)?, id: text(1)? },
        name: text(2)?,
        accepted_at: Timestamp::from_micros(get(row, 3)?),
        data: some(4)?,
        offer: some(5)?,
        scope: Scope {
            app: some(6)?,
            workflow: some(7)?,
            run: get::<Option<Uuid>>(row, 8)?.map(run_id),
            key: some(9)?,
        },
    };
    // What is forgotten of has no check any more.
    if get::<Option<i64>>(row, 12)?.is_some_and(|crc| crc != check::event(&event)) {
        let EventId { namespace, id } = &event.id;
        return Err(Error::Corrupt(format!(
            "the event `{id}` of namespace `{namespace}` is not what was written (CRC32C)"
        )));
    }
    let (routed, kept) = (get(row, 10)?, get(row, 11)?);
    Ok(Known { event: Arc::new(event), routed, kept })
}

fn place(row: &Row) -> Result<Place, Error> {
    place_at(row, 0)
}

/// Reads an instant, a namespace and an id, from a column on.
pub(crate) fn place_at(row: &Row, at: usize) -> Result<Place, Error> {
    let text = |at| get::<Text>(row, at).map(|text| text.0);
    Ok(Place {
        accepted_at: Timestamp::from_micros(get(row, at)?),
        id: EventId { namespace: text(at + 1)?, id: text(at + 2)? },
    })
}

/// Returns events of a namespace that are kept, in the order that is asked for.
pub(crate) fn events_list(
    sessions: &Sessions,
    list: &EventList,
    (after, limit): (Option<&Place>, usize),
) -> Result<Vec<Place>, Error> {
    let EventList { namespace, name, from, newest } = list;
    let from = from.as_micros();
    let after = after.map(|place| (place.accepted_at.as_micros(), Text::from(&place.id.id)));
    let (bounds, order, (at, id)) = if *newest {
        let bounds = "accepted_at >= $3 AND (accepted_at, id) < ($4, $5)";
        (bounds, "DESC", after.unwrap_or_else(|| (i64::MAX, Text::from(""))))
    } else {
        // No event has an empty id.
        let bounds = "accepted_at >= $3 AND (accepted_at, id) > ($4, $5)";
        let first = || (from, Text::from(""));
        (bounds, "ASC", after.filter(|(at, _)| *at >= from).unwrap_or_else(first))
    };
    let named = if name.is_some() { "name = $2" } else { "$2::text IS NULL" };
    let sql = format!(
        "SELECT accepted_at, namespace, id FROM events
        WHERE kept AND namespace = $1 AND {named} AND {bounds}
        ORDER BY accepted_at {order}, id {order} LIMIT $6"
    );
    let values: Vec<Value> = vec![
        Box::new(Text::from(namespace)),
        Box::new(maybe(name.as_ref())),
        Box::new(from),
        Box::new(at),
        Box::new(id),
        Box::new(rows(limit)),
    ];
    sessions.ask(sql, values)?.iter().map(place).collect()
}

/// Returns events that have not done all that they do, by (instant, namespace, id).
pub(crate) fn unrouted(
    sessions: &Sessions,
    after: Option<&Place>,
    limit: usize,
) -> Result<Vec<Place>, Error> {
    let sql = "SELECT accepted_at, namespace, id FROM events
        WHERE NOT routed AND (accepted_at, namespace, id) > ($1, $2, $3)
        ORDER BY accepted_at, namespace, id LIMIT $4";
    let (at, namespace, id) = after.map_or_else(
        || (i64::MIN, Text::from(""), Text::from("")),
        |place| {
            let EventId { namespace, id } = &place.id;
            (place.accepted_at.as_micros(), Text::from(namespace), Text::from(id))
        },
    );
    let values: Vec<Value> =
        vec![Box::new(at), Box::new(namespace), Box::new(id), Box::new(rows(limit))];
    sessions.ask(sql, values)?.iter().map(place).collect()
}

/// Returns what an event did, by (run, step).
pub(crate) fn did(
    sessions: &Sessions,
    event: &EventId,
    (after, limit): (Option<&Did>, usize),
) -> Result<Vec<Did>, Error> {
    let sql = "SELECT run, step FROM did WHERE namespace = $1 AND event = $2
            AND (run, step) > ($3, $4)
        ORDER BY run, step LIMIT $5";
    // No step comes before any step.
    let step = after.and_then(|did| did.step.as_deref()).unwrap_or_default();
    let values: Vec<Value> = vec![
        Box::new(Text::from(&event.namespace)),
        Box::new(Text::from(&event.id)),
        Box::new(uuid(after.map_or(RunId::MIN, |did| did.run))),
        Box::new(Text::from(step)),
        Box::new(rows(limit)),
    ];
    let read = |row: &Row| {
        let step = get::<Text>(row, 1)?.0;
        let step = (!step.is_empty()).then_some(step);
        Ok(Did { run: run_id(get(row, 0)?), step })
    };
    sessions.ask(sql, values)?.iter().map(read).collect()
}
