//! Rows of runs, their journals, keys, attributes and waits.

use rustc_hash::FxHashMap;
use stepwell_core::id::RunId;
use stepwell_core::summary::Summary;
use stepwell_core::wait::Wait;
use stepwell_store::batch::{Batch, RunWrite};
use stepwell_store::shared::{Needs, Release};

use super::columns::Columns;
use super::commit::ME;
use super::known::{Known, Last};
use crate::check;
use crate::lane::Sql;
use crate::value::{Text, attribute, attributes_text, error_text, maybe, micros, uuid};

/// What is written of the runs of a batch.
pub(super) struct Plan<'b> {
    runs: Vec<Write<'b>>,
    nothing: u64,
}

struct Write<'b> {
    given: &'b RunWrite,
    needs: Option<&'b Needs>,
    /// Set for a run that is free once this is durable.
    freed: Option<&'b Release>,
    is_new: bool,
    last: Option<Last>,
    marks: Last,
}

impl<'b> Plan<'b> {
    /// Looks what has to be written.
    pub(super) fn of(batch: &'b Batch, known: &Known) -> Self {
        let needs: FxHashMap<RunId, &Needs> =
            batch.share.needs.iter().map(|needs| (needs.run, needs)).collect();
        let freed: FxHashMap<RunId, &Release> =
            batch.share.released.iter().map(|one| (one.run, one)).collect();
        let plan = |write: &'b RunWrite| {
            let needs = needs.get(&write.run).copied();
            let bytes = write.records.len();
            let is_new = bytes > 0 && write.summary.journal_bytes == bytes as u64;
            Write {
                given: write,
                needs,
                freed: freed.get(&write.run).copied(),
                is_new,
                last: known.last(write.run).filter(|_| !is_new),
                marks: known.marks(write, needs),
            }
        };
        Self { runs: batch.runs.iter().map(plan).collect(), nothing: known.nothing() }
    }

    /// Notes what was written, once it is durable.
    pub(super) fn note(&self, known: &mut Known) {
        for one in &self.runs {
            if one.freed.is_some() || one.given.summary.ended_at.is_some() {
                known.forget(one.given.run);
            } else {
                known.note(one.given.run, one.marks);
            }
        }
    }

    fn begun(&self) -> impl Iterator<Item = &Write<'b>> + Clone {
        self.runs.iter().filter(|one| one.is_new)
    }

    fn changed(&self) -> impl Iterator<Item = &Write<'b>> + Clone {
        let same = |one: &Write<'_>| {
            one.freed.is_none()
                && one.last.is_some_and(|last| {
                    (last.row, last.search) == (one.marks.row, one.marks.search)
                })
        };
        self.runs.iter().filter(move |one| !one.is_new && !same(one))
    }

    /// Returns runs that have, or may have, what is to be taken away; and those that get something.
    fn replaced(&self, mark: fn(&Last) -> u64) -> (Vec<uuid::Uuid>, Vec<&Write<'b>>) {
        let is_same =
            |one: &&Write<'_>| one.last.is_some_and(|last| mark(&last) == mark(&one.marks));
        let had = |one: &&Write<'_>| {
            !one.is_new && one.last.is_none_or(|last| mark(&last) != self.nothing)
        };
        let others = self.runs.iter().filter(|one| !is_same(one));
        let gone = others.clone().filter(had).map(|one| uuid(one.given.run)).collect();
        let come = others.filter(|one| mark(&one.marks) != self.nothing).collect();
        (gone, come)
    }
}

/// Adds what is written of runs. Returns how many rows have to be this member's already, if any.
pub(super) fn put_runs(sql: &mut Sql, plan: &Plan<'_>, batch: &Batch) -> Option<usize> {
    let behind = put_new(sql, plan);
    put_chunks(sql, batch, behind);
    put_keys(sql, plan, batch.grows);
    let owned = put_changed(sql, plan);
    put_searches(sql, plan);
    put_waits(sql, plan);
    owned
}

fn put_chunks(sql: &mut Sql, batch: &Batch, behind: &str) {
    let writes: Vec<&RunWrite> =
        batch.runs.iter().filter(|write| !write.records.is_empty()).collect();
    if writes.is_empty() {
        return;
    }
    let count = |pick: fn(&Summary) -> u32| -> Vec<i64> {
        writes.iter().map(|write| i64::from(pick(&write.summary))).collect()
    };
    let place = |write: &RunWrite| {
        let before = write.summary.journal_bytes.saturating_sub(write.records.len() as u64);
        i64::try_from(before).unwrap_or(i64::MAX)
    };
    let crc = |write: &&RunWrite| check::chunk(write.run, place(write), &write.records);
    let (steps, ended, failed) =
        (count(|row| row.steps), count(|row| row.steps_ended), count(|row| row.steps_failed));
    let (table, names) = Columns::of(sql)
        .add("run", "uuid", writes.iter().map(|write| uuid(write.run)).collect())
        .add("at_byte", "bigint", writes.iter().map(|write| place(write)).collect())
        .add("steps", "bigint", steps)
        .add("steps_ended", "bigint", ended)
        .add("steps_failed", "bigint", failed)
        .add("crc", "bigint", writes.iter().map(crc).collect())
        .add("bytes", "bytea", writes.iter().map(|write| write.records.clone()).collect())
        .table();
    sql.push(&format!(
        ", chunks AS (INSERT INTO history ({names}) SELECT {names} FROM {table}
            WHERE EXISTS (SELECT FROM fence) {behind})"
    ));
}

