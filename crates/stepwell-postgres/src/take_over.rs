//! What becomes of members that are gone, and who runners are connected to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use stepwell_store::Error;
use stepwell_store::shared::Presence;

use crate::lane::{Sql, column};
use crate::member::{NOW, fenced, locked};
use crate::store::{Postgres, Writer};
use crate::value::{Text, rows};

/// Frees what belongs to members that are gone, at most `limit` of their runs; returns how many.
///
/// First their rows are ended, one statement of its own: it waits for what they are writing, and
/// nothing is written by them after it. Only then, in statements that see what they wrote, their
/// runs and events are freed.
pub(crate) fn take_over(store: &Postgres, grant: Duration, limit: usize) -> Result<usize, Error> {
    // Nobody is gone, nearly always: then no commit waits for this.
    let sql = format!("SELECT EXISTS (SELECT FROM members WHERE ended OR lease_until <= {NOW})");
    let found = store.asked(Sql::new(sql, Vec::new()))?;
    if !found.first().map_or(Ok(false), |row| column(row, 0))? {
        return Ok(0);
    }
    let mut writer = locked(&store.writer);
    let mut sql = fenced(&store.me);
    sql.push(&format!(
        ", late AS MATERIALIZED (SELECT id FROM members
            WHERE NOT ended AND lease_until <= {NOW} AND EXISTS (SELECT FROM fence)
            ORDER BY id FOR NO KEY UPDATE)
        , done AS (UPDATE members SET ended = true FROM late WHERE members.id = late.id
            RETURNING 1)
        SELECT (SELECT count(*) FROM fence), (SELECT count(*) FROM done)"
    ));
    counted(store, &mut writer, sql)?;
    let mut sql = fenced(&store.me);
    sql.push(
        ", found AS MATERIALIZED (SELECT namespace, id FROM events
            WHERE NOT routed AND router IN (SELECT id FROM members WHERE ended)
                AND EXISTS (SELECT FROM fence)
            ORDER BY accepted_at, namespace, id FOR NO KEY UPDATE SKIP LOCKED)
        , freed AS (UPDATE events SET router = NULL FROM found
            WHERE events.namespace = found.namespace AND events.id = found.id RETURNING 1)
        , met AS MATERIALIZED (SELECT member, namespace, app, name, instance FROM runners
            WHERE member IN (SELECT id FROM members WHERE ended) AND EXISTS (SELECT FROM fence)
            FOR UPDATE SKIP LOCKED)
        , unmet AS (DELETE FROM runners USING met WHERE runners.member = met.member
            AND runners.namespace = met.namespace AND runners.app = met.app
            AND runners.name = met.name AND runners.instance = met.instance)
        SELECT (SELECT count(*) FROM fence), (SELECT count(*) FROM freed)",
    );
    counted(store, &mut writer, sql)?;
    let mut sql = fenced(&store.me);
    let grant = sql.value(i64::try_from(grant.as_micros()).unwrap_or(i64::MAX));
    let most = sql.value(rows(limit));
    sql.push(&format!(
        ", found AS MATERIALIZED (SELECT id FROM runs
            WHERE owner IN (SELECT id FROM members WHERE ended) AND EXISTS (SELECT FROM fence)
            ORDER BY id LIMIT {most} FOR NO KEY UPDATE SKIP LOCKED)
        , freed AS (UPDATE runs SET owner = NULL, away_idle = false,
                away_until = CASE WHEN active THEN {NOW} + {grant} END
            FROM found WHERE runs.id = found.id RETURNING 1)
        SELECT (SELECT count(*) FROM fence), (SELECT count(*) FROM freed)"
    ));
    let freed = counted(store, &mut writer, sql)?;
    forget(store, &mut writer)?;
    Ok(usize::try_from(freed).unwrap_or(0))
}

