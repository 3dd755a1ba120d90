//! The process of a runner: its connection, its pings, its grant.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, VecDeque};

use stepwell_core::id::RunId;
use stepwell_node::SessionId;
use stepwell_protocol::VERSION;
use stepwell_protocol::frame;
use stepwell_protocol::to_node::{Hello, Resume, ToNode, Workflow};

use super::copy::{Copy, Phase};
use super::rest::NEVER;
use crate::calls::Outcome;
use crate::history::Call;
use crate::runner::Port;

/// Who a runner is.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    /// Its name.
    pub name: String,
    /// Its instance.
    pub instance: String,
    /// Its build.
    pub build: String,
    /// How many runs may have code in progress at once.
    pub slots: u32,
    /// Bytes that the node may send before the first `credit`.
    pub credit: u64,
    /// Its workflows.
    pub workflows: Vec<String>,
}

/// Where its connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// There is none; the next is tried then.
    Down { until: u64 },
    /// It is being made.
    Calling { on: SessionId, since: u64 },
    /// The node was greeted.
    Greeting { on: SessionId, since: u64 },
    /// It is there.
    Open { on: SessionId },
}

/// The process of a runner.
#[derive(Debug)]
pub(crate) struct Script {
    pub(super) who: Who,
    pub(super) link: Link,
    pub(super) ttl: u64,
    pub(super) ping_every: u64,
    pub(super) linger: u64,
    pub(super) grant_until: u64,
    pub(super) pings: VecDeque<(u64, u64)>,
    pub(super) last_ping: u64,
    pub(super) next_ping: u64,
    /// When the node was last heard.
    pub(super) heard_at: u64,
    pub(super) owed: u64,
    pub(super) copies: BTreeMap<RunId, Copy>,
    pub(super) handles: HashMap<u32, RunId>,
    pub(super) leaving: Vec<RunId>,
    pub(super) draining: bool,
    pub(super) out: frame::Writer,
    /// Frames that are complete.
    pub(super) full: Vec<Vec<u8>>,
    pub(super) payload_max: usize,
    failures: u32,
}

/// How long a connection may take to be made, or be silent before the runner knows the TTL.
const PATIENCE: u64 = 5_000_000;

impl Script {
    /// Makes a process that begins now.
    pub(crate) fn new(who: Who, now: u64) -> Self {
        Self {
            who,
            link: Link::Down { until: now },
            ttl: PATIENCE,
            ping_every: PATIENCE,
            linger: 0,
            grant_until: 0,
            pings: VecDeque::new(),
            last_ping: 0,
            next_ping: NEVER,
            heard_at: now,
            owed: 0,
            copies: BTreeMap::new(),
            handles: HashMap::new(),
            leaving: Vec::new(),
            draining: false,
            out: frame::Writer::default(),
            full: Vec::new(),
            payload_max: usize::MAX,
            failures: 0,
        }
    }

    pub(super) fn extend_grant(&mut self, sent: u64) {
        self.grant_until = self.grant_until.max(sent + self.ttl);
    }

    /// The node let the runner in.
    pub(crate) fn on_let_in(&mut self, on: SessionId, port: &mut Port<'_>) {
        if !matches!(self.link, Link::Calling { on: called, .. } if called == on) {
            return;
        }
        let now = port.now();
        // A copy whose history did not arrive whole cannot go on.
        let cut: Vec<RunId> = self.copies_in(Phase::Loading);
        for run in cut {
            self.forget(run, port);
        }
        let resume: Vec<Resume> =
            self.copies.values().map(|copy| Self::resume(copy, port)).collect();
        for one in &resume {
            if let Some(copy) = self.copies.get_mut(&one.run) {
                copy.idle_told = one.idle;
            }
        }
        let workflow = |name: &String| Workflow {
            name: Cow::Owned(name.clone()),
            version: None,
            timeout_ms: None,
            strict: false,
            input_schema: None,
            output_schema: None,
            retry: None,
            compensate_on_cancel: false,
            on_failure: false,
            triggers: Vec::new(),
        };
        let hello = Hello {
            protocol: VERSION,
            sdk: Cow::Borrowed("script/1"),
            app: Cow::Borrowed(crate::server::APP),
            runner: Cow::Borrowed(&self.who.name),
            instance: Cow::Borrowed(&self.who.instance),
            build: Some(Cow::Borrowed(&self.who.build)),
            slots: self.who.slots,
            credit_bytes: self.who.credit,
            workflows: self.who.workflows.iter().map(workflow).collect(),
            resume,
        };
        self.out.push(&ToNode::Hello(hello));
        self.link = Link::Greeting { on, since: now };
        self.pings.clear();
        self.last_ping = 0;
        self.owed = 0;
        self.heard_at = now;
        self.send(on, port);
    }

    fn copies_in(&self, phase: Phase) -> Vec<RunId> {
        self.copies.values().filter(|c| c.phase == phase).map(|c| c.held.run).collect()
    }

