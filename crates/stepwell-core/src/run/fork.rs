//! New runs out of others: rerun (§9.5) and fork (§9.8).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use serde_json::value::RawValue;

use super::command::{Env, Outcome};
use super::retried::is_kept;
use super::state::Run;
use crate::id::RunId;
use crate::payload;
use crate::planted::{self, Plant};
use crate::record::{self, DecodeError, ForkedFrom, Opening, Record, Started, StepEnded};
use crate::search::Change;
use crate::status::{Kind, StepStatus};
use crate::step_id;

/// Most steps that a refusal names.
const NAMED_MAX: usize = 10;

/// From where a new run goes on.
#[derive(Clone, Copy, Debug)]
pub enum From<'a> {
    /// From the beginning, with nothing kept.
    Start,
    /// From this step, with what the code had been given when it asked for the step.
    Step(&'a str),
    /// From the last step that failed, timed out or has an unknown outcome (§6.6).
    Failure,
}

/// A new run that is made of another one.
#[derive(Clone, Copy, Debug)]
pub struct Fork<'a> {
    /// The run that it is made of.
    pub source: RunId,
    /// The journal of that run.
    pub journal: &'a [u8],
    /// From where it goes on.
    pub from: From<'a>,
    /// Another input than that of the source.
    pub input: Option<&'a RawValue>,
    /// Other results of steps that are kept.
    pub outputs: &'a [(String, alloc::boxed::Box<RawValue>)],
    /// Most time to the end of the forward phase.
    pub timeout: Option<Duration>,
    /// Who wants it, for the history.
    pub by: Option<&'a str>,
    /// Why, for the history.
    pub reason: Option<&'a str>,
}

/// Why a run cannot be made of another one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ForkError {
    /// The journal of the source cannot be read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The journal of the source has no start.
    #[error("the journal has no start")]
    Empty,
    /// The source has no such step.
    #[error("there is no step `{step}`; it has {known}")]
    UnknownStep {
        /// The step.
        step: String,
        /// Some that there are.
        known: String,
    },
    /// No step of the source failed.
    #[error("no step failed: say from which step to fork")]
    NoFailure,
    /// An edited step is not kept.
    #[error("step `{step}` is not kept, so its output cannot be edited; kept are {known}")]
    NotKept {
        /// The step.
        step: String,
        /// Some that are.
        known: String,
    },
    /// An edited output is over the limit.
    #[error("the output of step `{step}` is refused: {why}")]
    Output {
        /// The step.
        step: String,
        /// Why.
        why: payload::Error,
    },
}

/// What of a source matters for a fork.
#[derive(Default)]
struct Source<'a> {
    openings: BTreeMap<String, Opening<'a>>,
    /// Steps in the order of their first record.
    order: Vec<String>,
    ends: Vec<StepEnded<'a>>,
    started: Option<Started<'a>>,
    /// Changes of search attributes, with how many steps had ended before.
    searches: Vec<(usize, Change)>,
}

impl<'a> Source<'a> {
    fn open(&mut self, step: &str, open: Option<&Opening<'a>>) {
        if let Some(open) = open {
            self.openings.insert(step.into(), open.clone());
            self.order.push(step.into());
        }
    }

    fn add(&mut self, record: Record<'a>) {
        match &record {
            Record::StepStarted(one) => self.open(&one.step, one.open.as_ref()),
            Record::AttemptFailed(one) => self.open(&one.step, one.open.as_ref()),
            Record::SleepStarted(one) => self.open(&one.step, Some(&one.open)),
            Record::WaitStarted(one) => self.open(&one.step, Some(&one.open)),
            Record::ChildStarted(one) => self.open(&one.step, Some(&one.open)),
            Record::RaceStarted(one) => self.open(&one.step, Some(&one.open)),
            Record::StepEnded(one) => self.open(&one.step, one.open.as_ref()),
            Record::Retried(_) => self.keep_for_next_run(),
            Record::Started(_)
            | Record::Activated(_)
            | Record::Released(_)
            | Record::Woken(_)
            | Record::Lost(_)
            | Record::Logged(_)
            | Record::OrderChanged(_)
            | Record::Blocked(_)
            | Record::Unblocked(_)
            | Record::Acted(_)
            | Record::Ending(_)
            | Record::Verified(_)
            | Record::Looked(_)
            | Record::CleanUp(_)
            | Record::CancelNoted(_)
            | Record::SearchSet(_)
            | Record::Ended(_) => {}
        }
        if let Record::StepEnded(ended) = record {
            self.ends.push(ended);
        } else if let Record::Started(started) = record {
            self.started = Some(started);
        } else if let Record::SearchSet(set) = record {
            self.searches.push((self.ends.len(), set.search));
        }
    }

