//! What a seed came to.

use crate::checkers::Violation;
use crate::deeds::Deeds;
use crate::fault::Table;

/// What a seed came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// The hash of all that happened.
    pub hash: u64,
    /// How many runs there were.
    pub runs: u64,
    /// How many commands the node was given.
    pub commands: u64,
    /// What went wrong in the world.
    pub table: Table,
    /// What operators did.
    pub deeds: Deeds,
    /// What went wrong in the engine.
    pub violations: Vec<Violation>,
}
