//! What a step's function can ask for (§2.2).

use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::ctx::Ctx;
use crate::error::Result;
use crate::json;
use crate::log::Log;
use crate::signal::Signal;

/// An attempt of a step, as its function sees it.
#[derive(Clone, Debug)]
pub struct StepCtx {
    /// The attempt's number, from 1.
    pub attempt: u32,
    /// Fires when the attempt runs out of time and when the run is ending.
    pub signal: Signal,
    /// The run.
    pub ctx: Ctx,
    /// Keeps lines with the step.
    pub log: Log,
    place: usize,
    id: Arc<str>,
}

impl StepCtx {
    pub(crate) fn new(ctx: Ctx, place: usize, attempt: u32, id: Arc<str>) -> Self {
        let signal = ctx.cell().signal(place);
        let log = Log::new(ctx.cell().clone(), Some(place));
        Self { attempt, signal, ctx, log, place, id }
    }

    /// Returns the step's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns a key that is the same for every attempt of the step and for no other step, for
    /// services that do a thing once per key.
    pub fn idempotency_key(&self) -> String {
        // §9.8: a result that a fork kept was made under the key of the run that made it.
        let kept_from = self.ctx.cell().lock().steps[self.place].kept_from;
        format!("{}:{}", kept_from.unwrap_or_else(|| self.ctx.run_id()), self.id)
    }

    /// Reads the step's recorded input.
    ///
    /// # Errors
    /// [`Serialization`](crate::ErrorKind::Serialization) when it does not read as `T`.
    pub fn input<T: DeserializeOwned>(&self) -> Result<T> {
        let core = self.ctx.cell().lock();
        let details = core.steps[self.place].details.as_deref();
        let input = details.and_then(|details| details.input.as_deref()).map(ToOwned::to_owned);
        drop(core);
        json::decode(|| format!("the input of step `{}`", self.id), input.as_deref())
    }
}
