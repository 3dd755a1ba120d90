//! Making things go wrong, and healing them.

use stepwell_node::SessionId;

use super::sim::Sim;
use crate::clock::{MILLI, Micros, SECOND};
use crate::disk::{Fails, Loss};
use crate::env::Event;
use crate::fault::Fault;
use crate::history::Fact;
use crate::net::Way;
use crate::server::Item;

/// How long the lease of a node runs where several share a database.
const LEASE: Micros = 3 * SECOND;

/// A seed has at least so many runs.
const RUNS_MIN: usize = 20;

/// A seed has at least so many commands.
const COMMANDS_MIN: u64 = 320;

/// How often the healing is put off for what is missing at most.
const PUT_OFF_MAX: u32 = 60;

/// Room on the disk once it is healed, in bytes.
const ROOM: u64 = 32 << 20;

impl Sim {
    /// Plans when things go wrong.
    pub(super) fn plan_chaos(&mut self) {
        let (chaos, wanted) = (self.env.plan.chaos, self.env.plan.faults_wanted);
        for _ in 0..wanted {
            let at = self.rng.within(SECOND / 2, chaos);
            self.env.after(at, Event::GoesWrong);
        }
        self.env.after(chaos, Event::Heals);
    }

    /// Something goes wrong.
    pub(super) fn go_wrong(&mut self) {
        let weights: Vec<u64> = self.env.plan.faults.iter().map(|(_, weight)| *weight).collect();
        let (fault, _) = self.env.plan.faults[self.rng.weighed(&weights)];
        match fault {
            _ if self.is_shared() && self.harm_nodes(fault) => {}
            Fault::NodeKilled | Fault::PowerLost | Fault::SectorTorn => self.crash(fault),
            Fault::SyncFailed => self.arm(Fails::Sync),
            Fault::WriteFailed => self.arm(Fails::Write),
            Fault::DiskSlow => {
                let time = self.rng.spread(100 * MILLI, 30 * SECOND);
                self.arm(Fails::Slow(time));
            }
            Fault::DiskFull => self.fill_disk(),
            Fault::NodePaused => self.pause_node(0),
            Fault::ClockJumped => self.jump(),
            Fault::NodeDrained => self.drain_node(0),
            Fault::FrameDelayed | Fault::FrameLost | Fault::Cut | Fault::CutOneWay => {
                self.harm_connection(fault);
            }
            Fault::RunnerKilled | Fault::RunnerZombie | Fault::RunnerDrained => {
                self.harm_runner(fault);
            }
            // Those of several nodes are done; the others happen by their rates, and at times of their own.
            Fault::FrameRepeated
            | Fault::ReplyLost
            | Fault::BackupMade
            | Fault::ServerLost
            | Fault::DatabaseCut
            | Fault::DatabaseSlow
            | Fault::DatabaseRestarted
            | Fault::DatabaseFellBack
            | Fault::NodeApart => {}
        }
    }

    fn crash(&mut self, fault: Fault) {
        if !self.machines[0].is_up() {
            return;
        }
        match self.rng.weighed(&[5, 3, 1]) {
            0 => self.arm(Fails::Ends),
            1 if fault == Fault::NodeKilled => {
                let outputs = u32::try_from(self.rng.below(20)).unwrap_or(0);
                self.machines[0].kill_after(outputs);
            }
            _ if self.machines[0].busy_until(self.env.now).is_some() => self.arm(Fails::Ends),
            _ => {
                let loss = match fault {
                    Fault::PowerLost => Loss::Sectors,
                    Fault::SectorTorn => Loss::Torn,
                    _ => Loss::None,
                };
                self.machines[0].crash(loss, Some(fault), &mut self.env);
            }
        }
    }

    fn arm(&mut self, how: Fails) {
        if !self.machines[0].disk().is_armed() {
            let calls = u32::try_from(self.rng.spread(1, 40) - 1).unwrap_or(0);
            self.machines[0].disk().arm(calls, how);
        }
    }

    fn fill_disk(&mut self) {
        let free = self.rng.spread(1, 128 << 10);
        self.machines[0].disk().set_free(free);
        self.env.fault_at(Fault::DiskFull, None);
        let time = self.rng.spread(200 * MILLI, 10 * SECOND);
        self.env.after(time, Event::DiskHasRoom);
    }

    pub(super) fn make_room(&mut self) {
        self.machines[0].disk().set_free(ROOM);
    }

    pub(super) fn pause_node(&mut self, place: usize) {
        let machine = &mut self.machines[place];
        if !machine.is_up() || machine.is_paused() {
            return;
        }
        let ttl = self.env.plan.limits.runner_ttl_ms * MILLI;
        let time = self.pause(ttl);
        self.env.fault_at(Fault::NodePaused, None);
        let machine = &mut self.machines[place];
        machine.pause(self.env.now + time, &mut self.env);
    }

    /// Returns how long a node stands still: longer than runners may be silent, or about as long as a lease.
    fn pause(&mut self, ttl: Micros) -> Micros {
        if self.is_shared() && self.rng.chance(500) {
            return self.rng.within(LEASE * 3 / 4, LEASE * 3 / 2);
        }
        self.rng.within(ttl / 2, ttl * 3)
    }

