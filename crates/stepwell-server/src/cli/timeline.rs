//! The picture of a run: a bar for each step on a shared axis of time.
//!
//! Attempts are bars, backoffs and sleeps thin lines, so that steps that ran beside each other lie
//! above each other. Signs differ where colours do: the picture is read without colour too.

use owo_colors::OwoColorize;
use stepwell_core::time::Timestamp;

use super::model::{Run, Step, span};
use super::out;

/// Fewest columns of the axis.
const COLUMNS_MIN: usize = 16;

/// Widest column of step names.
const NAME_MAX: usize = 32;

/// What a stretch of time of a step was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stretch {
    /// Waiting for a runner.
    Queued,
    /// Sleeping, or waiting out a backoff.
    Pause,
    /// An attempt that succeeded.
    Done,
    /// An attempt that runs.
    Running,
    /// An attempt that failed, ran out of time or was lost.
    Failed,
    /// An attempt or pause that was cancelled.
    Cancelled,
}

/// Draws a run's steps, `width` columns wide, as of `now`.
pub(super) fn draw(run: &Run, width: usize, now: Timestamp) -> Vec<String> {
    let end = end_of(run, now);
    let total = millis(run.created_at, end).max(0.001);
    let name_width = run.steps.iter().map(|step| step.id.chars().count() + 2).max();
    let name_width = name_width.unwrap_or(4).clamp(6, NAME_MAX);
    let about_width = run.steps.iter().map(|step| about(step, end).chars().count()).max();
    let about_width = about_width.unwrap_or(0).min(width / 3);
    let columns = width.saturating_sub(name_width + about_width + 4).max(COLUMNS_MIN);
    let mut lines = vec![format!("{:name_width$}  {}", "", axis(total, columns).dimmed())];
    for step in &run.steps {
        let scale = Scale { from: run.created_at, total, columns };
        let name = cut(&format!("{} {}", out::sign(&step.status), step.id), name_width);
        let name = format!("{name:name_width$}");
        lines.push(format!(
            "{}  {}  {}",
            name.style(out::style(&step.status)),
            bar(step, &scale, end),
            about(step, end).dimmed()
        ));
    }
    lines
}

struct Scale {
    from: Timestamp,
    total: f64,
    columns: usize,
}

impl Scale {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place among some hundred columns"
    )]
    fn column(&self, at: Timestamp) -> usize {
        let share = millis(self.from, at) / self.total;
        ((share * self.columns as f64) as usize).min(self.columns - 1)
    }
}

fn millis(from: Timestamp, to: Timestamp) -> f64 {
    to.since(from).as_secs_f64() * 1_000.0
}

/// Returns the right end of the axis: the run's end, or what lies ahead of now.
fn end_of(run: &Run, now: Timestamp) -> Timestamp {
    run.ended_at.unwrap_or_else(|| {
        let wakes = run.steps.iter().filter_map(|step| step.next_at);
        // What is far ahead would press everything that has happened into one column.
        let near = now.after(now.since(run.created_at));
        wakes.min().map_or(now, |wake| wake.min(near)).max(now)
    })
}

fn stretches(step: &Step, end: Timestamp) -> Vec<(Timestamp, Timestamp, Stretch)> {
    let mut all = Vec::new();
    let begun = step.started_at.unwrap_or(end);
    all.push((step.scheduled_at, begun, Stretch::Queued));
    if step.attempts.is_empty() && step.started_at.is_some() {
        let until = step.completed_at.or(step.next_at).unwrap_or(end);
        let stretch = if step.status == "cancelled" { Stretch::Cancelled } else { Stretch::Pause };
        all.push((begun, until, stretch));
    }
    let mut last = None;
    for attempt in &step.attempts {
        if let Some(last) = last {
            all.push((last, attempt.started_at, Stretch::Pause));
        }
        let stretch = match &*attempt.status {
            "completed" => Stretch::Done,
            "running" => Stretch::Running,
            "cancelled" => Stretch::Cancelled,
            _ => Stretch::Failed,
        };
        all.push((attempt.started_at, attempt.ended_at.unwrap_or(end), stretch));
        last = attempt.ended_at;
    }
    if let (Some(last), Some(next), None) = (last, step.next_at, step.completed_at) {
        all.push((last, next, Stretch::Pause));
    }
    all
}

