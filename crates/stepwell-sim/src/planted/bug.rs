//! Which bugs there are, and which one is chosen.

use std::sync::Arc;
use std::time::Duration;

use stepwell_core::planted::{self, Plant};
use stepwell_core::time::Timestamp;
use stepwell_store::Store;

use super::shown::Shown;

/// What is planted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum What {
    #[default]
    Nothing,
    AnswersEarly,
    DiskLies,
    TimersEarly,
    ClockBack,
    GrantIgnored,
    DeliversEarly,
    ToldTooMuch,
    KeysForgotten,
    HalfBatches,
    TailCut,
    LooksLate,
    WaitsUnseen,
    AttemptsLost,
    InboxKept,
}

/// The bug that is planted, if one is.
#[derive(Clone, Debug, Default)]
pub struct Bug {
    what: What,
    /// What stands in the engine.
    plant: Option<Plant>,
}

/// A bug that can be planted.
#[cfg(feature = "planted")]
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// What it is.
    pub what: &'static str,
    /// The invariants of which one is then broken.
    pub breaks: &'static [&'static str],
    /// How many nodes there have to be.
    pub nodes: usize,
    bug: What,
    plant: Option<Plant>,
}

#[cfg(feature = "planted")]
const fn known(what: &'static str, breaks: &'static [&'static str], bug: What) -> Known {
    Known { what, breaks, nodes: 1, bug, plant: None }
}

#[cfg(feature = "planted")]
const fn engine(what: &'static str, breaks: &'static [&'static str], plant: Plant) -> Known {
    Known { what, breaks, nodes: 1, bug: What::Nothing, plant: Some(plant) }
}

/// One that shows where several nodes share a database.
#[cfg(feature = "planted")]
const fn shared(what: &'static str, breaks: &'static [&'static str], plant: Plant) -> Known {
    Known { what, breaks, nodes: 3, bug: What::Nothing, plant: Some(plant) }
}

#[cfg(feature = "planted")]
impl Bug {
    /// How many of the first are those that have to be seen by name; the others are further ones.
    pub const NAMED: usize = 15;

    /// What can be planted, by number from 1.
    pub const ALL: [Known; 49] = [
        known("effect before commit", &["I1"], What::AnswersEarly),
        engine("acknowledge before sync", &["I1", "I5"], Plant::UnsyncedCommit),
        engine("epoch not checked", &["I6", "I7", "I20"], Plant::UncheckedEpoch),
        engine("`<` for `<=` in timers", &["I13"], Plant::TimerAfterInstant),
        engine("event-wait read before commit", &["events"], Plant::EarlyRouting),
        engine("inbox message consumed twice", &["children"], Plant::MessageTwice),
        engine("second result overwrites", &["I6"], Plant::SecondResult),
        known("attempt count lost on replay", &["I8"], What::AttemptsLost),
        engine("compensation in start order", &["I17"], Plant::StartOrder),
        engine("log trimmed before the fold", &["I1", "I5"], Plant::EarlyTrim),
        engine("torn tail accepted", &["I1", "I3", "I5", "I9"], Plant::TornTail),
        engine("cancelled child left running", &["children"], Plant::ChildLeft),
        engine("loser of a race left waiting", &["races"], Plant::LoserLeft),
        engine("look-back off by one", &["events"], Plant::LateLook),
        engine("fork keeps a compensated step", &["forks"], Plant::KeptTakenBack),
        known("the disk says that it synced and did not", &["I1", "I5"], What::DiskLies),
        known("ticks come two seconds early", &["I13"], What::TimersEarly),
        known("engine time goes back at a start", &["I13"], What::ClockBack),
        known("a runner starts functions after its grant", &["I7", "I20"], What::GrantIgnored),
        known("a runner gives results before they are settled", &["I6"], What::DeliversEarly),
        known("a runner says it was told more than it was", &["I6", "I10"], What::ToldTooMuch),
        known("the store does not find keys", &["I11"], What::KeysForgotten),
        known("the store writes the first run of a batch only", &["I1", "I3"], What::HalfBatches),
        known("journals lack their last record at a start", &["I1"], What::TailCut),
        known("a look-back leaves out a second", &["events"], What::LooksLate),
        known("the store finds no waits", &["events"], What::WaitsUnseen),
        known("the store keeps messages that were heard", &["children"], What::InboxKept),
        engine("an event is done before all its waits are known", &["events"], Plant::WaitUnasked),
        engine("a backup without the end of the log", &["I1", "I5"], Plant::CopiedLogLost),
        engine("`resume` is forgotten at a start", &["restores"], Plant::LetGoForgotten),
        engine("a held store gives runs out", &["restores"], Plant::HeldGivenOut),
        engine("a held store fires timers", &["restores"], Plant::HeldTimers),
        engine("the original's grants are taken back", &["restores"], Plant::OriginalResumed),
        shared("a member writes after its lease", &["I20"], Plant::LeaseUnchecked),
        shared("a member writes that has ended", &["I20"], Plant::EndUnchecked),
        shared("a member is ended while it writes", &["I20"], Plant::EndsUnderWrite),
        shared("runs are taken from a member that lives", &["I20"], Plant::TakenFromLiving),
        shared("a run is claimed that is another's", &["I20"], Plant::ClaimUnchecked),
        shared("a due run is claimed that is another's", &["I20"], Plant::DueUnchecked),
        shared("a takeover forgets that a runner holds a run", &["I10"], Plant::HolderForgotten),
        shared("events of who is gone are routed by nobody", &["events"], Plant::RoutesForgotten),
        shared("an event is claimed that another routes", &["I20"], Plant::RoutesTwice),
        shared("nobody reads the mail of free runs", &["I10", "children"], Plant::MailHidden),
        shared("two nodes start one key", &["I11"], Plant::KeyUnchecked),
        shared("a lossy failover is not noticed", &["I20"], Plant::LossUnseen),
        shared("an event is not passed on", &["events"], Plant::EventKept),
        shared("a run is released as if no runner held it", &["I10"], Plant::ReleasedFromRunner),
        shared("mail for another's run is thrown away", &["I10", "children"], Plant::MailDropped),
        shared("mail is heard that another node has heard", &["children"], Plant::StaleMail),
    ];

    /// Plants a bug.
    pub fn number(number: usize) -> Option<Self> {
        Self::ALL
            .get(number.checked_sub(1)?)
            .map(|known| Self { what: known.bug, plant: known.plant })
    }
}

impl Bug {
    /// Does something with the bug in place that stands in the engine, if one is chosen.
    pub(crate) fn within<T>(&self, act: impl FnOnce() -> T) -> T {
        let _guard = Guard;
        planted::set(self.plant);
        act()
    }

    pub(crate) fn tick(&self, now: Timestamp) -> Timestamp {
        let early = self.what == What::TimersEarly;
        if early { now.after(Duration::from_secs(2)) } else { now }
    }

    pub(crate) fn answers_early(&self) -> bool {
        self.what == What::AnswersEarly
    }

    pub(crate) fn disk_lies(&self) -> bool {
        self.what == What::DiskLies
    }

    pub(crate) fn floor(&self, floor: Timestamp) -> Timestamp {
        if self.what == What::ClockBack { Timestamp::MIN } else { floor }
    }

    pub(crate) fn ignores_grant(&self) -> bool {
        self.what == What::GrantIgnored
    }

    pub(crate) fn delivers_early(&self) -> bool {
        self.what == What::DeliversEarly
    }

    pub(crate) fn told_too_much(&self) -> u32 {
        u32::from(self.what == What::ToldTooMuch)
    }

    /// Shows a store, with the bug between.
    pub(crate) fn show(&self, store: Arc<dyn Store>, reopened: bool) -> Arc<dyn Store> {
        Arc::new(Shown { store, what: self.what, reopened })
    }
}

/// Takes a bug out of the engine again, also where the simulation panicked.
struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        planted::set(None);
    }
}
