//! `restore`: a data folder made from a backup.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use stepwell_http::problem::Problem;
use stepwell_sqlite::Options;
use stepwell_sqlite::backup::{self, Made};

use super::backup::size;
use super::fault::Fault;
use super::out;

/// Which backup, and where to.
#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The folder of the backup
    backup: PathBuf,
    /// The data folder to make; empty, or not there
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shown {
    store: String,
    of: String,
    at: String,
    bytes: u64,
}

/// Does it.
pub(super) fn run(restore: &Restore) -> Result<(), Fault> {
    let Restore { backup, data, json } = restore;
    let made = backup::restore(backup, data, &Options::default());
    let Made { store, from } = made.map_err(|error| Fault::from(Problem::from(error)))?;
    if *json {
        return out::json(&Shown {
            store: format!("{store:032x}"),
            of: format!("{:032x}", from.store),
            at: from.at.to_string(),
            bytes: from.bytes(),
        });
    }
    out::line(format_args!(
        "{} holds what was there at {}: {}",
        data.display(),
        from.at,
        size(from.bytes())
    ))?;
    out::line(NEXT)
}

/// What to do next.
const NEXT: &str = "Its runs are held back: `stepwell start` serves what it holds and runs nothing. Once the server \
     that it was taken of is stopped for good, `stepwell start --resume` or `stepwell resume` lets them go.";
