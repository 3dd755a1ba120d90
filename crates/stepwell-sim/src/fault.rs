//! What goes wrong, and how often it met which kind of step.

use std::fmt::Write as _;

use stepwell_core::status::Kind;

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The node's process is killed, between two outputs or at a call to the disk; what it wrote
    /// stays in the cache of the operating system.
    NodeKilled,
    /// The machine loses power: any subset of the sectors that were not synced is lost.
    PowerLost,
    /// Power is lost while a sector is written: it holds a part of the new bytes.
    SectorTorn,
    /// A sync fails: what was to be synced is on disk or not, and no later sync tells.
    SyncFailed,
    /// A write fails half-way.
    WriteFailed,
    /// The disk is full.
    DiskFull,
    /// A sync takes seconds.
    DiskSlow,
    /// The node's process stands still, longer than runners may be silent.
    NodePaused,
    /// The wall clock of the node's machine is set forward or back.
    ClockJumped,
    /// The node is told to stop, and begins again.
    NodeDrained,
    /// A frame comes late, and those behind it.
    FrameDelayed,
    /// Frames on their way are lost with their connection.
    FrameLost,
    /// Messages are sent again.
    FrameRepeated,
    /// A connection is cut, and both sides are told.
    Cut,
    /// Frames of one direction vanish, and nobody is told.
    CutOneWay,
    /// A runner's process is killed.
    RunnerKilled,
    /// A runner stands still longer than its grant, and then goes on.
    RunnerZombie,
    /// A runner is told to stop; another process takes its name.
    RunnerDrained,
    /// A client does not get its answer.
    ReplyLost,
    /// A backup is made while the server works: nothing goes wrong by itself.
    BackupMade,
    /// The server is lost with its disk, and another begins with a backup of it.
    ServerLost,
    /// A node's connections to the database are cut in the middle of a statement, which is done, or not, or later.
    DatabaseCut,
    /// The database takes seconds for a statement.
    DatabaseSlow,
    /// The database begins anew, or a standby that has everything takes over: all connections are cut.
    DatabaseRestarted,
    /// A standby takes over that lags behind: what was acknowledged last is gone.
    DatabaseFellBack,
    /// Nothing comes to a node for a while, or from it, but for the database.
    NodeApart,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 26] = [
        Self::NodeKilled,
        Self::PowerLost,
        Self::SectorTorn,
        Self::SyncFailed,
        Self::WriteFailed,
        Self::DiskFull,
        Self::DiskSlow,
        Self::NodePaused,
        Self::ClockJumped,
        Self::NodeDrained,
        Self::FrameDelayed,
        Self::FrameLost,
        Self::FrameRepeated,
        Self::Cut,
        Self::CutOneWay,
        Self::RunnerKilled,
        Self::RunnerZombie,
        Self::RunnerDrained,
        Self::ReplyLost,
        Self::BackupMade,
        Self::ServerLost,
        Self::DatabaseCut,
        Self::DatabaseSlow,
        Self::DatabaseRestarted,
        Self::DatabaseFellBack,
        Self::NodeApart,
    ];

    /// Tells whether it comes of what an operator does, not by chance at any moment.
    pub(crate) const fn is_operated(self) -> bool {
        matches!(self, Self::BackupMade | Self::ServerLost)
    }

    /// Tells whether it can happen where so many nodes are.
    pub(crate) const fn is_of(self, nodes: usize) -> bool {
        match self {
            Self::DatabaseCut
            | Self::DatabaseSlow
            | Self::DatabaseRestarted
            | Self::DatabaseFellBack
            | Self::NodeApart => nodes > 1,
            Self::PowerLost
            | Self::SectorTorn
            | Self::SyncFailed
            | Self::WriteFailed
            | Self::DiskFull
            | Self::DiskSlow
            | Self::ClockJumped
            | Self::BackupMade
            | Self::ServerLost => nodes == 1,
            Self::NodeKilled
            | Self::NodePaused
            | Self::NodeDrained
            | Self::FrameDelayed
            | Self::FrameLost
            | Self::FrameRepeated
            | Self::Cut
            | Self::CutOneWay
            | Self::RunnerKilled
            | Self::RunnerZombie
            | Self::RunnerDrained
            | Self::ReplyLost => true,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::NodeKilled => "node killed",
            Self::PowerLost => "power lost",
            Self::SectorTorn => "sector torn",
            Self::SyncFailed => "sync failed",
            Self::WriteFailed => "write failed",
            Self::DiskFull => "disk full",
            Self::DiskSlow => "disk slow",
            Self::NodePaused => "node paused",
            Self::ClockJumped => "clock jumped",
            Self::NodeDrained => "node drained",
            Self::FrameDelayed => "frame delayed",
            Self::FrameLost => "frame lost",
            Self::FrameRepeated => "frame repeated",
            Self::Cut => "connection cut",
            Self::CutOneWay => "cut one way",
            Self::RunnerKilled => "runner killed",
            Self::RunnerZombie => "runner zombie",
            Self::RunnerDrained => "runner drained",
            Self::ReplyLost => "reply lost",
            Self::DatabaseCut => "database cut",
            Self::DatabaseSlow => "database slow",
            Self::DatabaseRestarted => "db restarted",
            Self::DatabaseFellBack => "db fell back",
            Self::NodeApart => "node apart",
            Self::BackupMade => "backup made",
            Self::ServerLost => "server lost",
        }
    }

    fn place(self) -> usize {
        Self::ALL.iter().position(|one| *one == self).unwrap_or(0)
    }
}

