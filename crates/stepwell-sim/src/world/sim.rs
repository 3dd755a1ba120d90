//! The loop over events.

use std::io::Write;

use super::clients::Clients;
use super::outcome::Outcome;
use super::several::machines;
use stepwell_core::time::Timestamp;

use crate::checkers;
use crate::clock::{Micros, SECOND};
use crate::deeds::Deeds;
use crate::env::{Env, Event};
use crate::history::Fact;
use crate::net::Way;
use crate::plan::Plan;
use crate::planted::Bug;
use crate::rng::Rng;
use crate::runner::Fleet;
use crate::server::{Item, Machine};
use crate::trace::Trace;

/// What a simulation is run with, apart from its seed.
#[derive(Default)]
pub struct Settings {
    /// Takes lines to read.
    pub lines: Option<Box<dyn Write>>,
    /// The bug that is planted.
    pub bug: Bug,
    /// How many nodes there are; one where nothing is said.
    pub nodes: usize,
}

/// How long all that is left has to end once things are healed.
const LAST_CALL: Micros = 3_600 * SECOND;

/// The streams that a simulation draws from.
const PLAN: u64 = 1;
const CHAOS: u64 = 2;
const KEEPER: u64 = 20;

/// A simulation.
pub(super) struct Sim {
    pub(super) env: Env,
    pub(super) machines: Vec<Machine>,
    pub(super) fleet: Fleet,
    pub(super) clients: Clients,
    pub(super) rng: Rng,
    /// What those draw from who make backups.
    pub(super) keeper: Rng,
    pub(super) healed_at: Option<Micros>,
    /// How often healing was put off for want of faults.
    pub(super) put_off: u32,
    asked_last: bool,
    over: bool,
}

/// Simulates a seed and checks what was observed.
///
/// # Errors
/// When SQLite gives no memory.
pub fn run(seed: u64, settings: Settings) -> rusqlite::Result<Outcome> {
    let plan = Plan::draw(&mut Rng::new(seed, PLAN), settings.nodes.max(1));
    let mut env = Env::new(seed, plan, Trace::to(settings.lines), settings.bug.clone());
    let plan = format!("{:?}", env.plan);
    env.line(format_args!("seed {seed}: {plan}"));
    let bug = settings.bug.clone();
    let machines = machines(seed, &env.plan, &settings.bug)?;
    let fleet = Fleet::new(seed, env.plan.runners.len());
    let clients = Clients::new(seed, &mut env);
    let rng = Rng::new(seed, CHAOS);
    let mut sim = Sim {
        env,
        machines,
        fleet,
        clients,
        rng,
        keeper: Rng::new(seed, KEEPER),
        healed_at: None,
        put_off: 0,
        asked_last: false,
        over: false,
    };
    bug.within(|| sim.play());
    Ok(sim.judge(seed))
}

impl Sim {
    fn play(&mut self) {
        for machine in &self.machines {
            self.env.after(0, Event::NodeBegins(machine.node()));
        }
        for slot in 0..self.env.plan.runners.len() {
            let at = self.rng.within(0, SECOND / 2);
            self.env.after(at, Event::ProcessBegins(slot));
        }
        if self.is_shared() {
            self.env.open_database(Timestamp::MIN);
        } else {
            let every = self.env.plan.fold_every;
            self.env.after(every, Event::Folds);
        }
        self.plan_chaos();
        self.plan_backups();
        while !self.over
            && let Some(event) = self.env.next()
        {
            self.handle(event);
        }
        self.read_all();
        self.env.fact(Fact::Finished);
    }

