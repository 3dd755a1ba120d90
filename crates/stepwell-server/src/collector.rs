//! Sends traces to a receiver of OpenTelemetry: OTLP over HTTP, in Protocol Buffers, on one connection.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use stepwell_http::traces::{Post, Posted, Posting};
use tokio::sync::Mutex;

use crate::config::{Endpoint, OtlpConfig, SecretText};

/// Most bytes of an answer that are read; it is a few numbers and a sentence.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

type Sender = SendRequest<Full<Bytes>>;

/// A receiver of traces.
pub(crate) struct Collector {
    endpoint: Endpoint,
    headers: HeaderMap,
    /// The connection of the request before.
    open: Mutex<Option<Sender>>,
}

impl Collector {
    /// Makes one of settings that were checked; `None` where nothing is exported.
    pub(crate) fn of(config: &OtlpConfig) -> Option<Self> {
        let endpoint = config.endpoint.as_deref().and_then(Endpoint::parse)?;
        let mut headers = HeaderMap::new();
        let agent = concat!("stepwell/", env!("CARGO_PKG_VERSION"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
        headers.extend(config.headers.iter().filter_map(SecretText::headers).flatten());
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        headers.insert(header::HOST, HeaderValue::try_from(endpoint.server.authority()).ok()?);
        Some(Self { endpoint, headers, open: Mutex::new(None) })
    }

    async fn exchange(&self, body: Bytes) -> Result<Posted, String> {
        let mut open = self.open.lock().await;
        // One that is dropped half way has no connection left.
        let kept = open.take().filter(|sender| !sender.is_closed());
        let is_kept = kept.is_some();
        let mut sender = match kept {
            Some(sender) => sender,
            None => self.connect().await?,
        };
        let mut answer = self.send(&mut sender, body.clone()).await;
        if answer.is_err() && is_kept {
            // The receiver may have closed it since.
            sender = self.connect().await?;
            answer = self.send(&mut sender, body).await;
        }
        let posted = read(answer?).await?;
        *open = Some(sender);
        Ok(posted)
    }

    async fn connect(&self) -> Result<Sender, String> {
        let failed = |why: String| format!("no connection to {}: {why}", self.endpoint.server);
        let stream =
            self.endpoint.server.connect().await.map_err(|error| failed(error.to_string()))?;
        let made = handshake(TokioIo::new(stream)).await;
        let (sender, connection) = made.map_err(|error| failed(error.to_string()))?;
        // Ends with its sender.
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    async fn send(&self, sender: &mut Sender, body: Bytes) -> Result<Response<Incoming>, String> {
        let mut request = Request::post(&self.endpoint.path)
            .body(Full::new(body))
            .map_err(|error| error.to_string())?;
        *request.headers_mut() = self.headers.clone();
        let lost = |error: hyper::Error| format!("the connection broke: {error}");
        sender.ready().await.map_err(lost)?;
        sender.send_request(request).await.map_err(lost)
    }
}

impl Post for Collector {
    fn post(&self, body: Bytes) -> Posting<'_> {
        Box::pin(self.exchange(body))
    }
}

async fn read(answer: Response<Incoming>) -> Result<Posted, String> {
    let status = answer.status().as_u16();
    let seconds = answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = seconds.and_then(|text| text.parse().ok()).map(Duration::from_secs);
    let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| format!("its answer could not be read: {error}"))?;
    Ok(Posted { status, retry_after, body: body.to_bytes() })
}