/// Adds rows of new runs; returns what waits for that: whether a run is known is told by its row, and
/// not by its journal.
fn put_new(sql: &mut Sql, plan: &Plan<'_>) -> &'static str {
    let rows: Vec<&Write<'_>> = plan.begun().collect();
    if rows.is_empty() {
        return "";
    }
    let columns = Columns::of(sql)
        .add("parent", "uuid", rows.iter().map(|one| row(one).parent.map(uuid)).collect())
        .add(
            "created_at",
            "bigint",
            rows.iter().map(|one| row(one).created_at.as_micros()).collect(),
        )
        .add("namespace", "text", rows.iter().map(|one| Text::from(&row(one).namespace)).collect())
        .add("app", "text", rows.iter().map(|one| Text::from(&row(one).app)).collect())
        .add("workflow", "text", rows.iter().map(|one| Text::from(&row(one).workflow)).collect())
        .add("key", "text", rows.iter().map(|one| maybe(row(one).key.as_ref())).collect());
    let (table, names) = changing(columns, &rows).table();
    let names_kept = names.replace(", freed", "");
    sql.push(&format!(
        ", new_runs AS (INSERT INTO runs ({names_kept}, owner)
            SELECT {names_kept}, CASE WHEN freed THEN NULL ELSE {ME} END FROM {table}
            WHERE EXISTS (SELECT FROM fence) RETURNING 1)"
    ));
    "AND (SELECT count(*) FROM new_runs) >= 0"
}

fn row<'b>(one: &Write<'b>) -> &'b Summary {
    &one.given.summary
}

/// Adds the columns that change.
fn changing<'s>(columns: Columns<'s>, rows: &[&Write<'_>]) -> Columns<'s> {
    let blocked = |one: &&Write<'_>| row(one).blocked.as_deref().map(Text::from);
    let away = |one: &&Write<'_>| one.freed.and_then(|release| release.away);
    let runner = |one: &&Write<'_>| maybe(one.needs.and_then(|needs| needs.runner.as_ref()));
    let shuns = |one: &&Write<'_>| maybe(one.needs.and_then(|needs| needs.shuns.as_ref()));
    columns
        .add("id", "uuid", rows.iter().map(|one| uuid(one.given.run)).collect())
        .add("started_at", "bigint", rows.iter().map(|one| micros(row(one).started_at)).collect())
        .add("ended_at", "bigint", rows.iter().map(|one| micros(row(one).ended_at)).collect())
        .add("ready_at", "bigint", rows.iter().map(|one| micros(row(one).ready_since)).collect())
        .add("timer_at", "bigint", rows.iter().map(|one| micros(row(one).timer_at)).collect())
        .add("away_until", "bigint", {
            rows.iter().map(|one| micros(away(one).map(|away| away.until))).collect()
        })
        .add("away_idle", "boolean", {
            rows.iter().map(|one| away(one).is_some_and(|away| away.idle)).collect()
        })
        .add("active", "boolean", rows.iter().map(|one| row(one).active).collect())
        .add("status", "text", rows.iter().map(|one| row(one).status.as_str()).collect())
        .add("version", "text", rows.iter().map(|one| maybe(row(one).version.as_ref())).collect())
        .add("runner", "text", rows.iter().map(runner).collect())
        .add("shuns", "text", rows.iter().map(shuns).collect())
        .add("blocked", "text", rows.iter().map(blocked).collect())
        .add("error", "text", rows.iter().map(|one| error_text(row(one))).collect())
        .add("search", "text", rows.iter().map(|one| attributes_text(row(one))).collect())
        .add("freed", "boolean", rows.iter().map(|one| one.freed.is_some()).collect())
}

fn put_changed(sql: &mut Sql, plan: &Plan<'_>) -> Option<usize> {
    let rows: Vec<&Write<'_>> = plan.changed().collect();
    if rows.is_empty() {
        return None;
    }
    let (table, names) = changing(Columns::of(sql), &rows).table();
    let set: Vec<String> = names
        .split(", ")
        .filter(|name| !["id", "freed"].contains(name))
        .map(|name| format!("{name} = new.{name}"))
        .collect();
    // `+ 0`: else each row is looked for among all that the owner has, in place of by its id.
    sql.push(&format!(
        ", old_runs AS (UPDATE runs SET {}, owner = CASE WHEN new.freed THEN NULL ELSE {ME} END
            FROM {table}
            WHERE runs.id = new.id AND runs.owner + 0 = {ME} AND EXISTS (SELECT FROM fence)
            RETURNING 1)",
        set.join(", ")
    ));
    Some(rows.len())
}

