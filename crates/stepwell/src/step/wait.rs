//! Waits for events (§8), by their name or by one that the app gave them (§2.4).

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use stepwell_core::failure::names;
use stepwell_core::status::{Kind, StepStatus};
use stepwell_core::{duration, name};
use stepwell_protocol::event;

use super::plan::Plan;
use crate::ctx::Ctx;
use crate::duration::{IntoDuration, to_micros};
use crate::error::{Error, Result};
use crate::json;
use crate::machine::{End, EventAsk, Given, Turn, WaitAsk};

/// From when on events count for a wait (§8.4). Default: from the start of the run on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Since {
    /// From the start of the run on.
    #[default]
    RunStart,
    /// Those that are accepted after the wait was parked.
    Parked,
    /// Those that were accepted at most so long before it was parked.
    Back(Duration),
}

/// What a wait gives the code when its time is over (§8.6). Default: `None`.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum OnTimeout {
    /// `None`.
    #[default]
    Null,
    /// An error of kind [`EventTimeout`](crate::ErrorKind::EventTimeout).
    Fail,
    /// This value.
    Value(serde_json::Value),
}

/// What is recorded of a wait (§3.4).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Recorded<'a> {
    event: &'a str,
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    wanted: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_timeout: Option<serde_json::Value>,
}

impl Recorded<'_> {
    fn of(ask: &WaitAsk) -> Recorded<'_> {
        Recorded {
            event: &ask.event,
            wanted: ask.wanted.as_deref(),
            timeout: ask.timeout.map(duration::text),
            since: match ask.since {
                event::Since::RunStart => None,
                event::Since::Parked => Some("parked".into()),
                event::Since::BackUs(us) => Some(duration::text(Duration::from_micros(us))),
            },
            on_timeout: match &ask.on_timeout {
                Given::Null => None,
                Given::Fail => Some("fail".into()),
                Given::Value(value) => {
                    let value = serde_json::from_str(value.get()).unwrap_or_default();
                    Some(serde_json::Value::Object(
                        [("value".to_owned(), value)].into_iter().collect(),
                    ))
                }
            },
        }
    }
}

/// A wait for an event; made by [`Ctx::wait_for_event`] and [`Ctx::wait`].
///
/// Await it to get the event's data: `None` where no event came in time. Dropping it before it has
/// ended cancels the step (§5.6).
#[must_use = "a step does nothing unless awaited"]
pub struct WaitStep<T> {
    plan: Plan,
    ask: Option<WaitAsk>,
    value: PhantomData<fn() -> T>,
}

impl<T> Unpin for WaitStep<T> {}

impl<T: DeserializeOwned> WaitStep<T> {
    pub(crate) fn new(ctx: Ctx, id: &str, kind: Kind, event: &str) -> Self {
        let mut plan = Plan::new(ctx, id, kind);
        let checked = name::check("an event", event);
        plan.set(|_, _| checked.map_err(|why| Error::argument(why.to_string())));
        let ask = WaitAsk {
            event: event.to_owned(),
            wanted: None,
            timeout: None,
            on_timeout: Given::Null,
            since: event::Since::RunStart,
        };
        Self { plan, ask: Some(ask), value: PhantomData }
    }

    /// A wait that is not taken up: its future ends with this.
    pub(crate) fn refused(ctx: Ctx, id: &str, error: Error) -> Self {
        let mut step = Self::new(ctx, id, Kind::NamedWait, "refused");
        step.plan.set(|_, _| Err(error));
        step
    }

    fn change(mut self, change: impl FnOnce(&mut WaitAsk) -> Result<()>) -> Self {
        if let Some(ask) = &mut self.ask {
            self.plan.set(|_, _| change(ask));
        }
        self
    }

    /// Sets what the event's `match`, or its data where it has none, has to contain (§8.2). Default:
    /// every event of the name will do.
    pub fn matching(self, wanted: impl Serialize) -> Self {
        self.change(|ask| {
            ask.wanted = Some(match json::encode(|| "the match of a wait".into(), &wanted)? {
                Some(wanted) => wanted,
                None => RawValue::NULL.to_owned(),
            });
            Ok(())
        })
    }

    /// Bounds the wait. Default: the run's deadline.
    pub fn timeout(self, timeout: impl IntoDuration) -> Self {
        self.change(|ask| {
            ask.timeout = Some(timeout.into_duration()?);
            Ok(())
        })
    }

    /// Sets what a time-out gives. Default: `None`.
    pub fn on_timeout(self, on_timeout: OnTimeout) -> Self {
        self.change(|ask| {
            ask.on_timeout = given(on_timeout)?;
            Ok(())
        })
    }

    /// Sets from when on events count. Default: from the start of the run on.
    pub fn since(self, since: Since) -> Self {
        self.change(|ask| {
            ask.since = match since {
                Since::RunStart => event::Since::RunStart,
                Since::Parked => event::Since::Parked,
                Since::Back(time) => event::Since::BackUs(to_micros(time)),
            };
            Ok(())
        })
    }

    /// Sets what is shown with the step (§2.1).
    pub fn metadata(mut self, metadata: impl Serialize) -> Self {
        self.plan.set_metadata(metadata);
        self
    }

    fn result(&self, end: &End) -> Result<Option<T>> {
        let what = || format!("the event of step `{}`", self.plan.id);
        let output = end.output.as_deref();
        match end.status {
            StepStatus::Completed => json::decode(what, output).map(Some),
            StepStatus::TimedOut if output.is_some() => json::decode(what, output).map(Some),
            StepStatus::TimedOut => Ok(None),
            status => {
                let error = end.error.as_deref();
                match error.filter(|error| error.name == names::WAIT_TIMEOUT) {
                    Some(error) => Err(Error::event_timeout(&self.plan.id, error)),
                    None => Err(Error::step(&self.plan.id, status, end.attempts, error)),
                }
            }
        }
    }
}

fn given(on_timeout: OnTimeout) -> Result<Given> {
    Ok(match on_timeout {
        OnTimeout::Null => Given::Null,
        OnTimeout::Fail => Given::Fail,
        OnTimeout::Value(value) => {
            let value = json::encode(|| "the value for a timeout".into(), &value)?;
            Given::Value(value.unwrap_or_else(|| RawValue::NULL.to_owned()))
        }
    })
}

impl<T: DeserializeOwned> Future for WaitStep<T> {
    type Output = Result<Option<T>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(ask) = self.ask.take() {
            self.plan.set_input(Recorded::of(&ask));
            self.plan.set(|_, details| {
                details.event = Some(EventAsk::Wait(ask));
                Ok(())
            });
        }
        match self.plan.turn(cx, 0) {
            Ok(Turn::Ready(end)) => {
                self.plan.over();
                Poll::Ready(self.result(&end))
            }
            Ok(Turn::Begin(_) | Turn::Verify(_) | Turn::Poll | Turn::Stop | Turn::Pending) => {
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl<T> fmt::Debug for WaitStep<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitStep").field("id", &self.plan.id).finish_non_exhaustive()
    }
}
