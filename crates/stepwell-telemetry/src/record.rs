//! What the events of a run add up to: steps, and attempts of each (§10.4). A function of the set of events only.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::value::RawValue;
use stepwell_core::time::Timestamp;

use crate::event::{Event, Said, Thrown};
use crate::set::Set;

/// How a step is, apart from the time. The order is that of badness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It was left out on purpose.
    Skipped,
    /// Its latest attempt returned.
    Completed,
    /// An attempt is open.
    Running,
    /// Its latest attempt threw.
    Failed,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Skipped, Self::Completed, Self::Running, Self::Failed];

    /// Returns the word in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Completed => "completed",
            Self::Running => "running",
            Self::Failed => "failed",
        }
    }

    /// Returns the letter in a strip.
    pub const fn letter(self) -> char {
        match self {
            Self::Skipped => 's',
            Self::Completed => 'c',
            Self::Running => 'r',
            Self::Failed => 'f',
        }
    }

    /// Reads a letter of a strip.
    pub fn of_letter(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.letter() == letter)
    }
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End<'a> {
    /// When.
    pub at: Timestamp,
    /// It threw.
    pub is_failure: bool,
    /// What it threw, where that was told.
    pub thrown: Option<Thrown<'a>>,
}

/// One call of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt<'a> {
    /// Which call; `None` for what was recorded by hand.
    pub call: Option<Cow<'a, str>>,
    /// When it began; `None` where only its end was told.
    pub started: Option<Timestamp>,
    /// How it ended; `None` while it is open.
    pub end: Option<End<'a>>,
    /// In which process.
    pub process: Option<Cow<'a, str>>,
    /// JSON objects that were told of it, of its begin first.
    pub metadata: Vec<Cow<'a, str>>,
    /// There was more metadata than is kept.
    pub is_metadata_dropped: bool,
}

impl Attempt<'_> {
    /// When it is first known of.
    pub fn at(&self) -> Timestamp {
        let end = || self.end.as_ref().map(|end| end.at);
        self.started.or_else(end).unwrap_or(Timestamp::MIN)
    }

    /// How long it took; `None` while it is open, or where its begin was not told.
    pub fn took(&self) -> Option<Duration> {
        Some(self.end.as_ref()?.at.since(self.started?))
    }

    /// It ended by throwing.
    pub fn has_failed(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.is_failure)
    }

    /// Name and message of what it threw, where that was told.
    pub fn said(&self) -> (&str, &str) {
        let thrown = self.end.as_ref().and_then(|end| end.thrown.as_ref());
        thrown.map_or(("Error", ""), |thrown| (&thrown.name, &thrown.message))
    }
}

/// A step of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// Its key.
    pub key: Cow<'a, str>,
    /// By their begin.
    pub attempts: Vec<Attempt<'a>>,
    /// When it was last left out.
    pub skipped: Option<Timestamp>,
}

impl Step<'_> {
    /// How it is.
    pub fn state(&self) -> State {
        if self.attempts.iter().any(|attempt| attempt.end.is_none()) {
            return State::Running;
        }
        let latest = self.attempts.last();
        let is_skipped = self.skipped.is_some_and(|at| latest.is_none_or(|one| one.at() < at));
        match () {
            () if self.has_failed() => State::Failed,
            () if is_skipped => State::Skipped,
            () => State::Completed,
        }
    }

    /// Its latest attempt threw.
    pub fn has_failed(&self) -> bool {
        self.attempts.last().is_some_and(Attempt::has_failed)
    }

    /// When it is first known of.
    pub fn at(&self) -> Timestamp {
        let attempt = self.attempts.first().map(Attempt::at);
        attempt.into_iter().chain(self.skipped).min().unwrap_or(Timestamp::MIN)
    }

    /// Since when the attempt is open that has been open longest.
    pub fn open_at(&self) -> Option<Timestamp> {
        let open = self.attempts.iter().filter(|attempt| attempt.end.is_none());
        open.filter_map(|attempt| attempt.started).min()
    }
}

/// What is known of a run.
#[derive(Clone, Debug, Default)]
pub struct Record<'a> {
    /// Its steps, by when they are first known of.
    pub steps: Vec<Step<'a>>,
    /// Its first and its last event.
    pub span: Option<(Timestamp, Timestamp)>,
    /// How many events are kept.
    pub events: usize,
    /// How many came in excess.
    pub dropped: u64,
    /// Who told of it, by name.
    pub processes: BTreeSet<Cow<'a, str>>,
    /// The first trace that was told.
    pub trace: Option<u128>,
    /// What is told of the run; the latest word on each key.
    pub metadata: BTreeMap<String, Box<RawValue>>,
}

