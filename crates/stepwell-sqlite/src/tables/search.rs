//! Search attributes: a row for each attribute of a run (§9.4).

use std::sync::Arc;

use rusqlite::{Connection, ToSql, params};
use stepwell_core::search::{Term, Value, to_json};
use stepwell_core::summary::Summary;

/// The attributes of a row of `runs`, as a JSON object.
pub(super) const COLUMN: &str =
    "(SELECT json_group_object(name, json(value)) FROM searches WHERE run = runs.id)";

/// A value as the columns have it: its kind, its number, its text.
fn columns(value: &Value) -> (i64, Option<f64>, Option<&str>) {
    match value {
        Value::Flag(flag) => (0, Some(f64::from(u8::from(*flag))), None),
        Value::Number(number) => (1, number.as_f64(), None),
        Value::Text(text) => (2, None, Some(text)),
    }
}

/// Writes the attributes of a run in place of those before.
pub(super) fn put(connection: &Connection, row: &Summary) -> rusqlite::Result<()> {
    let run = row.id.to_string();
    connection.prepare_cached("DELETE FROM searches WHERE run = ?1")?.execute([&run])?;
    if row.search.is_empty() {
        return Ok(());
    }
    let mut put = connection.prepare_cached(
        "INSERT INTO searches (run, name, namespace, kind, number, text, value)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for (name, value) in &row.search {
        let (kind, number, text) = columns(value);
        let json = to_json(value);
        put.execute(params![run, name, row.namespace, kind, number, text, json])?;
    }
    Ok(())
}

type Values<'a> = Vec<Box<dyn ToSql + 'a>>;

/// Adds what is asked of attributes to a statement about `runs`.
pub(super) fn conditions<'a>(
    namespace: &'a Arc<str>,
    terms: &'a [Term],
    (sql, values): (&mut String, &mut Values<'a>),
) {
    for term in terms {
        let (kind, number, text) = columns(&term.value);
        let column = if text.is_some() { "text" } else { "number" };
        let op = term.op.as_str();
        sql.push_str(" AND id IN (SELECT run FROM searches WHERE namespace = ? AND name = ? AND kind = ? AND ");
        sql.push_str(column);
        sql.extend([" ", op, " ?)"]);
        values.push(Box::new(namespace));
        values.push(Box::new(&term.name));
        values.push(Box::new(kind));
        match text {
            Some(text) => values.push(Box::new(text)),
            None => values.push(Box::new(number)),
        }
    }
}
