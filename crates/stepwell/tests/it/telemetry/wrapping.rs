//! Steps around functions: what comes out of them, and what is told of them.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt;
use serde_json::{Value, json};
use stepwell::telemetry::Telemetry;
use tokio::sync::oneshot;
use tracing_subscriber::layer::SubscriberExt;

use super::server::Server;

/// What a test has of an event.
fn brief(event: &Value) -> String {
    let text = |name: &str| event[name].as_str().unwrap_or("-").to_owned();
    let error = event["error"]["message"].as_str().map(|text| format!(" ({text})"));
    format!("{} {}{}", text("step"), text("status"), error.unwrap_or_default())
}

async fn told(server: &Server, telemetry: &Telemetry) -> Vec<Value> {
    assert!(telemetry.flush().await);
    server.events()
}

#[derive(Debug)]
struct Declined(Arc<str>);

impl fmt::Display for Declined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "declined: {}", self.0)
    }
}

impl Error for Declined {}

/// §10.2: naming a run, with whatever is told of it, sends nothing.
#[tokio::test]
async fn a_run_sends_nothing() {
    let server = Server::start();
    let telemetry = server.client().build();
    let run = telemetry.run("checkout", "req_123").metadata(json!({ "items": 3 }));
    drop(run.clone());
    let step = run.step("never", async { Ok::<_, String>(()) });
    drop(step);
    assert!(telemetry.shutdown().await);
    assert_eq!(telemetry.stats().recorded, 0);
    assert!(server.requests().is_empty());
}

/// §10.2, §10.4: `running` is told before the function is called and `success` behind it, by one call with the
/// times at which they happened; what the function gives passes through.
#[tokio::test]
async fn a_step_is_told_before_its_function_and_behind_it() {
    let server = Server::start();
    let telemetry = server.client().process("shop/1").build();
    let run = telemetry.run("checkout", 17);
    let value = Arc::new("cart");
    let charge = async {
        assert_eq!(telemetry.stats().recorded, 1);
        assert!(telemetry.flush().await);
        assert_eq!(server.events().iter().map(brief).collect::<Vec<_>>(), ["charge running"]);
        Ok::<_, Declined>(value.clone())
    };
    let given = run.step("charge", charge).await.unwrap();
    assert!(Arc::ptr_eq(&given, &value));
    let events = told(&server, &telemetry).await;
    assert_eq!(events.iter().map(brief).collect::<Vec<_>>(), ["charge running", "charge success"]);
    let [running, success] = &events[..] else { panic!("{events:?}") };
    for event in &events {
        assert_eq!((&event["flow"], &event["run"]), (&"checkout".into(), &"17".into()));
        assert_eq!(event["call"], running["call"]);
        assert!(event.get("error").is_none() && event.get("metadata").is_none(), "{event}");
    }
    assert_ne!(running["id"], success["id"]);
    assert_ne!(running["call"], running["id"]);
    assert!(running["at"].as_f64().unwrap() <= success["at"].as_f64().unwrap());
    let requests = server.requests();
    assert!(requests.iter().all(|request| request.body["process"] == "shop/1"), "{requests:?}");
}

/// §10.2: the very error comes out that the function gave, and its message is told; how it stands in the
/// code only where that was asked for.
#[tokio::test]
async fn the_same_error_comes_out() {
    for captures in [false, true] {
        let server = Server::start();
        let telemetry = server.client().capture_stack(captures).build();
        let run = telemetry.run("checkout", "r");
        let reason: Arc<str> = "no money".into();
        let boxed: Box<dyn Error + Send + Sync> = Box::new(Declined(reason.clone()));
        let address = std::ptr::from_ref(&*boxed).cast::<u8>();
        let error = run.step("boxed", async { Err::<(), _>(boxed) }).await.unwrap_err();
        assert_eq!(std::ptr::from_ref(&*error).cast::<u8>(), address);
        let error = run.step("own", async { Err::<(), _>(Declined(reason.clone())) }).await;
        assert!(Arc::ptr_eq(&error.unwrap_err().0, &reason));
        let text = run.step("text", async { Err::<(), _>("plain") }).await.unwrap_err();
        assert_eq!(text, "plain");
        let events = told(&server, &telemetry).await;
        let errors: Vec<&Value> = events.iter().filter(|one| one["status"] == "error").collect();
        let shown: Vec<(&str, &str, Option<&str>)> = errors
            .iter()
            .map(|event| {
                let text = |name: &str| event["error"][name].as_str();
                (text("name").unwrap(), text("message").unwrap(), text("stack"))
            })
            .collect();
        let stack = |text| captures.then_some(text);
        let declined = stack("Declined(\"no money\")");
        assert_eq!(
            shown,
            [
                ("Error", "declined: no money", declined),
                ("Declined", "declined: no money", declined),
                ("Error", "plain", stack("\"plain\"")),
            ]
        );
    }
}

