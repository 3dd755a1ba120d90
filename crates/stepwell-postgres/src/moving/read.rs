//! Rows of tables, as moves have them.

use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_store::Error;
use stepwell_store::inbox::MessageKind;
use stepwell_store::moving::{Column, Field, Kind, Row, Type, event_of, message_of};
use tokio_postgres::Row as Stored;
use tokio_postgres::types::{FromSql, Type as SqlType};
use uuid::Uuid;

use super::desk::Desk;
use crate::check;
use crate::error::unread;
use crate::value::{Text, Value, kind as word, kind_of, run_id, uuid};

/// Bytes of a run's id.
const ID_BYTES: usize = 16;

/// Which of two tables tells what a key finds: with a source what it will find elsewhere, with a target what it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    From,
    To,
}

/// Returns the table of a kind.
pub(super) const fn table(kind: Kind) -> &'static str {
    match kind {
        Kind::Workflows => "workflows",
        Kind::Journals => "history",
        Kind::Runs => "runs",
        Kind::Attributes => "searches",
        Kind::Waits => "waits",
        Kind::Keys => "keys",
        Kind::Events => "events",
        Kind::Did => "did",
        Kind::Messages => "inbox",
        Kind::Namespaces => "namespaces",
        Kind::ApiKeys => "access_keys",
        Kind::Audit => "audit",
        Kind::Bulks => "bulks",
        Kind::BulkRuns => "bulk_runs",
        Kind::Facts => "meta",
    }
}

/// Tells whether rows of a kind have a check beside them.
pub(super) const fn is_checked(kind: Kind) -> bool {
    matches!(kind, Kind::Events | Kind::Messages)
}

fn places(kind: Kind) -> Vec<&'static str> {
    kind.columns().iter().take(kind.places()).map(|column| column.name).collect()
}

/// Returns what reads rows of a kind, without those that are left behind and without an order.
fn select(kind: Kind, side: Side) -> (String, Vec<String>) {
    let names: Vec<&str> = kind.columns().iter().map(|column| column.name).collect();
    let mut what = names.join(", ");
    let mut rules = Vec::new();
    let mut from = table(kind).to_owned();
    match kind {
        Kind::Runs => {
            // Counts stand in the last chunk of a journal.
            what = what
                .replace("steps", "last.steps")
                .replace("journal_bytes", "last.at_byte + octet_length(last.bytes)");
            from.push_str(
                " LEFT JOIN LATERAL (SELECT * FROM history WHERE run = runs.id
                    ORDER BY at_byte DESC LIMIT 1) AS last ON true",
            );
        }
        // What a key finds elsewhere: the first run that has it.
        Kind::Keys if side == Side::From => {
            what = "DISTINCT ON (namespace, key, app, workflow) namespace, key, app, workflow, id"
                .into();
            "runs".clone_into(&mut from);
            rules.push("key IS NOT NULL".to_owned());
        }
        Kind::Messages => rules.push(format!("kind <> {}", word(MessageKind::Ask))),
        _ => {}
    }
    if is_checked(kind) {
        what.push_str(", crc");
    }
    (format!("SELECT {what} FROM {from}"), rules)
}

/// Reads rows of a kind that has a table with its columns.
pub(super) fn each(
    desk: &Desk,
    (kind, side): (Kind, Side),
    after: Option<&[Field]>,
    hear: &mut dyn FnMut(Row) -> Result<(), Error>,
) -> Result<(), Error> {
    if kind == Kind::Journals {
        return journals(desk, after, hear);
    }
    let columns = kind.columns();
    let place = places(kind).join(", ");
    let (mut sql, mut rules) = select(kind, side);
    let after = after.unwrap_or_default();
    let values: Vec<Value> =
        after.iter().zip(columns).map(|(field, column)| value(field, column.of)).collect();
    if !values.is_empty() {
        let marks: Vec<String> = (1..=values.len()).map(|n| format!("${n}")).collect();
        rules.push(format!("({place}) > ({})", marks.join(", ")));
    }
    if !rules.is_empty() {
        sql = format!("{sql} WHERE {}", rules.join(" AND "));
    }
    let first = if kind == Kind::Keys && side == Side::From { ", id" } else { "" };
    sql = format!("{sql} ORDER BY {place}{first}");
    desk.each(&sql, values, |found| {
        let mut row = Vec::with_capacity(columns.len());
        for (at, column) in columns.iter().enumerate() {
            row.push(field(&found, at, (kind, column))?);
        }
        if is_checked(kind) {
            let crc: Option<i64> = get(&found, columns.len())?;
            // Of an event whose content went there is none.
            if crc.map_or(Ok(false), |crc| Ok(crc != check_of(kind, &row)?))? {
                let named = row.iter().take(kind.places()).map(|field| format!("{field:?}"));
                let named = named.collect::<Vec<_>>().join(", ");
                let why = format!("a row of {} is not what was written: {named}", kind.as_str());
                return Err(Error::Corrupt(why));
            }
        }
        hear(row)
    })
}

/// Returns the check that belongs beside a row.
pub(super) fn check_of(kind: Kind, row: &Row) -> Result<i64, Error> {
    match kind {
        Kind::Events => Ok(check::event(&event_of(row)?.event)),
        _ => Ok(check::message(&message_of(row)?)),
    }
}

