//! The picture of a run: a bar for each step on a shared axis of time.
//!
//! Attempts are bars, backoffs and sleeps thin lines, so that steps that ran beside each other lie
//! above each other. Signs differ where colours do: the picture is read without colour too.

use owo_colors::OwoColorize;
use stepwell_core::step_id::spelled;
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
    /// A step that does not apply.
    Skipped,
}

/// Draws a run's steps, `width` columns wide, as of `now`.
pub(super) fn draw(run: &Run, width: usize, now: Timestamp) -> Vec<String> {
    let now = run.ended_at.unwrap_or(now);
    let end = end_of(run, now);
    let total = millis(run.created_at, end).max(0.001);
    let name_width = run.steps.iter().map(|step| spelled(&step.id).chars().count() + 2).max();
    let name_width = name_width.unwrap_or(4).min(width / 3).clamp(6, NAME_MAX);
    let about_width = run.steps.iter().map(|step| about(step, now).chars().count()).max();
    let about_width = about_width.unwrap_or(0).min(width / 3);
    let columns = width.saturating_sub(name_width + about_width + 4).max(COLUMNS_MIN);
    let mut lines =
        vec![format!("{:name_width$}  {}", "", axis(total, columns).trim_end().dimmed())];
    for step in &run.steps {
        let scale = Scale { from: run.created_at, total, columns };
        let name = cut(&format!("{} {}", out::sign(&step.status), spelled(&step.id)), name_width);
        let name = format!("{name:name_width$}");
        lines.push(format!(
            "{}  {}  {}",
            name.style(out::style(&step.status)),
            bar(step, &scale, now),
            cut(&about(step, now), about_width).dimmed()
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

fn stretches(step: &Step, now: Timestamp) -> Vec<(Timestamp, Timestamp, Stretch)> {
    let mut all = Vec::new();
    let begun = step.started_at.unwrap_or(now);
    all.push((step.scheduled_at, begun, Stretch::Queued));
    if step.attempts.is_empty() && step.started_at.is_some() {
        let until = step.completed_at.or(step.next_at).unwrap_or(now);
        let stretch = match &*step.status {
            "cancelled" => Stretch::Cancelled,
            "skipped" => Stretch::Skipped,
            _ => Stretch::Pause,
        };
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
        all.push((attempt.started_at, attempt.ended_at.unwrap_or(now), stretch));
        last = attempt.ended_at;
    }
    if let (Some(last), Some(next), None) = (last, step.next_at, step.completed_at) {
        all.push((last, next, Stretch::Pause));
    }
    all
}

fn bar(step: &Step, scale: &Scale, now: Timestamp) -> String {
    let mut cells = vec![None; scale.columns];
    let mut stretches = stretches(step, now);
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
    for same in cells.get(..drawn).unwrap_or_default().chunk_by(PartialEq::eq) {
        let all = |sign: &str| sign.repeat(same.len());
        text.push_str(&match same.first().copied().flatten() {
            None => all(" "),
            Some(Stretch::Queued) => all("·").dimmed().to_string(),
            Some(Stretch::Pause) => all("─").yellow().to_string(),
            Some(Stretch::Done) => all("█").green().to_string(),
            Some(Stretch::Running) => all("▓").blue().to_string(),
            Some(Stretch::Failed) => all("▒").red().to_string(),
            Some(Stretch::Cancelled) => all("░").dimmed().to_string(),
            Some(Stretch::Skipped) => all("–").dimmed().to_string(),
        });
    }
    text.push_str(&" ".repeat(scale.columns - drawn));
    text
}

/// Says what the bar cannot show: how long, how often, until when.
fn about(step: &Step, now: Timestamp) -> String {
    let begun = step.started_at.unwrap_or(step.scheduled_at);
    let took = span(millis(begun, step.completed_at.unwrap_or(now)));
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
    if step.kind != "run" && step.kind != "skip" && step.kind != step.id {
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
    if step.generation > 1 {
        parts.push(format!("time {}", step.generation));
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
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;
    use serde_json::{Value, json};

    use super::*;

    fn at(ms: u64) -> String {
        Timestamp::from_micros(0).after(std::time::Duration::from_millis(ms)).to_string()
    }

    fn attempt(n: u32, status: &str, from: u64, to: Option<u64>) -> Value {
        json!({"n": n, "status": status, "startedAt": at(from), "endedAt": to.map(at),
            "error": null})
    }

    fn step(id: &str, kind: &str, status: &str, from: u64, to: Option<u64>) -> Value {
        json!({"id": id, "kind": kind, "status": status, "scheduledAt": at(from),
            "startedAt": at(from), "completedAt": to.map(at), "nextAt": null, "input": null,
            "output": null, "error": null, "attempts": [], "logs": []})
    }

    fn draw_run(steps: &[Value], ended: Option<u64>, now: u64) -> String {
        let run = json!({"id": "run_1", "app": "shop", "workflow": "pay", "status": "running",
            "key": null, "version": null, "createdAt": at(0), "endedAt": ended.map(at),
            "durationMs": null, "input": null, "output": null, "error": null, "why": null,
            "steps": steps, "logs": [], "history": []});
        let run: Run = serde_json::from_value(run).unwrap();
        let now = Timestamp::parse_iso(&at(now)).unwrap();
        let lines = draw(&run, 76, now);
        for line in &lines {
            assert!(strip_str(line).to_string().chars().count() <= 76, "{line}");
        }
        strip_str(&lines.join("\n")).to_string()
    }

    #[test]
    fn steps_of_the_engine_are_named_as_people_spell_them() {
        let steps = [
            step("compensate\u{1f}charge", "compensate", "completed", 0, Some(10)),
            step("onFailure\u{1f}onFailure", "onFailure", "completed", 10, Some(20)),
        ];
        let drawn = draw_run(&steps, Some(20), 20);
        assert!(drawn.contains("✓ compensate charge "), "{drawn}");
        assert!(drawn.contains("✓ onFailure "), "{drawn}");
    }

    #[test]
    fn parallel_steps_overlap_and_pauses_are_thin() {
        let mut charge = step("charge", "run", "completed", 100, Some(900));
        charge["attempts"] = json!([
            attempt(1, "failed", 100, Some(200)),
            attempt(2, "lost", 400, Some(500)),
            attempt(2, "completed", 700, Some(900)),
        ]);
        let mut reserve = step("reserve", "run", "completed", 0, Some(100));
        reserve["attempts"] = json!([attempt(1, "completed", 0, Some(100))]);
        let steps = vec![
            reserve,
            charge,
            step("cool down", "sleep", "completed", 100, Some(1_000)),
            step("wrap", "skip", "skipped", 900, Some(900)),
        ];
        insta::assert_snapshot!(draw_run(&steps, Some(1_000), 5_000), @r#"
                     │0                │500ms
        ✓ reserve    ████                                  100.0ms
        ✓ charge        ▒▒▒▒▒──────▒▒▒▒▒──────████████     800.0ms, 2 attempts, 1 l…
        ✓ cool down     ─────────────────────────────────  sleep, 900.0ms
        – wrap                                       –     skipped
        "#);
    }

    #[test]
    fn what_is_open_reaches_to_now_or_to_when_it_wakes() {
        let mut retrying = step("charge", "run", "retrying", 0, None);
        retrying["attempts"] = json!([attempt(1, "timed_out", 0, Some(500))]);
        retrying["nextAt"] = json!(at(1_500));
        let mut running =
            step("a step with a name that is longer than its place", "run", "running", 200, None);
        running["attempts"] = json!([attempt(1, "running", 200, None)]);
        insta::assert_snapshot!(draw_run(&[retrying, running], None, 1_000), @r#"
                                   │0
        ↻ charge                   ▒▒▒▒▒▒▒▒▒───────────────  retrying until 00:00:01
        ▸ a step with a name tha…     ▓▓▓▓▓▓▓▓▓▓▓▓▓▓         running 800.0ms
        "#);
    }

    #[test]
    fn marks_stand_at_round_times() {
        for (total, expected) in [
            (0.4, 0.2),
            (7.0, 5.0),
            (1_000.0, 500.0),
            (9_000.0, 5_000.0),
            (3_600_000.0, 1_800_000.0),
            (8.64e8, 3.456e8),
        ] {
            assert!(
                (round_up(total / 3.0) - expected).abs() < 1e-9,
                "{total}: {}",
                round_up(total / 3.0)
            );
        }
    }
}
