//! `runs tail`: what happens to a run, as it happens.

use std::collections::HashSet;
use std::time::Duration;

use owo_colors::OwoColorize;
use serde::Serialize;
use stepwell_core::step_id::spelled;
use stepwell_core::time::Timestamp;

use super::args::Reach;
use super::client::{Client, segment};
use super::fault::Fault;
use super::model::{Run, span};
use super::out;

/// Pause between looks at a run.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A line of the tail.
#[derive(Debug, PartialEq, Eq, Hash, Serialize)]
struct Happening {
    at: String,
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    text: String,
}

/// Follows a run until it ends.
pub(super) fn run(id: &str, reach: &Reach) -> Result<(), Fault> {
    let client = Client::new(&reach.url)?;
    let path = format!("/api/v1/runs/{}", segment(id));
    let mut told = HashSet::new();
    loop {
        let run: Run = client.get(&path)?.read()?;
        let mut news = happenings(&run);
        news.retain(|one| !told.contains(one));
        news.sort_by(|a, b| a.at.cmp(&b.at));
        for one in news {
            tell(&one, reach)?;
            told.insert(one);
        }
        if run.is_ended() {
            return if run.status == "completed" { Ok(()) } else { Err(Fault::NotCompleted) };
        }
        // The server is asked now and then: nothing is pushed to the command line.
        std::thread::sleep(LOOK_EVERY);
    }
}

fn tell(one: &Happening, reach: &Reach) -> Result<(), Fault> {
    if reach.json {
        return out::json(one);
    }
    let time = one.at.get(11..23).unwrap_or(&one.at).dimmed().to_string();
    let step =
        one.step.as_ref().map_or_else(String::new, |step| format!("{}: ", spelled(step).bold()));
    let what = format!("{} {:9}", out::sign(&one.what), one.what);
    out::line(format_args!(
        "{time} {} {step}{}",
        what.style(out::style(&one.what)),
        out::printable(&one.text)
    ))
}

/// Returns everything that has happened to a run so far.
fn happenings(run: &Run) -> Vec<Happening> {
    let mut all = Vec::new();
    let mut add = |at: Timestamp, what: &str, step: Option<&str>, text: String| {
        let (what, step) = (what.to_owned(), step.map(ToOwned::to_owned));
        all.push(Happening { at: at.to_string(), what, step, text });
    };
    add(run.created_at, "accepted", None, format!("{} of app {}", run.workflow, run.app));
    for line in &run.logs {
        add(line.at, &line.level, None, line.message.clone());
    }
    for note in &run.history {
        add(note.at, &note.what, None, note.about());
    }
    for step in &run.steps {
        let id = Some(&*step.id);
        for line in &step.logs {
            add(line.at, &line.level, id, line.message.clone());
        }
        for attempt in &step.attempts {
            if attempt.ended_at.is_none() {
                add(attempt.started_at, "running", id, format!("attempt {}", attempt.n));
            }
            let failed = attempt.ended_at.zip(attempt.error.as_ref());
            if let Some((at, error)) = failed {
                let text = format!("attempt {}: {}: {}", attempt.n, error.name, error.message);
                add(at, "failed", id, text);
            }
        }
        if let Some(at) = step.completed_at {
            let took = at.since(step.started_at.unwrap_or(step.scheduled_at));
            let text = format!("{} took {}", step.kind, span(took.as_secs_f64() * 1_000.0));
            add(at, &step.status, id, text);
        } else if let Some(until) = step.next_at {
            let text = format!("until {until}");
            add(step.started_at.unwrap_or(step.scheduled_at), &step.status, id, text);
        }
    }
    if let Some(at) = run.ended_at {
        let text = run.error.as_ref().map(|error| format!("{}: {}", error.name, error.message));
        add(at, &run.status, None, text.unwrap_or_else(|| run.workflow.clone()));
    }
    all
}
