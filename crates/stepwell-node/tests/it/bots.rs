//! Runners that run programs: what an SDK does, in its simplest form.
//!
//! A run's input is its program: stages one after the other, each of steps that begin together.
//! Every call of a function is checked against what the store has made durable by then (§4.1).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use stepwell_core::record::{self, Record};
use stepwell_core::time::Timestamp;
use stepwell_node::SessionId;

use crate::harness::{Who, World};

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Op {
    /// A function that takes `ms` and whose first `fails` attempts fail.
    Run {
        id: String,
        ms: u64,
        fails: u32,
    },
    Sleep {
        id: String,
        ms: u64,
    },
    Skip {
        id: String,
    },
    /// The process dies when the code comes here.
    Crash {
        id: String,
    },
}

impl Op {
    fn id(&self) -> &str {
        match self {
            Self::Run { id, .. }
            | Self::Sleep { id, .. }
            | Self::Skip { id }
            | Self::Crash { id } => id,
        }
    }
}

type Program = Vec<Vec<Op>>;

/// How a step stands with its runner.
#[derive(Clone, Debug, PartialEq)]
enum Doing {
    /// The function runs until then.
    Running { n: u32, until: Timestamp },
    /// Something was said, and the answer is awaited.
    Said { n: u32, message: Value },
    /// The engine keeps the time of a sleep, which may not know of it yet.
    Sleeping { message: Option<Value> },
    /// The runner keeps the time of a backoff.
    Backing { n: u32, until: Timestamp },
}

#[derive(Debug)]
struct Held {
    run: String,
    epoch: u64,
    nonce: u64,
    program: Program,
    told: u32,
    ended: BTreeSet<String>,
    doing: BTreeMap<String, Doing>,
    finished: bool,
    ending: bool,
    idle_since: Option<Timestamp>,
    /// More of the history is to come.
    more: bool,
}

/// One process of a runner.
pub(crate) struct Bot {
    pub(crate) who: Who,
    pub(crate) session: Option<SessionId>,
    held: BTreeMap<u64, Held>,
    /// Held from a connection before, until the node has answered.
    waiting: BTreeMap<String, Held>,
    pinged_at: Timestamp,
    lives: u32,
    pub(crate) calls: u64,
    pub(crate) died: u32,
}

impl Bot {
    pub(crate) fn new(who: Who) -> Self {
        let pinged_at = Timestamp::MIN;
        let (held, waiting) = (BTreeMap::new(), BTreeMap::new());
        Self { who, session: None, held, waiting, pinged_at, lives: 0, calls: 0, died: 0 }
    }

    pub(crate) fn connect(&mut self, world: &mut World) {
        self.disconnect(world);
        self.waiting.extend(
            std::mem::take(&mut self.held).into_values().map(|held| (held.run.clone(), held)),
        );
        self.who.resume = self.waiting.values().filter(|held| !held.more).map(resume).collect();
        self.waiting.retain(|_, held| !held.more);
        let mut who = self.who.clone();
        who.instance = format!("{}-{}", self.who.instance, self.lives);
        self.session = Some(world.connect(&who));
        self.pinged_at = world.now;
    }

    pub(crate) fn disconnect(&mut self, world: &mut World) {
        if let Some(session) = self.session.take() {
            world.disconnect(session);
        }
    }

    /// The process dies with all it had, and another begins.
    pub(crate) fn die(&mut self, world: &mut World) {
        self.disconnect(world);
        self.held.clear();
        self.waiting.clear();
        self.lives += 1;
        self.died += 1;
    }

