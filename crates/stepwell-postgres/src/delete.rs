//! Runs and events that go: those whose time is over, and those that somebody wants to be gone.

use std::sync::Arc;

use deadpool_postgres::ClientWrapper;
use stepwell_core::id::RunId;
use stepwell_core::record::heard;
use stepwell_core::status::RunStatus;
use stepwell_store::Error;
use stepwell_store::event::EventRetention;
use stepwell_store::retention::{Deletion, RunKind, RunRetention};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::error::failed;
use crate::lane::column;
use crate::read::{CHUNKS, Journal, join};
use crate::session::Sessions;
use crate::value::{Text, Value, rows, uuid};

/// Deletes runs with all that belongs to them; those that did not end stay.
const DELETE: &str = "WITH gone AS (
        DELETE FROM runs WHERE id = ANY ($1::uuid[]) AND ended_at IS NOT NULL
        RETURNING id, namespace, app, workflow, key
    ), gone_keys AS (
        DELETE FROM keys USING gone WHERE keys.namespace = gone.namespace AND keys.app = gone.app
            AND keys.workflow = gone.workflow AND keys.key = gone.key AND keys.run = gone.id
    ), gone_history AS (DELETE FROM history USING gone WHERE run = gone.id),
    gone_searches AS (DELETE FROM searches USING gone WHERE run = gone.id),
    gone_waits AS (DELETE FROM waits USING gone WHERE run = gone.id)
    SELECT count(*) FROM gone";

/// Deletes runs that ended longer ago than they are kept, at most `limit`; returns how many.
///
/// # Errors
/// [`Error::Unavailable`].
pub(crate) fn purge(
    sessions: &Sessions,
    retention: &RunRetention,
    limit: usize,
) -> Result<usize, Error> {
    let mut runs = expired(sessions, retention, limit)?;
    if runs.is_empty() {
        return Ok(0);
    }
    // In one order, so that two nodes that purge do not wait for each other.
    runs.sort_unstable();
    let deleted = sessions.ask(DELETE, vec![Box::new(runs)])?;
    let count: i64 = deleted.first().map_or(Ok(0), |row| column(row, 0))?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// Returns runs whose time is over. Runs of one workflow and status are kept equally long, and stand in
/// an index by their ends: each such group is entered where its oldest run is, so nothing is looked at
/// that stays.
fn expired(
    sessions: &Sessions,
    retention: &RunRetention,
    limit: usize,
) -> Result<Vec<Uuid>, Error> {
    if retention.rules.is_empty() {
        let sql = "SELECT id FROM runs WHERE ended_at < $1 ORDER BY ended_at, id LIMIT $2";
        let values: Vec<Value> =
            vec![Box::new(retention.kept_from.as_micros()), Box::new(rows(limit))];
        return sessions.ask(sql, values)?.iter().map(|row| column(row, 0)).collect();
    }
    let groups = "WITH RECURSIVE groups AS (
            (SELECT namespace, app, workflow FROM runs WHERE ended_at IS NOT NULL
            ORDER BY namespace, app, workflow LIMIT 1)
            UNION ALL
            SELECT next.* FROM groups CROSS JOIN LATERAL (
                SELECT namespace, app, workflow FROM runs WHERE ended_at IS NOT NULL
                    AND (namespace, app, workflow)
                        > (groups.namespace, groups.app, groups.workflow)
                ORDER BY namespace, app, workflow LIMIT 1
            ) AS next
        ) SELECT * FROM groups";
    let (mut names, mut statuses, mut kept) = ([const { Vec::new() }; 3], Vec::new(), Vec::new());
    for row in &sessions.ask(groups, Vec::new())? {
        let texts = [column::<Text>(row, 0)?, column(row, 1)?, column(row, 2)?];
        for status in RunStatus::ALL.into_iter().filter(|status| status.is_ended()) {
            let [namespace, app, workflow] = &texts;
            let kind =
                RunKind { namespace: &namespace.0, app: &app.0, workflow: &workflow.0, status };
            kept.push(retention.kept_from(kind).as_micros());
            statuses.push(status.as_str());
            for (all, text) in names.iter_mut().zip(&texts) {
                all.push(text.clone());
            }
        }
    }
    let sql = "SELECT old.id
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])
            AS kind (namespace, app, workflow, status, kept_from)
        CROSS JOIN LATERAL (
            SELECT id FROM runs WHERE runs.namespace = kind.namespace AND runs.app = kind.app
                AND runs.workflow = kind.workflow AND runs.status = kind.status
                AND runs.ended_at < kind.kept_from
            ORDER BY ended_at, id LIMIT $6
        ) AS old LIMIT $6";
    let [namespaces, apps, workflows] = names;
    let values: Vec<Value> = vec![
        Box::new(namespaces),
        Box::new(apps),
        Box::new(workflows),
        Box::new(statuses),
        Box::new(kept),
        Box::new(rows(limit)),
    ];
    sessions.ask(sql, values)?.iter().map(|row| column(row, 0)).collect()
}

