//! A small history that is right, for tests of checkers to break.

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use stepwell_core::clean_up::{Compensable, EndOptions};
use stepwell_core::failure::Failure;
use stepwell_core::id::RunId;
use stepwell_core::limits::Limits;
use stepwell_core::record::{Attempt, BlockCause, Opening};
use stepwell_core::run::{
    Act, Activate, Command, EndStep, Env, Finish, Fork, From, Outcome, Run, SleepStep, Start, Then,
};
use stepwell_core::status::{Kind, StepStatus};
use stepwell_core::summary::Summary;
use stepwell_core::time::Timestamp;

use crate::clock::Micros;
use crate::history::{
    Answer, Asked, Call, End, Fact, Held, History, Node, Process, ReadBack, Request, Written,
};
use crate::program::{Input, Profile};

/// How far apart facts are, in microseconds.
const STEP: Micros = 1_000;

/// A history and the run that it is about.
pub(super) struct World {
    pub(super) history: History,
    pub(super) run: RunId,
    pub(super) state: Run,
    pub(super) slept_until: Timestamp,
    journal: Vec<u8>,
    /// Runs that were made of it, with their journals.
    made: Vec<(RunId, Arc<[u8]>)>,
    /// The run as a backup has it, with its journal.
    backup: Option<(Run, Vec<u8>)>,
    now: Micros,
    batch: u32,
}

pub(super) fn journal_of(read: &mut ReadBack) -> &mut Arc<[u8]> {
    &mut read.journals[0].1
}

fn nonce_of(epoch: u32) -> u64 {
    u64::from(epoch) + 40
}

fn engine(now: Micros) -> Timestamp {
    Timestamp::from_micros(1_000_000_000 + i64::try_from(now).unwrap())
}

pub(super) fn opening(kind: Kind, at: Timestamp) -> Opening<'static> {
    Opening {
        kind,
        after: 0,
        at,
        input: None,
        metadata: None,
        compensable: Compensable::No,
        once: None,
        branch: None,
        kept_from: None,
    }
}

impl World {
    /// A run that was started, acknowledged and given to a runner.
    pub(super) fn begun() -> Self {
        let run = RunId::from_u128(7);
        let limits = Limits::default();
        let env = Env { now: engine(0), entropy: 0, limits: &limits };
        let input = Input { program: 1, profile: Profile::Plain, n: 0 };
        let raw = input.write();
        let start = Start {
            namespace: "default",
            app: "app",
            workflow: "workflow-0",
            input: raw.as_deref(),
            key: Some("k"),
            timeout: Some(Duration::from_hours(1)),
            not_before: None,
            metadata: None,
            runner: None,
            ends: None,
            event: None,
            search: None,
            origin: stepwell_core::run::Origin::default(),
            traceparent: None,
        };
        let mut out = Outcome::default();
        let state = Run::start(run, start, env, &mut out);
        let history = History::default();
        let slept_until = Timestamp::MIN;
        let (journal, now, batch) = (Vec::new(), 0, 0);
        let made = Vec::new();
        let backup = None;
        let mut world =
            Self { history, run, state, slept_until, journal, made, backup, now, batch };
        world.add(Fact::Opened { high_water: Timestamp::MIN });
        world.add(Fact::Born { process: Process(1), instance: Arc::from("i-1") });
        let workflow = Arc::from("workflow-0");
        let what = Asked::Start { workflow, key: Some(Arc::from("k")), input };
        world.add(Fact::Asked { request: Request(1), what });
        world.write(&out.records);
        let answer = Answer::Started { run, created: true };
        world.add(Fact::Answered { request: Request(1), answer });
        world.activate();
        world
    }

    /// A run that went its way: a function, a sleep, another function after a replay, its end.
    pub(super) fn whole() -> Self {
        let mut world = Self::begun();
        world.function("run-0", "\"first\"");
        world.sleep("sleep-1");
        world.apply(Command::Runner { epoch: 1, act: Act::Release { seen: 2, then: Then::Wait } });
        // A release with all ends seen and nothing to wait for makes the run ready again.
        world.activate();
        world.function("run-2", "\"last\"");
        let epoch = world.state.epoch();
        let act = Act::Finish(Finish::Completed(None));
        world.apply(Command::Runner { epoch, act });
        world.finish();
        world
    }

    pub(super) fn add(&mut self, fact: Fact) {
        self.now += STEP;
        self.history.add(self.now, fact);
    }

    pub(super) fn add_now(&mut self, fact: Fact) {
        self.history.add(self.now, fact);
    }

    fn write(&mut self, records: &[u8]) {
        self.journal.extend_from_slice(records);
        self.write_of(&self.state.clone(), records);
    }

