//! What a runner's process can do.

use std::sync::Arc;

use stepwell_core::status::Kind;
use stepwell_node::SessionId;
use stepwell_protocol::event::Wait;
use stepwell_protocol::frame;
use stepwell_protocol::to_node::{Opening, Resume, ToNode};

use crate::calls::Calls;
use crate::clock::{Micros, Monotonic, SECOND};
use crate::env::{Env, Event};
use crate::fault::{Fault, Kinds};
use crate::history::{Call, Fact, Held, Process};
use crate::net::Way;
use crate::planted::Bug;
use crate::program::{Topic, Try};

/// A frame is repeated if it has at most this many bytes.
const REPEATED_MAX: usize = 16 * 1024;
/// In how many of 1,000 waits somebody hears of it as it is sent.
const HEARD: u64 = 150;

/// What a runner's process can do.
pub(crate) struct Port<'a> {
    /// The simulation.
    pub env: &'a mut Env,
    /// The process.
    pub process: Process,
    /// Its clock.
    pub clock: Monotonic,
}

impl Port<'_> {
    /// Returns what the process's clock shows.
    pub(crate) fn now(&self) -> u64 {
        self.clock.at(self.env.now)
    }

    /// Returns the bug that is planted.
    pub(crate) fn bug(&self) -> &Bug {
        &self.env.bug
    }

    /// Begins to connect.
    pub(crate) fn connect(&mut self) -> SessionId {
        let node = self.env.any_node();
        let on = self.env.net.make(self.process, node);
        if let Some(connection) = self.env.net.get(on) {
            connection.runner_side = true;
        }
        let delay = self.env.plan.delay(&mut self.env.rng);
        if let Some(at) = self.env.net.arrival(on, Way::Up, self.env.now, delay) {
            self.env.at(at, Event::Reaches(on));
        }
        on
    }

    /// Closes a connection.
    pub(crate) fn close(&mut self, on: SessionId) {
        self.env.close(on, Way::Up);
    }

    /// Sends a frame.
    pub(crate) fn send(&mut self, on: SessionId, bytes: Vec<u8>) {
        if self.env.trace.is_on() {
            let process = self.process;
            self.env.line(format_args!("{process:?} > {}", String::from_utf8_lossy(&bytes)));
        }
        self.note(on, &bytes);
        self.env.send(on, Way::Up, bytes, 0);
    }

    fn note(&mut self, on: SessionId, bytes: &[u8]) {
        let messages: Vec<ToNode<'_>> = frame::parse(bytes).unwrap_or_default();
        for message in &messages {
            match message {
                ToNode::Ping { .. } | ToNode::Credit { .. } => continue,
                ToNode::Hello(hello) => {
                    let held =
                        |one: &Resume| Held { run: one.run, epoch: one.epoch, nonce: one.nonce };
                    let resumes = hello.resume.iter().map(held).collect();
                    self.env.fact(Fact::Greeted { by: self.process, resumes });
                    continue;
                }
                _ => self.env.commands += 1,
            }
            if let ToNode::Wait(wait) = message {
                self.hear_of(wait);
            }
            if let Some((a, step, Some(kind))) = step_of(message)
                && let Some(held) = self.env.handles.get(&(on, a))
            {
                let run = held.run;
                self.env.flight.begin(self.process, run, step, kind);
            }
        }
    }

    /// Somebody hears at times that a run is about to wait, and sends what it waits for: mostly so soon
    /// that the wait is not durable yet.
    fn hear_of(&mut self, wait: &Wait<'_>) {
        let is_for = |topic: &Topic| {
            wait.event == topic.event()
                && wait.wanted.is_some_and(|wanted| wanted.get() == topic.wanted())
        };
        if let Some(topic) = Topic::all().find(is_for)
            && self.env.rng.chance(HEARD)
        {
            let later = self.env.rng.spread(1, SECOND);
            self.env.after(later, Event::SaysBack(topic));
        }
    }

    /// Makes a frame in which some messages about steps are there twice, where the seed says so.
    pub(crate) fn repeat(&mut self, on: SessionId, frame: Vec<u8>) -> Vec<u8> {
        // With its messages twice it is still below the limit of a frame.
        if !self.env.chaos || self.env.plan.repeats == 0 || frame.len() > REPEATED_MAX {
            return frame;
        }
        let messages: Vec<ToNode<'_>> = frame::parse(&frame).unwrap_or_default();
        let mut twice = frame::Writer::default();
        let mut any = false;
        for message in &messages {
            twice.push(message);
            let Some((a, step, kind)) = step_of(message) else { continue };
            if !self.env.rng.chance(self.env.plan.repeats) {
                continue;
            }
            twice.push(message);
            any = true;
            let run = self.env.handles.get(&(on, a)).map(|held| held.run);
            let known = run.and_then(|run| self.env.flight.kind(run, step));
            let mut kinds = Kinds::default();
            kind.or(known).into_iter().for_each(|kind| kinds.add(kind));
            self.env.fault(Fault::FrameRepeated, kinds);
        }
        twice.take().filter(|_| any).unwrap_or(frame)
    }

    /// Begins a function: what it does and which attempt it is, under which grant, and when it was
    /// due. Both are instants of the process's clock.
    pub(crate) fn begin(
        &mut self,
        (held, step): (Held, &Arc<str>),
        (does, n): (Try, u32),
        grant: u64,
        due: u64,
    ) -> Call {
        let (grant, due): (Micros, Micros) = (self.clock.when(grant), self.clock.when(due));
        let progress = Calls::progress(self.process, held, step, does, self.env.now);
        self.env.begin(progress, n, grant, due)
    }
}

/// Returns the step that a message is about, and its kind where the message says it.
fn step_of<'a>(message: &'a ToNode<'_>) -> Option<(u32, &'a str, Option<Kind>)> {
    let kind = |open: &Option<Opening<'_>>| open.as_ref().map(|open| open.kind);
    Some(match message {
        ToNode::Started(m) => (m.a, &m.step, kind(&m.open)),
        ToNode::Ended(m) => (m.a, &m.step, kind(&m.open)),
        ToNode::Dropped(m) => (m.a, &m.step, None),
        ToNode::Sleep(m) => (m.a, &m.step, Some(m.open.kind)),
        ToNode::Skip(m) => (m.a, &m.step, Some(m.open.kind)),
        ToNode::Wait(m) => (m.a, &m.step, Some(m.open.kind)),
        ToNode::Emit(m) => (m.a, &m.step, Some(m.open.kind)),
        ToNode::Invoke(m) => (m.a, &m.step, Some(m.open.kind)),
        ToNode::Race(m) => (m.a, &m.step, Some(m.open.kind)),
        ToNode::Raced(m) => (m.a, &m.step, Some(Kind::Race)),
        _ => return None,
    })
}
