//! Races: the first branch that settles wins, and the others are cancelled with that (§2, §5.5).

use alloc::borrow::Cow;
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde_json::value::RawValue;

use super::act::Act;
use super::command::{Change, Rejection};
use super::state::Run;
use super::step::Known;
use crate::failure::{Failure, names};
use crate::payload;
use crate::planted::{self, Plant};
use crate::record::{Opening, RaceStarted, Record, StepEnded};
use crate::status::{Kind, StepStatus};
use crate::time::Timestamp;

/// What a runner says of the branch that settled first.
#[derive(Debug)]
pub struct EndRace<'a> {
    /// The race.
    pub step: Cow<'a, str>,
    /// When it settled.
    pub at: Timestamp,
    /// `{winner, value}`, or what the branch threw.
    pub result: Result<Option<&'a RawValue>, Failure<'a>>,
}

impl Run {
    /// The race begins; its branches run in its runner.
    pub(super) fn fold_race_started(&mut self, race: &RaceStarted<'_>) {
        let position = self.open_step(&race.step, Some(&race.open));
        if let Some(step) = self.at_mut(position) {
            step.status = StepStatus::Running;
        }
    }

    /// Tells whether a branch of this race may still go on.
    fn is_racing(&self, race: &str) -> bool {
        self.step(race).is_some_and(|race| race.kind == Kind::Race && !race.is_ended())
    }

    /// §5.5: a step that an ended race has in one of its branches does not begin any more. A race that
    /// the decision on the run's end overtook never began, and nothing in it lost (§7.2).
    pub(super) fn lost_its_race(&self, open: &Opening<'_>) -> bool {
        open.branch.as_ref().is_some_and(|branch| {
            let overtaken = self.is_ending() && self.step(&branch.race).is_none();
            !overtaken && !self.is_racing(&branch.race)
        })
    }

    /// Returns the open steps in the branches of a race, and in those of races inside of it.
    fn losers(&self, race: &str) -> Vec<(Arc<str>, Kind)> {
        let mut inside = alloc::vec![Arc::<str>::from(race)];
        let mut losers = Vec::new();
        // A race stands before the steps of its branches: one pass finds all of them.
        for step in &self.steps {
            if step.race.as_ref().is_some_and(|race| inside.contains(race)) {
                if step.kind == Kind::Race {
                    inside.push(step.id.clone());
                }
                if !step.is_ended() {
                    losers.push((step.id.clone(), step.kind));
                }
            }
        }
        losers
    }
}

impl Change<'_, '_> {
    pub(super) fn start_race(
        &mut self,
        step: Cow<'_, str>,
        open: Opening<'_>,
    ) -> Result<(), Rejection> {
        match self.look_up(&step, Kind::Race, Some(&open))? {
            Known::Ended | Known::Open { .. } => return Ok(()),
            Known::New if self.is_full() => return Ok(()),
            Known::New => {}
        }
        if !self.is_ending() {
            self.push(&Record::RaceStarted(RaceStarted { step, open }));
        }
        Ok(())
    }

    pub(super) fn end_race(&mut self, end: EndRace<'_>) -> Result<(), Rejection> {
        match self.look_up(&end.step, Kind::Race, None)? {
            Known::Ended | Known::New => return Ok(()),
            Known::Open { .. } => {}
        }
        let limit = self.env.limits.payload_bytes_max;
        let (status, output, error) = match end.result {
            Ok(output) => match output.map_or(Ok(()), |raw| payload::check(raw, limit)) {
                Ok(()) => (StepStatus::Completed, output, None),
                Err(why) => {
                    let message =
                        alloc::format!("the result of race `{}` is refused: {why}", end.step);
                    (StepStatus::Failed, None, Some(Failure::new(names::LIMIT, message)))
                }
            },
            Err(failure) => (StepStatus::Failed, None, Some(failure)),
        };
        let told = error.clone().map(Failure::into_owned);
        self.push(&Record::StepEnded(StepEnded {
            step: (&*end.step).into(),
            at: end.at,
            status,
            attempt: None,
            event: None,
            output,
            error,
            open: None,
        }));
        self.settle(&end.step, end.at, status, told);
        self.cancel_losers(&end.step)
    }

    /// §5.5: what a branch began before its runner knew that another one had won is recorded, and
    /// cancelled with that. Tells whether this is such a word.
    pub(super) fn began_too_late(&mut self, act: &Act<'_>) -> Result<bool, Rejection> {
        let (step, open) = match act {
            Act::StartStep(start) => (&start.step, start.open.as_ref()),
            Act::EndStep(end) => (&end.step, end.open.as_ref()),
            Act::Sleep(sleep) => (&sleep.step, Some(&sleep.open)),
            Act::Invoke(invoke) => (&invoke.step, Some(&invoke.open)),
            Act::Wait(wait) => (&wait.step, Some(&wait.open)),
            Act::Emit(emit) => (&emit.step, Some(&emit.open)),
            Act::Skip { step, open } | Act::StartRace { step, open } => (step, Some(open)),
            Act::Drop { step, open } => (step, open.as_ref()),
            Act::Log { .. }
            | Act::NoteOrder { .. }
            | Act::Block(_)
            | Act::Release { .. }
            | Act::Finish(_)
            | Act::Verify(_)
            | Act::EndRace(_)
            | Act::SetSearch(_) => return Ok(false),
        };
        let Some(open) = open.filter(|open| self.run.lost_its_race(open)) else {
            return Ok(false);
        };
        if self.run.step(step).is_some() || self.is_ending() {
            return Ok(false);
        }
        self.note(step, open.kind, StepStatus::Cancelled, Some(open.clone()))?;
        Ok(true)
    }

    /// §5.5: what the branches left open is cancelled in the same commit.
    pub(super) fn cancel_losers(&mut self, race: &str) -> Result<(), Rejection> {
        if planted::has(Plant::LoserLeft) {
            return Ok(());
        }
        for (step, kind) in self.run.losers(race) {
            self.note(&step, kind, StepStatus::Cancelled, None)?;
        }
        Ok(())
    }
}
