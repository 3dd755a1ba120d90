//! The rules for events, children, clean-up, and functions that start at most once.

use std::collections::BTreeSet;

use serde_json::json;

use super::finding::Finding;
use super::index::{End, Index, Run, Step};
use super::rules::{COMPLETED, Place};
use crate::ledger::{Hash, Origin, Source};
use crate::plan::{Fate, Starts, retries};
use crate::workflows::ECHO;

/// The id of the step of the function for runs that end badly.
const ON_FAILURE: &str = "onFailure";

/// Whether every accepted event that starts a run did, and every run that another one goes on with.
pub(super) fn births(index: &Index<'_>, found: &mut Vec<Finding>) {
    let events = index.starting.iter().map(|id| Origin::Event { id: (*id).to_owned() });
    let chained = index.runs.iter().filter(|(_, run)| {
        let completed = run.ends.iter().any(|end| end.status == COMPLETED);
        completed && run.fate == Some(Fate::GoesOn)
    });
    let chained = chained.map(|(run, _)| Origin::After { run: (*run).to_owned() });
    // The code of a run that is cancelled early is never called; the run is there.
    let read: BTreeSet<&Origin> = index.runs.values().filter_map(|run| run.origin).collect();
    for origin in events.chain(chained) {
        if !index.born.contains_key(&origin) && !read.contains(&origin) {
            found.push(Finding::NotBorn { origin: origin.to_string() });
        }
    }
}

/// Whether each event was taken by one wait, and what waits and children gave is what was sent and
/// returned.
pub(super) fn givers(index: &Index<'_>, found: &mut Vec<Finding>) {
    for (value, takers) in &index.taken {
        let mut takers = takers.iter().map(|(run, step)| format!("step {step} of run {run}"));
        if let (Some(one), Some(other)) = (takers.next(), takers.next()) {
            found.push(Finding::EventTwice { value: *value, one, other });
        }
    }
    for (run_id, run) in &index.runs {
        for (step_id, step) in &run.steps {
            let place = Place { run: run_id, step: step_id };
            match step.from {
                Some(Source::Event) => sent(&place, index, step, found),
                Some(Source::Child) => returned(&place, index, step, found),
                Some(Source::Function | Source::Engine) | None => {}
            }
        }
    }
}

fn sent(place: &Place<'_>, index: &Index<'_>, step: &Step<'_>, found: &mut Vec<Finding>) {
    let invented =
        step.given.iter().find(|(at, value)| index.sent.get(value).is_none_or(|sent| sent > at));
    if let Some((_, value)) = invented {
        let ((run, step), value) = (place.own(), *value);
        found.push(Finding::EventInvented { run, step, value });
    }
}

fn returned(place: &Place<'_>, index: &Index<'_>, step: &Step<'_>, found: &mut Vec<Finding>) {
    let Some((_, value)) = step.given.first() else { return };
    let (run, id) = place.own();
    let origin = Origin::Step { run: run.clone(), step: id.clone() };
    let child = index.born.get(&origin).and_then(|born| born.first());
    // Who waits for a run gets the end of the last one of its chain (§2.3).
    let last = child.map(|child| index.last_of(child));
    let end = last.and_then(|last| index.runs.get(last)).and_then(|run| run.ends.first());
    let output = end.map(|end| Hash::of(&json!({ "results": end.output })));
    if output != Some(*value) {
        let child = match (last, output) {
            (Some(last), Some(output)) => format!("run {last} returned {output}"),
            (Some(last), None) => format!("run {last} cannot be read"),
            (None, _) => "no child began".to_owned(),
        };
        found.push(Finding::ChildDisagrees { run, step: id, value: *value, child });
    }
}

/// Whether a function that starts at most once began again only after it was found out that it had done
/// nothing (§4.5).
pub(super) fn verdicts(place: &Place<'_>, step: &Step<'_>, found: &mut Vec<Finding>) {
    let mut starts: Vec<_> =
        step.starts.iter().filter(|start| start.starts == Starts::AfterNotDone).collect();
    starts.sort_by_key(|start| start.at);
    for pair in starts.windows(2) {
        let [before, after] = pair else { continue };
        let between = |at: u64| before.at < at && at < after.at;
        let not_done = step.verdicts.iter().any(|(at, done)| between(*at) && !done);
        let done = step.verdicts.iter().any(|(at, done)| *at < after.at && *done);
        if done || !not_done {
            let ((run, step), process) = (place.own(), after.process.to_owned());
            found.push(Finding::NoVerdict { run, step, process });
        }
    }
}

