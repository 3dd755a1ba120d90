//! `doctor`: the health of a server, or with `--data` of a folder whose server is stopped.

use std::path::Path;

use serde::Serialize;
use stepwell_core::code::Code;
use stepwell_sqlite::doctor::Report;
use stepwell_sqlite::{Embedded, Options};

use super::args::{Doctor, Reach};
use super::client::Client;
use super::fault::Fault;
use super::out;
use stepwell_http::problem::Problem;

/// Checks.
pub(super) fn run(args: &Doctor) -> Result<(), Fault> {
    match &args.data {
        Some(folder) => offline(folder, args.rebuild, &args.reach),
        None => online(&args.reach),
    }
}

fn online(reach: &Reach) -> Result<(), Fault> {
    let answer = Client::new(&reach.url)?.get("/healthz")?;
    if reach.json {
        return out::line(answer.text());
    }
    let health: serde_json::Map<String, serde_json::Value> = answer.read()?;
    for (name, value) in &health {
        let shown = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        out::line(format_args!("{name:16} {shown}"))?;
    }
    Ok(())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    runs: u64,
    journal_bytes: u64,
    folded: u64,
    head: u64,
    rebuilt: bool,
    problems: Vec<ShownProblem>,
}

#[derive(Serialize)]
struct ShownProblem {
    run: Option<String>,
    what: String,
}

fn offline(folder: &Path, rebuild: bool, reach: &Reach) -> Result<(), Fault> {
    if !folder.is_dir() {
        let text = format!("--data {}: there is no such folder", folder.display());
        return Err(Fault::Usage(text));
    }
    let refused = |error: stepwell_store::Error| Fault::from(Problem::from(error));
    // Opening would make one.
    if !Embedded::is_there(folder).map_err(refused)? {
        let text = format!(
            "--data {}: no store is there; accepted: the folder of a server",
            folder.display()
        );
        return Err(Fault::Usage(text));
    }
    let store = Embedded::open(folder, Options::default()).map_err(refused)?;
    let rebuilt = if rebuild { Some(store.rebuild().map_err(refused)?) } else { None };
    let report = store.verify().map_err(refused)?;
    let problems = rebuilt.iter().flat_map(|report| &report.problems).chain(&report.problems);
    let problems: Vec<_> = problems.collect();
    show(&report, &problems, rebuild, reach)?;
    if problems.is_empty() {
        return Ok(());
    }
    let text = format!("{} problems were found in {}", problems.len(), folder.display());
    Err(Fault::refused(Code::Quarantined, text))
}

fn show(
    report: &Report,
    problems: &[&stepwell_sqlite::doctor::Problem],
    rebuilt: bool,
    reach: &Reach,
) -> Result<(), Fault> {
    let run_of = |problem: &stepwell_sqlite::doctor::Problem| problem.run.map(|id| id.to_string());
    if reach.json {
        let problems = problems
            .iter()
            .map(|problem| ShownProblem { run: run_of(problem), what: problem.what.clone() });
        return out::json(&Shown {
            runs: report.runs,
            journal_bytes: report.journal_bytes,
            folded: report.folded,
            head: report.head,
            rebuilt,
            problems: problems.collect(),
        });
    }
    if rebuilt {
        out::line("rows and indexes were made anew from the histories")?;
    }
    out::line(format_args!(
        "{} runs with {} bytes of history; tables at position {} of {}",
        report.runs, report.journal_bytes, report.folded, report.head
    ))?;
    for problem in problems {
        let run = run_of(problem).unwrap_or_else(|| "the store".to_owned());
        out::line(format_args!("✗ {run}: {}", problem.what))?;
    }
    if problems.is_empty() {
        out::line("✓ nothing is damaged")?;
    }
    Ok(())
}
