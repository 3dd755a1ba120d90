//! `doctor`: the health of a server, with `--data` of a folder whose server is stopped, with `--store` of a database.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use stepwell_core::code::Code;
use stepwell_core::time::Timestamp;
use stepwell_sqlite::doctor::{Day, Problem, Report};
use stepwell_sqlite::{Embedded, Options, observed, open_to_others};

use super::args::{Doctor, Reach};
use super::backup::size;
use super::client::Client;
use super::fault::Fault;
use super::{doctor_database, out};
use stepwell_http::problem;

/// How far engine time may be ahead of the clock and nobody is told.
const CLOCK_MOST: Duration = Duration::from_millis(500);

/// Checks.
pub(super) fn run(args: &Doctor) -> Result<(), Fault> {
    if let Some(options) = args.database.options()? {
        return doctor_database::run(&options, args.reach.json);
    }
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
    let Health { status, restored, refuses_starts, measured } = answer.read()?;
    if let Some(Restored { backup, taken_at, held }) = &restored {
        let (sign, now) = if *held {
            ('!', "its runs are held until `stepwell resume`")
        } else {
            ('·', "its runs go on")
        };
        out::line(format_args!(
            "{sign} restored from backup {backup}, begun at {taken_at}; {now}"
        ))?;
    }
    if let Some(why) = &refuses_starts {
        out::line(format_args!("! new runs and events are refused: {why}"))?;
    }
    let Some(measured) = measured else {
        return out::line(format_args!(
            "{status}; a key that may read the server in namespace default is told more"
        ));
    };
    let lag = Duration::from_secs_f64((measured.fold_lag_ms / 1e3).clamp(0.0, 1e9));
    out::line(format_args!(
        "position {}, tables at {}; {} of the log are not in tables yet, the oldest for {lag:.1?}",
        measured.head,
        measured.folded,
        size(measured.tail_bytes)
    ))?;
    let free =
        measured.disk_free_bytes.map(|free| format!("; {} are free on its disk", size(free)));
    out::line(format_args!("{} of data{}", size(measured.disk_bytes), free.unwrap_or_default()))?;
    if measured.node_restarts > 0 {
        out::line(format_args!(
            "! it has opened its store again {} times since it started; its log says why",
            measured.node_restarts
        ))?;
    }
    if restored.is_none_or(|restored| !restored.held) && refuses_starts.is_none() {
        out::line(format_args!("✓ version {} serves, and takes new runs", measured.version))?;
    }
    Ok(())
}

/// What a server tells of itself.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Health {
    status: String,
    restored: Option<Restored>,
    refuses_starts: Option<String>,
    /// Only told to a key that may read it.
    #[serde(flatten)]
    measured: Option<Measured>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Restored {
    backup: String,
    taken_at: String,
    held: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Measured {
    version: String,
    head: u64,
    folded: u64,
    fold_lag_ms: f64,
    tail_bytes: u64,
    disk_bytes: u64,
    disk_free_bytes: Option<u64>,
    node_restarts: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    runs: u64,
    journal_bytes: u64,
    folded: u64,
    head: u64,
    tail_bytes: u64,
    rebuilt: bool,
    /// How far engine time is ahead of this machine's clock: it was set back.
    clock_ahead_ms: u64,
    /// What others than the owner may read, with its mode.
    open_to_others: Vec<ShownOpen>,
    days: Vec<ShownDay>,
    problems: Vec<ShownProblem>,
}

#[derive(Serialize)]
struct ShownOpen {
    name: String,
    mode: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownDay {
    day: String,
    runs: u64,
    journal_bytes: u64,
}

impl ShownDay {
    fn of(day: &Day) -> Self {
        let text = day.begins.to_string();
        let day_only = text.split('T').next().unwrap_or(&text).to_owned();
        Self { day: day_only, runs: day.runs, journal_bytes: day.journal_bytes }
    }
}

/// The time by this machine's clock.
fn now() -> Timestamp {
    Timestamp::from_micros(0).after(std::time::UNIX_EPOCH.elapsed().unwrap_or_default())
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
    let refused = |error: stepwell_store::Error| Fault::from(problem::Problem::from(error));
    // Opening would make one.
    if !Embedded::is_there(folder).map_err(refused)? {
        let text = format!(
            "--data {}: no store is there; accepted: the folder of a server",
            folder.display()
        );
        return Err(Fault::Usage(text));
    }
    // Opening takes from others what files of earlier versions gave them.
    let open = open_to_others(folder).map_err(refused)?;
    let store = Embedded::open(folder, Options::default()).map_err(refused)?;
    let rebuilt = if rebuild { Some(store.rebuild().map_err(refused)?) } else { None };
    let report = store.verify().map_err(refused)?;
    let observed = observed::verify(folder).map_err(refused)?;
    let problems = rebuilt.iter().flat_map(|report| &report.problems).chain(&report.problems);
    let problems: Vec<_> = problems.chain(&observed).collect();
    show(&Found { report: &report, problems: &problems, open: &open, rebuilt: rebuild }, reach)?;
    if problems.is_empty() {
        return Ok(());
    }
    let text = format!("{} problems were found in {}", problems.len(), folder.display());
    Err(Fault::refused(Code::Quarantined, text))
}

/// What was found.
struct Found<'a> {
    report: &'a Report,
    problems: &'a [&'a Problem],
    open: &'a [(String, u32)],
    rebuilt: bool,
}

fn show(found: &Found<'_>, reach: &Reach) -> Result<(), Fault> {
    let Found { report, problems, open, rebuilt } = *found;
    let ahead = report.high_water.since(now());
    let run_of = |problem: &Problem| problem.run.map(|id| id.to_string());
    if reach.json {
        let problems = problems
            .iter()
            .map(|problem| ShownProblem { run: run_of(problem), what: problem.what.clone() });
        return out::json(&Shown {
            runs: report.runs,
            journal_bytes: report.journal_bytes,
            folded: report.folded,
            head: report.head,
            tail_bytes: report.tail_bytes,
            rebuilt,
            clock_ahead_ms: u64::try_from(ahead.as_millis()).unwrap_or(u64::MAX),
            open_to_others: open
                .iter()
                .map(|(name, mode)| ShownOpen { name: name.clone(), mode: format!("{mode:04o}") })
                .collect(),
            days: report.days.iter().map(ShownDay::of).collect(),
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
    out::line(format_args!("{} of the log are not in tables yet", size(report.tail_bytes)))?;
    for ShownDay { day, runs, journal_bytes } in report.days.iter().map(ShownDay::of) {
        out::line(format_args!("{day}: {runs} runs, {} of history", size(journal_bytes)))?;
    }
    if ahead > CLOCK_MOST {
        out::line(format_args!(
            "! engine time is {:.1} s ahead of this machine's clock: the clock was set back, and timers \
             go at half speed until it has caught up",
            ahead.as_secs_f64()
        ))?;
    }
    for (name, mode) in open {
        let what = if name == "." { "the folder" } else { name };
        let done = if name == "." { "accepted: 0700" } else { "now it is 0600" };
        out::line(format_args!("! others may look into {what} (mode {mode:04o}); {done}"))?;
    }
    for problem in problems {
        let run = run_of(problem).unwrap_or_else(|| "the store".to_owned());
        out::line(format_args!("✗ {run}: {}", problem.what))?;
    }
    if problems.is_empty() {
        out::line("✓ nothing is damaged")?;
    }
    Ok(())
}
