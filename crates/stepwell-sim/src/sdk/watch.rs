//! What the frames that a process gets and sends tell: until when it may start functions, when
//! attempts are due, which runs are ending. Reckoned here, so that the SDK's own reckoning is checked.

use std::collections::HashMap;
use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_protocol::frame;
use stepwell_protocol::to_node::ToNode;
use stepwell_protocol::to_runner::ToRunner;

use crate::history::{Fact, Held};
use crate::runner::Port;

/// What the frames of a process tell.
#[derive(Debug, Default)]
pub(super) struct Watch {
    greeted: u64,
    pings: HashMap<u64, u64>,
    ttl: u64,
    grant: u64,
    handles: HashMap<u32, Held>,
    /// The activation of each run that was given last.
    last: HashMap<RunId, Held>,
    due: HashMap<(RunId, Arc<str>), (u32, u64)>,
}

impl Watch {
    /// Notes a frame that is sent.
    pub(super) fn sends(&mut self, bytes: &[u8], now: u64) {
        let messages: Vec<ToNode<'_>> = frame::parse(bytes).unwrap_or_default();
        for message in messages {
            match message {
                ToNode::Hello(_) => {
                    self.greeted = now;
                    self.pings.clear();
                    self.handles.clear();
                }
                ToNode::Ping { k } => {
                    self.pings.insert(k, now);
                }
                _ => {}
            }
        }
    }

    /// Notes a frame that came.
    pub(super) fn gets(&mut self, bytes: &[u8], port: &mut Port<'_>) {
        let now = port.now();
        let messages: Vec<ToRunner<'_>> = frame::parse(bytes).unwrap_or_default();
        for message in messages {
            match message {
                ToRunner::Welcome(welcome) => {
                    self.ttl = welcome.ttl_ms * 1_000;
                    self.grant = self.grant.max(self.greeted + self.ttl);
                }
                ToRunner::Pong { k } => {
                    let sent = self.pings.remove(&k).unwrap_or(0);
                    self.grant = self.grant.max(sent + self.ttl);
                }
                ToRunner::Activate(given) => {
                    let held = Held { run: given.run, epoch: given.epoch, nonce: given.nonce };
                    self.handles.insert(given.a, held);
                    self.last.insert(given.run, held);
                    for open in &given.open {
                        let due = now + open.due_in_us.unwrap_or(0);
                        let step = Arc::from(&*open.step);
                        self.due.insert((given.run, step), (open.attempts + 1, due));
                    }
                }
                ToRunner::Resumed(resumed) => {
                    let held = self.held(resumed.run);
                    self.handles.insert(resumed.a, held);
                    tell_pause(held, resumed.paused, port);
                }
                ToRunner::Pause { a } | ToRunner::Unpause { a } => {
                    let paused = matches!(message, ToRunner::Pause { .. });
                    if let Some(held) = self.handles.get(&a).copied() {
                        tell_pause(held, paused, port);
                    }
                }
                ToRunner::Retry(retry) => {
                    let Some(held) = self.handles.get(&retry.a) else { continue };
                    // The node may say it again; what it said first stands.
                    let due = self.due.entry((held.run, Arc::from(&*retry.step))).or_default();
                    let at = now + retry.in_us;
                    *due = if due.0 == retry.n { (due.0, due.1.min(at)) } else { (retry.n, at) };
                }
                ToRunner::End { a, .. } => {
                    if let Some(held) = self.handles.get(&a).copied() {
                        port.env.fact(Fact::ToldEnd { by: port.process, held });
                    }
                }
                _ => {}
            }
        }
    }

    pub(super) fn grant(&self) -> u64 {
        self.grant
    }

    pub(super) fn held(&self, run: RunId) -> Held {
        self.last.get(&run).copied().unwrap_or(Held { run, epoch: 0, nonce: 0 })
    }

    /// Returns when an attempt is due.
    pub(super) fn due(&self, run: RunId, step: &Arc<str>, n: u32) -> u64 {
        let due = self.due.get(&(run, Arc::clone(step)));
        due.filter(|(next, _)| *next == n).map_or(0, |(_, at)| *at)
    }
}

fn tell_pause(held: Held, paused: bool, port: &mut Port<'_>) {
    let by = port.process;
    port.env.fact(Fact::ToldPause { by, held, paused });
}
