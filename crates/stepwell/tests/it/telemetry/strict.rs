//! Steps that tell of events that were not sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt;
use futures_util::future::join_all;
use serde_json::json;
use stepwell::ErrorKind;
use stepwell::telemetry::{Recorded, SendErrorKind, StepError, StepRecord, Telemetry};

use super::server::{Answer, Server, client, nowhere};

const REFUSAL: Answer = Answer::Say("403 Forbidden", r#"{"code":"SW1011","detail":"not yours"}"#);

fn statuses(server: &Server) -> Vec<String> {
    let events = server.events();
    events.iter().map(|event| event["status"].as_str().unwrap().to_owned()).collect()
}

/// §10.3: each event has arrived before the step goes on.
#[tokio::test]
async fn events_have_arrived_when_a_step_goes_on() {
    let server = Server::start();
    let telemetry = server.client().build_strict().unwrap();
    let run = telemetry.run("f", "r").metadata(json!({ "a": 1 }));
    let inside = async {
        assert_eq!(statuses(&server), ["running"]);
        Ok::<_, String>(7)
    };
    assert_eq!(run.step("s", inside).metadata(json!({ "b": 2 })).await, Ok(7));
    assert_eq!(statuses(&server), ["running", "success"]);
    let error = run.step("s", async { Err::<(), _>("own") }).await;
    assert_eq!(error, Err(StepError::Own("own")));
    assert_eq!(run.observe("s", async { 3 }).await, Ok(3));
    assert_eq!(run.step_sync("s", || Ok::<_, String>(4)), Ok(4));
    run.skip("t").await.unwrap();
    let record = StepRecord { flow_key: "f", run_id: "r", step_key: "t", ..StepRecord::default() };
    telemetry.record_step(StepRecord { status: Recorded::Error, ..record }).await.unwrap();
    let events = server.events();
    assert_eq!(events.len(), 10);
    assert_eq!(
        (&events[0]["runMetadata"]["a"], &events[0]["metadata"]["b"]),
        (&1.into(), &2.into())
    );
    assert_eq!(telemetry.telemetry().stats().sent, 10);
}

/// §10.3: where `running` does not arrive, the function is not called.
#[tokio::test]
async fn a_step_whose_begin_is_not_told_is_not_called() {
    let server = Server::scripted([REFUSAL, Answer::Refuse(vec![0])]);
    for (telemetry, kind, code) in [
        (server.client().build_strict().unwrap(), SendErrorKind::Refused(403), Some("SW1011")),
        (server.client().build_strict().unwrap(), SendErrorKind::Refused(200), Some("SW1001")),
        (client(&nowhere()).build_strict().unwrap(), SendErrorKind::Unreachable, None),
    ] {
        let is_called = AtomicBool::new(false);
        let step = telemetry.run("f", "r").step("s", async {
            is_called.store(true, Ordering::Relaxed);
            Ok::<_, String>(())
        });
        let Err(StepError::NotStarted(error)) = step.await else { panic!("it began") };
        assert_eq!((error.kind(), error.code()), (kind, code), "{error}");
        assert!(!is_called.into_inner());
    }
    assert!(statuses(&server).is_empty());
    let skipped = client(&nowhere()).build_strict().unwrap().run("f", "r").skip("s").await;
    assert_eq!(skipped.unwrap_err().kind(), SendErrorKind::Unreachable);
}

/// §10.3: the function's own error wins over that of sending its end.
#[tokio::test]
async fn the_functions_own_error_wins() {
    let server = Server::scripted([Answer::Take, REFUSAL]);
    let telemetry = server.client().build_strict().unwrap();
    let own = Arc::new("own");
    let step = telemetry.run("f", "r").step("s", async { Err::<(), _>(own.clone()) });
    let Err(StepError::Own(error)) = step.await else { panic!("another error won") };
    assert!(Arc::ptr_eq(&error, &own));
    assert_eq!(telemetry.telemetry().stats().dropped_refused, 1);
}

/// §10.3: a success whose end does not arrive gives an error that holds the value.
#[tokio::test]
async fn a_success_that_is_not_told_keeps_its_value() {
    let server = Server::scripted([Answer::Take, REFUSAL]);
    let telemetry = server.client().build_strict().unwrap();
    let given = Arc::new(7);
    let step = telemetry.run("f", "r").step("s", async { Ok::<_, std::io::Error>(given.clone()) });
    let error = step.await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("succeeded") && text.contains("not yours"), "{text}");
    let StepError::NotRecorded { value, error } = error else { panic!("{text}") };
    assert!(Arc::ptr_eq(&value, &given));
    assert_eq!(error.code(), Some("SW1011"));
}

/// §10.3: a server that is busy for a moment is asked again.
#[tokio::test]
async fn a_busy_server_is_asked_again() {
    let busy = Answer::Say("503 Service Unavailable\r\nretry-after: 0", "");
    let server = Server::scripted([busy.clone(), busy]);
    let telemetry = server.client().build_strict().unwrap();
    telemetry.run("f", "r").skip("s").await.unwrap();
    assert_eq!((server.requests().len(), server.events().len()), (3, 1));
}

/// §10.3: many steps at once share requests, and each hears of its own event.
#[tokio::test]
async fn each_step_hears_of_its_own_event() {
    let server = Server::scripted([Answer::Hold, Answer::Refuse(vec![2])]);
    let telemetry = server.client().build_strict().unwrap();
    let run = telemetry.run("f", "r");
    let mut first = Box::pin(run.skip("first"));
    assert!((&mut first).now_or_never().is_none());
    server.wait_for(1);
    let others = join_all((0..5).map(|_| run.skip("s")));
    let (first, others, ()) = tokio::join!(first, others, async { server.then(Answer::Take) });
    first.unwrap();
    let arrived: Vec<bool> = others.iter().map(Result::is_ok).collect();
    assert_eq!(arrived, [true, true, false, true, true]);
    assert_eq!((server.requests().len(), server.events().len()), (2, 5));
}

/// §10.1: without a key, or with what is not accepted, such a client is refused as it is made.
#[test]
fn a_client_that_cannot_send_is_refused() {
    let url = nowhere();
    for (builder, word) in [
        (Telemetry::builder().url(&url), "STEPWELL_PROJECT_KEY"),
        (Telemetry::builder().url("ftp://example").project_key("sw_a"), "http://"),
        (client(&url).project_key("two words"), "key"),
        (client(&url).retry_for("soon"), "accepted"),
    ] {
        let error = builder.build_strict().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument);
        assert!(error.message().contains(word), "{error}");
    }
    assert!(client(&url).enabled(false).build_strict().is_ok());
}
