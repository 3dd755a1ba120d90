//! `reload`: has a server read its settings again.

use serde::Deserialize;

use super::args::Reach;
use super::client::Client;
use super::fault::Fault;
use super::out;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reloaded {
    applied: Vec<String>,
    needs_restart: Vec<String>,
}

/// Asks for it, and tells what changed.
pub(super) fn run(reach: &Reach) -> Result<(), Fault> {
    let answer = Client::new(&reach.url)?.post("/api/v1/reload", Vec::new())?;
    if reach.json {
        return out::line(answer.text());
    }
    let Reloaded { applied, needs_restart } = answer.read()?;
    if applied.is_empty() && needs_restart.is_empty() {
        return out::line("nothing has changed");
    }
    if !applied.is_empty() {
        out::line(format_args!("changed: {}", applied.join(", ")))?;
    }
    if !needs_restart.is_empty() {
        out::line(format_args!("needs a restart: {}", needs_restart.join(", ")))?;
    }
    Ok(())
}
