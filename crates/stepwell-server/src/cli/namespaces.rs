//! `namespaces create`, `list`, `delete`.

use clap::Subcommand;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::args::Reach;
use super::client::{Client, segment, with_query};
use super::fault::Fault;
use super::out;

/// What to do with namespaces.
#[derive(Debug, Subcommand)]
pub(super) enum Namespaces {
    /// Make a namespace; what belongs to it is not there for keys of others
    Create {
        /// Its name: a-z, 0-9, `-`, `_` and `.`
        name: String,
        #[command(flatten)]
        reach: Reach,
    },
    /// List namespaces
    List {
        #[command(flatten)]
        reach: Reach,
    },
    /// Delete a namespace: its keys end at once
    Delete {
        /// Its name
        name: String,
        /// End the runs that it has
        #[arg(long)]
        force: bool,
        /// Why, for the audit log
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        reach: Reach,
    },
}

#[derive(Deserialize)]
struct List {
    namespaces: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    name: String,
    created_at: String,
    created_by: String,
    closed_at: Option<String>,
    keys: usize,
}

#[derive(Deserialize)]
struct Deleted {
    name: String,
    gone: bool,
    active: u64,
    ended: u64,
}

/// Does it.
pub(super) fn run(namespaces: &Namespaces) -> Result<(), Fault> {
    match namespaces {
        Namespaces::Create { name, reach } => {
            let body = serde_json::json!({ "name": name }).to_string().into_bytes();
            let answer = Client::new(&reach.url)?.post("/api/v1/namespaces", body)?;
            if reach.json {
                return out::line(answer.text());
            }
            let Shown { name, .. } = answer.read()?;
            out::line(format_args!(
                "{name} is there; make a key for it with `stepwell keys create`"
            ))
        }
        Namespaces::List { reach } => list(reach),
        Namespaces::Delete { name, force, reason, reach } => {
            let query = [("force", force.then_some("true")), ("reason", reason.as_deref())];
            let path = format!("/api/v1/namespaces/{}", segment(name));
            let answer = Client::new(&reach.url)?.delete(&with_query(&path, &query))?;
            if reach.json {
                return out::line(answer.text());
            }
            let Deleted { name, gone, active, ended } = answer.read()?;
            if gone {
                return out::line(format_args!("{name} is gone"));
            }
            out::line(format_args!(
                "{name} is closed: its keys are over, {active} runs are being ended, {ended} ended \
                 runs stay until their retention is over; its name stays taken as long as something \
                 of it is stored"
            ))
        }
    }
}

fn list(reach: &Reach) -> Result<(), Fault> {
    let list: List = Client::new(&reach.url)?.get("/api/v1/namespaces")?.read()?;
    if reach.json {
        return list.namespaces.iter().try_for_each(out::json);
    }
    let mut table = out::table(&["namespace", "state", "live keys", "created", "by"]);
    for raw in &list.namespaces {
        let one: Shown = serde_json::from_str(raw.get()).map_err(|error| {
            Fault::Unreachable(format!("the answer is not understood: {error}"))
        })?;
        let state = if one.closed_at.is_some() { "closed" } else { "open" };
        table.add_row([
            one.name,
            state.to_owned(),
            one.keys.to_string(),
            one.created_at.get(..16).unwrap_or_default().replace('T', " "),
            out::printable(&one.created_by),
        ]);
    }
    out::line(table)
}
