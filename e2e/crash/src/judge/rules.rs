//! The rules, each over the part of the ledger that it is about.

use super::finding::Finding;
use super::index::{End, Index, Run, Step};
use crate::ledger::{Hash, Sheet, Source};
use crate::plan::{Fate, Starts};

/// The status of a run or step that did what it should.
pub(super) const COMPLETED: &str = "completed";

/// The status of a run that failed.
const FAILED: &str = "failed";

/// The status of a run that was cancelled.
const CANCELLED: &str = "cancelled";

/// Whether the ledger itself can be trusted.
pub(super) fn sheet(sheet: &Sheet, index: &Index<'_>, found: &mut Vec<Finding>) {
    let name = || sheet.name.clone();
    for bad in &sheet.unreadable {
        let why = bad.why.clone();
        found.push(Finding::Unreadable { sheet: name(), line: bad.line, why });
    }
    let death = index.killed.get(sheet.name.as_str());
    if sheet.torn && death.is_none() {
        found.push(Finding::Torn { sheet: name() });
    }
    for fact in &sheet.facts {
        if fact.process != sheet.name {
            found.push(Finding::ForeignFact { sheet: name(), process: fact.process.clone() });
        }
        if death.is_some_and(|death| fact.at.mono_ns > *death) {
            found.push(Finding::AfterDeath { process: name() });
        }
    }
    // Threads of a process write side by side: between reading the clock and writing, another may
    // have written. What may not happen is that a clock is far behind what was written before.
    let mut latest = 0;
    for (at, fact) in sheet.facts.iter().enumerate() {
        if fact.at.mono_ns.saturating_add(SLACK_NS) < latest {
            found.push(Finding::ClockWentBack { sheet: name(), at });
        }
        latest = latest.max(fact.at.mono_ns);
    }
}

/// How far threads of one process may be apart between reading the clock and writing. 10 s.
const SLACK_NS: u64 = 10_000_000_000;

/// Whether each key, event, step and run started one run.
pub(super) fn starts(index: &Index<'_>, found: &mut Vec<Finding>) {
    let keys = index.keys.iter().map(|(key, runs)| (format!("the key {key}"), runs.clone()));
    let born = index.born.iter();
    let born = born.map(|(origin, runs)| (origin.to_string(), runs.iter().copied().collect()));
    for (by, runs) in keys.chain(born) {
        let Some((one, others)) = runs.split_first() else { continue };
        if let Some(other) = others.iter().find(|other| *other != one) {
            let (one, other) = ((*one).to_owned(), (*other).to_owned());
            found.push(Finding::TwoRuns { by, one, other });
        }
    }
}

/// Whether a run is as it was promised.
pub(super) fn run(index: &Index<'_>, id: &str, run: &Run<'_>, found: &mut Vec<Finding>) {
    for (step_id, one) in &run.steps {
        step(&Place { run: id, step: step_id }, one, found);
    }
    let Some(end) = run.ends.first() else {
        let run_id = id.to_owned();
        found.push(match run.accepted.first() {
            Some(key) => Finding::StartGone { run: run_id, key: (*key).to_owned() },
            None => Finding::RunUnknown { run: run_id },
        });
        return;
    };
    for other in &run.ends[1..] {
        same_end(id, end, other, found);
    }
    let first_read = run.ends.iter().map(|end| end.at).min().unwrap_or_default();
    for (step_id, step) in &run.steps {
        after_end(&Place { run: id, step: step_id }, step, first_read, found);
    }
    // The last read: a result may be lost after a first read that still had it.
    let last = run.ends.iter().max_by_key(|end| end.at).unwrap_or(end);
    let told = run.cancels.iter().find(|told| **told != COMPLETED && last.status == COMPLETED);
    if let Some(told) = told {
        let (run, status) = (id.to_owned(), last.status.to_owned());
        found.push(Finding::CancelGone { run, status, told: (*told).to_owned() });
    }
    super::kinds::clean_up(id, run, last, found);
    match (last.status, run.fate) {
        (COMPLETED, Some(Fate::Completes | Fate::GoesOn) | None) => {
            kept(id, run, last, found);
            completed(id, run, last, found);
        }
        // Of a run whose start was never acknowledged nobody knows how it was to end.
        (FAILED, Some(Fate::Fails) | None) => kept(id, run, last, found),
        (CANCELLED, _) if index.may_be_cancelled(id) => kept(id, run, last, found),
        (status, _) => found.push(Finding::NotCompleted {
            run: id.to_owned(),
            status: status.to_owned(),
            why: last.why.unwrap_or("it does not say why").to_owned(),
        }),
    }
}

/// Where a finding is.
pub(super) struct Place<'a> {
    pub(super) run: &'a str,
    pub(super) step: &'a str,
}

impl Place<'_> {
    pub(super) fn own(&self) -> (String, String) {
        (self.run.to_owned(), self.step.to_owned())
    }
}

