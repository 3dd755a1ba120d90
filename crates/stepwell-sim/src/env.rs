//! What every part of a simulation shares: time, what is to come, what was observed.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::fmt::Arguments;

use stepwell_core::id::RunId;
use stepwell_core::status::Kind;
use stepwell_core::step_id;
use stepwell_node::SessionId;

use crate::calls::{Calls, Progress};
use crate::clock::Micros;
use crate::fault::{Fault, Kinds, Table};
use crate::flight::Flight;
use crate::history::{Answer, Asked, Call, Fact, Held, History, Node, Process, Request};
use crate::net::{Net, Way};
use crate::plan::Plan;
use crate::planted::Bug;
use crate::program::{Topic, TryEnd};
use crate::rng::Rng;
use crate::server::{Database, Ledger, Step};
use crate::trace::Trace;

/// Something that happens at a moment.
#[derive(Debug)]
pub(crate) enum Event {
    /// A connection reaches the node.
    Reaches(SessionId),
    /// The node let a runner in.
    LetIn(SessionId),
    /// A frame arrives.
    Frame {
        /// On which connection.
        on: SessionId,
        /// Which way.
        way: Way,
        /// When it was sent.
        sent: Micros,
        /// The frame.
        bytes: Vec<u8>,
    },
    /// One side learns that a connection is closed; the way is that of the news.
    Closed(SessionId, Way),
    /// A node looks at what came.
    NodeWakes(Node),
    /// The store has done the oldest thing that it was asked for in this life of the node.
    StoreDone(Node, u32),
    /// The node's process begins.
    NodeBegins(Node),
    /// The node's process goes on.
    NodeGoesOn(Node),
    /// The node's process ends in order.
    NodeStops(Node),
    /// What the node was at when it failed is over.
    NodeHalts(Node),
    /// The store folds.
    Folds,
    /// A runner's process looks at its timers.
    ProcessWakes(Process),
    /// A process of a named runner begins.
    ProcessBegins(usize),
    /// A runner's process goes on.
    ProcessGoesOn(Process),
    /// A runner's process that was told to stop has had its time.
    ProcessLeaves(Process),
    /// A function ends.
    CallEnds(Call),
    /// A client sends its next request.
    ClientActs(u64),
    /// A client sends an event about this.
    SaysBack(Topic),
    /// A request reaches a node.
    Asks(Node, Request, Box<Asked>, bool),
    /// An answer reaches its client.
    Answered(Request, Box<Answer>),
    /// A client gives up waiting.
    GivesUp(Request),
    /// Something goes wrong.
    GoesWrong,
    /// Nothing goes wrong any more.
    Heals,
    /// The disk has room again.
    DiskHasRoom,
    /// A backup is made.
    BacksUp,
    /// The server is lost, and another begins with a backup of it.
    ServerLost,
    /// Somebody lets the runs of a restored server go.
    LetsGo,
    /// The node's memory is looked at.
    Measured,
    /// A node renews its lease, in one of its lives.
    Renews(Node, u32, Step),
    /// A node frees what belongs to nodes that are gone, in one of its lives.
    Keeps(Node, u32),
    /// The database does what it was to do late.
    DatabaseMoves,
    /// A standby takes over that lags behind.
    StandbyTakesOver,
}

#[derive(Debug)]
struct Scheduled {
    at: Micros,
    number: u64,
    event: Event,
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.number) == (other.at, other.number)
    }
}

impl Eq for Scheduled {}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

/// What every part of a simulation shares.
pub(crate) struct Env {
    /// True time.
    pub now: Micros,
    /// What the seed chose.
    pub plan: Plan,
    /// What was observed.
    pub history: History,
    /// What went wrong.
    pub table: Table,
    /// What happened.
    pub trace: Trace,
    /// Connections.
    pub net: Net,
    /// Functions in progress.
    pub calls: Calls,
    /// Steps in flight.
    pub flight: Flight,
    /// Which runs there are.
    pub ledger: Ledger,
    /// The database that several nodes share.
    pub database: Database,
    /// Until when nothing comes to a node, or from it.
    pub apart: HashMap<Node, Micros>,
    /// What a node does that does not know what has become of its store is not noted.
    pub unheard: bool,
    /// How many batches nodes gave out.
    pub batches: u32,
    /// What the node calls which activation on which connection.
    pub handles: HashMap<(SessionId, u32), Held>,
    /// The activations that runs were last given out under.
    pub last_given: HashMap<RunId, Held>,
    /// Randomness of delays and the like.
    pub rng: Rng,
    /// The bug that is planted, if one is.
    pub bug: Bug,
    /// Processes whose code no longer kills them.
    pub cured: BTreeSet<Process>,
    /// Things go wrong.
    pub chaos: bool,
    /// How many commands the node was given.
    pub commands: u64,
    queue: BinaryHeap<Reverse<Scheduled>>,
    number: u64,
}

/// The stream that delays are drawn from.
const STREAM: u64 = 3;

