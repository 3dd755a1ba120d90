//! A scripted node, a virtual clock, and an executor that does nothing by itself.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use serde_json::{Value, json};
use stepwell::App;
use stepwell::sim::{Blocking, Clock, Fault, Moment, Run, Session, session};

/// A run id in tests: 32 digits that are all the same.
pub(crate) const RUN: &str = "run_01930000000070008000000000000001";

/// Instants of the node in tests begin here.
pub(crate) const CREATED_AT_US: i64 = 1_000_000;

#[derive(Default)]
struct Time(AtomicU64);

impl Clock for Time {
    fn now(&self) -> Moment {
        Moment::from_micros(self.0.load(Ordering::SeqCst))
    }
}

type Function = Box<dyn FnOnce() + Send>;

/// Blocking functions wait here until the test lets them run.
#[derive(Default)]
struct Threads(Mutex<Vec<Function>>);

impl Blocking for Threads {
    fn spawn(&self, function: Function) {
        self.0.lock().unwrap().push(function);
    }
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

struct Polled {
    run: Pin<Box<Run>>,
    flag: Arc<Flag>,
}

/// A runner, its node and the time between them.
pub(crate) struct World {
    pub(crate) session: Session,
    clock: Arc<Time>,
    threads: Arc<Threads>,
    runs: Vec<Polled>,
    /// How often runs were polled.
    pub(crate) polls: usize,
    sent: Vec<Value>,
    /// Bytes and messages of the largest frame that was sent.
    pub(crate) largest: (usize, usize),
    ends: i64,
    /// Whether the node answers pings.
    pub(crate) pongs: bool,
}

impl World {
    /// A runner that is connected and welcome.
    pub(crate) fn new(app: App) -> Self {
        Self::with_welcome(app, &json!({}))
    }

    /// Another runner on the clock of this one.
    pub(crate) fn again(self, app: App) -> Self {
        Self::on(self.clock, app, &json!({}))
    }

    /// The same, with other terms.
    pub(crate) fn with_welcome(app: App, changes: &Value) -> Self {
        Self::on(Arc::new(Time(AtomicU64::new(1_000_000_000))), app, changes)
    }

    fn on(clock: Arc<Time>, app: App, changes: &Value) -> Self {
        let threads = Arc::new(Threads::default());
        let session = session(app, "i-1", clock.clone(), threads.clone()).unwrap();
        let mut world = Self {
            session,
            clock,
            threads,
            runs: Vec::new(),
            polls: 0,
            sent: Vec::new(),
            largest: (0, 0),
            ends: 0,
            pongs: true,
        };
        world.connect(changes);
        world
    }

    /// Makes a connection; the handshake is taken away.
    pub(crate) fn connect(&mut self, changes: &Value) -> Value {
        self.session.on_connected(self.clock.now());
        let hello = self.frames().remove(0);
        let mut welcome = json!({
            "server": "0.1.0", "pingMs": 1000, "ttlMs": 10000, "lingerMs": 1000,
            "graceMs": 30000, "payloadBytesMax": 4_194_304, "stepsMax": 10000,
            "branchesMax": 1000, "creditBytes": 1_000_000_000,
        });
        for (name, value) in changes.as_object().unwrap() {
            welcome[name] = value.clone();
        }
        self.send(json!({ "welcome": welcome }));
        hello["hello"].clone()
    }

    pub(crate) fn disconnect(&mut self) {
        self.session.on_disconnected();
    }

    fn frames(&mut self) -> Vec<Value> {
        let mut messages = Vec::new();
        while let Some(frame) = self.session.next_frame() {
            let read: Vec<Value> = serde_json::from_slice(&frame).unwrap();
            self.largest = self.largest.max((frame.len(), read.len()));
            messages.extend(read);
        }
        messages
    }

    /// Sends a message of the node and lets everything happen that it leads to.
    pub(crate) fn send(&mut self, message: Value) {
        self.try_send(&json!([message])).unwrap();
    }

    /// Sends a frame.
    pub(crate) fn try_send(&mut self, frame: &Value) -> Result<(), Fault> {
        let frame = frame.to_string();
        self.session.on_frame(frame.as_bytes(), self.clock.now())?;
        self.settle();
        Ok(())
    }

    /// Gives the runner the run [`RUN`] under handle 1.
    pub(crate) fn activate(&mut self, changes: Value) {
        self.activate_run(RUN, 1, changes);
    }

    pub(crate) fn activate_run(&mut self, run: &str, a: u32, changes: Value) {
        let mut activate = json!({
            "a": a, "run": run, "epoch": 1, "nonce": 7, "namespace": "default", "workflow": "w",
            "createdAtUs": CREATED_AT_US,
        });
        for (name, value) in changes.as_object().unwrap() {
            activate[name] = value.clone();
        }
        self.send(json!({ "activate": activate }));
    }

