//! Bugs that can be planted into the engine, to show that the simulator's checkers see them.
//!
//! Code asks [`has`] where a bug can stand, one place for each. A build without the feature `planted`
//! has none of them: there `has` is `false` for the compiler too, and what hangs on it is not built.

/// A bug that can be planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// A batch is acknowledged and was not synced.
    UnsyncedCommit,
    /// A runner that comes back is given its run under whichever epoch it names.
    UncheckedEpoch,
    /// A timer fires after its instant, not at it.
    TimerAfterInstant,
    /// Waits for an event are read before the event, and they, are durable.
    EarlyRouting,
    /// An event for one wait, or for none, is done for waits too that the store did not know of.
    WaitUnasked,
    /// A message is handed out twice.
    MessageTwice,
    /// A result of a step that has ended is taken for another one.
    SecondResult,
    /// Steps are taken back in the order in which they started.
    StartOrder,
    /// Segments of the log are given up before they are folded.
    EarlyTrim,
    /// A frame of the log is accepted without its checksum.
    TornTail,
    /// A child of a run that is cancelled is not told.
    ChildLeft,
    /// What a lost branch of a race waits for goes on.
    LoserLeft,
    /// A look back for events begins one instant too late.
    LateLook,
    /// A fork keeps steps that were taken back.
    KeptTakenBack,
    /// A store that is made of a copy lacks what was in the log of it only.
    CopiedLogLost,
    /// Runs of a restored store are let go until the store is opened again.
    LetGoForgotten,
    /// A restored node gives out runs before it is let go.
    HeldGivenOut,
    /// A restored node fires timers before it is let go.
    HeldTimers,
    /// A restored node goes on with what the original had given out.
    OriginalResumed,
    /// A shared store takes writes of a member whose lease has run out.
    LeaseUnchecked,
    /// A shared store takes writes of a member that has ended.
    EndUnchecked,
    /// Who ends a member does not wait for what the member is writing.
    EndsUnderWrite,
    /// The runs of a member are taken over, and it is not ended.
    TakenFromLiving,
    /// Whoever claims a run gets it.
    ClaimUnchecked,
    /// Due runs are claimed whosever they are.
    DueUnchecked,
    /// That a runner holds a run is forgotten as the run is taken over.
    HolderForgotten,
    /// The events of a member that is gone stay its.
    RoutesForgotten,
    /// Events are claimed that others route.
    RoutesTwice,
    /// Messages for runs that are nobody's are shown to nobody.
    MailHidden,
    /// A key that another member has just written is written again.
    KeyUnchecked,
    /// Members go on after the store lost what it had acknowledged.
    LossUnseen,
    /// Whose a run is that waits for an event is not told of the event.
    EventKept,
    /// A run that a runner holds is released as if nobody held it.
    ReleasedFromRunner,
    /// What another member's run is to be told is thrown away.
    MailDropped,
    /// A message is heard that was read before its receiver was claimed: another member may have heard it.
    StaleMail,
}

/// Tells whether a bug is planted in this thread.
#[cfg(not(feature = "planted"))]
#[inline]
pub const fn has(_: Plant) -> bool {
    false
}

/// Plants a bug in this thread, in place of the one before, or none; without the feature, none.
#[cfg(not(feature = "planted"))]
#[inline]
pub const fn set(_: Option<Plant>) {}

#[cfg(feature = "planted")]
pub use chosen::{has, set};

#[cfg(feature = "planted")]
mod chosen {
    extern crate std;

    use core::cell::Cell;

    use super::Plant;

    std::thread_local! {
        static CHOSEN: Cell<Option<Plant>> = const { Cell::new(None) };
    }

    /// Tells whether a bug is planted in this thread.
    pub fn has(plant: Plant) -> bool {
        CHOSEN.get() == Some(plant)
    }

    /// Plants a bug in this thread, in place of the one before, or none.
    pub fn set(plant: Option<Plant>) {
        CHOSEN.set(plant);
    }
}