/// §10.2: a panic is an error too; it goes on with what it carries.
#[tokio::test]
async fn a_panic_goes_on() {
    let server = Server::start();
    let telemetry = server.client().build();
    let run = telemetry.run("checkout", "r");
    let payload = Arc::new("carried");
    let carried = payload.clone();
    let step = run.observe("carry", async move { panic_any(carried) });
    let panic = AssertUnwindSafe(step).catch_unwind().await.unwrap_err();
    assert!(Arc::ptr_eq(&panic.downcast::<Arc<&str>>().unwrap(), &payload));
    let step = run.observe_sync("say", || panic!("at {}", std::hint::black_box(3)));
    let panic = catch_unwind(AssertUnwindSafe(|| step.call())).unwrap_err();
    assert_eq!(*panic.downcast::<String>().unwrap(), "at 3");
    let events = told(&server, &telemetry).await;
    assert_eq!(
        events.iter().map(brief).collect::<Vec<_>>(),
        [
            "carry running",
            "carry error (panicked: a panic without a text)",
            "say running",
            "say error (panicked: at 3)"
        ]
    );
    assert_eq!(events[1]["error"]["name"], "Panic");
}

/// §10.4: a future that is dropped in its middle ends its call; one that was never polled made none.
#[tokio::test]
async fn a_dropped_step_ends() {
    let server = Server::start();
    let telemetry = server.client().build();
    let run = telemetry.run("checkout", "r");
    let (_open, waits) = oneshot::channel::<()>();
    let mut step = Box::pin(run.step("wait", waits));
    let pending =
        std::future::poll_fn(|cx| std::task::Poll::Ready(step.as_mut().poll(cx).is_pending()));
    assert!(pending.await);
    drop(step);
    drop(run.step("never", async { Ok::<_, String>(()) }));
    let events = told(&server, &telemetry).await;
    assert_eq!(
        events.iter().map(brief).collect::<Vec<_>>(),
        ["wait running", "wait error (the call was dropped before it ended)"]
    );
    assert_eq!(events[0]["call"], events[1]["call"]);
    assert_eq!(events[1]["error"]["name"], "Cancelled");
}

/// §10.4: what is tried again under one id of a run is told as calls of their own.
#[tokio::test]
async fn each_call_has_an_id() {
    let server = Server::start();
    let telemetry = server.client().build();
    for attempt in 1..=3 {
        // As a request does that is delivered again.
        let run = telemetry.run("mail", "delivery-7");
        let send = async { if attempt < 3 { Err("busy") } else { Ok(attempt) } };
        assert_eq!(run.step("send", send).await.is_ok(), attempt == 3);
    }
    let events = told(&server, &telemetry).await;
    let calls: Vec<&str> = events.iter().map(|event| event["call"].as_str().unwrap()).collect();
    assert_eq!(calls.len(), 6);
    for (at, pair) in calls.chunks(2).enumerate() {
        assert_eq!(pair[0], pair[1]);
        assert!(calls[..at * 2].iter().all(|before| *before != pair[0]), "{calls:?}");
    }
    assert!(events.iter().all(|event| event["run"] == "delivery-7"));
    let ids: std::collections::HashSet<_> =
        events.iter().map(|event| event["id"].as_str()).collect();
    assert_eq!(ids.len(), 6);
}

/// §10.2: a skipped step calls nothing, and is told.
#[tokio::test]
async fn a_skipped_step_is_told() {
    let server = Server::start();
    let telemetry = server.client().build();
    telemetry.run("checkout", "r").skip("send-receipt-email");
    let events = told(&server, &telemetry).await;
    assert_eq!(events.iter().map(brief).collect::<Vec<_>>(), ["send-receipt-email skipped"]);
    assert!(events[0].get("call").is_none(), "{events:?}");
}

