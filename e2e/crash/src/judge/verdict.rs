//! The judgement.

use std::collections::BTreeMap;
use std::fmt;

use super::finding::{Class, Finding};
use super::index::{Index, Return};
use super::{kinds, rules, stale};
use crate::ledger::{Fault, Origin, Sheet};
use crate::plan::Starts;

/// The kinds of steps that a test with all kinds has, as the API names them.
const KINDS: [&str; 10] = [
    "run",
    "sleep",
    "sleepUntil",
    "skip",
    "waitForEvent",
    "emit",
    "invoke",
    "race",
    "compensate",
    "onFailure",
];

/// Among so many kills of runners one at least meets a function that starts at most once, before it has
/// done what it is for; and one after that; and one whose outcome nobody can tell.
const LOST_AMONG: usize = 20;

/// How much has to have happened for a ledger to prove something.
#[derive(Clone, Copy, Debug, Default)]
pub struct Demands {
    /// Least kills of servers. Default 0.
    pub server_kills: usize,
    /// Least kills of runners. Default 0.
    pub runner_kills: usize,
    /// Least faults, kills included. Default 0.
    pub faults: usize,
    /// Least runs. Default 0.
    pub runs: usize,
    /// Steps of every kind ended, functions that start at most once were lost before and after they did
    /// what they are for, handlers ran again, and runs went on as others. Default false.
    pub all_kinds: bool,
}

/// What is in a ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Facts.
    pub facts: usize,
    /// Processes with a sheet.
    pub sheets: usize,
    /// Torn ends of sheets of killed processes.
    pub torn: usize,
    /// Kills of servers.
    pub server_kills: usize,
    /// Kills of runners.
    pub runner_kills: usize,
    /// What else was done to servers and what they stand on.
    pub faults: BTreeMap<Fault, usize>,
    /// Runs.
    pub runs: usize,
    /// Reads of runs, ended or not.
    pub sights: usize,
    /// Accepted starts, repeats included.
    pub accepted: usize,
    /// Accepted cancels.
    pub cancels: usize,
    /// Steps of which the code was given the result.
    pub results: usize,
    /// Times that the code was given a result again, on replay.
    pub replayed: usize,
    /// Functions that began.
    pub starts: usize,
    /// Functions that began again because nothing was acknowledged of the time before (§4.2).
    pub again: usize,
    /// Attempts that failed on purpose.
    pub failed: usize,
    /// Reads of ended runs.
    pub reads: usize,
    /// Steps of ended runs, by kind.
    pub kinds: BTreeMap<String, usize>,
    /// Functions that start at most once, and began.
    pub once: usize,
    /// Times that it was found out that such a function had done nothing.
    pub not_done: usize,
    /// Times that it was found out that such a function had done what it is for.
    pub done: usize,
    /// Steps whose outcome nobody could tell.
    pub unknown: usize,
    /// Functions that failed for good, so that the handler ran again.
    pub stumbled: usize,
    /// Accepted events that start runs.
    pub starting: usize,
    /// Events that woke a wait.
    pub taken: usize,
    /// Runs that another run goes on with.
    pub continued: usize,
}

/// The judgement over a ledger.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// What is in it.
    pub figures: Figures,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// Returns how many findings there are of a class.
    pub fn count(&self, class: Class) -> usize {
        self.findings.iter().filter(|finding| finding.class() == class).count()
    }

    /// Tells whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

impl Figures {
    /// Returns how many faults there were, kills included.
    pub fn faults(&self) -> usize {
        self.server_kills + self.runner_kills + self.faults.values().sum::<usize>()
    }
}

/// The last line of a test.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, runs) = (self.figures.faults(), self.figures.runs);
        // Of a test that does nothing but kill, what may be stale shows as something else.
        let (word, and) = match (self.figures.faults.is_empty(), self.count(Class::Stale)) {
            (true, 0) => ("kills", String::new()),
            (_, stale) => ("faults", format!(", {stale} stale")),
        };
        let [lost, changed, repeated] =
            [Class::Lost, Class::Changed, Class::Repeated].map(|class| self.count(class));
        write!(
            f,
            "{count} {word}, {runs} runs, {lost} lost, {changed} changed, {repeated} repeated{and}"
        )
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "kills         {} servers, {} runners", self.server_kills, self.runner_kills)?;
        if !self.faults.is_empty() {
            let faults = self.faults.iter().map(|(fault, count)| format!("{count} {fault}"));
            writeln!(f, "other faults  {}", faults.collect::<Vec<_>>().join(", "))?;
            writeln!(f, "sights        {} reads while that happened", self.sights)?;
        }
        writeln!(
            f,
            "runs          {}, {} accepted starts, {} accepted cancels, {} reads of ended runs",
            self.runs, self.accepted, self.cancels, self.reads
        )?;
        writeln!(f, "results       {}, given again {} times", self.results, self.replayed)?;
        writeln!(
            f,
            "functions     {} began, {} of them again, {} failed on purpose",
            self.starts, self.again, self.failed
        )?;
        let kinds = self.kinds.iter().map(|(kind, count)| format!("{kind} {count}"));
        writeln!(f, "steps         {}", kinds.collect::<Vec<_>>().join(", "))?;
        writeln!(
            f,
            "at most once  {} functions; lost starts: {} had done nothing, {} were done, {} unknown",
            self.once, self.not_done, self.done, self.unknown
        )?;
        writeln!(f, "events        {} woke a wait, {} started a run", self.taken, self.starting)?;
        writeln!(
            f,
            "handlers      {} ran again, {} runs went on as another",
            self.stumbled, self.continued
        )?;
        write!(
            f,
            "ledger        {} facts in {} sheets, {} torn at their end",
            self.facts, self.sheets, self.torn
        )
    }
}