    /// §6.5: what did not complete begins anew, and its end is not given to the code again.
    fn keep_for_next_run(&mut self) {
        // How many of the first ends stay, for what began behind them.
        let mut stay = alloc::vec![0_u32];
        for ended in &self.ends {
            let last = stay.last().copied().unwrap_or(0);
            stay.push(last + u32::from(is_kept(ended.status)));
        }
        self.ends.retain(|ended| is_kept(ended.status));
        let kept: BTreeSet<&str> = self.ends.iter().map(|ended| &*ended.step).collect();
        self.openings.retain(|step, _| kept.contains(&**step));
        for open in self.openings.values_mut() {
            let after = usize::try_from(open.after).ok().and_then(|after| stay.get(after));
            open.after = after.or_else(|| stay.last()).copied().unwrap_or(0);
        }
        self.order.retain(|step| kept.contains(&**step));
    }

    /// The search attributes as they were after so many ends.
    fn search_at(&self, given: usize, mut search: Change) -> Change {
        for (_, change) in self.searches.iter().filter(|(ends, _)| given > 0 && *ends <= given) {
            search.extend(change.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        search
    }

    /// §9.8: what was taken back, or has begun to be, is no result any more.
    fn is_taken_back(&self, step: &str) -> bool {
        let undone = self.openings.contains_key(&step_id::of(Kind::Compensate, step));
        undone && !planted::has(Plant::KeptTakenBack)
    }

    /// Tells whether a fork behind the end of this step keeps it.
    fn keeps(&self, ended: &StepEnded<'a>) -> bool {
        let kind = self.openings.get(&*ended.step).map(|open| open.kind);
        let own = !matches!(kind, None | Some(Kind::Compensate | Kind::OnFailure));
        // The code never had the end of what was cancelled.
        own && ended.status != StepStatus::Cancelled && !self.is_taken_back(&ended.step)
    }

    /// The races in whose branches a step stands, the inmost first.
    fn races_of<'s>(&'s self, step: &'s str) -> impl Iterator<Item = &'s str> {
        let outer = |step: &str| self.openings.get(step)?.branch.as_ref().map(|one| &*one.race);
        core::iter::successors(outer(step), move |race| outer(race))
    }

    /// What is kept by a run that goes on where the code had been given so many ends.
    fn kept(&self, given: usize) -> Vec<&StepEnded<'a>> {
        let valued = |(place, ended): &(usize, &StepEnded<'a>)| *place < given && self.keeps(ended);
        let first = self.ends.iter().enumerate().filter(valued).map(|(_, ended)| &*ended.step);
        let first: BTreeSet<&str> = first.collect();
        // §5.5: a race that was cancelled in the branch of another one is met again there, and what
        // its own branches had done is asked for in it.
        let races: BTreeSet<&str> = first.iter().flat_map(|step| self.races_of(step)).collect();
        let lost = |(place, ended): (usize, &StepEnded<'a>)| {
            let over = place < given || self.races_of(&ended.step).any(|race| first.contains(race));
            ended.status == StepStatus::Cancelled && over && races.contains(&*ended.step)
        };
        let ends = self.ends.iter().enumerate();
        ends.filter(|one| valued(one) || lost(*one)).map(|(_, ended)| ended).collect()
    }

    /// How many ends the code had been given where the new run goes on.
    fn given(&self, from: From<'_>) -> Result<(usize, Option<String>), ForkError> {
        let step = match from {
            From::Start => return Ok((0, None)),
            From::Step(step) => step.into(),
            From::Failure => {
                let failed = |ended: &&StepEnded<'_>| {
                    matches!(
                        ended.status,
                        StepStatus::Failed | StepStatus::TimedOut | StepStatus::Unknown
                    ) && self.openings.get(&*ended.step).is_some_and(|open| {
                        !matches!(open.kind, Kind::Compensate | Kind::OnFailure | Kind::Race)
                    })
                };
                let last = self.ends.iter().rev().find(failed).ok_or(ForkError::NoFailure)?;
                last.step.to_string()
            }
        };
        let Some(open) = self.openings.get(&step) else {
            return Err(ForkError::UnknownStep { step, known: names(self.order.iter()) });
        };
        Ok((usize::try_from(open.after).unwrap_or(usize::MAX).min(self.ends.len()), Some(step)))
    }
}

fn names<'a>(all: impl Iterator<Item = &'a String> + Clone) -> String {
    let shown: Vec<String> = all
        .clone()
        .take(NAMED_MAX)
        .map(|step| alloc::format!("`{}`", step_id::shown(step)))
        .collect();
    let more = all.count() - shown.len();
    let more = if more > 0 { alloc::format!(" and {more} more") } else { String::new() };
    if shown.is_empty() { "none".into() } else { alloc::format!("{}{more}", shown.join(", ")) }
}

