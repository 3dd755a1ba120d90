//! `runs list`, `runs counts`, `runs start`.

use std::collections::BTreeMap;
use std::io::Read as _;

use comfy_table::Cell;
use owo_colors::OwoColorize;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stepwell_core::duration;
use stepwell_core::status::RunStatus;
use stepwell_core::time::Timestamp;

use super::args::{List, Reach, StartRun, Which};
use super::client::{Client, segment, with_query};
use super::fault::Fault;
use super::model::{Row, Started, span};
use super::out;

/// Longest wait of one request; longer ones are made of several.
pub(super) const WAIT_MAX: &str = "5m";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    runs: Vec<Box<RawValue>>,
    next: Option<String>,
    searched_to: Option<String>,
    stale: bool,
}

impl Which {
    /// Returns the parameters of the address.
    pub(super) fn parameters(&self) -> [(&'static str, Option<&str>); 9] {
        [
            ("app", self.app.as_deref()),
            ("workflow", self.workflow.as_deref()),
            ("key", self.key.as_deref()),
            ("parent", self.parent.as_deref()),
            ("from", self.from.as_deref()),
            ("to", self.to.as_deref()),
            ("search", self.search.as_deref()),
            ("id", self.id.as_deref()),
            ("q", self.query.as_deref()),
        ]
    }
}

/// Lists runs.
pub(super) fn list(args: &List) -> Result<(), Fault> {
    let reach = &args.which.reach;
    let client = Client::new(&reach.url)?;
    let mut parameters = args.which.parameters().to_vec();
    parameters.extend([
        ("status", args.status.as_deref()),
        ("limit", Some(&*args.limit)),
        ("cursor", args.cursor.as_deref()),
    ]);
    let page: Page = client.get(&with_query("/api/v1/runs", &parameters))?.read()?;
    if reach.json {
        page.runs.iter().try_for_each(out::json)?;
    } else if page.runs.is_empty() {
        out::note(if page.searched_to.is_some() { "no run fits so far" } else { "no run fits" });
    } else {
        show(&page.runs)?;
    }
    if page.stale {
        out::note("the list lags behind: the newest changes may be missing");
    }
    match (page.next, page.searched_to) {
        (Some(next), Some(to)) => {
            out::note(format_args!("looked back to {to}; older runs may fit: --cursor {next}"));
        }
        (Some(next), None) => out::note(format_args!("older runs follow: --cursor {next}")),
        (None, _) => {}
    }
    Ok(())
}

#[derive(Deserialize)]
struct Counts {
    counts: BTreeMap<String, Count>,
    stale: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Count {
    runs: u64,
    or_more: bool,
}

/// Counts runs by status.
pub(super) fn counts(args: &Which) -> Result<(), Fault> {
    let client = Client::new(&args.reach.url)?;
    let answer = client.get(&with_query("/api/v1/runs/counts", &args.parameters()))?;
    if args.reach.json {
        return out::line(answer.text());
    }
    let Counts { counts, stale } = answer.read()?;
    let mut table = out::table(&["status", "runs"]);
    for status in RunStatus::ALL.map(RunStatus::as_str) {
        let Some(Count { runs, or_more }) = counts.get(status) else { continue };
        let more = if *or_more { "+" } else { "" };
        table.add_row([out::status_cell(status, status), Cell::new(format!("{runs}{more}"))]);
    }
    out::line(table)?;
    if stale {
        out::note("the counts lag behind: the newest changes may be missing");
    }
    Ok(())
}

const HEAD: [&str; 9] = ["run", "status", "app", "workflow", "key", "steps", "age", "took", "why"];

type Line = [String; HEAD.len()];

fn show(rows: &[Box<RawValue>]) -> Result<(), Fault> {
    let read = |raw: &RawValue| serde_json::from_str::<Row>(raw.get());
    let rows: Result<Vec<Row>, _> = rows.iter().map(|raw| read(raw)).collect();
    let rows = rows.map_err(|error| Fault::Machine(error.to_string()))?;
    let now = now();
    let statuses: Vec<String> = rows.iter().map(|row| row.status.clone()).collect();
    let lines: Vec<Line> = rows.into_iter().map(|row| cells(row, now)).collect();
    let (kept, spared) = fitting(&lines, out::width());
    let head: Vec<&str> = kept.iter().map(|at| HEAD[*at]).collect();
    let mut table = out::table(&head);
    for (status, mut line) in statuses.iter().zip(lines) {
        table.add_row(kept.iter().map(|at| match HEAD[*at] {
            "status" => out::status_cell(status, status),
            _ => Cell::new(std::mem::take(&mut line[*at])),
        }));
    }
    out::line(table)?;
    if !spared.is_empty() {
        let spared = spared.join(", ");
        out::note(format_args!("left out for want of room: {spared} (--json has all)"));
    }
    Ok(())
}

fn cells(row: Row, now: Timestamp) -> Line {
    let mut steps = format!("{}/{}", row.steps_ended, row.steps);
    if row.steps_failed > 0 {
        steps = format!("{steps}, {} failed", row.steps_failed);
    }
    [
        row.id,
        format!("{} {}", out::sign(&row.status), row.status),
        row.app,
        row.workflow,
        row.key.unwrap_or_default(),
        steps,
        age(now, row.created_at),
        row.duration_ms.map(span).unwrap_or_default(),
        row.blocked.unwrap_or_default(),
    ]
}

/// Chooses columns for a terminal: none that is empty, and where it is narrow, none of those that
/// matter least. Returns what is kept by place, and what was left out for want of room.
fn fitting(lines: &[Line], width: usize) -> (Vec<usize>, Vec<&'static str>) {
    /// What goes first, in this order.
    const SPARED: [&str; 3] = ["app", "took", "age"];
    /// Room for what people named, which is wrapped.
    const WRAPPED: usize = 12;
    let room = |at: usize| {
        let cells = lines.iter().map(|line| line[at].chars().count());
        let widest = cells.max().unwrap_or(0).max(HEAD[at].len());
        if out::WRAPPED.contains(&HEAD[at]) { widest.min(WRAPPED) } else { widest }
    };
    let filled = |at: &usize| lines.iter().any(|line| !line[*at].is_empty());
    let mut kept: Vec<usize> = (0..HEAD.len()).filter(filled).collect();
    let mut spared = Vec::new();
    for name in SPARED {
        // A column stands between two blanks.
        let wanted: usize = kept.iter().map(|at| room(*at) + 2).sum();
        if wanted > width
            && let Some(at) = kept.iter().position(|at| HEAD[*at] == name)
        {
            kept.remove(at);
            spared.push(name);
        }
    }
    (kept, spared)
}

/// Returns the time by this machine's clock, which is the server's.
pub(super) fn now() -> Timestamp {
    let wall = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    Timestamp::from_micros(0).after(wall)
}

fn age(now: Timestamp, then: Timestamp) -> String {
    let seconds = now.since(then).as_secs();
    span(std::time::Duration::from_secs(seconds.max(1)).as_secs_f64() * 1_000.0)
        .replace(".00s", "s")
}

#[derive(Serialize)]
struct StartBody<'a> {
    workflow: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delay: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runner: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    search: Option<Box<RawValue>>,
}

/// Starts a run.
pub(super) fn start(args: &StartRun) -> Result<(), Fault> {
    let client = Client::new(&args.reach.url)?;
    let body = StartBody {
        workflow: &args.workflow,
        app: args.app.as_deref(),
        input: args.input.as_deref().map(|text| payload("--input", text)).transpose()?,
        key: args.key.as_deref(),
        timeout: args.timeout.as_deref(),
        delay: args.delay.as_deref(),
        at: args.at.as_deref(),
        metadata: args.metadata.as_deref().map(|text| payload("--metadata", text)).transpose()?,
        runner: args.runner.as_deref(),
        search: args.search.as_deref().map(|text| payload("--search", text)).transpose()?,
    };
    let body = serde_json::to_vec(&body).map_err(|error| Fault::Machine(error.to_string()))?;
    let patience = args.wait.as_deref().map(Patience::read).transpose()?;
    let wait = patience.as_ref().map(Patience::first);
    let answer = client.post(&with_query("/api/v1/runs", &[("wait", wait)]), body)?;
    let started: Started = answer.read()?;
    if let Some(status) = &started.status {
        return ended(&started, status, &answer.text(), &args.reach);
    }
    if args.wait.is_none() || args.reach.json {
        if args.reach.json {
            out::line(answer.text())?;
        } else if started.created {
            out::line(&started.id)?;
        } else {
            out::line(&started.id)?;
            out::note("the key had started this run before");
        }
    }
    match patience {
        Some(Patience::Forever) => wait_on(&client, &started.id, &args.reach),
        Some(Patience::AtMost(_)) => {
            out::note(format_args!("{} goes on", started.id));
            Err(Fault::NotCompleted)
        }
        None => Ok(()),
    }
}

/// How long a start waits for the end.
enum Patience {
    Forever,
    AtMost(String),
}

impl Patience {
    fn read(text: &str) -> Result<Self, Fault> {
        if text.is_empty() {
            return Ok(Self::Forever);
        }
        duration::parse(text).map_err(|error| Fault::Usage(format!("--wait: {error}")))?;
        Ok(Self::AtMost(text.to_owned()))
    }

