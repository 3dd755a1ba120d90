//! The node, a process, and the time between them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::run::Run;
use stepwell_core::time::Timestamp;
use stepwell_node::{
    About, Config, Input, Reply, RequestId, SendRequest, SessionId, Signed, StartRequest,
};

use super::host::{Host, Said};
use super::process::{Link, Process};
use super::runtime::{Bell, Runtime, Virtual};
use super::watch::{CrashAt, Watcher};
use crate::app::App;
use crate::error::{Error, Result};
use crate::handler::Handlers;
use crate::moment::{Clock, Moment};
use crate::session::{Identity, Session};

/// The namespace of everything.
pub(super) const NAMESPACE: &str = "default";

/// The process's clock begins here: instants before it are needed.
pub(super) const ORIGIN: Moment = Moment::from_micros(3_600_000_000);

/// Engine time at that moment: 2026-01-01, in microseconds since the Unix epoch.
const BEGIN_US: i64 = 1_767_225_600_000_000;

/// A process that holds nothing is not connected during gaps that are longer than this: nobody
/// exchanges pings then.
const GAP: Duration = Duration::from_secs(3);

/// Most virtual time for a take-over; the node gives runs away 10 s after it last heard of a process.
const TAKE_OVER: Duration = Duration::from_mins(1);

/// How often something may happen at one instant before it is taken for endless.
const ROUNDS_MAX: u32 = 1_000_000;

/// How long functions in progress are waited for, in real time, unless the test says otherwise.
const PATIENCE: Duration = Duration::from_secs(1);

/// The node, a process, and the time between them.
#[derive(Debug)]
pub(super) struct World {
    clock: Arc<Virtual>,
    pub(super) host: Host,
    identity: Identity,
    handlers: HandlersOf,
    process: Process,
    pub(super) watcher: Arc<Watcher>,
    runtime: Arc<Runtime>,
    bell: Arc<Bell>,
    pub(super) patience: Duration,
    /// Functions in progress are still waited for.
    patient: bool,
    next_id: u64,
    processes: u64,
    replies: BTreeMap<RequestId, Reply>,
    /// Runs of a process that died, which no other one has yet.
    orphans: BTreeSet<RunId>,
    /// Time that went by until runs of dead processes were taken over.
    taking_over: Duration,
    /// Why nothing moves any more.
    pub(super) fault: Option<String>,
}

/// Handlers, which have nothing to show.
struct HandlersOf(Handlers);

impl std::fmt::Debug for HandlersOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handlers")
    }
}

impl World {
    pub(super) fn new(app: App, watcher: Arc<Watcher>) -> Result<Self> {
        let (identity, handlers) = app.into_parts(String::new())?;
        let clock = Arc::new(Virtual::new(ORIGIN));
        let (runtime, bell) = (Arc::new(Runtime::new()?), Arc::new(Bell::default()));
        // The same test draws the same ids.
        let config = Config { seed: [7; 32], ..Config::default() };
        let host = Host::new(config, Timestamp::from_micros(BEGIN_US));
        let session = Session::watched(
            (Identity { instance: "process-1".into(), ..identity.clone() }, handlers.clone()),
            clock.clone(),
            runtime.clone(),
            watcher.clone(),
        );
        let process = Process::new(session, "process-1".into(), bell.clone());
        let mut world = Self {
            clock,
            host,
            identity,
            handlers: HandlersOf(handlers),
            process,
            watcher,
            runtime,
            bell,
            patience: PATIENCE,
            patient: true,
            next_id: 0,
            processes: 1,
            replies: BTreeMap::new(),
            orphans: BTreeSet::new(),
            taking_over: Duration::ZERO,
            fault: None,
        };
        world.settle();
        world.check()?;
        Ok(world)
    }

    /// Returns why nothing moves any more, if that is so.
    pub(super) fn check(&self) -> Result<()> {
        match &self.fault {
            Some(why) => {
                Err(Error::connection(format!("the test's node and process stopped: {why}")))
            }
            None => Ok(()),
        }
    }

    /// Returns engine time.
    pub(super) fn now(&self) -> Timestamp {
        let since = self.clock.now().since(ORIGIN);
        Timestamp::from_micros(BEGIN_US).after(since)
    }

    fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    // Requests.

    pub(super) fn start(&mut self, start: StartRequest) -> Result<RunId> {
        self.check()?;
        let request = RequestId(self.id());
        self.tell(Input::Start { request, start: Box::new(start) });
        let reply = self.replies.remove(&request);
        if let Some(Reply::Started { run, .. }) = &reply {
            self.watcher.on_start(*run);
        }
        self.settle();
        match reply {
            Some(Reply::Started { run, .. }) => Ok(run),
            other => Err(refused("start", other)),
        }
    }

