//! The facts of a ledger by run and step.

use std::collections::BTreeMap;

use crate::ledger::{Fact, Hash, Sheet, StepRead, Target, What};

/// All facts, by what they are about.
#[derive(Debug, Default)]
pub(super) struct Index<'a> {
    pub(super) runs: BTreeMap<&'a str, Run<'a>>,
    /// Runs that a key started, as clients were told and as they were read.
    pub(super) keys: BTreeMap<&'a str, Vec<&'a str>>,
    /// When each process that was killed was known to be gone.
    pub(super) killed: BTreeMap<&'a str, u64>,
    pub(super) server_kills: usize,
    pub(super) runner_kills: usize,
    pub(super) facts: usize,
}

#[derive(Debug, Default)]
pub(super) struct Run<'a> {
    /// The key and the number of steps of each accepted start.
    pub(super) accepted: Vec<(&'a str, u32)>,
    /// Some client asked for a cancel, and was perhaps not answered.
    pub(super) cancel_asked: bool,
    /// The statuses that accepted cancels told.
    pub(super) cancels: Vec<&'a str>,
    pub(super) ends: Vec<End<'a>>,
    pub(super) steps: BTreeMap<&'a str, Step<'a>>,
}

#[derive(Debug)]
pub(super) struct End<'a> {
    pub(super) at: u64,
    pub(super) status: &'a str,
    pub(super) why: Option<&'a str>,
    pub(super) output: &'a BTreeMap<String, Hash>,
    pub(super) steps: &'a BTreeMap<String, StepRead>,
}

#[derive(Debug, Default)]
pub(super) struct Step<'a> {
    pub(super) starts: Vec<Start<'a>>,
    pub(super) returns: Vec<Return<'a>>,
    /// When the code was given a result, and which.
    pub(super) given: Vec<(u64, Hash)>,
}

#[derive(Debug)]
pub(super) struct Start<'a> {
    pub(super) at: u64,
    pub(super) process: &'a str,
    pub(super) attempt: u32,
    pub(super) attempts_max: u32,
    pub(super) once: bool,
}

#[derive(Debug)]
pub(super) struct Return<'a> {
    pub(super) at: u64,
    pub(super) process: &'a str,
    pub(super) attempt: u32,
    pub(super) value: Option<Hash>,
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
            What::AckedStart { key, run, steps } => {
                self.keys.entry(key).or_default().push(run);
                self.run(run).accepted.push((key, *steps));
            }
            What::FnStart { run, step, attempt, attempts_max, once } => {
                let (attempt, attempts_max, once) = (*attempt, *attempts_max, *once);
                let start = Start { at, process, attempt, attempts_max, once };
                self.step(run, step).starts.push(start);
            }
            What::FnEnd { run, step, attempt, value } => {
                let end = Return { at, process, attempt: *attempt, value: *value };
                self.step(run, step).returns.push(end);
            }
            What::AckedResult { run, step, value } => {
                self.step(run, step).given.push((at, *value));
            }
            What::RunEnd { run, key, status, why, output, steps } => {
                if let Some(key) = key {
                    self.keys.entry(key).or_default().push(run);
                }
                let end = End { at, status, why: why.as_deref(), output, steps };
                self.run(run).ends.push(end);
            }
            What::AskedCancel { run } => self.run(run).cancel_asked = true,
            What::AckedCancel { run, status } => self.run(run).cancels.push(status),
            What::Kill { target, victim } => {
                match target {
                    Target::Server => self.server_kills += 1,
                    Target::Runner => self.runner_kills += 1,
                }
                self.killed.insert(victim, at);
            }
        }
    }

    fn run(&mut self, run: &'a str) -> &mut Run<'a> {
        self.runs.entry(run).or_default()
    }

    fn step(&mut self, run: &'a str, step: &'a str) -> &mut Step<'a> {
        self.run(run).steps.entry(step).or_default()
    }
}
