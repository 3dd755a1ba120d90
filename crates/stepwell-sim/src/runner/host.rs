//! A process of a runner.

use std::collections::VecDeque;

use stepwell_node::SessionId;

use super::port::Port;
use crate::calls::Outcome;
use crate::clock::{Micros, Monotonic};
use crate::env::{Env, Event};
use crate::history::{Call, Process};
use crate::script::Script;
use crate::sdk::Sdk;

/// Something that reaches a process.
#[derive(Debug)]
pub(super) enum Stimulus {
    LetIn(SessionId),
    Bytes(SessionId, Vec<u8>),
    Closed(SessionId),
    CallEnded(Call, Outcome),
    Wakes,
    Drains,
}

/// What a process is made of.
#[derive(Debug)]
pub(super) enum Brain {
    Script(Box<Script>),
    Sdk(Box<Sdk>),
}

/// A process of a runner.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) process: Process,
    /// Which named runner it is of.
    pub(super) slot: usize,
    clock: Monotonic,
    brain: Brain,
    /// It stands still until then.
    pub(super) paused: Option<Micros>,
    inbox: VecDeque<Stimulus>,
    wake_at: Option<Micros>,
}

impl Host {
    pub(super) fn new(process: Process, slot: usize, clock: Monotonic, brain: Brain) -> Self {
        let inbox = VecDeque::new();
        Self { process, slot, clock, brain, paused: None, inbox, wake_at: None }
    }

    /// Hands something to the process, now or when it goes on.
    pub(super) fn take(&mut self, stimulus: Stimulus, env: &mut Env) {
        if self.paused.is_some() {
            self.inbox.push_back(stimulus);
            return;
        }
        self.handle(stimulus, env);
        self.plan_wake(env);
    }

    fn handle(&mut self, stimulus: Stimulus, env: &mut Env) {
        let mut port = Port { env, process: self.process, clock: self.clock };
        match &mut self.brain {
            Brain::Script(brain) => match stimulus {
                Stimulus::LetIn(on) => brain.on_let_in(on, &mut port),
                Stimulus::Bytes(on, bytes) => brain.on_bytes(on, &bytes, &mut port),
                Stimulus::Closed(on) => brain.on_closed(on, &mut port),
                Stimulus::CallEnded(call, outcome) => brain.on_call_end(call, &outcome, &mut port),
                Stimulus::Wakes => brain.on_wake(&mut port),
                Stimulus::Drains => brain.drain(&mut port),
            },
            Brain::Sdk(brain) => match stimulus {
                Stimulus::LetIn(on) => brain.on_let_in(on, &mut port),
                Stimulus::Bytes(on, bytes) => brain.on_bytes(on, &bytes, &mut port),
                Stimulus::Closed(on) => brain.on_closed(on, &mut port),
                Stimulus::CallEnded(call, outcome) => brain.on_call_end(call, outcome, &mut port),
                Stimulus::Wakes => brain.on_wake(&mut port),
                Stimulus::Drains => brain.drain(&mut port),
            },
        }
    }

    fn plan_wake(&mut self, env: &mut Env) {
        let local = match &self.brain {
            Brain::Script(brain) => brain.wakes(),
            Brain::Sdk(brain) => brain.wakes(),
        };
        if local == u64::MAX {
            return;
        }
        let at = self.clock.when(local).max(env.now + 1);
        if self.wake_at.is_none_or(|before| at < before) {
            self.wake_at = Some(at);
            env.at(at, Event::ProcessWakes(self.process));
        }
    }

    /// The time has come that was planned.
    pub(super) fn on_wake(&mut self, env: &mut Env) {
        if self.wake_at == Some(env.now) {
            self.wake_at = None;
            self.take(Stimulus::Wakes, env);
        }
    }

    /// Goes on after a pause: what came meanwhile is there in any order.
    pub(super) fn go_on(&mut self, env: &mut Env) {
        self.paused = None;
        self.wake_at = None;
        // Its timers may be looked at before what came, or after.
        if env.rng.chance(500) {
            self.handle(Stimulus::Wakes, env);
        }
        for stimulus in std::mem::take(&mut self.inbox) {
            self.handle(stimulus, env);
        }
        self.plan_wake(env);
    }

    pub(super) fn is_empty(&mut self) -> bool {
        match &mut self.brain {
            Brain::Script(brain) => brain.is_empty(),
            Brain::Sdk(brain) => brain.is_empty(),
        }
    }
}