    fn write_of(&mut self, run: &Run, records: &[u8]) {
        self.batch += 1;
        let row = Arc::new(Summary::of(run));
        let write = Written { run: run.id(), records: Arc::from(records), row };
        let (batch, at) = (self.batch, engine(self.now));
        self.add(Fact::Given { by: Node(0), batch, at, runs: vec![write], inbox: Vec::new() });
        self.add(Fact::Durable { batch });
    }

    /// Makes a run of this one.
    pub(super) fn fork(&mut self, from: From<'_>, outputs: &[(String, Box<RawValue>)]) -> RunId {
        let limits = Limits::default();
        let env = Env { now: engine(self.now), entropy: 0, limits: &limits };
        let (source, journal) = (self.run, &self.journal[..]);
        let (by, reason, input, timeout) = (Some("who"), Some("why"), None, None);
        let fork = Fork { source, journal, from, input, outputs, timeout, by, reason };
        let mut out = Outcome::default();
        let id = RunId::from_u128(70 + u128::from(self.batch));
        let made = Run::fork(id, &fork, env, &mut out).unwrap();
        self.write_of(&made, &out.records);
        self.made.push((id, Arc::from(&out.records[..])));
        id
    }

    pub(super) fn apply(&mut self, command: Command<'_>) {
        self.apply_within(command, &Limits::default());
    }

    pub(super) fn apply_within(&mut self, command: Command<'_>, limits: &Limits) {
        let env = Env { now: engine(self.now), entropy: 0, limits };
        let mut out = Outcome::default();
        self.state.apply(command, env, &mut out).unwrap();
        self.write(&out.records);
    }

    /// A runner cannot go on with the run, and gives it back.
    pub(super) fn block(&mut self) {
        let epoch = self.state.epoch();
        let cause = BlockCause::JournalFull { bytes: 2, limit: 1 };
        self.apply(Command::Runner { epoch, act: Act::Block(cause) });
        self.give_back();
    }

    /// The handler fails, and a runner is given what is left to do.
    pub(super) fn clean_up(&mut self) {
        self.give_back();
        self.activate_with(Some(&EndOptions { on_failure: true, ..EndOptions::default() }));
        let finish = Finish::Failed(Failure::new("Error", "no"));
        let epoch = self.state.epoch();
        self.apply(Command::Runner { epoch, act: Act::Finish(finish) });
        self.activate();
    }

    /// The runner gives the run back, which has told it of nothing.
    pub(super) fn give_back(&mut self) {
        let epoch = self.state.epoch();
        self.apply(Command::Runner { epoch, act: Act::Release { seen: 0, then: Then::Wait } });
    }

    pub(super) fn activate(&mut self) {
        self.activate_with(None);
    }

    /// Gives the run to a runner that says how its workflow ends.
    pub(super) fn activate_with(&mut self, ends: Option<&EndOptions>) {
        let nonce = nonce_of(self.state.epoch() + 1);
        let (runner, instance) = ("runner-0", "i-1");
        let alone = self.state.must_be_alone();
        let (version, build) = (None, None);
        let activate = Activate { nonce, runner, instance, version, build, alone, ends };
        self.apply(Command::Activate(activate));
        let held = self.held();
        let ended: Vec<End> = self.ends();
        self.add(Fact::Gave { to: Process(1), held, ended: ended.clone(), more: false });
        for end in ended {
            self.add(Fact::Delivered { by: Process(1), held, end });
        }
    }

    fn held(&self) -> Held {
        self.held_under(self.state.epoch())
    }

    /// The run's activation under an epoch.
    pub(super) fn held_under(&self, epoch: u32) -> Held {
        Held { run: self.run, epoch, nonce: nonce_of(epoch) }
    }

