//! The process: its connection, and polling its runs.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use serde_json::value::RawValue;
use stepwell::sim::{Blocking, Clock, Moment, Run, Session, session};
use stepwell::{App, NamedWait, Retry, WorkflowOptions};
use stepwell_node::SessionId;

use super::code::{told, workflow};
use super::desk::{Desk, Said, Slot};
use super::watch::Watch;
use crate::calls::Outcome;
use crate::history::{Call, Fact};
use crate::program::{Input, Saga, Topic};
use crate::runner::Port;
use crate::script::Who;

/// How long a connection may take to be made, in microseconds.
const PATIENCE: u64 = 5_000_000;

/// Where the connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Down { until: u64 },
    Calling { on: SessionId, since: u64 },
    Open { on: SessionId },
}

/// The clock of the process, set before anything of the SDK is called.
#[derive(Debug, Default)]
struct Hands(AtomicU64);

impl Clock for Hands {
    fn now(&self) -> Moment {
        Moment::from_micros(self.0.load(Ordering::Relaxed))
    }
}

/// Functions that block do so at once.
struct AtOnce;

impl Blocking for AtOnce {
    fn spawn(&self, function: Box<dyn FnOnce() + Send>) {
        function();
    }
}

/// A run is to be polled.
#[derive(Debug)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The process of a runner that is made with the SDK.
pub(crate) struct Sdk {
    session: Session,
    clock: Arc<Hands>,
    desk: Desk,
    watch: Watch,
    link: Link,
    runs: Vec<(Run, Arc<Flag>)>,
    slots: BTreeMap<Call, Slot>,
    failures: u32,
}

impl std::fmt::Debug for Sdk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sdk").field("session", &self.session).finish_non_exhaustive()
    }
}

impl Sdk {
    /// Makes a process that begins now.
    ///
    /// # Errors
    /// When the SDK does not accept the app.
    pub(crate) fn new(who: &Who, now: u64) -> stepwell::Result<Self> {
        let desk = Desk::default();
        let mut app = App::new(crate::server::APP)
            .runner(who.name.as_str())
            .build(who.build.as_str())
            .slots(who.slots);
        for name in &who.workflows {
            let desk = desk.clone();
            app = app.workflow(name.as_str(), move |ctx, input: Input| {
                workflow(desk.clone(), ctx, input)
            });
        }
        for topic in Topic::all() {
            let wanted = RawValue::from_string(topic.wanted()).ok();
            app = app.wait(NamedWait::new(topic.declared(), topic.event()).matching(wanted));
        }
        app = Saga::ALL.into_iter().fold(app, |app, saga| add_saga(app, saga, &desk));
        let clock = Arc::new(Hands::default());
        let session = session(app, &who.instance, clock.clone(), Arc::new(AtOnce))?;
        Ok(Self {
            session,
            clock,
            desk,
            watch: Watch::default(),
            link: Link::Down { until: now },
            runs: Vec::new(),
            slots: BTreeMap::new(),
            failures: 0,
        })
    }

    fn now(&self, port: &Port<'_>) -> Moment {
        self.clock.0.store(port.now(), Ordering::Relaxed);
        Moment::from_micros(port.now())
    }

    fn on(&self) -> Option<SessionId> {
        match self.link {
            Link::Down { .. } => None,
            Link::Calling { on, .. } | Link::Open { on } => Some(on),
        }
    }

    /// The node let the runner in.
    pub(crate) fn on_let_in(&mut self, on: SessionId, port: &mut Port<'_>) {
        if self.on() == Some(on) {
            let now = self.now(port);
            self.link = Link::Open { on };
            self.session.on_connected(now);
            self.pump(port);
        }
    }

    /// A frame came.
    pub(crate) fn on_bytes(&mut self, on: SessionId, bytes: &[u8], port: &mut Port<'_>) {
        if self.on() != Some(on) {
            return;
        }
        let now = self.now(port);
        self.watch.gets(bytes, port);
        if let Err(fault) = self.session.on_frame(bytes, now) {
            port.env.line(format_args!("{:?} hangs up: {fault}", port.process));
            self.hang_up(port);
        }
        self.pump(port);
    }

    /// The connection is closed.
    pub(crate) fn on_closed(&mut self, on: SessionId, port: &mut Port<'_>) {
        if self.on() == Some(on) {
            self.hang_up(port);
            self.pump(port);
        }
    }

    fn hang_up(&mut self, port: &mut Port<'_>) {
        if let Some(on) = self.on() {
            port.close(on);
        }
        self.failures = if self.session.is_welcome() { 0 } else { self.failures + 1 };
        let pause = (20_000 << self.failures.min(6)) + port.env.rng.below(50_000);
        self.link = Link::Down { until: port.now() + pause };
        self.session.on_disconnected();
    }

