//! Every run is read back and counted: a figure about runs that are not there is none.

use serde::Deserialize;

use crate::cli::{Client, Fault};

#[derive(Deserialize)]
struct Page {
    runs: Vec<Row>,
    next: Option<String>,
    stale: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    steps_ended: u64,
}

/// What is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) runs: u64,
    pub(super) steps: u64,
}

/// Counts the stored runs of a status and their ended steps.
pub(super) fn count(url: &str, status: &str) -> Result<Stored, Fault> {
    let client = Client::new(url)?;
    let mut stored = Stored::default();
    let mut cursor: Option<String> = None;
    loop {
        let after = cursor.as_ref().map(|next| format!("&cursor={next}")).unwrap_or_default();
        let path = format!("/api/v1/runs?status={status}&limit=500{after}");
        let page: Page = client.get(&path)?.read()?;
        if page.stale {
            // The fold is on its way; the same page is asked for again.
            continue;
        }
        stored.runs += page.runs.len() as u64;
        stored.steps += page.runs.iter().map(|row| row.steps_ended).sum::<u64>();
        cursor = page.next;
        if cursor.is_none() {
            return Ok(stored);
        }
    }
}
