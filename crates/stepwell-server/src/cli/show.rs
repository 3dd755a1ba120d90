//! `runs show`: a run with its steps on a time line; `runs why`.

use owo_colors::OwoColorize;
use serde_json::value::RawValue;
use stepwell_core::step_id::spelled;
use stepwell_core::time::Timestamp;

use super::args::Reach;
use super::client::{Client, segment};
use super::fault::Fault;
use super::known::short;
use super::model::{Failure, Line, Run, Step, span};
use super::runs::now;
use super::{out, timeline};

/// Most characters of a payload, unless all is asked for.
const PAYLOAD_MAX: usize = 120;

/// Most logged lines, unless all are asked for.
const LINES_MAX: usize = 20;

/// Shows a run.
pub(super) fn run(id: &str, full: bool, reach: &Reach) -> Result<(), Fault> {
    let answer = Client::new(&reach.url)?.get(&format!("/api/v1/runs/{}", segment(id)))?;
    if reach.json {
        return out::line(answer.text());
    }
    let run: Run = answer.read()?;
    let now = now().max(run.created_at);
    let detail = if full { Detail::Full } else { Detail::Short };
    out::text(&page(&run, detail, out::width(), now).join("\n"))
}

/// Says why a run is not moving (§9.7).
pub(super) fn why(id: &str, reach: &Reach) -> Result<(), Fault> {
    #[derive(serde::Deserialize)]
    struct Answer {
        why: String,
    }
    let answer = Client::new(&reach.url)?.get(&format!("/api/v1/runs/{}/why", segment(id)))?;
    if reach.json {
        return out::line(answer.text());
    }
    let Answer { why } = answer.read()?;
    out::line(out::printable(&why))
}

/// How much is shown of payloads and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detail {
    Short,
    Full,
}

fn page(run: &Run, detail: Detail, width: usize, now: Timestamp) -> Vec<String> {
    let mut lines = head(run, detail, now);
    if !run.steps.is_empty() {
        lines.push(String::new());
        lines.extend(timeline::draw(run, width, now));
    }
    for step in &run.steps {
        let mut about = remarks(step);
        about.extend(step.child.as_ref().map(|child| {
            let workflow = out::printable(&child.workflow);
            format!("  {} {} of {workflow}", "child".dimmed(), child.run)
        }));
        if detail == Detail::Full {
            about.extend(payload("input", step.input.as_deref(), detail));
            about.extend(payload("output", step.output.as_deref(), detail));
        }
        for attempt in &step.attempts {
            let error = attempt.error.as_ref();
            about.extend(error.map(|e| failed(&format!("attempt {}", attempt.n), e)));
        }
        if step.attempts.is_empty() {
            about.extend(step.error.as_ref().map(|error| failed("error", error)));
        }
        if !about.is_empty() {
            lines.push(String::new());
            lines.push(spelled(&step.id).bold().to_string());
            lines.extend(about);
        }
    }
    lines.extend(logs(run, detail));
    for note in &run.history {
        let text = out::printable(&note.about());
        let at = short(&note.at.to_string()).dimmed().to_string();
        lines.push(format!("{at} {} {text}", note.what.magenta()));
    }
    lines
}

/// What is to be known of a step that its bar does not show.
fn remarks(step: &Step) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(step.branch.as_ref().map(|branch| {
        let (name, race) = (out::printable(&branch.name), out::printable(&branch.race));
        format!("  {} {name} of race {race}", "branch".dimmed())
    }));
    lines.extend(step.kept_from.as_ref().map(|run| format!("  {} {run}", "ended in".dimmed())));
    if step.uncertain {
        lines.push(format!("  {} it may have been done", "uncertain".dimmed()));
    }
    lines.extend(step.events_kept_from.map(|at| {
        let at = short(&at.to_string());
        format!("  {} it asked for earlier ones", format!("events kept from {at}").dimmed())
    }));
    lines
}

