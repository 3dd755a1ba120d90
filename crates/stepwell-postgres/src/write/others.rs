//! Workflows, events, messages, answers, and what is free from now on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashSet;
use stepwell_core::id::RunId;
use stepwell_store::batch::{Batch, Workflow};
use stepwell_store::event::{Did, Event, EventId, EventWrite};
use stepwell_store::inbox::{InboxWrite, Message, MessageId};
use stepwell_store::shared::Release;

use super::columns::Columns;
use super::commit::ME;
use crate::check;
use crate::lane::Sql;
use crate::member::NOW;
use crate::value::{Text, kind, maybe, micros, uuid};

/// Adds workflows, each with the next version of the list.
pub(super) fn put_workflows(sql: &mut Sql, batch: &Batch) {
    // The last that a batch says of a workflow counts.
    let named = |one: &Workflow| (one.namespace.clone(), one.app.clone(), one.name.clone());
    let last: BTreeMap<_, &Workflow> =
        batch.workflows.iter().map(|one| (named(one), one)).collect();
    let rows: Vec<&Workflow> = last.into_values().collect();
    if rows.is_empty() {
        return;
    }
    let (table, names) = Columns::of(sql)
        .add("namespace", "text", rows.iter().map(|one| Text::from(&one.namespace)).collect())
        .add("app", "text", rows.iter().map(|one| Text::from(&one.app)).collect())
        .add("name", "text", rows.iter().map(|one| Text::from(&one.name)).collect())
        .add("options", "text", rows.iter().map(|one| Text::from(&one.options)).collect())
        .add("first_at", "bigint", rows.iter().map(|one| one.first_at.as_micros()).collect())
        .add("changed_at", "bigint", rows.iter().map(|one| one.changed_at.as_micros()).collect())
        .table();
    // Whoever changes the version next waits for this commit: versions become visible in their order.
    sql.push(&format!(
        ", version AS (UPDATE meta SET value = value + 1
            WHERE name = 'workflows' AND EXISTS (SELECT FROM fence) RETURNING value)
        , new_workflows AS (INSERT INTO workflows ({names}, version)
            SELECT {names}, version.value FROM {table} CROSS JOIN version
            ON CONFLICT (namespace, app, name) DO UPDATE SET options = excluded.options,
                first_at = excluded.first_at, changed_at = excluded.changed_at,
                version = excluded.version)"
    ));
}

/// Adds what is said of events.
pub(super) fn put_events(sql: &mut Sql, batch: &Batch) {
    let mut accepted: BTreeMap<&EventId, &Event> = BTreeMap::new();
    let mut routed: BTreeSet<&EventId> = BTreeSet::new();
    let mut did: Vec<(&EventId, &Did)> = Vec::new();
    for write in &batch.events {
        match write {
            EventWrite::Accepted(event) => {
                accepted.entry(&event.id).or_insert(event);
            }
            EventWrite::Did(event, more) => did.extend(more.iter().map(|one| (event, one))),
            EventWrite::Routed(event) => {
                routed.insert(event);
            }
        }
    }
    let dropped: BTreeSet<&EventId> = batch.share.unrouted.iter().map(|place| &place.id).collect();
    // In the order of their ids, so that two members never wait for each other.
    let accepted: Vec<&Event> = accepted.into_values().collect();
    put_accepted(sql, &accepted, (&routed, &dropped), batch.grows);
    put_did(sql, &did);
    // What another member routes is neither this one's to end nor to give up.
    let ours = format!("(router IS NULL OR router = {ME})");
    put_marks(sql, ("routed", "routed = true, router = NULL"), &ours, &routed);
    put_marks(sql, ("unrouted", "router = NULL"), &format!("router = {ME}"), &dropped);
}