/// Drops what of events is older than it is to be kept, of at most `limit` events, oldest first.
///
/// # Errors
/// [`Error::Unavailable`].
pub(crate) fn purge_events(
    sessions: &Sessions,
    retention: EventRetention,
    limit: usize,
) -> Result<usize, Error> {
    let EventRetention { kept_from, known_from } = retention;
    let sql = "WITH old AS MATERIALIZED (
            SELECT namespace, id, accepted_at FROM (
                (SELECT namespace, id, accepted_at FROM events
                WHERE kept AND accepted_at < $1 AND routed
                ORDER BY accepted_at, namespace, id LIMIT $3)
                UNION ALL
                (SELECT namespace, id, accepted_at FROM events
                WHERE NOT kept AND accepted_at < least($1, $2) AND routed
                ORDER BY accepted_at, namespace, id LIMIT $3)
            ) AS either ORDER BY accepted_at, namespace, id LIMIT $3
        ), gone_did AS (
            DELETE FROM did USING old WHERE did.namespace = old.namespace AND did.event = old.id
        ), gone AS (
            DELETE FROM events USING old WHERE events.namespace = old.namespace
                AND events.id = old.id AND old.accepted_at < $2
        ), forgotten AS (
            UPDATE events SET data = NULL, offer = NULL, kept = false, crc = NULL FROM old
            WHERE events.namespace = old.namespace AND events.id = old.id
                AND old.accepted_at >= $2
        )
        SELECT count(*) FROM old";
    let values: Vec<Value> = vec![
        Box::new(kept_from.as_micros()),
        Box::new(known_from.as_micros()),
        Box::new(rows(limit)),
    ];
    let found = sessions.ask(sql, values)?;
    let count: i64 = found.first().map_or(Ok(0), |row| column(row, 0))?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// Deletes a run that has ended, with all that is known of it.
///
/// # Errors
/// [`Error::Unavailable`]: it is there or gone.
pub(crate) fn delete(sessions: &Sessions, namespace: &str, run: RunId) -> Result<Deletion, Error> {
    let namespace: Arc<str> = namespace.into();
    sessions
        .with(move |client| Box::pin(async move { delete_on(client, &Text(namespace), run).await }))
}

async fn delete_on(
    client: &mut ClientWrapper,
    namespace: &Text,
    run: RunId,
) -> Result<Deletion, Error> {
    let id = uuid(run);
    let transaction = client.transaction().await.map_err(|e| failed(&e))?;
    let sql = "SELECT status, ended_at IS NOT NULL FROM runs WHERE id = $1 AND namespace = $2
        FOR UPDATE";
    let found = transaction.query_opt(sql, &[&id, namespace]).await.map_err(|e| failed(&e))?;
    let Some(row) = found else { return Ok(Deletion::Unknown) };
    if !column::<bool>(&row, 1)? {
        return Ok(Deletion::Open(status(&row)?));
    }
    let chunks = transaction.query(CHUNKS, &[&id]).await.map_err(|e| failed(&e))?;
    // Of a damaged journal it is not known what it says: what events did to it goes with the events.
    let journal = match join(run, chunks.iter())? {
        Journal::Whole(journal) => journal,
        Journal::Missing | Journal::Damaged(_) => Vec::new(),
    };
    let heard: Vec<Text> = heard(&journal).map(|event| Text::from(&*event)).collect();
    let delete = async {
        let sql = "SELECT EXISTS (SELECT FROM events
            WHERE namespace = $1 AND id = ANY ($2) AND NOT routed)";
        if transaction.query_one(sql, &[namespace, &heard]).await?.get::<_, bool>(0) {
            return Ok(Deletion::Early);
        }
        let sql = "DELETE FROM did WHERE namespace = $1 AND event = ANY ($2) AND run = $3";
        transaction.execute(sql, &[namespace, &heard, &id]).await?;
        transaction.query(DELETE, &[&vec![id]]).await?;
        transaction.commit().await?;
        Ok(Deletion::Done)
    };
    delete.await.map_err(|error: tokio_postgres::Error| failed(&error))
}

fn status(row: &Row) -> Result<RunStatus, Error> {
    let word = column::<Text>(row, 0)?.0;
    RunStatus::parse(&word)
        .ok_or_else(|| Error::Corrupt(format!("`{word}` is not the status of a run")))
}