    fn first(&self) -> &str {
        match self {
            Self::Forever => WAIT_MAX,
            Self::AtMost(text) => text,
        }
    }
}

fn wait_on(client: &Client, id: &str, reach: &Reach) -> Result<(), Fault> {
    let path = format!("/api/v1/runs/{}/result?wait={WAIT_MAX}", segment(id));
    loop {
        let answer = client.get(&path)?;
        let run: Started = answer.read()?;
        match run.status.as_deref() {
            Some(status) if RunStatus::parse(status).is_none_or(RunStatus::is_ended) => {
                return ended(&run, status, &answer.text(), reach);
            }
            _ => {}
        }
    }
}

fn ended(started: &Started, status: &str, json: &str, reach: &Reach) -> Result<(), Fault> {
    if reach.json {
        out::line(json)?;
    } else {
        let sign = out::sign(status);
        let status = status.style(out::style(status));
        out::note(format_args!("{} {sign} {status}", started.id));
        if let Some(error) = &started.error {
            out::note(format_args!("{}: {}", error.name, error.message));
        }
        if let Some(output) = &started.output {
            out::line(output)?;
        }
    }
    if status == "completed" { Ok(()) } else { Err(Fault::NotCompleted) }
}

/// Reads JSON from the command line, a file or standard input.
pub(super) fn payload(flag: &str, text: &str) -> Result<Box<RawValue>, Fault> {
    let (from, text) = match text.strip_prefix('@') {
        None => ("the command line".to_owned(), text.to_owned()),
        Some("-") => {
            let mut read = String::new();
            std::io::stdin().read_to_string(&mut read).map_err(|error| {
                Fault::Usage(format!("{flag}: standard input cannot be read: {error}"))
            })?;
            ("standard input".to_owned(), read)
        }
        Some(file) => {
            let read = std::fs::read_to_string(file).map_err(|error| {
                Fault::Usage(format!("{flag}: `{file}` cannot be read: {error}"))
            })?;
            (format!("`{file}`"), read)
        }
    };
    serde_json::from_str(&text).map_err(|error| {
        Fault::Usage(format!(
            "{flag}: {from} is not JSON: {error}; accepted: JSON such as '{{\"order\": 7}}', @FILE, \
             or @- for standard input"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(key: &str) -> Line {
        let id = format!("run_{:032x}", 7);
        let cells = [&*id, "✓ completed", "shop", "checkout", key, "4/4", "2m", "34.1ms", ""];
        cells.map(str::to_owned)
    }

    #[test]
    fn narrow_terminals_get_fewer_columns() {
        let all = ["run", "status", "workflow", "steps"];
        for (key, width, spared) in [
            ("", 100, &[][..]),
            ("", 82, &["app"]),
            ("", 80, &["app", "took"]),
            ("order-7", 100, &[]),
            ("order-7", 82, &["app", "took"]),
            ("order-7", 80, &["app", "took", "age"]),
            ("a key of many characters", 87, &["app", "took"]),
            ("", 40, &["app", "took", "age"]),
        ] {
            let (kept, left_out) = fitting(&[line(key)], width);
            assert_eq!(left_out, spared, "{key} {width}");
            let kept: Vec<&str> = kept.iter().map(|at| HEAD[*at]).collect();
            assert!(all.iter().all(|name| kept.contains(name)), "{kept:?}");
            assert_eq!(kept.contains(&"key"), !key.is_empty(), "{kept:?}");
            assert!(!kept.contains(&"why"), "nothing is blocked");
        }
    }
}
