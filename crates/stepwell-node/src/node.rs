//! The node: its state, its entrance, and how much it does at once.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use stepwell_core::id::RunId;
use stepwell_core::limits::Limits;
use stepwell_core::time::Timestamp;

use crate::api::{Api, Asked};
use crate::commit::Commits;
use crate::dispatch::Dispatch;
use crate::events::Events;
use crate::hot::Hot;
use crate::import::Importing;
use crate::inbox::Inbox;
use crate::input::{Input, Now};
use crate::meter::{Measures, Meter};
use crate::output::{Output, Outputs, Stats};
use crate::recovery::Away;
use crate::registry::Registry;
use crate::session::Sessions;
use crate::sharing::Sharing;
use crate::sweep::Sweeps;
use crate::timers::Timers;

/// How many runs, timers or answers one input handles before others get their turn.
pub(crate) const SLICE: usize = 256;

/// What a node is made with.
#[derive(Clone, Debug)]
pub struct Config {
    /// The limits in force.
    pub limits: Limits,
    /// How often runners send `ping`, in milliseconds. Default 1,000.
    pub ping_ms: u64,
    /// Bytes that a runner may send before they are handled. Default 8 MiB.
    pub credit_bytes: u64,
    /// The server's version, for the handshake.
    pub version: String,
    /// Random bits from the operating system; the whole of the node's randomness.
    pub seed: [u8; 32],
    /// Other nodes share the store ([`stepwell_store::shared`]). Default: none does.
    pub shared: bool,
    /// How long a lease on a shared store lasts: nothing is written later than twice that after its instant.
    /// Default 3 s.
    pub lease: Duration,
    /// What is known of a store that was made from a copy. Default: it was not.
    pub restored: Restored,
}

/// What a node does on a store that was made from a copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Activations at or before this instant are of the original, whose runners may still hold them: none of
    /// them comes back here (§4.7).
    pub void_until: Option<Timestamp>,
    /// No run is given to a runner and no timer fires until [`Input::LetGo`].
    pub held: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            ping_ms: 1_000,
            credit_bytes: 8 * 1024 * 1024,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: [0; 32],
            shared: false,
            lease: Duration::from_secs(3),
            restored: Restored::default(),
        }
    }
}

/// Everything between sockets and the store. See the crate's page.
pub struct Node {
    pub(crate) config: Config,
    pub(crate) now: Timestamp,
    /// By the clock that leases of runners are counted with.
    pub(crate) monotonic: Duration,
    pub(crate) rng: ChaCha8Rng,
    pub(crate) hot: Hot,
    pub(crate) commits: Commits,
    pub(crate) sessions: Sessions,
    pub(crate) registry: Registry,
    pub(crate) dispatch: Dispatch,
    pub(crate) timers: Timers,
    pub(crate) away: Away,
    pub(crate) api: Api,
    pub(crate) inbox: Inbox,
    /// The run that was started last.
    pub(crate) last_run: RunId,
    pub(crate) stats: Stats,
    pub(crate) meter: Meter,
    pub(crate) draining: bool,
    pub(crate) events: Events,
    pub(crate) sweeps: Sweeps,
    pub(crate) share: Sharing,
    continuing: bool,
}

impl Node {
    /// Makes a node that knows nothing yet; its first input is [`Input::Opened`].
    pub fn new(config: Config) -> Self {
        let rng = ChaCha8Rng::from_seed(config.seed);
        Self {
            config,
            now: Timestamp::MIN,
            monotonic: Duration::ZERO,
            rng,
            hot: Hot::default(),
            commits: Commits::default(),
            sessions: Sessions::default(),
            registry: Registry::default(),
            dispatch: Dispatch::default(),
            timers: Timers::default(),
            away: Away::default(),
            api: Api::default(),
            inbox: Inbox::default(),
            last_run: RunId::MIN,
            stats: Stats::default(),
            meter: Meter::default(),
            draining: false,
            events: Events::default(),
            sweeps: Sweeps::default(),
            share: Sharing::default(),
            continuing: false,
        }
    }