    /// What opens a step that is asked for once all was given that has ended.
    fn opening(&self, kind: Kind, at: Timestamp) -> Opening<'static> {
        Opening { after: self.state.ended_steps(), ..opening(kind, at) }
    }

    fn ends(&self) -> Vec<End> {
        let records = stepwell_core::record::decode(&self.journal);
        let ends = records.filter_map(|record| match record.unwrap() {
            stepwell_core::record::Record::StepEnded(ended) => Some(End {
                step: Arc::from(&*ended.step),
                status: ended.status,
                output: ended.output.map(|raw| Arc::from(raw.get())),
            }),
            _ => None,
        });
        ends.collect()
    }

    pub(super) fn function(&mut self, step: &str, output: &str) {
        let (held, call) = (self.held(), Call(self.batch));
        let id: Arc<str> = Arc::from(step);
        let (by, n, grant, due) = (Process(1), 1, Micros::MAX, 0);
        self.add(Fact::Began { call, by, held, step: id.clone(), n, grant, due });
        self.add(Fact::Over { call });
        let raw = RawValue::from_string(output.to_owned()).unwrap();
        let at = engine(self.now);
        let attempt = Attempt { n: 1, started_at: at, overlapped: false };
        let act = Act::EndStep(EndStep {
            step: step.into(),
            attempt,
            at,
            result: Ok(Some(&raw)),
            policy: None,
            total_timeout: None,
            open: Some(self.opening(Kind::Run, at)),
        });
        self.apply(Command::Runner { epoch: held.epoch, act });
        self.settled(&id, Some(Arc::from(output)));
    }

    fn settled(&mut self, step: &Arc<str>, output: Option<Arc<str>>) {
        let (held, status, by) = (self.held(), StepStatus::Completed, Process(1));
        let end = End { step: step.clone(), status, output: None };
        let at = engine(self.now);
        self.add(Fact::Settled { to: by, held, end, at });
        let end = End { step: step.clone(), status, output };
        self.add(Fact::Delivered { by, held, end });
    }

    fn sleep(&mut self, step: &str) {
        let at = engine(self.now);
        let until = at.after(Duration::from_secs(3));
        let open = self.opening(Kind::Sleep, at);
        let act = Act::Sleep(SleepStep { step: step.into(), until, open });
        let epoch = self.state.epoch();
        self.apply(Command::Runner { epoch, act });
        self.slept_until = until;
        self.now += 3_000_000;
        self.apply(Command::Fire);
        self.settled(&Arc::from(step), None);
    }

    /// Remembers the store as it is, as a backup does.
    pub(super) fn keep(&mut self) {
        self.backup = Some((self.state.clone(), self.journal.clone()));
    }

    /// The store is as it was kept.
    pub(super) fn go_back(&mut self) {
        (self.state, self.journal) = self.backup.take().unwrap();
    }

    /// A store that is made of a backup is opened.
    pub(super) fn open(&mut self) {
        self.add(Fact::Opened { high_water: engine(self.now) });
        self.add(Fact::HeldBack);
        self.read_again();
    }

    pub(super) fn pass(&mut self, time: Micros) {
        self.now += time;
    }

    pub(super) fn pass_deadline(&mut self, late: Duration) {
        self.apply(Command::Runner { epoch: 1, act: Act::Log { step: None, lines: vec![] } });
        self.now += 3_600_000_000 + u64::try_from(late.as_micros()).unwrap();
        self.apply(Command::Fire);
    }

    /// Reads everything, as at the end of a simulation.
    pub(super) fn finish(&mut self) {
        self.read_again();
        self.add(Fact::Finished);
    }

    pub(super) fn read_again(&mut self) {
        let row = Summary::of(&self.state);
        let journals = std::iter::once((self.run, Arc::from(&self.journal[..])));
        let read = ReadBack {
            inbox: Vec::new(),
            journals: journals.chain(self.made.iter().cloned()).collect(),
            unreadable: Vec::new(),
            timers: row.timer_at.map(|at| (at, self.run)).into_iter().collect(),
            active: row.active.then_some(self.run).into_iter().collect(),
            ready: row.ready_since.map(|at| (at, self.run)).into_iter().collect(),
            blocked: row.blocked.is_some().then_some(self.run).into_iter().collect(),
            rows: Some(vec![row]),
            events: Vec::new(),
            copies: Vec::new(),
        };
        self.add(Fact::Read(Box::new(read)));
    }

    pub(super) fn place(&self, is: impl Fn(&Fact) -> bool) -> usize {
        self.history.facts.iter().position(|(_, fact)| is(fact)).unwrap()
    }

    pub(super) fn last_read(&mut self) -> &mut ReadBack {
        let read = self.history.facts.iter_mut().rev().find_map(|(_, fact)| match fact {
            Fact::Read(read) => Some(&mut **read),
            _ => None,
        });
        read.unwrap()
    }

    /// Changes the journal as it was last read.
    pub(super) fn rewrite(&mut self, from: &str, to: &str) {
        rewrite(journal_of(self.last_read()), from, to);
    }

    /// The same, of the last run that was made of it.
    pub(super) fn rewrite_last(&mut self, from: &str, to: &str) {
        rewrite(&mut self.last_read().journals.last_mut().unwrap().1, from, to);
    }
}

fn rewrite(journal: &mut Arc<[u8]>, from: &str, to: &str) {
    let text = String::from_utf8(journal.to_vec()).unwrap();
    assert!(text.contains(from), "{from} in {text}");
    *journal = Arc::from(text.replace(from, to).as_bytes());
}
