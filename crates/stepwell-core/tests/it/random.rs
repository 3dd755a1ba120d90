//! Drives random commands against the core and the model, and compares all that both can tell.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use stepwell_core::clean_up::Compensable;
use stepwell_core::failure::Failure;
use stepwell_core::id::RunId;
use stepwell_core::limits::Limits;
use stepwell_core::operation::Operation;
use stepwell_core::record::{Attempt, BlockCause, LogLine, OnTimeout, Opening};
use stepwell_core::retry::Policy;
use stepwell_core::run::{
    Act, Activate, AttemptError, Child, ChildEnded, Command, Deliver, Effect, EmitStep, EndStep,
    Env, Finish, InvokeStep, Operate, Origin, Outcome, Run, Since, SleepStep, Start, StartStep,
    Then, WaitStep,
};
use stepwell_core::status::{Kind, RunStatus, StepStatus};
use stepwell_core::summary::Summary;
use stepwell_core::time::Timestamp;
use stepwell_core::view::View;
use stepwell_core::wait::Wait;

use crate::model::{Ask, End, Fail, From, Model, Open, Verdict};

const T0: Timestamp = Timestamp::from_millis(1_000_000);
const STEPS: [&str; 10] = ["s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9"];
const STEPS_MAX: usize = 8;

/// Which attempt a message is about.
#[derive(Clone, Copy, Debug)]
enum Which {
    Next,
    Before,
    TooFar,
}

#[derive(Clone, Debug)]
enum Cmd {
    Pass(u64),
    Activate { alone: bool },
    Begin { step: usize, which: Which, opens: bool },
    Complete { step: usize, which: Which, opens: bool },
    Fail { step: usize, which: Which, fail: Fail },
    Sleep { step: usize, kind: Kind, ms: i64 },
    Skip { step: usize },
    Invoke { step: usize, finds: bool },
    Hear { step: usize, status: RunStatus, right: bool },
    Drop { step: usize, opens: bool },
    Log { step: Option<usize> },
    Order,
    Block,
    Release { unseen: u32, goes_on: bool },
    Finish { fails: bool },
    Continue,
    Lose { counted: bool },
    Stale,
    Fire,
    Cancel,
    Unblock,
    Operate(Operation),
    Wait { step: usize, kind: Kind, ask: Ask },
    Emit { step: usize },
    Deliver { step: usize, id: usize, ms: i64 },
    Look { step: usize },
    TimeOut { step: usize },
}

fn which() -> impl Strategy<Value = Which> {
    prop_oneof![8 => Just(Which::Next), 1 => Just(Which::Before), 1 => Just(Which::TooFar)]
}

fn fail() -> impl Strategy<Value = Fail> {
    let policy = (1..4_u32, prop::sample::select(vec![0_u64, 1, 700, 5_000])).prop_map(
        |(max_attempts, backoff_ms)| Policy {
            max_attempts,
            backoff_ms,
            factor_milli: 1_000,
            jitter: false,
            ..Policy::default()
        },
    );
    let retry_at = prop::option::weighted(0.2, (0..3_000_i64).prop_map(Timestamp::from_millis));
    let total = prop::option::weighted(0.3, (0..20_u64).prop_map(Duration::from_secs));
    (policy, retry_at, total, prop::bool::weighted(0.15), any::<bool>()).prop_map(
        |(policy, retry_at, total, terminal, timed_out)| {
            let retry_at =
                retry_at.map(|at| T0.after(Duration::from_millis(at.as_millis().unsigned_abs())));
            Fail { terminal, timed_out, retry_at, policy, total }
        },
    )
}

/// Steps are of one kind each, mostly: s0 to s3 are functions.
fn function() -> impl Strategy<Value = usize> {
    prop_oneof![20 => 0..4_usize, 1 => 4..7_usize]
}

fn pause() -> impl Strategy<Value = (usize, Kind)> {
    let kind = prop::sample::select(vec![Kind::Sleep, Kind::SleepUntil]);
    prop_oneof![
        20 => Just((4, Kind::Sleep)),
        20 => Just((5, Kind::SleepUntil)),
        1 => (0..7_usize, kind),
    ]
}

/// s7 and s8 are children.
fn child() -> impl Strategy<Value = usize> {
    prop_oneof![20 => 7..9_usize, 1 => 0..9_usize]
}

