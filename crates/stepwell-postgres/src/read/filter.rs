//! What a filter asks, as a condition on rows of `runs`.

use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::search::{Term, Value as Attribute};
use stepwell_core::time::Timestamp;
use stepwell_store::query::{Filter, IdPart};

use crate::lane::Sql;
use crate::value::{Text, uuid};

/// An id tells when its run was created. Ids are made from the same clock as `created_at`; this much
/// they may differ, so that an index can be entered near the place.
const SLACK: Duration = Duration::from_hours(1);

/// Tells whether rows have to be looked at one by one.
pub(super) fn is_looked_for(filter: &Filter) -> bool {
    filter.text.is_some() || matches!(filter.id, Some(IdPart::End { .. }))
}

/// Adds the condition: all that the filter asks but its statuses, and what [`is_looked_for`].
pub(super) fn conditions(sql: &mut Sql, filter: &Filter) {
    let namespace = sql.value(Text::from(&filter.namespace));
    sql.push(&format!("runs.namespace = {namespace}"));
    let texts = [("app", &filter.app), ("workflow", &filter.workflow), ("key", &filter.key)];
    for (column, text) in texts {
        if let Some(text) = text {
            let value = sql.value(Text::from(text));
            sql.push(&format!(" AND runs.{column} = {value}"));
        }
    }
    let first_after = |at: Timestamp| RunId::new(at, 0);
    let bounds = [
        (">=", filter.from, filter.from.map(|at| first_after(at.before(SLACK)))),
        ("<", filter.to, filter.to.map(|at| first_after(at.after(SLACK)))),
    ];
    for (op, at, run) in bounds {
        if let (Some(at), Some(run)) = (at, run) {
            let (at, run) = (sql.value(at.as_micros()), sql.value(uuid(run)));
            sql.push(&format!(" AND runs.created_at {op} {at} AND runs.id {op} {run}"));
        }
    }
    let whole = match filter.id {
        Some(IdPart::Whole(run)) => Some(run),
        Some(IdPart::End { .. }) | None => None,
    };
    let runs = [("id =", whole), ("parent =", filter.parent), ("id <", filter.before)];
    for (column, run) in runs {
        if let Some(run) = run {
            let value = sql.value(uuid(run));
            sql.push(&format!(" AND runs.{column} {value}"));
        }
    }
    for term in &filter.search {
        attribute(sql, term, filter);
    }
}

/// Adds that the status is one of those asked for.
pub(super) fn statuses(sql: &mut Sql, filter: &Filter) {
    if !filter.statuses.is_empty() {
        let words: Vec<&'static str> = filter.statuses.iter().map(|one| one.as_str()).collect();
        let words = sql.value(words);
        sql.push(&format!(" AND runs.status = ANY ({words}::text[])"));
    }
}

fn attribute(sql: &mut Sql, term: &Term, filter: &Filter) {
    let (namespace, name) =
        (sql.value(Text::from(&filter.namespace)), sql.value(Text::from(&term.name)));
    let op = term.op.as_str();
    let value = match &term.value {
        Attribute::Flag(flag) => {
            let value = sql.value(f64::from(u8::from(*flag)));
            format!("kind = 0 AND number {op} {value}")
        }
        Attribute::Number(number) => {
            let value = sql.value(number.as_f64());
            format!("kind = 1 AND number {op} {value}")
        }
        Attribute::Text(text) => {
            let value = sql.value(Text::from(&**text));
            format!("kind = 2 AND searches.text {op} {value}")
        }
    };
    sql.push(&format!(
        " AND EXISTS (SELECT FROM searches WHERE searches.run = runs.id
            AND searches.namespace = {namespace} AND searches.name = {name} AND {value})"
    ));
}
