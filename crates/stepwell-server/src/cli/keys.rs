//! `keys create`, `list`, `rotate`, `revoke`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stepwell_access::keyring::Create;
use stepwell_access::{Keyring, Ledger, Pepper, Role, Secret, namespace};
use stepwell_core::duration;
use stepwell_http::gate::{entropy, now};
use stepwell_http::problem::Problem;
use stepwell_postgres::Options;
use stepwell_sqlite::{Embedded, ledger};

use super::args::Reach;
use super::client::{Client, segment, with_query};
use super::fault::Fault;
use super::place::Database;
use super::{first_key, out};
use crate::database;

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Make a key; it is printed once, on standard output or to a file
    Create(CreateKey),
    /// List keys; the keys themselves are not kept and so not shown
    List {
        /// Only those of this namespace
        #[arg(long)]
        namespace: Option<String>,
        #[command(flatten)]
        reach: Reach,
    },
    /// Give a key another secret; the one before is taken for a while too
    Rotate {
        /// The key's id
        id: String,
        /// How long the one before is taken, at most 30d; 0 ends it at once
        #[arg(long, default_value = "24h", value_name = "DURATION")]
        overlap: String,
        /// Write the key to this file, which is made
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Why, for the audit log
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        reach: Reach,
    },
    /// Revoke a key; what is connected with it is dropped
    Revoke {
        /// The key's id
        id: String,
        /// Why, for the audit log
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        reach: Reach,
    },
}

/// See [`Keys::Create`].
#[derive(Debug, Args)]
pub(super) struct CreateKey {
    /// What people call it
    #[arg(long)]
    name: String,
    /// What it may be used for: viewer, client, operator, worker, telemetry or admin
    #[arg(long)]
    role: String,
    /// The namespace that it is for [default: that of the key which makes it]
    #[arg(long)]
    namespace: Option<String>,
    /// When it ends by itself [default: never]
    #[arg(long, value_name = "DURATION")]
    expires: Option<String>,
    /// Write the key to this file, which is made
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Why, for the audit log
    #[arg(long)]
    reason: Option<String>,
    /// Make it in the folder of a server that is stopped: the way back in where every key is lost
    #[arg(long, value_name = "DIR", conflicts_with = "store")]
    data: Option<PathBuf>,
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreateBody<'a> {
    name: &'a str,
    role: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct Changing<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    overlap: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Deserialize)]
struct List {
    keys: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    id: String,
    name: String,
    namespace: String,
    role: String,
    state: String,
    created_at: String,
    expires_at: Option<String>,
    last_used_at: Option<String>,
    key: Option<String>,
}

/// Does it.
pub(super) fn run(keys: &Keys) -> Result<(), Fault> {
    match keys {
        Keys::Create(create) => match (create.database.options()?, &create.data) {
            (Some(options), _) => create_in_database(create, &options),
            (None, Some(folder)) => create_in_folder(create, folder),
            (None, None) => self::create(create),
        },
        Keys::List { namespace, reach } => list(namespace.as_deref(), reach),
        Keys::Rotate { id, overlap, out, reason, reach } => {
            check_out(out.as_deref())?;
            let body = Changing { overlap: Some(overlap), reason: reason.as_deref() };
            let path = format!("/api/v1/keys/{}/rotate", segment(id));
            let answer = Client::new(&reach.url)?.post(&path, json(&body)?)?;
            told(&answer.text(), &answer.read()?, out.as_deref(), reach)
        }
        Keys::Revoke { id, reason, reach } => {
            let body = Changing { overlap: None, reason: reason.as_deref() };
            let path = format!("/api/v1/keys/{}/revoke", segment(id));
            let answer = Client::new(&reach.url)?.post(&path, json(&body)?)?;
            if reach.json {
                return out::line(answer.text());
            }
            let Shown { id, name, state, .. } = answer.read()?;
            out::line(format_args!("{id} {state}: {}", out::printable(&name)))
        }
    }
}

fn create(create: &CreateKey) -> Result<(), Fault> {
    check_out(create.out.as_deref())?;
    let body = CreateBody {
        name: &create.name,
        role: &create.role,
        namespace: create.namespace.as_deref(),
        expires_in: create.expires.as_deref(),
        reason: create.reason.as_deref(),
    };
    let answer = Client::new(&create.reach.url)?.post("/api/v1/keys", json(&body)?)?;
    told(&answer.text(), &answer.read()?, create.out.as_deref(), &create.reach)
}

/// Says so before a key is made that could not be written.
fn check_out(file: Option<&Path>) -> Result<(), Fault> {
    match file {
        Some(file) if file.exists() => {
            let text = format!("--out {}: it is there already", file.display());
            Err(Fault::Usage(text))
        }
        _ => Ok(()),
    }
}