fn ended() -> impl Strategy<Value = RunStatus> {
    prop::sample::select(vec![
        RunStatus::Completed,
        RunStatus::Failed,
        RunStatus::Cancelled,
        RunStatus::TimedOut,
    ])
}

fn cmd() -> impl Strategy<Value = Cmd> {
    let opens = || prop::bool::weighted(0.9);
    prop_oneof![
        6 => prop::sample::select(vec![0, 1, 300, 1_000, 6_000, 31_000]).prop_map(Cmd::Pass),
        14 => any::<bool>().prop_map(|alone| Cmd::Activate { alone }),
        8 => (function(), which(), opens())
            .prop_map(|(step, which, opens)| Cmd::Begin { step, which, opens }),
        8 => (function(), which(), opens())
            .prop_map(|(step, which, opens)| Cmd::Complete { step, which, opens }),
        8 => (function(), which(), fail())
            .prop_map(|(step, which, fail)| Cmd::Fail { step, which, fail }),
        6 => (pause(), -500..40_000_i64)
            .prop_map(|((step, kind), ms)| Cmd::Sleep { step, kind, ms }),
        2 => (5..7_usize).prop_map(|step| Cmd::Skip { step }),
        6 => (child(), prop::bool::weighted(0.9))
            .prop_map(|(step, finds)| Cmd::Invoke { step, finds }),
        6 => (child(), ended(), prop::bool::weighted(0.9))
            .prop_map(|(step, status, right)| Cmd::Hear { step, status, right }),
        2 => (0..9_usize, opens()).prop_map(|(step, opens)| Cmd::Drop { step, opens }),
        1 => prop::option::of(0..7_usize).prop_map(|step| Cmd::Log { step }),
        1 => Just(Cmd::Order),
        1 => Just(Cmd::Block),
        5 => (0..2_u32, prop::bool::weighted(0.2))
            .prop_map(|(unseen, goes_on)| Cmd::Release { unseen, goes_on }),
        1 => any::<bool>().prop_map(|fails| Cmd::Finish { fails }),
        1 => Just(Cmd::Continue),
        6 => prop::bool::weighted(0.8).prop_map(|counted| Cmd::Lose { counted }),
        1 => Just(Cmd::Stale),
        8 => Just(Cmd::Fire),
        1 => Just(Cmd::Cancel),
        3 => Just(Cmd::Unblock),
        1 => Just(Cmd::Operate(Operation::Terminate)),
        2 => Just(Cmd::Operate(Operation::Pause)),
        4 => Just(Cmd::Operate(Operation::Resume)),
        4 => Just(Cmd::Operate(Operation::Retry)),
        8 => (waiting(), ask()).prop_map(|((step, kind), ask)| Cmd::Wait { step, kind, ask }),
        2 => (9..10_usize).prop_map(|step| Cmd::Emit { step }),
        5 => (7..9_usize, 0..3_usize, -9_000..2_000_i64)
            .prop_map(|(step, id, ms)| Cmd::Deliver { step, id, ms }),
        2 => (7..9_usize).prop_map(|step| Cmd::Look { step }),
        4 => (7..9_usize).prop_map(|step| Cmd::TimeOut { step }),
    ]
}

fn waiting() -> impl Strategy<Value = (usize, Kind)> {
    prop_oneof![
        20 => Just((7, Kind::WaitForEvent)),
        20 => Just((8, Kind::NamedWait)),
        1 => (0..10_usize, Just(Kind::WaitForEvent)),
    ]
}

fn ask() -> impl Strategy<Value = Ask> {
    let back = prop::sample::select(vec![0, 1_000, 6_000]).prop_map(Duration::from_millis);
    let since = prop_oneof![3 => Just(From::RunStart), 1 => Just(From::Parked), 2 => back.prop_map(From::Back)];
    let timeout = prop::option::of(prop::sample::select(vec![0, 1_000, 31_000]));
    (since, timeout, any::<bool>(), any::<bool>()).prop_map(|(since, timeout, fails, quiet)| Ask {
        since,
        timeout: timeout.map(Duration::from_millis),
        fails,
        quiet,
    })
}

struct Pair {
    run: Run,
    journal: Vec<u8>,
    model: Model,
    limits: Limits,
    /// How often each verdict was given, so that a test of nothing is seen.
    taken: u32,
    /// Children that were told that nobody wants them.
    told: Vec<usize>,
}

