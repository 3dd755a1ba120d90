//! Requests and answers.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{AUTHORIZATION, HeaderMap, RETRY_AFTER};
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::driver::{Connector, Target, Turn};
use crate::error::{Error, Result};

/// Longest time for which a server's word counts on when to come again.
const PAUSE_MAX: Duration = Duration::from_mins(1);

/// Connections to a server, kept open between requests.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    nodes: Turn<Node>,
}

/// One of its nodes.
#[derive(Clone, Debug)]
struct Node {
    target: Target,
    client: legacy::Client<Connector, Full<Bytes>>,
}

/// What may be asked of another node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// What a node cannot have seen.
    Unseen,
    /// What a node may have seen and not answered, too, or cannot take now: asked twice, it does what asking once
    /// does.
    Any,
}

impl Again {
    /// Tells by what makes a repeat harmless, such as a key.
    pub(super) fn with<T>(key: Option<&T>) -> Self {
        if key.is_some() { Self::Any } else { Self::Unseen }
    }
}

/// Why there is no answer.
struct Unanswered {
    error: Error,
    /// The node cannot have seen the request.
    is_unseen: bool,
}

/// An answer: its status, its body, and when to come again, where the server says that.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
    pub(crate) pause: Duration,
}

/// What the server says of a request that it does not do.
#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    title: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    detail: String,
}

impl Http {
    /// Connects to nodes of one server, of which there is one at least.
    pub(crate) fn to(targets: Vec<Target>) -> Self {
        let node = |target: Target| {
            let client = legacy::Client::builder(TokioExecutor::new())
                .pool_max_idle_per_host(64)
                .build(Connector(target.clone()));
            Node { target, client }
        };
        Self { nodes: Turn::of(targets.into_iter().map(node).collect()) }
    }

    pub(super) async fn get(&self, path: &str) -> Result<Answer> {
        self.send((Method::GET, path), Bytes::new(), Again::Any).await
    }

    pub(super) async fn post(
        &self,
        path: &str,
        body: &impl Serialize,
        again: Again,
    ) -> Result<Answer> {
        let body = serde_json::to_vec(body)
            .map_err(|error| Error::serialization(format!("the request: {error}"), None))?;
        self.send((Method::POST, path), body.into(), again).await
    }

    async fn send(&self, to: (Method, &str), body: Bytes, again: Again) -> Result<Answer> {
        let answer = self.exchange(to, body, again).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(answer.into_error()) }
    }

    /// Asks, and returns what is answered, whatever it says. Each node is asked once at most.
    pub(crate) async fn exchange(
        &self,
        (method, path): (Method, &str),
        body: Bytes,
        again: Again,
    ) -> Result<Answer> {
        let mut left = self.nodes.all().len();
        loop {
            let Some((node, at)) = self.nodes.now() else {
                return Err(Error::connection("there is no address of a server".into()));
            };
            left = left.saturating_sub(1);
            let answer = node.ask(&method, path, body.clone()).await;
            let is_next = match &answer {
                Ok(answer) => {
                    again == Again::Any && answer.status == StatusCode::SERVICE_UNAVAILABLE
                }
                Err(unanswered) => again == Again::Any || unanswered.is_unseen,
            };
            if is_next {
                self.nodes.pass(at);
            }
            if !is_next || left == 0 {
                return answer.map_err(|unanswered| unanswered.error);
            }
        }
    }
}

impl Node {
    async fn ask(
        &self,
        method: &Method,
        path: &str,
        body: Bytes,
    ) -> std::result::Result<Answer, Unanswered> {
        let url = self.target.url("http", path);
        let refuse = |error: &dyn std::error::Error, is_unseen| {
            // The text of the error alone says little; what stands behind it says why.
            let mut text = format!("{method} {url}: {error}");
            let mut behind = error.source();
            while let Some(error) = behind {
                text = format!("{text}: {error}");
                behind = error.source();
            }
            Unanswered { error: Error::connection(text), is_unseen }
        };
        let mut request = Request::builder().method(method).uri(&url);
        if method == Method::POST {
            request = request.header("content-type", "application/json");
        }
        if let Some(key) = self.target.key() {
            request = request.header(AUTHORIZATION, key.header());
        }
        let request = request.body(Full::new(body)).map_err(|error| refuse(&error, false))?;
        let answer = self.client.request(request).await;
        let answer = answer.map_err(|error| refuse(&error, error.is_connect()))?;
        let (status, pause) = (answer.status(), pause(answer.headers()));
        let body = answer.into_body().collect().await.map_err(|error| refuse(&error, false))?;
        Ok(Answer { status, body: body.to_bytes(), pause })
    }
}

/// Reads when to come again, where the server says so in seconds.
pub(crate) fn pause(headers: &HeaderMap) -> Duration {
    let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    seconds.map_or(Duration::ZERO, Duration::from_secs).min(PAUSE_MAX)
}

impl Answer {
    /// Reads the body.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Error::connection(format!("the server's answer is not understood: {error}"))
        })
    }

    /// Says why the server does not do what was asked.
    pub(crate) fn into_error(self) -> Error {
        match serde_json::from_slice::<Problem>(&self.body) {
            Ok(problem) if !problem.code.is_empty() => {
                let Problem { title, code, detail } = problem;
                Error::refused(&code, if detail.is_empty() { title } else { detail })
            }
            Ok(_) | Err(_) => {
                let begin: String = String::from_utf8_lossy(&self.body).chars().take(200).collect();
                Error::connection(format!("the server answered {}: {begin}", self.status))
            }
        }
    }
}