    pub(super) fn cancel(&mut self, run: RunId, reason: Option<String>) -> Result<()> {
        self.check()?;
        let request = RequestId(self.id());
        let about = About { request, namespace: Arc::from(NAMESPACE), run };
        self.tell(Input::Cancel { about, signed: Signed { reason, ..Signed::default() } });
        let reply = self.replies.remove(&request);
        self.settle();
        match reply {
            Some(Reply::Acted { .. }) => Ok(()),
            other => Err(refused("cancel", other)),
        }
    }

    pub(super) fn send(&mut self, send: SendRequest) -> Result<String> {
        self.check()?;
        let request = RequestId(self.id());
        self.tell(Input::Send { request, send: Box::new(send) });
        let reply = self.replies.remove(&request);
        self.settle();
        match reply {
            Some(Reply::Sent(sent)) => Ok(sent.id.to_string()),
            other => Err(refused("event", other)),
        }
    }

    // The node.

    fn tell(&mut self, input: Input<'_>) {
        let now = self.now();
        self.host.tell(input, now);
        while let Some(said) = self.host.said() {
            match said {
                Said::Send { session, frame } => {
                    self.watcher.on_said(&frame);
                    if let Some(link) = self.process.link.as_mut().filter(|one| one.id == session) {
                        link.down.push_back(frame);
                    }
                }
                Said::Close { session, reason } => {
                    if self.process.link.as_ref().is_some_and(|link| link.id == session) {
                        self.process.link = None;
                        self.process.session.on_disconnected();
                        self.fault.get_or_insert(reason);
                    }
                }
                Said::Reply { request, reply } => {
                    self.replies.insert(request, reply);
                }
                Said::Begun(run) => self.watcher.on_start(run),
                Said::Broken(why) => {
                    self.fault.get_or_insert(why);
                }
            }
        }
    }

    // The process.

    fn connect(&mut self) {
        let id = SessionId(self.id());
        self.process.session.on_connected(self.clock.now());
        self.process.link = Some(Link { id, down: std::collections::VecDeque::new() });
        self.tell(Input::Connected { session: id, namespace: Arc::from(NAMESPACE) });
    }

    fn hang_up(&mut self) {
        if let Some(link) = self.process.link.take() {
            self.process.session.on_disconnected();
            self.tell(Input::Disconnected { session: link.id });
        }
    }

    /// The process dies, and another one takes its place.
    pub(super) fn kill(&mut self) {
        self.watcher.bury();
        let instance = self.process.instance.clone();
        self.processes += 1;
        let next = format!("process-{}", self.processes);
        let identity = Identity { instance: next.clone(), ..self.identity.clone() };
        let session = Session::watched(
            (identity, self.handlers.0.clone()),
            self.clock.clone(),
            self.runtime.clone(),
            self.watcher.clone(),
        );
        let process = Process::new(session, next, self.bell.clone());
        let dead = std::mem::replace(&mut self.process, process);
        let link = dead.link.as_ref().map(|link| link.id);
        {
            let _inside = self.runtime.handle().enter();
            drop(dead);
        }
        if let Some(session) = link {
            self.tell(Input::Disconnected { session });
        }
        let mut held = self.watcher.runs();
        held.retain(|run| self.is_held_by(*run, &instance));
        self.orphans.extend(held);
    }

    fn is_held_by(&self, run: RunId, instance: &str) -> bool {
        let journal = self.host.journal(run).ok().flatten().unwrap_or_default();
        let run = Run::replay(run, &journal).ok();
        run.and_then(|run| run.activation().map(|held| *held.instance == *instance)) == Some(true)
    }

    /// Lets the process do what it can, once; tells whether something happened.
    fn turn(&mut self) -> bool {
        let now = self.clock.now();
        if self.process.link.is_none() {
            self.connect();
        }
        self.process.session.on_time(now);
        let mut moved = {
            let _inside = self.runtime.handle().enter();
            self.process.poll()
        };
        self.patient |= moved;
        if self.watcher.is_struck() {
            self.kill();
            return true;
        }
        while let Some(frame) = self.process.session.next_frame() {
            moved = true;
            let dies = self.watcher.on_sent(&frame);
            if let Some(session) = self.process.link.as_ref().map(|link| link.id) {
                self.tell(Input::Frame { session, bytes: &frame });
            }
            if dies {
                self.kill();
                return true;
            }
        }
        while let Some(frame) = self.process.link.as_mut().and_then(|link| link.down.pop_front()) {
            moved = true;
            if let Err(fault) = self.process.session.on_frame(&frame, now) {
                self.fault.get_or_insert_with(|| fault.to_string());
            }
            if self.watcher.on_came(&frame) {
                self.kill();
                return true;
            }
        }
        moved
    }