impl Pair {
    fn new(timeout: Option<Duration>, delay: Option<Duration>) -> Self {
        let not_before = delay.map(|delay| T0.after(delay));
        let begun = not_before.unwrap_or(T0);
        let steps_max = u32::try_from(STEPS_MAX).unwrap();
        let limits = Limits { steps_max, ..Limits::default() };
        let begins = Start {
            namespace: "default",
            app: "a",
            workflow: "w",
            input: None,
            key: None,
            timeout,
            not_before,
            metadata: None,
            runner: None,
            ends: None,
            event: None,
            search: None,
            traceparent: None,
            origin: Origin::default(),
        };
        let mut out = Outcome::default();
        let env = Env { now: T0, entropy: 0, limits: &limits };
        let run = Run::start(RunId::new(T0, 1), begins, env, &mut out);
        let deadline = timeout.map(|timeout| begun.after(timeout));
        let model = Model::new(T0, (deadline, not_before), STEPS_MAX);
        Self { run, journal: out.records, model, limits, taken: 0, told: Vec::new() }
    }

    fn n(&self, step: usize, which: Which) -> u32 {
        let next = self.model.attempts(step) + 1;
        match which {
            Which::Next => next,
            Which::Before => next - 1,
            Which::TooFar => next + 1,
        }
    }

    fn open(&self, kind: Kind, opens: bool) -> Open {
        // Sometimes not all that ended has been given to the code.
        let after =
            self.model.ends().saturating_sub(u32::from(self.model.facts.len().is_multiple_of(3)));
        opens.then_some((kind, after))
    }

    /// Says something as the runner that holds the run, to both.
    fn act(&mut self, act: Act<'_>, model: impl FnOnce(&mut Model) -> Verdict) -> bool {
        let epoch = self.run.epoch();
        let fences = match act {
            Act::Release { .. } => !self.model.lets_go(epoch),
            _ => self.model.fences(epoch),
        };
        let verdict = if fences { Verdict::Rejected } else { model(&mut self.model) };
        self.apply(Command::Runner { epoch, act }, verdict)
    }

    /// Applies a command, for which the model has this verdict. Tells whether it was taken.
    fn apply(&mut self, command: Command<'_>, verdict: Verdict) -> bool {
        let before = self.run.clone();
        let mut out = Outcome::default();
        let now = self.model.now;
        let env = Env { now, entropy: u64::MAX, limits: &self.limits };
        let text = format!("{command:?}");
        let result = self.run.apply(command, env, &mut out);
        assert_eq!(result.is_ok(), verdict == Verdict::Taken, "{text}: {result:?}");
        if result.is_err() || out.records.is_empty() {
            assert_eq!(self.run, before, "{text}: only records change a run");
            assert!(out.records.is_empty(), "{text}: a rejection has no records");
        }
        self.journal.extend_from_slice(&out.records);
        for effect in &out.effects {
            if let Effect::CancelChild { child } = effect {
                self.told.push(usize::try_from(child.as_u128()).unwrap());
            }
        }
        self.taken += u32::from(result.is_ok());
        self.compare();
        result.is_ok()
    }

    fn step(&mut self, cmd: &Cmd) {
        match cmd {
            Cmd::Pass(ms) => self.model.now = self.model.now.after(Duration::from_millis(*ms)),
            Cmd::Activate { alone } => self.activate(*alone),
            Cmd::Lose { counted } => {
                let epoch = self.run.epoch();
                let fences = !self.model.lets_go(epoch);
                let verdict = if fences { Verdict::Rejected } else { self.model.lose(*counted) };
                self.apply(Command::Lose { epoch, counted: *counted }, verdict);
            }
            Cmd::Stale => {
                let epoch = self.run.epoch().wrapping_sub(1);
                let act = Act::Finish(Finish::Completed(None));
                self.apply(Command::Runner { epoch, act }, Verdict::Rejected);
            }
            Cmd::Fire => {
                let verdict = self.model.fire();
                self.apply(Command::Fire, verdict);
                self.repeat(verdict == Verdict::Taken, |pair| {
                    let verdict = pair.model.fire();
                    pair.apply(Command::Fire, verdict);
                });
            }
            Cmd::Hear { step, status, right } => self.hear(*step, *status, *right),
            Cmd::Operate(act) => {
                let verdict = match act {
                    Operation::Pause => self.model.pause(),
                    Operation::Resume => self.model.resume(),
                    Operation::Terminate => self.model.terminate(),
                    Operation::Retry => self.model.retry(),
                    // It is a command of its own.
                    Operation::Resolve => Verdict::Rejected,
                };
                let operate = Operate { act: *act, by: Some("who"), reason: Some("why") };
                self.apply(Command::Operate(operate), verdict);
            }
            Cmd::Cancel => {
                let verdict = self.model.cancel();
                self.apply(Command::Cancel { by: None, reason: None }, verdict);
            }
            Cmd::Unblock => {
                let verdict = self.model.unblock();
                self.apply(Command::Unblock { by: "operator" }, verdict);
            }
            Cmd::Deliver { .. } | Cmd::Look { .. } | Cmd::TimeOut { .. } => self.hear_of_wait(cmd),
            said => {
                let taken = self.say(said);
                // A repeated message changes nothing, as long as its run is held.
                let repeats = !matches!(said, Cmd::Log { .. } | Cmd::Order | Cmd::Fail { .. });
                self.repeat(taken && repeats, |pair| {
                    pair.say(said);
                });
            }
        }
    }