fn bar(step: &Step, scale: &Scale, end: Timestamp) -> String {
    let mut cells = vec![None; scale.columns];
    let mut stretches = stretches(step, end);
    // Attempts are drawn over pauses, however short they are.
    stretches.sort_by_key(|(_, _, stretch)| !matches!(stretch, Stretch::Queued | Stretch::Pause));
    for (from, to, stretch) in stretches {
        let thin = matches!(stretch, Stretch::Queued | Stretch::Pause);
        if to <= from && thin {
            continue;
        }
        let (from, to) = (scale.column(from), scale.column(to));
        for cell in cells.iter_mut().take(to + 1).skip(from) {
            *cell = Some(stretch);
        }
    }
    let drawn = cells.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    let mut text = String::new();
    for cell in cells.iter().take(drawn) {
        text.push_str(&match cell {
            None => " ".to_owned(),
            Some(Stretch::Queued) => "·".dimmed().to_string(),
            Some(Stretch::Pause) => "─".yellow().to_string(),
            Some(Stretch::Done) => "█".green().to_string(),
            Some(Stretch::Running) => "▓".blue().to_string(),
            Some(Stretch::Failed) => "▒".red().to_string(),
            Some(Stretch::Cancelled) => "░".dimmed().to_string(),
        });
    }
    text.push_str(&" ".repeat(scale.columns - drawn));
    text
}

/// Says what the bar cannot show: how long, how often, until when.
fn about(step: &Step, end: Timestamp) -> String {
    let begun = step.started_at.unwrap_or(step.scheduled_at);
    let took = span(millis(begun, step.completed_at.unwrap_or(end)));
    let mut parts = match &*step.status {
        "completed" => vec![took],
        "sleeping" | "retrying" => {
            let until = step.next_at.map(|at| at.to_string());
            let until = until.as_deref().and_then(|at| at.get(11..19)).unwrap_or("?").to_owned();
            vec![format!("{} until {until}", step.status)]
        }
        "skipped" | "pending" => vec![step.status.clone()],
        status => vec![format!("{status} {took}")],
    };
    if step.kind == "sleep" || step.kind == "sleepUntil" {
        parts.insert(0, step.kind.clone());
    }
    let ended = step.attempts.iter().filter(|attempt| attempt.status != "lost").count();
    let lost = step.attempts.len() - ended;
    if ended > 1 {
        parts.push(format!("{ended} attempts"));
    }
    if lost > 0 {
        parts.push(format!("{lost} lost"));
    }
    parts.join(", ")
}

/// Draws marks at round times.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "places among some hundred columns"
)]
fn axis(total: f64, columns: usize) -> String {
    let marks = (columns / 14).clamp(1, 8);
    let step = round_up(total / marks as f64);
    let mut cells = vec![' '; columns];
    let mut at = 0.0;
    while at <= total {
        let column = (at / total * columns as f64) as usize;
        let label = if at == 0.0 { "0".to_owned() } else { label(at) };
        let label: Vec<char> = std::iter::once('│').chain(label.chars()).collect();
        if column + label.len() <= columns {
            for (cell, sign) in cells.iter_mut().skip(column).zip(label) {
                *cell = sign;
            }
        }
        at += step;
    }
    cells.into_iter().collect()
}

/// Returns a round number of milliseconds, not below the given one.
fn round_up(ms: f64) -> f64 {
    const MINUTE: f64 = 60_000.0;
    const HOUR: f64 = 60.0 * MINUTE;
    let people = [5.0, 10.0, 15.0, 30.0, 60.0].map(|seconds| seconds * 1_000.0);
    let hours = [1.0, 2.0, 5.0, 10.0, 15.0, 30.0].map(|minutes| minutes * MINUTE);
    let days = [1.0, 2.0, 6.0, 12.0, 24.0].map(|hours| hours * HOUR);
    if ms > 2_000.0 {
        let known = people.into_iter().chain(hours).chain(days).find(|round| *round >= ms);
        return known.unwrap_or_else(|| (ms / (24.0 * HOUR)).ceil() * 24.0 * HOUR);
    }
    let power = 10_f64.powf(ms.log10().floor());
    let round = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= ms);
    round.unwrap_or(10.0) * power
}

/// Shows a round number of milliseconds without needless digits.
fn label(ms: f64) -> String {
    if ms < 1.0 {
        return format!("{}ms", (ms * 1_000.0).round() / 1_000.0);
    }
    if ms < 1_000.0 {
        return format!("{}ms", ms.round());
    }
    if ms < 60_000.0 {
        return format!("{}s", (ms / 100.0).round() / 10.0);
    }
    span(ms)
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width - 1).collect();
    format!("{kept}…")
}