impl Run {
    /// Makes a run of another one's journal: pushes its first records to `out`.
    ///
    /// # Errors
    /// [`ForkError`]; then nothing was pushed.
    pub fn fork(
        id: RunId,
        fork: &Fork<'_>,
        env: Env<'_>,
        out: &mut Outcome,
    ) -> Result<Self, ForkError> {
        let mut source = Source::default();
        for record in record::decode(fork.journal) {
            source.add(record?);
        }
        let first = source.started.take().ok_or(ForkError::Empty)?;
        let (given, step) = source.given(fork.from)?;
        let kept = source.kept(given);
        check_edits(fork, &kept, env)?;
        let origin = step.map(|step| ForkedFrom { run: fork.source, step: step.into() });
        let started = Started {
            at: env.now,
            input: fork.input.or(first.input),
            key: None,
            deadline: fork.timeout.map(|timeout| env.now.after(timeout)),
            not_before: None,
            rerun_of: origin.is_none().then_some(fork.source),
            forked_from: origin,
            by: fork.by.map(Into::into),
            reason: fork.reason.map(Into::into),
            search: source.search_at(given, first.search),
            // Nobody waits for it: it is no child, and goes on with no chain.
            parent: None,
            depth: 0,
            continues: None,
            inherited: None,
            // Another request made it, at another time.
            traceparent: None,
            ..first
        };
        let mut run = Self::born(id, &started);
        let before = out.records.len();
        Record::Started(started).encode(&mut out.records);
        // How many of the first ends are kept, for what follows them.
        let is_kept: BTreeSet<&str> = kept.iter().map(|ended| &*ended.step).collect();
        let mut counts = alloc::vec![0_u32];
        for ended in &source.ends {
            let last = counts.last().copied().unwrap_or(0);
            counts.push(last + u32::from(is_kept.contains(&*ended.step)));
        }
        for ended in kept {
            let Some(open) = source.openings.get(&*ended.step) else { continue };
            let after = usize::try_from(open.after).ok().and_then(|after| counts.get(after));
            let edit = fork.outputs.iter().find(|(step, _)| **step == *ended.step);
            let record = Record::StepEnded(StepEnded {
                output: edit.map_or(ended.output, |(_, output)| Some(output)),
                open: Some(Opening {
                    after: after.copied().unwrap_or(0),
                    kept_from: open.kept_from.or(Some(fork.source)),
                    ..open.clone()
                }),
                ..ended.clone()
            });
            record.encode(&mut out.records);
            run.fold(&record);
        }
        run.journal_bytes = (out.records.len() - before) as u64;
        Ok(run)
    }
}

fn check_edits(fork: &Fork<'_>, kept: &[&StepEnded<'_>], env: Env<'_>) -> Result<(), ForkError> {
    for (step, output) in fork.outputs {
        let completed = |ended: &&&StepEnded<'_>| ended.status == StepStatus::Completed;
        if !kept.iter().filter(completed).any(|ended| *ended.step == **step) {
            let known: Vec<String> =
                kept.iter().filter(completed).map(|ended| ended.step.to_string()).collect();
            return Err(ForkError::NotKept { step: step.clone(), known: names(known.iter()) });
        }
        payload::check(output, env.limits.payload_bytes_max)
            .map_err(|why| ForkError::Output { step: step.clone(), why })?;
    }
    Ok(())
}