    fn activate(&mut self, alone: bool) {
        let verdict = self.model.activate(alone);
        let (nonce, runner, instance, build) = (1, "r", "i", Some("b"));
        let activate =
            Activate { nonce, runner, instance, version: None, build, alone, ends: None };
        self.apply(Command::Activate(activate), verdict);
    }

    fn hear(&mut self, step: usize, status: RunStatus, right: bool) {
        let hear = |pair: &mut Self| {
            let verdict = pair.model.hear(step, status, right);
            let child = RunId::from_u128((step + usize::from(!right)) as u128);
            let failed = status != RunStatus::Completed;
            let error = failed.then(|| Failure::new("Oops", "no"));
            let (step, run, output) = (STEPS[step], child, None);
            let ended = ChildEnded { step, child, run, status, output, error };
            pair.apply(Command::ChildEnded(ended), verdict)
        };
        let taken = hear(self);
        self.repeat(taken && self.model.over().is_none(), |pair| {
            hear(pair);
        });
    }

    fn invoke(&mut self, step: usize, finds: bool) -> bool {
        let open = self.open(Kind::Invoke, true);
        let child = if finds {
            Ok(Child { id: RunId::from_u128(step as u128), app: "a", workflow: "w" })
        } else {
            Err(Failure::new("ChildFailedError", "no such workflow"))
        };
        let opening = opening(open, self.model.now).unwrap();
        let invoke = InvokeStep { step: STEPS[step].into(), open: opening, child };
        self.act(Act::Invoke(invoke), |m| m.invoke(step, finds, open.unwrap()))
    }

    fn finish(&mut self, cmd: &Cmd) -> bool {
        let (finish, status) = match cmd {
            Cmd::Finish { fails: true } => {
                (Finish::Failed(Failure::new("Oops", "no")), RunStatus::Failed)
            }
            Cmd::Continue => (Finish::Continued { by: RunId::from_u128(77) }, RunStatus::Completed),
            _ => (Finish::Completed(None), RunStatus::Completed),
        };
        self.act(Act::Finish(finish), |model| model.finish(status))
    }

    /// What the engine says of a wait.
    fn hear_of_wait(&mut self, cmd: &Cmd) {
        match cmd {
            Cmd::Deliver { step, id, ms } => {
                let time = Duration::from_millis(ms.unsigned_abs());
                let now = self.model.now;
                let accepted_at = if *ms < 0 { now.before(time) } else { now.after(time) };
                let verdict = self.model.deliver(*step, *id, accepted_at);
                let (step, id) = (STEPS[*step], STEPS[*id]);
                let deliver = Deliver { step, id, event: "e", data: None, accepted_at };
                self.apply(Command::Deliver(deliver), verdict);
            }
            Cmd::Look { step } => {
                let verdict = self.model.look(*step);
                self.apply(Command::Looked { step: STEPS[*step] }, verdict);
            }
            Cmd::TimeOut { step } => {
                let verdict = self.model.time_out(*step);
                self.apply(Command::TimeOutWait { step: STEPS[*step] }, verdict);
            }
            other => unreachable!("{other:?} is not about a wait"),
        }
    }

