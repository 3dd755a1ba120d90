//! Search attributes: a row for each attribute of a run (§9.4).

use std::sync::Arc;

use rusqlite::{Connection, params};
use stepwell_core::search::{Op, Term, Value, to_json};
use stepwell_core::summary::Summary;
use stepwell_store::query::Filter;

use super::check::{Values, scalars};
use super::walk::Bounds;

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
        "INSERT INTO searches (run, name, namespace, kind, number, text, value, app, workflow, status,
            created_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    for (name, value) in &row.search {
        let (kind, number, text) = columns(value);
        let json = to_json(value);
        let created_at = row.created_at.as_micros();
        put.execute(params![
            run,
            name,
            row.namespace,
            kind,
            number,
            text,
            json,
            row.app,
            row.workflow,
            row.status.as_str(),
            created_at
        ])?;
    }
    Ok(())
}

/// Everything that is asked of one attribute and type.
pub(super) struct Span<'a> {
    name: &'a Arc<str>,
    kind: i64,
    terms: Vec<&'a Term>,
}

/// Puts terms on one attribute together: all of them bound one place of an index.
pub(super) fn spans(terms: &[Term]) -> Vec<Span<'_>> {
    let mut spans: Vec<Span<'_>> = Vec::new();
    for term in terms {
        let (kind, _, _) = columns(&term.value);
        match spans.iter_mut().find(|span| *span.name == term.name && span.kind == kind) {
            Some(span) => span.terms.push(term),
            None => spans.push(Span { name: &term.name, kind, terms: vec![term] }),
        }
    }
    spans
}

impl<'a> Span<'a> {
    /// Tells whether one value is asked for: the index then has the runs in their order.
    pub(super) fn is_exact(&self) -> bool {
        self.terms.iter().any(|term| term.op == Op::Eq)
    }

    /// Returns what reads the index: the columns of runs that have such an attribute, and are as a
    /// filter asks otherwise.
    pub(super) fn select(
        &self,
        what: &str,
        filter: &'a Filter,
        bounds: &'a Bounds,
    ) -> (String, Values<'a>) {
        let mut values: Values<'a> = vec![Box::new(&filter.namespace)];
        let mut sql =
            format!("SELECT {what} FROM searches INDEXED BY searches_term WHERE namespace = ?");
        self.conditions(&mut sql, &mut values);
        // Only behind one value is there an order of runs.
        sql.push_str(" AND run < ? AND run >= ?");
        values.push(Box::new(&bounds.below));
        values.push(Box::new(&bounds.at_least));
        scalars(filter, &mut sql, &mut values);
        (sql, values)
    }

    fn conditions(&self, sql: &mut String, values: &mut Values<'a>) {
        sql.push_str(" AND name = ? AND kind = ?");
        values.push(Box::new(self.name));
        values.push(Box::new(self.kind));
        for term in &self.terms {
            let (_, number, text) = columns(&term.value);
            let op = term.op.as_str();
            if let Some(text) = text {
                sql.extend([" AND number IS NULL AND text ", op, " ?"]);
                values.push(Box::new(text));
            } else {
                sql.extend([" AND number ", op, " ? AND text IS NULL"]);
                values.push(Box::new(number));
            }
        }
    }
}

/// Adds what is asked of attributes to a statement about a row of `runs`.
pub(super) fn each_exists<'a>(terms: &'a [Term], sql: &mut String, values: &mut Values<'a>) {
    for span in spans(terms) {
        sql.push_str(" AND EXISTS (SELECT 1 FROM searches WHERE run = runs.id");
        span.conditions(sql, values);
        sql.push(')');
    }
}