    fn jump(&mut self) {
        let far = if self.rng.chance(500) { 3_600 * SECOND } else { 5 * SECOND };
        let by = i64::try_from(self.rng.spread(MILLI, far)).unwrap_or(0);
        let by = if self.rng.chance(500) { by } else { -by };
        self.env.line(format_args!("the wall clock jumps by {by} us"));
        self.env.fault_at(Fault::ClockJumped, None);
        self.env.fact(Fact::Jumped);
        self.machines[0].jump(by);
    }

    pub(super) fn drain_node(&mut self, place: usize) {
        let machine = &mut self.machines[place];
        if machine.is_up() && !machine.is_paused() {
            self.env.fault_at(Fault::NodeDrained, None);
            machine.take(Item::Drain, &mut self.env);
            let time = self.rng.spread(10 * MILLI, 2 * SECOND);
            self.env.after(time, Event::NodeStops(machine.node()));
        }
    }

    fn harm_connection(&mut self, fault: Fault) {
        let open = self.env.net.open();
        if open.is_empty() {
            return;
        }
        let on = *self.rng.pick(&open);
        let process = self.env.net.process(on);
        self.env.fault_at(fault, process);
        let way = if self.rng.chance(500) { Way::Up } else { Way::Down };
        match fault {
            Fault::FrameDelayed => {
                let late = self.rng.spread(50 * MILLI, 8 * SECOND);
                let until = self.env.now + late;
                self.env.net.hold_up(on, way, until);
            }
            Fault::FrameLost => {
                if let Some(connection) = self.env.net.get(on) {
                    connection.lost_before = self.env.now + 1;
                }
                // A stream has no holes: what comes after what is lost does not arrive either.
                self.env.net.cut(on, Way::Up);
                self.env.net.cut(on, Way::Down);
                self.tell_both(on);
            }
            Fault::CutOneWay => self.env.net.cut(on, way),
            _ => self.tell_both(on),
        }
    }

    /// Tells both sides, in their time, that a connection is closed.
    fn tell_both(&mut self, on: SessionId) {
        for way in [Way::Up, Way::Down] {
            let delay = self.rng.spread(10, 500 * MILLI);
            self.env.after(delay, Event::Closed(on, way));
        }
    }

    fn harm_runner(&mut self, fault: Fault) {
        let Some(process) = self.fleet.any() else { return };
        match fault {
            Fault::RunnerKilled => {
                let told = self.rng.chance(700);
                self.env.fault_at(fault, Some(process));
                self.fleet.kill(process, told, &mut self.env);
            }
            Fault::RunnerZombie => {
                let ttl = self.env.plan.limits.runner_ttl_ms * MILLI;
                let time = self.rng.within(ttl / 4, ttl * 3);
                self.env.fault_at(fault, Some(process));
                self.fleet.pause(process, time, &mut self.env);
            }
            _ => {
                self.env.fault_at(fault, Some(process));
                self.fleet.drain(process, &mut self.env);
            }
        }
    }

    /// Lets nothing go wrong any more, if enough went wrong.
    pub(super) fn heal(&mut self) {
        let few_runs = self.env.ledger.known().len() < RUNS_MIN;
        let few_faults = self.env.table.total() < self.env.plan.faults_wanted;
        let few = few_runs || few_faults || self.env.commands < COMMANDS_MIN;
        if few && self.put_off < PUT_OFF_MAX {
            self.put_off += 1;
            if !few_faults {
                self.clients.plan_more(&mut self.env);
            }
            for _ in 0..4 {
                let at = self.rng.within(0, 5 * SECOND);
                self.env.after(at, Event::GoesWrong);
            }
            return self.env.after(5 * SECOND, Event::Heals);
        }
        if let Some(until) = self.machines[0].busy_until(self.env.now) {
            return self.env.at(until, Event::Heals);
        }
        if self.machines[0].is_held() {
            self.let_go();
            return self.env.after(SECOND, Event::Heals);
        }
        self.env.line(format_args!("everything heals"));
        self.env.fact(Fact::Healed);
        self.env.chaos = false;
        self.healed_at = Some(self.env.now);
        if self.is_shared() {
            self.heal_database();
        } else {
            self.machines[0].disk().disarm();
            self.make_room();
        }
        for machine in &mut self.machines {
            machine.go_on(&mut self.env);
        }
        for on in self.env.net.broken() {
            self.tell_both(on);
        }
        for process in self.fleet.paused() {
            self.fleet.go_on(process, true, &mut self.env);
        }
        if self.rng.chance(500) {
            self.fleet.cure();
            for process in self.fleet.all() {
                let later = self.rng.spread(1, 5 * SECOND);
                self.env.after(later, Event::ProcessLeaves(process));
            }
        }
        self.clients.resume_all(&mut self.env);
        self.clients.plan_resolves(10 * SECOND, &mut self.env);
        self.env.after(SECOND, Event::Measured);
    }
}
