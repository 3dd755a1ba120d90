//! Claiming what is free. Each claim is one statement: it locks what it finds, then the row of its member,
//! and takes what it found where that is one.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;
use stepwell_store::Error;
use stepwell_store::event::Place;
use stepwell_store::query::Queue;
use stepwell_store::shared::{Away, Claim, Crew};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::lane::{Sql, column};
use crate::member::{MEMBER, asking, locked};
use crate::read::{self, Journal};
use crate::store::{Postgres, Writer};
use crate::value::{Text, rows, run_id, uuids};

/// What stands between a table `found`, whose rows are locked, and what is done to them: that somebody claims who
/// may. Where nothing was found, nothing is locked, and so nothing has to become durable.
fn fence() -> String {
    format!(", fence AS MATERIALIZED ({MEMBER} AND EXISTS (SELECT FROM found) FOR NO KEY UPDATE)")
}

/// Says at the end what was claimed, from a table `claimed`; and that, in the first column, somebody
/// claimed who may. Without anything claimed there is one row of nulls.
fn told(columns: &str) -> String {
    format!(
        " SELECT CASE WHEN EXISTS (SELECT FROM found) THEN (SELECT count(*) FROM fence)
            ELSE (SELECT count(*) FROM ({MEMBER}) AS me) END, {columns}
        FROM (SELECT) AS one LEFT JOIN claimed ON true"
    )
}

/// Returns the rows of a statement that ends with [`told`].
///
/// # Errors
/// [`Error::Fenced`] for who is no member; as [`crate::lane::Lane::write`].
fn run(store: &Postgres, writer: &mut Writer, sql: Sql) -> Result<Vec<Row>, Error> {
    let mut found = writer.lane.write(&store.sessions.line, sql)?;
    let fence: i64 = found.first().map_or(Ok(0), |row| column(row, 0))?;
    if fence == 0 {
        return Err(Error::Fenced);
    }
    let mut kept = Vec::with_capacity(found.len());
    for row in found.drain(..) {
        if is_there(&row)? {
            kept.push(row);
        }
    }
    Ok(kept)
}

/// The second column of everything that is claimed says that something is.
fn is_there(row: &Row) -> Result<bool, Error> {
    column::<Option<bool>>(row, 1).map(|there| there == Some(true))
}

/// Claims runs, and reads their journals.
pub(crate) fn claim(store: &Postgres, runs: &[RunId]) -> Result<Vec<Claim>, Error> {
    let mut writer = locked(&store.writer);
    let mut sql = asking(&store.me);
    let ids = sql.value(uuids(runs));
    // Locked in the order of their ids, so that two members never wait for each other.
    sql.push(&format!(
        "WITH found AS MATERIALIZED (SELECT id, away_until, away_idle FROM runs
            WHERE id = ANY ({ids}::uuid[]) AND owner IS NULL ORDER BY id FOR NO KEY UPDATE)
        {}
        , taken AS (UPDATE runs SET owner = $1 FROM found
            WHERE runs.id = found.id AND EXISTS (SELECT FROM fence))
        , claimed AS (SELECT true AS there, runs.id,
                found.id IS NOT NULL OR coalesce(runs.owner = $1, false) AS mine,
                CASE WHEN found.id IS NULL THEN runs.away_until ELSE found.away_until END
                    AS away_until,
                CASE WHEN found.id IS NULL THEN runs.away_idle ELSE found.away_idle END
                    AS away_idle
            FROM runs LEFT JOIN found ON found.id = runs.id
            WHERE runs.id = ANY ({ids}::uuid[]))",
        fence()
    ));
    sql.push(&told("there, id, mine, away_until, away_idle"));
    let mut states: FxHashMap<RunId, State> = FxHashMap::default();
    for row in run(store, &mut writer, sql)? {
        let run = run_id(column::<Uuid>(&row, 2)?);
        let until: Option<i64> = column(&row, 4)?;
        let away = match until {
            Some(until) => {
                Some(Away { until: Timestamp::from_micros(until), idle: column(&row, 5)? })
            }
            None => None,
        };
        states.insert(run, State { is_mine: column(&row, 3)?, away });
    }
    let mine: Vec<RunId> =
        states.iter().filter(|(_, state)| state.is_mine).map(|(run, _)| *run).collect();
    let journals = journals(store, &mut writer, &mine)?;
    let answer = |run: &RunId| match states.get(run) {
        None => Claim::Missing,
        Some(State { is_mine: false, .. }) => Claim::Elsewhere,
        Some(State { is_mine: true, away }) => match journals.get(run) {
            Some(Journal::Whole(journal)) => Claim::Mine { journal: journal.clone(), away: *away },
            Some(Journal::Damaged(why)) => {
                locked(&store.damaged).insert(*run);
                Claim::Damaged(why.clone())
            }
            Some(Journal::Missing) | None => Claim::Missing,
        },
    };
    Ok(runs.iter().map(answer).collect())
}

/// What a claim found.
struct State {
    is_mine: bool,
    away: Option<Away>,
}

/// Reads journals, behind the claim: what a claim that waited saw may be older than what it waited for.
fn journals(
    store: &Postgres,
    writer: &mut Writer,
    runs: &[RunId],
) -> Result<BTreeMap<RunId, Journal>, Error> {
    if runs.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut sql = Sql::default();
    let ids = sql.value(uuids(runs));
    sql.push(&format!(
        "SELECT history.at_byte, history.bytes, history.crc, runs.id
        FROM runs LEFT JOIN history ON history.run = runs.id
        WHERE runs.id = ANY ({ids}::uuid[]) ORDER BY runs.id, history.at_byte"
    ));
    let found = writer.lane.read(&store.sessions.line, sql)?;
    let mut ids = Vec::with_capacity(found.len());
    for row in &found {
        ids.push(run_id(column::<Uuid>(row, 3)?));
    }
    let mut journals = BTreeMap::new();
    let both: Vec<(RunId, &Row)> = ids.into_iter().zip(&found).collect();
    for chunks in both.chunk_by(|(one, _), (next, _)| one == next) {
        if let Some((run, _)) = chunks.first() {
            journals.insert(*run, read::join(*run, chunks.iter().map(|(_, row)| *row))?);
        }
    }
    Ok(journals)
}