    /// A function ended.
    pub(crate) fn on_call_end(&mut self, call: Call, outcome: Outcome, port: &mut Port<'_>) {
        self.now(port);
        if let Some(slot) = self.slots.remove(&call) {
            slot.fill(outcome);
        }
        self.pump(port);
    }

    /// Gives all runs back as soon as that can be, and takes no more.
    pub(crate) fn drain(&mut self, port: &mut Port<'_>) {
        self.now(port);
        self.session.drain();
        self.pump(port);
    }

    /// Tells whether it holds nothing.
    pub(crate) fn is_empty(&mut self) -> bool {
        self.session.held() == 0
    }

    /// Looks at what is due.
    pub(crate) fn on_wake(&mut self, port: &mut Port<'_>) {
        let now = self.now(port);
        match self.link {
            Link::Down { until } if until <= port.now() => {
                self.link = Link::Calling { on: port.connect(), since: port.now() };
            }
            Link::Calling { since, .. } if since + PATIENCE <= port.now() => self.hang_up(port),
            Link::Open { .. } if self.session.check(now).is_err() => self.hang_up(port),
            _ => {}
        }
        self.session.on_time(now);
        self.pump(port);
    }

    /// Returns when to look again.
    pub(crate) fn wakes(&self) -> u64 {
        let link = match self.link {
            Link::Down { until } => until,
            Link::Calling { since, .. } => since + PATIENCE,
            Link::Open { .. } => u64::MAX,
        };
        let session = self.session.next_deadline().map_or(u64::MAX, Moment::as_micros);
        link.min(session)
    }

    /// Polls runs until none can go on, and sends what is to be sent.
    fn pump(&mut self, port: &mut Port<'_>) {
        loop {
            let now = self.now(port);
            self.session.on_time(now);
            let new = self.session.take_runs();
            let again = !new.is_empty();
            let flagged = new.into_iter().map(|run| (run, Arc::new(Flag(AtomicBool::new(true)))));
            self.runs.extend(flagged);
            if !self.poll_runs() && !again {
                break;
            }
            self.heed(port);
        }
        self.heed(port);
        while let Some(frame) = self.session.next_frame() {
            self.watch.sends(&frame, port.now());
            if let Link::Open { on } = self.link {
                let frame = port.repeat(on, frame);
                port.send(on, frame);
            }
        }
    }

    /// Polls the runs that want it; tells whether there was one.
    fn poll_runs(&mut self) -> bool {
        let mut any = false;
        self.runs.retain_mut(|(run, flag)| {
            if !flag.0.swap(false, Ordering::Relaxed) {
                return true;
            }
            any = true;
            let waker = Waker::from(flag.clone());
            Pin::new(run).poll(&mut Context::from_waker(&waker)) == Poll::Pending
        });
        any
    }

    /// Does what code said.
    fn heed(&mut self, port: &mut Port<'_>) {
        for said in self.desk.take() {
            match said {
                Said::Begins { run, step, n, does, slot } => {
                    let held = self.watch.held(run);
                    let due = self.watch.due(run, &step, n);
                    let call = port.begin((held, &step), (does, n), self.watch.grant(), due);
                    self.slots.insert(call, slot);
                }
                Said::Drops(dropped) => {
                    let call = self.slots.iter().find(|(_, slot)| slot.is(&dropped));
                    if let Some(call) = call.map(|(call, _)| *call) {
                        self.slots.remove(&call);
                        port.env.calls.forget(call);
                        port.env.fact(Fact::Over { call });
                    }
                }
                Said::TakesBack { run, step, by } => {
                    let held = self.watch.held(run);
                    port.env.line(format_args!("{:?} takes back {run} {step}", port.process));
                    port.env.fact(Fact::TakesBack { held, step, by });
                }
                Said::Told { run, completed, uncertain } => {
                    let held = self.watch.held(run);
                    port.env.fact(Fact::ToldFailure { held, completed, uncertain });
                }
                Said::Given { run, end } => {
                    let (by, held) = (port.process, self.watch.held(run));
                    port.env.line(format_args!("{by:?} gives {run} {} {:?}", end.step, end.status));
                    port.env.fact(Fact::Delivered { by, held, end });
                }
            }
        }
    }
}

/// Adds a workflow that says how its runs end.
fn add_saga(app: App, saga: Saga, desk: &Desk) -> App {
    let mut options = WorkflowOptions::new();
    if saga.on_failure {
        let desk = desk.clone();
        options = options.on_failure(move |ctx, failure| told(desk.clone(), ctx, failure));
    }
    if saga.on_cancel {
        options = options.compensate_on_cancel();
    }
    if saga.attempts > 1 {
        options = options.retry(Retry::constant(saga.attempts, "700ms"));
    }
    let desk = desk.clone();
    let code = move |ctx, input: Input| workflow(desk.clone(), ctx, input);
    app.workflow_with(saga.name(), code, options)
}