    /// Handles what came and does what is due. Tells whether it did anything.
    pub(crate) fn turn(&mut self, world: &mut World) -> bool {
        let Some(session) = self.session else { return false };
        let heard = world.heard(session);
        let mut did = !heard.is_empty();
        let mut said = Vec::new();
        for message in heard {
            let (name, body) = message.as_object().unwrap().iter().next().unwrap();
            self.hear(name, body, world.now, &mut said);
        }
        if world.closed(session).is_some() {
            self.session = None;
            return true;
        }
        if world.now.since(self.pinged_at) >= Duration::from_secs(1) {
            self.pinged_at = world.now;
            said.push(json!({ "ping": { "k": 1 } }));
        }
        let handles: Vec<u64> = self.held.keys().copied().collect();
        for a in handles {
            if self.advance(a, world, &mut said) {
                self.die(world);
                return true;
            }
        }
        did |= !said.is_empty();
        if !said.is_empty() {
            world.say(session, &said);
        }
        did
    }

    fn hear(&mut self, name: &str, body: &Value, now: Timestamp, said: &mut Vec<Value>) {
        let a = body["a"].as_u64().unwrap_or_default();
        match name {
            "activate" => {
                let program = serde_json::from_value(body["input"].clone()).unwrap();
                let mut held = Held {
                    run: body["run"].as_str().unwrap().into(),
                    epoch: body["epoch"].as_u64().unwrap(),
                    nonce: body["nonce"].as_u64().unwrap(),
                    program,
                    told: 0,
                    ended: BTreeSet::new(),
                    doing: BTreeMap::new(),
                    finished: false,
                    ending: false,
                    idle_since: None,
                    more: false,
                };
                held.learn(body);
                for open in body["open"].as_array().unwrap_or(&vec![]) {
                    held.know_open(open, now);
                }
                assert!(self.held.insert(a, held).is_none(), "a handle is given once");
            }
            "history" => {
                if let Some(held) = self.held.get_mut(&a) {
                    held.learn(body);
                }
            }
            "resumed" => {
                let held = self.waiting.remove(body["run"].as_str().unwrap()).unwrap();
                said.extend(held.say_again(a));
                self.held.insert(a, held);
            }
            "gone" => {
                self.waiting.remove(body["run"].as_str().unwrap());
            }
            "settled" | "retry" | "end" => {
                let Some(held) = self.held.get_mut(&a) else { return };
                held.answered(name, body, now);
            }
            "evict" => {
                self.held.remove(&a);
                said.push(json!({ "released": { "a": a, "seen": 0 } }));
            }
            "done" => drop(self.held.remove(&a)),
            "welcome" | "pong" | "credit" | "draining" => {}
            other => panic!("{other}: {body}"),
        }
    }

    /// Goes on with a run. Tells whether that killed the process.
    fn advance(&mut self, a: u64, world: &World, said: &mut Vec<Value>) -> bool {
        let now = world.now;
        let held = self.held.get_mut(&a).unwrap();
        if held.finished || held.more {
            return false;
        }
        if held.ending {
            held.finished = true;
            said.push(json!({ "finished": { "a": a } }));
            return false;
        }
        let program = held.program.clone();
        let Some(stage) = program.iter().find(|stage| !held.is_over(stage)) else {
            held.finished = true;
            said.push(json!({ "finished": { "a": a, "output": "done" } }));
            return false;
        };
        for op in
            stage.iter().filter(|op| !held.ended.contains(op.id())).cloned().collect::<Vec<_>>()
        {
            if let Op::Crash { .. } = op {
                return true;
            }
            self.calls += u64::from(self.held.get_mut(&a).unwrap().step(a, &op, world, said));
        }
        let held = self.held.get_mut(&a).unwrap();
        let waits = |doing: &Doing| matches!(doing, Doing::Sleeping { .. } | Doing::Backing { .. });
        if held.doing.values().all(waits) {
            let since = *held.idle_since.get_or_insert_with(|| {
                said.push(json!({ "idle": { "a": a } }));
                now
            });
            if now.since(since) >= Duration::from_secs(1) {
                said.push(json!({ "released": { "a": a, "seen": held.told } }));
                self.held.remove(&a);
            }
        } else {
            held.idle_since = None;
        }
        false
    }