/// Whether a step's function began when it might, and its result is one and the same.
fn step(place: &Place<'_>, step: &Step<'_>, found: &mut Vec<Finding>) {
    let first_given = step.given.iter().min_by_key(|(at, _)| *at);
    for start in &step.starts {
        let ((run, step), attempt) = (place.own(), start.attempt);
        if start.attempt > start.attempts_max {
            let attempts_max = start.attempts_max;
            let (run, step) = place.own();
            found.push(Finding::TooManyAttempts { run, step, attempt, attempts_max });
        }
        if let Some((given, _)) = first_given.filter(|(given, _)| start.at > *given) {
            let late_us = (start.at - given) / 1_000;
            let process = start.process.to_owned();
            found.push(Finding::AfterResult { run, step, process, late_us });
        }
    }
    if step.starts.len() > 1 && step.starts.iter().any(|start| start.starts == Starts::One) {
        let ((run, id), starts) = (place.own(), step.starts.len());
        found.push(Finding::MoreThanOnce { run, step: id, starts });
    }
    for end in &step.returns {
        let begun = step.starts.iter().any(|start| {
            start.process == end.process && start.attempt == end.attempt && start.at <= end.at
        });
        if !begun {
            let ((run, step), process) = (place.own(), end.process.to_owned());
            found.push(Finding::EndWithoutStart { run, step, process, attempt: end.attempt });
        }
    }
    super::kinds::verdicts(place, step, found);
    let mut seen: Option<Hash> = None;
    for (at, value) in &step.given {
        let value = *value;
        if let Some(one) = seen.filter(|one| *one != value) {
            let (run, step) = place.own();
            found.push(Finding::TwoResults { run, step, one, other: value });
        }
        seen = seen.or(Some(value));
        let from_function = step.from == Some(Source::Function);
        let returned = || step.returns.iter().any(|end| end.value == Some(value) && end.at <= *at);
        if from_function && !returned() {
            let (run, step) = place.own();
            found.push(Finding::Invented { run, step, value });
        }
    }
}

/// Whether a function began after a client had read that the run had ended.
fn after_end(place: &Place<'_>, step: &Step<'_>, ended: u64, found: &mut Vec<Finding>) {
    for start in step.starts.iter().filter(|start| start.at > ended) {
        let ((run, step), process) = (place.own(), start.process.to_owned());
        let late_us = (start.at - ended) / 1_000;
        found.push(Finding::AfterEnd { run, step, process, late_us });
    }
}

/// Whether two reads of an ended run agree.
fn same_end(run: &str, one: &End<'_>, other: &End<'_>, found: &mut Vec<Finding>) {
    if (one.status, one.output, one.steps) == (other.status, other.output, other.steps) {
        return;
    }
    let differs = |id: &String| one.steps.get(id) != other.steps.get(id);
    let step = one.steps.keys().chain(other.steps.keys()).find(|id| differs(id));
    let show = |end: &End<'_>| match step {
        Some(id) => format!("{} with step {id} {:?}", end.status, end.steps.get(id)),
        None => format!("{} with output {:?}", end.status, end.output),
    };
    let (one, other) = (show(one), show(other));
    found.push(Finding::TwoEnds { run: run.to_owned(), one, other });
}

/// Whether what was acknowledged of a run that has ended is in it.
fn kept(id: &str, run: &Run<'_>, end: &End<'_>, found: &mut Vec<Finding>) {
    let place = |step: &str| (id.to_owned(), step.to_owned());
    for (step_id, step) in &run.steps {
        let read = end.steps.get(*step_id);
        let status = read.map_or("none", |read| read.status.as_str());
        let recorded = read.map_or(0, |read| read.attempts);
        let started = step.starts.iter().map(|start| start.attempt).max().unwrap_or_default();
        // An attempt begins once the one before is durable. The last one of a run that was cancelled, or
        // of a branch that lost, may have been too short to leave a record (§4.3).
        let whole = end.status == COMPLETED && !step.is_racing();
        let ended = if whole { started } else { started.saturating_sub(1) };
        // A start whose outcome is lost is recorded as lost.
        if ended > recorded && !step.is_verified() && status != "unknown" {
            let (run, step) = place(step_id);
            found.push(Finding::AttemptGone { run, step, started, recorded });
        }
        let Some((_, acked)) = step.given.first().copied() else { continue };
        match read.and_then(|read| read.value).filter(|_| status == COMPLETED) {
            None => {
                let (run, step) = place(step_id);
                found.push(Finding::ResultGone { run, step, found: status.to_owned() });
            }
            Some(read) if read != acked => {
                let (run, step) = place(step_id);
                found.push(Finding::OtherThanAcked { run, step, acked, read });
            }
            Some(_) => {}
        }
    }
}

/// Whether a run that completed did all of it, with the results that its code was given.
fn completed(id: &str, run: &Run<'_>, end: &End<'_>, found: &mut Vec<Finding>) {
    let place = |step: &str| (id.to_owned(), step.to_owned());
    let wanted = run.steps_wanted;
    if end.output.len() < wanted as usize {
        let found_steps = end.output.len();
        found.push(Finding::StepsMissing { run: id.to_owned(), found: found_steps, wanted });
    }
    for (step_id, said) in end.output {
        let given = run.steps.get(step_id.as_str()).and_then(|step| step.given.first());
        if let Some((_, acked)) = given.filter(|(_, acked)| acked != said) {
            let ((run, step), acked, said) = (place(step_id), *acked, *said);
            found.push(Finding::OutputDisagrees { run, step, acked, said });
        }
    }
    for (step_id, read) in end.steps {
        // What completed in a branch that had lost by then is not given.
        let step = run.steps.get(step_id.as_str());
        let given = step.is_some_and(|step| !step.given.is_empty() || step.is_racing());
        if read.kind == "run" && read.status == COMPLETED && !given {
            let (run, step) = place(step_id);
            found.push(Finding::NeverGiven { run, step });
        }
    }
}
