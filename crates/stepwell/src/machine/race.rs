//! Races of branches (§5.5).

use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::cell::Cell;
use super::state::{Attempt, Core, Out, Outcome, Phase, State};

/// The branch of a race that code stands in.
#[derive(Debug)]
pub(crate) struct Lane {
    /// The id of the race.
    pub(crate) race: Arc<str>,
    /// The name of the branch.
    pub(crate) name: Arc<str>,
}

/// Where a race stands, for its branches.
#[derive(Debug)]
pub(crate) enum Racing {
    /// The first branch that settles wins.
    Open,
    /// The journal has its end: the branches go where they went before, until it is delivered. The
    /// name is that of the winner, where it won with a value.
    Recorded(Option<String>),
    /// The branches go on, and nobody wins: the run is ending and functions in flight end, or its
    /// handler only replays (§7.5), to reach all that completed in any of them.
    Unjudged,
    /// Nothing goes on in it.
    Over,
}

#[derive(Deserialize)]
struct Winner {
    winner: String,
}

impl Cell {
    /// Says what the branches of a race are to do. It has no place where nothing is saved of it: it
    /// never settles then.
    pub(crate) fn racing(&self, place: Option<usize>) -> Racing {
        let core = self.lock();
        if core.phase == Phase::Gathering {
            // What a branch completed stands before the race's end in the journal. A race that was
            // open as the run's end was decided has none, and may not be told of at all.
            return Racing::Unjudged;
        }
        let Some(place) = place else { return Racing::Over };
        match (core.phase, core.steps[place].state) {
            (Phase::Ending | Phase::Leaving(_), _) => Racing::Unjudged,
            (Phase::Forward, State::Racing) => Racing::Open,
            (Phase::Forward, State::Ended) if core.steps[place].attempt.is_none() => {
                let end = core.steps[place].end.as_ref();
                let output = end.and_then(|end| end.output.as_deref());
                let winner = output.and_then(|raw| serde_json::from_str::<Winner>(raw.get()).ok());
                Racing::Recorded(winner.map(|winner| winner.winner))
            }
            _ => Racing::Over,
        }
    }

    /// A branch settled first.
    pub(crate) fn on_won(&self, place: usize, outcome: Outcome) {
        let now = self.now();
        let mut core = self.lock();
        if core.steps[place].state != State::Racing {
            return;
        }
        core.steps[place].attempt =
            Some(Attempt { ended_at: now, outcome: Some(outcome), ..Attempt::new(1, now) });
        core.set(place, State::Telling);
        core.outbox.push_back(Out::Raced(place));
        drop(core);
        self.notify_from_code();
    }

    /// Tells whether a function or step in this branch may still begin.
    pub(super) fn may_race(core: &Core, lane: Option<&Arc<Lane>>) -> bool {
        let Some(lane) = lane else { return true };
        core.find(&lane.race).is_some_and(|race| core.steps[race].state == State::Racing)
    }
}

/// Returns the winner's value as the journal has it.
pub(crate) fn value_of(output: Option<&RawValue>) -> Option<(String, Option<Box<RawValue>>)> {
    #[derive(Deserialize)]
    struct Won {
        winner: String,
        #[serde(default)]
        value: Option<Box<RawValue>>,
    }
    let won: Won = serde_json::from_str(output?.get()).ok()?;
    Some((won.winner, won.value))
}