    fn repeat(&mut self, taken: bool, again: impl FnOnce(&mut Self)) {
        if taken {
            let before = (self.run.clone(), self.journal.len());
            again(self);
            assert_eq!((self.run.clone(), self.journal.len()), before, "a repeat changes nothing");
        }
    }

    /// What a runner says. The number of an attempt is that of the first saying for a repeat too.
    fn say(&mut self, cmd: &Cmd) -> bool {
        let now = self.model.now;
        match cmd {
            Cmd::Begin { step, which, opens } => {
                let (n, open) = (self.n(*step, *which), self.open(Kind::Run, *opens));
                let attempt = Attempt { n, started_at: now, overlapped: false };
                let start =
                    StartStep { step: STEPS[*step].into(), attempt, open: opening(open, now) };
                self.act(Act::StartStep(start), |model| model.begin(*step, n, open))
            }
            Cmd::Complete { step, which, opens } => {
                let (n, open) = (self.n(*step, *which), self.open(Kind::Run, *opens));
                self.end(&End { step: *step, n, began: now, failed: None }, open)
            }
            Cmd::Fail { step, which, fail } => {
                let (n, open) = (self.n(*step, *which), self.open(Kind::Run, true));
                self.end(&End { step: *step, n, began: now, failed: Some(fail.clone()) }, open)
            }
            Cmd::Sleep { step, kind, ms } => {
                let time = Duration::from_millis(ms.unsigned_abs());
                let until = if *ms < 0 { now.before(time) } else { now.after(time) };
                let open = self.open(*kind, true).unwrap();
                let sleep = SleepStep {
                    step: STEPS[*step].into(),
                    until,
                    open: opening(Some(open), now).unwrap(),
                };
                self.act(Act::Sleep(sleep), |model| model.sleep(*step, until, open))
            }
            Cmd::Wait { step, kind, ask } => self.wait(*step, *kind, *ask),
            Cmd::Emit { step } => self.emit(*step),
            Cmd::Skip { step } => {
                let open = self.open(Kind::Skip, true);
                let skip =
                    Act::Skip { step: STEPS[*step].into(), open: opening(open, now).unwrap() };
                self.act(skip, |m| m.note_end(*step, Kind::Skip, StepStatus::Skipped, open))
            }
            Cmd::Invoke { step, finds } => self.invoke(*step, *finds),
            Cmd::Drop { step, opens } => {
                let kind = self.model.kind(*step).unwrap_or(Kind::Run);
                let open = self.open(kind, *opens);
                let drop = Act::Drop { step: STEPS[*step].into(), open: opening(open, now) };
                self.act(drop, |m| m.note_end(*step, kind, StepStatus::Cancelled, open))
            }
            Cmd::Log { step } => self.log(*step),
            Cmd::Order => {
                let act = Act::NoteOrder { expected: "s0".into(), found: "s1".into() };
                self.act(act, |_| Verdict::Taken)
            }
            Cmd::Block => {
                let act = Act::Block(BlockCause::Engine { message: "test".into() });
                self.act(act, Model::block)
            }
            Cmd::Release { unseen, goes_on } => {
                let seen = self.model.ends().saturating_sub(*unseen);
                let then = if *goes_on { Then::GoOn } else { Then::Wait };
                let act = Act::Release { seen, then };
                self.act(act, |model| model.release(seen, *goes_on))
            }
            Cmd::Finish { .. } | Cmd::Continue => self.finish(cmd),
            other => unreachable!("{other:?} is not said by a runner"),
        }
    }

    fn log(&mut self, step: Option<usize>) -> bool {
        let at = self.model.now;
        let line = LogLine { at, level: "info".into(), message: "hello".into() };
        let step = step.map(|step| STEPS[step].into());
        self.act(Act::Log { step, lines: vec![line] }, |_| Verdict::Taken)
    }

    fn emit(&mut self, step: usize) -> bool {
        let now = self.model.now;
        let open = self.open(Kind::Emit, true).unwrap();
        let id = serde_json::value::RawValue::from_string("\"id\"".into()).unwrap();
        let emit = EmitStep {
            step: STEPS[step].into(),
            sent: Ok(&id),
            open: opening(Some(open), now).unwrap(),
        };
        self.act(Act::Emit(emit), |model| model.emit(step, open))
    }

