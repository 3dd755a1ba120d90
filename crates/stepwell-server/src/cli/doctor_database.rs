//! `doctor --store`: the health of a database, beside nodes that are at work.

use serde::Serialize;
use stepwell_core::code::Code;
use stepwell_http::problem;
use stepwell_postgres::doctor::{self, Lag, Node, Report};
use stepwell_postgres::{Options, moving};

use super::backup::size;
use super::fault::Fault;
use super::out;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    store: String,
    format: u64,
    least_writer: u64,
    nodes: Vec<ShownNode>,
    runs: u64,
    journal_bytes: u64,
    unrouted_events: ShownLag,
    due_timers: ShownLag,
    ready_runs: ShownLag,
    messages: u64,
    left_runs: u64,
    orphans: u64,
    /// How far engine time is ahead of the database's clock.
    clock_ahead_ms: u64,
    problems: Vec<ShownProblem>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownNode {
    id: u64,
    node: String,
    state: &'static str,
    lease_ms: i64,
    head: u64,
    runs: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownLag {
    count: u64,
    oldest_ms: u64,
}

#[derive(Serialize)]
struct ShownProblem {
    run: Option<String>,
    what: String,
}

/// Checks a database.
pub(super) fn run(options: &Options, json: bool) -> Result<(), Fault> {
    let refused = |error: stepwell_store::Error| Fault::from(problem::Problem::from(error));
    let store = moving::describe(options).map_err(refused)?;
    let report = doctor::verify(options).map_err(refused)?;
    let shown = Shown::of(store, report);
    if json { out::json(&shown) } else { show(&shown) }?;
    if shown.problems.is_empty() {
        return Ok(());
    }
    let text = format!("{} problems were found in {}", shown.problems.len(), shown.store);
    Err(Fault::refused(Code::Quarantined, text))
}

impl Shown {
    fn of(store: String, report: Report) -> Self {
        let ahead = report.high_water.since(report.now);
        let node = |Node { id, node, state, lease_ms, head, runs }| {
            let state = doctor::State::as_str(state);
            ShownNode { id, node, state, lease_ms, head, runs }
        };
        let lag = |Lag { count, oldest_ms }| ShownLag { count, oldest_ms };
        let problem = |doctor::Problem { run, what }| {
            let run = run.map(|run: stepwell_core::id::RunId| run.to_string());
            ShownProblem { run, what }
        };
        Self {
            store,
            format: report.format,
            least_writer: report.least_writer,
            nodes: report.nodes.into_iter().map(node).collect(),
            runs: report.runs,
            journal_bytes: report.journal_bytes,
            unrouted_events: lag(report.unrouted),
            due_timers: lag(report.due),
            ready_runs: lag(report.ready),
            messages: report.messages,
            left_runs: report.left,
            orphans: report.orphans,
            clock_ahead_ms: u64::try_from(ahead.as_millis()).unwrap_or(u64::MAX),
            problems: report.problems.into_iter().map(problem).collect(),
        }
    }
}

fn show(shown: &Shown) -> Result<(), Fault> {
    out::line(format_args!(
        "{}: format {}, written by {} and later",
        shown.store, shown.format, shown.least_writer
    ))?;
    if shown.nodes.is_empty() {
        out::line("no node is there")?;
    } else {
        let mut table = out::table(&["node", "member", "state", "lease", "batches", "runs"]);
        for one in &shown.nodes {
            let (whole, part) = (one.lease_ms / 1_000, one.lease_ms.unsigned_abs() % 1_000 / 100);
            let sign = if one.lease_ms < 0 && whole == 0 { "-" } else { "" };
            table.add_row([
                out::printable(&one.node),
                one.id.to_string(),
                one.state.to_owned(),
                format!("{sign}{whole}.{part} s"),
                one.head.to_string(),
                one.runs.to_string(),
            ]);
        }
        out::line(table)?;
    }
    out::line(format_args!("{} runs with {} of history", shown.runs, size(shown.journal_bytes)))?;
    for (what, lag) in [
        ("events are not routed", &shown.unrouted_events),
        ("timers are due and claimed by nobody", &shown.due_timers),
        ("runs want a runner and are claimed by nobody", &shown.ready_runs),
    ] {
        let ShownLag { count, oldest_ms } = lag;
        let oldest = if *count == 0 {
            String::new()
        } else {
            format!(", the oldest for {}.{} s", oldest_ms / 1_000, oldest_ms % 1_000 / 100)
        };
        out::line(format_args!("{count} {what}{oldest}"))?;
    }
    out::line(format_args!("{} messages between runs are not heard", shown.messages))?;
    if shown.left_runs > 0 {
        out::line(format_args!(
            "{} runs are of nodes that are gone, and wait for another one to take them over",
            shown.left_runs
        ))?;
    }
    for ShownProblem { run, what } in &shown.problems {
        out::line(format_args!("✗ {}: {what}", run.as_deref().unwrap_or("the store")))?;
    }
    if shown.problems.is_empty() {
        out::line("✓ nothing is damaged, and every run is somebody's or nobody's")?;
    }
    Ok(())
}