    // Time.

    /// Lets everything happen that needs no time.
    fn settle_now(&mut self) {
        for _ in 0..ROUNDS_MAX {
            if self.fault.is_some() {
                return;
            }
            let rung = self.bell.rung();
            if self.turn() {
                continue;
            }
            if self.host.next_tick().is_some_and(|at| at <= self.now()) {
                self.tell(Input::Tick);
                continue;
            }
            if !self.patient || !self.process.is_calling() {
                return;
            }
            // What hangs is waited for once, not again before something of it moves.
            self.patient = self.bell.wait(rung, self.patience);
        }
        self.fault = Some(format!("what happens at {} does not end", self.now()));
    }

    /// Lets everything happen that needs no time, but for what a take-over takes.
    pub(super) fn settle(&mut self) {
        self.settle_now();
        let begun = self.now();
        while !self.orphans.is_empty() && self.fault.is_none() {
            let now = self.now();
            if now.since(begun) > TAKE_OVER {
                let left: Vec<String> = self.orphans.iter().map(ToString::to_string).collect();
                self.fault = Some(format!("nobody took over {}", left.join(", ")));
                return;
            }
            self.step(begun.after(TAKE_OVER + GAP));
            let dead = |run: &RunId| {
                let current = format!("process-{}", self.processes);
                let journal = self.host.journal(*run).ok().flatten().unwrap_or_default();
                let held = Run::replay(*run, &journal).ok();
                held.and_then(|run| run.activation().map(|held| *held.instance != *current))
                    .unwrap_or(false)
            };
            let left: BTreeSet<RunId> =
                self.orphans.iter().copied().filter(|run| dead(run)).collect();
            self.orphans = left;
            self.taking_over += self.now().since(now);
        }
    }

    /// Lets time pass until the next thing is due, at most until `target`, and lets it happen.
    fn step(&mut self, target: Timestamp) {
        let (now, gap) = (self.now(), target.since(self.now()));
        if gap > GAP && self.orphans.is_empty() && self.process.session.held() == 0 {
            // Nobody needs the connection, and pings would be all that happens for days.
            self.hang_up();
        }
        let tick = match self.process.link {
            Some(_) => self.host.next_tick(),
            None => self.host.next_timer(),
        };
        let tick = tick.unwrap_or(Timestamp::MAX);
        let session = self.process.session.next_deadline().filter(|_| self.process.link.is_some());
        let next = moment(tick.min(target)).min(session.unwrap_or(Moment::MAX));
        // Everything due now has happened: at least the smallest time passes.
        let next = next.max(moment(now).after(Duration::from_micros(1)));
        self.clock.set(next);
        self.tell(Input::Tick);
        self.settle_now();
    }

    /// Lets time pass; everything due meanwhile happens in order.
    pub(super) fn advance(&mut self, time: Duration) {
        self.settle();
        let begun = self.now();
        let before = self.taking_over;
        while self.fault.is_none() {
            // Time that a take-over took comes on top.
            let target = begun.after(time).after(self.taking_over.saturating_sub(before));
            if self.now() >= target {
                break;
            }
            self.step(target);
            self.settle();
        }
    }

    /// Kills the process where a trap says so.
    pub(super) fn trap(&self, at: CrashAt, step: &str) {
        let trap = super::watch::Trap { at, step: Arc::from(step), run: None, attempt: None };
        self.watcher.trap(trap);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _inside = self.runtime.handle().enter();
        // Values that code holds may need tokio as they are dropped.
        self.process.session.close();
        self.process.drop_runs();
    }
}

/// Returns the instant of the process's clock.
fn moment(at: Timestamp) -> Moment {
    ORIGIN.after(at.since(Timestamp::from_micros(BEGIN_US)))
}

/// Why a request was not done.
fn refused(what: &str, reply: Option<Reply>) -> Error {
    match reply {
        Some(Reply::Error(error)) => Error::refused(
            error.code.as_str(),
            format!("{}: {}", error.code.as_str(), error.detail),
        ),
        Some(other) => Error::connection(format!("the {what} was answered with {other:?}")),
        None => Error::connection(format!("the {what} was not answered")),
    }
}
