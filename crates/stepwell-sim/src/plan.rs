//! What a seed chooses: which faults, how many, which limits, how many runners.
//!
//! Swarm testing: a fault that is always there hides what others find, so each seed has a subset of
//! its own with rates of its own.

use std::time::Duration;

use stepwell_core::limits::Limits;
use stepwell_sqlite::Options;

use crate::clock::{MILLI, Micros, SECOND};
use crate::fault::Fault;
use crate::program::Profile;
use crate::rng::Rng;

/// How runners of a simulation are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunnerKind {
    /// Written here, after the page on the protocol.
    Script,
    /// The real SDK with real async functions.
    Sdk,
}

/// A named runner, of which one process at a time is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunnerPlan {
    /// What it is made of.
    pub kind: RunnerKind,
    /// How many runs may have code in progress at once.
    pub slots: u32,
    /// Millionths by which its clock is too fast.
    pub drift_ppm: i64,
    /// Bytes that it lets the node send before the first `credit`.
    pub credit: u64,
}

/// What a seed chooses.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The faults of this seed and how likely each is.
    pub faults: Vec<(Fault, u64)>,
    /// How many faults are wanted.
    pub faults_wanted: u64,
    /// How long things go wrong.
    pub chaos: Micros,
    /// How many starts clients make at least.
    pub starts: u64,
    /// How likely each kind of program is.
    pub profiles: [u64; Profile::ALL.len()],
    /// The limits in force.
    pub limits: Limits,
    /// How often runners ping, in milliseconds.
    pub ping_ms: u64,
    /// The runners.
    pub runners: Vec<RunnerPlan>,
    /// How many workflows there are.
    pub workflows: u64,
    /// The node's driver goes on while the store works.
    pub pipelined: bool,
    /// Shortest and longest time that a frame takes.
    pub delay: (Micros, Micros),
    /// Size of a segment of the log, in bytes.
    pub segment_bytes: u64,
    /// How often the store folds, about.
    pub fold_every: Micros,
    /// Most bytes that wait to be folded.
    pub tail_max: u64,
    /// Millionths by which the clock of the node's machine is too fast.
    pub drift_ppm: i64,
    /// Messages of a thousand that a runner sends again at once.
    pub repeats: u64,
    /// Answers of a thousand that do not reach their client.
    pub replies_lost: u64,
    /// How many backups are made.
    pub backups: u64,
    /// The server is lost, and another begins with a backup of it.
    pub server_lost: bool,
    /// How many nodes there are.
    pub nodes: usize,
    /// How they are where there are several.
    pub shared: SharedPlan,
}

/// What a seed chooses where several nodes share a database.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedPlan {
    /// Shortest and longest time that a statement takes one way.
    pub delay: (Micros, Micros),
    /// How often a node looks for what belongs to nodes that are gone, about.
    pub look: Micros,
    /// Most runs of a node that is gone that are freed at once.
    pub slice: usize,
    /// Millionths by which the clocks of the nodes are too fast.
    pub drifts_ppm: Vec<i64>,
    /// How long answers between nodes are kept.
    pub answers_kept: Micros,
}

/// Most by which clocks go wrong, in millionths.
const DRIFT_MAX: u64 = 10_000;

/// Most by which the clocks of nodes go wrong where there are several, in millionths: that of the
/// database is compared with them every second.
const NODE_DRIFT_MAX: u64 = 500;

impl Plan {
    /// Returns how the store is opened.
    pub(crate) fn store(&self) -> Options {
        Options {
            segment_bytes: self.segment_bytes,
            fold_after: Duration::from_micros(self.fold_every / 2),
            fold_late: Duration::from_micros(self.fold_every * 3),
            tail_max: self.tail_max,
            ..Options::default()
        }
    }

    /// Draws the plan of a seed for so many nodes.
    pub(crate) fn draw(rng: &mut Rng, nodes: usize) -> Self {
        let mut plan = Self {
            faults: Vec::new(),
            faults_wanted: rng.within(21, 40),
            chaos: rng.within(14, 30) * SECOND,
            starts: rng.within(19, 22),
            profiles: [0; Profile::ALL.len()],
            limits: limits(rng),
            ping_ms: 1_000,
            runners: Vec::new(),
            workflows: rng.within(1, 4),
            pipelined: rng.chance(400),
            delay: (rng.spread(20, 500), rng.spread(600, 20 * MILLI)),
            segment_bytes: 4_096 << rng.within(0, 5),
            fold_every: rng.spread(50 * MILLI, 5 * SECOND),
            tail_max: if rng.chance(150) { rng.spread(2_000, 40_000) } else { 64 << 20 },
            drift_ppm: drift(rng),
            repeats: 0,
            replies_lost: 0,
            backups: 0,
            server_lost: false,
            nodes,
            shared: SharedPlan::default(),
        };
        plan.ping_ms = plan.limits.runner_ttl_ms / rng.within(3, 6);
        plan.draw_faults(rng);
        plan.draw_runners(rng);
        for weight in &mut plan.profiles {
            *weight = if rng.chance(700) { rng.within(1, 8) } else { 0 };
        }
        if plan.runners.iter().any(|runner| runner.kind == RunnerKind::Script) {
            plan.profiles[Profile::DELICATE] = 0;
        }
        // Only runners with the SDK take runs back; what they do then is short, so it is often done.
        let sagas = &mut plan.profiles[Profile::Saga as usize];
        if plan.runners.iter().all(|runner| runner.kind == RunnerKind::Script) {
            *sagas = 0;
        } else if rng.chance(500) {
            *sagas = rng.within(8, 20);
        }
        // Something always takes steps of each kind, and poison is rare.
        plan.profiles[0] = plan.profiles[0].max(3);
        if let Some(poison) = plan.profiles.last_mut() {
            *poison = u64::from(*poison > 0 && rng.chance(400));
        }
        plan.backups = if rng.chance(350) { rng.within(1, 3) } else { 0 };
        plan.server_lost = plan.backups > 0 && rng.chance(600);
        if nodes > 1 {
            plan.draw_shared(rng);
        }
        plan
    }

