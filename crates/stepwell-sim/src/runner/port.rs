//! What a runner's process can do.

use std::sync::Arc;

use stepwell_node::SessionId;
use stepwell_protocol::frame;
use stepwell_protocol::to_node::{Opening, Resume, ToNode};

use crate::calls::Calls;
use crate::clock::{Micros, Monotonic};
use crate::env::{Env, Event};
use crate::history::{Call, Fact, Held, Process};
use crate::net::Way;
use crate::planted::Bug;
use crate::program::Try;

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
        let on = self.env.net.make(self.process);
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
            let (a, step, open): (u32, &str, Option<&Opening<'_>>) = match message {
                ToNode::Ping { .. } | ToNode::Credit { .. } => continue,
                ToNode::Hello(hello) => {
                    let held = |one: &Resume| Held { run: one.run, epoch: one.epoch };
                    let resumes = hello.resume.iter().map(held).collect();
                    self.env.fact(Fact::Greeted { by: self.process, resumes });
                    continue;
                }
                ToNode::Started(m) => (m.a, &m.step, m.open.as_ref()),
                ToNode::Ended(m) => (m.a, &m.step, m.open.as_ref()),
                ToNode::Sleep(m) => (m.a, &m.step, Some(&m.open)),
                ToNode::Skip(m) => (m.a, &m.step, Some(&m.open)),
                ToNode::Wait(m) => (m.a, &m.step, Some(&m.open)),
                ToNode::Emit(m) => (m.a, &m.step, Some(&m.open)),
                ToNode::Invoke(m) => (m.a, &m.step, Some(&m.open)),
                _ => {
                    self.env.commands += 1;
                    continue;
                }
            };
            self.env.commands += 1;
            if let (Some(open), Some(held)) = (open, self.env.handles.get(&(on, a))) {
                let run = held.run;
                self.env.flight.begin(self.process, run, step, open.kind);
            }
        }
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
