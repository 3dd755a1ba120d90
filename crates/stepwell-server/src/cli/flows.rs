//! `flows init`, `check`, `push`, `list`, `show`, `schema`: what is declared of flows, in a file and on a server (§10.6).

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use stepwell_core::code::Code;
use stepwell_telemetry::file;
use stepwell_telemetry::flow::Flow;

use super::args::Reach;
use super::client::{Client, segment, with_query};
use super::fault::Fault;
use super::flow_schema::schema;
use super::model::span;
use super::out;

/// Where flows are declared, from the folder of a project.
const FILE: &str = ".stepwell/flows.json";

/// Where failpath has them.
const OF_FAILPATH: &str = ".failpath/flows.json";

/// The schema beside the file.
const SCHEMA: &str = "flows.schema.json";

/// What to do with flows.
#[derive(Debug, Subcommand)]
pub(super) enum Flows {
    /// Write a file of flows to begin with, and its JSON Schema
    Init(Init),
    /// Say everything that is wrong with a file of flows
    Check(InFile),
    /// Declare the flows of a file on a server
    Push(Push),
    /// List flows that are declared, or have observed runs
    List {
        #[command(flatten)]
        reach: Reach,
    },
    /// Show a flow: its steps, and what its runs add up to
    Show(Show),
    /// Print the JSON Schema of files of flows, for editors
    Schema,
}

/// See [`Flows::Init`].
#[derive(Debug, Args)]
pub(super) struct Init {
    /// Write what runs of these flows on the server show, in place of a sample
    #[arg(long, value_name = "FLOW", num_args = 1..)]
    from_server: Vec<String>,
    /// The file
    #[arg(long, value_name = "FILE", default_value = FILE)]
    file: PathBuf,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    reach: Reach,
}

/// A file of flows.
#[derive(Debug, Args)]
pub(super) struct InFile {
    /// The file [default: .stepwell/flows.json, else .failpath/flows.json]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// See [`Flows::Push`].
#[derive(Debug, Args)]
pub(super) struct Push {
    #[command(flatten)]
    of: InFile,
    #[command(flatten)]
    reach: Reach,
}

/// See [`Flows::Show`].
#[derive(Debug, Args)]
pub(super) struct Show {
    /// Its slug
    flow: String,
    /// How far back is looked: 1h, 24h or 7d
    #[arg(long, default_value = "24h", value_name = "WINDOW")]
    window: String,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Deserialize)]
struct List {
    flows: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    flow: String,
    declared: bool,
    steps: u64,
    last_at: Option<String>,
    last24h: LastDay,
    now: OfNow,
}

#[derive(Deserialize)]
struct LastDay {
    runs: u64,
    failed: u64,
}

#[derive(Deserialize)]
struct OfNow {
    running: u64,
    stuck: u64,
}

#[derive(Deserialize)]
struct Shown {
    flow: String,
    name: String,
    declared: bool,
    steps: Vec<Step>,
    runs: Runs,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Step {
    key: String,
    declared: bool,
    counts: Counts,
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    ok: u64,
    failed: u64,
    skipped: u64,
    missing: u64,
    not_reached: u64,
}

#[derive(Deserialize)]
struct Runs {
    total: u64,
    failed: u64,
    running: u64,
    stuck: u64,
}

#[derive(Deserialize)]
struct Declared {
    changed: bool,
}

/// Does it.
pub(super) fn run(flows: &Flows) -> Result<(), Fault> {
    match flows {
        Flows::Init(asked) => init(asked),
        Flows::Check(of) => check(of),
        Flows::Push(asked) => push(asked),
        Flows::List { reach } => list(reach),
        Flows::Show(asked) => show(asked),
        Flows::Schema => out::text(&pretty(&schema())?),
    }
}

fn init(asked: &Init) -> Result<(), Fault> {
    let Init { from_server, file, force, reach } = asked;
    let mut entries = Vec::new();
    for flow in from_server {
        let path = format!("/api/v1/flows/{}/learned", segment(flow));
        entries.push(Client::new(&reach.url)?.get(&path)?.read::<Value>()?);
    }
    if entries.is_empty() {
        entries.push(sample());
    }
    let whole = json!({ "$schema": format!("./{SCHEMA}"), "flows": entries });
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        std::fs::create_dir_all(folder).map_err(|error| cannot("made", folder, &error))?;
    }
    write(file, &pretty(&whole)?, *force)?;
    // The schema is of this version, whatever was there.
    let beside = file.with_file_name(SCHEMA);
    write(&beside, &pretty(&schema())?, true)?;
    out::line(format_args!(
        "{} is there; change it, then `stepwell flows check` and `stepwell flows push`",
        file.display()
    ))
}

/// What a file begins with.
fn sample() -> Value {
    json!({
        "slug": "checkout",
        "name": "Checkout",
        "steps": [
            {"key": "validate-cart", "name": "Validate cart"},
            {"key": "charge-card", "name": "Charge card"},
            {"key": "send-receipt", "name": "Send receipt"},
        ],
        "edges": [["validate-cart", "charge-card"], ["charge-card", "send-receipt"]],
        "stuckAfter": "10m",
        "quietAfter": "1m",
    })
}

fn write(path: &Path, text: &str, force: bool) -> Result<(), Fault> {
    let mut options = OpenOptions::new();
    options.write(true).truncate(force).create(force).create_new(!force);
    let mut opened = options.open(path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Fault::Usage(format!(
            "{} is there already; --force writes over it, --file names another",
            path.display()
        )),
        _ => cannot("written", path, &error),
    })?;
    let written = opened.write_all(text.as_bytes()).and_then(|()| opened.write_all(b"\n"));
    written.map_err(|error| cannot("written", path, &error))
}

