//! A run that was started, or is known by its id.

use std::time::{Duration, Instant};

use hyper::StatusCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stepwell_core::failure::Failure;
use stepwell_core::id::RunId;
use stepwell_core::status::RunStatus;

use super::client::Client;
use super::http::{Again, Answer};
use crate::duration::{IntoDuration, to_millis};
use crate::error::{Error, ErrorKind, Result};
use crate::json;

/// How long one request waits for a run's end.
pub(super) const WAIT: Duration = Duration::from_secs(30);

/// A run on a server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct RunHandle {
    client: Client,
    id: RunId,
    created: bool,
}

#[derive(Deserialize)]
pub(crate) struct Shown {
    status: RunStatus,
    #[serde(default)]
    output: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<Box<RawValue>>,
}

impl Shown {
    /// Reads how a run ended; `None` where it has not.
    pub(super) fn ended(answer: &Answer) -> Result<Option<Self>> {
        if answer.status == StatusCode::ACCEPTED {
            return Ok(None);
        }
        let shown: Self = answer.read()?;
        Ok(shown.status.is_ended().then_some(shown))
    }
}

#[derive(Serialize)]
struct Cancel<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

impl RunHandle {
    pub(super) fn new(client: Client, id: RunId, created: bool) -> Self {
        Self { client, id, created }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Returns the run's id.
    pub fn id(&self) -> RunId {
        self.id
    }

    /// Tells whether the start made the run; false where its key was used before.
    pub fn is_created(&self) -> bool {
        self.created
    }

    /// Waits for the run's end, however long, and reads its output.
    ///
    /// # Errors
    /// [`RunFailed`](ErrorKind::RunFailed), [`RunCancelled`](ErrorKind::RunCancelled) or
    /// [`RunTimedOut`](ErrorKind::RunTimedOut) as the run ended; the error behind it is its
    /// [`cause`](Error::cause). [`Connection`](ErrorKind::Connection) or
    /// [`Refused`](ErrorKind::Refused) when the server cannot be asked: the run goes on.
    pub async fn wait<T: DeserializeOwned>(&self) -> Result<T> {
        loop {
            if let Some(shown) = self.look(WAIT).await? {
                return self.output(&shown);
            }
        }
    }

    /// Waits for the run's end for at most `timeout`.
    ///
    /// # Errors
    /// As [`RunHandle::wait`], and [`WaitTimeout`](ErrorKind::WaitTimeout) when the run has not
    /// ended by then: it goes on.
    pub async fn wait_for<T: DeserializeOwned>(&self, timeout: impl IntoDuration) -> Result<T> {
        let timeout = timeout.into_duration()?;
        let begin = Instant::now();
        loop {
            let left = timeout.saturating_sub(begin.elapsed());
            if let Some(shown) = self.look(left.min(WAIT)).await? {
                return self.output(&shown);
            }
            if begin.elapsed() >= timeout {
                let text = format!("run {} has not ended within {timeout:?}", self.id);
                return Err(Error::wait_timeout(text));
            }
        }
    }

    /// Asks for the run's status.
    ///
    /// # Errors
    /// [`Connection`](ErrorKind::Connection) or [`Refused`](ErrorKind::Refused).
    pub async fn status(&self) -> Result<RunStatus> {
        let answer = self.client.http.get(&format!("/api/v1/runs/{}/result", self.id)).await?;
        Ok(answer.read::<Shown>()?.status)
    }

    /// Cancels the run (§7.1). Returns once that is durable; the run ends when its functions in
    /// flight have. A run that had ended stays as it is.
    ///
    /// # Errors
    /// [`Connection`](ErrorKind::Connection) or [`Refused`](ErrorKind::Refused).
    pub async fn cancel(&self, reason: Option<&str>) -> Result<()> {
        let path = format!("/api/v1/runs/{}/cancel", self.id);
        self.client.http.post(&path, &Cancel { reason }, Again::Any).await?;
        Ok(())
    }

    /// Waits for the end for at most so long; `None` where the run has not ended.
    async fn look(&self, wait: Duration) -> Result<Option<Shown>> {
        let path = format!("/api/v1/runs/{}/result?wait={}ms", self.id, to_millis(wait));
        let answer = self.client.http.get(&path).await?;
        Shown::ended(&answer)
    }

    pub(super) fn output<T: DeserializeOwned>(&self, shown: &Shown) -> Result<T> {
        shown.output_of(self.id)
    }
}

impl Shown {
    #[cfg(feature = "test")]
    pub(crate) fn new(
        status: RunStatus,
        output: Option<Box<RawValue>>,
        error: Option<Box<RawValue>>,
    ) -> Self {
        Self { status, output, error }
    }

    /// Reads the output of a run that has ended, or why there is none.
    pub(crate) fn output_of<T: DeserializeOwned>(&self, run: RunId) -> Result<T> {
        let (kind, what) = match self.status {
            RunStatus::Completed => {
                let what = || format!("the output of run {run}");
                return json::decode(what, self.output.as_deref());
            }
            RunStatus::Cancelled => (ErrorKind::RunCancelled, "was cancelled"),
            RunStatus::TimedOut => (ErrorKind::RunTimedOut, "timed out"),
            RunStatus::Failed
            | RunStatus::Queued
            | RunStatus::Running
            | RunStatus::Waiting
            | RunStatus::Paused
            | RunStatus::Blocked
            | RunStatus::Compensating => (ErrorKind::RunFailed, "failed"),
        };
        let failure = self.error.as_deref();
        let failure = failure.and_then(|raw| serde_json::from_str::<Failure<'_>>(raw.get()).ok());
        let why = failure.as_ref().map(|one| format!(": {}", one.message)).unwrap_or_default();
        Err(Error::run_end(kind, format!("run {run} {what}{why}"), failure.as_ref()))
    }
}
