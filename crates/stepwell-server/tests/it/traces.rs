//! Traces: what a receiver of OpenTelemetry gets of runs, and what becomes of runs when it does not.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use serde_json::{Value, json};
use stepwell::{App, Ctx, Error, Result, Retry};
use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;
use stepwell_server::config::{Config, OtlpConfig};
use stepwell_server::server::{self, Server};

use crate::process::Process;
use crate::support::{Behaviour, Collector, Runner, attribute, config, get, post, request};

/// Longest time for a server to stop; only a failing test waits so long.
const STOP_TIME: Duration = Duration::from_mins(1);

/// A place in a trace of the caller.
const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Settings of a server that exports.
fn exports(collector: &Collector) -> Config {
    let otlp = OtlpConfig {
        endpoint: Some(collector.url.clone()),
        headers: Some("x-key=hunter2".parse().unwrap()),
        service_name: "shop-flows".into(),
    };
    Config { otlp, ..config() }
}

async fn exports_on(collector: &Collector, folder: &Path) -> Server {
    let config = Config { data: Some(folder.to_owned()), ..exports(collector) };
    server::start(&config).await.unwrap()
}

/// Serves the workflows of this file to a server.
async fn serve(server: &Server) {
    static TRIES: AtomicU32 = AtomicU32::new(0);
    async fn order(ctx: Ctx) -> Result<()> {
        let charge = || async {
            let try_number = TRIES.fetch_add(1, Ordering::Relaxed);
            if try_number == 0 { Err(Error::new("the bank is away")) } else { Ok(300) }
        };
        let _: u32 = ctx.run("charge", charge).retry(Retry::exponential(3, "1ms")).await?;
        ctx.sleep("rest", Duration::from_millis(1)).await?;
        ctx.invoke::<()>("ship it", "ship").await
    }
    async fn ship(ctx: Ctx) -> Result<()> {
        ctx.run("pack", || async { Ok(()) }).await
    }
    async fn broken(ctx: Ctx) -> Result<()> {
        ctx.run("fail", || async { Err::<(), _>(Error::new("no")) }).retry(Retry::never()).await
    }
    async fn quick(ctx: Ctx) -> Result<()> {
        ctx.run("work", || async { Ok(()) }).await
    }
    let url = format!("http://{}", server.address());
    let names = json!([{"name": "order"}, {"name": "ship"}, {"name": "broken"}, {"name": "quick"}]);
    // Once a runner has registered the workflows, starts can wait for one that comes later.
    drop(Runner::connect(server.address(), names).await);
    let app = App::new("shop").workflow("order", order).workflow("ship", ship);
    let app = app.workflow("broken", broken).workflow("quick", quick);
    // It serves until the test's runtime is gone.
    drop(tokio::spawn(app.runner("green").serve(url).into_future()));
}

/// Runs a workflow to its end, and returns what the API shows of it.
async fn run(server: &Server, workflow: &str, traceparent: &str) -> Value {
    let headers = [("content-type", "application/json"), ("traceparent", traceparent)];
    let body = json!({"workflow": workflow, "runner": "green"}).to_string();
    let to = server.address();
    let start = request(to, "POST /api/v1/runs?wait=5m", &headers, body.as_bytes()).await;
    assert_eq!(start.status, 201, "{start:?}");
    get(to, &format!("/api/v1/runs/{}", start.text("id"))).await.json()
}

fn id(run: &Value) -> &str {
    run["id"].as_str().unwrap()
}

/// An instant of the API in nanoseconds.
#[track_caller]
fn nanos(instant: &Value) -> u64 {
    let at = Timestamp::parse_iso(instant.as_str().unwrap()).unwrap();
    u64::try_from(at.as_micros()).unwrap() * 1_000
}

/// The id of the trace of a run that nobody else has one for.
fn trace_of(run: &Value) -> Vec<u8> {
    id(run).parse::<RunId>().unwrap().as_u128().to_be_bytes().to_vec()
}

#[track_caller]
fn is_error(span: &Span, message: &str) {
    let status = span.status.clone().unwrap();
    assert_eq!((status.code(), &*status.message), (StatusCode::Error, message));
    let event = &span.events[0];
    assert_eq!((&*event.name, event.time_unix_nano), ("exception", span.end_time_unix_nano));
}

fn step<'a>(run: &'a Value, step: &str) -> &'a Value {
    let steps = run["steps"].as_array().unwrap();
    steps.iter().find(|one| one["id"] == step).unwrap()
}

/// A metric without labels, or with these.
async fn metric(server: &Server, series: &str) -> f64 {
    let text = get(server.address(), "/metrics").await.body;
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in {text}")).parse().unwrap()
}

