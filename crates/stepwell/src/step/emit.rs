//! Events that a run sends (§2).

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use serde::Serialize;
use serde_json::value::RawValue;
use stepwell_core::id::RunId;
use stepwell_core::name;
use stepwell_core::status::Kind;

use super::plan::Plan;
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::json;
use crate::machine::{EmitAsk, EventAsk, Turn};

/// What is recorded of an event (§3.4).
#[derive(Serialize)]
struct Recorded<'a> {
    event: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    offer: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<&'a str>,
}

/// An event that a run sends, exactly once; made by [`Ctx::emit`]. Await it to get the event's id.
#[must_use = "a step does nothing unless awaited"]
pub struct EmitStep {
    plan: Plan,
    ask: Option<EmitAsk>,
}

impl EmitStep {
    pub(crate) fn new(ctx: Ctx, id: &str, event: &str) -> Self {
        let mut plan = Plan::new(ctx, id, Kind::Emit);
        let checked = name::check("an event", event);
        plan.set(|_, _| checked.map_err(|why| Error::argument(why.to_string())));
        let event = event.to_owned();
        let ask = EmitAsk { event, data: None, offer: None, app: None, run: None };
        Self { plan, ask: Some(ask) }
    }

    fn change(mut self, change: impl FnOnce(&mut EmitAsk) -> Result<()>) -> Self {
        if let Some(ask) = &mut self.ask {
            self.plan.set(|_, _| change(ask));
        }
        self
    }

    /// Sets the data. Default: none.
    pub fn data(self, data: impl Serialize) -> Self {
        self.change(|ask| {
            ask.data = json::encode(|| "the data of an event".into(), &data)?;
            Ok(())
        })
    }

    /// Sets what waits are held against in place of the data (§8.2).
    pub fn matching(self, offer: impl Serialize) -> Self {
        self.change(|ask| {
            ask.offer = json::encode(|| "the match of an event".into(), &offer)?;
            Ok(())
        })
    }

    /// Sends it to waits and workflows of this app only.
    pub fn app(self, app: impl Into<String>) -> Self {
        self.change(|ask| {
            ask.app = Some(app.into());
            Ok(())
        })
    }

    /// Sends it to the waits of this run only; it starts nothing (§8.1).
    pub fn run(self, run: RunId) -> Self {
        self.change(|ask| {
            ask.run = Some(run.to_string());
            Ok(())
        })
    }

    /// Sets what is shown with the step (§2.1).
    pub fn metadata(mut self, metadata: impl Serialize) -> Self {
        self.plan.set_metadata(metadata);
        self
    }
}

impl Future for EmitStep {
    type Output = Result<String>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(ask) = self.ask.take() {
            let (app, run) = (ask.app.as_deref(), ask.run.as_deref());
            let (data, offer) = (ask.data.as_deref(), ask.offer.as_deref());
            self.plan.set_input(Recorded { event: &ask.event, data, offer, app, run });
            self.plan.set(|_, details| {
                details.event = Some(EventAsk::Emit(ask));
                Ok(())
            });
        }
        match self.plan.turn(cx, 0) {
            Ok(Turn::Ready(end)) => {
                self.plan.over();
                let id = || format!("the event's id of step `{}`", self.plan.id);
                let read = |()| json::decode(id, end.output.as_deref());
                Poll::Ready(self.plan.result(&end).and_then(read))
            }
            Ok(Turn::Begin(_) | Turn::Verify(_) | Turn::Poll | Turn::Stop | Turn::Pending) => {
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl fmt::Debug for EmitStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmitStep").field("id", &self.plan.id).finish_non_exhaustive()
    }
}
