//! A node, its store, and everybody who talks to it, in one thread.
//!
//! Outputs are performed one at a time, in order. Commits and reads can be held back, to see what
//! leaves the node meanwhile.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use stepwell_core::id::RunId;
use stepwell_core::operation::Operation;
use stepwell_core::time::Timestamp;
use stepwell_core::view::View;
use stepwell_node::{
    About, ApiError, Begin, Config, EndedRun, Input, Node, Output, Outputs, Question, Reply,
    RequestId, RunnerInfo, SessionId, Signed, StartRequest,
};
use stepwell_store::batch::Batch;
use stepwell_store::memory::Memory;
use stepwell_store::query::{Key, Queue};
use stepwell_store::{Error, Store};

pub(crate) const T0: Timestamp = Timestamp::from_millis(1_000_000_000);

/// Most runs that one input may make the node ask for: a slice for each of the things that a tick
/// does.
const LOADS_MAX: usize = 5 * 256;

/// What a runner was sent, and whether its connection was closed.
#[derive(Debug, Default)]
struct Wire {
    received: VecDeque<Value>,
    bytes: u64,
    /// The largest frame so far, with its number of messages.
    largest: (usize, usize),
    closed: Option<String>,
}

pub(crate) struct World {
    pub(crate) node: Node,
    pub(crate) store: Arc<Memory>,
    pub(crate) config: Config,
    pub(crate) now: Timestamp,
    todo: VecDeque<Output>,
    /// Commits wait in `batches` until this is false again.
    pub(crate) hold_commits: bool,
    pub(crate) batches: VecDeque<Batch>,
    /// Reads of journals wait in `loads` until this is false again.
    pub(crate) hold_loads: bool,
    pub(crate) loads: VecDeque<RunId>,
    /// Where there is one, looks for events wait in it until [`World::look`] answers them.
    pub(crate) looks: Option<VecDeque<Question>>,
    /// How many events were read for looks.
    pub(crate) looked_at: usize,
    /// Batches that start runs are refused with this.
    pub(crate) refuse_growth: Option<Error>,
    /// Every batch is refused with this.
    pub(crate) refuse_all: Option<Error>,
    /// Runs whose stored journal is damaged: these bytes are read instead.
    pub(crate) damaged: BTreeMap<RunId, Result<Option<Vec<u8>>, Error>>,
    pub(crate) restarts: Vec<String>,
    pub(crate) load_count: u64,
    /// Answers come late, in any order, and now and then: see [`Slow`].
    pub(crate) chaos: Option<Chance>,
    slow: VecDeque<Slow>,
    wires: BTreeMap<SessionId, Wire>,
    replies: BTreeMap<RequestId, Reply>,
    continues: bool,
    next_id: u64,
}

/// Something that the node asked for and has no answer to yet.
enum Slow {
    Commit(Batch),
    /// Durable; the node has not been told.
    Committed,
    Ask(Output),
    /// Read, maybe a while ago.
    Answer(Answer),
}

enum Answer {
    Loaded(RunId, Result<Option<Vec<u8>>, Error>),
    Due(Vec<(Timestamp, RunId)>),
    Ready(Queue, Vec<(Timestamp, RunId)>),
    Active(Vec<RunId>),
    Blocked(Queue, Vec<RunId>),
    Inbox(Vec<Arc<stepwell_store::inbox::Message>>),
    Found(Key, Option<RunId>),
    Events(stepwell_node::Answer),
}

/// Numbers that look random, from a seed (splitmix64).
#[derive(Clone)]
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    pub(crate) fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// What a runner says of itself.
#[derive(Clone)]
pub(crate) struct Who {
    pub(crate) app: &'static str,
    pub(crate) name: &'static str,
    pub(crate) instance: String,
    pub(crate) build: Option<&'static str>,
    pub(crate) version: Option<&'static str>,
    pub(crate) slots: u32,
    pub(crate) credit: u64,
    pub(crate) workflows: Vec<&'static str>,
    pub(crate) resume: Vec<Value>,
}

pub(crate) fn who(slots: u32) -> Who {
    Who {
        app: "shop",
        name: "worker",
        instance: "i1".into(),
        build: Some("b1"),
        version: None,
        slots,
        credit: 1 << 20,
        workflows: vec!["flow"],
        resume: vec![],
    }
}

