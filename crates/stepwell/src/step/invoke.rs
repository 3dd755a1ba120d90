//! Children: other workflows that a run starts and waits for.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use stepwell_core::status::Kind;

use super::plan::Plan;
use crate::ctx::Ctx;
use crate::duration::{IntoDuration, to_millis};
use crate::error::{Error, Result};
use crate::json;
use crate::machine::Turn;

/// The input that an invoke records by itself, which says what to run (§3.4).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    workflow: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_ms: Option<u64>,
}

/// A step that runs another workflow as a child and waits for it; made by [`Ctx::invoke`].
///
/// Await it to get what the child returned. Dropping it before it has ended cancels the child (§5.6).
#[must_use = "a step does nothing unless awaited"]
pub struct InvokeStep<T> {
    plan: Plan,
    /// What to run, until the step is asked for.
    wanted: Option<Wanted>,
    error: Option<Error>,
    value: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> InvokeStep<T> {
    pub(crate) fn new(ctx: Ctx, id: &str, workflow: &str) -> Self {
        let workflow = workflow.to_owned();
        let wanted = Wanted { workflow, app: None, runner: None, input: None, timeout_ms: None };
        let plan = Plan::new(ctx, id, Kind::Invoke);
        Self { plan, wanted: Some(wanted), error: None, value: PhantomData }
    }

    /// Pins the app whose workflow it is. Default: this app's, else the only other one's (§9.2).
    pub fn app(self, app: impl Into<String>) -> Self {
        self.with(|wanted| {
            wanted.app = Some(app.into());
            Ok(())
        })
    }

    /// Pins the runner, by its name: the child waits while it is away. Default: any runner.
    pub fn runner(self, runner: impl Into<String>) -> Self {
        self.with(|wanted| {
            wanted.runner = Some(runner.into());
            Ok(())
        })
    }

    /// Sets the child's input. Default: none.
    pub fn input(self, input: impl Serialize) -> Self {
        let what = format!("the child's input of step `{}`", self.plan.id);
        self.with(|wanted| {
            wanted.input = json::encode(|| what, &input)?;
            Ok(())
        })
    }

    /// Bounds the child's time, as its own workflow's timeout and this run's deadline do (§7.7).
    pub fn timeout(self, timeout: impl IntoDuration) -> Self {
        self.with(|wanted| {
            wanted.timeout_ms = Some(to_millis(timeout.into_duration()?));
            Ok(())
        })
    }

    /// Sets what is shown with the step (§2.1).
    pub fn metadata(mut self, metadata: impl Serialize) -> Self {
        self.plan.set_metadata(metadata);
        self
    }

    /// Says how a child that completed is taken back when this run ends badly (§7.3): the function gets
    /// what the child returned, and is called as that of [`RunStep::compensate`](super::RunStep) is.
    pub fn compensate<F, Fut>(mut self, undo: F) -> Self
    where
        F: Fn(T) -> Fut + Send + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
        T: 'static,
    {
        self.plan.set_compensate(move |result, _| undo(result));
        self
    }

    fn with(mut self, set: impl FnOnce(&mut Wanted) -> Result<()>) -> Self {
        if let Some(wanted) = self.wanted.as_mut().filter(|_| self.error.is_none()) {
            self.error = set(wanted).err();
        }
        self
    }
}

impl<T: DeserializeOwned> Future for InvokeStep<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        let this = &mut *self;
        if let Some(wanted) = this.wanted.take() {
            match this.error.take() {
                Some(error) => this.plan.set(|_, _| Err(error)),
                None => this.plan.set_input(wanted),
            }
        }
        match this.plan.turn(cx, 0) {
            Ok(Turn::Ready(end)) => {
                this.plan.over();
                Poll::Ready(this.plan.result(&end).and_then(|()| {
                    let what = || format!("what the child of step `{}` returned", this.plan.id);
                    json::decode(what, end.output.as_deref())
                }))
            }
            Ok(Turn::Begin(_) | Turn::Verify(_) | Turn::Poll | Turn::Stop | Turn::Pending) => {
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl<T> fmt::Debug for InvokeStep<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InvokeStep").field("id", &self.plan.id).finish_non_exhaustive()
    }
}
