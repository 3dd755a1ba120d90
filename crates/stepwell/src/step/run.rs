//! A function whose result is saved.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use stepwell_core::once::OnUnknown;
use stepwell_core::status::Kind;

use super::call::{Callee, Calls};
use super::context::StepCtx;
use super::once::{Verdict, Verified};
use super::plan::Plan;
use super::seen::Begin;
use crate::ctx::Ctx;
use crate::duration::IntoDuration;
use crate::error::{Error, Result};
use crate::json;
use crate::machine::{End, Inside, Outcome, Turn};
use crate::retry::Retry;

/// A step that calls a function and saves its result; made by [`Ctx::run`] and its relatives.
///
/// Await it to get the result. Dropping it before it has ended cancels the step (§5.6).
#[must_use = "a step does nothing unless awaited"]
pub struct RunStep<C: Calls, T> {
    plan: Plan,
    function: C,
    /// The call of the attempt in progress, and its number.
    running: Option<(u32, Pin<Box<C::Future>>)>,
    value: PhantomData<fn() -> T>,
}

// The function's future has a box of its own; nothing else is ever pinned.
impl<C: Calls, T> Unpin for RunStep<C, T> {}

impl<C, T> RunStep<C, T>
where
    C: Calls<Future: Future<Output = Result<T>>>,
    T: Serialize + DeserializeOwned,
{
    pub(crate) fn new(ctx: Ctx, id: &str, function: C) -> Self {
        Self::made(ctx, (id, Kind::Run), function)
    }

    /// Makes a step of a kind that has a function.
    pub(crate) fn made(ctx: Ctx, (id, kind): (&str, Kind), function: C) -> Self {
        let plan = Plan::new(ctx, id, kind);
        Self { plan, function, running: None, value: PhantomData }
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

    /// Starts the function at most once (§4.5), as [`at_most_once`](Self::at_most_once) does. Where
    /// its outcome is lost, `verify` is called to find out what became of it: it may look into the
    /// service that the function talks to. Only [`Verdict::NotDone`] leads to another start, at most
    /// 4 in all. It is itself tried again where it fails, and its answer may be needed more than
    /// once.
    pub fn at_most_once_verified<V, W>(self, verify: V) -> RunStep<Verified<C, V>, T>
    where
        V: FnMut(StepCtx) -> W,
        W: Future<Output = Result<Verdict<T>>>,
    {
        let mut plan = self.plan;
        plan.set_once(|once| once.verified = true);
        RunStep {
            plan,
            function: Verified(self.function, verify),
            running: None,
            value: PhantomData,
        }
    }

    /// Sets what is shown with the step (§2.1).
    pub fn metadata(mut self, metadata: impl Serialize) -> Self {
        self.plan.set_metadata(metadata);
        self
    }

    /// Records an input with the step; [`Ctx::run_input`] also hands it to the function.
    pub fn input(mut self, input: impl Serialize) -> Self {
        self.plan.set_input(input);
        self
    }

    /// Says how the step is taken back when the run ends badly (§7.3): the function gets the step's
    /// result. It is called in a step of its own, which is recorded and retried, as often as it has
    /// to be until it completed once; so it owns what it needs.
    ///
    /// ```
    /// # use stepwell::{Ctx, Result};
    /// # async fn refund(charge: String) -> Result<()> { Ok(()) }
    /// # async fn demo(ctx: Ctx) -> Result<()> {
    /// let charge = ctx.run("charge", || async { Ok("ch_1".to_string()) });
    /// let charge: String = charge.compensate(|charge: String| refund(charge)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn compensate<F, Fut>(mut self, undo: F) -> Self
    where
        F: Fn(T) -> Fut + Send + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
        T: 'static,
    {
        self.plan.set_compensate(move |result, _| undo(result));
        self
    }

    /// The same with a function that also gets its attempt's context (§2.2).
    pub fn compensate_with<F, Fut>(mut self, undo: F) -> Self
    where
        F: Fn(StepCtx, T) -> Fut + Send + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
        T: 'static,
    {
        self.plan.set_compensate(move |result, step| undo(step, result));
        self
    }

    /// Says how the step is taken back where nobody knows whether it was done (§7.2): its function
    /// had begun when the run ended, and never told its end. Without it, such a step is named in
    /// [`RunFailure::uncertain_steps`](crate::RunFailure).
    pub fn compensate_unknown<F, Fut>(mut self, undo: F) -> Self
    where
        F: Fn(StepCtx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        self.plan.set_compensate_unknown(undo);
        self
    }

    fn begin(&mut self, callee: Callee, n: u32) -> Result<(), Error> {
        let Some(place) = self.plan.place() else { return Ok(()) };
        let (plan, function) = (&self.plan, &mut self.function);
        let _inside = inside(plan, place).enter();
        let called = catch_unwind(AssertUnwindSafe(|| {
            function.call(callee, || StepCtx::new(plan.ctx.clone(), place, n, plan.id.clone()))
        }));
        let future = called.map_err(|panic| Error::panic(&*panic))?;
        self.running = Some((n, Box::pin(future)));
        Ok(())
    }

    /// Polls the function; gives the attempt's number and how it ended.
    fn poll_function(&mut self, cx: &mut Context<'_>) -> Poll<(u32, Outcome)> {
        let (Some((n, future)), Some(place)) = (&mut self.running, self.plan.place()) else {
            return Poll::Pending;
        };
        let n = *n;
        let polled = {
            let _inside = inside(&self.plan, place).enter();
            catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)))
        };
        let outcome = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(Ok(value))) => {
                let max = self.plan.ctx.payload_bytes_max();
                match encode(&self.plan.id, &value, max) {
                    Ok(output) => Outcome::Returned(output),
                    Err(error) => Outcome::of_error(&error),
                }
            }
            Ok(Poll::Ready(Err(error))) => Outcome::of_error(&error),
            Err(panic) => Outcome::of_error(&Error::panic(&*panic)),
        };
        self.running = None;
        Poll::Ready((n, outcome))
    }

    fn end(&mut self, end: &End) -> Result<T> {
        self.plan.over();
        self.plan.result(end)?;
        json::decode(|| format!("the result of step `{}`", self.plan.id), end.output.as_deref())
    }
}

