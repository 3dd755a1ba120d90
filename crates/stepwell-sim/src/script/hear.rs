//! What the node says.

use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::status::{Kind, StepStatus};
use stepwell_protocol::frame;
use stepwell_protocol::to_node::ToNode;
use stepwell_protocol::to_runner::{Activate, EndedStep, Resumed, ToRunner, Welcome};

use super::copy::{Copy, Part, Phase, State};
use super::runner::{Link, Script};
use crate::history::{Fact, Held};
use crate::program::{Delivered, Input, Program};
use crate::runner::Port;

impl Script {
    /// Takes a frame.
    pub(super) fn on_frame(&mut self, bytes: &[u8], port: &mut Port<'_>) {
        let messages: Vec<ToRunner<'_>> = match frame::parse(bytes) {
            Ok(messages) => messages,
            Err(error) => {
                let why = format!("a bad frame: {error}");
                return port.env.fact(Fact::Refused { to: port.process, why });
            }
        };
        for message in messages {
            self.on_message(message, port);
        }
        self.owed += bytes.len() as u64;
        if self.owed >= self.who.credit / 4 {
            self.out.push(&ToNode::Credit { bytes: std::mem::take(&mut self.owed) });
        }
    }

    fn on_message(&mut self, message: ToRunner<'_>, port: &mut Port<'_>) {
        match message {
            ToRunner::Welcome(welcome) => self.on_welcome(&welcome, port),
            ToRunner::Refused(_) => self.hang_up(port),
            ToRunner::Pong { k } => self.on_pong(k, port),
            // A runner of a node that stops keeps its runs, and connects again when it is cut off.
            // It has no function that starts at most once.
            ToRunner::Credit { .. } | ToRunner::Draining {} | ToRunner::Begin(_) => {}
            ToRunner::Activate(given) => self.on_activate(&given, port),
            ToRunner::History(history) => {
                let now = port.now();
                let more = history.more;
                self.with(history.a, port, |_, copy, _| {
                    recall(copy, &history.ended, now);
                    if !more {
                        copy.phase = Phase::Forward;
                    }
                });
            }
            ToRunner::Resumed(resumed) => self.on_resumed(&resumed, port),
            ToRunner::Gone { run, epoch } => {
                if self.copies.get(&run).is_some_and(|copy| copy.held.epoch == epoch) {
                    self.forget(run, port);
                }
            }
            ToRunner::Settled(settled) => {
                let status = settled.status.unwrap_or(StepStatus::Completed);
                let now = port.now();
                self.with(settled.a, port, |_, copy, _| {
                    let output = settled.output.map(|raw| Arc::from(raw.get()));
                    Self::settle(copy, &settled.step, Delivered { status, output }, now);
                });
            }
            ToRunner::Retry(retry) => {
                let now = port.now();
                let wait = std::time::Duration::from_micros(retry.in_us);
                self.with(retry.a, port, |_, copy, _| {
                    Self::retry(copy, &retry.step, retry.n, wait, now);
                });
            }
            ToRunner::End { a, .. } => self.with(a, port, |_, copy, port| {
                port.env.fact(Fact::ToldEnd { by: port.process, held: copy.held });
                if copy.phase == Phase::Forward || copy.phase == Phase::Loading {
                    copy.phase = Phase::Ending;
                    copy.calls().into_iter().for_each(|call| port.env.signal(call));
                }
            }),
            ToRunner::Pause { a } => self.with(a, port, |_, copy, port| {
                copy.paused = true;
                Self::note_pause(copy, port);
            }),
            ToRunner::Unpause { a } => self.with(a, port, |_, copy, port| {
                copy.paused = false;
                // The node takes a slot for the run again as it tells this.
                copy.idle_unsure |= copy.idle_told;
                copy.idle_told = false;
                Self::note_pause(copy, port);
            }),
            ToRunner::Evict { a } => {
                self.forget_handle(a, port);
                self.out.push(&ToNode::Released { a, seen: 0, ready: false });
            }
            ToRunner::Done { a } => self.forget_handle(a, port),
        }
    }

    /// Does something with the run of a handle, and lets its code go on.
    fn with(
        &mut self,
        a: u32,
        port: &mut Port<'_>,
        act: impl FnOnce(&mut Self, &mut Copy, &mut Port<'_>),
    ) {
        let Some(run) = self.handles.get(&a).copied() else { return };
        let Some(mut copy) = self.copies.remove(&run) else { return };
        copy.active_at = port.now();
        act(self, &mut copy, port);
        self.turn(&mut copy, port);
        self.copies.insert(run, copy);
    }

    fn on_welcome(&mut self, welcome: &Welcome, port: &mut Port<'_>) {
        self.ttl = welcome.ttl_ms * 1_000;
        self.ping_every = welcome.ping_ms * 1_000;
        self.linger = welcome.linger_ms * 1_000;
        self.payload_max = usize::try_from(welcome.payload_bytes_max).unwrap_or(usize::MAX);
        if let Link::Greeting { on, since } = self.link {
            self.link = Link::Open { on };
            self.extend_grant(since);
            self.heard_at = port.now();
            self.next_ping = port.now();
        }
        self.look_at_all(port);
    }

    fn on_pong(&mut self, k: u64, port: &mut Port<'_>) {
        self.heard_at = port.now();
        while let Some((sent, at)) = self.pings.front().copied()
            && sent <= k
        {
            self.pings.pop_front();
            if sent == k {
                self.extend_grant(at);
            }
        }
        self.look_at_all(port);
    }

    fn on_activate(&mut self, given: &Activate<'_>, port: &mut Port<'_>) {
        let now = port.now();
        let held = Held { run: given.run, epoch: given.epoch, nonce: given.nonce };
        let Some(input) = Input::read(given.input) else {
            let why = format!("{} has no input that names a program", given.run);
            return port.env.fact(Fact::Refused { to: port.process, why });
        };
        if self.copies.contains_key(&given.run) {
            self.forget(given.run, port);
        }
        let mut copy = Copy::new(held, Program::of(&input), now);
        copy.a = Some(given.a);
        copy.created_at_us = given.created_at_us;
        recall(&mut copy, &given.ended, now);
        for open in &given.open {
            let Some(place) = copy.places.get(&*open.step).copied() else { continue };
            let mut part = Part::new(now);
            part.attempts = open.attempts;
            part.due = now + open.due_in_us.unwrap_or(0);
            part.first_started = open.first_started_ago_us.map(|ago| now.saturating_sub(ago));
            if open.kind != Kind::Run {
                part.state = State::Waiting;
            }
            copy.parts.insert(place, part);
        }
        if !given.more {
            copy.phase = Phase::Forward;
        }
        self.handles.insert(given.a, given.run);
        self.turn(&mut copy, port);
        self.copies.insert(given.run, copy);
    }

    fn on_resumed(&mut self, resumed: &Resumed, port: &mut Port<'_>) {
        let Resumed { a, run, paused } = *resumed;
        let Some(mut copy) = self.copies.remove(&run) else { return };
        copy.paused = paused;
        Self::note_pause(&copy, port);
        self.handles.insert(a, run);
        copy.a = Some(a);
        let places: Vec<usize> = copy.parts.keys().copied().collect();
        for place in places {
            if let Some(part) = copy.parts.get(&place).filter(|part| part.tell.is_some()) {
                let kind = copy.program.steps[place].kind();
                let again = !matches!(part.state, State::Ended);
                if again {
                    Self::note_repeat(Some(kind), port);
                }
            }
            self.tell(&copy, place, port);
        }
        self.tell_finish(&mut copy, port);
        self.turn(&mut copy, port);
        self.copies.insert(run, copy);
    }

    fn note_pause(copy: &Copy, port: &mut Port<'_>) {
        let (by, held, paused) = (port.process, copy.held, copy.paused);
        port.env.fact(Fact::ToldPause { by, held, paused });
    }

    /// Drops the copy of a run; its functions get their signal.
    fn forget_handle(&mut self, a: u32, port: &mut Port<'_>) {
        if let Some(run) = self.handles.get(&a).copied() {
            self.forget(run, port);
        }
    }

    pub(super) fn forget(&mut self, run: RunId, port: &mut Port<'_>) {
        if let Some(copy) = self.copies.remove(&run) {
            copy.calls().into_iter().for_each(|call| port.env.signal(call));
            if let Some(a) = copy.a {
                self.handles.remove(&a);
            }
        }
    }
}

fn recall(copy: &mut Copy, ended: &[EndedStep<'_>], now: u64) {
    for one in ended {
        let output = one.output.map(|raw| Arc::from(raw.get()));
        let end = Delivered { status: one.status, output };
        Script::recall(copy, &one.step, end, now);
    }
}
