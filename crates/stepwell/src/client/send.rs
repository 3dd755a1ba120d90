//! Events that a client sends (§8.1).

use std::future::{Future, IntoFuture};
use std::pin::Pin;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stepwell_core::id::RunId;

use super::client::Client;
use super::http::Again;
use crate::error::{Error, Result};
use crate::json;

/// An event on its way; made by [`Client::send`]. Await it to have it sent.
///
/// With an [`id`](Send::id) it can be repeated after a lost answer: it counts once (§8.7).
#[must_use = "nothing is sent unless this is awaited"]
#[derive(Debug)]
pub struct Send {
    client: Client,
    body: Body,
    error: Option<Error>,
}

#[derive(Debug, Serialize)]
struct Body {
    event: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Box<RawValue>>,
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    offer: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<RunId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Sent {
    /// Its id.
    pub id: String,
    /// It is new; otherwise its id was known, and it does nothing more (§8.7).
    pub accepted: bool,
    /// For an event for one run: how many of its waits asked for the event as it came.
    #[serde(default)]
    pub delivered: Option<u64>,
    /// Why it does nothing, where that is so.
    #[serde(default)]
    pub reason: Option<String>,
}

impl Send {
    pub(super) fn new(client: Client, event: &str, data: &(impl Serialize + ?Sized)) -> Self {
        let (data, error) = match json::encode(|| format!("the data of event `{event}`"), data) {
            Ok(data) => (data, None),
            Err(error) => (None, Some(error)),
        };
        let body = Body {
            event: event.to_owned(),
            id: None,
            data,
            offer: None,
            app: None,
            workflow: None,
            run: None,
            key: None,
        };
        Self { client, body, error }
    }

    /// Sets its id (§8.7). Default: a new one.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.body.id = Some(id.into());
        self
    }

    /// Sets what waits are held against in place of the data (§8.2).
    pub fn matching(mut self, offer: impl Serialize) -> Self {
        match json::encode(|| "the match of an event".into(), &offer) {
            Ok(offer) => self.body.offer = offer,
            Err(error) => {
                self.error.get_or_insert(error);
            }
        }
        self
    }

    /// Sends it to waits and workflows of this app only.
    pub fn app(mut self, app: impl Into<String>) -> Self {
        self.body.app = Some(app.into());
        self
    }

    /// Sends it to the waits of this run only (§8.1).
    pub fn run(mut self, run: RunId) -> Self {
        self.body.run = Some(run);
        self
    }

    /// Sends it to the waits of the run that this idempotency key started (§8.1).
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.body.key = Some(key.into());
        self
    }

    /// Says whose key is meant, where several workflows have a run with it.
    pub fn workflow(mut self, workflow: impl Into<String>) -> Self {
        self.body.workflow = Some(workflow.into());
        self
    }

    async fn send(self) -> Result<Sent> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let again = Again::with(self.body.id.as_ref());
        self.client.http.post("/api/v1/events", &self.body, again).await?.read()
    }
}

impl IntoFuture for Send {
    type Output = Result<Sent>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Sent>> + std::marker::Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