impl Who {
    pub(crate) fn hello(&self) -> Value {
        let workflows = self.workflows.iter().map(|name| {
            let mut workflow = serde_json::json!({ "name": name });
            if let Some(version) = self.version {
                workflow["version"] = version.into();
            }
            workflow
        });
        let mut hello = serde_json::json!({
            "protocol": 1, "sdk": "test/1", "app": self.app, "runner": self.name,
            "instance": self.instance, "slots": self.slots, "creditBytes": self.credit,
            "workflows": workflows.collect::<Vec<_>>(), "resume": self.resume,
        });
        if let Some(build) = self.build {
            hello["build"] = build.into();
        }
        serde_json::json!({ "hello": hello })
    }
}

pub(crate) fn start(workflow: &str) -> StartRequest {
    StartRequest {
        namespace: "default".into(),
        app: None,
        workflow: workflow.into(),
        input: None,
        key: None,
        timeout: None,
        begin: Begin::Now,
        metadata: None,
        runner: None,
        search: stepwell_core::search::Attributes::new(),
        traceparent: None,
        wait: false,
    }
}

pub(crate) fn json(text: &str) -> Box<serde_json::value::RawValue> {
    serde_json::value::RawValue::from_string(text.into()).unwrap()
}

impl World {
    pub(crate) fn new() -> Self {
        Self::over(Arc::new(Memory::new()), Config::default(), T0)
    }

    pub(crate) fn with(config: Config) -> Self {
        Self::over(Arc::new(Memory::new()), config, T0)
    }

    fn over(store: Arc<Memory>, config: Config, now: Timestamp) -> Self {
        let workflows = store.workflows().unwrap();
        let mut world = Self {
            node: Node::new(config.clone()),
            store,
            config,
            now,
            todo: VecDeque::new(),
            hold_commits: false,
            batches: VecDeque::new(),
            hold_loads: false,
            loads: VecDeque::new(),
            looks: None,
            looked_at: 0,
            refuse_growth: None,
            refuse_all: None,
            damaged: BTreeMap::new(),
            restarts: Vec::new(),
            load_count: 0,
            chaos: None,
            slow: VecDeque::new(),
            wires: BTreeMap::new(),
            replies: BTreeMap::new(),
            continues: false,
            next_id: 1,
        };
        world.tell(Input::Opened { workflows });
        world.settle();
        world
    }

    /// Drops the node, with all that was not durable, and makes another over the same store.
    pub(crate) fn restart(&mut self) {
        let mut config = self.config.clone();
        config.seed[0] = config.seed[0].wrapping_add(1);
        let (next_id, chaos) = (self.next_id, self.chaos.take());
        *self = Self::over(self.store.clone(), config, self.now);
        (self.next_id, self.chaos) = (next_id, chaos);
    }

    /// Gives the node an input, without performing what it asks for.
    pub(crate) fn tell(&mut self, input: Input<'_>) {
        let mut out = Outputs::default();
        self.node.handle(input, self.now, &mut out);
        let loads = out.list.iter().filter(|output| matches!(output, Output::Load(_))).count();
        assert!(loads <= LOADS_MAX, "one input made the node ask for {loads} runs");
        self.todo.extend(out.list);
    }

    /// Performs what the node asks for, until it asks for nothing more or everything is held back.
    pub(crate) fn settle(&mut self) {
        if let Some(steps) = self.chaos.as_mut().map(|chance| chance.below(6)) {
            for _ in 0..steps {
                self.churn();
            }
            return;
        }
        let mut rounds = 0_u32;
        loop {
            while let Some(output) = self.todo.pop_front() {
                self.perform(output);
            }
            let mut out = Outputs::default();
            self.node.flush(&mut out);
            self.todo.extend(out.list);
            if self.todo.is_empty() {
                if !std::mem::take(&mut self.continues) {
                    return;
                }
                self.tell(Input::Continue);
            }
            rounds += 1;
            assert!(rounds < 20_000, "the node comes to no rest");
        }
    }