/// Judges a ledger.
pub fn judge(sheets: &[Sheet], demands: &Demands) -> Verdict {
    let index = Index::of(sheets);
    let figures = figures(sheets, &index);
    let mut findings = Vec::new();
    for sheet in sheets {
        rules::sheet(sheet, &index, &mut findings);
    }
    rules::starts(&index, &mut findings);
    kinds::births(&index, &mut findings);
    kinds::givers(&index, &mut findings);
    for (id, run) in &index.runs {
        rules::run(&index, id, run, &mut findings);
        stale::sights(id, run, &mut findings);
        stale::grants(id, run, &mut findings);
    }
    let counts = [
        ("kills of servers", figures.server_kills, demands.server_kills),
        ("kills of runners", figures.runner_kills, demands.runner_kills),
        ("faults", figures.faults(), demands.faults),
        ("runs", figures.runs, demands.runs),
    ];
    for (what, found, wanted) in counts {
        if found < wanted {
            findings.push(Finding::TooFew { what, found, wanted });
        }
    }
    if demands.all_kinds {
        kinds_of(&figures, demands, &mut findings);
    }
    Verdict { figures, findings }
}

/// Whether everything happened that a test with all kinds is about.
fn kinds_of(figures: &Figures, demands: &Demands, found: &mut Vec<Finding>) {
    let kind = |kind: &'static str| (kind, figures.kinds.get(kind).copied().unwrap_or_default(), 1);
    // A kill meets such a function often, but not every time.
    let lost = demands.runner_kills / LOST_AMONG;
    let more = [
        ("lost starts that had done nothing", figures.not_done, lost),
        ("lost starts that were done", figures.done, lost),
        ("steps whose outcome is unknown", figures.unknown, lost),
        ("handlers that ran again", figures.stumbled, 1),
        ("runs that went on as another", figures.continued, 1),
        ("events that woke a wait", figures.taken, 1),
        ("runs that an event started", figures.starting, 1),
    ];
    for (what, count, wanted) in KINDS.map(kind).into_iter().chain(more) {
        if count < wanted {
            found.push(Finding::TooFew { what, found: count, wanted });
        }
    }
}

fn figures(sheets: &[Sheet], index: &Index<'_>) -> Figures {
    let mut figures = Figures {
        facts: index.facts,
        sheets: sheets.len(),
        torn: sheets.iter().filter(|sheet| sheet.torn).count(),
        server_kills: index.server_kills,
        runner_kills: index.runner_kills,
        faults: index.faults.clone(),
        runs: index.runs.len(),
        starting: index.starting.len(),
        taken: index.taken.len(),
        ..Figures::default()
    };
    let after = |origin: &&&Origin| matches!(origin, Origin::After { .. });
    figures.continued = index.born.keys().filter(after).count();
    for run in index.runs.values() {
        figures.accepted += run.accepted.len();
        figures.reads += run.ends.len();
        figures.sights += run.sights.len();
        figures.cancels += run.cancels.len();
        for step in run.ends.first().iter().flat_map(|end| end.steps.values()) {
            *figures.kinds.entry(step.kind.clone()).or_default() += 1;
            figures.unknown += usize::from(step.status == "unknown");
        }
        for step in run.steps.values() {
            figures.once +=
                usize::from(step.starts.iter().any(|start| start.starts != Starts::Any));
            figures.not_done += step.verdicts.iter().filter(|(_, done)| !done).count();
            figures.done += step.verdicts.iter().filter(|(_, done)| *done).count();
            figures.results += usize::from(!step.given.is_empty());
            figures.replayed += step.given.len().saturating_sub(1);
            figures.starts += step.starts.len();
            let stumbles = |end: &&Return<'_>| end.value.is_none() && step.attempts_max() == 1;
            figures.stumbled += step.returns.iter().filter(stumbles).count();
            figures.failed += step.returns.iter().filter(|end| end.value.is_none()).count();
            let mut attempts: Vec<u32> = step.starts.iter().map(|start| start.attempt).collect();
            attempts.sort_unstable();
            attempts.dedup();
            figures.again += step.starts.len() - attempts.len();
        }
    }
    figures
}