/// §10.2: functions that are not async, and outputs that are no results.
#[tokio::test]
async fn steps_of_other_shapes_are_told() {
    let server = Server::start();
    let telemetry = server.client().build();
    let run = telemetry.run("shapes", "r");
    assert_eq!(run.step_sync("parse", || "7".parse::<u8>()).call(), Ok(7));
    let error = run.step_sync("bad", || "x".parse::<u8>()).metadata(json!({ "line": 3 })).call();
    assert_eq!(error.unwrap_err().to_string(), "invalid digit found in string");
    assert_eq!(run.observe_sync("count", || 3).call(), 3);
    assert_eq!(run.observe("answer", async { 41 + 1 }).await, 42);
    let odd = |status: &u16| (*status >= 500).then(|| format!("status {status}"));
    assert_eq!(run.observe("call", async { 503 }).failed_if(odd).await, 503);
    assert_eq!(run.observe("call", async { 200 }).failed_if(odd).await, 200);
    let judge = |_: &u16| -> Option<String> { panic!("a judge's own") };
    assert_eq!(run.observe_sync("judged", || 1).failed_if(judge).call(), 1);
    let events = told(&server, &telemetry).await;
    let ends: Vec<String> =
        events.iter().filter(|one| one["status"] != "running").map(brief).collect();
    assert_eq!(
        ends,
        [
            "parse success",
            "bad error (invalid digit found in string)",
            "count success",
            "answer success",
            "call error (status 503)",
            "call success",
            "judged success"
        ]
    );
    let bad = events.iter().find(|one| one["step"] == "bad").unwrap();
    assert_eq!(bad["metadata"]["line"], 3);
}

/// §10.1: a client that is not enabled calls functions and tells nothing; so does one that is made of what is
/// not accepted, or without a key for another machine. Making one never fails.
#[tokio::test]
async fn a_client_that_is_off_calls_functions() {
    let server = Server::start();
    let client = || server.client();
    let elsewhere = Telemetry::builder().url("https://stepwell.example").project_key("");
    for off in [
        client().enabled(false),
        client().url("ftp://example"),
        client().project_key("two words"),
        client().batch_delay("soon"),
        elsewhere,
    ] {
        let shown = format!("{off:?}");
        let telemetry = off.build();
        let calls = AtomicUsize::new(0);
        let count = || {
            calls.fetch_add(1, Ordering::Relaxed);
            Err::<(), _>("own")
        };
        let run = telemetry.run("checkout", "r").metadata(json!({ "a": 1 })).trace("00");
        assert_eq!(run.step("a", async { count() }).metadata(json!({ "b": 1 })).await, Err("own"));
        assert_eq!(run.step_sync("b", count).metadata(json!({ "b": 1 })).call(), Err("own"));
        assert_eq!(
            telemetry
                .strict()
                .run("checkout", "r")
                .step("c", async { count() })
                .await
                .map_err(|error| error.to_string()),
            Err("own".to_owned())
        );
        run.skip("d");
        telemetry.record_step(stepwell::telemetry::StepRecord::default());
        assert!(telemetry.flush().await && telemetry.shutdown().await);
        assert_eq!((calls.into_inner(), telemetry.stats().recorded), (3, 0), "{shown}");
    }
    assert!(server.requests().is_empty());
}

/// What a subscriber hears of one level.
#[derive(Clone, Default)]
struct Warnings(Arc<std::sync::Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Warnings {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        struct Text(String);
        impl tracing::field::Visit for Text {
            fn record_debug(&mut self, _: &tracing::field::Field, value: &dyn fmt::Debug) {
                self.0 = format!("{}{value:?}", self.0);
            }
        }
        if *event.metadata().level() == tracing::Level::WARN {
            let mut text = Text(String::new());
            event.record(&mut text);
            self.0.lock().unwrap().push(text.0);
        }
    }
}

/// §10.1: a missing key is warned of once, and its client sends to a server on this machine all the same.
#[test]
fn a_missing_key_is_warned_of_once() {
    let server = Server::start();
    let warnings = Warnings::default();
    let subscriber = tracing_subscriber::registry().with(warnings.clone());
    tracing::subscriber::with_default(subscriber, || {
        let telemetry = Telemetry::builder().url(server.url()).build();
        for _ in 0..3 {
            telemetry.run("f", "r").skip("s");
        }
        assert!(telemetry.flush_sync());
        let elsewhere = Telemetry::builder().url("http://stepwell.example").build();
        elsewhere.run("f", "r").skip("s");
        assert_eq!(elsewhere.stats().recorded, 0);
    });
    let warnings = warnings.0.lock().unwrap();
    assert_eq!(warnings.len(), 2, "one for each client: {warnings:?}");
    assert!(warnings.iter().all(|text| text.contains("STEPWELL_PROJECT_KEY")), "{warnings:?}");
    assert_eq!(server.events().len(), 3);
    assert!(!server.requests()[0].head.contains("authorization"));
}