    fn perform(&mut self, output: Output) {
        if self.chaos.is_some() {
            match output {
                Output::Commit(batch) => return self.slow.push_back(Slow::Commit(batch)),
                Output::Load(_)
                | Output::Due { .. }
                | Output::Ready { .. }
                | Output::Active { .. }
                | Output::Blocked { .. }
                | Output::Inbox { .. }
                | Output::Find(_)
                | Output::Ask(_) => return self.slow.push_back(Slow::Ask(output)),
                _ => {}
            }
        }
        match output {
            Output::Commit(batch) if self.hold_commits => self.batches.push_back(batch),
            Output::Commit(batch) => self.commit(&batch),
            Output::Load(run) if self.hold_loads => self.loads.push_back(run),
            Output::Load(run) => self.load(run),
            Output::Due { until, after, limit } => {
                let runs = self.store.due(until, after, limit).unwrap();
                self.tell(Input::Due { runs });
            }
            Output::Ready { queue, after, limit } => {
                let runs = self.store.ready(&queue, after, limit).unwrap();
                self.tell(Input::Ready { queue, runs });
            }
            Output::Active { after, limit } => {
                let runs = self.store.active(after, limit).unwrap();
                self.tell(Input::Active { runs });
            }
            Output::Blocked { queue, after, limit } => {
                let runs = self.store.blocked(&queue, after, limit).unwrap();
                self.tell(Input::Blocked { queue, runs });
            }
            Output::Inbox { after, limit } => {
                let messages = self.store.inbox(after.as_ref(), limit).unwrap();
                self.tell(Input::Inbox { messages });
            }
            Output::Find(key) => {
                let run = self.store.key(&key).unwrap();
                self.tell(Input::Found { key, run });
            }
            Output::Ask(question @ (Question::Events { .. } | Question::Sweep { .. }))
                if self.looks.is_some() =>
            {
                self.looks.as_mut().unwrap().push_back(question);
            }
            Output::Ask(question) => self.answer(question),
            Output::Send { session, frame } => self.receive(session, &frame),
            Output::Close { session, reason } => {
                self.wires.entry(session).or_default().closed = Some(reason);
            }
            Output::Reply { request, reply } => {
                let before = self.replies.insert(request, reply);
                assert!(before.is_none(), "a request is answered once");
            }
            // Nobody shares the store.
            Output::Enquire(enquiry) => panic!("asked of a store of its own: {enquiry:?}"),
            Output::Registered(_) => {}
            Output::Restart { reason } => self.restarts.push(reason),
            Output::Continue => self.continues = true,
        }
    }

    /// Does one thing of all that could be done next. Tells whether there was any.
    pub(crate) fn churn(&mut self) -> bool {
        while let Some(output) = self.todo.pop_front() {
            self.perform(output);
        }
        let Some(chance) = self.chaos.as_mut() else { return false };
        if self.slow.is_empty() || chance.one_in(3) {
            let mut out = Outputs::default();
            self.node.flush(&mut out);
            self.todo.extend(out.list);
            if self.todo.is_empty() && std::mem::take(&mut self.continues) {
                self.tell(Input::Continue);
            }
            return !self.todo.is_empty() || !self.slow.is_empty();
        }
        let mut at = chance.below(self.slow.len());
        if matches!(self.slow[at], Slow::Commit(_) | Slow::Committed) {
            // Batches are made durable, and answered, in their order.
            let commits = |slow: &Slow| matches!(slow, Slow::Commit(_) | Slow::Committed);
            at = self.slow.iter().position(commits).unwrap();
        }
        match self.slow.remove(at).unwrap() {
            Slow::Commit(batch) => {
                if let Some(error) = self.refuse_growth.clone().filter(|_| batch.grows) {
                    self.tell(Input::Refused { error });
                } else {
                    self.store.commit(&batch).unwrap();
                    self.slow.insert(at, Slow::Committed);
                }
            }
            Slow::Committed => self.tell(Input::Committed),
            Slow::Ask(output) => {
                let answer = self.read(output);
                self.slow.insert(at, Slow::Answer(answer));
            }
            Slow::Answer(answer) => self.tell(match answer {
                Answer::Loaded(run, journal) => Input::Loaded { run, journal },
                Answer::Due(runs) => Input::Due { runs },
                Answer::Ready(queue, runs) => Input::Ready { queue, runs },
                Answer::Active(runs) => Input::Active { runs },
                Answer::Blocked(queue, runs) => Input::Blocked { queue, runs },
                Answer::Inbox(messages) => Input::Inbox { messages },
                Answer::Found(key, run) => Input::Found { key, run },
                Answer::Events(answer) => Input::Answered(answer),
            }),
        }
        true
    }