    fn draw_faults(&mut self, rng: &mut Rng) {
        for fault in Fault::ALL.into_iter().filter(|fault| fault.is_of(1) && !fault.is_operated()) {
            if rng.chance(600) {
                self.faults.push((fault, rng.within(1, 10)));
            }
        }
        if self.faults.len() < 3 {
            self.faults.extend([(Fault::NodeKilled, 2), (Fault::Cut, 2), (Fault::PowerLost, 2)]);
        }
        let has = |fault| self.faults.iter().any(|(one, _)| *one == fault);
        if has(Fault::FrameRepeated) {
            self.repeats = rng.spread(5, 120);
        }
        if has(Fault::ReplyLost) {
            self.replies_lost = rng.spread(20, 300);
        }
    }

    /// Several nodes have a database in place of a disk, with faults of its own.
    fn draw_shared(&mut self, rng: &mut Rng) {
        let nodes = self.nodes;
        self.faults.retain(|(fault, _)| fault.is_of(nodes));
        for fault in Fault::ALL.into_iter().filter(|fault| !fault.is_of(1)) {
            if rng.chance(500) {
                self.faults.push((fault, rng.within(1, 8)));
            }
        }
        if self.faults.len() < 3 {
            let more = [Fault::NodeKilled, Fault::NodePaused, Fault::DatabaseCut];
            self.faults.extend(more.map(|fault| (fault, 2)));
        }
        (self.backups, self.server_lost) = (0, false);
        let ppm = |rng: &mut Rng| i64::try_from(rng.below(2 * NODE_DRIFT_MAX)).unwrap_or(0);
        let most = i64::try_from(NODE_DRIFT_MAX).unwrap_or(0);
        self.shared = SharedPlan {
            delay: (rng.spread(20, 300), rng.spread(400, 10 * MILLI)),
            look: rng.spread(50 * MILLI, 3 * SECOND),
            slice: usize::try_from(rng.spread(1, 1_000)).unwrap_or(1),
            drifts_ppm: (0..nodes).map(|_| ppm(rng) - most).collect(),
            answers_kept: rng.within(30, 120) * SECOND,
        };
    }

    fn draw_runners(&mut self, rng: &mut Rng) {
        let count = rng.within(2, 4);
        // Some seeds have one kind only.
        let sdk = *rng.pick(&[0, 500, 500, 1_000, 1_000]);
        for _ in 0..count {
            let runner = RunnerPlan {
                kind: if rng.chance(sdk) { RunnerKind::Sdk } else { RunnerKind::Script },
                slots: u32::try_from(rng.spread(1, 20)).unwrap_or(1),
                drift_ppm: drift(rng),
                credit: rng.spread(4_000, 4 << 20),
            };
            self.runners.push(runner);
        }
    }

    /// Returns a time that a frame takes.
    pub(crate) fn delay(&self, rng: &mut Rng) -> Micros {
        rng.spread(self.delay.0, self.delay.1)
    }
}

fn drift(rng: &mut Rng) -> i64 {
    if rng.chance(500) {
        return 0;
    }
    let ppm = i64::try_from(rng.spread(1, DRIFT_MAX)).unwrap_or(0);
    if rng.chance(500) { ppm } else { -ppm }
}

fn limits(rng: &mut Rng) -> Limits {
    Limits {
        payload_bytes_max: if rng.chance(200) { 20_000 } else { 4 << 20 },
        steps_max: if rng.chance(100) { 40 } else { 10_000 },
        branches_max: 1_000,
        nesting_max: if rng.chance(150) { 1 } else { 32 },
        journal_bytes_max: if rng.chance(150) { rng.spread(3_000, 60_000) } else { 64 << 20 },
        runner_ttl_ms: rng.within(3_000, 10_000),
        linger_ms: rng.spread(20, 2_000),
        grace_ms: rng.spread(100, 20_000),
        cleanup_ms: 24 * 60 * 60 * 1_000,
        event_bytes_max: 512 << 10,
        event_kept_ms: 24 * 60 * 60 * 1_000,
    }
}
