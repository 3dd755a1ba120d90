//! Journals, and all that follows from them, in bulk.

use stepwell_core::summary::Summary;
use stepwell_store::Error;
use stepwell_store::moving::{Derived, Row, journal_of};
use tokio_postgres::types::Type;

use super::desk::Desk;
use crate::check;
use crate::value::{
    Text, Value, attribute, attributes_text, error_text, leaf, maybe, micros, uuid,
};

/// Columns of a table, each with its type.
type Columns = [(&'static str, Type)];

const RUNS: &Columns = &[
    ("id", Type::UUID),
    ("parent", Type::UUID),
    ("created_at", Type::INT8),
    ("started_at", Type::INT8),
    ("ended_at", Type::INT8),
    ("ready_at", Type::INT8),
    ("timer_at", Type::INT8),
    ("owner", Type::INT8),
    ("away_idle", Type::BOOL),
    ("active", Type::BOOL),
    ("status", Type::TEXT),
    ("namespace", Type::TEXT),
    ("app", Type::TEXT),
    ("workflow", Type::TEXT),
    ("key", Type::TEXT),
    ("version", Type::TEXT),
    ("runner", Type::TEXT),
    ("shuns", Type::TEXT),
    ("blocked", Type::TEXT),
    ("error", Type::TEXT),
    ("search", Type::TEXT),
];

const HISTORY: &Columns = &[
    ("run", Type::UUID),
    ("at_byte", Type::INT8),
    ("steps", Type::INT8),
    ("steps_ended", Type::INT8),
    ("steps_failed", Type::INT8),
    ("crc", Type::INT8),
    ("bytes", Type::BYTEA),
];

const SEARCHES: &Columns = &[
    ("run", Type::UUID),
    ("namespace", Type::TEXT),
    ("name", Type::TEXT),
    ("kind", Type::INT2),
    ("number", Type::FLOAT8),
    ("text", Type::TEXT),
];

const WAITS: &Columns = &[
    ("namespace", Type::TEXT),
    ("event", Type::TEXT),
    ("leaf", Type::INT8),
    ("run", Type::UUID),
    ("step", Type::TEXT),
    ("app", Type::TEXT),
    ("wanted", Type::TEXT),
    ("since", Type::INT8),
];

/// Writes journals, rows, keys, attributes and waits of runs. What a runner holds gets an owner.
pub(super) fn journals(desk: &Desk, owner: i64, rows: Vec<Row>) -> Result<(), Error> {
    let mut runs: Vec<Vec<Value>> = Vec::with_capacity(rows.len());
    let mut history: Vec<Vec<Value>> = Vec::with_capacity(rows.len());
    let (mut searches, mut waits) = (Vec::new(), Vec::new());
    let mut keyed: Vec<Summary> = Vec::new();
    for row in rows {
        let (run, journal) = journal_of(row)?;
        let derived = Derived::of(run, &journal)?;
        let row = &derived.summary;
        searches.extend(row.search.iter().map(|(name, value)| -> Vec<Value> {
            let (kind, number, text) = attribute(value);
            vec![
                Box::new(uuid(run)),
                Box::new(Text::from(&row.namespace)),
                Box::new(Text::from(name)),
                Box::new(kind),
                Box::new(number),
                Box::new(text),
            ]
        }));
        waits.extend(derived.waits.iter().map(|wait| -> Vec<Value> {
            vec![
                Box::new(Text::from(&wait.namespace)),
                Box::new(Text::from(&wait.event)),
                Box::new(leaf(wait.leaf)),
                Box::new(uuid(wait.run)),
                Box::new(Text::from(&wait.step)),
                Box::new(Text::from(&wait.app)),
                Box::new(maybe(wait.wanted.as_ref())),
                Box::new(wait.from.as_micros()),
            ]
        }));
        history.push(vec![
            Box::new(uuid(run)),
            Box::new(0_i64),
            Box::new(i64::from(row.steps)),
            Box::new(i64::from(row.steps_ended)),
            Box::new(i64::from(row.steps_failed)),
            Box::new(check::chunk(run, 0, &journal)),
            Box::new(journal),
        ]);
        runs.push(row_of(&derived, owner));
        if derived.summary.key.is_some() {
            keyed.push(derived.summary);
        }
    }
    for (table, columns, rows) in [
        ("runs", RUNS, runs),
        ("history", HISTORY, history),
        ("searches", SEARCHES, searches),
        ("waits", WAITS, waits),
    ] {
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let types = columns.iter().map(|(_, of)| of.clone()).collect();
        desk.copy((table, &names), types, rows)?;
    }
    keys(desk, &keyed)
}

fn row_of(derived: &Derived, owner: i64) -> Vec<Value> {
    let Derived { summary: row, needs, .. } = derived;
    let runner = needs.as_ref().and_then(|needs| needs.runner.as_ref());
    let shuns = needs.as_ref().and_then(|needs| needs.shuns.as_ref());
    vec![
        Box::new(uuid(row.id)),
        Box::new(row.parent.map(uuid)),
        Box::new(row.created_at.as_micros()),
        Box::new(micros(row.started_at)),
        Box::new(micros(row.ended_at)),
        Box::new(micros(row.ready_since)),
        Box::new(micros(row.timer_at)),
        Box::new(row.active.then_some(owner)),
        Box::new(false),
        Box::new(row.active),
        Box::new(row.status.as_str()),
        Box::new(Text::from(&row.namespace)),
        Box::new(Text::from(&row.app)),
        Box::new(Text::from(&row.workflow)),
        Box::new(maybe(row.key.as_ref())),
        Box::new(maybe(row.version.as_ref())),
        Box::new(maybe(runner)),
        Box::new(maybe(shuns)),
        Box::new(row.blocked.as_deref().map(Text::from)),
        Box::new(error_text(row)),
        Box::new(attributes_text(row)),
    ]
}

/// Writes which runs keys find. Of several runs with one key, the first has it: runs come in their order.
fn keys(desk: &Desk, rows: &[Summary]) -> Result<(), Error> {
    let texts = |pick: fn(&Summary) -> Option<Text>| -> Vec<Option<Text>> {
        rows.iter().map(pick).collect()
    };
    let sql = "INSERT INTO keys (namespace, app, workflow, key, run)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::uuid[])
        ON CONFLICT DO NOTHING";
    let values: Vec<Value> = vec![
        Box::new(texts(|row| Some(Text::from(&row.namespace)))),
        Box::new(texts(|row| Some(Text::from(&row.app)))),
        Box::new(texts(|row| Some(Text::from(&row.workflow)))),
        Box::new(texts(|row| maybe(row.key.as_ref()))),
        Box::new(rows.iter().map(|row| uuid(row.id)).collect::<Vec<_>>()),
    ];
    desk.query(sql, values).map(drop)
}
