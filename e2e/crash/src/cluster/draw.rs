//! Which faults, in which order.

use crate::dice::Dice;

/// How many faults a round has.
const ROUND: usize = 16;

/// What happens, and how many of a hundred faults are that.
const SHARES: [(Kind, usize); 6] = [
    (Kind::Cut, 25),
    (Kind::KillNode, 20),
    (Kind::Pause, 18),
    (Kind::KillRunner, 16),
    (Kind::Shutdown, 15),
    (Kind::Database, 6),
];

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// SIGKILL for a node.
    KillNode,
    /// SIGKILL for a runner.
    KillRunner,
    /// SIGSTOP for a node, for longer than its lease, and SIGCONT.
    Pause,
    /// The answer to a commit is lost, and the connection with it.
    Cut,
    /// The database is ended at once, and started again.
    Database,
    /// SIGTERM for a node.
    Shutdown,
}

/// Beside what it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Alone, to the node that has most runs: how long it takes until they go on is measured.
    Calm,
    /// Whatever else goes on.
    Wild,
}

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) kind: Kind,
    pub(super) manner: Manner,
    /// Which node or runner, where it is up.
    pub(super) which: u64,
    /// Until the next fault, in milliseconds.
    pub(super) gap_ms: u64,
    /// How long it lasts, where it does, in milliseconds.
    pub(super) hold_ms: u64,
}

/// Draws so many faults, in rounds that begin calm and get wild.
pub(super) fn draw(count: u64, dice: &mut Dice) -> Vec<Step> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let mut kinds = Vec::new();
    for (kind, share) in SHARES {
        let of_kind = (count * share).div_ceil(100);
        kinds.extend(std::iter::repeat_n(kind, of_kind));
    }
    shuffle(&mut kinds, dice);
    kinds.truncate(count);
    let mut steps: Vec<Step> = kinds.into_iter().map(|kind| step(kind, dice)).collect();
    for round in steps.chunks_mut(ROUND) {
        // Stable: within each part the order stays that of chance.
        round.sort_by_key(|step| step.manner == Manner::Wild);
    }
    steps
}

fn step(kind: Kind, dice: &mut Dice) -> Step {
    let can_be_calm = matches!(kind, Kind::KillNode | Kind::Shutdown);
    let manner = if can_be_calm && !dice.one_in(4) { Manner::Calm } else { Manner::Wild };
    let hold_ms = match kind {
        // Longer than a lease, which is 3 s.
        Kind::Pause => dice.within(3_300, 6_000),
        Kind::KillNode | Kind::Shutdown => dice.within(0, 4_000),
        Kind::Database => dice.within(0, 400),
        Kind::KillRunner | Kind::Cut => 0,
    };
    Step { kind, manner, which: dice.next(), gap_ms: dice.within(100, 2_500), hold_ms }
}

fn shuffle<T>(all: &mut [T], dice: &mut Dice) {
    for last in (1..all.len()).rev() {
        let other = dice.within(0, last as u64);
        all.swap(last, usize::try_from(other).unwrap_or(last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_faults_as_asked_for_of_every_kind() {
        for count in [20, 150, 160, 1_000] {
            let steps = draw(count, &mut Dice::of(7));
            assert_eq!(steps.len() as u64, count);
            for (kind, share) in SHARES {
                let found = steps.iter().filter(|step| step.kind == kind).count();
                let least = usize::try_from(count).unwrap() * share / 100;
                assert!(found + 6 >= least && found > 0, "{kind:?}: {found} of {count}");
            }
        }
    }

    #[test]
    fn rounds_begin_calm_and_the_seed_says_which_faults_there_are() {
        let steps = draw(64, &mut Dice::of(1));
        for round in steps.chunks(ROUND) {
            assert!(round.is_sorted_by_key(|step| step.manner == Manner::Wild));
        }
        assert!(steps.iter().any(|step| step.manner == Manner::Calm));
        assert_eq!(steps, draw(64, &mut Dice::of(1)));
        assert_ne!(steps, draw(64, &mut Dice::of(2)));
    }
}
