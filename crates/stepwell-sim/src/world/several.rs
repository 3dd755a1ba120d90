//! What goes wrong where several nodes share a database.

use stepwell_store::memory::{During, Fate};

use super::sim::Sim;
use crate::clock::{MILLI, Micros, SECOND};
use crate::fault::Fault;
use crate::history::{Fact, Node};
use crate::net::Way;
use crate::plan::Plan;
use crate::planted::Bug;
use crate::server::{Item, Machine};

/// How long after the healing the runs of nodes that were lost may still wait: for the end of a lease, and then for
/// their runners.
const SETTLED: Micros = 25 * SECOND;

/// Makes the machines of a seed.
///
/// # Errors
/// When SQLite gives no memory.
pub(super) fn machines(seed: u64, plan: &Plan, bug: &Bug) -> rusqlite::Result<Vec<Machine>> {
    let drift = |node: usize| plan.shared.drifts_ppm.get(node).copied().unwrap_or(plan.drift_ppm);
    let machine = |node| Machine::new(Node(node), seed, drift(node), bug.clone());
    (0..plan.nodes).map(machine).collect()
}

impl Sim {
    /// Tells whether several nodes share a database.
    pub(super) fn is_shared(&self) -> bool {
        self.env.plan.nodes > 1
    }

    /// Lets all nodes work with the database as they should.
    pub(super) fn heal_database(&mut self) {
        self.env.heal_database();
        self.env.apart.clear();
        self.env.fact_later(SETTLED, Fact::WentOn);
    }

    /// Something goes wrong with one of the nodes, or with the database. Tells whether it is of such a kind.
    pub(super) fn harm_nodes(&mut self, fault: Fault) -> bool {
        let place = self.rng.place(self.machines.len());
        match fault {
            Fault::NodeKilled => self.kill_node(place),
            Fault::NodeApart => self.set_apart(Node(place)),
            Fault::DatabaseCut => self.cut_off(place),
            Fault::DatabaseSlow => self.env.slow_database(),
            Fault::DatabaseRestarted => self.env.restart_database(),
            Fault::DatabaseFellBack => self.env.leave_standby_behind(),
            Fault::NodePaused => self.pause_node(place),
            Fault::NodeDrained => self.drain_node(place),
            _ => return false,
        }
        true
    }

    fn kill_node(&mut self, place: usize) {
        let machine = &mut self.machines[place];
        if !machine.is_up() {
            return;
        }
        if self.rng.chance(500) {
            let outputs = u32::try_from(self.rng.below(20)).unwrap_or(0);
            machine.kill_after(outputs);
        } else {
            machine.crash(crate::disk::Loss::None, Some(Fault::NodeKilled), &mut self.env);
        }
    }

    fn cut_off(&mut self, place: usize) {
        let fate = match self.rng.weighed(&[2, 2, 3, 3]) {
            0 => Fate::Lost,
            1 => Fate::Done,
            2 => Fate::Late(self.env.database_later()),
            _ => Fate::Held(self.env.database_later()),
        };
        let during = if self.rng.chance(700) { During::Commit } else { During::Any };
        if self.machines[place].cut_off(during, fate) {
            let line =
                format_args!("node {place} is cut off from the database: {during:?} {fate:?}");
            self.env.line(line);
            self.env.fault_at(Fault::DatabaseCut, None);
        }
    }

    fn set_apart(&mut self, node: Node) {
        let time = self.rng.spread(100 * MILLI, 12 * SECOND);
        self.env.line(format_args!("{node:?} is apart for {time} us"));
        self.env.fault_at(Fault::NodeApart, None);
        self.env.apart.insert(node, self.env.now + time);
        for on in self.env.net.open() {
            if self.env.net.node(on) == node {
                self.env.net.cut(on, Way::Up);
                self.env.net.cut(on, Way::Down);
            }
        }
    }

    /// Something comes for a node, unless nothing does.
    pub(super) fn bring(&mut self, node: Node, item: Item) {
        let env = &mut self.env;
        if env.is_apart(node) {
            if let Item::Reaches(on) = item {
                env.close(on, Way::Down);
            }
            return;
        }
        self.machines[node.0].take(item, env);
    }

    /// A standby takes over: nodes go on without knowing until they ask.
    pub(super) fn take_over_by_standby(&mut self) {
        if self.env.chaos && self.env.take_over_by_standby() {
            for machine in &mut self.machines {
                machine.is_left_behind();
            }
        }
    }
}
