//! Every command of a run, by what it is about. Each command goes through [`World::apply`], which
//! checks what holds for all of them.

mod activation;
mod children;
mod clean_up;
mod ending;
mod forks;
mod limits;
mod once;
mod operate;
mod races;
mod retried;
mod retries;
mod steps;
mod timers;
mod vectors;
mod views;
mod waits;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use serde_json::value::RawValue;

use super::*;
use crate::clean_up::{Compensable, EndOptions};
use crate::failure::Failure;
use crate::id::RunId;
use crate::limits::Limits;
use crate::operation::Operation;
use crate::record::{self, Attempt, Opening, Record};
use crate::retry::Policy;
use crate::status::{Kind, RunStatus, StepStatus};
use crate::summary::Summary;
use crate::time::Timestamp;
use crate::view::View;

/// When every test begins.
const T0: Timestamp = Timestamp::from_millis(1_000_000);

/// A run with its journal, its limits and the time.
struct World {
    run: Run,
    journal: Vec<u8>,
    now: Timestamp,
    limits: Limits,
    /// What the workflow says of how its runs end.
    ends: EndOptions,
}

/// What an attempt says of its failure, beside the error.
#[derive(Clone, Default)]
struct Bad {
    terminal: bool,
    timed_out: bool,
    retry_at: Option<Timestamp>,
    policy: Option<Policy>,
    total: Option<Duration>,
}

fn start() -> Start<'static> {
    Start {
        namespace: "default",
        app: "shop",
        workflow: "checkout",
        input: None,
        key: None,
        timeout: None,
        not_before: None,
        metadata: None,
        runner: None,
        ends: None,
        event: None,
        origin: Origin::default(),
        search: None,
        traceparent: None,
    }
}

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.into()).unwrap()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl World {
    fn with(begins: Start<'_>, limits: Limits) -> Self {
        let mut out = Outcome::default();
        let id = RunId::new(T0, 7);
        let run = Run::start(id, begins, Env { now: T0, entropy: 0, limits: &limits }, &mut out);
        let ends = EndOptions::default();
        let world = Self { run, journal: out.records, now: T0, limits, ends };
        assert!(out.effects.is_empty());
        world.check();
        world
    }

    fn new() -> Self {
        Self::with(start(), Limits::default())
    }

    /// A run that a runner holds.
    fn held() -> Self {
        let mut world = Self::new();
        world.activate().unwrap();
        world
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now.after(time);
    }

    /// Applies a command and shows its effects.
    fn apply(&mut self, command: Command<'_>) -> Result<Vec<String>, Rejection> {
        let before = self.run.clone();
        let mut out = Outcome::default();
        // With the greatest entropy a pause has its full length.
        let env = Env { now: self.now, entropy: u64::MAX, limits: &self.limits };
        let result = self.run.apply(command, env, &mut out);
        if result.is_err() {
            assert_eq!(self.run, before, "a rejected command changes nothing");
            assert!(out.records.is_empty() && out.effects.is_empty());
        }
        if out.records.is_empty() {
            assert_eq!(self.run, before, "state changes by records only");
        }
        self.journal.extend_from_slice(&out.records);
        self.check();
        result.map(|()| out.effects.iter().map(show).collect())
    }

    /// The journal's fold is the state, and what is derived from either agrees.
    fn check(&self) {
        assert_eq!(Run::replay(self.run.id(), &self.journal).unwrap(), self.run);
        let view = View::of(self.run.id(), &self.journal).unwrap();
        assert_eq!(view.status, self.run.status());
        assert_eq!(view.steps.len(), self.run.steps().len());
        for step in &view.steps {
            let state = &self.run.steps()[step.position as usize];
            assert_eq!((&step.id, step.status), (&state.id, state.status));
            if step.generation == self.run.generation() {
                assert_eq!(Some(step.position), self.run.position(&step.id));
            }
        }
        let row = Summary::of(&self.run);
        assert_eq!(row.status, view.status);
        assert_eq!(row.steps as usize, view.steps.len());
        assert_eq!(row.active, self.run.activation().is_some());
        assert_eq!(row.blocked, view.blocked_because);
    }

    fn activate(&mut self) -> Result<Vec<String>, Rejection> {
        self.activate_as("b1", false)
    }

    fn activate_as(&mut self, build: &str, alone: bool) -> Result<Vec<String>, Rejection> {
        let ends = self.ends.clone();
        self.apply(Command::Activate(Activate {
            nonce: 9,
            runner: "worker",
            instance: "i1",
            version: Some("v1"),
            build: Some(build),
            alone,
            ends: Some(&ends),
        }))
    }

    /// What the runner that holds the run says.
    fn act(&mut self, act: Act<'_>) -> Result<Vec<String>, Rejection> {
        let epoch = self.run.epoch();
        self.apply(Command::Runner { epoch, act })
    }

    fn opening(&self, kind: Kind) -> Opening<'static> {
        let after = self.run.ended_steps();
        let (input, metadata, once, branch) = (None, None, None, None);
        let (compensable, kept_from) = (Compensable::No, None);
        Opening { kind, after, at: self.now, input, metadata, compensable, once, branch, kept_from }
    }

    fn next_attempt(&self, step: &str) -> Attempt {
        let n = self.run.step(step).map_or(0, |step| step.attempts) + 1;
        Attempt { n, started_at: self.now, overlapped: false }
    }

    fn begin(&mut self, step: &str) -> Result<Vec<String>, Rejection> {
        let (attempt, open) = (self.next_attempt(step), Some(self.opening(Kind::Run)));
        self.act(Act::StartStep(StartStep { step: step.into(), attempt, open }))
    }

    fn end_step<'a>(&self, step: &'a str) -> EndStep<'a> {
        EndStep {
            step: step.into(),
            attempt: self.next_attempt(step),
            at: self.now,
            result: Ok(None),
            policy: None,
            total_timeout: None,
            open: Some(self.opening(Kind::Run)),
        }
    }

    fn complete(&mut self, step: &str) -> Result<Vec<String>, Rejection> {
        let end = self.end_step(step);
        self.act(Act::EndStep(end))
    }

    fn fail(&mut self, step: &str, bad: Bad) -> Result<Vec<String>, Rejection> {
        let mut end = self.end_step(step);
        end.policy = bad.policy;
        end.total_timeout = bad.total;
        end.result = Err(AttemptError {
            failure: Failure::new("Oops", "it broke"),
            terminal: bad.terminal,
            retry_at: bad.retry_at,
            timed_out: bad.timed_out,
        });
        self.act(Act::EndStep(end))
    }

    fn sleep(&mut self, step: &str, time: Duration) -> Result<Vec<String>, Rejection> {
        let (until, open) = (self.now.after(time), self.opening(Kind::Sleep));
        self.act(Act::Sleep(SleepStep { step: step.into(), until, open }))
    }

    fn release(&mut self) -> Result<Vec<String>, Rejection> {
        let seen = self.run.ended_steps();
        self.act(Act::Release { seen, then: Then::Wait })
    }

    fn lose(&mut self, counted: bool) -> Result<Vec<String>, Rejection> {
        let epoch = self.run.epoch();
        self.apply(Command::Lose { epoch, counted })
    }

    fn finish(&mut self) -> Result<Vec<String>, Rejection> {
        self.act(Act::Finish(Finish::Completed(None)))
    }

    fn fire(&mut self) -> Vec<String> {
        self.apply(Command::Fire).unwrap()
    }

    fn cancel(&mut self) -> Result<Vec<String>, Rejection> {
        self.apply(Command::Cancel { by: None, reason: Some("by hand") })
    }

    fn status(&self, step: &str) -> StepStatus {
        self.run.step(step).unwrap().status
    }

    fn view(&self) -> View<'_> {
        View::of(self.run.id(), &self.journal).unwrap()
    }

    /// The names of the journal's records.
    fn records(&self) -> Vec<String> {
        let text = String::from_utf8(self.journal.clone()).unwrap();
        let list: Vec<serde_json::Value> =
            serde_json::from_str(&format!("[{}]", text.trim_end_matches(','))).unwrap();
        list.iter()
            .map(|record| record.as_object().unwrap().keys().next().unwrap().into())
            .collect()
    }

    /// The ids of the ended steps, in the order of their ends.
    fn ends(&self) -> Vec<String> {
        let records = record::decode(&self.journal).map(Result::unwrap);
        let ends = records.filter_map(|record| match record {
            Record::StepEnded(ended) => Some(ended.step.into_owned()),
            _ => None,
        });
        ends.collect()
    }
}

