//! The facts of a ledger by run and step.

use std::collections::{BTreeMap, BTreeSet};

use crate::ledger::{Fact, Fault, Hash, Origin, Sheet, Source, StepRead, Target, What};
use crate::plan::{Fate, Starts};

/// All facts, by what they are about.
#[derive(Debug, Default)]
pub(super) struct Index<'a> {
    pub(super) runs: BTreeMap<&'a str, Run<'a>>,
    /// Runs that a key started, as clients were told and as they were read.
    pub(super) keys: BTreeMap<&'a str, Vec<&'a str>>,
    /// Runs that something else than a client started.
    pub(super) born: BTreeMap<&'a Origin, BTreeSet<&'a str>>,
    /// Ids of accepted events that start runs.
    pub(super) starting: BTreeSet<&'a str>,
    /// When the data of an event was first about to be sent.
    pub(super) sent: BTreeMap<Hash, u64>,
    /// The steps that were given the data of an event.
    pub(super) taken: BTreeMap<Hash, BTreeSet<(&'a str, &'a str)>>,
    /// When each process that was killed was known to be gone.
    pub(super) killed: BTreeMap<&'a str, u64>,
    pub(super) server_kills: usize,
    pub(super) runner_kills: usize,
    /// What else was done, and how often.
    pub(super) faults: BTreeMap<Fault, usize>,
    pub(super) facts: usize,
}

#[derive(Debug, Default)]
pub(super) struct Run<'a> {
    /// The keys of its accepted starts.
    pub(super) accepted: Vec<&'a str>,
    /// When the first of them was known to be.
    pub(super) accepted_at: Option<u64>,
    /// What started it, where no client did.
    pub(super) origin: Option<&'a Origin>,
    /// How many steps have to be in its output, and how it ends, as its start or its code said.
    pub(super) steps_wanted: u32,
    pub(super) fate: Option<Fate>,
    /// Some client asked for a cancel, and was perhaps not answered.
    pub(super) cancel_asked: bool,
    /// The statuses that accepted cancels told.
    pub(super) cancels: Vec<&'a str>,
    pub(super) ends: Vec<End<'a>>,
    /// How it was seen.
    pub(super) sights: Vec<Sight<'a>>,
    pub(super) steps: BTreeMap<&'a str, Step<'a>>,
    /// When it was told that it ends badly, and which steps had completed.
    pub(super) told: Vec<(u64, &'a [String])>,
}

#[derive(Debug)]
pub(super) struct End<'a> {
    pub(super) at: u64,
    pub(super) workflow: &'a str,
    pub(super) status: &'a str,
    pub(super) why: Option<&'a str>,
    pub(super) output: &'a BTreeMap<String, Hash>,
    pub(super) steps: &'a BTreeMap<String, StepRead>,
}

/// A run as a client read it.
#[derive(Debug)]
pub(super) struct Sight<'a> {
    /// When it was about to be asked for, and when the answer had been read.
    pub(super) asked: u64,
    pub(super) at: u64,
    pub(super) status: Option<&'a str>,
    pub(super) steps: &'a BTreeMap<String, StepRead>,
}

#[derive(Debug, Default)]
pub(super) struct Step<'a> {
    pub(super) starts: Vec<Start<'a>>,
    pub(super) returns: Vec<Return<'a>>,
    /// When the code was given a result, and which.
    pub(super) given: Vec<(u64, Hash)>,
    /// Where its result has to come from.
    pub(super) from: Option<Source>,
    /// When it was found out what became of a start, and whether it had done anything.
    pub(super) verdicts: Vec<(u64, bool)>,
    /// When it began to be taken back, and which result was.
    pub(super) undone: Vec<(u64, Hash)>,
}

#[derive(Debug)]
pub(super) struct Start<'a> {
    pub(super) at: u64,
    pub(super) process: &'a str,
    pub(super) attempt: u32,
    pub(super) attempts_max: u32,
    pub(super) starts: Starts,
    pub(super) racing: bool,
    pub(super) undo: bool,
}

#[derive(Debug)]
pub(super) struct Return<'a> {
    pub(super) at: u64,
    pub(super) process: &'a str,
    pub(super) attempt: u32,
    pub(super) value: Option<Hash>,
}

impl Step<'_> {
    /// Tells whether it stands in a branch of a race.
    pub(super) fn is_racing(&self) -> bool {
        self.starts.iter().any(|start| start.racing)
    }

    /// Returns how many attempts it may have, 0 where it never began.
    pub(super) fn attempts_max(&self) -> u32 {
        self.starts.iter().map(|start| start.attempts_max).max().unwrap_or_default()
    }

    /// Tells whether its function starts again only when it was found out that it did nothing. Starts
    /// that did something are recorded as lost.
    pub(super) fn is_verified(&self) -> bool {
        self.starts.iter().any(|start| start.starts == Starts::AfterNotDone)
    }
}

impl<'a> Index<'a> {
    pub(super) fn of(sheets: &'a [Sheet]) -> Self {
        let mut index = Self::default();
        for fact in sheets.iter().flat_map(|sheet| &sheet.facts) {
            index.add(fact);
        }
        index
    }

