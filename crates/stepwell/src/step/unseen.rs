//! Without the feature `test` every function is called, and nobody sees it.

use super::plan::Plan;
use crate::machine::Outcome;

/// What is to happen where a function would be called.
#[expect(dead_code, reason = "only tests stand in for functions")]
pub(super) enum Begin {
    /// Call it.
    Call,
    /// It is as if it had ended so.
    Ends(Outcome),
    /// Its process is dead.
    Never,
}

/// A function that is seen from another thread.
pub(super) struct Seen;

impl Seen {
    pub(super) fn of(_: &Plan) -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "tests have something to see")]
    pub(super) fn ended(&self, _: u32) {}
}

impl Plan {
    #[expect(
        clippy::unused_self,
        clippy::extra_unused_type_parameters,
        reason = "tests have something to see"
    )]
    pub(super) fn begins<T>(&self, _: u32) -> Begin {
        Begin::Call
    }

    #[expect(clippy::unused_self, reason = "tests have something to see")]
    pub(super) fn ended(&self, _: u32) {}
}
