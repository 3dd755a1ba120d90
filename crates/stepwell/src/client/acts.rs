//! What operators do to a run (§9.5).

use std::collections::BTreeMap;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stepwell_core::id::RunId;
use stepwell_core::status::RunStatus;

use super::client::Client;
use super::http::{Again, Answer};
use super::run_handle::RunHandle;
use crate::error::{Error, Result};
use crate::json;

#[derive(Debug, Default, Serialize)]
struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Thrown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    outputs: BTreeMap<String, Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
struct Thrown {
    name: String,
    message: String,
}

#[derive(Deserialize)]
struct Acted {
    status: RunStatus,
}

#[derive(Deserialize)]
struct Made {
    id: RunId,
}

/// An act on a run; made by [`RunHandle::pause`] and its relatives. Await it to have it done: it
/// gives the status of the run then.
#[must_use = "nothing is done unless this is awaited"]
#[derive(Debug)]
pub struct Act {
    run: RunHandle,
    name: &'static str,
    body: Body,
    error: Option<Error>,
}

/// A run that is to be made of another one; made by [`RunHandle::rerun`] and [`RunHandle::fork`].
/// Await it to have it started.
#[must_use = "nothing is started unless this is awaited"]
#[derive(Debug)]
pub struct Remake(Act);

impl Act {
    fn new(run: &RunHandle, name: &'static str) -> Self {
        Self { run: run.clone(), name, body: Body::default(), error: None }
    }

    /// Says who does it, for the run's history.
    pub fn by(mut self, by: impl Into<String>) -> Self {
        self.body.by = Some(by.into());
        self
    }

    /// Says why, for the run's history.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.body.reason = Some(reason.into());
        self
    }

    fn keep(&mut self, what: &str, value: impl Serialize) -> Option<Box<RawValue>> {
        match json::encode(|| what.to_owned(), &value) {
            Ok(value) => value,
            Err(error) => {
                self.error.get_or_insert(error);
                None
            }
        }
    }

    async fn send(self, again: Again) -> Result<(Client, Answer)> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let client = self.run.client().clone();
        let path = format!("/api/v1/runs/{}/{}", self.run.id(), self.name);
        let answer = client.http.post(&path, &self.body, again).await?;
        Ok((client, answer))
    }
}

impl Remake {
    /// Says who does it, for the new run's history.
    pub fn by(self, by: impl Into<String>) -> Self {
        Self(self.0.by(by))
    }

    /// Says why, for the new run's history.
    pub fn reason(self, reason: impl Into<String>) -> Self {
        Self(self.0.reason(reason))
    }

    /// Gives it another input than the run had.
    pub fn input(mut self, input: impl Serialize) -> Self {
        self.0.body.input = self.0.keep("the input", input);
        self
    }

    /// Gives it another result of an earlier step; of a fork only.
    pub fn output(mut self, step: impl Into<String>, output: impl Serialize) -> Self {
        let output = self.0.keep("the output", output);
        let none = || RawValue::NULL.to_owned();
        self.0.body.outputs.insert(step.into(), output.unwrap_or_else(none));
        self
    }
}

impl RunHandle {
    /// Holds the run back: no function of it begins until it is resumed (§9.6).
    pub fn pause(&self) -> Act {
        Act::new(self, "pause")
    }

    /// Lets the paused run go on (§9.6).
    pub fn resume(&self) -> Act {
        Act::new(self, "resume")
    }

    /// Ends the run at once; nothing that is in flight is awaited (§7.6).
    pub fn terminate(&self) -> Act {
        Act::new(self, "terminate")
    }

    /// Ends the backoffs of its steps now, and tries it again where it is blocked (§9.5).
    pub fn retry_now(&self) -> Act {
        Act::new(self, "retry")
    }

    /// Says that a step whose outcome is unknown completed with this result (§4.5).
    pub fn resolve_completed(&self, step: impl Into<String>, output: impl Serialize) -> Act {
        let mut act = self.resolve(step, "completed");
        act.body.output = act.keep("the output", output);
        act
    }

    /// Says that a step whose outcome is unknown failed (§4.5).
    pub fn resolve_failed(&self, step: impl Into<String>, message: impl Into<String>) -> Act {
        let mut act = self.resolve(step, "failed");
        act.body.error = Some(Thrown { name: "Error".into(), message: message.into() });
        act
    }

    /// Says that the function of a step whose outcome is unknown did nothing: it starts again
    /// (§4.5).
    pub fn resolve_not_done(&self, step: impl Into<String>) -> Act {
        self.resolve(step, "notDone")
    }

    fn resolve(&self, step: impl Into<String>, outcome: &'static str) -> Act {
        let mut act = Act::new(self, "resolve");
        act.body.step = Some(step.into());
        act.body.outcome = Some(outcome);
        act
    }

    /// Starts a run of the same workflow with the same input, or another one (§9.5).
    pub fn rerun(&self) -> Remake {
        Remake(Act::new(self, "rerun"))
    }

    /// Starts a run that goes on from a step of this one, with the results that its code had been
    /// given by then (§9.8). This run is ended where it has not.
    pub fn fork(&self, step: impl Into<String>) -> Remake {
        let mut act = Act::new(self, "fork");
        act.body.step = Some(step.into());
        Remake(act)
    }

    /// The same from the last step that failed: how a run that has ended is tried again (§6.6).
    pub fn fork_at_failure(&self) -> Remake {
        Remake(Act::new(self, "fork"))
    }
}

impl IntoFuture for Act {
    type Output = Result<RunStatus>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            // Done twice, each of these is as if done once.
            let (_, answer) = self.send(Again::Any).await?;
            let Acted { status } = answer.read()?;
            Ok(status)
        })
    }
}

impl IntoFuture for Remake {
    type Output = Result<RunHandle>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (client, answer) = self.0.send(Again::Unseen).await?;
            let Made { id } = answer.read()?;
            Ok(RunHandle::new(client, id, true))
        })
    }
}