fn put_accepted(
    sql: &mut Sql,
    rows: &[&Event],
    (routed, dropped): (&BTreeSet<&EventId>, &BTreeSet<&EventId>),
    grows: bool,
) {
    if rows.is_empty() {
        return;
    }
    let text = |pick: fn(&Event) -> &Arc<str>| -> Vec<Text> {
        rows.iter().map(|one| Text::from(pick(one))).collect()
    };
    let some = |pick: fn(&Event) -> Option<&Arc<str>>| -> Vec<Option<Text>> {
        rows.iter().map(|one| maybe(pick(one))).collect()
    };
    let (table, names) = Columns::of(sql)
        .add("namespace", "text", text(|one| &one.id.namespace))
        .add("id", "text", text(|one| &one.id.id))
        .add("name", "text", text(|one| &one.name))
        .add("accepted_at", "bigint", rows.iter().map(|one| one.accepted_at.as_micros()).collect())
        .add("data", "text", some(|one| one.data.as_ref()))
        .add("offer", "text", some(|one| one.offer.as_ref()))
        .add("app", "text", some(|one| one.scope.app.as_ref()))
        .add("workflow", "text", some(|one| one.scope.workflow.as_ref()))
        .add("run", "uuid", rows.iter().map(|one| one.scope.run.map(uuid)).collect())
        .add("key", "text", some(|one| one.scope.key.as_ref()))
        .add("routed", "boolean", rows.iter().map(|one| routed.contains(&one.id)).collect())
        .add("free", "boolean", {
            rows.iter().map(|one| routed.contains(&one.id) || dropped.contains(&one.id)).collect()
        })
        .add("crc", "bigint", rows.iter().map(|one| check::event(one)).collect())
        .table();
    let stored = names.replace(", free", "");
    let known = if grows { "" } else { "ON CONFLICT DO NOTHING" };
    sql.push(&format!(
        ", new_events AS (INSERT INTO events ({stored}, kept, router)
            SELECT {stored}, true, CASE WHEN free THEN NULL ELSE {ME} END FROM {table}
            WHERE EXISTS (SELECT FROM fence) {known})"
    ));
}

fn put_did(sql: &mut Sql, rows: &[(&EventId, &Did)]) {
    if rows.is_empty() {
        return;
    }
    let step = |did: &Did| Text::from(did.step.as_deref().unwrap_or_default());
    let (table, names) = Columns::of(sql)
        .add("namespace", "text", rows.iter().map(|(id, _)| Text::from(&id.namespace)).collect())
        .add("event", "text", rows.iter().map(|(id, _)| Text::from(&id.id)).collect())
        .add("run", "uuid", rows.iter().map(|(_, did)| uuid(did.run)).collect())
        .add("step", "text", rows.iter().map(|(_, did)| step(did)).collect())
        .table();
    sql.push(&format!(
        ", new_did AS (INSERT INTO did ({names}) SELECT {names} FROM {table}
            WHERE EXISTS (SELECT FROM fence) ON CONFLICT DO NOTHING)"
    ));
}

fn put_marks(
    sql: &mut Sql,
    (table, set): (&str, &str),
    condition: &str,
    events: &BTreeSet<&EventId>,
) {
    if events.is_empty() {
        return;
    }
    let (new, _) = Columns::of(sql)
        .add("namespace", "text", events.iter().map(|id| Text::from(&id.namespace)).collect())
        .add("id", "text", events.iter().map(|id| Text::from(&id.id)).collect())
        .table();
    sql.push(&format!(
        ", {table}_events AS (UPDATE events SET {set} FROM {new}
            WHERE events.namespace = new.namespace AND events.id = new.id AND {condition}
                AND EXISTS (SELECT FROM fence))"
    ));
}

