//! Connections between runners and the node: ordered frames, late, lost, or cut off.

use std::collections::BTreeMap;

use stepwell_node::SessionId;

use crate::clock::Micros;
use crate::history::{Node, Process};

/// Which way a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From a runner to the node.
    Up,
    /// From the node to a runner.
    Down,
}

/// One direction of a connection.
#[derive(Clone, Copy, Debug, Default)]
struct Lane {
    /// When the last frame that was sent arrives.
    last: Micros,
    /// Nothing arrives any more.
    cut: bool,
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Connection {
    /// The runner's side.
    pub process: Process,
    /// The node's side.
    pub node: Node,
    /// The node knows it as open.
    pub node_side: bool,
    /// The runner knows it as open.
    pub runner_side: bool,
    up: Lane,
    down: Lane,
    /// Frames sent before this are lost, having been on their way when the connection was cut.
    pub lost_before: Micros,
}

impl Connection {
    fn lane(&mut self, way: Way) -> &mut Lane {
        match way {
            Way::Up => &mut self.up,
            Way::Down => &mut self.down,
        }
    }
}

/// All connections.
#[derive(Debug, Default)]
pub(crate) struct Net {
    connections: BTreeMap<SessionId, Connection>,
    last: u64,
}

impl Net {
    /// Makes a connection that neither side knows as open yet.
    pub(crate) fn make(&mut self, process: Process, node: Node) -> SessionId {
        self.last += 1;
        let id = SessionId(self.last);
        let connection = Connection {
            process,
            node,
            node_side: false,
            runner_side: false,
            up: Lane::default(),
            down: Lane::default(),
            lost_before: 0,
        };
        self.connections.insert(id, connection);
        id
    }

    /// Finds a connection.
    pub(crate) fn get(&mut self, id: SessionId) -> Option<&mut Connection> {
        self.connections.get_mut(&id)
    }

    /// Returns the process at the other end.
    pub(crate) fn process(&self, id: SessionId) -> Option<Process> {
        self.connections.get(&id).map(|one| one.process)
    }

    /// Returns the node at the other end; the first one of a connection that is forgotten.
    pub(crate) fn node(&self, id: SessionId) -> Node {
        self.connections.get(&id).map(|one| one.node).unwrap_or_default()
    }

    /// Returns when something that is sent now and takes `delay` arrives: behind what was sent
    /// before. `None` when it never does.
    pub(crate) fn arrival(
        &mut self,
        id: SessionId,
        way: Way,
        now: Micros,
        delay: Micros,
    ) -> Option<Micros> {
        let lane = self.connections.get_mut(&id)?.lane(way);
        if lane.cut {
            return None;
        }
        lane.last = lane.last.max(now + delay);
        Some(lane.last)
    }

    /// Makes all that is sent from now on late by so much.
    pub(crate) fn hold_up(&mut self, id: SessionId, way: Way, until: Micros) {
        if let Some(connection) = self.connections.get_mut(&id) {
            let lane = connection.lane(way);
            lane.last = lane.last.max(until);
        }
    }

    /// Lets nothing through any more, in one direction.
    pub(crate) fn cut(&mut self, id: SessionId, way: Way) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.lane(way).cut = true;
        }
    }

    /// Returns connections that at least one side knows as open.
    pub(crate) fn open(&self) -> Vec<SessionId> {
        let open = self.connections.iter().filter(|(_, one)| one.node_side || one.runner_side);
        open.map(|(id, _)| *id).collect()
    }

    /// Returns connections in one direction of which nothing goes through.
    pub(crate) fn broken(&self) -> Vec<SessionId> {
        let broken = self.connections.iter().filter(|(_, one)| one.up.cut || one.down.cut);
        broken.map(|(id, _)| *id).collect()
    }

    /// Forgets a connection that both sides have closed.
    pub(crate) fn tidy(&mut self, id: SessionId) {
        if self.connections.get(&id).is_some_and(|one| !one.node_side && !one.runner_side) {
            self.connections.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_arrive_in_order_and_not_after_a_cut() {
        let mut net = Net::default();
        let id = net.make(Process(1), Node(0));
        assert_eq!(net.arrival(id, Way::Up, 10, 100), Some(110));
        assert_eq!(net.arrival(id, Way::Up, 20, 1), Some(110));
        assert_eq!(net.arrival(id, Way::Down, 20, 1), Some(21));
        net.hold_up(id, Way::Up, 500);
        assert_eq!(net.arrival(id, Way::Up, 30, 1), Some(500));
        net.cut(id, Way::Up);
        assert_eq!(net.arrival(id, Way::Up, 600, 1), None);
        assert_eq!(net.arrival(id, Way::Down, 600, 1), Some(601));
    }
}