/// What a receiver gets is what the API says: parents, times, statuses, in the trace of the caller.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_with_its_attempts_and_its_child_is_a_trace() {
    let collector = Collector::start(Behaviour::Takes).await;
    let server = server::start(&exports(&collector)).await.unwrap();
    serve(&server).await;
    let order = run(&server, "order", CALLER).await;
    assert_eq!(order["status"], "completed", "{order}");

    let top = collector.span("order", id(&order)).await;
    assert_eq!(top.trace_id, 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes());
    assert_eq!(top.parent_span_id, 0x00f0_67aa_0ba9_02b7_u64.to_be_bytes());
    assert_eq!((top.kind(), top.flags), (SpanKind::Consumer, 0x301));
    assert_eq!(
        (top.status.clone(), attribute(&top, "stepwell.status")),
        (None, "completed".into())
    );
    let times = [&order["createdAt"], &order["endedAt"]].map(nanos);
    assert_eq!([top.start_time_unix_nano, top.end_time_unix_nano], times);
    for (key, value) in [("namespace", "default"), ("app", "shop"), ("workflow", "order")] {
        assert_eq!(attribute(&top, &format!("stepwell.{key}")), value);
    }

    // Its spans come in one request.
    let got = collector.until(|_| true).await;
    let of_run = |name: &str, run: &Value| -> Vec<Span> {
        let is_it =
            |span: &&Span| span.name == name && attribute(span, "stepwell.run_id") == id(run);
        got.spans.iter().filter(is_it).cloned().collect()
    };
    let charge = step(&order, "charge");
    let attempts = of_run("charge", &order);
    assert_eq!(attempts.len(), 2, "{attempts:#?}");
    for (span, shown) in attempts.iter().zip(charge["attempts"].as_array().unwrap()) {
        assert_eq!((&span.trace_id, &span.parent_span_id), (&top.trace_id, &top.span_id));
        assert_eq!(span.kind(), SpanKind::Internal);
        let times = [&shown["startedAt"], &shown["endedAt"]].map(nanos);
        assert_eq!([span.start_time_unix_nano, span.end_time_unix_nano], times);
        assert_eq!(attribute(span, "stepwell.attempt"), shown["n"].to_string());
        assert_eq!(attribute(span, "stepwell.status"), shown["status"].as_str().unwrap());
        assert_eq!(attribute(span, "stepwell.step_kind"), "run");
        assert_eq!(attribute(span, "stepwell.runner"), "green");
    }
    is_error(&attempts[0], "Error: the bank is away");
    assert_eq!((&attempts[1].status, attempts[1].events.len()), (&None, 0));
    let rest = &of_run("rest", &order)[0];
    let times =
        [&step(&order, "rest")["startedAt"], &step(&order, "rest")["completedAt"]].map(nanos);
    assert_eq!([rest.start_time_unix_nano, rest.end_time_unix_nano], times);
    assert_eq!(attribute(rest, "stepwell.step_kind"), "sleep");

    // The child is below the step that waits for it.
    let invoke = &of_run("ship it", &order)[0];
    assert_eq!(invoke.parent_span_id, top.span_id);
    let child = attribute(invoke, "stepwell.child_run_id");
    let ship = get(server.address(), &format!("/api/v1/runs/{child}")).await.json();
    let below = collector.span("ship", &child).await;
    assert_eq!((&below.trace_id, &below.parent_span_id), (&top.trace_id, &invoke.span_id));
    assert_eq!(attribute(&below, "stepwell.parent_run_id"), id(&order));
    let pack = collector.span("pack", id(&ship)).await;
    assert_eq!((&pack.trace_id, &pack.parent_span_id), (&top.trace_id, &below.span_id));
    let all: std::collections::BTreeSet<_> = got.spans.iter().map(|span| &span.span_id).collect();
    assert_eq!(all.len(), got.spans.len(), "no two spans have one id");
    assert_eq!(got.head, ["/v1/traces", "application/x-protobuf", "hunter2"]);
    assert!(got.services.iter().all(|name| name == "shop-flows"));
    server.stop().await;
}