    /// Polls what is woken until nothing is.
    pub(crate) fn settle(&mut self) {
        loop {
            for run in self.session.take_runs() {
                let flag = Arc::new(Flag(AtomicBool::new(true)));
                self.runs.push(Polled { run: Box::pin(run), flag });
            }
            let mut woken = false;
            let polls = &mut self.polls;
            self.runs.retain_mut(|one| {
                if !one.flag.0.swap(false, Ordering::SeqCst) {
                    return true;
                }
                woken = true;
                *polls += 1;
                let waker = Waker::from(one.flag.clone());
                one.run.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()
            });
            if !woken {
                break;
            }
        }
        for message in self.frames() {
            if let Some(ping) = message.get("ping") {
                if self.pongs {
                    let pong = json!([{ "pong": { "k": ping["k"] } }]).to_string();
                    self.session.on_frame(pong.as_bytes(), self.clock.now()).unwrap();
                }
            } else {
                self.sent.push(message);
            }
        }
    }

    /// Takes what the runner has said, pings left out.
    pub(crate) fn take(&mut self) -> Vec<Value> {
        self.settle();
        std::mem::take(&mut self.sent)
    }

    /// Takes what the runner has said, each message in a word or two.
    pub(crate) fn told(&mut self) -> Vec<String> {
        self.take().iter().map(brief).collect()
    }

    /// Lets time pass, stopping at every deadline on the way.
    pub(crate) fn advance(&mut self, duration: Duration) {
        let end = self.clock.now().after(duration);
        loop {
            self.settle();
            let next = self.session.next_deadline().filter(|next| *next <= end);
            let Some(next) = next else { break };
            let next = next.max(self.clock.now());
            self.clock.0.store(next.as_micros(), Ordering::SeqCst);
            self.session.on_time(next);
            if self.session.check(next).is_err() {
                break;
            }
        }
        self.clock.0.store(end.as_micros(), Ordering::SeqCst);
        self.settle();
    }

    pub(crate) fn advance_ms(&mut self, ms: u64) {
        self.advance(Duration::from_millis(ms));
    }

    /// Lets time pass without the session knowing, as while a thread is held.
    pub(crate) fn hold_ms(&mut self, ms: u64) {
        self.clock.0.fetch_add(ms * 1_000, Ordering::SeqCst);
    }

    /// A clock for code under test.
    pub(crate) fn clock(&self) -> impl Fn(u64) + Send + Sync + Clone + 'static {
        let clock = self.clock.clone();
        move |ms| {
            clock.0.fetch_add(ms * 1_000, Ordering::SeqCst);
        }
    }

    /// The node says that a step completed.
    pub(crate) fn settled(&mut self, step: &str) {
        self.settled_as(step, json!({}));
    }

    /// The node says how a step ended.
    pub(crate) fn settled_as(&mut self, step: &str, changes: Value) {
        self.ends += 1;
        let at_us = CREATED_AT_US + self.ends * 1_000;
        let mut settled = json!({ "a": 1, "step": step, "atUs": at_us });
        for (name, value) in changes.as_object().unwrap() {
            settled[name] = value.clone();
        }
        self.send(json!({ "settled": settled }));
    }

    /// Runs the blocking functions that wait for a thread.
    pub(crate) fn run_blocking(&mut self) -> usize {
        let functions = std::mem::take(&mut *self.threads.0.lock().unwrap());
        let count = functions.len();
        for function in functions {
            function();
        }
        self.settle();
        count
    }

    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// How many runs have code in this process.
    pub(crate) fn alive(&self) -> usize {
        self.runs.len()
    }
}

/// Shows a message in a word or two: `ended pay#2 failed "declined"`.
pub(crate) fn brief(message: &Value) -> String {
    let (name, body) = message.as_object().unwrap().iter().next().unwrap();
    let step = body["step"].as_str().unwrap_or_default();
    let n = body["n"].as_u64().unwrap_or_default();
    let result = || match body.get("error") {
        Some(error) => format!("! {}", error["message"].as_str().unwrap()),
        None => body.get("output").map_or_else(|| "()".into(), ToString::to_string),
    };
    match name.as_str() {
        "ended" => format!("ended {step}#{n} {}", result()),
        "started" => format!("started {step}#{n}"),
        "finished" => format!("finished {}", result()),
        "sleep" | "skip" | "dropped" | "race" | "raced" => format!("{name} {step}"),
        "released" => format!("released {}", body["seen"]),
        "order" => format!("order {} {}", body["expected"], body["found"]),
        "block" => format!("block {}", body["cause"]),
        "log" => {
            let lines = body["lines"].as_array().unwrap();
            let lines: Vec<_> =
                lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
            format!("log {step}: {}", lines.join(" / "))
        }
        other => other.to_owned(),
    }
}

/// An ended step of a history.
pub(crate) fn ended(step: &str, kind: &str, output: Value) -> Value {
    let mut ended = json!({ "step": step, "kind": kind, "status": "completed", "atUs": 5_000_000 });
    if kind == "run" {
        ended["attempts"] = json!(1);
        ended["output"] = output;
    }
    if kind == "skip" {
        ended["status"] = json!("skipped");
    }
    ended
}