    /// Handles one input at `now`, which never goes backwards, and adds to `out`.
    ///
    /// The work done is bounded: where more is left, [`Output::Continue`] asks to come back.
    pub fn handle(&mut self, input: Input<'_>, now: impl Into<Now>, out: &mut Outputs) {
        let now = now.into();
        self.now = self.now.max(now.engine);
        self.monotonic = self.monotonic.max(now.monotonic);
        match input {
            Input::Opened { workflows } => self.on_opened(workflows, out),
            Input::Connected { session, namespace } => self.on_connected(session, namespace),
            Input::Frame { session, bytes } => self.on_frame(session, bytes, out),
            Input::Disconnected { session } => self.on_disconnected(session),
            Input::Start { request, start } => self.on_start(request, *start, out),
            Input::Cancel { about, signed } => {
                self.on_asked(about.run, Asked::Cancel { about, signed }, out);
            }
            Input::Operate { about, act, signed } => {
                self.on_asked(about.run, Asked::Operate { about, act, signed }, out);
            }
            Input::Resolve { about, resolve, signed } => {
                self.on_asked(about.run, Asked::Resolve { about, resolve, signed }, out);
            }
            Input::Fork { about, fork, signed } => {
                self.on_asked(about.run, Asked::Fork { about, fork, signed }, out);
            }
            Input::Import { about, import, signed } => {
                self.on_import(Box::new(Importing::new(about, *import, signed)), out);
            }
            Input::Send { request, send } => self.on_send(request, send, out),
            Input::Wait { about } => self.on_wait(about, out),
            Input::Forget { request } => {
                self.api.forget(request);
                self.share.forget(request);
            }
            Input::Runners { request, namespace } => {
                let reply = self.sessions.describe(&namespace);
                out.list.push(Output::Reply { request, reply });
            }
            Input::Committed => self.on_committed(out),
            Input::Refused { error } => self.on_refused(&error, out),
            Input::Loaded { run, journal } => self.on_loaded(run, (journal, None), out),
            Input::Due { runs } => self.on_due(&runs, out),
            Input::Ready { queue, runs } => self.on_ready(&queue, &runs),
            Input::Active { runs } => self.on_active(&runs, out),
            Input::Blocked { queue, runs } => self.on_blocked(&queue, &runs, out),
            Input::Inbox { messages } => self.on_inbox(messages),
            Input::Found { key, run } => self.on_found(key, run, out),
            Input::Answered(answer) => self.on_answer(answer, out),
            Input::Enquired(finding) => self.on_found_shared(finding, out),
            Input::Hint => self.on_hint(out),
            Input::Tick => self.on_tick(out),
            Input::Continue => {
                self.continuing = false;
                self.on_tick(out);
            }
            Input::Drain => self.on_drain(out),
            Input::LetGo => self.on_let_go(),
        }
        self.cool_what_was_left(out);
        if self.inbox.wants() {
            self.deliver_messages(out);
        }
        self.route(out);
        self.dispatch(out);
    }

    /// Returns when [`Input::Tick`] is wanted next.
    pub fn next_tick(&self) -> Option<Timestamp> {
        let near = self.timers.next(self.holds_timers());
        let silent = self.sessions.next_silent(self.config.limits.runner_ttl());
        let lease = silent.into_iter().chain(self.away.next()).min();
        let lease = lease.map(|at| self.now.after(at.saturating_sub(self.monotonic)));
        let others = self.events.router.next().into_iter().chain(self.next_poll());
        near.into_iter().chain(lease).chain(others).min()
    }

    /// Returns counters and gauges.
    pub fn stats(&self) -> Stats {
        Stats {
            hot: self.hot.len() as u64,
            near_timers: self.timers.len() as u64,
            next_timer: self.timers.first(),
            sessions: self.sessions.len() as u64,
            ..self.stats
        }
    }

    /// Returns what is measured by workflow and app beside the counters.
    pub fn measures(&self) -> Measures {
        Measures {
            stats: self.stats(),
            workflows: self.meter.workflows(),
            runners: self.sessions.crews(),
        }
    }

    /// Asks to come back, once however often it is called before the answer.
    pub(crate) fn come_back(&mut self, out: &mut Outputs) {
        if !std::mem::replace(&mut self.continuing, true) {
            out.list.push(Output::Continue);
        }
    }

    pub(crate) fn entropy(&mut self) -> u64 {
        self.rng.next_u64()
    }

    pub(crate) fn entropy_wide(&mut self) -> u128 {
        u128::from(self.rng.next_u64()) << 64 | u128::from(self.rng.next_u64())
    }

    fn on_opened(&mut self, workflows: Vec<stepwell_store::batch::Workflow>, out: &mut Outputs) {
        self.events.open(self.now);
        for workflow in workflows {
            self.dispatch.scan(&self.registry.insert(workflow.clone()));
            out.list.push(Output::Registered(workflow));
        }
        self.inbox.open();
        if self.config.shared {
            return self.begin_sharing();
        }
        out.list.push(crate::recovery::first_question());
        self.move_horizon(out);
    }

    fn on_tick(&mut self, out: &mut Outputs) {
        self.dispatch.begin_turn();
        self.drop_silent_sessions(out);
        self.take_returns(out);
        self.lose_overdue(out);
        self.move_horizon(out);
        self.take_poll_turn(out);
        self.fire_due(out);
        self.take_look_turn(out);
        self.take_route_turn(out);
    }

    /// Runs of a restored store go on: what was due meanwhile fires at the next tick.
    fn on_let_go(&mut self) {
        self.config.restored.held = false;
        self.dispatch.wake();
    }

    fn on_drain(&mut self, out: &mut Outputs) {
        self.draining = true;
        self.tell_draining(out);
    }
}
