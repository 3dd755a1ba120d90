//! `health`: whether a server serves, as an exit code.

use serde::Deserialize;

use super::args::Health;
use super::client::Client;
use super::fault::Fault;
use super::out;

#[derive(Deserialize)]
struct Pulse {
    status: String,
}

/// Asks. A server that refuses new runs serves: those that have begun go on.
pub(super) fn run(asked: &Health) -> Result<(), Fault> {
    let time = stepwell_core::duration::parse(&asked.timeout);
    let time = time.map_err(|error| Fault::Usage(format!("--timeout: {error}")))?;
    let answer = Client::new(&asked.reach.url)?.within(time).get("/healthz")?;
    if asked.reach.json {
        return out::line(answer.text());
    }
    let Pulse { status } = answer.read()?;
    out::line(status)
}
