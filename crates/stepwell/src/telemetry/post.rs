//! One request, and what its answer means.

use std::time::Duration;

use bytes::Bytes;
use hyper::{Method, StatusCode};
use serde::Deserialize;

use super::error::{SendError, SendErrorKind};
use super::shared::Shared;
use crate::client::{Again, Answer};

/// Where events go.
const PATH: &str = "/api/v1/telemetry";

/// Most characters that are shown of an answer that is not understood.
const SHOWN_MAX: usize = 200;

/// What the server says of the events that it read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Receipt {
    /// The first of those that it did not take.
    #[serde(default)]
    pub(super) refused: Vec<Refusal>,
    #[serde(default)]
    refused_total: usize,
    /// Present in each receipt: what it is known by.
    #[serde(rename = "accepted")]
    _accepted: usize,
}

/// An event that the server did not take.
#[derive(Debug, Deserialize)]
pub(super) struct Refusal {
    pub(super) index: usize,
    #[serde(default)]
    code: String,
    #[serde(default)]
    detail: String,
}

/// Why events have not arrived.
#[derive(Debug)]
pub(super) enum Failed {
    /// They may arrive later, and no earlier than after the pause.
    Again { error: SendError, pause: Duration },
    /// They never will.
    Never(SendError),
}

impl Receipt {
    /// Returns how many events were not taken.
    pub(super) fn refused_total(&self) -> usize {
        self.refused_total.max(self.refused.len())
    }
}

impl Refusal {
    pub(super) fn to_error(&self) -> SendError {
        let kind = SendErrorKind::Refused(StatusCode::OK.as_u16());
        SendError::new(kind, &*self.detail).with_code(Some(&self.code))
    }
}

impl Failed {
    pub(super) fn into_error(self) -> SendError {
        match self {
            Self::Again { error, .. } | Self::Never(error) => error,
        }
    }
}

/// Sends the body of a request.
pub(super) async fn post(shared: &Shared, body: Bytes) -> Result<Receipt, Failed> {
    let asking = shared.http.exchange((Method::POST, PATH), body, Again::Any);
    let limit = shared.times.request;
    let unreachable = |why: String| SendError::new(SendErrorKind::Unreachable, why);
    let again = |error| Failed::Again { error, pause: Duration::ZERO };
    let answer = match tokio::time::timeout(limit, asking).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(again(unreachable(error.message().to_owned()))),
        Err(_) => return Err(again(unreachable(format!("no answer within {limit:?}")))),
    };
    if !answer.status.is_success() {
        return Err(refused(answer));
    }
    serde_json::from_slice(&answer.body).map_err(|_| {
        let text: String = String::from_utf8_lossy(&answer.body).chars().take(SHOWN_MAX).collect();
        again(unreachable(format!("what answers is no server of Stepwell: {text}")))
    })
}

/// What is worth another try: the server is busy, is being started, or has no room just now.
fn refused(answer: Answer) -> Failed {
    let (status, pause) = (answer.status, answer.pause);
    let is_for_now = status.is_server_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
    let why = answer.into_error();
    let kind = SendErrorKind::Refused(status.as_u16());
    let error = SendError::new(kind, why.message()).with_code(why.code());
    if is_for_now { Failed::Again { error, pause } } else { Failed::Never(error) }
}
