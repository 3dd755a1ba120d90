//! Playing a plan with the steps of a run.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use stepwell::{Ctx, Error, ErrorKind, OnUnknown, Result, Retry, Since, StepCtx};

use super::app::Said;
use super::call::{Call, Found, HANG_TIMEOUT, verify};
use super::world::World;
use super::{GO, SAY};
use crate::ledger::{Hash, Source, What};
use crate::plan::{How, Part, Plan, Wait, Work};

/// How far back children look for events, which clients may have sent before the child was started.
const BACK: Duration = Duration::from_mins(10);

/// The hashes of results, as the code was given them, by step.
pub(super) type Results = BTreeMap<String, Hash>;

/// Plays a plan, or a branch of it.
#[derive(Clone, Copy)]
pub(super) struct Player<'a> {
    pub(super) ctx: &'a Ctx,
    pub(super) world: &'a Arc<World>,
    /// What events for it carry.
    pub(super) token: &'a str,
    /// It plays a branch of a race, which may lose.
    pub(super) racing: bool,
}

impl<'a> Player<'a> {
    /// Plays parts one after the other.
    pub(super) fn parts(
        self,
        parts: &'a [Part],
        before: Option<Hash>,
    ) -> Pin<Box<dyn Future<Output = Result<Results>> + Send + 'a>> {
        Box::pin(async move {
            let (mut results, mut last) = (Results::new(), before);
            for part in parts {
                let found = self.part(part, last).await?;
                if let Some(value) = found.values().next_back() {
                    last = Some(*value);
                }
                results.extend(found);
            }
            Ok(results)
        })
    }

    async fn part(self, part: &'a Part, last: Option<Hash>) -> Result<Results> {
        let (id, value) = match part {
            Part::Work(work) => (&work.id, self.work(work, last).await?),
            Part::Wait(wait) => (&wait.id, self.wait(wait).await?),
            Part::Emit { id, to } => (id, Some(self.emit(id, to.as_deref()).await?)),
            Part::Invoke { id, workflow, plan } => {
                (id, Some(self.invoke(id, workflow, plan).await?))
            }
            Part::Race { id, branches } => (id, Some(self.race(id, branches, last).await?)),
            Part::Branches(branches) => return self.branches(branches, last).await,
            Part::Sleep { id, ms } => {
                self.ctx.sleep(id, Duration::from_millis(*ms)).await?;
                (id, None)
            }
            Part::Until { id, ms } => {
                let at = self.ctx.now().after(Duration::from_millis(*ms));
                self.ctx.sleep_until(id, at).await?;
                (id, None)
            }
            Part::Skip { id } => {
                self.ctx.skip(id).await?;
                (id, None)
            }
        };
        Ok(value.map(|value| (id.clone(), value)).into_iter().collect())
    }

    /// Plays branches side by side.
    async fn branches(self, branches: &'a [Vec<Part>], before: Option<Hash>) -> Result<Results> {
        let found: Vec<Result<Results>> = match branches {
            [one, other] => {
                let (one, other) = tokio::join!(self.parts(one, before), self.parts(other, before));
                vec![one, other]
            }
            _ => join_all(branches.iter().map(|parts| self.parts(parts, before))).await,
        };
        let found: Result<Vec<Results>> = found.into_iter().collect();
        Ok(found?.into_iter().flatten().collect())
    }

    async fn race(
        self,
        id: &'a str,
        branches: &'a [Vec<Part>],
        before: Option<Hash>,
    ) -> Result<Hash> {
        let Self { world, token, .. } = self;
        let mut race = self.ctx.race::<Results>(id);
        for (at, parts) in branches.iter().enumerate() {
            race = race.branch(&format!("branch-{at}"), move |ctx| async move {
                let player = Player { ctx: &ctx, world, token, racing: true };
                player.parts(parts, before).await
            });
        }
        let won = race.await?;
        Ok(self.given(id, &json!({ "winner": won.winner, "value": won.value }), Source::Engine))
    }

    async fn invoke(self, id: &str, workflow: &str, plan: &Plan) -> Result<Hash> {
        let value = self.ctx.invoke::<Value>(id, workflow).input(plan).await?;
        Ok(self.given(id, &value, Source::Child))
    }

    async fn wait(self, wait: &Wait) -> Result<Option<Hash>> {
        let wanted = json!({ "token": self.token, "group": wait.group });
        let mut step = self.ctx.wait_for_event::<Value>(&wait.id, GO).matching(wanted);
        if self.ctx.parent().is_some() {
            step = step.since(Since::Back(BACK));
        }
        if let Some(ms) = wait.ms {
            step = step.timeout(Duration::from_millis(ms));
        }
        let data = step.await?;
        Ok(data.map(|data| self.given(&wait.id, &data, Source::Event)))
    }

    /// Sends an event for waits of this plan, or one that starts a run.
    async fn emit(self, id: &str, to: Option<&str>) -> Result<Hash> {
        let by = format!("{}.{id}", self.ctx.run_id());
        let data = serde_json::to_value(Said { by: by.clone() })?;
        self.world.note(What::AskedEvent { id: by.clone(), value: Hash::of(&data) });
        let step = self.ctx.emit(id, if to.is_some() { GO } else { SAY });
        let step = step.data(&data).app(self.ctx.app());
        let event = match to {
            Some(group) => step.matching(json!({ "token": self.token, "group": group })).await?,
            None => step.await?,
        };
        self.world.note(What::AckedEvent { id: by, starts: to.is_none() });
        Ok(self.given(id, &Value::from(event), Source::Engine))
    }

    async fn work(self, work: &'a Work, after: Option<Hash>) -> Result<Option<Hash>> {
        let Self { world, racing, .. } = self;
        let begin = move |step: &StepCtx| Call::begin(world, (work, racing), step);
        let function = |step: StepCtx| async move {
            let call = begin(&step);
            call.pass().await;
            call.finish(after).await
        };
        let found: Result<Found> = match work.how {
            How::OwnThread => self.on_a_thread(work, after).await,
            How::Verified => {
                let step = self.ctx.run_with(&work.id, function);
                step.at_most_once_verified(|step| async move { verify(world, work, &step) }).await
            }
            How::Unverified => {
                let step = self.ctx.run_with(&work.id, function).at_most_once();
                step.on_unknown(OnUnknown::Throw).await
            }
            How::Waits | How::Hangs | How::BlocksThread | How::Stumbles => {
                let retry = Retry::constant(work.attempts_max(), "20ms");
                let mut step = self.ctx.run_with(&work.id, function).retry(retry);
                if work.undo {
                    step = step.compensate(self.undo(work));
                }
                if work.how == How::Hangs {
                    step = step.timeout(HANG_TIMEOUT);
                }
                step.await
            }
        };
        match found {
            Ok(found) => {
                let value = serde_json::to_value(&found)?;
                Ok(Some(self.given(&work.id, &value, Source::Function)))
            }
            Err(error) if error.kind() == ErrorKind::OutcomeUnknown => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn on_a_thread(self, work: &Work, after: Option<Hash>) -> Result<Found> {
        let (world, own, racing) = (Arc::clone(self.world), work.clone(), self.racing);
        let function = move |step: StepCtx| {
            let call = Call::begin(&world, (&own, racing), &step);
            std::thread::sleep(Duration::from_millis(own.ms));
            call.end(after)
        };
        let retry = Retry::constant(work.attempts_max(), "20ms");
        let step = self.ctx.run_blocking(&work.id, function).retry(retry);
        if work.undo { step.compensate(self.undo(work)).await } else { step.await }
    }

    /// Returns what takes a step back.
    fn undo(
        self,
        work: &Work,
    ) -> impl Fn(Found) -> Pin<Box<dyn Future<Output = Result<()>> + Send>> + Send + 'static {
        let (world, run) = (Arc::clone(self.world), self.ctx.run_id().to_string());
        let (step, time) = (work.id.clone(), Duration::from_millis(work.ms));
        move |found| {
            let (run, step) = (run.clone(), step.clone());
            let noted = serde_json::to_value(&found).map(|value| {
                world.note(What::UndoStart { run, step, value: Hash::of(&value) });
            });
            Box::pin(async move {
                tokio::time::sleep(time).await;
                noted.map_err(Error::from)
            })
        }
    }

    /// Notes a result, which is the first thing after the engine has given it: it has acknowledged it.
    fn given(self, step: &str, value: &Value, from: Source) -> Hash {
        let (run, value) = (self.ctx.run_id().to_string(), Hash::of(value));
        self.world.note(What::AckedResult { run, step: step.to_owned(), value, from });
        value
    }
}
