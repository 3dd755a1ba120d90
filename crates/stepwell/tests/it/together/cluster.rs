//! A node, runners, and what lies between them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use stepwell::sim::{Blocking, Clock, Fault, Moment, Run, Session, session};
use stepwell::test::host::{Host, Said};
use stepwell::{App, RunId, RunStatus, Timestamp};
use stepwell_core::code::Code;
use stepwell_node::{
    About, Begin, Config, EndedRun, Input, Reply, RequestId, SessionId, Signed, StartRequest,
};

use super::flows::{Block, Done, expected, flow};
use super::ledger::Ledger;

#[derive(Default)]
struct Time(AtomicU64);

impl Clock for Time {
    fn now(&self) -> Moment {
        Moment::from_micros(self.0.load(Ordering::SeqCst))
    }
}

type Function = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Threads(Mutex<VecDeque<Function>>);

impl Blocking for Threads {
    fn spawn(&self, function: Function) {
        self.0.lock().unwrap().push_back(function);
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A process that runs code.
struct Process {
    session: Session,
    threads: Arc<Threads>,
    runs: Vec<(Pin<Box<Run>>, Arc<Flag>)>,
    link: Option<Link>,
    /// Until then nothing of it moves, as if it were stopped.
    stalled_until: u64,
}

/// A connection, with the frames that are on their way.
struct Link {
    id: SessionId,
    up: VecDeque<Vec<u8>>,
    down: VecDeque<Vec<u8>>,
}

fn mix(word: u64) -> u64 {
    let mut z = word;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn engine_time(clock: &Time) -> Timestamp {
    let micros = clock.0.load(Ordering::SeqCst);
    Timestamp::from_micros(1_700_000_000_000_000 + i64::try_from(micros).unwrap())
}

/// Each node draws otherwise than those before.
fn config(node: u8) -> Config {
    Config { seed: [node; 32], ..Config::default() }
}

/// Everything that takes part.
pub(super) struct Cluster {
    rng: u64,
    clock: Arc<Time>,
    host: Host,
    nodes: u8,
    processes: Vec<Process>,
    ledger: Arc<Ledger>,
    next_id: u64,
    kills: u32,
    started: BTreeMap<RequestId, Vec<Block>>,
    runs: BTreeMap<RunId, Vec<Block>>,
    cancelled: Vec<RunId>,
    ended: BTreeMap<RunId, EndedRun>,
}

const RUNS: usize = 25;
const KILLS_MAX: u32 = 4;

impl Cluster {
    pub(super) fn new(seed: u64) -> Self {
        let clock = Arc::new(Time(AtomicU64::new(3_600_000_000)));
        let mut cluster = Self {
            rng: mix(seed),
            host: Host::new(config(1), engine_time(&clock)),
            clock,
            nodes: 1,
            processes: Vec::new(),
            ledger: Arc::default(),
            next_id: 1,
            kills: 0,
            started: BTreeMap::new(),
            runs: BTreeMap::new(),
            cancelled: Vec::new(),
            ended: BTreeMap::new(),
        };
        for _ in 0..2 {
            let process = cluster.process();
            cluster.processes.push(process);
        }
        cluster
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.rng = self.rng.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.rng) % below
    }

    fn now_us(&self) -> u64 {
        self.clock.0.load(Ordering::SeqCst)
    }

    fn engine_now(&self) -> Timestamp {
        engine_time(&self.clock)
    }

    fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    // The node.

    fn tell(&mut self, input: Input<'_>) {
        self.host.tell(input, self.engine_now());
        self.heed();
    }

    /// Does what the node said.
    fn heed(&mut self) {
        while let Some(said) = self.host.said() {
            match said {
                Said::Begun(_) => {}
                Said::Send { session, frame } => {
                    if let Some(link) = self.link(session) {
                        link.down.push_back(frame);
                    }
                }
                Said::Close { session, reason } => {
                    assert!(!reason.contains("SW3001"), "{reason}");
                    self.cut(session);
                }
                Said::Reply { request, reply } => self.replied(request, reply),
                Said::Broken(why) => panic!("the node gives up: {why}"),
            }
        }
    }

    fn replied(&mut self, request: RequestId, reply: Reply) {
        match reply {
            Reply::Started { run, .. } => {
                if let Some(blocks) = self.started.remove(&request) {
                    self.runs.insert(run, blocks);
                }
            }
            Reply::Ended(ended) => {
                self.ended.insert(ended.run, *ended);
            }
            Reply::Error(error) => {
                // No runner was there yet. A cancel after the end is no error.
                assert!(self.started.remove(&request).is_some(), "{error:?}");
                assert_eq!(error.code, Code::UnknownWorkflow, "{error:?}");
            }
            Reply::Acted { .. }
            | Reply::Imported { .. }
            | Reply::Runners(_)
            | Reply::Sent(_)
            | Reply::Contended => {}
        }
    }

    fn restart_node(&mut self) {
        self.ledger.met("node restart");
        for at in 0..self.processes.len() {
            self.drop_link(at);
        }
        self.nodes += 1;
        self.host.reopen(config(self.nodes));
        self.heed();
    }

    // Connections.

    fn link(&mut self, session: SessionId) -> Option<&mut Link> {
        self.processes
            .iter_mut()
            .filter_map(|one| one.link.as_mut())
            .find(|link| link.id == session)
    }

    /// Ends a connection for its runner; the node knows already.
    fn cut(&mut self, session: SessionId) {
        let found = |one: &Process| one.link.as_ref().is_some_and(|link| link.id == session);
        if let Some(at) = self.processes.iter().position(found) {
            self.drop_link(at);
        }
    }

    fn drop_link(&mut self, at: usize) -> Option<SessionId> {
        let link = self.processes[at].link.take()?;
        self.processes[at].session.on_disconnected();
        Some(link.id)
    }

    fn disconnect(&mut self, at: usize) {
        if let Some(session) = self.drop_link(at) {
            self.ledger.met("lost connection");
            self.tell(Input::Disconnected { session });
        }
    }

    fn connect(&mut self, at: usize) {
        let id = SessionId(self.id());
        let now = self.clock.now();
        let process = &mut self.processes[at];
        process.session.on_connected(now);
        process.link = Some(Link { id, up: VecDeque::new(), down: VecDeque::new() });
        self.tell(Input::Connected { session: id, namespace: "default".into() });
    }

    // Processes.

    fn process(&mut self) -> Process {
        let instance = format!("i{}", self.id());
        let threads = Arc::new(Threads::default());
        let app = App::new("shop").data(LedgerOf(self.ledger.clone())).workflow(
            "flow",
            |ctx, ledger: stepwell::Data<LedgerOf>, blocks| {
                flow(ctx, stepwell::Data(ledger.0.0.clone()), blocks)
            },
        );
        let session = session(app, &instance, self.clock.clone(), threads.clone()).unwrap();
        Process { session, threads, runs: Vec::new(), link: None, stalled_until: 0 }
    }

    fn kill(&mut self, at: usize) {
        self.kills += 1;
        self.ledger.met("killed runner");
        self.disconnect(at);
        self.processes[at] = self.process();
    }

    /// Lets a process do what it can without waiting for anybody.
    fn turn(&mut self, at: usize) {
        let now = self.clock.now();
        let process = &mut self.processes[at];
        if process.stalled_until > now.as_micros() {
            return;
        }
        process.session.on_time(now);
        let silent = process.link.is_some() && process.session.check(now) == Err(Fault::Silent);
        for run in process.session.take_runs() {
            process.runs.push((Box::pin(run), Arc::new(Flag(AtomicBool::new(true)))));
        }
        process.runs.retain_mut(|(run, flag)| {
            if !flag.0.swap(false, Ordering::SeqCst) {
                return true;
            }
            let waker = Waker::from(flag.clone());
            run.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()
        });
        if let Some(link) = &mut process.link {
            while let Some(frame) = process.session.next_frame() {
                link.up.push_back(frame);
            }
        }
        if silent {
            self.disconnect(at);
        }
    }

    fn deliver_down(&mut self, at: usize) {
        let now = self.clock.now();
        let process = &mut self.processes[at];
        if process.stalled_until > now.as_micros() {
            return;
        }
        let Some(frame) = process.link.as_mut().and_then(|link| link.down.pop_front()) else {
            return;
        };
        process.session.on_frame(&frame, now).unwrap();
    }

    fn deliver_up(&mut self, at: usize) {
        let Some(link) = &mut self.processes[at].link else { return };
        let (session, Some(frame)) = (link.id, link.up.pop_front()) else { return };
        self.tell(Input::Frame { session, bytes: &frame });
    }

    fn run_blocking(&mut self, at: usize) {
        let function = self.processes[at].threads.0.lock().unwrap().pop_front();
        if let Some(function) = function {
            function();
        }
    }

    // What happens.

    fn start(&mut self) {
        let count = 1 + self.draw(7);
        let blocks: Vec<Block> = (0..count).map(|_| self.block()).collect();
        let request = RequestId(self.id());
        let input = serde_json::value::to_raw_value(&blocks).unwrap();
        self.started.insert(request, blocks);
        let start = Box::new(StartRequest {
            namespace: "default".into(),
            app: None,
            workflow: "flow".into(),
            input: Some(input),
            key: None,
            timeout: None,
            begin: Begin::Now,
            metadata: None,
            runner: None,
            search: stepwell_core::search::Attributes::new(),
            traceparent: None,
            wait: false,
        });
        self.tell(Input::Start { request, start });
    }

    fn block(&mut self) -> Block {
        match self.draw(12) {
            0 | 1 => Block::Run(0),
            2 | 3 => Block::Run(u32::try_from(self.draw(3)).unwrap()),
            4 => Block::Sleep(self.draw(2_500)),
            5 => Block::Skip,
            6 => Block::Fan(2 + u32::try_from(self.draw(5)).unwrap()),
            7 => Block::Race,
            8 => Block::Cut,
            9 => Block::Late,
            10 => Block::Blocking,
            _ => Block::Caught,
        }
    }

    fn pass(&mut self, us: u64) {
        self.clock.0.fetch_add(us, Ordering::SeqCst);
        while self.host.next_tick().is_some_and(|at| at <= self.engine_now()) {
            self.tell(Input::Tick);
        }
    }

    /// Does so many random things.
    pub(super) fn run(&mut self, actions: u32) {
        for _ in 0..actions {
            let at = usize::try_from(self.draw(2)).unwrap();
            match self.draw(1_000) {
                0..300 => self.deliver_down(at),
                300..600 => self.deliver_up(at),
                600..850 => self.turn(at),
                850..930 => {
                    let us = self.draw(20_000);
                    self.pass(us);
                }
                930..945 => {
                    let us = self.draw(1_200_000);
                    self.pass(us);
                }
                945..970 => self.run_blocking(at),
                970..980 if self.runs.len() + self.started.len() < RUNS => self.start(),
                980..986 => self.disconnect(at),
                986..988 if self.kills < KILLS_MAX => self.kill(at),
                988..990 => self.restart_node(),
                990..992 => {
                    self.ledger.met("stalled runner");
                    let us = self.draw(15_000_000);
                    self.processes[at].stalled_until = self.now_us() + us;
                }
                992..994 => self.cancel(),
                _ if self.processes[at].link.is_none() => self.connect(at),
                _ => {}
            }
        }
    }

    fn cancel(&mut self) {
        let Some((run, _)) = self.runs.iter().next_back() else { return };
        let run = *run;
        self.cancelled.push(run);
        let request = RequestId(self.id());
        let about = About { request, namespace: "default".into(), run };
        self.tell(Input::Cancel { about, signed: Signed::default() });
    }

    /// Ends all faults and lets every run end.
    pub(super) fn heal(&mut self) {
        let begun = self.now_us();
        let mut round = 0_u64;
        while self.ended.len() < self.runs.len() || round < 10 {
            round += 1;
            for at in 0..self.processes.len() {
                self.processes[at].stalled_until = 0;
                if self.processes[at].link.is_none() {
                    self.connect(at);
                }
                for _ in 0..20 {
                    self.turn(at);
                    self.deliver_up(at);
                    self.deliver_down(at);
                    self.run_blocking(at);
                }
            }
            self.pass(10_000);
            if round % 100 == 5 {
                self.wait_for_all();
            }
            let seconds = Duration::from_micros(self.now_us() - begun).as_secs();
            assert!(seconds < 300, "these do not end: {:?}", self.stuck());
        }
    }

    fn wait_for_all(&mut self) {
        let open: Vec<RunId> =
            self.runs.keys().filter(|run| !self.ended.contains_key(run)).copied().collect();
        for run in open {
            let request = RequestId(self.id());
            self.tell(Input::Wait { about: About { request, namespace: "default".into(), run } });
        }
    }

    fn stuck(&self) -> Vec<(RunId, String)> {
        let open = self.runs.keys().filter(|run| !self.ended.contains_key(run));
        let journal = |run: &RunId| self.host.journal(*run).unwrap().unwrap_or_default();
        open.map(|run| (*run, String::from_utf8_lossy(&journal(run)).into_owned())).collect()
    }

    /// Looks whether every run ended as it should.
    pub(super) fn judge(&mut self) {
        for (run, blocks) in &self.runs {
            let ended = &self.ended[run];
            if ended.status == RunStatus::Cancelled {
                assert!(self.cancelled.contains(run), "{run} was not cancelled by anybody");
                continue;
            }
            assert_eq!(ended.status, RunStatus::Completed, "{run}: {:?}", ended.error);
            let done: Done = serde_json::from_str(ended.output.as_ref().unwrap().get()).unwrap();
            assert_eq!(done.values.len(), blocks.len());
            for (at, (value, block)) in done.values.iter().zip(blocks).enumerate() {
                let wanted = expected(&run.to_string(), at, *block);
                assert!(wanted.contains(value), "{run} {block:?}: {value}, not one of {wanted:?}");
            }
        }
    }

    /// Returns how many runs completed, and which faults were met.
    pub(super) fn met(&self) -> (usize, BTreeSet<&'static str>) {
        let completed = |ended: &&EndedRun| ended.status == RunStatus::Completed;
        (self.ended.values().filter(completed).count(), self.ledger.sum().2)
    }

    pub(super) fn fingerprint(&self) -> String {
        let outputs =
            self.ended.values().map(|ended| (ended.run, ended.status, ended.output.clone()));
        format!("{:?} {:?}", self.ledger.sum(), outputs.collect::<Vec<_>>())
    }
}

/// The ledger, as the app is given it.
struct LedgerOf(Arc<Ledger>);
