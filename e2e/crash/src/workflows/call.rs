//! Calls of functions.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use stepwell::{Error, Result, StepCtx, Verdict};

use super::world::World;
use crate::dice::Dice;
use crate::ledger::{Hash, What};
use crate::plan::{How, Work};

/// How long an attempt has that hangs.
pub(super) const HANG_TIMEOUT: Duration = Duration::from_millis(250);

/// What a function returns. No two calls return the same, so that a result that was made again shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Found {
    /// By chance.
    number: u64,
    /// By chance, and as long as the plan says.
    text: String,
    /// The result before this one in the plan.
    after: Option<Hash>,
}

/// A call of the function of a step.
pub(super) struct Call<'a> {
    world: &'a World,
    work: &'a Work,
    run: String,
    attempt: u32,
}

impl<'a> Call<'a> {
    pub(super) fn begin(
        world: &'a World,
        (work, racing): (&'a Work, bool),
        step: &StepCtx,
    ) -> Self {
        let (run, attempt) = (step.ctx.run_id().to_string(), step.attempt);
        world.note(What::FnStart {
            run: run.clone(),
            step: work.id.clone(),
            attempt,
            attempts_max: work.attempts_max(),
            starts: work.starts,
            racing,
            undo: work.undo,
        });
        Self { world, work, run, attempt }
    }

    pub(super) async fn pass(&self) {
        let time = Duration::from_millis(self.work.ms);
        match self.work.how {
            // Longer than the attempt may take.
            How::Hangs if self.attempt <= self.work.fails => {
                tokio::time::sleep(HANG_TIMEOUT * 20).await;
            }
            How::BlocksThread => std::thread::sleep(time),
            // Its effect is in the middle: a process that is killed may have had it or not.
            How::Verified => tokio::time::sleep(time / 2).await,
            How::Waits | How::Hangs | How::OwnThread | How::Stumbles | How::Unverified => {
                tokio::time::sleep(time).await;
            }
        }
    }

    /// Has the effect of the function, takes what is left of its time, and returns.
    pub(super) async fn finish(self, after: Option<Hash>) -> Result<Found> {
        let rest = match self.work.how {
            How::Verified => Duration::from_millis(self.work.ms.div_ceil(2)),
            How::Waits
            | How::Hangs
            | How::OwnThread
            | How::BlocksThread
            | How::Stumbles
            | How::Unverified => Duration::ZERO,
        };
        let found = self.end(after)?;
        if !rest.is_zero() {
            tokio::time::sleep(rest).await;
        }
        Ok(found)
    }

    fn fails(&self) -> Result<bool> {
        if self.work.how != How::Stumbles {
            return Ok(self.attempt <= self.work.fails);
        }
        let first = self.world.bank.is_first(&name(&self.run, &self.work.id));
        first.map_err(|error| Error::new(error.to_string()))
    }

    pub(super) fn end(self, after: Option<Hash>) -> Result<Found> {
        let (run, step, attempt) = (self.run.clone(), self.work.id.clone(), self.attempt);
        if self.fails()? {
            self.world.note(What::FnEnd { run, step, attempt, value: None });
            return Err(Error::new(format!("attempt {attempt} fails on purpose")));
        }
        let mut dice = Dice::unknown();
        let found = Found { number: dice.next(), text: dice.text(self.work.bytes), after };
        let value: Value = serde_json::to_value(&found)?;
        self.world.note(What::FnEnd { run, step, attempt, value: Some(Hash::of(&value)) });
        if self.work.how == How::Verified {
            // Its effect: before it, nothing was done.
            let kept =
                self.world.bank.keep(&name(&self.run, &self.work.id), &self.world.process, &value);
            kept.map_err(|error| Error::new(error.to_string()))?;
        }
        Ok(found)
    }
}

/// Finds out what the function of a step did whose outcome was lost.
pub(super) fn verify(world: &World, work: &Work, step: &StepCtx) -> Result<Verdict<Found>> {
    let (run, id) = (step.ctx.run_id().to_string(), work.id.clone());
    let (bank, name) = (&world.bank, name(&run, &id));
    let told = |error: std::io::Error| Error::new(error.to_string());
    // Who finds out may fail, and is tried again; where it failed each time, the run would be blocked.
    if Dice::unknown().one_in(2) && bank.is_first(&format!("{name}.verify")).map_err(told)? {
        return Err(Error::new("the bank is closed"));
    }
    let found = bank.find(&name).map_err(told)?;
    let done = found.as_ref().map(Hash::of);
    world.note(What::Verified { run, step: id, done });
    found.map_or(Ok(Verdict::NotDone), |value| Ok(Verdict::Done(serde_json::from_value(value)?)))
}

fn name(run: &str, step: &str) -> String {
    format!("{run}.{step}")
}
