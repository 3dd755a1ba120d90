//! `backup`, `backup list`, `backup verify`: copies of a store that is in use.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stepwell_core::code::Code;
use stepwell_http::problem::Problem;
use stepwell_sqlite::backup::{self, Verified};

use super::args::Reach;
use super::client::Client;
use super::fault::Fault;
use super::out;

/// Pause between questions to the server.
const PAUSE: Duration = Duration::from_millis(200);

/// Make a backup, or look at backups.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Backup {
    #[command(subcommand)]
    what: Option<What>,
    /// Do not wait until it is whole
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the backups that the server has
    List {
        #[command(flatten)]
        reach: Reach,
    },
    /// Read a backup whole and hold it against its hashes; asks no server
    Verify {
        /// The folder of the backup
        backup: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Deserialize)]
struct Begun {
    at: String,
    begun: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    running: Option<Running>,
    last_failure: Option<Failure>,
    backups: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Running {
    at: String,
    copied_bytes: u64,
    total_bytes: u64,
}

#[derive(Deserialize)]
struct Failure {
    at: String,
    code: String,
    detail: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    name: String,
    at: String,
    bytes: u64,
    head: u64,
    took_ms: Option<u64>,
}

/// Does it.
pub(super) fn run(backup: &Backup) -> Result<(), Fault> {
    match &backup.what {
        None => create(&backup.reach, backup.no_wait),
        Some(What::List { reach }) => list(reach),
        Some(What::Verify { backup, json }) => verify(backup, *json),
    }
}

fn create(reach: &Reach, no_wait: bool) -> Result<(), Fault> {
    let client = Client::new(&reach.url)?;
    let answer = client.post("/api/v1/backups", Vec::new())?;
    let Begun { at, begun } = answer.read()?;
    if no_wait {
        if reach.json {
            return out::line(answer.text());
        }
        let what = if begun { "it is being made" } else { "one is being made since" };
        return out::line(format_args!("{what} {at}; see `stepwell backup list`"));
    }
    let shows = !reach.json && std::io::stderr().is_terminal();
    let mut told = 0;
    loop {
        let List { running, last_failure, backups } = client.get("/api/v1/backups")?.read()?;
        if let Some(Running { copied_bytes, total_bytes, .. }) =
            running.filter(|running| running.at == at)
        {
            let percent = copied_bytes * 100 / total_bytes.max(1);
            if shows && percent >= told + 10 {
                told = percent;
                out::note(format_args!("{percent} % of {}", size(total_bytes)));
            }
            std::thread::sleep(PAUSE);
            continue;
        }
        if let Some(Failure { code, detail, .. }) = last_failure.filter(|one| one.at == at) {
            return Err(Fault::Answered { code, detail });
        }
        for raw in backups.iter().rev() {
            let one = read(raw)?;
            if one.at == at {
                return show(raw, &one, reach);
            }
        }
        let text = "the server started again meanwhile, and made no backup";
        return Err(Fault::refused(Code::Unavailable, text));
    }
}

fn show(raw: &RawValue, one: &Shown, reach: &Reach) -> Result<(), Fault> {
    if reach.json {
        return out::line(raw.get());
    }
    let seconds = one
        .took_ms
        .map_or_else(String::new, |ms| format!(" in {}.{:01} s", ms / 1_000, ms % 1_000 / 100));
    out::line(format_args!("{} is there: {}{seconds}", one.name, size(one.bytes)))
}

fn list(reach: &Reach) -> Result<(), Fault> {
    let List { running, backups, .. } = Client::new(&reach.url)?.get("/api/v1/backups")?.read()?;
    if reach.json {
        return backups.iter().try_for_each(out::json);
    }
    let mut table = out::table(&["backup", "size", "position"]);
    for raw in &backups {
        let one = read(raw)?;
        table.add_row([one.name, size(one.bytes), one.head.to_string()]);
    }
    out::line(table)?;
    match running {
        Some(Running { at, .. }) => out::line(format_args!("one is being made since {at}")),
        None => Ok(()),
    }
}

fn read(raw: &RawValue) -> Result<Shown, Fault> {
    serde_json::from_str(raw.get())
        .map_err(|error| Fault::Unreachable(format!("the answer is not understood: {error}")))
}

#[derive(Serialize)]
struct ShownVerified<'a> {
    store: String,
    at: String,
    runs: u64,
    bytes: u64,
    head: u64,
    problems: &'a [String],
}

fn verify(folder: &Path, json: bool) -> Result<(), Fault> {
    let verified = backup::verify(folder).map_err(|error| Fault::from(Problem::from(error)))?;
    let Verified { manifest, runs, problems } = &verified;
    if json {
        out::json(&ShownVerified {
            store: format!("{:032x}", manifest.store),
            at: manifest.at.to_string(),
            runs: *runs,
            bytes: manifest.bytes(),
            head: manifest.head,
            problems,
        })?;
    } else {
        for what in problems {
            out::line(format_args!("✗ {what}"))?;
        }
        if problems.is_empty() {
            let (files, bytes) = (manifest.files.len(), size(manifest.bytes()));
            out::line(format_args!(
                "✓ {files} files with {bytes} are as they were written at {}; the tables hold {runs} \
                 runs at position {}, the log goes to {}",
                manifest.at, manifest.folded, manifest.head
            ))?;
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    let text = format!("{} problems were found in {}", problems.len(), folder.display());
    Err(Fault::refused(Code::LogCorrupt, text))
}

/// Shows a size to a tenth.
pub(super) fn size(bytes: u64) -> String {
    let units = [(1_u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} B"),
    }
}
