//! `events send`, `list`, `show`.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::args::{Events, SendEvent};
use super::client::{Client, segment, with_query};
use super::fault::Fault;
use super::known::short;
use super::{out, runs};

#[derive(Serialize)]
struct Body<'a> {
    event: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Box<RawValue>>,
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    offer: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
}

#[derive(Deserialize)]
struct Sent {
    id: String,
    accepted: bool,
    delivered: Option<u64>,
    reason: Option<String>,
}

#[derive(Deserialize)]
struct List {
    events: Vec<Box<RawValue>>,
    cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    id: String,
    #[serde(rename = "event")]
    name: String,
    accepted_at: String,
    routed: bool,
    data: Option<Box<RawValue>>,
    #[serde(default)]
    runs_started: Vec<String>,
    #[serde(default)]
    waits_woken: Vec<Woken>,
    #[serde(default)]
    near_misses: Vec<NearMiss>,
}

#[derive(Deserialize)]
struct Woken {
    run: String,
    step: String,
}

#[derive(Deserialize)]
struct NearMiss {
    run: String,
    step: String,
    path: String,
    expected: String,
    found: Option<String>,
}

/// Does what is asked of events.
pub(super) fn run(events: &Events) -> Result<(), Fault> {
    match events {
        Events::Send(send) => self::send(send),
        Events::List { event, order, from, limit, cursor, reach } => {
            let client = Client::new(&reach.url)?;
            let parameters = [
                ("event", event.as_deref()),
                ("order", order.as_deref()),
                ("from", from.as_deref()),
                ("limit", Some(limit.as_str())),
                ("cursor", cursor.as_deref()),
            ];
            let list: List = client.get(&with_query("/api/v1/events", &parameters))?.read()?;
            if reach.json {
                list.events.iter().try_for_each(out::json)?;
            } else {
                show_list(&list)?;
            }
            if let Some(cursor) = list.cursor {
                out::note(format_args!("there are more: --cursor {cursor}"));
            }
            Ok(())
        }
        Events::Show { id, reach } => {
            let client = Client::new(&reach.url)?;
            let answer = client.get(&format!("/api/v1/events/{}", segment(id)))?;
            if reach.json { out::line(answer.text()) } else { show(&answer.read()?) }
        }
    }
}

fn send(send: &SendEvent) -> Result<(), Fault> {
    let client = Client::new(&send.reach.url)?;
    let body = Body {
        event: &send.event,
        id: send.id.as_deref(),
        data: send.data.as_deref().map(|text| runs::payload("--data", text)).transpose()?,
        offer: send.matching.as_deref().map(|text| runs::payload("--match", text)).transpose()?,
        app: send.app.as_deref(),
        workflow: send.workflow.as_deref(),
        run: send.run.as_deref(),
        key: send.key.as_deref(),
    };
    let body = serde_json::to_vec(&body).map_err(|error| Fault::Machine(error.to_string()))?;
    let answer = client.post("/api/v1/events", body)?;
    if send.reach.json {
        return out::line(answer.text());
    }
    let Sent { id, accepted, delivered, reason } = answer.read()?;
    let what = if accepted { "accepted" } else { "known before; it does nothing more" };
    let delivered = delivered.map(|count| format!(", {count} waits woken")).unwrap_or_default();
    let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    out::line(format_args!("{id} {what}{delivered}{reason}"))
}

fn show_list(list: &List) -> Result<(), Fault> {
    if list.events.is_empty() {
        out::note("no such event is kept");
        return Ok(());
    }
    let mut table = out::table(&["id", "event", "accepted", "routed", "data"]);
    for raw in &list.events {
        let one: Event =
            serde_json::from_str(raw.get()).map_err(|error| Fault::Machine(error.to_string()))?;
        let data = one.data.map(|data| data.get().chars().take(60).collect()).unwrap_or_default();
        let routed = if one.routed { "yes" } else { "not yet" };
        table.add_row([one.id, one.name, short(&one.accepted_at), routed.to_owned(), data]);
    }
    out::line(table)
}

fn show(event: &Event) -> Result<(), Fault> {
    let Event { id, name, accepted_at, routed, .. } = event;
    let routed = if *routed { "" } else { ", not routed yet" };
    out::line(format_args!("{id} {name}, accepted {}{routed}", short(accepted_at)))?;
    if let Some(data) = &event.data {
        out::line(format_args!("  data: {}", out::printable(data.get())))?;
    }
    for run in &event.runs_started {
        out::line(format_args!("  started {run}"))?;
    }
    for Woken { run, step } in &event.waits_woken {
        out::line(format_args!("  woke {run}, step `{step}`"))?;
    }
    for NearMiss { run, step, path, expected, found } in &event.near_misses {
        let found = found.as_deref().unwrap_or("nothing");
        let text = format!("wants {expected} at {path}, and the event has {found}");
        out::line(format_args!("  nearly woke {run}, step `{step}`: it {text}"))?;
    }
    Ok(())
}
