//! A step around a future.

use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use serde::Serialize;

use super::call::{Call, Place};
use super::fault::{Fault, Stack, calm};
use super::metadata::{self, Object};

/// Says of an output why it is a failure, if it is one.
type Why<T> = Box<dyn FnOnce(&T) -> Option<String> + Send>;

/// Says which outputs of a step are failures.
pub(super) enum Judge<T> {
    Known(fn(&T, Stack) -> Option<Fault>),
    Told(Why<T>),
}

impl<T> Judge<T> {
    /// None is.
    pub(super) fn never() -> Self {
        Self::Known(|_, _| None)
    }

    pub(super) fn told<M: Into<String>>(
        judge: impl FnOnce(&T) -> Option<M> + Send + 'static,
    ) -> Self {
        Self::Told(Box::new(move |output| judge(output).map(Into::into)))
    }

    pub(super) fn fault(self, output: &T, stack: Stack) -> Option<Fault> {
        match self {
            Self::Known(judge) => judge(output, stack),
            // What it throws is not the step's.
            Self::Told(judge) => calm(|| judge(output)).flatten().map(Fault::text),
        }
    }
}

impl<T, E: Display + Debug> Judge<Result<T, E>> {
    /// Errors are.
    pub(super) fn of_results() -> Self {
        Self::Known(|output, stack| output.as_ref().err().map(|error| Fault::of(error, stack)))
    }
}

/// A step around a future; made by [`Run::step`](super::Run::step) and
/// [`Run::observe`](super::Run::observe). Await it to get what the future gives, untouched (§10.2).
#[must_use = "a step does nothing unless awaited"]
pub struct Step<F: Future> {
    phase: Phase,
    future: Pin<Box<F>>,
    judge: Option<Judge<F::Output>>,
}

/// How far a step is.
enum Phase {
    /// It was not polled.
    Waiting { place: Option<Place>, key: Box<str>, metadata: Object },
    /// The future has begun; without a call nothing is recorded.
    Open(Option<Call>),
}

impl<F: Future> Step<F> {
    pub(super) fn new(place: Option<Place>, key: &str, future: F, judge: Judge<F::Output>) -> Self {
        let phase = Phase::Waiting { place, key: key.into(), metadata: Object::new() };
        Self { phase, future: Box::pin(future), judge: Some(judge) }
    }

    /// Adds what is told of this call: an object such as `json!({ "items": 3 })`, of at most 16 KiB, under
    /// the same rules as [`Run::metadata`](super::Run::metadata).
    pub fn metadata(mut self, more: impl Serialize) -> Self {
        if let Phase::Waiting { place: Some(_), metadata, .. } = &mut self.phase {
            metadata.extend(metadata::object(more));
        }
        self
    }

    /// Sets which outputs are recorded as errors, by a text that says why. The output itself passes
    /// through all the same.
    ///
    /// ```no_run
    /// # use stepwell::telemetry::Run;
    /// # async fn call() -> u16 { 200 }
    /// # async fn demo(run: Run) {
    /// let status = run
    ///     .observe("call-bank", call())
    ///     .failed_if(|status| (*status >= 500).then(|| format!("the bank answered {status}")))
    ///     .await;
    /// # drop(status);
    /// # }
    /// ```
    pub fn failed_if<M: Into<String>>(
        mut self,
        judge: impl FnOnce(&F::Output) -> Option<M> + Send + 'static,
    ) -> Self {
        self.judge = Some(Judge::told(judge));
        self
    }
}

impl Phase {
    /// Tells of the begin, unless it was.
    fn begin(&mut self) {
        if let Self::Waiting { place, key, metadata } = self {
            let call = place.as_ref().map(|place| place.begin(key, std::mem::take(metadata)));
            *self = Self::Open(call);
        }
    }

    fn take(&mut self) -> Option<Call> {
        match self {
            Self::Open(call) => call.take(),
            Self::Waiting { .. } => None,
        }
    }
}

impl<F: Future> Future for Step<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        this.phase.begin();
        let future = this.future.as_mut();
        match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => {
                if let (Some(call), Some(judge)) = (this.phase.take(), this.judge.take()) {
                    let stack = call.place().handle.shared.stack;
                    call.end(judge.fault(&output, stack));
                }
                Poll::Ready(output)
            }
            Err(panic) => {
                if let Some(call) = this.phase.take() {
                    call.end(Some(Fault::panic(&*panic)));
                }
                resume_unwind(panic)
            }
        }
    }
}

impl<F: Future> Debug for Step<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Step");
        match &self.phase {
            Phase::Waiting { key, .. } => shown.field("key", key),
            Phase::Open(call) => shown.field("call", call),
        };
        shown.finish_non_exhaustive()
    }
}
