//! Spans of `tracing` as steps.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Value, json};
use stepwell::telemetry::Telemetry;
use tracing::{Instrument, debug_span, error, field, info, info_span, warn};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, registry};

use super::server::Server;

/// Runs code under a subscriber with the layer, and returns the events that were sent.
fn told(server: &Server, code: impl FnOnce()) -> Vec<Value> {
    let telemetry = server.client().capture_stack(true).build();
    tracing::subscriber::with_default(registry().with(telemetry.layer()), code);
    sent(server, &telemetry)
}

fn sent(server: &Server, telemetry: &Telemetry) -> Vec<Value> {
    assert!(telemetry.flush_sync());
    server.events()
}

fn brief(events: &[Value]) -> Vec<String> {
    let text = |event: &Value, name: &str| event[name].as_str().unwrap().to_owned();
    let brief = |event: &Value| {
        let error = event["error"]["message"].as_str().map(|text| format!(" ({text})"));
        let (run, step, status) = (text(event, "run"), text(event, "step"), text(event, "status"));
        format!("{run} {step} {status}{}", error.unwrap_or_default())
    };
    events.iter().map(brief).collect()
}

/// §10.2: a span with `flow` and `run_id` is a run, which sends nothing; spans beneath it are its steps, and
/// fields are metadata without secrets.
#[test]
fn spans_beneath_a_run_are_its_steps() {
    let server = Server::start();
    let events = told(&server, || {
        let request =
            info_span!("request", flow = "checkout", run_id = 17, region = "eu", password = "p");
        let _request = request.entered();
        info_span!("charge-card", items = 3, ok = true, cents = 1.5, api_key = "k").in_scope(
            || {
                info!("it goes well");
                warn!("it goes on");
            },
        );
        let _odd = info_span!("pack", step = "send-parcel", count = u64::MAX).entered();
    });
    assert_eq!(
        brief(&events),
        [
            "17 charge-card running",
            "17 charge-card success",
            "17 send-parcel running",
            "17 send-parcel success"
        ]
    );
    assert!(events.iter().all(|event| event["flow"] == "checkout"));
    assert_eq!(events[0]["runMetadata"], json!({ "region": "eu", "password": "[redacted]" }));
    let metadata = json!({ "items": 3, "ok": true, "cents": 1.5, "api_key": "[redacted]" });
    assert_eq!(events[0]["metadata"], metadata);
    assert_eq!(events[0]["call"], events[1]["call"]);
    assert_ne!(events[0]["call"], events[2]["call"]);
    assert_eq!(events[2]["metadata"], json!({ "count": u64::MAX }));
}

/// §10.2: deeper spans, and those of lower levels, are steps where they say so.
#[test]
fn deeper_spans_are_steps_where_they_say_so() {
    let server = Server::start();
    let events = told(&server, || {
        let _outside = info_span!("outside", step = "of-nothing").entered();
        let _request = info_span!("request", flow = "f", run_id = "r").entered();
        debug_span!("lookup").in_scope(|| drop(info_span!("query")));
        debug_span!("lookup").in_scope(|| drop(debug_span!("query", step = "deep")));
        info_span!("charge").in_scope(|| {
            drop(info_span!("connect"));
            drop(info_span!("ask", step = "ask-bank"));
            drop(info_span!("unnamed", step = field::Empty));
        });
        let _other = info_span!("delivery", flow = "mail", run_id = "m").entered();
        drop(info_span!("send"));
    });
    let begun: Vec<String> =
        brief(&events).into_iter().filter(|line| line.ends_with("running")).collect();
    assert_eq!(
        begun,
        [
            "r deep running",
            "r charge running",
            "r ask-bank running",
            "r unnamed running",
            "m send running"
        ]
    );
}

#[derive(Debug)]
struct Refused(std::num::ParseIntError);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the bank refused")
    }
}

impl std::error::Error for Refused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// §10.2: an event of level `ERROR` makes the step fail that is nearest, with its message and fields.
#[test]
fn error_events_make_steps_fail() {
    let server = Server::start();
    let refused = Refused("x".parse::<u8>().unwrap_err());
    let events = told(&server, || {
        error!("in no span");
        let _request = info_span!("request", flow = "f", run_id = "r").entered();
        error!("in no step");
        let _outer = info_span!("outer").entered();
        info_span!("inner", step = "inner").in_scope(|| {
            let _library = debug_span!("connection").entered();
            error!(attempt = 1, "first");
            error!(attempt = 2, error = &refused as &dyn std::error::Error, "declined");
        });
        info_span!("text", step = "text").in_scope(|| error!(error = %refused));
    });
    let ends: Vec<String> =
        brief(&events).into_iter().filter(|line| !line.ends_with("running")).collect();
    assert_eq!(
        ends,
        [
            "r inner error (declined: the bank refused)",
            "r text error (the bank refused)",
            "r outer success"
        ]
    );
    let inner = events.iter().find(|one| one["status"] == "error").unwrap();
    assert_eq!(inner["metadata"], json!({ "attempt": 2 }));
    assert_eq!(inner["error"]["stack"], "caused by invalid digit found in string");
}