fn head(run: &Run, detail: Detail, now: Timestamp) -> Vec<String> {
    let status = format!("{} {}", out::sign(&run.status), run.status);
    let status = status.style(out::style(&run.status)).to_string();
    let took = run.duration_ms.map_or_else(
        || format!("for {}", span(now.since(run.created_at).as_secs_f64() * 1_000.0)),
        |ms| format!("in {}", span(ms)),
    );
    let mut lines = vec![format!("{}  {status} {took}", run.id.bold())];
    let mut about = format!("{} of app {}", run.workflow, run.app);
    if let Some(version) = &run.version {
        about = format!("{about}, version {version}");
    }
    if let Some(key) = &run.key {
        about = format!("{about}, key {key}");
    }
    lines.push(format!("  {about}, accepted {} UTC", short(&run.created_at.to_string())));
    lines.extend(run.parent.as_ref().map(|parent| {
        let (label, step) = ("invoked by".dimmed(), out::printable(&parent.step));
        format!("  {label} {} in step {step}", parent.run)
    }));
    lines.extend(run.forked_from.as_ref().map(|from| {
        let (label, step) = ("forked from".dimmed(), out::printable(&from.step));
        format!("  {label} {} at step {step}", from.run)
    }));
    let links = [
        ("rerun of", &run.rerun_of),
        ("continues", &run.continued_from),
        ("continued as", &run.continued_as),
    ];
    for (what, other) in links {
        lines.extend(other.as_ref().map(|other| format!("  {} {other}", what.dimmed())));
    }
    if run.generation > 1 {
        lines.push(format!("  {} ran {} times", "handler".dimmed(), run.generation));
    }
    if !run.search.is_empty() {
        let terms = run.search.iter().map(|(name, value)| format!("{name}={value}"));
        let terms = terms.collect::<Vec<_>>().join(", ");
        lines.push(format!("  {} {}", "search".dimmed(), out::printable(&terms)));
    }
    lines.extend(payload("input", run.input.as_deref(), detail));
    lines.extend(payload("output", run.output.as_deref(), detail));
    lines.extend(run.error.as_ref().map(|error| failed("error", error)));
    lines.extend(run.why.as_ref().map(|why| format!("  {} {why}", "why".dimmed())));
    lines
}

fn payload(what: &str, raw: Option<&RawValue>, detail: Detail) -> Option<String> {
    let text = raw?.get().replace(['\n', '\r'], " ");
    let cut = detail == Detail::Short && text.chars().count() > PAYLOAD_MAX;
    let shown: String = if cut { text.chars().take(PAYLOAD_MAX).collect() } else { text };
    let more = if cut { "… (--full shows all)" } else { "" };
    Some(format!("  {} {shown}{}", what.dimmed(), more.dimmed()))
}

fn failed(what: &str, error: &Failure) -> String {
    format!("  {} {}: {}", what.dimmed(), error.name.red(), out::printable(&error.message))
}

fn logs(run: &Run, detail: Detail) -> Vec<String> {
    let of_steps =
        run.steps.iter().flat_map(|step| step.logs.iter().map(|line| (Some(&*step.id), line)));
    let mut all: Vec<(Option<&str>, &Line)> =
        run.logs.iter().map(|line| (None, line)).chain(of_steps).collect();
    all.sort_by_key(|(_, line)| line.at);
    let skipped = match detail {
        Detail::Full => 0,
        Detail::Short => all.len().saturating_sub(LINES_MAX),
    };
    let mut lines = Vec::new();
    if !all.is_empty() {
        lines.push(String::new());
    }
    if skipped > 0 {
        lines.push(format!("  {skipped} earlier lines (--full shows all)").dimmed().to_string());
    }
    for (step, line) in all.into_iter().skip(skipped) {
        let at = line.at.to_string();
        let at = at.get(11..23).unwrap_or(&at).dimmed().to_string();
        let step = step.map_or_else(String::new, |step| format!("{}: ", spelled(step).bold()));
        lines.push(format!("{at} {:5} {step}{}", line.level, out::printable(&line.message)));
    }
    lines
}