    fn read(&mut self, output: Output) -> Answer {
        match output {
            Output::Load(run) => Answer::Loaded(run, self.store.load(run)),
            Output::Due { until, after, limit } => {
                Answer::Due(self.store.due(until, after, limit).unwrap())
            }
            Output::Ready { queue, after, limit } => {
                let runs = self.store.ready(&queue, after, limit).unwrap();
                Answer::Ready(queue, runs)
            }
            Output::Active { after, limit } => {
                Answer::Active(self.store.active(after, limit).unwrap())
            }
            Output::Blocked { queue, after, limit } => {
                let runs = self.store.blocked(&queue, after, limit).unwrap();
                Answer::Blocked(queue, runs)
            }
            Output::Inbox { after, limit } => {
                Answer::Inbox(self.store.inbox(after.as_ref(), limit).unwrap())
            }
            Output::Find(key) => {
                let run = self.store.key(&key).unwrap();
                Answer::Found(key, run)
            }
            Output::Ask(question) => Answer::Events(question.answer(&*self.store).unwrap()),
            other => unreachable!("{other:?} is not a question"),
        }
    }

    /// Ends the chaos: everything that waits is done.
    pub(crate) fn calm(&mut self) {
        let mut rounds = 0_u32;
        while self.churn() || self.continues {
            rounds += 1;
            assert!(rounds < 1_000_000, "the node comes to no rest");
        }
        self.chaos = None;
        self.settle();
    }

    /// Everything that was answered and not taken.
    pub(crate) fn take_replies(&mut self) -> BTreeMap<RequestId, Reply> {
        std::mem::take(&mut self.replies)
    }

    fn answer(&mut self, question: Question) {
        let answer = question.answer(&*self.store).unwrap();
        if let stepwell_node::Answer::Events { events, .. }
        | stepwell_node::Answer::Sweep { events, .. } = &answer
        {
            self.looked_at += events.len();
        }
        self.tell(Input::Answered(answer));
    }

    /// Answers looks that were held, and holds none from now on.
    pub(crate) fn look(&mut self) {
        for question in self.looks.take().unwrap_or_default() {
            self.answer(question);
        }
        self.settle();
    }

    fn commit(&mut self, batch: &Batch) {
        let refused = self.refuse_growth.clone().filter(|_| batch.grows);
        if let Some(error) = refused.or_else(|| self.refuse_all.clone()) {
            return self.tell(Input::Refused { error });
        }
        self.store.commit(batch).unwrap();
        self.tell(Input::Committed);
    }

    pub(crate) fn load(&mut self, run: RunId) {
        self.load_count += 1;
        let damaged = self.damaged.get(&run).cloned();
        let journal = damaged.unwrap_or_else(|| self.store.load(run));
        self.tell(Input::Loaded { run, journal });
    }

    /// Makes the oldest batch that was held back durable.
    pub(crate) fn commit_one(&mut self) {
        let batch = self.batches.pop_front().expect("a batch waits");
        self.commit(&batch);
        self.settle();
    }

    /// Lets go of what was held back.
    pub(crate) fn release(&mut self) {
        self.hold_commits = false;
        self.hold_loads = false;
        while let Some(batch) = self.batches.pop_front() {
            self.commit(&batch);
        }
        while let Some(run) = self.loads.pop_front() {
            self.load(run);
        }
        self.settle();
    }

    fn receive(&mut self, session: SessionId, frame: &[u8]) {
        let messages: Vec<Value> = serde_json::from_slice(frame).unwrap();
        assert!(!messages.is_empty(), "a frame has messages");
        let wire = self.wires.entry(session).or_default();
        if wire.closed.is_some() {
            return;
        }
        wire.bytes += frame.len() as u64;
        wire.largest = wire.largest.max((frame.len(), messages.len()));
        wire.received.extend(messages);
    }

    // Time.

