//! What steps have in common: id, options, the place that the run gave them.

use std::sync::Arc;
use std::task::{Context, Poll};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use stepwell_core::clean_up::Compensable;
use stepwell_core::status::{Kind, StepStatus};

use super::context::StepCtx;
use crate::ctx::Ctx;
use crate::duration::IntoDuration;
use crate::error::{Error, Result};
use crate::json;
use crate::machine::{Ask, Details, End, Turn, Undoes, Undoing};
use crate::retry::{AtMostOnce, Retry};

/// A step that was, or is about to be, asked for.
pub(super) struct Plan {
    pub(super) ctx: Ctx,
    pub(super) id: Arc<str>,
    kind: Kind,
    blocking: bool,
    details: Option<Box<Details>>,
    /// The first argument that was not accepted.
    error: Option<Error>,
    place: Place,
    undoes: Option<Box<Undoes>>,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// Not asked for yet.
    None,
    /// The run has it.
    Some(usize),
    /// The run cannot go on: the step never ends.
    Never,
    /// The code was given its end.
    Over,
}

impl Plan {
    pub(super) fn new(ctx: Ctx, id: &str, kind: Kind) -> Self {
        Self {
            ctx,
            id: Arc::from(id),
            kind,
            blocking: false,
            details: None,
            error: None,
            place: Place::None,
            undoes: None,
        }
    }

    pub(super) fn blocking(mut self) -> Self {
        self.blocking = true;
        self
    }

    /// Applies an option; the first error is kept and given when the step is asked for.
    pub(super) fn set(&mut self, set: impl FnOnce(&Arc<str>, &mut Details) -> Result<()>) {
        if self.error.is_none() {
            let set = set(&self.id, self.details.get_or_insert_default());
            self.error = set.err();
        }
    }

    pub(super) fn set_retry(&mut self, retry: Retry) {
        self.set(|_, details| {
            details.options.retry = Some(retry.into_policy()?);
            Ok(())
        });
    }

    pub(super) fn set_timeout(&mut self, timeout: impl IntoDuration) {
        self.set(|_, details| {
            details.options.timeout = Some(timeout.into_duration()?);
            Ok(())
        });
    }

    pub(super) fn set_total_timeout(&mut self, timeout: impl IntoDuration) {
        self.set(|_, details| {
            details.options.total = Some(timeout.into_duration()?);
            Ok(())
        });
    }

    /// §4.5: one attempt, whose start is durable before it.
    pub(super) fn set_once(&mut self, change: impl FnOnce(&mut AtMostOnce)) {
        self.set(|_, details| {
            change(details.options.once.get_or_insert_default());
            Ok(())
        });
    }

    /// §4.5: options that cannot be had together.
    fn contradicts(&self) -> Option<Error> {
        let options = &self.details.as_deref()?.options;
        let both = options.once.is_some() && options.retry.is_some();
        both.then(|| {
            let id = &self.id;
            Error::argument(format!(
                "step `{id}` has both `at_most_once` and `retry`; a function that starts at most \
                 once is not tried again: give no `retry`"
            ))
        })
    }

    pub(super) fn set_metadata(&mut self, metadata: impl Serialize) {
        self.set(|id, details| {
            details.metadata = json::encode(|| format!("the metadata of step `{id}`"), &metadata)?;
            Ok(())
        });
    }

    pub(super) fn set_input(&mut self, input: impl Serialize) {
        self.set(|id, details| {
            details.input = json::encode(|| format!("the input of step `{id}`"), &input)?;
            Ok(())
        });
    }

    pub(super) fn set_compensate<T, F, Fut>(&mut self, undo: F)
    where
        T: DeserializeOwned,
        F: Fn(T, StepCtx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        self.set(|_, details| {
            if details.compensable.is_no() {
                details.compensable = Compensable::Completed;
            }
            Ok(())
        });
        let id = self.id.clone();
        let undo = move |result: Option<&RawValue>, step: StepCtx| -> Undoing {
            match json::decode(|| format!("the result of step `{id}`"), result) {
                Ok(result) => Box::pin(undo(result, step)),
                Err(error) => Box::pin(std::future::ready(Err(error))),
            }
        };
        self.undoes.get_or_insert_default().completed = Some(Box::new(undo));
    }

    pub(super) fn set_compensate_unknown<F, Fut>(&mut self, undo: F)
    where
        F: Fn(StepCtx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        self.set(|_, details| {
            details.compensable = Compensable::Unknown;
            Ok(())
        });
        let undo = move |step: StepCtx| -> Undoing { Box::pin(undo(step)) };
        self.undoes.get_or_insert_default().unknown = Some(Box::new(undo));
    }

    pub(super) fn place(&self) -> Option<usize> {
        match self.place {
            Place::Some(place) => Some(place),
            Place::None | Place::Never | Place::Over => None,
        }
    }

    /// Asks for the step, once; then asks what to do. `held` is the attempt whose function the
    /// caller holds, 0 for none.
    ///
    /// # Errors
    /// The step is not taken up; its future then ends with this.
    pub(super) fn turn(&mut self, cx: &mut Context<'_>, held: u32) -> Result<Turn> {
        if let Place::None = self.place {
            self.place = Place::Over;
            if let Some(error) = self.error.take().or_else(|| self.contradicts()) {
                return Err(error);
            }
            if let Some(undoes) = self.undoes.take() {
                self.ctx.cell().found(&self.id, *undoes);
            }
            let lane = self.ctx.lane().cloned();
            if lane.is_some() {
                self.details.get_or_insert_default().lane = lane;
            }
            let ask = Ask {
                id: self.id.clone(),
                kind: self.kind,
                blocking: self.blocking,
                details: self.details.take(),
            };
            let (place, turn) = self.ctx.cell().ask(ask, cx.waker())?;
            self.place = place.map_or(Place::Never, Place::Some);
            return Ok(turn);
        }
        match self.place {
            Place::Some(place) => Ok(self.ctx.cell().turn(place, held, cx.waker())),
            Place::None | Place::Never | Place::Over => Ok(Turn::Pending),
        }
    }

    /// Notes that the code has the end of the step.
    pub(super) fn over(&mut self) {
        self.place = Place::Over;
    }

    /// Turns the end of a step into what the code is given (§6.3, §6.4).
    pub(super) fn result(&self, end: &End) -> Result<()> {
        match end.status {
            StepStatus::Completed | StepStatus::Skipped => Ok(()),
            _ if self.kind == Kind::Invoke => Err(Error::child(&self.id, end.error.as_deref())),
            status => Err(Error::step(&self.id, status, end.attempts, end.error.as_deref())),
        }
    }

    /// Polls a step that has no function.
    pub(super) fn poll_plain(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        match self.turn(cx, 0) {
            Ok(Turn::Ready(end)) => {
                self.over();
                Poll::Ready(self.result(&end))
            }
            Ok(Turn::Begin(_) | Turn::Verify(_) | Turn::Poll | Turn::Stop | Turn::Pending) => {
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl Drop for Plan {
    fn drop(&mut self) {
        if let Place::Some(place) = self.place {
            self.ctx.cell().drop_step(place);
        }
    }
}