/// Returns the place of the last row of a kind.
pub(super) fn last(desk: &Desk, kind: Kind) -> Result<Option<Vec<Field>>, Error> {
    let (table, names) = match kind {
        Kind::Journals => ("runs", vec!["id"]),
        _ => (table(kind), places(kind)),
    };
    let order: Vec<String> = names.iter().map(|name| format!("{name} DESC")).collect();
    let (names, order) = (names.join(", "), order.join(", "));
    let sql = format!("SELECT {names} FROM {table} ORDER BY {order} LIMIT 1");
    let Some(found) = desk.query(&sql, Vec::new())?.into_iter().next() else { return Ok(None) };
    let columns = kind.columns().iter().take(kind.places()).enumerate();
    columns
        .map(|(at, column)| field(&found, at, (kind, column)))
        .collect::<Result<_, _>>()
        .map(Some)
}

/// Reads journals, each put together of its chunks and checked.
fn journals(
    desk: &Desk,
    after: Option<&[Field]>,
    hear: &mut dyn FnMut(Row) -> Result<(), Error>,
) -> Result<(), Error> {
    let behind = after.and_then(|after| after.first()?.run()).unwrap_or(RunId::MIN);
    let sql = "SELECT run, at_byte, bytes, crc FROM history WHERE run > $1 ORDER BY run, at_byte";
    let mut open: Option<(RunId, Vec<u8>)> = None;
    desk.each(sql, vec![Box::new(uuid(behind))], |found| {
        let run = run_id(get::<Uuid>(&found, 0)?);
        let (at_byte, bytes): (i64, &[u8]) = (get(&found, 1)?, get(&found, 2)?);
        if let Some((done, journal)) = open.take_if(|(open, _)| *open != run) {
            hear(vec![Field::Run(done), Field::Bytes(journal)])?;
        }
        let (_, journal) = open.get_or_insert_with(|| (run, Vec::new()));
        let whole = check::chunk(run, at_byte, bytes) == get::<i64>(&found, 3)?;
        if !whole || i64::try_from(journal.len()) != Ok(at_byte) {
            let why = format!("the chunk at byte {at_byte} is not what was written");
            return Err(Error::Quarantined { run, why });
        }
        journal.extend_from_slice(bytes);
        Ok(())
    })?;
    open.map_or(Ok(()), |(run, journal)| hear(vec![Field::Run(run), Field::Bytes(journal)]))
}

fn get<'r, T: FromSql<'r>>(row: &'r Stored, at: usize) -> Result<T, Error> {
    row.try_get(at).map_err(|error| unread(&error))
}

/// Reads a value of a column.
fn field(row: &Stored, at: usize, (kind, column): (Kind, &Column)) -> Result<Field, Error> {
    let bad = || {
        let (kind, name) = (kind.as_str(), column.name);
        Error::Corrupt(format!("a row of {kind} has something else in `{name}`"))
    };
    let found = match column.of {
        Type::Text => get::<Option<Text>>(row, at)?.map(|text| Field::Text(text.0)),
        Type::Number => get::<Option<i64>>(row, at)?.map(Field::Number),
        Type::Small => get::<Option<i16>>(row, at)?.map(|number| Field::Number(i64::from(number))),
        Type::Flag => get::<Option<bool>>(row, at)?.map(Field::Flag),
        Type::Real => get::<Option<f64>>(row, at)?.map(Field::Real),
        Type::Bytes => get::<Option<Vec<u8>>>(row, at)?.map(Field::Bytes),
        Type::Run => get::<Option<Uuid>>(row, at)?.map(|id| Field::Run(run_id(id))),
        Type::Runs => get::<Option<Vec<Uuid>>>(row, at)?
            .map(|ids| Field::Bytes(ids.iter().flat_map(|id| *id.as_bytes()).collect())),
        Type::Word => match get::<Option<i16>>(row, at)? {
            Some(stored) => Some(Field::Text(kind_of(stored).ok_or_else(bad)?.as_str().into())),
            None => None,
        },
    };
    Ok(found.unwrap_or(Field::None))
}

/// Returns the type of a column in the database.
pub(super) const fn sql_type(of: Type) -> SqlType {
    match of {
        Type::Text => SqlType::TEXT,
        Type::Number => SqlType::INT8,
        Type::Small | Type::Word => SqlType::INT2,
        Type::Flag => SqlType::BOOL,
        Type::Real => SqlType::FLOAT8,
        Type::Bytes => SqlType::BYTEA,
        Type::Run => SqlType::UUID,
        Type::Runs => SqlType::UUID_ARRAY,
    }
}

/// Returns a value as a column takes it.
pub(super) fn value(field: &Field, of: Type) -> Value {
    let bytes = match field {
        Field::Bytes(bytes) => Some(bytes),
        _ => None,
    };
    match of {
        Type::Text => Box::new(field.text().map(Text::from)),
        Type::Number => Box::new(field.number()),
        Type::Small => Box::new(field.number().and_then(|number| i16::try_from(number).ok())),
        Type::Flag => Box::new(match field {
            Field::Flag(flag) => Some(*flag),
            _ => None,
        }),
        Type::Real => Box::new(match field {
            Field::Real(number) => Some(*number),
            _ => None,
        }),
        Type::Bytes => Box::new(bytes.cloned()),
        Type::Run => Box::new(field.run().map(uuid)),
        Type::Runs => Box::new(bytes.map(|bytes| {
            let (ids, _) = bytes.as_chunks::<ID_BYTES>();
            ids.iter().map(|id| Uuid::from_bytes(*id)).collect::<Vec<_>>()
        })),
        Type::Word => {
            let kind = field.text().and_then(|text: &Arc<str>| MessageKind::parse(text));
            Box::new(kind.map(word))
        }
    }
}