/// §10.1: what stands behind an error is told only where that was asked for.
#[test]
fn causes_are_told_where_that_was_asked_for() {
    let server = Server::start();
    let telemetry = server.client().build();
    let refused = Refused("x".parse::<u8>().unwrap_err());
    tracing::subscriber::with_default(registry().with(telemetry.layer()), || {
        let _request = info_span!("request", flow = "f", run_id = "r").entered();
        let _step = info_span!("s").entered();
        error!(error = &refused as &dyn std::error::Error);
    });
    let events = sent(&server, &telemetry);
    assert_eq!(events[1]["error"], json!({ "name": "Error", "message": "the bank refused" }));
}

/// §10.4: a step lasts from the making of its span to its close, however often it is entered.
#[tokio::test]
async fn a_span_that_is_entered_often_is_one_call() {
    let server = Server::start();
    let telemetry = server.client().build();
    let subscriber = registry().with(telemetry.layer());
    let _default = tracing::subscriber::set_default(subscriber);
    let run = info_span!("request", flow = "f", run_id = "r");
    let step = run.in_scope(|| info_span!("wait", found = field::Empty));
    assert_eq!(telemetry.stats().recorded, 1);
    let waits = async {
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        tracing::Span::current().record("found", "late");
    };
    waits.instrument(step.clone()).await;
    assert_eq!(telemetry.stats().recorded, 1);
    drop(step);
    assert!(telemetry.flush().await);
    let events = server.events();
    assert_eq!(brief(&events), ["r wait running", "r wait success"]);
    assert!(events[0].get("metadata").is_none());
    assert_eq!(events[1]["metadata"], json!({ "found": "late" }));
}

/// §10.2: a run is one once both of its fields have a value.
#[test]
fn a_run_may_be_named_later() {
    let server = Server::start();
    let events = told(&server, || {
        let request = info_span!("request", flow = "f", run_id = field::Empty, user = field::Empty);
        let _request = request.clone().entered();
        drop(info_span!("before"));
        request.record("run_id", "late");
        request.record("user", 7);
        drop(info_span!("after"));
    });
    assert_eq!(brief(&events), ["late after running", "late after success"]);
    assert_eq!(events[0]["runMetadata"], json!({ "user": 7 }));
}

/// §10.2: a step that is left by a panic fails.
#[test]
fn a_panic_makes_its_steps_fail() {
    let server = Server::start();
    let events = told(&server, || {
        let _request = info_span!("request", flow = "f", run_id = "r").entered();
        let panics = || info_span!("charge").in_scope(|| panic!("for the test"));
        catch_unwind(AssertUnwindSafe(panics)).unwrap_err();
        drop(info_span!("next").entered());
    });
    let ends: Vec<String> =
        brief(&events).into_iter().filter(|line| !line.ends_with("running")).collect();
    assert_eq!(ends, ["r charge error (the span was left by a panic)", "r next success"]);
}

/// The layer stands behind filters of its own, and sees a run through what they leave out.
#[test]
fn the_layer_takes_filters() {
    let server = Server::start();
    let telemetry = server.client().build();
    let layer = telemetry.layer().with_filter(LevelFilter::INFO);
    tracing::subscriber::with_default(registry().with(layer), || {
        let _request = info_span!("request", flow = "f", run_id = "r").entered();
        debug_span!("left-out", step = "s").in_scope(|| drop(info_span!("seen")));
    });
    assert_eq!(brief(&sent(&server, &telemetry)), ["r seen running", "r seen success"]);
}

/// §10.1: the layer of a client that is off does nothing.
#[test]
fn a_client_that_is_off_has_a_layer_too() {
    let telemetry = Telemetry::builder().enabled(false).build();
    tracing::subscriber::with_default(registry().with(telemetry.layer()), || {
        let _request = info_span!("request", flow = "f", run_id = "r").entered();
        let _step = info_span!("s").entered();
        error!("e");
    });
    assert_eq!(telemetry.stats().recorded, 0);
}