    fn wait(&mut self, step: usize, kind: Kind, ask: Ask) -> bool {
        let now = self.model.now;
        let open = self.open(kind, true).unwrap();
        let wait = WaitStep {
            step: STEPS[step].into(),
            event: "e".into(),
            wanted: None,
            until: ask.timeout.map(|timeout| now.after(timeout)),
            on_timeout: if ask.fails { OnTimeout::Fail } else { OnTimeout::Null },
            since: match ask.since {
                From::RunStart => Since::RunStart,
                From::Parked => Since::Parked,
                From::Back(time) => Since::Back(time),
            },
            newest: if ask.quiet { Timestamp::MIN } else { T0.after(Duration::from_hours(9_999)) },
            open: opening(Some(open), now).unwrap(),
        };
        self.act(Act::Wait(wait), |model| model.wait(step, ask, open))
    }

    fn end(&mut self, end: &End, open: Open) -> bool {
        let now = self.model.now;
        let fail = end.failed.clone();
        let result = match &fail {
            None => Ok(None),
            Some(fail) => Err(AttemptError {
                failure: Failure::new("Oops", "it broke"),
                terminal: fail.terminal,
                retry_at: fail.retry_at,
                timed_out: fail.timed_out,
            }),
        };
        let said = EndStep {
            step: STEPS[end.step].into(),
            attempt: Attempt { n: end.n, started_at: end.began, overlapped: false },
            at: now,
            result,
            policy: fail.as_ref().map(|fail| fail.policy.clone()),
            total_timeout: fail.as_ref().and_then(|fail| fail.total),
            open: opening(open, now),
        };
        let again = EndStep {
            step: STEPS[end.step].into(),
            attempt: said.attempt,
            at: now,
            result: Ok(None),
            policy: None,
            total_timeout: None,
            open: opening(open, now),
        };
        let taken = self.act(Act::EndStep(said), |model| model.end(end, open));
        // §6.4: whatever is told of an attempt that has ended changes nothing.
        self.repeat(taken && !self.model.fences(self.run.epoch()), |pair| {
            pair.act(Act::EndStep(again), |_| Verdict::Taken);
        });
        taken
    }

    /// Everything that both can tell is the same.
    fn compare(&self) {
        let (run, model) = (&self.run, &self.model);
        assert_eq!(Run::replay(run.id(), &self.journal).unwrap(), *run, "fold(records) == state");
        assert_eq!(run.status(), model.status());
        assert_eq!(run.epoch(), model.epoch());
        assert_eq!(
            run.activation().filter(|held| !held.evicted).map(|held| held.alone),
            model.held()
        );
        assert_eq!(run.activation().is_some_and(|held| held.evicted), model.owed());
        assert_eq!(run.ready_since(), model.ready());
        assert_eq!(run.next_timer(), model.timer());
        assert_eq!(run.delayed_until(), model.delayed());
        assert_eq!(run.losses(), model.losses().0);
        assert_eq!(run.must_be_alone(), model.losses().0 >= 2);
        assert_eq!(run.ended_steps(), model.ends());
        assert_eq!(run.steps().len(), model.steps().len());
        for (step, (index, kind)) in run.steps().iter().zip(model.steps()) {
            assert_eq!((&*step.id, step.kind), (STEPS[index], kind));
            assert_eq!((step.status, step.wake), model.step(index), "{}", step.id);
            assert_eq!(step.attempts, model.attempts(index), "{}", step.id);
            if let Some(parked) = &step.parked {
                assert_eq!(parked.looked, model.looked(index), "{}", step.id);
            }
        }
        self.compare_told();
        let waiting = |step: &&stepwell_core::run::Step| {
            step.status == StepStatus::Waiting && step.kind != Kind::Invoke
        };
        let waiting = run.steps().iter().filter(waiting).count();
        assert_eq!(Wait::all_of(run).len(), waiting, "§8.8: what waits has a row");
        self.compare_shown();
    }

    /// §5.6, §7.7: whom nobody waits for any more is told once.
    fn compare_told(&self) {
        let mut told = self.told.clone();
        told.sort_unstable();
        assert_eq!(told, self.model.unwanted(), "children that are not wanted");
        let waiting: Vec<_> = self.run.children().map(RunId::as_u128).collect();
        let model: Vec<_> = self.model.children().iter().map(|step| *step as u128).collect();
        assert_eq!(waiting, model, "children whose ends are awaited");
    }

