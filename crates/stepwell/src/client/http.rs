//! Requests and answers.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::AUTHORIZATION;
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::driver::{Connector, Target};
use crate::error::{Error, Result};

/// Connections to a server, kept open between requests.
#[derive(Clone, Debug)]
pub(super) struct Http {
    target: Target,
    client: legacy::Client<Connector, Full<Bytes>>,
}

/// An answer: its status and its body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
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
    pub(super) fn to(target: Target) -> Self {
        let client = legacy::Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(64)
            .build(Connector(target.clone()));
        Self { target, client }
    }

    pub(super) async fn get(&self, path: &str) -> Result<Answer> {
        self.send(Method::GET, path, Bytes::new()).await
    }

    pub(super) async fn post(&self, path: &str, body: &impl Serialize) -> Result<Answer> {
        let body = serde_json::to_vec(body)
            .map_err(|error| Error::serialization(format!("the request: {error}"), None))?;
        self.send(Method::POST, path, body.into()).await
    }

    async fn send(&self, method: Method, path: &str, body: Bytes) -> Result<Answer> {
        let url = self.target.url("http", path);
        let refuse = |error: &dyn std::error::Error| {
            // The text of the error alone says little; what stands behind it says why.
            let mut text = format!("{method} {url}: {error}");
            let mut behind = error.source();
            while let Some(error) = behind {
                text = format!("{text}: {error}");
                behind = error.source();
            }
            Error::connection(text)
        };
        let mut request = Request::builder().method(&method).uri(&url);
        if method == Method::POST {
            request = request.header("content-type", "application/json");
        }
        if let Some(key) = self.target.key() {
            request = request.header(AUTHORIZATION, key.header());
        }
        let request = request.body(Full::new(body)).map_err(|error| refuse(&error))?;
        let answer = self.client.request(request).await.map_err(|error| refuse(&error))?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(|error| refuse(&error))?.to_bytes();
        let answer = Answer { status, body };
        if status.is_success() { Ok(answer) } else { Err(answer.into_error()) }
    }
}

impl Answer {
    /// Reads the body.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T> {
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