fn pretty(value: &Value) -> Result<String, Fault> {
    serde_json::to_string_pretty(value).map_err(|error| Fault::Machine(error.to_string()))
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> Fault {
    Fault::Machine(format!("{} cannot be {what}: {error}", path.display()))
}

impl InFile {
    fn path(&self) -> Result<PathBuf, Fault> {
        if let Some(file) = &self.file {
            return Ok(file.clone());
        }
        let found = [FILE, OF_FAILPATH].into_iter().map(PathBuf::from).find(|path| path.exists());
        found.ok_or_else(|| {
            Fault::Usage(format!(
                "there is neither {FILE} nor {OF_FAILPATH} here; name a file, or make one with \
                 `stepwell flows init`"
            ))
        })
    }

    /// Reads the file. Everything that is wrong with it is printed, with its place.
    fn read(&self) -> Result<(PathBuf, Vec<Flow>), Fault> {
        let path = self.path()?;
        let text = std::fs::read_to_string(&path).map_err(|error| cannot("read", &path, &error))?;
        match file::read(&text) {
            Ok(flows) => Ok((path, flows)),
            Err(faults) => {
                for fault in &faults {
                    out::line(format_args!("{}, {fault}", path.display()))?;
                }
                let what = if faults.len() == 1 { "mistake" } else { "mistakes" };
                let text = format!("{} {what} in {}", faults.len(), path.display());
                Err(Fault::refused(Code::BadRequest, text))
            }
        }
    }
}

fn check(of: &InFile) -> Result<(), Fault> {
    let (path, flows) = of.read()?;
    let flows = flows.len();
    let what = if flows == 1 { "flow" } else { "flows" };
    out::line(format_args!("{}: {flows} {what}, nothing is wrong", path.display()))
}

/// Declares all flows or none: what is wrong with the file is found before the first is sent.
fn push(asked: &Push) -> Result<(), Fault> {
    let (_, flows) = asked.of.read()?;
    for flow in &flows {
        let path = format!("/api/v1/flows/{}", segment(&flow.slug));
        let body = file::entry(flow).to_string().into_bytes();
        let answer = Client::new(&asked.reach.url)?.put(&path, body)?;
        if asked.reach.json {
            out::line(answer.text())?;
            continue;
        }
        let Declared { changed } = answer.read()?;
        let (slug, steps) = (out::printable(&flow.slug), flow.steps.len());
        let told = if changed { "declared" } else { "as it was" };
        out::line(format_args!("{slug}: {told}, {steps} steps"))?;
    }
    Ok(())
}

fn list(reach: &Reach) -> Result<(), Fault> {
    let list: List = Client::new(&reach.url)?.get("/api/v1/flows")?.read()?;
    if reach.json {
        return list.flows.iter().try_for_each(out::json);
    }
    let head = ["flow", "declared", "runs 24h", "failed", "running", "stuck", "last event"];
    let mut table = out::table(&head);
    for raw in &list.flows {
        let one: Row = serde_json::from_str(raw.get()).map_err(|error| {
            Fault::Unreachable(format!("the answer is not understood: {error}"))
        })?;
        let declared = if one.declared { format!("{} steps", one.steps) } else { "no".to_owned() };
        let last = one.last_at.unwrap_or_default();
        table.add_row([
            out::printable(&one.flow),
            declared,
            one.last24h.runs.to_string(),
            one.last24h.failed.to_string(),
            one.now.running.to_string(),
            one.now.stuck.to_string(),
            last.get(..16).unwrap_or_default().replace('T', " "),
        ]);
    }
    if list.flows.is_empty() {
        out::note("nothing was observed yet, and no flow is declared");
        return Ok(());
    }
    out::line(table)
}

fn show(asked: &Show) -> Result<(), Fault> {
    let path = format!("/api/v1/flows/{}", segment(&asked.flow));
    let path = with_query(&path, &[("window", Some(&asked.window))]);
    let answer = Client::new(&asked.reach.url)?.get(&path)?;
    if asked.reach.json {
        return out::line(answer.text());
    }
    let shown: Shown = answer.read()?;
    let Runs { total, failed, running, stuck } = shown.runs;
    let how = if shown.declared { "declared" } else { "as its runs show it" };
    let (name, slug) = (out::printable(&shown.name), out::printable(&shown.flow));
    out::line(format_args!("{name} ({slug}), {how}"))?;
    out::line(format_args!(
        "{total} runs in {}, {failed} failed · {running} running, {stuck} stuck\n",
        asked.window
    ))?;
    let head = ["step", "ok", "failed", "skipped", "missing", "not reached", "p50", "p99"];
    let mut table = out::table(&head);
    for step in shown.steps {
        let mark = if shown.declared && !step.declared { " (not declared)" } else { "" };
        let Counts { ok, failed, skipped, missing, not_reached } = step.counts;
        table.add_row([
            format!("{}{mark}", out::printable(&step.key)),
            ok.to_string(),
            failed.to_string(),
            skipped.to_string(),
            missing.to_string(),
            not_reached.to_string(),
            step.p50_ms.map(span).unwrap_or_default(),
            step.p99_ms.map(span).unwrap_or_default(),
        ]);
    }
    out::line(table)
}