fn show(effect: &Effect) -> String {
    match effect {
        Effect::Settle { step, status, error, .. } => match error {
            Some(error) => format!("settle {step} {status} {}", error.name),
            None => format!("settle {step} {status}"),
        },
        Effect::Retry { step, n, at } => {
            format!("retry {step} {n} at +{}ms", at.since(T0).as_millis())
        }
        Effect::End { status } => format!("end {status}"),
        Effect::Begin { step, n } => format!("begin {step} {n}"),
        Effect::Pause => "pause".into(),
        Effect::Unpause => "unpause".into(),
        Effect::Evict => "evict".into(),
        Effect::Forget => "forget".into(),
        Effect::CancelChild { child } => format!("cancel {}", child.as_u128()),
        Effect::Continued { by } => format!("continued {}", by.as_u128()),
        Effect::Give { step, status, error, output, .. } => {
            let error = error.as_ref().map_or(String::new(), |error| format!(" {}", error.name));
            let output = output.as_ref().map_or(String::new(), |output| format!(" {output}"));
            format!("give {step} {status}{error}{output}")
        }
        Effect::Look { step } => format!("look {step}"),
        Effect::Ended { status, error } => match error {
            Some(error) => format!("ended {status} {}", error.name),
            None => format!("ended {status}"),
        },
    }
}

/// The effects of a command, which is not rejected.
#[track_caller]
fn gives(effects: Result<Vec<String>, Rejection>, expected: &[&str]) {
    assert_eq!(effects.unwrap(), expected);
}

fn none() -> Vec<String> {
    vec![]
}
