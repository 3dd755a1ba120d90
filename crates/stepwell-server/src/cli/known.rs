//! `workflows` and `runners`.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::args::Known;
use super::client::{Client, with_query};
use super::fault::Fault;
use super::model::span;
use super::out;

#[derive(Deserialize)]
struct Workflows {
    workflows: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Workflow {
    app: String,
    name: String,
    version: Option<String>,
    timeout_ms: Option<f64>,
    input_schema: Option<Box<RawValue>>,
    changed_at: String,
}

#[derive(Deserialize)]
struct Runners {
    runners: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Runner {
    app: String,
    name: String,
    instance: String,
    sdk: String,
    slots: u32,
    busy: u32,
    held: u32,
    draining: bool,
    seen_at: String,
}

/// Lists workflows.
pub(super) fn workflows(args: &Known) -> Result<(), Fault> {
    let client = Client::new(&args.reach.url)?;
    let path = with_query("/api/v1/workflows", &[("app", args.app.as_deref())]);
    let list: Workflows = client.get(&path)?.read()?;
    if args.reach.json {
        return list.workflows.iter().try_for_each(out::json);
    }
    let mut table = out::table(&["app", "workflow", "version", "timeout", "input", "changed"]);
    for raw in &list.workflows {
        let one: Workflow = read(raw)?;
        let input = if one.input_schema.is_some() { "schema" } else { "any" };
        table.add_row([
            one.app,
            one.name,
            one.version.unwrap_or_default(),
            one.timeout_ms.map(span).unwrap_or_default(),
            input.to_owned(),
            short(&one.changed_at),
        ]);
    }
    if list.workflows.is_empty() {
        out::note("no runner has registered a workflow yet");
        return Ok(());
    }
    out::line(table)
}

/// Lists runners.
pub(super) fn runners(args: &Known) -> Result<(), Fault> {
    let client = Client::new(&args.reach.url)?;
    let path = with_query("/api/v1/runners", &[("app", args.app.as_deref())]);
    let list: Runners = client.get(&path)?.read()?;
    if args.reach.json {
        return list.runners.iter().try_for_each(out::json);
    }
    let head = ["app", "runner", "instance", "sdk", "busy", "held", "seen", ""];
    let mut table = out::table(&head);
    for raw in &list.runners {
        let one: Runner = read(raw)?;
        let state = if one.draining { "draining" } else { "" };
        table.add_row([
            one.app,
            one.name,
            one.instance.chars().take(8).collect(),
            one.sdk,
            format!("{}/{}", one.busy, one.slots),
            one.held.to_string(),
            short(&one.seen_at),
            state.to_owned(),
        ]);
    }
    if list.runners.is_empty() {
        out::note("no runner is connected");
        return Ok(());
    }
    out::line(table)
}

fn read<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, Fault> {
    serde_json::from_str(raw.get()).map_err(|error| Fault::Machine(error.to_string()))
}

/// Cuts an instant to seconds.
pub(super) fn short(at: &str) -> String {
    at.get(..19).unwrap_or(at).replace('T', " ")
}
