//! Rows of tables and ledger, as moves have them.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, params_from_iter};
use stepwell_core::id::RunId;
use stepwell_store::Error;
use stepwell_store::inbox::MessageKind;
use stepwell_store::moving::{Column, Field, Kind, Row, Type, event_of, message_of};

use crate::tables::{self, event_check, failed, message_check};

/// Tells of each row.
pub(super) type Hear<'h> = &'h mut dyn FnMut(Row) -> Result<(), Error>;

/// Returns the table of a kind.
pub(super) const fn table(kind: Kind) -> &'static str {
    match kind {
        Kind::Workflows => "workflows",
        Kind::Journals => "history",
        Kind::Runs | Kind::Keys => "runs",
        Kind::Attributes => "searches",
        Kind::Waits => "waits",
        Kind::Events => "events",
        Kind::Did => "event_runs",
        Kind::Messages => "inbox",
        Kind::Namespaces => "namespaces",
        Kind::ApiKeys => "keys",
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

/// Returns the names of the columns of a kind that say where a row stands.
fn places(kind: Kind) -> Vec<&'static str> {
    kind.columns().iter().take(kind.places()).map(|column| column.name).collect()
}

/// Reads rows of a kind that has a table with its columns.
pub(super) fn each(
    connection: &Connection,
    kind: Kind,
    after: Option<&[Field]>,
    hear: Hear<'_>,
) -> Result<(), Error> {
    if kind == Kind::Journals {
        return journals(connection, after, hear);
    }
    let columns = kind.columns();
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    let mut what = names.join(", ");
    let mut rules: Vec<String> = Vec::new();
    let mut group = String::new();
    let place = places(kind).join(", ");
    match kind {
        Kind::Keys => {
            what = format!("{place}, min(id)");
            rules.push("key IS NOT NULL".into());
            group = format!("GROUP BY {place}");
        }
        Kind::Messages => rules.push(format!("kind <> '{}'", MessageKind::Ask.as_str())),
        _ => {}
    }
    if is_checked(kind) {
        what.push_str(", crc");
    }
    let values: Vec<Value> = after.unwrap_or_default().iter().map(value).collect();
    if !values.is_empty() {
        let marks = vec!["?"; values.len()].join(", ");
        rules.push(format!("({place}) > ({marks})"));
    }
    let rules =
        if rules.is_empty() { String::new() } else { format!("WHERE {}", rules.join(" AND ")) };
    let sql = format!("SELECT {what} FROM {} {rules} {group} ORDER BY {place}", table(kind));
    let mut statement = connection.prepare(&sql).map_err(|e| failed(&e))?;
    let mut rows = statement.query(params_from_iter(values)).map_err(|e| failed(&e))?;
    while let Some(found) = rows.next().map_err(|e| failed(&e))? {
        let mut row = Vec::with_capacity(columns.len());
        for (at, column) in columns.iter().enumerate() {
            row.push(field(found.get_ref(at).map_err(|e| failed(&e))?, kind, column)?);
        }
        if is_checked(kind) {
            let crc: i64 = found.get(columns.len()).map_err(|e| failed(&e))?;
            if crc != i64::from(check_of(kind, &row)?) {
                let named = row.iter().take(kind.places()).map(|field| format!("{field:?}"));
                let named = named.collect::<Vec<_>>().join(", ");
                let why = format!("a row of {} is not what was written: {named}", kind.as_str());
                return Err(Error::Corrupt(why));
            }
        }
        hear(row)?;
    }
    Ok(())
}

/// Returns the check that belongs beside a row.
pub(super) fn check_of(kind: Kind, row: &Row) -> Result<u32, Error> {
    match kind {
        Kind::Events => Ok(event_check(&event_of(row)?.event)),
        _ => Ok(message_check(&message_of(row)?)),
    }
}

/// Returns the place of the last row of a kind.
pub(super) fn last(connection: &Connection, kind: Kind) -> Result<Option<Vec<Field>>, Error> {
    let (table, names) = match kind {
        Kind::Journals => ("runs", vec!["id"]),
        _ => (table(kind), places(kind)),
    };
    let order: Vec<String> = names.iter().map(|name| format!("{name} DESC")).collect();
    let (names, order) = (names.join(", "), order.join(", "));
    let sql = format!("SELECT {names} FROM {table} ORDER BY {order} LIMIT 1");
    let mut statement = connection.prepare(&sql).map_err(|e| failed(&e))?;
    let mut rows = statement.query([]).map_err(|e| failed(&e))?;
    let Some(found) = rows.next().map_err(|e| failed(&e))? else { return Ok(None) };
    let columns = kind.columns().iter().take(kind.places()).enumerate();
    columns
        .map(|(at, column)| field(found.get_ref(at).map_err(|e| failed(&e))?, kind, column))
        .collect::<Result<_, _>>()
        .map(Some)
}

/// Reads journals, each put together of its chunks and checked.
fn journals(connection: &Connection, after: Option<&[Field]>, hear: Hear<'_>) -> Result<(), Error> {
    let behind = after.and_then(|after| after.first()?.run());
    let behind = behind.map(|run| run.to_string()).unwrap_or_default();
    let sql = "SELECT DISTINCT run FROM history WHERE run > ?1 ORDER BY run";
    let mut statement = connection.prepare(sql).map_err(|e| failed(&e))?;
    let mut rows = statement.query([behind]).map_err(|e| failed(&e))?;
    while let Some(row) = rows.next().map_err(|e| failed(&e))? {
        let run: String = row.get(0).map_err(|e| failed(&e))?;
        let run: RunId = run.parse().map_err(|_| bad(Kind::Journals, "run"))?;
        let journal = tables::chunks(connection, run).map_err(|e| failed(&e))?;
        let journal = journal.map_err(|why| Error::Quarantined { run, why })?;
        hear(vec![Field::Run(run), Field::Bytes(journal.unwrap_or_default())])?;
    }
    Ok(())
}

/// Reads a value of a column.
fn field(found: ValueRef<'_>, kind: Kind, column: &Column) -> Result<Field, Error> {
    let bad = || bad(kind, column.name);
    Ok(match (found, column.of) {
        (ValueRef::Null, _) => Field::None,
        (ValueRef::Text(text), Type::Text | Type::Word) => {
            Field::Text(std::str::from_utf8(text).map_err(|_| bad())?.into())
        }
        (ValueRef::Text(text), Type::Run) => {
            let text = std::str::from_utf8(text).map_err(|_| bad())?;
            Field::Run(text.parse().map_err(|_| bad())?)
        }
        (ValueRef::Integer(number), Type::Number | Type::Small) => Field::Number(number),
        (ValueRef::Integer(number), Type::Flag) => Field::Flag(number != 0),
        (ValueRef::Real(number), Type::Real) => Field::Real(number),
        (ValueRef::Blob(bytes), Type::Bytes | Type::Runs) => Field::Bytes(bytes.to_vec()),
        _ => return Err(bad()),
    })
}

fn bad(kind: Kind, column: &str) -> Error {
    Error::Corrupt(format!("a row of {} has something else in `{column}`", kind.as_str()))
}

/// Returns a value as a column takes it.
pub(super) fn value(field: &Field) -> Value {
    match field {
        Field::None => Value::Null,
        Field::Flag(flag) => Value::Integer(i64::from(*flag)),
        Field::Number(number) => Value::Integer(*number),
        Field::Real(number) => Value::Real(*number),
        Field::Text(text) => Value::Text(text.to_string()),
        Field::Bytes(bytes) => Value::Blob(bytes.clone()),
        Field::Run(run) => Value::Text(run.to_string()),
    }
}