    /// When the bot wants its turn.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.session?;
        let active = self.held.values().filter(|held| !held.finished && !held.more);
        let times = active.flat_map(|held| {
            let doing = held.doing.values().filter_map(|doing| match doing {
                Doing::Running { until, .. } | Doing::Backing { until, .. } => Some(*until),
                Doing::Said { .. } | Doing::Sleeping { .. } => None,
            });
            doing.chain(held.idle_since.map(|since| since.after(Duration::from_secs(1))))
        });
        times.chain([self.pinged_at.after(Duration::from_secs(1))]).min()
    }

    pub(crate) fn holds(&self) -> usize {
        self.held.len() + self.waiting.len()
    }
}

fn resume(held: &Held) -> Value {
    json!({
        "run": held.run, "epoch": held.epoch, "nonce": held.nonce, "told": held.told,
        "idle": held.idle_since.is_some(),
    })
}

impl Held {
    fn learn(&mut self, body: &Value) {
        for ended in body["ended"].as_array().unwrap_or(&vec![]) {
            self.told += 1;
            let new = self.ended.insert(ended["step"].as_str().unwrap().into());
            assert!(new, "a step ends once: {ended}");
        }
        self.more = body["more"].as_bool().unwrap_or_default();
    }

    fn know_open(&mut self, open: &Value, now: Timestamp) {
        let step: String = open["step"].as_str().unwrap().into();
        assert!(!self.ended.contains(&step), "a step is open or ended: {open}");
        let n = u32::try_from(open["attempts"].as_u64().unwrap()).unwrap() + 1;
        let due = Duration::from_micros(open["dueInUs"].as_u64().unwrap_or(0));
        let doing = match open["kind"].as_str().unwrap() {
            "run" => Doing::Backing { n, until: now.after(due) },
            _ => Doing::Sleeping { message: None },
        };
        self.doing.insert(step, doing);
    }

    fn is_over(&self, stage: &[Op]) -> bool {
        stage.iter().all(|op| self.ended.contains(op.id()))
    }

    /// As the last part of docs/protocol.md on coming back says: what was not answered is said again.
    fn say_again(&self, a: u64) -> Vec<Value> {
        let mut again: Vec<Value> = Vec::new();
        for doing in self.doing.values() {
            if let Doing::Said { message, .. } | Doing::Sleeping { message: Some(message) } = doing
            {
                again.push(message.clone());
            }
        }
        if self.finished {
            again.push(json!({ "finished": { "output": "done" } }));
        }
        for message in &mut again {
            for body in message.as_object_mut().unwrap().values_mut() {
                body["a"] = a.into();
            }
        }
        again
    }

    fn answered(&mut self, name: &str, body: &Value, now: Timestamp) {
        let step = body["step"].as_str().unwrap_or_default();
        match name {
            "settled" => {
                self.told += 1;
                assert!(self.ended.insert(step.into()), "an end is told once: {body}");
                self.doing.remove(step);
                self.idle_since = None;
            }
            "retry" if !self.ended.contains(step) => {
                let n = u32::try_from(body["n"].as_u64().unwrap()).unwrap();
                let until = now.after(Duration::from_micros(body["inUs"].as_u64().unwrap()));
                // It may be told again of an attempt that was made meanwhile.
                let made = match self.doing.get(step) {
                    Some(Doing::Running { n, .. } | Doing::Said { n, .. }) => *n,
                    _ => 0,
                };
                if made < n {
                    self.doing.insert(step.into(), Doing::Backing { n, until });
                }
            }
            "end" => self.ending = true,
            _ => {}
        }
    }