/// Attempts of a step on their way.
#[derive(Default)]
struct Making<'a> {
    attempts: Vec<Attempt<'a>>,
    /// Where the attempt of each call stands.
    calls: BTreeMap<Cow<'a, str>, usize>,
    /// Attempts that were opened by hand and are open, the latest last.
    by_hand: Vec<usize>,
    skipped: Option<Timestamp>,
}

impl<'a> Record<'a> {
    /// Adds up a set of events.
    pub fn of(set: &Set<'a>) -> Self {
        let mut record = Self { events: set.len(), dropped: set.dropped(), ..Self::default() };
        let mut making: BTreeMap<Cow<'a, str>, Making<'a>> = BTreeMap::new();
        for event in set.events() {
            record.note(&event);
            match making.get_mut(&event.step) {
                Some(step) => step.take(event),
                None => making.entry(event.step.clone()).or_default().take(event),
            }
        }
        record.steps = making.into_iter().map(|(key, step)| step.finish(key)).collect();
        record.steps.sort_by(|a, b| (a.at(), &a.key).cmp(&(b.at(), &b.key)));
        record
    }

    fn note(&mut self, event: &Event<'a>) {
        let first = self.span.map_or(event.at, |(first, _)| first);
        self.span = Some((first, event.at));
        self.trace = self.trace.or(event.trace);
        if let Some(process) = &event.process
            && !self.processes.contains(process)
        {
            self.processes.insert(process.clone());
        }
        if let Some(told) = &event.run_metadata
            && let Ok(told) = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(told)
        {
            self.metadata.extend(told);
        }
    }

    /// Returns a step.
    pub fn step(&self, key: &str) -> Option<&Step<'a>> {
        self.steps.iter().find(|step| step.key == key)
    }

    /// Returns, of the steps that failed in their latest attempt, the one that failed first, with that attempt.
    pub fn first_failed(&self) -> Option<(&Step<'a>, &Attempt<'a>)> {
        let failed = self.steps.iter().filter(|step| step.has_failed());
        let ends = failed.filter_map(|step| {
            let latest = step.attempts.last()?;
            Some((latest.end.as_ref()?.at, step, latest))
        });
        ends.min_by_key(|(at, step, _)| (*at, step.key.clone())).map(|(_, step, one)| (step, one))
    }

    /// Returns what is told of the run as JSON; `None` where there is nothing.
    pub fn metadata_text(&self) -> Option<String> {
        if self.metadata.is_empty() { None } else { serde_json::to_string(&self.metadata).ok() }
    }
}

impl<'a> Making<'a> {
    /// Takes the next event of the step, by instant and id.
    fn take(&mut self, event: Event<'a>) {
        if event.said == Said::Skipped {
            self.skipped = Some(event.at);
            return;
        }
        let at = match &event.call {
            Some(call) => self.calls.get(call).copied(),
            // An end closes the latest that is open; a begin always opens another.
            None if event.said == Said::Running => None,
            None => self.by_hand.pop(),
        };
        let at = at.unwrap_or_else(|| self.open(&event));
        let Some(attempt) = self.attempts.get_mut(at) else { return };
        if attempt.process.is_none() {
            attempt.process.clone_from(&event.process);
        }
        attempt.metadata.extend(event.metadata);
        attempt.is_metadata_dropped |= event.is_metadata_dropped;
        match event.said {
            Said::Running | Said::Skipped => {
                attempt.started = Some(attempt.started.unwrap_or(event.at).min(event.at));
            }
            // Within a call an end is final.
            Said::Success | Said::Error if attempt.end.is_some() => {}
            Said::Success | Said::Error => {
                let is_failure = event.said == Said::Error;
                attempt.end = Some(End { at: event.at, is_failure, thrown: event.thrown });
            }
        }
    }

    fn open(&mut self, event: &Event<'a>) -> usize {
        let at = self.attempts.len();
        self.attempts.push(Attempt {
            call: event.call.clone(),
            started: None,
            end: None,
            process: None,
            metadata: Vec::new(),
            is_metadata_dropped: false,
        });
        match &event.call {
            Some(call) => _ = self.calls.insert(call.clone(), at),
            None if event.said == Said::Running => self.by_hand.push(at),
            None => {}
        }
        at
    }

    fn finish(self, key: Cow<'a, str>) -> Step<'a> {
        let mut attempts = self.attempts;
        attempts.sort_by(|a, b| (a.at(), &a.call).cmp(&(b.at(), &b.call)));
        Step { key, attempts, skipped: self.skipped }
    }
}

#[cfg(test)]
mod tests;