    fn handle(&mut self, event: Event) {
        let env = &mut self.env;
        match event {
            Event::Reaches(on) => {
                let node = env.net.node(on);
                self.bring(node, Item::Reaches(on));
            }
            Event::LetIn(on) => self.fleet.on_let_in(on, env),
            Event::Frame { on, way, sent, bytes } => self.carry((on, way), sent, bytes),
            Event::Closed(on, Way::Up) => {
                self.machines[env.net.node(on).0].take(Item::Gone(on), env);
            }
            Event::Closed(on, Way::Down) => self.fleet.on_closed(on, env),
            Event::NodeWakes(node) => self.machines[node.0].on_wake(env),
            Event::StoreDone(node, life) => self.machines[node.0].on_store_done(life, env),
            Event::NodeBegins(node) => self.machines[node.0].begin(env),
            Event::NodeGoesOn(node) => self.machines[node.0].on_go_on(env),
            Event::NodeStops(node) => self.machines[node.0].stop(env),
            Event::NodeHalts(node) => self.machines[node.0].on_halt(env),
            Event::Folds => {
                self.machines[0].fold(env);
                let every = env.rng.within(1, 2 * env.plan.fold_every);
                env.after(every, Event::Folds);
            }
            Event::ProcessWakes(process) => self.fleet.on_wake(process, env),
            Event::ProcessBegins(slot) => self.fleet.begin(slot, env),
            Event::ProcessGoesOn(process) => self.fleet.go_on(process, false, env),
            Event::ProcessLeaves(process) => self.fleet.leave(process, env),
            Event::CallEnds(call) => self.fleet.on_call_ends(call, env),
            Event::ClientActs(number) => self.clients.act(number, env),
            Event::SaysBack(topic) => self.clients.say_back(topic, env),
            Event::Asks(node, request, asked, wait) => {
                self.bring(node, Item::Asks(request, *asked, wait));
            }
            Event::Answered(request, answer) => self.clients.on_answer(request, &answer, env),
            Event::GivesUp(request) => self.clients.give_up(request, &mut self.machines, env),
            Event::GoesWrong => {
                if env.chaos {
                    self.go_wrong();
                }
            }
            Event::Heals => self.heal(),
            Event::DiskHasRoom => self.make_room(),
            Event::BacksUp => self.back_up(),
            Event::ServerLost => self.lose_server(),
            Event::LetsGo => self.let_go(),
            Event::Measured => self.look_at_rest(),
            Event::Renews(node, life, step) => {
                self.machines[node.0].on_renewal(life, step, env);
            }
            Event::Keeps(node, life) => self.machines[node.0].on_keeper(life, env),
            Event::DatabaseMoves => env.on_database(),
            Event::StandbyTakesOver => self.take_over_by_standby(),
        }
    }

    fn carry(&mut self, lane: (stepwell_node::SessionId, Way), sent: Micros, bytes: Vec<u8>) {
        let (on, way) = lane;
        let env = &mut self.env;
        let Some(connection) = env.net.get(on) else { return };
        if sent < connection.lost_before {
            return;
        }
        match way {
            Way::Up => self.machines[env.net.node(on).0].take(Item::Frame(on, bytes), env),
            Way::Down => self.fleet.on_bytes(on, bytes, env),
        }
    }

    /// After the healing: sees whether all has ended, and asks for every end then.
    fn look_at_rest(&mut self) {
        let healed = self.healed_at.unwrap_or(0);
        let late = self.env.now > healed + LAST_CALL;
        let up = self.machines.iter().all(Machine::is_up);
        let rest = up && self.env.ledger.unfinished() == 0;
        if late || (self.asked_last && self.clients.waiting() == 0) {
            self.measure();
            self.over = true;
            return;
        }
        let settled = self.env.now > healed + 12 * SECOND;
        if rest && settled && self.clients.waiting() == 0 && !self.asked_last {
            self.asked_last = true;
            let runs = self.env.ledger.known().clone();
            self.clients.wait_for_all(&runs, &mut self.env);
        }
        self.env.after(2 * SECOND, Event::Measured);
    }

    fn read_all(&mut self) {
        if self.is_shared() {
            self.env.read_database(true);
        } else {
            self.machines[0].read_all(&mut self.env);
        }
        for machine in &self.machines {
            Machine::count(&machine.stats(), &mut self.env);
        }
    }

    fn measure(&mut self) {
        let stats = self.machines.iter().map(Machine::stats);
        let (hot, timers) =
            stats.fold((0, 0), |(hot, timers), one| (hot + one.hot, timers + one.near_timers));
        let open = self.env.ledger.open();
        self.env.fact(Fact::Gauge { hot, timers, open });
    }

    fn judge(self, seed: u64) -> Outcome {
        let violations = checkers::check(&self.env.history);
        Outcome {
            seed,
            hash: self.env.trace.hash(),
            runs: self.env.ledger.known().len() as u64,
            commands: self.env.commands,
            table: self.env.table,
            deeds: Deeds::of(&self.env.history),
            violations,
        }
    }
}
