//! Acts on many runs in the ledger: a row of JSON for each, and portions of runs while it goes on.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};
use stepwell_access::Bulk;
use stepwell_access::ledger::BulkAsk;
use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;

use super::sqlite::Sql;

/// Bytes of a run's id.
const ID_BYTES: usize = 16;

pub(super) fn list(sql: &Connection, ask: &BulkAsk) -> Sql<Vec<Bulk>> {
    // One statement for each, so that the index is used.
    let open = if ask.open { "ended_at IS NULL" } else { "1" };
    let select = format!(
        "SELECT body FROM bulks WHERE {open} AND (?1 IS NULL OR namespace = ?1) ORDER BY n DESC LIMIT ?2"
    );
    let limit = i64::try_from(ask.limit).unwrap_or(i64::MAX);
    let values = params![ask.namespace.as_deref(), limit];
    sql.prepare_cached(&select)?.query_map(values, bulk)?.collect()
}

pub(super) fn one(sql: &Connection, id: &str) -> Sql<Option<Bulk>> {
    sql.query_row("SELECT body FROM bulks WHERE id = ?1", [id], bulk).optional()
}

pub(super) fn of_key(sql: &Connection, namespace: &str, key: &str) -> Sql<Option<Bulk>> {
    let select = "SELECT body FROM bulks WHERE namespace = ?1 AND key = ?2";
    sql.query_row(select, [namespace, key], bulk).optional()
}

pub(super) fn put(sql: &Connection, bulk: &Bulk, portion: Option<&[RunId]>) -> Sql<()> {
    let put = "INSERT INTO bulks (id, namespace, key, ended_at, body) VALUES (?1, ?2, ?3, ?4, ?5) \
               ON CONFLICT (id) DO UPDATE SET ended_at = ?4, body = ?5";
    let ended_at = bulk.ended_at.map(Timestamp::as_micros);
    sql.execute(put, params![bulk.id, &*bulk.namespace, bulk.key, ended_at, bulk.to_json()])?;
    if let Some(runs) = portion {
        let bytes: Vec<u8> = runs.iter().flat_map(|run| run.as_u128().to_be_bytes()).collect();
        let next = "SELECT count(*) FROM bulk_runs WHERE bulk = ?1";
        let number: i64 = sql.query_row(next, [&bulk.id], |row| row.get(0))?;
        let put = "INSERT INTO bulk_runs (bulk, portion, runs) VALUES (?1, ?2, ?3)";
        sql.execute(put, params![bulk.id, number, bytes])?;
    }
    if bulk.state.is_ended() {
        sql.execute("DELETE FROM bulk_runs WHERE bulk = ?1", [&bulk.id])?;
    }
    Ok(())
}

pub(super) fn portion(sql: &Connection, id: &str, portion: u32) -> Sql<Vec<RunId>> {
    let select = "SELECT runs FROM bulk_runs WHERE bulk = ?1 AND portion = ?2";
    let bytes: Option<Vec<u8>> =
        sql.query_row(select, params![id, portion], |row| row.get(0)).optional()?;
    let (ids, _) = bytes.as_deref().unwrap_or_default().as_chunks::<ID_BYTES>();
    Ok(ids.iter().map(|id| RunId::from_u128(u128::from_be_bytes(*id))).collect())
}

pub(super) fn forget(sql: &Connection, before: Timestamp) -> Sql<()> {
    sql.execute("DELETE FROM bulks WHERE ended_at < ?1", [before.as_micros()]).map(drop)
}

pub(super) fn forget_namespace(sql: &Connection, name: &str) -> Sql<()> {
    let runs = "DELETE FROM bulk_runs WHERE bulk IN (SELECT id FROM bulks WHERE namespace = ?1)";
    sql.execute(runs, [name])?;
    sql.execute("DELETE FROM bulks WHERE namespace = ?1", [name]).map(drop)
}

fn bulk(row: &Row<'_>) -> Sql<Bulk> {
    let body: String = row.get(0)?;
    Bulk::from_json(&body)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))
}
