//! Running one seed or many, and telling what came of it.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::args::{Args, USAGE};
use crate::checkers::Violation;
use crate::deeds::Deeds;
use crate::fault::Table;
use crate::planted::Bug;
use crate::world::{Outcome, Settings, run};

/// Runs the simulator with the arguments of the process.
pub fn main() -> ExitCode {
    let args = match Args::read(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(why) => {
            say(&format!("{why}\n\n{USAGE}"));
            return ExitCode::from(2);
        }
    };
    #[cfg(feature = "planted")]
    if args.hunt {
        return super::hunt::hunt(&args);
    }
    match args.seed {
        Some(seed) => one(seed, &args),
        None => many(&args),
    }
}

pub(super) fn say(text: &str) {
    // A reader that went away does not make the result another.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Simulates a seed; a panic in it is a violation like others.
pub(super) fn simulate(seed: u64, nodes: usize, bug: &Bug, trace: bool) -> Outcome {
    let lines: Option<Box<dyn Write>> =
        if trace { Some(Box::new(std::io::LineWriter::new(std::io::stdout()))) } else { None };
    let settings = Settings { lines, bug: bug.clone(), nodes };
    let failed = |what: String| {
        let violations = vec![Violation { invariant: "I25", at: 0, what }];
        let (table, deeds) = (Table::default(), Deeds::default());
        Outcome { seed, hash: 0, runs: 0, commands: 0, table, deeds, violations }
    };
    match catch_unwind(AssertUnwindSafe(|| run(seed, settings))) {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => failed(format!("SQLite: {error}")),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
            failed(format!("panic: {}", text.unwrap_or_default()))
        }
    }
}

fn tell(outcome: &Outcome, all: bool) {
    let most = if all { usize::MAX } else { 1 };
    for Violation { invariant, at, what } in outcome.violations.iter().take(most) {
        say(&format!("VIOLATION {invariant} seed={} tick={at} {what}", outcome.seed));
    }
}

fn one(seed: u64, args: &Args) -> ExitCode {
    let outcome = simulate(seed, args.nodes, &args.bug, args.trace);
    tell(&outcome, true);
    say(&format!(
        "seed {seed}: hash {:016x}, {} runs, {} commands, {} faults, {} violations",
        outcome.hash,
        outcome.runs,
        outcome.commands,
        outcome.table.total(),
        outcome.violations.len(),
    ));
    if outcome.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// So many seeds have to do everything that can be done.
const FULL: u64 = 2_000;

/// What many seeds came to.
#[derive(Default)]
struct Sum {
    seeds: u64,
    runs: u64,
    commands: u64,
    table: Table,
    deeds: Deeds,
    violations: u64,
    least: Option<(u64, u64, u64)>,
}

impl Sum {
    fn add(&mut self, outcome: &Outcome) {
        self.seeds += 1;
        self.runs += outcome.runs;
        self.commands += outcome.commands;
        self.table.add(&outcome.table);
        self.deeds.add(&outcome.deeds);
        self.violations += u64::from(!outcome.violations.is_empty());
        let least = self.least.unwrap_or((u64::MAX, u64::MAX, u64::MAX));
        self.least = Some((
            least.0.min(outcome.runs),
            least.1.min(outcome.commands),
            least.2.min(outcome.table.total()),
        ));
    }
}

fn many(args: &Args) -> ExitCode {
    let begun = Instant::now();
    let next = AtomicU64::new(args.from);
    let stop = AtomicBool::new(false);
    let sum = Mutex::new(Sum::default());
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= args.from.saturating_add(args.seeds) {
                return;
            }
            let outcome = simulate(seed, args.nodes, &args.bug, false);
            let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
            sum.add(&outcome);
            tell(&outcome, false);
            if !outcome.violations.is_empty() && !args.keep_going {
                stop.store(true, Ordering::Relaxed);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..args.threads {
            scope.spawn(work);
        }
        work();
    });
    let sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    let millis = begun.elapsed().as_millis().max(1);
    let (runs, commands, faults) = sum.least.unwrap_or_default();
    say(&sum.table.show(args.nodes));
    for (fault, kind) in sum.table.zeros(args.nodes) {
        say(&format!("{fault:?} never met a step of kind {kind}"));
    }
    say(&sum.deeds.show());
    for deed in sum.deeds.zeros() {
        say(&format!("{deed:?} was never done"));
    }
    say(&format!(
        "{} runs; at least {runs} runs, {commands} commands, {faults} faults a seed; {} seeds/s",
        sum.runs,
        u128::from(sum.seeds) * 1_000 / millis,
    ));
    say(&format!(
        "{} seeds, {} commands, {} faults, {} violations",
        sum.seeds,
        sum.commands,
        sum.table.total(),
        sum.violations
    ));
    let left = !sum.table.zeros(args.nodes).is_empty() || sum.deeds.zeros().next().is_some();
    let lacks = sum.seeds >= FULL && left;
    if sum.violations == 0 && !lacks { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