fn inside(plan: &Plan, place: usize) -> Inside {
    Inside { run: plan.ctx.cell().address(), step: place }
}

/// Writes a function's result; what cannot be kept fails the step at once (§2.6).
pub(super) fn encode<T: Serialize>(
    id: &str,
    value: &T,
    bytes_max: usize,
) -> Result<Option<Box<RawValue>>> {
    let what = || format!("the result of step `{id}`");
    let output = json::encode(what, value)?;
    json::within(what, output.as_deref(), bytes_max)?;
    Ok(output)
}

impl<C, T> Future for RunStep<C, T>
where
    C: Calls<Future: Future<Output = Result<T>>>,
    T: Serialize + DeserializeOwned,
{
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        let this = &mut *self;
        loop {
            let held = this.running.as_ref().map_or(0, |(n, _)| *n);
            let (n, outcome) = match this.plan.turn(cx, held) {
                Ok(Turn::Begin(n)) => match this.plan.begins::<T>(n) {
                    Begin::Call => match this.begin(Callee::Function, n) {
                        Ok(()) => match this.poll_function(cx) {
                            Poll::Ready(ended) => ended,
                            Poll::Pending => return Poll::Pending,
                        },
                        Err(error) => (n, Outcome::of_error(&error)),
                    },
                    Begin::Ends(outcome) => (n, outcome),
                    Begin::Never => return Poll::Pending,
                },
                Ok(Turn::Verify(n)) => match this.begin(Callee::Verify, n) {
                    Ok(()) => match this.poll_function(cx) {
                        Poll::Ready(ended) => ended,
                        Poll::Pending => return Poll::Pending,
                    },
                    Err(error) => (n, Outcome::of_error(&error)),
                },
                Ok(Turn::Poll) => match this.poll_function(cx) {
                    Poll::Ready(ended) => ended,
                    Poll::Pending => return Poll::Pending,
                },
                Ok(Turn::Stop) => {
                    drop_caught(&mut this.running);
                    continue;
                }
                Ok(Turn::Pending) => return Poll::Pending,
                Ok(Turn::Ready(end)) => return Poll::Ready(this.end(&end)),
                Err(error) => return Poll::Ready(Err(error)),
            };
            if let Some(place) = this.plan.place() {
                this.plan.ended(n);
                this.plan.ctx.cell().on_function_end(place, n, outcome);
            }
            return Poll::Pending;
        }
    }
}

/// Drops the future of an attempt that is over; a panic in it concerns nobody any more.
fn drop_caught<F>(running: &mut Option<(u32, F)>) {
    let running = running.take();
    let _ = catch_unwind(AssertUnwindSafe(|| drop(running)));
}

impl<C: Calls, T> fmt::Debug for RunStep<C, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunStep").field("id", &self.plan.id).finish_non_exhaustive()
    }
}