    /// Lets time pass, and the node be woken when it wants to be.
    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.now.after(time);
        let mut ticks = 0_u32;
        while let Some(at) = self.node.next_tick().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.tell(Input::Tick);
            self.settle();
            ticks += 1;
            assert!(ticks < 100_000, "the node is woken again and again");
        }
        self.now = until;
    }

    pub(crate) fn pass_ms(&mut self, ms: u64) {
        self.pass(Duration::from_millis(ms));
    }

    // Runners.

    /// Connects a runner and lets it say hello; what the node answers is received already.
    pub(crate) fn connect(&mut self, who: &Who) -> SessionId {
        let session = self.open();
        self.say(session, &[who.hello()]);
        session
    }

    /// Connects a runner that says nothing yet.
    pub(crate) fn open(&mut self) -> SessionId {
        let session = SessionId(self.id());
        self.tell(Input::Connected { session, namespace: "default".into() });
        self.settle();
        session
    }

    pub(crate) fn disconnect(&mut self, session: SessionId) {
        self.wires.entry(session).or_default().closed = Some("by the runner".into());
        self.tell(Input::Disconnected { session });
        self.settle();
    }

    /// A runner sends a frame.
    pub(crate) fn say(&mut self, session: SessionId, messages: &[Value]) {
        self.say_bytes(session, &serde_json::to_vec(messages).unwrap());
    }

    pub(crate) fn say_bytes(&mut self, session: SessionId, bytes: &[u8]) {
        self.tell(Input::Frame { session, bytes });
        self.settle();
    }

    pub(crate) fn ping(&mut self, session: SessionId) {
        self.say(session, &[serde_json::json!({ "ping": { "k": 1 } })]);
        self.heard_of(session, "pong");
    }

    /// Takes all that a runner was sent.
    pub(crate) fn heard(&mut self, session: SessionId) -> Vec<Value> {
        self.wires.entry(session).or_default().received.drain(..).collect()
    }

    /// Takes the messages of one name that a runner was sent; others stay.
    pub(crate) fn heard_of(&mut self, session: SessionId, name: &str) -> Vec<Value> {
        let wire = self.wires.entry(session).or_default();
        let (found, others) =
            wire.received.drain(..).partition::<Vec<_>, _>(|message| message.get(name).is_some());
        wire.received = others.into();
        found.into_iter().map(|message| message[name].clone()).collect()
    }

    /// Puts back what was taken too much.
    pub(crate) fn put_back(&mut self, session: SessionId, name: &str, messages: Vec<Value>) {
        let wire = self.wires.entry(session).or_default();
        for message in messages.into_iter().rev() {
            wire.received.push_front(serde_json::json!({ name: message }));
        }
    }

    pub(crate) fn bytes_sent(&self, session: SessionId) -> u64 {
        self.wires.get(&session).map_or(0, |wire| wire.bytes)
    }

    pub(crate) fn largest_frame(&self, session: SessionId) -> (usize, usize) {
        self.wires.get(&session).map_or((0, 0), |wire| wire.largest)
    }

    pub(crate) fn closed(&self, session: SessionId) -> Option<&str> {
        self.wires.get(&session)?.closed.as_deref()
    }

    // Askers.

    pub(crate) fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    pub(crate) fn ask_start(&mut self, start: StartRequest) -> RequestId {
        let request = RequestId(self.id());
        self.tell(Input::Start { request, start: Box::new(start) });
        self.settle();
        request
    }

    pub(crate) fn started(&mut self, request: RequestId) -> (RunId, bool) {
        match self.reply(request) {
            Some(Reply::Started { run, created }) => (run, created),
            other => panic!("not started: {other:?}"),
        }
    }

    /// Starts a run and returns it.
    pub(crate) fn start(&mut self, start: StartRequest) -> RunId {
        let request = self.ask_start(start);
        self.started(request).0
    }

    pub(crate) fn about(&mut self, run: RunId) -> About {
        About { request: RequestId(self.id()), namespace: "default".into(), run }
    }

    pub(crate) fn ask_cancel(&mut self, run: RunId) -> RequestId {
        let about = self.about(run);
        let request = about.request;
        self.tell(Input::Cancel {
            about,
            signed: Signed { by: None, reason: Some("by hand".into()) },
        });
        self.settle();
        request
    }

    /// Cancels a run and returns its status then.
    pub(crate) fn cancel(&mut self, run: RunId) -> String {
        let request = self.ask_cancel(run);
        match self.reply(request) {
            Some(Reply::Acted { status }) => status.to_string(),
            other => panic!("not cancelled: {other:?}"),
        }
    }

    /// Acts on a run as an operator, and returns its status then.
    pub(crate) fn operate(&mut self, run: RunId, act: Operation) -> Result<String, ApiError> {
        let about = self.about(run);
        let request = about.request;
        let signed = Signed { by: Some("ann".into()), reason: Some("by hand".into()) };
        self.tell(Input::Operate { about, act, signed });
        self.settle();
        match self.reply(request) {
            Some(Reply::Acted { status }) => Ok(status.to_string()),
            Some(Reply::Error(error)) => Err(error),
            other => panic!("no act: {other:?}"),
        }
    }

    pub(crate) fn ask_wait(&mut self, run: RunId) -> RequestId {
        let about = self.about(run);
        let request = about.request;
        self.tell(Input::Wait { about });
        self.settle();
        request
    }

    pub(crate) fn reply(&mut self, request: RequestId) -> Option<Reply> {
        self.replies.remove(&request)
    }

    pub(crate) fn error(&mut self, request: RequestId) -> ApiError {
        match self.reply(request) {
            Some(Reply::Error(error)) => error,
            other => panic!("no error: {other:?}"),
        }
    }

    pub(crate) fn ended(&mut self, request: RequestId) -> EndedRun {
        match self.reply(request) {
            Some(Reply::Ended(ended)) => *ended,
            other => panic!("not ended: {other:?}"),
        }
    }

    pub(crate) fn runners(&mut self) -> Vec<RunnerInfo> {
        let request = RequestId(self.id());
        self.tell(Input::Runners { request, namespace: "default".into() });
        match self.reply_now(request) {
            Reply::Runners(runners) => runners,
            other => panic!("no runners: {other:?}"),
        }
    }

    fn reply_now(&mut self, request: RequestId) -> Reply {
        self.settle();
        self.reply(request).unwrap()
    }

    pub(crate) fn busy(&mut self) -> u32 {
        self.runners().iter().map(|runner| runner.busy).sum()
    }

    // The store.

    pub(crate) fn journal(&self, run: RunId) -> Vec<u8> {
        self.store.load(run).unwrap().unwrap_or_default()
    }

    /// The status of a run as it is stored.
    pub(crate) fn status(&self, run: RunId) -> String {
        View::of(run, &self.journal(run)).unwrap().status.to_string()
    }

    /// The names of the records of a run's journal.
    pub(crate) fn records(&self, run: RunId) -> Vec<String> {
        let text = String::from_utf8(self.journal(run)).unwrap();
        let list: Vec<Value> =
            serde_json::from_str(&format!("[{}]", text.trim_end_matches(','))).unwrap();
        let name = |record: &Value| record.as_object().unwrap().keys().next().unwrap().clone();
        list.iter().map(name).collect()
    }

    /// Nothing is left behind: no run in memory, no slot taken.
    pub(crate) fn assert_at_rest(&mut self) {
        self.settle();
        assert_eq!(self.busy(), 0, "a slot is still taken: {:?}", self.runners());
        assert_eq!(self.node.stats().hot, 0, "a run is still in memory");
    }
}