    /// Goes on with a step. Tells whether that called its function.
    fn step(&mut self, a: u64, op: &Op, world: &World, said: &mut Vec<Value>) -> bool {
        let now = world.now;
        let open = |kind: &str| json!({ "kind": kind, "after": self.told, "agoUs": 0 });
        let (id, doing) = (op.id().to_owned(), self.doing.get(op.id()).cloned());
        let n = match doing {
            None => 1,
            Some(Doing::Backing { n, until }) if until <= now => {
                if self.idle_since.take().is_some() {
                    said.push(json!({ "busy": { "a": a } }));
                }
                n
            }
            Some(Doing::Running { n, until }) if until <= now => {
                let Op::Run { fails, .. } = op else { unreachable!("only functions run") };
                let mut ended = json!({
                    "a": a, "step": id, "n": n, "startedAgoUs": 0, "endedAgoUs": 0,
                    "open": open("run"),
                });
                if n <= *fails {
                    ended["error"] = json!({ "name": "Oops", "message": "it broke" });
                    ended["retry"] = json!({ "backoffMs": 1_500, "factorMilli": 1_000 });
                } else {
                    ended["output"] = json!(n);
                }
                let message = json!({ "ended": ended });
                said.push(message.clone());
                self.doing.insert(id, Doing::Said { n, message });
                return false;
            }
            Some(_) => return false,
        };
        match op {
            Op::Run { ms, .. } => {
                self.assert_durable(&id, world);
                if *ms >= 50 {
                    said.push(json!({ "started": {
                        "a": a, "step": id, "n": n, "agoUs": 0, "open": open("run"),
                    } }));
                }
                let until = now.after(Duration::from_millis(*ms));
                self.doing.insert(id, Doing::Running { n, until });
                if *ms == 0 {
                    self.step(a, op, world, said);
                }
                return true;
            }
            Op::Sleep { ms, .. } => {
                let message = json!({ "sleep": {
                    "a": a, "step": id, "forUs": ms * 1_000, "open": open("sleep"),
                } });
                said.push(message.clone());
                self.doing.insert(id, Doing::Sleeping { message: Some(message) });
            }
            Op::Skip { .. } => {
                let message = json!({ "skip": { "a": a, "step": id, "open": open("skip") } });
                said.push(message.clone());
                self.doing.insert(id, Doing::Said { n, message });
            }
            Op::Crash { .. } => unreachable!("the process has died"),
        }
        false
    }

    /// §4.1: a function begins after all before it is durable, and never once its result is.
    fn assert_durable(&self, step: &str, world: &World) {
        let journal = world.journal(self.run.parse().unwrap());
        let ends: BTreeSet<String> = record::decode(&journal)
            .filter_map(|record| match record.unwrap() {
                Record::StepEnded(ended) => Some(ended.step.into_owned()),
                _ => None,
            })
            .collect();
        assert!(
            !ends.contains(step),
            "{}: the result of `{step}` is saved at {:?}:\n{}\n{self:?}",
            self.run,
            world.now,
            String::from_utf8_lossy(&journal),
        );
        for ended in &self.ended {
            assert!(
                ends.contains(ended),
                "{}: `{step}` begins before `{ended}` is durable",
                self.run
            );
        }
    }
}

/// Lets time pass with these bots until it is `until`, or nothing is left to do.
pub(crate) fn run_until(world: &mut World, bots: &mut [Bot], until: Timestamp) {
    let mut turns = 0_u32;
    loop {
        let mut did = false;
        for bot in bots.iter_mut() {
            did |= bot.turn(world);
        }
        turns += 1;
        assert!(
            turns < 100_000,
            "no rest: {did} at {:?}, node wants {:?}, bots {:?}, {:?}",
            world.now,
            world.node.next_tick(),
            bots.iter().map(Bot::next).collect::<Vec<_>>(),
            world.node.stats()
        );
        if did {
            continue;
        }
        let next = bots.iter().filter_map(Bot::next).chain(world.node.next_tick()).min();
        let Some(next) = next.filter(|at| *at <= until) else {
            world.now = until;
            return;
        };
        let next = next.max(world.now);
        world.pass(next.since(world.now));
    }
}
