//! `resume`: the runs of a restored server go on.

use clap::Args;
use serde::Deserialize;

use super::args::Reach;
use super::client::Client;
use super::fault::Fault;
use super::out;

/// Which server.
#[derive(Debug, Args)]
pub(super) struct Resume {
    #[command(flatten)]
    reach: Reach,
}

#[derive(Deserialize)]
struct Resumed {
    restored: Option<Restored>,
}

#[derive(Deserialize)]
struct Restored {
    backup: String,
}

/// Does it.
pub(super) fn run(Resume { reach }: &Resume) -> Result<(), Fault> {
    let answer = Client::new(&reach.url)?.post("/api/v1/server/resume", Vec::new())?;
    if reach.json {
        return out::line(answer.text());
    }
    match answer.read()? {
        Resumed { restored: Some(Restored { backup }) } => {
            out::line(format_args!("runs go on from backup {backup}"))
        }
        Resumed { restored: None } => {
            out::line("nothing was held: this server was not restored from a backup")
        }
    }
}
