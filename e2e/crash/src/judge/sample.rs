//! A small ledger in which nothing is wrong, though much happened.

use serde_json::json;

use crate::ledger::{Fact, Hash, Sheet, Source, Stamp, StepRead, Target, What};
use crate::plan::{Fate, Starts};

const RUN: &str = "run_1";
const OTHER: &str = "run_2";
const CANCELLED: &str = "run_3";

/// Returns a ledger of three runs. The first lost its runner in the middle of a function and again
/// after a result, its server at its start, and has a step that failed once; the second has a step that
/// may begin only once; the third was cancelled while its second step was in progress. The others have
/// events, children, clean-up, and a step that starts at most once.
pub fn sample() -> Vec<Sheet> {
    let mut ledger = Script { now_ms: 100_000, sheets: Vec::new() };
    ledger.client();
    ledger.runners();
    ledger.end();
    ledger.failure();
    ledger.family();
    ledger.sheets
}

pub(super) struct Script {
    now_ms: u64,
    sheets: Vec<Sheet>,
}

pub(super) fn value(of: &str) -> Hash {
    Hash::of(&json!(of))
}

impl Script {
    /// Notes a fact a millisecond after the one before.
    pub(super) fn note(&mut self, process: &str, what: What) {
        self.now_ms += 1;
        let at = Stamp { wall_us: self.now_ms * 1_000, mono_ns: self.now_ms * 1_000_000 };
        let fact = Fact { at, process: process.into(), what };
        if let Some(sheet) = self.sheets.iter_mut().find(|sheet| sheet.name == process) {
            sheet.facts.push(fact);
        } else {
            let facts = vec![fact];
            self.sheets.push(Sheet { name: process.into(), facts, ..Sheet::default() });
        }
    }

    fn start(&mut self, process: &str, place: (&str, &str), attempt: u32) {
        let starts = if place.0 == OTHER { Starts::One } else { Starts::Any };
        self.start_of(process, place, (attempt, starts));
    }

    pub(super) fn start_of(
        &mut self,
        process: &str,
        (run, step): (&str, &str),
        (attempt, starts): (u32, Starts),
    ) {
        let undo = step.starts_with("book");
        let (run, step) = (run.to_owned(), step.to_owned());
        let (attempts_max, racing) = (3, false);
        let what = What::FnStart { run, step, attempt, attempts_max, starts, racing, undo };
        self.note(process, what);
    }

    pub(super) fn function(
        &mut self,
        process: &str,
        place: (&str, &str),
        attempt: u32,
        of: Option<&str>,
    ) {
        self.start(process, place, attempt);
        let (run, step) = (place.0.to_owned(), place.1.to_owned());
        self.note(process, What::FnEnd { run, step, attempt, value: of.map(value) });
    }

    pub(super) fn given(&mut self, process: &str, place: (&str, &str), of: &str) {
        let (run, step) = (place.0.to_owned(), place.1.to_owned());
        let (value, from) = (value(of), Source::Function);
        self.note(process, What::AckedResult { run, step, value, from });
    }

    fn kill(&mut self, target: Target, victim: &str) {
        self.note("driver", What::Kill { target, victim: victim.into() });
    }

    fn client(&mut self) {
        let accepted = |key: &str, run: &str, steps| What::AckedStart {
            key: key.into(),
            run: run.into(),
            steps,
            fate: Fate::Completes,
        };
        self.kill(Target::Server, "server-1");
        self.note("driver", accepted("k1", RUN, 2));
        self.note("driver", accepted("k1", RUN, 2));
        self.note("driver", accepted("k2", OTHER, 1));
        self.note("driver", accepted("k3", CANCELLED, 3));
    }

    fn runners(&mut self) {
        // The first execution of the function is lost with its runner; the second has its own value.
        self.start("runner-1", (RUN, "pick"), 1);
        self.kill(Target::Runner, "runner-1");
        if let Some(sheet) = self.sheets.iter_mut().find(|sheet| sheet.name == "runner-1") {
            sheet.torn = true;
        }
        self.function("runner-2", (RUN, "pick"), 1, Some("second"));
        self.given("runner-2", (RUN, "pick"), "second");
        self.function("runner-2", (RUN, "pack"), 1, None);
        self.kill(Target::Runner, "runner-2");
        // On replay the code is given the result, and the function does not begin.
        self.given("runner-3", (RUN, "pick"), "second");
        self.function("runner-3", (RUN, "pack"), 2, Some("packed"));
        self.given("runner-3", (RUN, "pack"), "packed");
        self.function("runner-3", (OTHER, "block"), 1, Some("blocked"));
        self.given("runner-3", (OTHER, "block"), "blocked");
        self.function("runner-3", (CANCELLED, "first"), 1, Some("was first"));
        self.given("runner-3", (CANCELLED, "first"), "was first");
        self.note("driver", What::AskedCancel { run: CANCELLED.into() });
        let status = "compensating".to_owned();
        self.note("driver", What::AckedCancel { run: CANCELLED.into(), status });
        // The runner had not heard of it yet.
        self.start("runner-3", (CANCELLED, "second"), 1);
        let completed = vec!["first".to_owned()];
        self.note("runner-3", What::Told { run: CANCELLED.into(), completed });
    }

    fn end(&mut self) {
        let read = |attempts, of: &str| StepRead {
            kind: "run".into(),
            status: "completed".into(),
            attempts,
            value: Some(value(of)),
        };
        let nap =
            StepRead { kind: "sleep".into(), status: "completed".into(), attempts: 0, value: None };
        let end = |run: &str, key: &str, output: &[(&str, &str)], steps: &[(&str, StepRead)]| {
            What::RunEnd {
                run: run.into(),
                workflow: "chain".into(),
                origin: None,
                key: Some(key.into()),
                status: "completed".into(),
                why: None,
                output: output.iter().map(|(id, of)| ((*id).into(), value(of))).collect(),
                steps: steps.iter().map(|(id, read)| ((*id).into(), read.clone())).collect(),
            }
        };
        let one = end(
            RUN,
            "k1",
            &[("pick", "second"), ("pack", "packed")],
            &[("pick", read(1, "second")), ("nap", nap), ("pack", read(2, "packed"))],
        );
        let output = [("block", "blocked")];
        let other = end(OTHER, "k2", &output, &[("block", read(1, "blocked"))]);
        let mut cancelled = end(CANCELLED, "k3", &[], &[("first", read(1, "was first"))]);
        if let What::RunEnd { status, .. } = &mut cancelled {
            *status = "cancelled".into();
        }
        self.note("driver", cancelled);
        self.note("driver", one.clone());
        self.note("driver", one);
        self.note("driver", other);
    }
}
