//! A receiver of traces in this process, which does what a test says.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Longest time that a test waits for spans; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_mins(2);

/// What a receiver does with requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// It takes them.
    Takes,
    /// It answers with this status.
    Answers(u16),
    /// It closes connections without a word.
    HangsUp,
    /// It says nothing.
    IsSilent,
}

/// What a receiver got, taken or not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Got {
    /// Requests, whatever was done with them.
    pub(crate) requests: usize,
    /// The head of the last one: path, media type, the header `x-key`.
    pub(crate) head: [String; 3],
    /// The services that the spans are of.
    pub(crate) services: Vec<String>,
    /// Spans that were taken.
    pub(crate) spans: Vec<Span>,
}

/// A receiver of traces.
pub(crate) struct Collector {
    pub(crate) url: String,
    behaviour: watch::Sender<Behaviour>,
    got: watch::Receiver<Got>,
}

impl Collector {
    /// Starts one.
    pub(crate) async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (behaviour, does) = watch::channel(behaviour);
        let (told, got) = watch::channel(Got::default());
        let told = Arc::new(told);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (does, told) = (does.clone(), Arc::clone(&told));
                let serve = service_fn(move |request| {
                    let told = Arc::clone(&told);
                    let behaviour = *does.borrow();
                    async move { answer(request, behaviour, &told).await }
                });
                // A connection that a test cuts ends with an error.
                let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), serve);
                tokio::spawn(async move { drop(serving.await) });
            }
        });
        Self { url, behaviour, got }
    }

    /// Has it do something else with the requests that follow.
    pub(crate) fn now(&self, behaviour: Behaviour) {
        self.behaviour.send_replace(behaviour);
    }

    /// Waits until what it got is enough.
    pub(crate) async fn until(&self, is_enough: impl Fn(&Got) -> bool) -> Got {
        let mut got = self.got.clone();
        let waiting = tokio::time::timeout(PATIENCE, got.wait_for(|got| is_enough(got)));
        let enough = waiting.await.map(|waited| waited.unwrap().clone());
        enough.unwrap_or_else(|_| panic!("not enough: {:#?}", self.got.borrow()))
    }

    /// Waits for the span of this name of a run, and returns it.
    pub(crate) async fn span(&self, name: &str, run: &str) -> Span {
        let is_it = |span: &&Span| span.name == name && attribute(span, "stepwell.run_id") == run;
        let got = self.until(|got| got.spans.iter().any(|span| is_it(&span))).await;
        got.spans.iter().find(is_it).unwrap().clone()
    }
}

async fn answer(
    request: Request<Incoming>,
    behaviour: Behaviour,
    told: &watch::Sender<Got>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    let header = |name| parts.headers.get(name).map_or("", |value| value.to_str().unwrap());
    let head = [parts.uri.path(), header("content-type"), header("x-key")].map(str::to_owned);
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    told.send_modify(|got| {
        got.requests += 1;
        got.head = head;
        for of_service in request.resource_spans {
            if behaviour != Behaviour::Takes {
                continue;
            }
            let attributes = of_service.resource.unwrap().attributes;
            let name = attributes.iter().find(|one| one.key == "service.name").unwrap();
            let value = name.value.clone().unwrap().value;
            let Some(Value::StringValue(name)) = value else { panic!("{value:?}") };
            got.services.push(name);
            got.spans.extend(of_service.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
    });
    let status = match behaviour {
        Behaviour::Takes => 200,
        Behaviour::Answers(status) => status,
        Behaviour::HangsUp => return Err(std::io::Error::other("as the test says")),
        Behaviour::IsSilent => std::future::pending().await,
    };
    Ok(Response::builder().status(status).body(Full::default()).unwrap())
}

/// Returns an attribute as text; empty where there is none.
pub(crate) fn attribute(span: &Span, key: &str) -> String {
    let found = span.attributes.iter().find(|one| one.key == key);
    match found.and_then(|one| one.value.clone()?.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => other.map_or_else(String::new, |other| format!("{other:?}")),
    }
}