    fn compare_shown(&self) {
        let (run, model) = (&self.run, &self.model);
        let view = View::of(run.id(), &self.journal).unwrap();
        assert_eq!(view.status, model.status());
        assert_eq!(view.steps.len(), model.steps().len());
        for (position, (index, kind)) in model.steps().into_iter().enumerate() {
            let shown = view.steps.iter().find(|one| *one.id == *STEPS[index]).unwrap();
            assert_eq!((shown.position as usize, shown.kind), (position, kind));
            assert_eq!((shown.status, shown.next_at), model.step(index));
            assert_eq!(shown.completed_at.is_some(), shown.status.is_ended());
            let attempts: Vec<_> = shown
                .attempts
                .iter()
                .map(|one| (one.n, if one.status == "timed_out" { "failed" } else { one.status }))
                .collect();
            let expected: Vec<_> = model
                .shown_attempts(index)
                .into_iter()
                .map(|(n, status)| (n, if status == "timed_out" { "failed" } else { status }))
                .collect();
            assert_eq!(attempts, expected, "{}", shown.id);
            let after: Vec<_> = shown.after.iter().map(|id| &**id).collect();
            let edges: Vec<_> = model.edges(index).into_iter().map(|one| STEPS[one]).collect();
            assert_eq!(after, edges, "{}", shown.id);
        }
        let order = |step: &stepwell_core::view::StepView<'_>| {
            (step.started_at.unwrap_or(step.scheduled_at), step.position)
        };
        assert!(view.steps.is_sorted_by_key(order), "§3.5");
        let row = Summary::of(run);
        assert_eq!(row.status, model.status());
        assert_eq!(
            (row.steps, row.steps_ended),
            (view.steps.len().try_into().unwrap(), model.ends())
        );
        assert_eq!((row.ready_since, row.timer_at), (model.ready(), model.timer()));
        assert_eq!(
            (row.active, row.blocked.is_some()),
            (model.held().is_some() || model.owed(), row.status == RunStatus::Blocked)
        );
        assert_eq!(row.ended_at.is_some(), model.over().is_some());
        assert_eq!(row.journal_bytes, self.journal.len() as u64);
        assert_eq!((row.blocked, row.version), (view.blocked_because, view.version));
    }
}

fn opening(open: Open, at: Timestamp) -> Option<Opening<'static>> {
    open.map(|(kind, after)| Opening {
        kind,
        after,
        at,
        input: None,
        metadata: None,
        compensable: Compensable::No,
        once: None,
        branch: None,
        kept_from: None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 384, max_shrink_iters: 4_000, ..ProptestConfig::default() })]

    /// §3.1, §3.2, §4.4, §6.1, §7.1, §8.4, §8.6: the core and the model agree after every command.
    #[test]
    fn the_core_does_what_the_semantics_say(
        timeout in prop::option::weighted(0.3, (5_000..90_000_u64).prop_map(Duration::from_millis)),
        delay in prop::option::weighted(0.2, (1..3_000_u64).prop_map(Duration::from_millis)),
        cmds in vec(cmd(), 1..60),
    ) {
        let mut pair = Pair::new(timeout, delay);
        pair.compare();
        for cmd in &cmds {
            pair.step(cmd);
        }
        crate::changed::check(pair.run.id(), &pair.journal);
    }
}

/// The generator reaches what it is meant to: every status of runs and steps, and blocked suspects.
#[test]
fn the_commands_reach_every_status() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let (mut runs, mut steps) =
        (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    let mut alone = 0;
    for round in 0..400 {
        let timeout = (round % 3 == 0).then(|| Duration::from_mins(1));
        let mut pair = Pair::new(timeout, None);
        for cmd in vec(cmd(), 60..61).new_tree(&mut runner).unwrap().current() {
            pair.step(&cmd);
            runs.insert(pair.run.status());
            steps.extend(pair.run.steps().iter().map(|step| step.status));
            alone += u32::from(pair.model.held() == Some(true));
        }
        assert!(pair.taken > 0);
    }
    assert_eq!(runs.len(), RunStatus::ALL.len(), "{runs:?}");
    // No command leads to this one yet.
    let later = [StepStatus::Unknown];
    assert_eq!(steps.len(), StepStatus::ALL.len() - later.len(), "{steps:?}");
    assert!(alone > 0);
}