/// A run that is no part of another trace has one of its own, whose id is that of the run.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_its_own_has_a_trace_of_its_own() {
    let collector = Collector::start(Behaviour::Takes).await;
    let server = server::start(&exports(&collector)).await.unwrap();
    serve(&server).await;
    // The caller keeps nothing of its trace.
    let unwanted = run(&server, "quick", &CALLER.replace("-01", "-00")).await;
    let failed = run(&server, "broken", "00-no-traceparent-01").await;
    assert_eq!(failed["status"], "failed", "{failed}");
    let top = collector.span("broken", id(&failed)).await;
    assert_eq!((&top.trace_id, top.parent_span_id.len()), (&trace_of(&failed), 0));
    assert_eq!(top.flags, 0x101);
    is_error(&top, "StepError: step `fail` failed after 1 attempt: no");
    let attempt = collector.span("fail", id(&failed)).await;
    is_error(&attempt, "Error: no");
    let got = collector.until(|_| true).await;
    let of_unwanted = |span: &Span| attribute(span, "stepwell.run_id") == id(&unwanted);
    assert!(!got.spans.iter().any(of_unwanted), "it ended before, and is not exported");
    server.stop().await;
}

/// What a receiver refuses for good is counted, runs do not wait for it, and what ends later is exported.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_counted_and_the_export_goes_on() {
    let collector = Collector::start(Behaviour::Answers(500)).await;
    let server = server::start(&exports(&collector)).await.unwrap();
    serve(&server).await;
    run(&server, "quick", "").await;
    collector.until(|got| got.requests > 0).await;
    let dropped = "stepwell_trace_spans_dropped_total{reason=\"refused\"}";
    while metric(&server, dropped).await < 2.0 {
        tokio::task::yield_now().await;
    }
    assert!(metric(&server, "stepwell_trace_spans_exported_total").await.abs() < 0.5);
    collector.now(Behaviour::Takes);
    let later = run(&server, "quick", "").await;
    collector.span("quick", id(&later)).await;
    server.stop().await;
}

/// While a receiver is away, hangs up or says nothing, runs end as ever and wait in the store, also for the next start
/// of the server.
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_away_gets_all_of_it_later() {
    let collector = Collector::start(Behaviour::HangsUp).await;
    let folder = tempfile::tempdir().unwrap();
    let server = exports_on(&collector, folder.path()).await;
    serve(&server).await;
    let first = run(&server, "quick", "").await;
    collector.until(|got| got.requests > 0).await;
    while metric(&server, "stepwell_trace_requests_failed_total").await < 1.0 {
        tokio::task::yield_now().await;
    }
    assert!(metric(&server, "stepwell_trace_lag_seconds").await > 0.0);
    collector.now(Behaviour::IsSilent);
    let before = collector.until(|_| true).await.requests;
    collector.until(|got| got.requests > before).await;
    let second = run(&server, "quick", "").await;
    // It does not wait for the answer.
    tokio::time::timeout(STOP_TIME, server.stop()).await.expect("the server stops");

    collector.now(Behaviour::Takes);
    let server = exports_on(&collector, folder.path()).await;
    collector.span("quick", id(&first)).await;
    collector.span("quick", id(&second)).await;
    while metric(&server, "stepwell_trace_lag_seconds").await > 0.0 {
        tokio::task::yield_now().await;
    }
    server.stop().await;

    // What was exported is not exported again by every start.
    let before = collector.until(|_| true).await.spans.len();
    let server = exports_on(&collector, folder.path()).await;
    serve(&server).await;
    let third = run(&server, "quick", "").await;
    collector.span("quick", id(&third)).await;
    let spans = collector.until(|_| true).await.spans;
    assert!(spans[before..].iter().all(|span| attribute(span, "stepwell.run_id") == id(&third)));
    server.stop().await;
}

/// Headers for the receiver are in no line of the log, whatever is logged.
#[tokio::test(flavor = "multi_thread")]
async fn headers_are_not_logged() {
    let collector = Collector::start(Behaviour::Answers(401)).await;
    let dev = ["dev", "--listen", "127.0.0.1:0", "--log-format", "json", "--log", "trace"];
    let otlp = ["--otlp-endpoint", &collector.url, "--otlp-headers", "x-key=hunter2"];
    let process = Process::start(&[&dev[..], &otlp].concat());
    let to = process.address;
    let _runner = Runner::connect(to, json!([{"name": "pay"}])).await;
    let started = post(to, "/api/v1/runs", &json!({"workflow": "pay"})).await.text("id");
    // Nobody runs it, and it ends all the same.
    let end = post(to, &format!("/api/v1/runs/{started}/terminate"), &json!({})).await;
    assert_eq!(end.status, 200, "{end:?}");
    collector.until(|got| got.head[2] == "hunter2").await;
    let told = process.logged(|line| {
        assert!(!line.to_string().contains("hunter2"), "{line}");
        line["message"] == "the receiver of traces does not take them"
    });
    assert_eq!(told["why"], "it answers with status 401");
}
