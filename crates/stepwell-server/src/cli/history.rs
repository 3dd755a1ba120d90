//! `runs history`: the event log of a run.

use owo_colors::OwoColorize;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::args::Reach;
use super::client::{Client, segment, with_query};
use super::fault::Fault;
use super::out;

/// Records of a page.
const PAGE: &str = "500";

/// Columns in front of what a record says.
const MARGIN: usize = 42;

#[derive(Deserialize)]
struct History {
    records: Vec<Box<RawValue>>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Happened {
    n: u64,
    at: Option<String>,
    kind: String,
    content: Box<RawValue>,
}

/// Prints the records of a run, oldest first: cut to a line each, or with `full` whole.
pub(super) fn run(id: &str, full: bool, reach: &Reach) -> Result<(), Fault> {
    let client = Client::new(&reach.url)?;
    let path = format!("/api/v1/runs/{}/history", segment(id));
    let mut cursor = None;
    loop {
        let parameters = [("limit", Some(PAGE)), ("cursor", cursor.as_deref())];
        let page: History = client.get(&with_query(&path, &parameters))?.read()?;
        for raw in &page.records {
            if reach.json {
                out::json(raw)?;
            } else {
                tell(raw, full)?;
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

fn tell(raw: &RawValue, full: bool) -> Result<(), Fault> {
    let Happened { n, at, kind, content } = serde_json::from_str(raw.get())
        .map_err(|error| Fault::Unreachable(format!("the answer is not understood: {error}")))?;
    let at = at.unwrap_or_default();
    let time = at.get(11..23).unwrap_or(&at);
    let content = out::printable(content.get());
    let room = out::width().saturating_sub(MARGIN);
    let content = match content.char_indices().nth(room) {
        Some((end, _)) if !full => format!("{}…", content.get(..end).unwrap_or_default()),
        Some(_) | None => content,
    };
    out::line(format_args!("{n:>5} {:12} {kind:14} {content}", time.dimmed()))
}