/// Claims free runs whose timer is due, or whose runner may not come back any more.
pub(crate) fn claim_due(
    store: &Postgres,
    until: Timestamp,
    limit: usize,
) -> Result<Vec<RunId>, Error> {
    let mut writer = locked(&store.writer);
    let mut sql = asking(&store.me);
    let (until, limit) = (sql.value(until.as_micros()), sql.value(rows(limit)));
    let damaged = sql.value(uuids(&store.left_out()));
    let found = |name: &str, at: &str| {
        format!(
            "{name} AS MATERIALIZED (SELECT id, {at} AS at FROM runs
                WHERE {at} <= {until} AND owner IS NULL AND id <> ALL ({damaged}::uuid[])
                ORDER BY {at}, id LIMIT {limit} FOR NO KEY UPDATE SKIP LOCKED)"
        )
    };
    sql.push(&format!(
        "WITH {}, {}, found AS MATERIALIZED (SELECT id, min(at) AS at
            FROM (SELECT * FROM timers UNION ALL SELECT * FROM aways) AS either
            GROUP BY id ORDER BY min(at), id LIMIT {limit})
        {}
        , claimed AS (UPDATE runs SET owner = $1 FROM found
            WHERE runs.id = found.id AND EXISTS (SELECT FROM fence)
            RETURNING true AS there, runs.id, found.at)",
        found("timers", "timer_at"),
        found("aways", "away_until"),
        fence()
    ));
    sql.push(&told("there, id, at"));
    let mut claimed: Vec<(i64, RunId)> = Vec::new();
    for row in run(store, &mut writer, sql)? {
        claimed.push((column(&row, 3)?, run_id(column::<Uuid>(&row, 2)?)));
    }
    claimed.sort_unstable();
    Ok(claimed.into_iter().map(|(_, run)| run).collect())
}

/// Claims free runs of a workflow that want a runner, and for which one of this crew will do.
pub(crate) fn claim_ready(
    store: &Postgres,
    queue: &Queue,
    (crew, limit): (&Crew, usize),
) -> Result<Vec<(Timestamp, RunId)>, Error> {
    let mut writer = locked(&store.writer);
    let mut sql = asking(&store.me);
    let Queue { namespace, app, workflow } = queue;
    let [namespace, app, workflow] =
        [namespace, app, workflow].map(|text| sql.value(Text::from(text)));
    let texts =
        |texts: &[std::sync::Arc<str>]| -> Vec<Text> { texts.iter().map(Text::from).collect() };
    let (names, builds) = (sql.value(texts(&crew.names)), sql.value(texts(&crew.builds)));
    let unshunned = sql.value(crew.unshunned.as_micros());
    let (limit, damaged) = (sql.value(rows(limit)), sql.value(uuids(&store.left_out())));
    sql.push(&format!(
        "WITH found AS MATERIALIZED (SELECT id, ready_at FROM runs
            WHERE namespace = {namespace} AND app = {app} AND workflow = {workflow}
                AND ready_at IS NOT NULL AND owner IS NULL AND id <> ALL ({damaged}::uuid[])
                AND (runner IS NULL OR runner = ANY ({names}::text[]))
                AND (shuns IS NULL OR ready_at < {unshunned}
                    OR EXISTS (SELECT FROM unnest({builds}::text[]) AS build
                        WHERE build <> shuns))
            ORDER BY ready_at, id LIMIT {limit} FOR NO KEY UPDATE SKIP LOCKED)
        {}
        , claimed AS (UPDATE runs SET owner = $1 FROM found
            WHERE runs.id = found.id AND EXISTS (SELECT FROM fence)
            RETURNING true AS there, runs.id, runs.ready_at)",
        fence()
    ));
    sql.push(&told("there, id, ready_at"));
    let mut claimed: Vec<(Timestamp, RunId)> = Vec::new();
    for row in run(store, &mut writer, sql)? {
        let at = Timestamp::from_micros(column(&row, 3)?);
        claimed.push((at, run_id(column::<Uuid>(&row, 2)?)));
    }
    claimed.sort_unstable();
    Ok(claimed)
}

/// Claims events that no member routes, oldest first.
pub(crate) fn claim_unrouted(store: &Postgres, limit: usize) -> Result<Vec<Place>, Error> {
    let mut writer = locked(&store.writer);
    let mut sql = asking(&store.me);
    let limit = sql.value(rows(limit));
    sql.push(&format!(
        "WITH found AS MATERIALIZED (SELECT namespace, id FROM events
            WHERE NOT routed AND router IS NULL
            ORDER BY accepted_at, namespace, id LIMIT {limit} FOR NO KEY UPDATE SKIP LOCKED)
        {}
        , claimed AS (UPDATE events SET router = $1 FROM found
            WHERE events.namespace = found.namespace AND events.id = found.id
                AND EXISTS (SELECT FROM fence)
            RETURNING true AS there, events.accepted_at, events.namespace, events.id)",
        fence()
    ));
    sql.push(&told("there, accepted_at, namespace, id"));
    let mut claimed = Vec::new();
    for row in run(store, &mut writer, sql)? {
        claimed.push(read::place_at(&row, 2)?);
    }
    claimed.sort_unstable();
    Ok(claimed)
}
