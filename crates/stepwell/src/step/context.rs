//! What a step's function can ask for (§2.2).

use std::sync::Arc;

use serde::de::DeserializeOwned;
use stepwell_core::id::RunId;
use stepwell_core::status::Kind;
use stepwell_core::step_id;

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

    /// Returns the step's id; of a step that takes another one back, that one's.
    pub fn id(&self) -> &str {
        step_id::shown(&self.id)
    }

    /// Returns a key that is the same for every attempt of the step and for no other step, for
    /// services that do a thing once per key.
    pub fn idempotency_key(&self) -> String {
        let run = self.origin(&self.id);
        match self.id.split_once(step_id::SEPARATOR) {
            // Keys travel in headers: no control characters. No step that code names has this one.
            Some((space, name)) => format!("{run}~{space}:{name}"),
            None => format!("{run}:{}", self.id),
        }
    }

    /// Returns the idempotency key of the step that this one takes back; `None` where it takes none.
    pub fn compensated_key(&self) -> Option<String> {
        let name = self.id.split_once(step_id::SEPARATOR).map(|(_, name)| name)?;
        let compensates = step_id::check(Kind::Compensate, &self.id).is_ok();
        compensates.then(|| format!("{}:{name}", self.origin(name)))
    }

    /// §9.8: a result that a fork kept was made under the key of the run that made it.
    fn origin(&self, step: &str) -> RunId {
        let core = self.ctx.cell().lock();
        let kept =
            core.find(step).and_then(|place| core.steps[place].kept_from.as_deref().copied());
        kept.unwrap_or_else(|| self.ctx.run_id())
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
