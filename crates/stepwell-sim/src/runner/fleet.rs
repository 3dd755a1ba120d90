//! Named runners and their processes, over time.

use std::collections::BTreeMap;

use stepwell_node::SessionId;

use super::host::{Brain, Host, Stimulus};
use crate::calls::Outcome;
use crate::clock::{MILLI, Micros, Monotonic, SECOND};
use crate::env::{Env, Event};
use crate::history::{Call, Fact, Process};
use crate::net::Way;
use crate::plan::RunnerKind;
use crate::rng::Rng;
use crate::script::{Script, Who};
use crate::sdk::Sdk;

/// Returns the name of a runner.
pub(crate) fn name(slot: usize) -> String {
    format!("runner-{slot}")
}

/// Named runners and their processes.
#[derive(Debug)]
pub(crate) struct Fleet {
    hosts: BTreeMap<Process, Host>,
    /// The process that each runner has now.
    slots: Vec<Option<Process>>,
    last: u32,
    /// Processes that begin from now on do not die of poison.
    cure: bool,
    rng: Rng,
}

/// The stream that runners draw from.
const STREAM: u64 = 7;

impl Fleet {
    /// Makes runners without processes.
    pub(crate) fn new(seed: u64, slots: usize) -> Self {
        let slots = vec![None; slots];
        let rng = Rng::new(seed, STREAM);
        Self { hosts: BTreeMap::new(), slots, last: 0, cure: false, rng }
    }

    /// Begins a process of a runner, unless it has one.
    pub(crate) fn begin(&mut self, slot: usize, env: &mut Env) {
        if self.slots[slot].is_some() {
            return;
        }
        let plan = env.plan.runners[slot];
        self.last += 1;
        let process = Process(self.last);
        let clock = Monotonic::new(env.now, plan.drift_ppm);
        let instance = format!("i-{}", self.last);
        let build = if self.cure { "cured" } else { "first" };
        let who = Who {
            name: name(slot),
            instance: instance.clone(),
            build: build.to_owned(),
            slots: plan.slots,
            credit: plan.credit,
            workflows: (0..env.plan.workflows).map(|n| format!("workflow-{n}")).collect(),
        };
        if self.cure {
            env.cured.insert(process);
        }
        env.line(format_args!("{process:?} begins as {}", who.name));
        env.fact(Fact::Born { process, instance: instance.into() });
        let brain = match plan.kind {
            RunnerKind::Script => Brain::Script(Box::new(Script::new(who, clock.at(env.now)))),
            RunnerKind::Sdk => match Sdk::new(&who, clock.at(env.now)) {
                Ok(sdk) => Brain::Sdk(Box::new(sdk)),
                Err(error) => {
                    let why = format!("the SDK does not accept the app: {error}");
                    return env.fact(Fact::Refused { to: process, why });
                }
            },
        };
        let mut host = Host::new(process, slot, clock, brain);
        host.take(Stimulus::Wakes, env);
        self.hosts.insert(process, host);
        self.slots[slot] = Some(process);
    }

    /// Lets processes that begin from now on survive poison.
    pub(crate) fn cure(&mut self) {
        self.cure = true;
    }

    /// Returns one of the processes.
    pub(crate) fn any(&mut self) -> Option<Process> {
        let all: Vec<Process> = self.hosts.keys().copied().collect();
        (!all.is_empty()).then(|| *self.rng.pick(&all))
    }

    /// Returns the processes that stand still.
    pub(crate) fn paused(&self) -> Vec<Process> {
        self.hosts.values().filter(|one| one.paused.is_some()).map(|one| one.process).collect()
    }

    /// Returns every process.
    pub(crate) fn all(&self) -> Vec<Process> {
        self.hosts.keys().copied().collect()
    }

    /// Ends a process at once. The node is told, or has to find out.
    pub(crate) fn kill(&mut self, process: Process, told: bool, env: &mut Env) {
        let Some(host) = self.hosts.remove(&process) else { return };
        env.line(format_args!("{process:?} ends"));
        for call in env.calls.drop_of(process) {
            env.fact(Fact::Over { call });
        }
        env.fact(Fact::Died { process });
        for on in env.net.open() {
            if env.net.process(on) == Some(process) {
                if !told {
                    env.net.cut(on, Way::Up);
                }
                env.close(on, Way::Up);
            }
        }
        if self.slots[host.slot] == Some(process) {
            self.slots[host.slot] = None;
            let pause = self.rng.spread(20 * MILLI, 3 * SECOND);
            env.after(pause, Event::ProcessBegins(host.slot));
        }
    }