/// Forgets members that have ended and of whom nothing is left; what they wrote last is kept in mind.
fn forget(store: &Postgres, writer: &mut Writer) -> Result<(), Error> {
    let mut sql = fenced(&store.me);
    sql.push(
        ", gone AS (DELETE FROM members WHERE ended AND EXISTS (SELECT FROM fence)
                AND NOT EXISTS (SELECT FROM runs WHERE owner = members.id)
                AND NOT EXISTS (SELECT FROM events WHERE router = members.id AND NOT routed)
            RETURNING head, high_water)
        , kept AS (UPDATE meta SET value = greatest(value, CASE name
                WHEN 'head' THEN (SELECT max(head) FROM gone)
                ELSE (SELECT max(high_water) FROM gone) END)
            WHERE name IN ('head', 'high_water') AND EXISTS (SELECT FROM gone))
        SELECT (SELECT count(*) FROM fence), (SELECT count(*) FROM gone)",
    );
    counted(store, writer, sql).map(drop)
}

/// Runs a statement that says whether there is a fence, and a number.
fn counted(store: &Postgres, writer: &mut Writer, sql: Sql) -> Result<i64, Error> {
    let found = writer.lane.write(&store.sessions.line, sql)?;
    let Some(row) = found.first() else { return Err(Error::Fenced) };
    if column::<i64>(row, 0)? == 0 {
        return Err(Error::Fenced);
    }
    column(row, 1)
}

/// Says which runners are connected to this member; returns the instances of those that have connected
/// to another one since.
pub(crate) fn meet(store: &Postgres, runners: &[Presence]) -> Result<Vec<Arc<str>>, Error> {
    let place = |one: &Presence| {
        (one.namespace.clone(), one.app.clone(), one.name.clone(), one.instance.clone())
    };
    let runners: BTreeMap<_, &Presence> = runners.iter().map(|one| (place(one), one)).collect();
    let texts = |pick: fn(&Presence) -> &Arc<str>| -> Vec<Text> {
        runners.values().map(|one| Text::from(pick(one))).collect()
    };
    let mut writer = locked(&store.writer);
    let mut sql = fenced(&store.me);
    let namespaces = sql.value(texts(|one| &one.namespace));
    let apps = sql.value(texts(|one| &one.app));
    let names = sql.value(texts(|one| &one.name));
    let instances = sql.value(texts(|one| &one.instance));
    let bodies = sql.value(texts(|one| &one.body));
    let since: Vec<i64> = runners.values().map(|one| one.since.as_micros()).collect();
    let since = sql.value(since);
    sql.push(&format!(
        ", new AS MATERIALIZED (SELECT * FROM unnest({namespaces}::text[], {apps}::text[],
                {names}::text[], {instances}::text[], {bodies}::text[], {since}::bigint[])
            AS new (namespace, app, name, instance, body, since))
        , gone AS (DELETE FROM runners WHERE member = $1 AND EXISTS (SELECT FROM fence)
            AND NOT EXISTS (SELECT FROM new WHERE new.namespace = runners.namespace
                AND new.app = runners.app AND new.name = runners.name
                AND new.instance = runners.instance))
        , put AS (INSERT INTO runners (member, namespace, app, name, instance, body, since)
            SELECT $1, namespace, app, name, instance, body, since FROM new
            WHERE EXISTS (SELECT FROM fence)
            ON CONFLICT (member, namespace, app, name, instance)
                DO UPDATE SET body = excluded.body, since = excluded.since
                WHERE (runners.body, runners.since) <> (excluded.body, excluded.since))
        , claimed AS (SELECT DISTINCT new.instance FROM new
            JOIN runners ON runners.namespace = new.namespace AND runners.app = new.app
                AND runners.name = new.name AND runners.instance = new.instance
                AND runners.member <> $1 AND (runners.since, runners.member) > (new.since, $1)
            JOIN members ON members.id = runners.member AND NOT members.ended
                AND members.lease_until > {NOW}
            WHERE EXISTS (SELECT FROM fence))
        SELECT (SELECT count(*) FROM fence), claimed.instance
        FROM (SELECT) AS one LEFT JOIN claimed ON true ORDER BY 2"
    ));
    let found = writer.lane.write(&store.sessions.line, sql)?;
    let mut elsewhere = Vec::new();
    for row in &found {
        if column::<i64>(row, 0)? == 0 {
            return Err(Error::Fenced);
        }
        elsewhere.extend(column::<Option<Text>>(row, 1)?.map(|text| text.0));
    }
    Ok(elsewhere)
}