/// Whether what completed in a run that ended badly was taken back, and nothing else (§7.3, §7.4).
pub(super) fn clean_up(id: &str, run: &Run<'_>, end: &End<'_>, found: &mut Vec<Finding>) {
    let cleans_up = !retries(end.workflow) && end.workflow != ECHO;
    let ended_badly = ["failed", "cancelled", "timed_out"].contains(&end.status);
    if !ended_badly || !cleans_up {
        let undone = run.steps.iter().filter(|(_, step)| !step.undone.is_empty());
        let undone = undone.map(|(step, _)| *step).chain(run.told.first().map(|_| ON_FAILURE));
        for step in undone {
            found.push(for_nothing(&Place { run: id, step }, end));
        }
        return;
    }
    for (step_id, step) in &run.steps {
        taken_back(&Place { run: id, step: step_id }, step, end, found);
    }
    in_order(id, run, found);
    told(id, run, end, found);
}

fn for_nothing(place: &Place<'_>, end: &End<'_>) -> Finding {
    let read = end.steps.get(place.step).map_or("not there", |read| read.status.as_str());
    let ((run, step), status, found) = (place.own(), end.status.to_owned(), read.to_owned());
    Finding::UndoneForNothing { run, step, status, found }
}

fn taken_back(place: &Place<'_>, step: &Step<'_>, end: &End<'_>, found: &mut Vec<Finding>) {
    let read = end.steps.get(place.step).filter(|read| read.status == COMPLETED);
    let Some(read) = read.filter(|_| step.starts.iter().any(|start| start.undo)) else {
        if !step.undone.is_empty() {
            found.push(for_nothing(place, end));
        }
        return;
    };
    let made = end.steps.get(&format!("compensate\u{1f}{}", place.step));
    if step.undone.is_empty() || made.is_none_or(|made| made.status != COMPLETED) {
        let ((run, step), status) = (place.own(), end.status.to_owned());
        found.push(Finding::NotTakenBack { run, step, status });
    }
    if let Some((_, value)) = step.undone.iter().find(|(_, value)| Some(*value) != read.value) {
        let ((run, step), value) = (place.own(), *value);
        found.push(Finding::TakenBackOtherwise { run, step, value });
    }
}

/// Whether steps were taken back one after the other, the one that completed last first, and the run was
/// told after that.
fn in_order(id: &str, run: &Run<'_>, found: &mut Vec<Finding>) {
    let undone = run.steps.iter().filter(|(_, step)| !step.undone.is_empty());
    let mut undone: Vec<_> = undone
        .filter_map(|(id, step)| {
            let given = step.given.iter().map(|(at, _)| *at).min()?;
            let begins = || step.undone.iter().map(|(at, _)| *at);
            Some((given, *id, begins().min()?, begins().max()?))
        })
        .collect();
    undone.sort_unstable();
    // Whoever completed later begins to be taken back earlier, every time.
    let mut limit = run.told.iter().map(|(at, _)| (*at, ON_FAILURE)).min();
    for (_, step, first, last) in undone {
        if let Some((_, after)) = limit.filter(|(at, _)| last > *at) {
            let (run, step, after) = (id.to_owned(), step.to_owned(), after.to_owned());
            found.push(Finding::OutOfOrder { run, step, after });
        }
        limit = Some((first, step));
    }
}

/// Whether the run was told that it ends badly, with the steps that completed.
fn told(id: &str, run: &Run<'_>, end: &End<'_>, found: &mut Vec<Finding>) {
    if run.told.is_empty() {
        let (run, step, status) = (id.to_owned(), ON_FAILURE.to_owned(), end.status.to_owned());
        found.push(Finding::NotTakenBack { run, step, status });
        return;
    }
    let reads = || end.steps.iter().filter(|(_, read)| read.kind == "run");
    let mut read: Vec<&str> =
        reads().filter(|(_, read)| read.status == COMPLETED).map(|(id, _)| id.as_str()).collect();
    read.sort_unstable();
    for (_, told) in &run.told {
        let functions = told.iter().map(String::as_str);
        let is_function = |id: &&str| end.steps.get(*id).is_none_or(|read| read.kind == "run");
        let mut told: Vec<&str> = functions.filter(is_function).collect();
        told.sort_unstable();
        if told != read {
            let (told, read) = (told.join(", "), read.join(", "));
            found.push(Finding::ToldOtherwise { run: id.to_owned(), told, read });
        }
    }
}
