//! Starts and their options (§9.1).

use std::future::{Future, IntoFuture};
use std::pin::Pin;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stepwell_core::id::RunId;
use stepwell_core::search::Change;

use super::client::Client;
use super::http::{Again, Answer};
use super::run_handle::{RunHandle, Shown, WAIT};
use crate::duration::{IntoDuration, to_millis};
use crate::error::{Error, Result};
use crate::json;

/// The start of a run; made by [`Client::start`]. Await it to have it done.
///
/// Once it is done the run outlives every process. With a [`key`](Start::key) it can be repeated
/// after a lost answer: the run is started once (§4.8).
#[must_use = "nothing is started unless this is awaited"]
#[derive(Debug)]
pub struct Start {
    client: Client,
    body: Body,
    error: Option<Error>,
}

#[derive(Debug, Serialize)]
struct Body {
    workflow: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delay: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    search: Option<Change>,
}

#[derive(Deserialize)]
struct Started {
    id: RunId,
    created: bool,
}

impl Start {
    pub(super) fn new(client: Client, workflow: &str, input: &(impl Serialize + ?Sized)) -> Self {
        let mut start = Self {
            client,
            body: Body {
                workflow: workflow.to_owned(),
                app: None,
                input: None,
                key: None,
                timeout: None,
                delay: None,
                at: None,
                metadata: None,
                runner: None,
                search: None,
            },
            error: None,
        };
        let input = json::encode(|| format!("the input of workflow `{workflow}`"), input);
        start.body.input = start.keep(input).flatten();
        start
    }

    /// Keeps the first error for when the start is awaited.
    fn keep<T>(&mut self, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.error.get_or_insert(error);
                None
            }
        }
    }

    /// Says which app's workflow is meant, where several have one of this name.
    pub fn app(mut self, app: impl Into<String>) -> Self {
        self.body.app = Some(app.into());
        self
    }

    /// Sets the idempotency key: starts of the workflow with the same key and input are one run
    /// (§4.8).
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.body.key = Some(key.into());
        self
    }

    /// Bounds the run (§7.1). Default: the workflow's bound.
    pub fn timeout(mut self, timeout: impl IntoDuration) -> Self {
        let timeout = timeout.into_duration();
        self.body.timeout = self.keep(timeout).map(to_millis);
        self
    }

    /// Lets the run begin after this time, and no earlier (§9.1). In place of [`at`](Start::at).
    pub fn delay(mut self, delay: impl IntoDuration) -> Self {
        let delay = delay.into_duration();
        self.body.delay = self.keep(delay).map(to_millis);
        self.body.at = None;
        self
    }

    /// Lets the run begin at this instant, or at once where it has passed (§9.1). In place of
    /// [`delay`](Start::delay).
    pub fn at(mut self, at: std::time::SystemTime) -> Self {
        let since = at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let epoch = stepwell_core::time::Timestamp::from_micros(0);
        self.body.at = Some(epoch.after(since).to_string());
        self.body.delay = None;
        self
    }

    /// Sets what the start says about itself; the run reads it with
    /// [`Ctx::metadata`](crate::Ctx::metadata).
    pub fn metadata(mut self, metadata: impl Serialize) -> Self {
        let metadata = json::encode(|| "the metadata of the start".into(), &metadata);
        self.body.metadata = self.keep(metadata).flatten();
        self
    }

    /// Sets search attributes, by which lists find the run (§9.4): texts, numbers and booleans.
    pub fn search<K, V>(mut self, attributes: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: Serialize,
    {
        let search = json::search(attributes);
        self.body.search = self.keep(search);
        self
    }

    /// Pins the run to the runners of this name.
    pub fn runner(mut self, runner: impl Into<String>) -> Self {
        self.body.runner = Some(runner.into());
        self
    }

    /// Starts the run, waits for its end, and reads its output: [`RunHandle::wait`] without a second
    /// request where the run is quick.
    ///
    /// # Errors
    /// As the start and as [`RunHandle::wait`].
    pub async fn wait<T: DeserializeOwned>(self) -> Result<T> {
        let path = format!("/api/v1/runs?wait={}ms", to_millis(WAIT));
        let (run, answer) = self.send(&path).await?;
        match Shown::ended(&answer)? {
            Some(shown) => run.output(&shown),
            None => run.wait().await,
        }
    }

    async fn send(self, path: &str) -> Result<(RunHandle, Answer)> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let again = Again::with(self.body.key.as_ref());
        let answer = self.client.http.post(path, &self.body, again).await?;
        let started: Started = answer.read()?;
        Ok((RunHandle::new(self.client, started.id, started.created), answer))
    }
}

impl IntoFuture for Start {
    type Output = Result<RunHandle>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<RunHandle>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async { Ok(self.send("/api/v1/runs").await?.0) })
    }
}