    /// Lets a process stand still for a time; another may take its name meanwhile.
    pub(crate) fn pause(&mut self, process: Process, time: Micros, env: &mut Env) {
        let Some(host) = self.hosts.get_mut(&process) else { return };
        if host.paused.is_some() {
            return;
        }
        host.paused = Some(env.now + time);
        env.after(time, Event::ProcessGoesOn(process));
        if self.rng.chance(500) && self.slots[host.slot] == Some(process) {
            self.slots[host.slot] = None;
            let pause = self.rng.spread(MILLI, time);
            env.after(pause, Event::ProcessBegins(host.slot));
        }
    }

    /// Lets a process go on, when its time has come or at once.
    pub(crate) fn go_on(&mut self, process: Process, at_once: bool, env: &mut Env) {
        let Some(host) = self.hosts.get_mut(&process) else { return };
        if at_once && host.paused.is_some() || host.paused == Some(env.now) {
            env.line(format_args!("{process:?} goes on"));
            host.go_on(env);
        }
    }

    /// Tells a process to stop, and begins the next one of its name.
    pub(crate) fn drain(&mut self, process: Process, env: &mut Env) {
        let Some(host) = self.hosts.get_mut(&process) else { return };
        let slot = host.slot;
        host.take(Stimulus::Drains, env);
        let patience = self.rng.spread(100 * MILLI, 10 * SECOND);
        env.after(patience, Event::ProcessLeaves(process));
        if self.slots[slot] == Some(process) {
            self.slots[slot] = None;
            let pause = self.rng.spread(MILLI, SECOND);
            env.after(pause, Event::ProcessBegins(slot));
        }
    }

    /// A process that was told to stop has had its time.
    pub(crate) fn leave(&mut self, process: Process, env: &mut Env) {
        if let Some(host) = self.hosts.get_mut(&process) {
            let empty = host.is_empty();
            env.line(format_args!("{process:?} leaves, empty: {empty}"));
            self.kill(process, true, env);
        }
    }

    fn take(&mut self, process: Process, stimulus: Stimulus, env: &mut Env) {
        if let Some(host) = self.hosts.get_mut(&process) {
            host.take(stimulus, env);
        }
    }

    /// The node let a runner in.
    pub(crate) fn on_let_in(&mut self, on: SessionId, env: &mut Env) {
        if let Some(process) = env.net.process(on) {
            self.take(process, Stimulus::LetIn(on), env);
        }
    }

    /// A frame arrives.
    pub(crate) fn on_bytes(&mut self, on: SessionId, bytes: Vec<u8>, env: &mut Env) {
        if let Some(process) = env.net.process(on) {
            self.take(process, Stimulus::Bytes(on, bytes), env);
        }
    }

    /// A runner learns that a connection is closed.
    pub(crate) fn on_closed(&mut self, on: SessionId, env: &mut Env) {
        if let Some(process) = env.net.process(on) {
            self.take(process, Stimulus::Closed(on), env);
        }
        if let Some(connection) = env.net.get(on) {
            connection.runner_side = false;
        }
        env.net.tidy(on);
    }

    /// A process looks at its timers.
    pub(crate) fn on_wake(&mut self, process: Process, env: &mut Env) {
        if let Some(host) = self.hosts.get_mut(&process) {
            host.on_wake(env);
        }
    }

    /// A function ends, if its process does not stand still.
    pub(crate) fn on_call_ends(&mut self, call: Call, env: &mut Env) {
        let Some(process) = env.calls.process(call) else { return };
        let Some(host) = self.hosts.get_mut(&process) else { return };
        if let Some(until) = host.paused {
            env.calls.put_off(call, until + 1);
            env.at(until + 1, Event::CallEnds(call));
            return;
        }
        let Some((progress, outcome)) = env.calls.end(call, env.now) else { return };
        env.fact(Fact::Over { call });
        env.line(format_args!("{call:?} of {} ends: {outcome:?}", progress.held.run));
        if outcome == Outcome::Killed {
            let told = self.rng.chance(700);
            return self.kill(process, told, env);
        }
        host.take(Stimulus::CallEnded(call, outcome), env);
    }
}
