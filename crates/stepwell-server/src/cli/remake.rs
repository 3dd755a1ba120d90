//! `runs resolve`, `rerun` and `fork`: acts that bring something along.

use std::collections::BTreeMap;

use owo_colors::OwoColorize;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::args::{ForkRun, RerunRun, ResolveStep};
use super::client::{Client, segment};
use super::fault::Fault;
use super::out;
use super::runs::payload;

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Thrown<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    outputs: BTreeMap<&'a str, Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct Thrown<'a> {
    name: &'a str,
    message: &'a str,
}

#[derive(Deserialize)]
struct Answer {
    id: String,
    #[serde(default)]
    status: Option<String>,
}

impl<'a> Body<'a> {
    fn signed(by: Option<&'a str>, reason: Option<&'a str>) -> Self {
        Self {
            step: None,
            outcome: None,
            output: None,
            error: None,
            input: None,
            outputs: BTreeMap::new(),
            by: by.filter(|by| !by.is_empty()),
            reason,
        }
    }
}

/// Says how a step ended whose outcome is unknown.
pub(super) fn resolve(asked: &ResolveStep) -> Result<(), Fault> {
    let on = &asked.on;
    let mut body = Body::signed(on.by.as_deref(), on.reason.as_deref());
    body.step = Some(&asked.step);
    if let Some(message) = &asked.failed {
        body.outcome = Some("failed");
        body.error = Some(Thrown { name: &asked.error_name, message });
    } else if asked.not_done {
        body.outcome = Some("notDone");
    } else {
        body.outcome = Some("completed");
        body.output = asked
            .completed
            .as_deref()
            .filter(|text| !text.is_empty())
            .map(|text| payload("--completed", text))
            .transpose()?;
    }
    send("resolve", on, &body)
}

/// Starts a run again.
pub(super) fn rerun(asked: &RerunRun) -> Result<(), Fault> {
    let on = &asked.on;
    let mut body = Body::signed(on.by.as_deref(), on.reason.as_deref());
    body.input = asked.input.as_deref().map(|text| payload("--input", text)).transpose()?;
    send("rerun", on, &body)
}

/// Starts a run that goes on from a step of another one.
pub(super) fn fork(asked: &ForkRun) -> Result<(), Fault> {
    let on = &asked.on;
    let mut body = Body::signed(on.by.as_deref(), on.reason.as_deref());
    body.step = asked.from.as_deref();
    body.input = asked.input.as_deref().map(|text| payload("--input", text)).transpose()?;
    for edit in &asked.output {
        let Some((step, output)) = edit.split_once('=') else {
            let text = format!("`--output {edit}` is not accepted; accepted: STEP=JSON");
            return Err(Fault::Usage(text));
        };
        body.outputs.insert(step, payload("--output", output)?);
    }
    send("fork", on, &body)
}

fn send(act: &str, on: &super::args::ActOn, body: &Body<'_>) -> Result<(), Fault> {
    let client = Client::new(&on.reach.url)?;
    let body = serde_json::to_vec(body).map_err(|error| Fault::Machine(error.to_string()))?;
    let answer = client.post(&format!("/api/v1/runs/{}/{act}", segment(&on.run)), body)?;
    if on.reach.json {
        return out::line(answer.text());
    }
    let Answer { id, status } = answer.read()?;
    match status {
        Some(status) => {
            let sign = out::sign(&status);
            out::line(format_args!("{id} {sign} {}", status.style(out::style(&status))))
        }
        None => out::line(format_args!("{id} {act} of {}", on.run)),
    }
}