    fn resume(copy: &Copy, port: &Port<'_>) -> Resume {
        Resume {
            run: copy.held.run,
            epoch: copy.held.epoch,
            nonce: copy.held.nonce,
            told: copy.told + port.bug().told_too_much(),
            idle: Self::rests(copy, port.now()),
        }
    }

    /// A frame came.
    pub(crate) fn on_bytes(&mut self, on: SessionId, bytes: &[u8], port: &mut Port<'_>) {
        if self.on() == Some(on) {
            self.on_frame(bytes, port);
            self.flush(port);
        }
    }

    fn on(&self) -> Option<SessionId> {
        match self.link {
            Link::Down { .. } => None,
            Link::Calling { on, .. } | Link::Greeting { on, .. } | Link::Open { on } => Some(on),
        }
    }

    /// The connection is closed.
    pub(crate) fn on_closed(&mut self, on: SessionId, port: &mut Port<'_>) {
        if self.on() == Some(on) {
            self.hang_up(port);
        }
    }

    pub(super) fn hang_up(&mut self, port: &mut Port<'_>) {
        if let Some(on) = self.on() {
            port.close(on);
        }
        self.failures = if matches!(self.link, Link::Open { .. }) { 0 } else { self.failures + 1 };
        let pause = (20_000 << self.failures.min(6)) + port.env.rng.below(50_000);
        self.link = Link::Down { until: port.now() + pause };
        self.next_ping = NEVER;
        self.handles.clear();
        self.discard();
        for copy in self.copies.values_mut() {
            copy.a = None;
        }
    }

    /// A function ended.
    pub(crate) fn on_call_end(&mut self, call: Call, outcome: &Outcome, port: &mut Port<'_>) {
        self.on_call(call, outcome, port);
        self.flush(port);
    }

    /// Gives all runs back as soon as that can be, and takes no more.
    pub(crate) fn drain(&mut self, port: &mut Port<'_>) {
        self.draining = true;
        if matches!(self.link, Link::Open { .. }) {
            self.out.push(&ToNode::Drain {});
        }
        self.look_at_all(port);
        self.flush(port);
    }

    /// Tells whether it holds nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.copies.is_empty()
    }

    /// Looks at what is due.
    pub(crate) fn on_wake(&mut self, port: &mut Port<'_>) {
        let now = port.now();
        match self.link {
            Link::Down { until } if until <= now => {
                self.link = Link::Calling { on: port.connect(), since: now };
            }
            Link::Calling { since, .. } | Link::Greeting { since, .. }
                if since + PATIENCE <= now =>
            {
                self.hang_up(port);
            }
            Link::Open { .. } if self.heard_at + self.ttl <= now => self.hang_up(port),
            Link::Open { .. } if self.next_ping <= now => {
                self.last_ping += 1;
                self.pings.push_back((self.last_ping, now));
                self.out.push(&ToNode::Ping { k: self.last_ping });
                self.next_ping = now + self.ping_every;
            }
            _ => {}
        }
        let due = self.copies.values().filter(|copy| copy.wake <= now).map(|copy| copy.held.run);
        let due: Vec<RunId> = due.collect();
        for run in due {
            self.look_at(run, port);
        }
        self.flush(port);
    }

    fn look_at(&mut self, run: RunId, port: &mut Port<'_>) {
        let Some(mut copy) = self.copies.remove(&run) else { return };
        self.look_at_clock(&mut copy, port);
        self.turn(&mut copy, port);
        self.copies.insert(run, copy);
    }

    pub(super) fn look_at_all(&mut self, port: &mut Port<'_>) {
        let runs: Vec<RunId> = self.copies.keys().copied().collect();
        for run in runs {
            self.look_at(run, port);
        }
    }

    /// Returns when to look again.
    pub(crate) fn wakes(&self) -> u64 {
        let link = match self.link {
            Link::Down { until } => until,
            Link::Calling { since, .. } | Link::Greeting { since, .. } => since + PATIENCE,
            Link::Open { .. } => self.next_ping.min(self.heard_at + self.ttl),
        };
        self.copies.values().map(|copy| copy.wake).fold(link, u64::min)
    }

    fn flush(&mut self, port: &mut Port<'_>) {
        for run in std::mem::take(&mut self.leaving) {
            self.forget(run, port);
        }
        match self.link {
            Link::Open { on } | Link::Greeting { on, .. } => self.send(on, port),
            Link::Down { .. } | Link::Calling { .. } => self.discard(),
        }
    }

    fn discard(&mut self) {
        self.out = frame::Writer::default();
        self.full.clear();
    }

    fn send(&mut self, on: SessionId, port: &mut Port<'_>) {
        for bytes in std::mem::take(&mut self.full) {
            port.send(on, bytes);
        }
        if let Some(bytes) = self.out.take() {
            port.send(on, bytes);
        }
    }
}
