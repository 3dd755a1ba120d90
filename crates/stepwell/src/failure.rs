//! Runs that end badly: what a workflow's function is told, and the code of the clean-up.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stepwell_core::failure::Failure;
use stepwell_core::id::RunId;
use stepwell_core::status::{Kind, RunStatus};
use stepwell_core::step_id;
use stepwell_core::time::Timestamp;

use crate::ctx::Ctx;
use crate::error::{Cause, Result};
use crate::handler::{AnyHandler, Call, DataMap};
use crate::json;
use crate::machine::CleanUp;
use crate::step::{RunStep, With};

/// How a run ends badly, as [`on_failure`](crate::WorkflowOptions::on_failure) is told (§7.4).
///
/// ```
/// use stepwell::{Ctx, Result, RunFailure, WorkflowOptions};
///
/// async fn sorry(ctx: Ctx, failure: RunFailure) -> Result<()> {
///     ctx.log().warn(format!("{}: {}", failure.run.id, failure.error));
///     Ok(())
/// }
///
/// let options = WorkflowOptions::new().on_failure(sorry);
/// # let _ = options;
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunFailure {
    /// Why the run does not complete.
    #[serde(deserialize_with = "cause")]
    pub error: Cause,
    /// The steps that completed, in the order in which they did.
    pub completed_steps: Vec<CompletedStep>,
    /// The ids of steps that may have been done, and are not taken back (§7.2).
    pub uncertain_steps: Vec<String>,
    /// The run.
    pub run: FailedRun,
}

/// A step that completed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CompletedStep {
    /// Its id.
    pub id: String,
    /// What it is made by.
    pub kind: Kind,
    output: Option<Box<RawValue>>,
    completed_at: i64,
}

/// A run that ends badly.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedRun {
    /// Its id.
    pub id: RunId,
    /// Its app.
    pub app: String,
    /// Its workflow.
    pub workflow: String,
    /// The status that it ends with.
    pub status: RunStatus,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    error: &'a Failure<'static>,
    completed_steps: Vec<CompletedStep>,
    uncertain_steps: &'a [String],
    run: FailedRun,
}

fn cause<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Cause, D::Error> {
    let raw = Box::<RawValue>::deserialize(from)?;
    let failure: Failure<'_> = serde_json::from_str(raw.get()).map_err(serde::de::Error::custom)?;
    Ok(Cause::of_failure(&failure))
}

impl CompletedStep {
    /// Reads its result.
    ///
    /// # Errors
    /// [`Serialization`](crate::ErrorKind::Serialization) when it does not read as `T`.
    pub fn output<T: DeserializeOwned>(&self) -> Result<T> {
        json::decode(|| format!("the result of step `{}`", self.id), self.output.as_deref())
    }

    /// Returns when it ended.
    pub fn completed_at(&self) -> Timestamp {
        Timestamp::from_micros(self.completed_at)
    }
}

/// The function of a workflow that is told of runs that end badly.
#[derive(Clone)]
pub(crate) struct OnFailure {
    pub(crate) handler: Arc<dyn AnyHandler>,
}

/// Takes back what is to be, one after the other, and then tells the workflow (§7.3, §7.4).
pub(crate) async fn clean_up(
    ctx: Ctx,
    mut work: Box<CleanUp>,
    on_failure: Option<OnFailure>,
    data: Arc<DataMap>,
) -> Result<Option<Box<RawValue>>> {
    for one in std::mem::take(&mut work.compensate) {
        let Some(mut undoes) = work.found.remove(&*one.step) else { continue };
        let id = step_id::of(Kind::Compensate, &one.step);
        let done = work.completed.iter().find(|done| *done.id == *one.step);
        let result = done.and_then(|done| done.output.clone());
        let step: RunStep<_, ()> = RunStep::made(
            ctx.clone(),
            (&id, Kind::Compensate),
            With(move |step| match (&mut undoes.completed, &mut undoes.unknown) {
                (_, Some(undo)) if one.unknown => undo(step),
                (Some(undo), _) => undo(result.as_deref(), step),
                (None, _) => Box::pin(std::future::pending()),
            }),
        );
        // §7.3: one that fails for good is recorded, and does not stop the others.
        let _failed = step.await.err();
    }
    if let Some(on_failure) = on_failure.filter(|_| work.on_failure) {
        let told = told(&ctx, &work)?;
        let call_ctx = ctx.clone();
        let step: RunStep<_, Option<Box<RawValue>>> = RunStep::made(
            ctx,
            (&step_id::on_failure(), Kind::OnFailure),
            With(move |_| {
                let call = Call::new(call_ctx.clone(), data.clone(), Some(told.clone()));
                on_failure.handler.start(call)
            }),
        );
        let _failed = step.await.err();
    }
    Ok(None)
}

fn told(ctx: &Ctx, work: &CleanUp) -> Result<Box<RawValue>> {
    let completed = work.completed.iter().map(|one| CompletedStep {
        id: (*one.id).into(),
        kind: one.kind,
        output: one.output.clone(),
        completed_at: one.at_us,
    });
    let told = Told {
        error: &work.error,
        completed_steps: completed.collect(),
        uncertain_steps: &work.uncertain,
        run: FailedRun {
            id: ctx.run_id(),
            app: ctx.app().into(),
            workflow: ctx.workflow().into(),
            status: work.status,
        },
    };
    Ok(serde_json::value::to_raw_value(&told)?)
}
