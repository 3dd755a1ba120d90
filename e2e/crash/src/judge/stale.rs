//! The rules about what comes from the past.
//!
//! A node writes nothing once its lease is over, nor does a runner once its grant is (§4.7). What they wrote all the
//! same would be lost, changed or repeated sooner or later; here it is looked for where it shows first. *Stale* is:
//!
//! - an answer from before something that was known when it was asked for, be it that the run was accepted, the
//!   result of a step, or the run's end: whichever node answered, it did not know that it was one no more;
//! - a recorded result of a function that was in progress when another runner had the run: the grant under which it
//!   had begun was over when it returned.

use std::collections::BTreeMap;

use super::finding::Finding;
use super::index::{Run, Sight, Step};
use super::rules::{COMPLETED, Place};
use crate::ledger::Hash;

/// Something that was known of a run from an instant on.
#[derive(Clone, Copy, Debug)]
enum Known<'a> {
    /// A step completed, with this result where it has one.
    Step(&'a str, Option<Hash>),
    /// The run had ended so.
    End(&'a str),
}

/// Whether everybody who asked was told what was known by then, and the same.
pub(super) fn sights(id: &str, run: &Run<'_>, found: &mut Vec<Finding>) {
    if run.sights.is_empty() {
        return;
    }
    let mut known = knowledge(run);
    known.sort_unstable_by_key(|(at, _)| *at);
    let mut known = known.into_iter().peekable();
    let mut sights: Vec<&Sight<'_>> = run.sights.iter().collect();
    sights.sort_unstable_by_key(|sight| sight.asked);
    let (mut steps, mut end) = (BTreeMap::new(), None);
    for sight in sights {
        while let Some((_, one)) = known.next_if(|(at, _)| *at < sight.asked) {
            match one {
                Known::Step(step, value) => {
                    let kept = steps.entry(step).or_insert(value);
                    *kept = kept.or(value);
                }
                Known::End(status) => end = Some(status),
            }
        }
        let stale = |known: String, seen: String| {
            let run = id.to_owned();
            Finding::StaleRead { run, known, seen }
        };
        let Some(status) = sight.status else {
            if run.accepted_at.is_some_and(|at| at < sight.asked) {
                found.push(stale("it was accepted".into(), "it was not there".into()));
            }
            continue;
        };
        if let Some(end) = end.filter(|end| *end != status) {
            found.push(stale(format!("it was {end}"), format!("it was {status}")));
        }
        for (step, value) in &steps {
            let read = sight.steps.get(*step);
            let Some(read) = read.filter(|read| read.status == COMPLETED) else {
                let seen = read.map_or("was not there", |read| read.status.as_str());
                found.push(stale(format!("step {step} had completed"), format!("it {seen}")));
                continue;
            };
            if let (Some(known), Some(seen)) = (*value, read.value)
                && known != seen
            {
                let (run, step) = (id.to_owned(), (*step).to_owned());
                found.push(Finding::SeenOtherwise { run, step, known, seen });
            }
        }
    }
}

/// Returns what was known of a run, with when it was.
fn knowledge<'a>(run: &Run<'a>) -> Vec<(u64, Known<'a>)> {
    let mut known = Vec::new();
    for (step, one) in &run.steps {
        let given = one.given.iter().min_by_key(|(at, _)| *at);
        known.extend(given.map(|(at, value)| (*at, Known::Step(step, Some(*value)))));
    }
    let sights = run.sights.iter().map(|sight| (sight.at, sight.steps));
    for (at, steps) in sights.chain(run.ends.iter().map(|end| (end.at, end.steps))) {
        let completed = steps.iter().filter(|(_, read)| read.status == COMPLETED);
        known.extend(completed.map(|(step, read)| (at, Known::Step(step, read.value))));
    }
    let ended = run.ends.iter().filter(|end| is_ended(end.status));
    known.extend(ended.map(|end| (end.at, Known::End(end.status))));
    known
}

fn is_ended(status: &str) -> bool {
    matches!(status, COMPLETED | "failed" | "cancelled" | "timed_out")
}

/// Whether each result is of a function whose runner had the run until it returned.
pub(super) fn grants(id: &str, run: &Run<'_>, found: &mut Vec<Finding>) {
    for (step_id, step) in &run.steps {
        // What such a function did is found out by whoever has the run next (§4.5).
        if step.is_verified() {
            continue;
        }
        let read =
            run.ends.first().and_then(|end| end.steps.get(*step_id)).and_then(|read| read.value);
        let value = step.given.first().map(|(_, value)| *value).or(read);
        if let Some((process, other)) = value.and_then(|value| taken_over(run, step, value)) {
            let (run, step) = Place { run: id, step: step_id }.own();
            found.push(Finding::StaleGrant { run, step, process, other });
        }
    }
}

/// Returns whose result it is, and who began a function of the run while that was being made.
fn taken_over(run: &Run<'_>, step: &Step<'_>, value: Hash) -> Option<(String, String)> {
    // No two calls return the same.
    let end = step.returns.iter().find(|end| end.value == Some(value))?;
    let same = |process: &str, attempt: u32| process == end.process && attempt == end.attempt;
    let starts = step.starts.iter().filter(|start| same(start.process, start.attempt));
    let begun = starts.map(|start| start.at).filter(|at| *at <= end.at).max()?;
    let mut others = run.steps.values().flat_map(|step| &step.starts);
    let other = others
        .find(|start| start.process != end.process && begun < start.at && start.at < end.at)?;
    Some((end.process.to_owned(), other.process.to_owned()))
}
