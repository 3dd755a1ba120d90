//! A function that runs on a thread of its own.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use serde::Serialize;
use serde::de::DeserializeOwned;
use stepwell_core::once::OnUnknown;
use stepwell_core::status::Kind;

use super::context::StepCtx;
use super::plan::Plan;
use super::run::encode;
use super::seen::{Begin, Seen};
use crate::ctx::Ctx;
use crate::duration::IntoDuration;
use crate::error::{Error, Result};
use crate::json;
use crate::machine::{Inside, Outcome, Turn};
use crate::retry::Retry;

/// A step whose function may block; made by [`Ctx::run_blocking`].
///
/// Await it to get the result. Dropping it before it has ended cancels the step (§5.6): the signal
/// fires, and what the function then returns is not kept.
#[must_use = "a step does nothing unless awaited"]
pub struct BlockingStep<F, T> {
    plan: Plan,
    function: Arc<Mutex<F>>,
    value: PhantomData<fn() -> T>,
}

impl<F, T> Unpin for BlockingStep<F, T> {}

impl<F, T> BlockingStep<F, T> {
    pub(crate) fn new(ctx: Ctx, id: &str, function: F) -> Self {
        let plan = Plan::new(ctx, id, Kind::Run).blocking();
        Self { plan, function: Arc::new(Mutex::new(function)), value: PhantomData }
    }

    /// Sets when the function is tried again. Default: 4 attempts (§6.1).
    pub fn retry(mut self, retry: Retry) -> Self {
        self.plan.set_retry(retry);
        self
    }

    /// Bounds each attempt (§2.1, §6.4). Default: no bound.
    pub fn timeout(mut self, timeout: impl IntoDuration) -> Self {
        self.plan.set_timeout(timeout);
        self
    }

    /// Bounds all attempts and the pauses between them (§2.1). Default: no bound.
    pub fn total_timeout(mut self, timeout: impl IntoDuration) -> Self {
        self.plan.set_total_timeout(timeout);
        self
    }

    /// Starts the function at most once (§4.5): its start is durable before it is called, and it is
    /// not tried again, whatever happens. Where its outcome is lost, with the runner or to a timeout,
    /// the run is blocked until an operator resolves the step; see [`on_unknown`](Self::on_unknown).
    pub fn at_most_once(mut self) -> Self {
        self.plan.set_once(|_| {});
        self
    }

    /// Sets what happens where nobody knows how the function ended that starts at most once. Default:
    /// [`OnUnknown::Block`].
    pub fn on_unknown(mut self, on_unknown: OnUnknown) -> Self {
        self.plan.set_once(|once| once.says.on_unknown = on_unknown);
        self
    }

    /// Sets what is shown with the step (§2.1).
    pub fn metadata(mut self, metadata: impl Serialize) -> Self {
        self.plan.set_metadata(metadata);
        self
    }

    /// Records an input with the step; the function reads it with [`StepCtx::input`].
    pub fn input(mut self, input: impl Serialize) -> Self {
        self.plan.set_input(input);
        self
    }

    /// Says how the step is taken back when the run ends badly, as
    /// [`RunStep::compensate`](super::RunStep::compensate) does (§7.3).
    pub fn compensate<U, Fut>(mut self, undo: U) -> Self
    where
        U: Fn(T) -> Fut + Send + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
        T: DeserializeOwned + 'static,
    {
        self.plan.set_compensate(move |result, _| undo(result));
        self
    }

    /// Says how the step is taken back where nobody knows whether it was done (§7.2).
    pub fn compensate_unknown<U, Fut>(mut self, undo: U) -> Self
    where
        U: Fn(StepCtx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        self.plan.set_compensate_unknown(undo);
        self
    }
}

impl<F, T> BlockingStep<F, T>
where
    F: FnMut(StepCtx) -> Result<T> + Send + 'static,
    T: Serialize,
{
    fn begin(&self, place: usize, n: u32) {
        let (ctx, id, function) =
            (self.plan.ctx.clone(), self.plan.id.clone(), self.function.clone());
        let cell = ctx.cell().clone();
        let seen = Seen::of(&self.plan);
        let max = ctx.payload_bytes_max();
        let spawner = cell.shared.blocking.clone();
        spawner.spawn(Box::new(move || {
            let step = StepCtx::new(ctx, place, n, id.clone());
            let inside = Inside { run: cell.address(), step: place };
            let called = {
                let _inside = inside.enter();
                catch_unwind(AssertUnwindSafe(|| {
                    // §6.4: a function that runs out of time may still hold this; the next attempt
                    // then waits for it here.
                    let mut function = function.lock().unwrap_or_else(PoisonError::into_inner);
                    (*function)(step)
                }))
            };
            let result = called.unwrap_or_else(|panic| Err(Error::panic(&*panic)));
            let outcome = match result.and_then(|value| encode(&id, &value, max)) {
                Ok(output) => Outcome::Returned(output),
                Err(error) => Outcome::of_error(&error),
            };
            seen.ended(n);
            cell.on_blocking_end(place, n, outcome);
        }));
    }
}

impl<F, T> Future for BlockingStep<F, T>
where
    F: FnMut(StepCtx) -> Result<T> + Send + 'static,
    T: Serialize + DeserializeOwned,
{
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        let this = &mut *self;
        match this.plan.turn(cx, 0) {
            Ok(Turn::Begin(n)) => {
                if let Some(place) = this.plan.place() {
                    match this.plan.begins::<T>(n) {
                        Begin::Call => this.begin(place, n),
                        Begin::Ends(outcome) => {
                            this.plan.ended(n);
                            this.plan.ctx.cell().on_blocking_end(place, n, outcome);
                        }
                        Begin::Never => {}
                    }
                }
                Poll::Pending
            }
            Ok(Turn::Ready(end)) => {
                this.plan.over();
                Poll::Ready(this.plan.result(&end).and_then(|()| {
                    let what = || format!("the result of step `{}`", this.plan.id);
                    json::decode(what, end.output.as_deref())
                }))
            }
            Ok(Turn::Verify(_) | Turn::Poll | Turn::Stop | Turn::Pending) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl<F, T> fmt::Debug for BlockingStep<F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingStep").field("id", &self.plan.id).finish_non_exhaustive()
    }
}