/// Shows a key that was made: the key alone on standard output, so that it can be taken from there.
fn told(json: &str, shown: &Shown, file: Option<&Path>, reach: &Reach) -> Result<(), Fault> {
    let key = shown.key.as_deref().unwrap_or_default();
    let place = match file {
        Some(file) => {
            let secret = Secret::parse(key).map_err(|error| Fault::Machine(error.to_string()))?;
            let failed =
                |error| Fault::Machine(format!("{} cannot be written: {error}", file.display()));
            first_key::write(file, &secret).map_err(failed)?;
            format!("it is in {}", file.display())
        }
        None if reach.json => return out::line(json),
        None => {
            out::line(key)?;
            "it is shown once".to_owned()
        }
    };
    out::note(format_args!(
        "key {} `{}` of the role {} in namespace {}; {place}",
        shown.id,
        out::printable(&shown.name),
        shown.role,
        shown.namespace,
    ));
    Ok(())
}

fn list(namespace: Option<&str>, reach: &Reach) -> Result<(), Fault> {
    let path = with_query("/api/v1/keys", &[("namespace", namespace)]);
    let list: List = Client::new(&reach.url)?.get(&path)?.read()?;
    if reach.json {
        return list.keys.iter().try_for_each(out::json);
    }
    let head = ["id", "key", "namespace", "role", "state", "created", "expires", "last used"];
    let mut table = out::table(&head);
    for raw in &list.keys {
        let one: Shown = serde_json::from_str(raw.get()).map_err(|error| {
            Fault::Unreachable(format!("the answer is not understood: {error}"))
        })?;
        table.add_row([
            one.id,
            out::printable(&one.name),
            one.namespace,
            one.role,
            one.state,
            minute(&one.created_at),
            one.expires_at.as_deref().map_or_else(|| "never".into(), minute),
            one.last_used_at.as_deref().map_or_else(|| "never".into(), minute),
        ]);
    }
    out::line(table)
}

/// An instant to the minute.
fn minute(at: &str) -> String {
    at.get(..16).unwrap_or(at).replace('T', " ")
}

fn json(body: &impl Serialize) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(body).map_err(|error| Fault::Machine(error.to_string()))
}

/// Makes a key in a database, whose nodes may be at work: they know it a moment later.
fn create_in_database(create: &CreateKey, options: &Options) -> Result<(), Fault> {
    check_out(create.out.as_deref())?;
    let failed =
        |error: stepwell_access::ledger::Error| Fault::refused(error.code(), error.to_string());
    let opened = database::open_ledger(options).map_err(failed)?;
    let ledger = Arc::new(opened.ledger);
    create_in(create, (ledger, opened.pepper), "made in the database, without a key")
}

/// Makes a key in a folder whose server is stopped.
fn create_in_folder(create: &CreateKey, folder: &Path) -> Result<(), Fault> {
    check_out(create.out.as_deref())?;
    let refused = |error: stepwell_store::Error| Fault::from(Problem::from(error));
    // Opening would make one.
    if !folder.is_dir() || !Embedded::is_there(folder).map_err(refused)? {
        let text = format!(
            "--data {}: no store is there; accepted: the folder of a server",
            folder.display()
        );
        return Err(Fault::Usage(text));
    }
    let alone = ledger::open_alone(folder).map_err(refused)?;
    let ledger = Arc::new(alone.opened.ledger);
    create_in(create, (ledger, alone.opened.pepper), "made in the folder, without a key")
}

/// Makes a key in a ledger.
fn create_in(
    create: &CreateKey,
    (ledger, pepper): (Arc<dyn Ledger>, Pepper),
    reason: &str,
) -> Result<(), Fault> {
    let role: Role =
        create.role.parse().map_err(|error| Fault::Usage(format!("--role: {error}")))?;
    let now = now();
    let expires_at = match create.expires.as_deref().map(duration::parse) {
        None => None,
        Some(Ok(span)) => Some(now.after(span)),
        Some(Err(error)) => return Err(Fault::Usage(format!("--expires: {error}"))),
    };
    let keyring = Keyring::open(ledger, pepper, now)
        .map_err(|error| Fault::refused(error.code(), error.to_string()))?;
    let ask = Create {
        name: create.name.clone(),
        namespace: create.namespace.as_deref().unwrap_or(namespace::DEFAULT).into(),
        role,
        expires_at,
        by: "stepwell".to_owned(),
    };
    let failed = |error: stepwell_access::keyring::Error| Fault::from(Problem::from(error));
    let (key, secret) = keyring.create(ask, entropy()?, now).map_err(failed)?;
    let reason = create.reason.as_deref().unwrap_or(reason);
    keyring.record(first_key::made(key.id.to_string(), reason)).map_err(failed)?;
    let shown = Shown {
        id: key.id.to_string(),
        name: key.name,
        namespace: key.namespace.to_string(),
        role: key.role.to_string(),
        state: "live".to_owned(),
        created_at: key.created_at.to_string(),
        expires_at: key.expires_at.map(|at| at.to_string()),
        last_used_at: None,
        key: Some(secret.expose().to_owned()),
    };
    let json = serde_json::json!({
        "id": shown.id, "name": shown.name, "namespace": shown.namespace, "role": shown.role,
        "state": shown.state, "createdAt": shown.created_at, "expiresAt": shown.expires_at,
        "key": shown.key,
    });
    told(&json.to_string(), &shown, create.out.as_deref(), &create.reach)
}