/// Adds what runs tell each other, and answers.
pub(super) fn put_messages(sql: &mut Sql, batch: &Batch) {
    // The last that a batch says of a message counts.
    let mut said: BTreeMap<MessageId, Option<Arc<Message>>> = BTreeMap::new();
    for write in InboxWrite::all_of(batch) {
        match write {
            InboxWrite::Sent(message) => said.insert(message.id, Some(message)),
            InboxWrite::Consumed(id) => said.insert(id, None),
        };
    }
    let gone: Vec<MessageId> =
        said.iter().filter(|(_, message)| message.is_none()).map(|(id, _)| *id).collect();
    let sent: Vec<Arc<Message>> = said.into_values().flatten().collect();
    if !gone.is_empty() {
        let (new, _) = Columns::of(sql)
            .add("recipient", "uuid", gone.iter().map(|id| uuid(id.to)).collect())
            .add("sender", "uuid", gone.iter().map(|id| uuid(id.from)).collect())
            .add("kind", "smallint", gone.iter().map(|id| kind(id.kind)).collect())
            .table();
        sql.push(&format!(
            ", heard AS (DELETE FROM inbox USING {new}
                WHERE inbox.recipient = new.recipient AND inbox.sender = new.sender
                    AND inbox.kind = new.kind AND EXISTS (SELECT FROM fence))"
        ));
    }
    if !sent.is_empty() {
        let (new, names) = Columns::of(sql)
            .add("recipient", "uuid", sent.iter().map(|one| uuid(one.id.to)).collect())
            .add("sender", "uuid", sent.iter().map(|one| uuid(one.id.from)).collect())
            .add("kind", "smallint", sent.iter().map(|one| kind(one.id.kind)).collect())
            .add("body", "text", sent.iter().map(|one| Text::from(&one.body)).collect())
            .add("crc", "bigint", sent.iter().map(|one| check::message(one)).collect())
            .table();
        sql.push(&format!(
            ", sent AS (INSERT INTO inbox ({names}) SELECT {names} FROM {new}
                WHERE EXISTS (SELECT FROM fence)
                ON CONFLICT (recipient, sender, kind)
                    DO UPDATE SET body = excluded.body, crc = excluded.crc)"
        ));
    }
    let answers: BTreeMap<RunId, &Arc<str>> =
        batch.share.answers.iter().map(|answer| (answer.ask, &answer.body)).collect();
    if !answers.is_empty() {
        let (new, names) = Columns::of(sql)
            .add("ask", "uuid", answers.keys().copied().map(uuid).collect())
            .add("body", "text", answers.values().copied().map(Text::from).collect())
            .table();
        sql.push(&format!(
            ", answered AS (INSERT INTO answers ({names}, at) SELECT {names}, {NOW} FROM {new}
                WHERE EXISTS (SELECT FROM fence) ON CONFLICT DO NOTHING)"
        ));
    }
}

/// Adds what frees runs of which nothing else is written.
pub(super) fn put_frees(sql: &mut Sql, batch: &Batch) {
    let written: FxHashSet<RunId> = batch.runs.iter().map(|write| write.run).collect();
    let last: BTreeMap<RunId, &Release> =
        batch.share.released.iter().map(|one| (one.run, one)).collect();
    let rows: Vec<&Release> =
        last.into_values().filter(|one| !written.contains(&one.run)).collect();
    if rows.is_empty() {
        return;
    }
    let until = |one: &&Release| micros(one.away.map(|away| away.until));
    let (new, _) = Columns::of(sql)
        .add("id", "uuid", rows.iter().map(|one| uuid(one.run)).collect())
        .add("away_until", "bigint", rows.iter().map(until).collect())
        .add("away_idle", "boolean", {
            rows.iter().map(|one| one.away.is_some_and(|away| away.idle)).collect()
        })
        .table();
    // One that is not this member's is not this member's to free.
    sql.push(&format!(
        ", frees AS (UPDATE runs SET owner = NULL, away_until = new.away_until,
                away_idle = new.away_idle
            FROM {new}
            WHERE runs.id = new.id AND runs.owner + 0 = {ME} AND EXISTS (SELECT FROM fence))"
    ));
}
