//! What happened in the database, for those who judge it.

use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;

use crate::event::Place;
use crate::shared::MemberId;

/// Something that took effect in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A member joined.
    Joined {
        /// The member.
        member: MemberId,
        /// The name of its node.
        node: String,
    },
    /// A member is none any more.
    Ended(MemberId),
    /// A batch became durable.
    Committed {
        /// Whose.
        member: MemberId,
        /// Which of the member's batches, from 1.
        n: u64,
        /// The runs that it writes.
        runs: Vec<RunId>,
        /// When it was checked that the member is one.
        checked: Timestamp,
        /// Until when the member's lease ran then.
        until: Timestamp,
    },
    /// A member claimed a run.
    Claimed(MemberId, RunId),
    /// A member released a run.
    Released(MemberId, RunId),
    /// A run of a member was taken over.
    Freed(MemberId, RunId),
    /// A member routes an event: it accepted or claimed it.
    Routes(MemberId, Place),
    /// An event of a member was given up, or taken over.
    Unrouted(MemberId, Place),
}