/// Which kinds of steps are concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds([bool; Kind::ALL.len()]);

impl Kinds {
    /// Adds a kind.
    pub fn add(&mut self, kind: Kind) {
        self.0[place_of(kind)] = true;
    }
}

fn place_of(kind: Kind) -> usize {
    Kind::ALL.iter().position(|one| *one == kind).unwrap_or(0)
}

/// How often each fault happened, and how often while a step of each kind was in flight where it
/// happened.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: [[u64; Kind::ALL.len()]; Fault::ALL.len()],
    all: [u64; Fault::ALL.len()],
}

impl Table {
    /// Counts a fault.
    pub fn count(&mut self, fault: Fault, kinds: Kinds) {
        let row = fault.place();
        self.all[row] += 1;
        for (cell, met) in self.rows[row].iter_mut().zip(kinds.0) {
            *cell += u64::from(met);
        }
    }

    /// Adds the counts of another table.
    pub fn add(&mut self, other: &Self) {
        for (row, more) in self.rows.iter_mut().zip(other.rows) {
            for (cell, more) in row.iter_mut().zip(more) {
                *cell += more;
            }
        }
        for (cell, more) in self.all.iter_mut().zip(other.all) {
            *cell += more;
        }
    }

    /// Returns how many faults there were.
    pub fn total(&self) -> u64 {
        self.all.iter().sum()
    }

    /// Returns the pairs of a fault and a kind of step that never met, where so many nodes are.
    pub fn zeros(&self, nodes: usize) -> Vec<(Fault, Kind)> {
        let pairs = Fault::ALL.iter().zip(&self.rows).flat_map(|(fault, row)| {
            Kind::ALL.iter().zip(row).map(move |(kind, count)| (*fault, *kind, *count))
        });
        let never = |(fault, _, count): &(Fault, Kind, u64)| *count == 0 && fault.is_of(nodes);
        pairs.filter(never).map(|(fault, kind, _)| (fault, kind)).collect()
    }

    /// Shows the table of the faults that there can be where so many nodes are.
    pub fn show(&self, nodes: usize) -> String {
        let mut text = format!("{:<16}", "fault");
        for kind in Kind::ALL {
            let _ = write!(text, "{:>12}", kind.as_str());
        }
        let _ = writeln!(text, "{:>12}", "all");
        let rows = Fault::ALL.iter().zip(&self.rows).zip(self.all);
        for ((fault, row), all) in rows.filter(|((fault, _), _)| fault.is_of(nodes)) {
            let _ = write!(text, "{:<16}", fault.name());
            for cell in row {
                let _ = write!(text, "{cell:>12}");
            }
            let _ = writeln!(text, "{all:>12}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_counts_what_a_fault_met() {
        let mut table = Table::default();
        let mut kinds = Kinds::default();
        kinds.add(Kind::Sleep);
        table.count(Fault::Cut, kinds);
        table.count(Fault::Cut, Kinds::default());
        let mut sum = Table::default();
        sum.add(&table);
        assert_eq!(sum.total(), 2);
        assert!(!sum.zeros(1).contains(&(Fault::Cut, Kind::Sleep)));
        assert!(sum.zeros(1).contains(&(Fault::Cut, Kind::Run)));
        assert!(sum.show(1).contains("connection cut             0           1           0"));
    }
}