fn put_keys(sql: &mut Sql, plan: &Plan<'_>, grows: bool) {
    let mut rows: Vec<(Text, &Write<'_>)> =
        plan.begun().filter_map(|one| Some((Text::from(row(one).key.as_ref()?), one))).collect();
    if rows.is_empty() {
        return;
    }
    // In one order, so that two members never wait for each other.
    let place = |key: &Text, one: &Write<'_>| {
        let Summary { namespace, app, workflow, .. } = row(one);
        (namespace.clone(), app.clone(), workflow.clone(), key.0.clone())
    };
    rows.sort_by_cached_key(|(key, one)| place(key, one));
    let text = |pick: fn(&Summary) -> &std::sync::Arc<str>| -> Vec<Text> {
        rows.iter().map(|(_, one)| Text::from(pick(row(one)))).collect()
    };
    let (namespaces, apps) = (text(|row| &row.namespace), text(|row| &row.app));
    let workflows = text(|row| &row.workflow);
    let (table, names) = Columns::of(sql)
        .add("namespace", "text", namespaces)
        .add("app", "text", apps)
        .add("workflow", "text", workflows)
        .add("key", "text", rows.iter().map(|(key, _)| key.clone()).collect())
        .add("run", "uuid", rows.iter().map(|(_, one)| uuid(one.given.run)).collect())
        .table();
    // A run that goes on with another one has its key too, which finds the first.
    let known = if grows { "" } else { "ON CONFLICT DO NOTHING" };
    sql.push(&format!(
        ", new_keys AS (INSERT INTO keys ({names}) SELECT {names} FROM {table}
            WHERE EXISTS (SELECT FROM fence) {known})"
    ));
}

/// Adds what takes rows away that belong to runs, as the table `gone_…`; returns what waits for that.
fn put_gone(sql: &mut Sql, table: &str, runs: Vec<uuid::Uuid>) -> String {
    if runs.is_empty() {
        return String::new();
    }
    let runs = sql.value(runs);
    sql.push(&format!(
        ", gone_{table} AS (DELETE FROM {table} WHERE run = ANY ({runs}::uuid[])
            AND EXISTS (SELECT FROM fence) RETURNING 1)"
    ));
    // What comes in their place may be the same.
    format!("AND (SELECT count(*) FROM gone_{table}) >= 0")
}

fn put_searches(sql: &mut Sql, plan: &Plan<'_>) {
    let (gone, come) = plan.replaced(|marks| marks.search);
    let behind = put_gone(sql, "searches", gone);
    let rows: Vec<_> = come
        .iter()
        .flat_map(|one| row(one).search.iter().map(move |(name, value)| (row(one), name, value)))
        .collect();
    if rows.is_empty() {
        return;
    }
    let (table, names) = Columns::of(sql)
        .add("run", "uuid", rows.iter().map(|(row, ..)| uuid(row.id)).collect())
        .add("namespace", "text", rows.iter().map(|(row, ..)| Text::from(&row.namespace)).collect())
        .add("name", "text", rows.iter().map(|(_, name, _)| Text::from(*name)).collect())
        .add("kind", "smallint", rows.iter().map(|(.., value)| attribute(value).0).collect())
        .add("number", "float8", rows.iter().map(|(.., value)| attribute(value).1).collect())
        .add("text", "text", rows.iter().map(|(.., value)| attribute(value).2).collect())
        .table();
    sql.push(&format!(
        ", new_searches AS (INSERT INTO searches ({names}) SELECT {names} FROM {table}
            WHERE EXISTS (SELECT FROM fence) {behind})"
    ));
}

fn put_waits(sql: &mut Sql, plan: &Plan<'_>) {
    let (gone, come) = plan.replaced(|marks| marks.waits);
    let behind = put_gone(sql, "waits", gone);
    let rows: Vec<&Wait> = come.iter().flat_map(|one| one.given.waits.iter()).collect();
    if rows.is_empty() {
        return;
    }
    let (table, names) = Columns::of(sql)
        .add("namespace", "text", rows.iter().map(|one| Text::from(&one.namespace)).collect())
        .add("event", "text", rows.iter().map(|one| Text::from(&one.event)).collect())
        .add("leaf", "bigint", rows.iter().map(|one| crate::value::leaf(one.leaf)).collect())
        .add("run", "uuid", rows.iter().map(|one| uuid(one.run)).collect())
        .add("step", "text", rows.iter().map(|one| Text::from(&one.step)).collect())
        .add("app", "text", rows.iter().map(|one| Text::from(&one.app)).collect())
        .add("wanted", "text", rows.iter().map(|one| maybe(one.wanted.as_ref())).collect())
        .add("since", "bigint", rows.iter().map(|one| one.from.as_micros()).collect())
        .table();
    sql.push(&format!(
        ", new_waits AS (INSERT INTO waits ({names}) SELECT {names} FROM {table}
            WHERE EXISTS (SELECT FROM fence) {behind})"
    ));
}
