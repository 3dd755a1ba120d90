//! `runs cancel`, `pause`, `resume`, `terminate`, `retry`, `delete`: what people do to a run.

use owo_colors::OwoColorize;
use serde::{Deserialize, Serialize};

use super::args::{ActOn, Reach};
use super::client::{Client, segment, with_query};
use super::fault::Fault;
use super::out;

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Deserialize)]
struct Acted {
    id: String,
    status: String,
}

/// Acts on a run; `act` is the last part of the address.
pub(super) fn act(act: &str, on: &ActOn) -> Result<(), Fault> {
    let client = Client::new(&on.reach.url)?;
    let by = on.by.as_deref().filter(|by| !by.is_empty());
    let body = serde_json::to_vec(&Body { by, reason: on.reason.as_deref() });
    let body = body.map_err(|error| Fault::Machine(error.to_string()))?;
    let answer = client.post(&format!("/api/v1/runs/{}/{act}", segment(&on.run)), body)?;
    if on.reach.json {
        return out::line(answer.text());
    }
    let Acted { id, status } = answer.read()?;
    let sign = out::sign(&status);
    out::line(format_args!("{id} {sign} {}", status.style(out::style(&status))))
}

/// Deletes a run that has ended.
pub(super) fn delete(run: &str, reason: Option<&str>, reach: &Reach) -> Result<(), Fault> {
    let client = Client::new(&reach.url)?;
    let path = format!("/api/v1/runs/{}", segment(run));
    let answer = client.delete(&with_query(&path, &[("reason", reason)]))?;
    if reach.json {
        return out::line(answer.text());
    }
    out::line(format_args!("{run} is deleted"))
}