    fn add(&mut self, fact: &'a Fact) {
        self.facts += 1;
        let (at, process) = (fact.at.mono_ns, fact.process.as_str());
        match &fact.what {
            What::AckedStart { key, run, steps, fate } => {
                self.keys.entry(key).or_default().push(run);
                let run = self.expect(run, *steps, *fate);
                run.accepted.push(key);
                run.accepted_at = Some(run.accepted_at.map_or(at, |first| first.min(at)));
            }
            What::Born { run, origin, steps, fate } => {
                self.born.entry(origin).or_default().insert(run);
                self.expect(run, *steps, *fate).origin = Some(origin);
            }
            What::FnStart { run, step, attempt, attempts_max, starts, racing, undo } => {
                let (attempt, attempts_max) = (*attempt, *attempts_max);
                let (starts, racing, undo) = (*starts, *racing, *undo);
                let start = Start { at, process, attempt, attempts_max, starts, racing, undo };
                self.step(run, step).starts.push(start);
            }
            What::FnEnd { run, step, attempt, value } => {
                let end = Return { at, process, attempt: *attempt, value: *value };
                self.step(run, step).returns.push(end);
            }
            What::Verified { run, step, done } => {
                self.step(run, step).verdicts.push((at, done.is_some()));
            }
            What::AckedResult { run, step, value, from } => {
                if *from == Source::Event {
                    self.taken.entry(*value).or_default().insert((run, step));
                }
                let step = self.step(run, step);
                step.given.push((at, *value));
                step.from = Some(*from);
            }
            What::AskedEvent { value, .. } => {
                let first = self.sent.entry(*value).or_insert(at);
                *first = (*first).min(at);
            }
            What::AckedEvent { id, starts } => {
                if *starts {
                    self.starting.insert(id);
                }
            }
            What::UndoStart { run, step, value } => {
                self.step(run, step).undone.push((at, *value));
            }
            What::Told { run, completed } => self.run(run).told.push((at, completed)),
            What::RunEnd { .. }
            | What::Seen { .. }
            | What::AskedCancel { .. }
            | What::AckedCancel { .. }
            | What::Fault { .. }
            | What::Kill { .. } => self.add_of_client(at, &fact.what),
        }
    }

    fn add_of_client(&mut self, at: u64, what: &'a What) {
        match what {
            What::RunEnd { run, workflow, origin, key, status, why, output, steps } => {
                // The code of a run that is cancelled early is never called.
                let from = origin.as_ref();
                self.run(run).origin = self.run(run).origin.or(from);
                if let Some(key) = key {
                    self.keys.entry(key).or_default().push(run);
                }
                let end = End { at, workflow, status, why: why.as_deref(), output, steps };
                self.run(run).ends.push(end);
            }
            What::Seen { run, asked_ns, status, steps } => {
                let sight = Sight { asked: *asked_ns, at, status: status.as_deref(), steps };
                self.run(run).sights.push(sight);
            }
            What::Fault { fault, .. } => *self.faults.entry(*fault).or_default() += 1,
            What::AskedCancel { run } => self.run(run).cancel_asked = true,
            What::AckedCancel { run, status } => self.run(run).cancels.push(status),
            What::Kill { target, victim } => {
                match target {
                    Target::Server => self.server_kills += 1,
                    Target::Runner => self.runner_kills += 1,
                }
                self.killed.insert(victim, at);
            }
            What::AckedStart { .. }
            | What::Born { .. }
            | What::FnStart { .. }
            | What::FnEnd { .. }
            | What::Verified { .. }
            | What::AckedResult { .. }
            | What::AskedEvent { .. }
            | What::AckedEvent { .. }
            | What::UndoStart { .. }
            | What::Told { .. } => {}
        }
    }

    /// Returns the last run of the chain that a run began.
    pub(super) fn last_of(&self, run: &'a str) -> &'a str {
        let next = |run: &str| {
            let born = self.born.get(&Origin::After { run: run.to_owned() });
            born.and_then(|born| born.first().copied())
        };
        std::iter::successors(Some(run), |run| next(run)).last().unwrap_or(run)
    }

    /// Tells whether a run may be cancelled: a client asked for it, or for that of a run that started
    /// it, or the step that waits for it is cancelled.
    pub(super) fn may_be_cancelled(&self, run: &str) -> bool {
        let Some(run) = self.runs.get(run) else { return false };
        let by_origin = || match run.origin {
            Some(Origin::After { run }) => self.may_be_cancelled(run),
            Some(Origin::Step { run: parent, step }) => {
                let parent_run = self.runs.get(parent.as_str());
                let ends = parent_run.iter().flat_map(|run| &run.ends);
                let mut reads = ends.filter_map(|end| end.steps.get(step));
                reads.any(|read| read.status == "cancelled") || self.may_be_cancelled(parent)
            }
            Some(Origin::Event { .. }) | None => false,
        };
        run.cancel_asked || by_origin()
    }

    fn expect(&mut self, run: &'a str, steps: u32, fate: Fate) -> &mut Run<'a> {
        let run = self.run(run);
        (run.steps_wanted, run.fate) = (steps, Some(fate));
        run
    }

    fn run(&mut self, run: &'a str) -> &mut Run<'a> {
        self.runs.entry(run).or_default()
    }

    fn step(&mut self, run: &'a str, step: &'a str) -> &mut Step<'a> {
        self.run(run).steps.entry(step).or_default()
    }
}