impl Env {
    /// Makes what a simulation begins with.
    pub(crate) fn new(seed: u64, plan: Plan, trace: Trace, bug: Bug) -> Self {
        Self {
            now: 0,
            plan,
            history: History::default(),
            table: Table::default(),
            trace,
            net: Net::default(),
            calls: Calls::default(),
            flight: Flight::default(),
            ledger: Ledger::default(),
            database: Database::new(),
            apart: HashMap::new(),
            unheard: false,
            batches: 0,
            handles: HashMap::new(),
            last_given: HashMap::new(),
            rng: Rng::new(seed, STREAM),
            bug,
            cured: BTreeSet::new(),
            chaos: true,
            commands: 0,
            queue: BinaryHeap::new(),
            number: 0,
        }
    }

    /// Lets something happen after a time.
    pub(crate) fn after(&mut self, delay: Micros, event: Event) {
        self.at(self.now + delay, event);
    }

    /// Lets something happen at a time.
    pub(crate) fn at(&mut self, at: Micros, event: Event) {
        self.number += 1;
        self.queue.push(Reverse(Scheduled { at: at.max(self.now), number: self.number, event }));
    }

    /// Moves time to what happens next.
    pub(crate) fn next(&mut self) -> Option<Event> {
        let Reverse(next) = self.queue.pop()?;
        self.now = next.at;
        self.trace.numbers(&[next.at, next.number]);
        Some(next.event)
    }

    /// Returns the node that somebody connects to, or asks.
    pub(crate) fn any_node(&mut self) -> Node {
        match self.plan.nodes {
            1 => Node(0),
            nodes => Node(self.rng.place(nodes)),
        }
    }

    /// Tells whether nothing comes to a node, or from it.
    pub(crate) fn is_apart(&self, node: Node) -> bool {
        self.apart.get(&node).is_some_and(|until| self.now < *until)
    }

    /// Notes a fact.
    pub(crate) fn fact(&mut self, fact: Fact) {
        self.fact_later(0, fact);
    }

    /// Notes a fact that comes true a little later, at the end of what is being done.
    pub(crate) fn fact_later(&mut self, lag: Micros, fact: Fact) {
        if !self.unheard {
            self.history.add(self.now + lag, fact);
        }
    }

    /// Notes that what there is to do waits so long, for a disk that opens slowly.
    pub(crate) fn stands_still(&mut self, lag: Micros) {
        self.fact(Fact::StoodStill);
        self.fact_later(lag, Fact::WentOn);
    }

    /// Notes a line to read.
    pub(crate) fn line(&mut self, text: Arguments<'_>) {
        self.trace.line(self.now, text);
    }

    /// Notes a fault, with the kinds of the steps that it met.
    pub(crate) fn fault(&mut self, fault: Fault, kinds: Kinds) {
        self.table.count(fault, kinds);
        self.trace.numbers(&[fault as u64]);
        self.trace.line(self.now, format_args!("!! {fault:?}"));
    }

    /// Notes a fault that concerns a process, or all of them.
    pub(crate) fn fault_at(&mut self, fault: Fault, process: Option<Process>) {
        let kinds = self.flight.kinds(process);
        self.fault(fault, kinds);
    }

    /// Sends a frame, `late` from now.
    pub(crate) fn send(&mut self, on: SessionId, way: Way, bytes: Vec<u8>, late: Micros) {
        let delay = late + self.plan.delay(&mut self.rng);
        self.trace.bytes(&bytes);
        if let Some(at) = self.net.arrival(on, way, self.now, delay) {
            let sent = self.now;
            self.at(at, Event::Frame { on, way, sent, bytes });
        }
    }

    /// Closes one side of a connection; the other learns of it behind all that was sent.
    pub(crate) fn close(&mut self, on: SessionId, way: Way) {
        let delay = self.plan.delay(&mut self.rng);
        let Some(connection) = self.net.get(on) else { return };
        match way {
            Way::Up => connection.runner_side = false,
            Way::Down => connection.node_side = false,
        }
        if let Some(at) = self.net.arrival(on, way, self.now, delay) {
            self.at(at, Event::Closed(on, way));
        }
        self.net.tidy(on);
    }

    /// Begins a call of a function. Returns its name.
    pub(crate) fn begin(
        &mut self,
        mut progress: Progress,
        n: u32,
        grant: Micros,
        due: Micros,
    ) -> Call {
        if progress.does.end == TryEnd::Kills && self.cured.contains(&progress.process) {
            progress.does.end = TryEnd::Value(3);
        }
        let (by, held, step) = (progress.process, progress.held, progress.step.clone());
        let ends = progress.ends;
        let call = self.calls.begin(progress);
        self.flight.begin(by, held.run, &step, kind_of(&step));
        self.line(format_args!("{by:?} begins {} of {} (attempt {n}, {call:?})", step, held.run));
        self.fact(Fact::Began { call, by, held, step, n, grant, due });
        self.at(ends, Event::CallEnds(call));
        call
    }

    /// Gives a function its signal; it may take a moment to see it.
    pub(crate) fn signal(&mut self, call: Call) {
        let at = self.now + self.rng.spread(1, 2_000);
        if let Some(at) = self.calls.signal(call, at) {
            self.at(at, Event::CallEnds(call));
        }
    }
}

/// Returns the kind of a step that has a function.
fn kind_of(step: &str) -> Kind {
    let made = [Kind::Compensate, Kind::OnFailure];
    made.into_iter().find(|kind| step_id::check(*kind, step).is_ok()).unwrap_or(Kind::Run)
}
