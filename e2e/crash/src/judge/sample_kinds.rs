//! The part of the small ledger with events, children, clean-up, and a function that starts at most once.

use std::collections::BTreeMap;

use serde_json::json;

use super::sample::{Script, value};
use crate::ledger::{Hash, Origin, Source, StepRead, Target, What};
use crate::plan::{Fate, Starts};

const FAILS: &str = "run_4";
const PARENT: &str = "run_5";
const CHILD: &str = "run_6";
const SUCCESSOR: &str = "run_7";
const ECHO: &str = "run_8";

/// The id of an event that a client sends, and of one that a run sends.
const SENT: &str = "e1";
const EMITTED: &str = "run_5.tell";

fn read(kind: &str, status: &str, of: Option<Hash>) -> StepRead {
    let attempts = u32::from(kind == "run");
    StepRead { kind: kind.into(), status: status.into(), attempts, value: of }
}

fn done(of: &str) -> StepRead {
    read("run", "completed", Some(value(of)))
}

fn returned(of: Hash) -> Hash {
    Hash::of(&json!({ "results": { "count": of } }))
}

impl Script {
    fn started(&mut self, key: &str, run: &str, (steps, fate): (u32, Fate)) {
        let (key, run) = (key.to_owned(), run.to_owned());
        self.note("driver", What::AckedStart { key, run, steps, fate });
    }

    fn born(&mut self, run: &str, origin: Origin, (steps, fate): (u32, Fate)) {
        self.note("runner-4", What::Born { run: run.into(), origin, steps, fate });
    }

    fn given_by(&mut self, (run, step): (&str, &str), of: Hash, from: Source) {
        let (run, step) = (run.to_owned(), step.to_owned());
        self.note("runner-4", What::AckedResult { run, step, value: of, from });
    }

    fn ended(
        &mut self,
        (run, workflow, status): (&str, &str, &str),
        output: &[(&str, Hash)],
        steps: &[(&str, StepRead)],
    ) {
        let output = output.iter().map(|(id, of)| ((*id).to_owned(), *of)).collect();
        let steps: BTreeMap<_, _> =
            steps.iter().map(|(id, read)| ((*id).to_owned(), read.clone())).collect();
        self.note(
            "driver",
            What::RunEnd {
                run: run.into(),
                workflow: workflow.into(),
                origin: None,
                key: None,
                status: status.into(),
                why: None,
                output,
                steps,
            },
        );
    }

    /// A run that fails: two steps are taken back, one of them twice because the runner was lost.
    pub(super) fn failure(&mut self) {
        self.started("k4", FAILS, (0, Fate::Fails));
        for (step, of) in [("book hotel", "hotel"), ("book flight", "flight")] {
            self.function("runner-4", (FAILS, step), 1, Some(of));
            self.given("runner-4", (FAILS, step), of);
        }
        for (step, of) in
            [("book flight", "flight"), ("book hotel", "hotel"), ("book hotel", "hotel")]
        {
            let (run, step) = (FAILS.to_owned(), step.to_owned());
            self.note("runner-4", What::UndoStart { run, step, value: value(of) });
        }
        let completed = vec!["book hotel".to_owned(), "book flight".to_owned()];
        self.note("runner-4", What::Told { run: FAILS.into(), completed });
        let undone = read("compensate", "completed", None);
        self.ended(
            (FAILS, "saga", "failed"),
            &[],
            &[
                ("book hotel", done("hotel")),
                ("book flight", done("flight")),
                ("compensate\u{1f}book hotel", undone.clone()),
                ("compensate\u{1f}book flight", undone),
                ("onFailure", read("onFailure", "completed", None)),
            ],
        );
    }

    /// A run that waits for an event, has a child that another run goes on with, sends an event that
    /// starts a run, and has a function that starts again once it is found out that nothing was done.
    pub(super) fn family(&mut self) {
        self.started("k5", PARENT, (4, Fate::Completes));
        self.note("driver", What::AskedEvent { id: SENT.into(), value: value("mail") });
        self.note("driver", What::AckedEvent { id: SENT.into(), starts: false });
        self.given_by((PARENT, "wait"), value("mail"), Source::Event);
        self.begun_twice();
        let from = Origin::Step { run: PARENT.into(), step: "child".into() };
        self.born(CHILD, from, (0, Fate::GoesOn));
        self.born(SUCCESSOR, Origin::After { run: CHILD.into() }, (1, Fate::Completes));
        self.function("runner-4", (SUCCESSOR, "count"), 1, Some("three"));
        self.given("runner-4", (SUCCESSOR, "count"), "three");
        let three = returned(value("three"));
        self.given_by((PARENT, "child"), three, Source::Child);
        self.note("runner-4", What::AskedEvent { id: EMITTED.into(), value: value("told") });
        self.note("runner-4", What::AckedEvent { id: EMITTED.into(), starts: true });
        self.given_by((PARENT, "tell"), value(EMITTED), Source::Engine);
        self.born(ECHO, Origin::Event { id: EMITTED.into() }, (1, Fate::Completes));
        self.function("runner-4", (ECHO, "answer"), 1, Some("yes"));
        self.given("runner-4", (ECHO, "answer"), "yes");
        self.family_ends(three);
    }

    fn begun_twice(&mut self) {
        let (process, once) = ("runner-4", (PARENT, "pay"));
        self.start_of("runner-5", once, (1, Starts::AfterNotDone));
        let kill = What::Kill { target: Target::Runner, victim: "runner-5".into() };
        self.note("driver", kill);
        let (run, step) = (PARENT.to_owned(), "pay".to_owned());
        self.note(process, What::Verified { run: run.clone(), step: step.clone(), done: None });
        self.start_of(process, once, (2, Starts::AfterNotDone));
        let value = Some(value("paid"));
        self.note(process, What::FnEnd { run, step, attempt: 2, value });
        self.given(process, once, "paid");
    }

    fn family_ends(&mut self, three: Hash) {
        let pay = StepRead { attempts: 2, ..done("paid") };
        let steps = [
            ("wait", read("waitForEvent", "completed", Some(value("mail")))),
            ("pay", pay),
            ("child", read("invoke", "completed", Some(three))),
            ("tell", read("emit", "completed", Some(value(EMITTED)))),
        ];
        let output = steps.each_ref().map(|(id, read)| (*id, read.value.unwrap_or(three)));
        self.ended((PARENT, "family", "completed"), &output, &steps);
        self.ended((CHILD, "loop", "completed"), &[], &[]);
        let (count, answer) = (("count", value("three")), ("answer", value("yes")));
        self.ended((SUCCESSOR, "loop", "completed"), &[count], &[("count", done("three"))]);
        self.ended((ECHO, "echo", "completed"), &[answer], &[("answer", done("yes"))]);
    }
}