// What runners say.

pub(crate) fn open(kind: &str) -> Value {
    serde_json::json!({ "kind": kind, "after": 0, "agoUs": 0 })
}

/// A function returned.
pub(crate) fn ended(a: &Value, step: &str) -> Value {
    serde_json::json!({ "ended": {
        "a": a, "step": step, "n": 1, "startedAgoUs": 0, "endedAgoUs": 0, "output": 1,
        "open": open("run"),
    } })
}

/// The attempt of a function failed.
pub(crate) fn failed(a: &Value, step: &str, n: u32) -> Value {
    serde_json::json!({ "ended": {
        "a": a, "step": step, "n": n, "startedAgoUs": 0, "endedAgoUs": 0,
        "error": { "name": "Oops", "message": "it broke" },
        "retry": { "jitter": false }, "open": open("run"),
    } })
}

pub(crate) fn sleep(a: &Value, step: &str, ms: u64) -> Value {
    let us = ms * 1_000;
    serde_json::json!({ "sleep": { "a": a, "step": step, "forUs": us, "open": open("sleep") } })
}

pub(crate) fn idle(a: &Value) -> Value {
    serde_json::json!({ "idle": { "a": a } })
}

pub(crate) fn released(a: &Value, seen: u32) -> Value {
    serde_json::json!({ "released": { "a": a, "seen": seen } })
}

pub(crate) fn finished(a: &Value) -> Value {
    serde_json::json!({ "finished": { "a": a, "output": "done" } })
}
