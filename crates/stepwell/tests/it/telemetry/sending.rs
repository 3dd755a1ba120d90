//! Sending in the background: what a program notices of it, whatever becomes of the server.

use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};
use stepwell::telemetry::{Builder, SendError, SendErrorKind, Stats, Telemetry};

use super::server::{Answer, KEY, PATIENCE, Server, client, nowhere};

/// A client that says what its `on_error` hears.
fn heard(builder: Builder) -> (Telemetry, mpsc::Receiver<SendError>) {
    let (tell, told) = mpsc::channel();
    // A test may have heard enough.
    (builder.on_error(move |error| drop(tell.send(error.clone()))).build(), told)
}

fn hear(told: &mpsc::Receiver<SendError>) -> SendError {
    told.recv_timeout(PATIENCE).unwrap()
}

fn skip(telemetry: &Telemetry, times: usize) {
    let run = telemetry.run("f", "r");
    for at in 0..times {
        run.skip(&format!("s{at}"));
    }
}

fn assert_adds_up(stats: Stats) {
    assert_eq!(stats.recorded, stats.sent + stats.waiting + stats.dropped(), "{stats:?}");
}

/// §10.3, §10.7: requests have the key and the shape that the server takes, and the key is in no text.
#[test]
fn requests_are_as_the_server_takes_them() {
    let server = Server::start();
    let telemetry = server.client().build();
    skip(&telemetry, 1);
    assert!(telemetry.flush_sync());
    let request = server.requests().remove(0);
    assert!(request.head.starts_with("POST /api/v1/telemetry HTTP/1.1\r\n"), "{}", request.head);
    for header in [format!("authorization: Bearer {KEY}"), "content-type: application/json".into()]
    {
        assert!(request.head.lines().any(|line| line == header), "{}", request.head);
    }
    let process = request.body["process"].as_str().unwrap();
    assert!(process.ends_with(&std::process::id().to_string()), "{process}");
    let run = telemetry.run("f", "r");
    let texts = [
        format!("{telemetry:?}"),
        format!("{run:?}"),
        format!("{:?}", server.client()),
        format!("{:?}", telemetry.strict()),
    ];
    assert!(texts.iter().all(|text| !text.contains("testkey")), "{texts:?}");
    assert_eq!((telemetry.stats().sent, telemetry.stats().waiting), (1, 0));
}

/// §10.3: awaiting a step waits for its function only, even where the server takes requests and says nothing.
#[tokio::test]
async fn a_step_does_not_wait_for_the_server() {
    let server = Server::always(Answer::Hang);
    let builder = server.client().flush_timeout("1ms").exit_wait("0ms");
    let telemetry = builder.build();
    let run = telemetry.run("f", "r");
    for n in 0..100 {
        assert_eq!(run.step("s", async { Ok::<_, String>(n) }).await, Ok(n));
    }
    server.wait_for(1);
    assert!(!telemetry.flush().await);
    let stats = telemetry.stats();
    assert_eq!((stats.recorded, stats.sent, stats.waiting), (200, 0, 200));
}

/// §10.3: many events share few requests.
#[test]
fn events_are_sent_together() {
    let server = Server::start();
    let telemetry = server.client().batch_delay("1h").build();
    skip(&telemetry, 4_500);
    assert!(telemetry.flush_sync());
    let sizes: Vec<usize> = server
        .requests()
        .iter()
        .map(|request| request.body["events"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [2_000, 2_000, 500]);
    assert_eq!(server.events().len(), 4_500);
}

/// §10.3, §10.4: what a server could not take is sent again with the same ids, and each failure is told.
#[test]
fn failures_that_pass_are_tried_again() {
    let unready = Answer::Say("503 Service Unavailable\r\nretry-after: 0", "");
    let server = Server::scripted([
        Answer::Break,
        Answer::Say("500 Internal Server Error", r#"{"code":"SW1007","detail":"a fault"}"#),
        Answer::Say("429 Too Many Requests", ""),
        Answer::Say("408 Request Timeout", ""),
        Answer::Say("200 OK", "<html>a page of a proxy</html>"),
        unready,
    ]);
    let (telemetry, told) = heard(server.client());
    skip(&telemetry, 1);
    // Each flush cuts a pause short.
    server.wait_for(1);
    let errors: Vec<SendError> = (0..5)
        .map(|_| {
            let error = hear(&told);
            std::thread::spawn({
                let telemetry = telemetry.clone();
                move || telemetry.flush_sync()
            });
            error
        })
        .collect();
    assert!(telemetry.flush_sync());
    assert!(errors.iter().all(|error| !error.is_dropped() && error.events() == 1), "{errors:?}");
    // A connection that breaks before its answer may be tried again by the HTTP library itself.
    let kinds: Vec<SendErrorKind> = errors.iter().map(SendError::kind).collect();
    for kind in [
        SendErrorKind::Unreachable,
        SendErrorKind::Refused(500),
        SendErrorKind::Refused(429),
        SendErrorKind::Refused(408),
    ] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    let fault = errors.iter().find(|error| error.kind() == SendErrorKind::Refused(500)).unwrap();
    assert_eq!(fault.code(), Some("SW1007"));
    assert!(fault.to_string().contains("a fault") && fault.to_string().contains("tried again"));
    let ids: Vec<String> = server
        .requests()
        .iter()
        .map(|request| request.body["events"][0]["id"].to_string())
        .collect();
    assert!(ids.len() >= 7 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!((telemetry.stats().sent, telemetry.stats().dropped()), (1, 0));
}

/// §10.3: what the server refuses is dropped and counted, and told with its reason.
#[test]
fn what_is_refused_is_dropped() {
    let body = r#"{"title":"t","status":401,"code":"SW1010","detail":"the key is not known"}"#;
    let server = Server::scripted([Answer::Say("401 Unauthorized", body), Answer::Refuse(vec![1])]);
    let (telemetry, told) = heard(server.client().batch_delay("1h"));
    skip(&telemetry, 3);
    assert!(telemetry.flush_sync());
    let error = hear(&told);
    assert_eq!((error.kind(), error.code()), (SendErrorKind::Refused(401), Some("SW1010")));
    assert!(error.is_dropped() && error.events() == 3, "{error:?}");
    assert_eq!(telemetry.stats().dropped_refused, 3);
    skip(&telemetry, 3);
    assert!(telemetry.flush_sync());
    let error = hear(&told);
    assert_eq!((error.code(), error.events()), (Some("SW1001"), 1));
    let stats = telemetry.stats();
    assert_eq!((stats.sent, stats.dropped_refused, stats.waiting), (2, 4, 0));
    assert_adds_up(stats);
}

/// §10.3: where nobody answers at all, functions run, and what cannot be sent for too long is dropped.
#[test]
fn a_server_that_is_not_there_is_noticed_by_nobody() {
    let (telemetry, told) = heard(client(&nowhere()).retry_for("0ms"));
    let run = telemetry.run("f", "r");
    assert_eq!(run.step_sync("s", || Err::<(), _>("own")).call(), Err("own"));
    assert!(telemetry.flush_sync(), "nothing waits any more");
    let error = hear(&told);
    assert_eq!(error.kind(), SendErrorKind::Unreachable);
    assert!(error.is_dropped(), "{error}");
    let stats = telemetry.stats();
    assert_eq!((stats.sent, stats.dropped_unreachable), (0, 2));
    assert_adds_up(stats);
}

/// §10.3: a server that hangs is given up for now after the time for a request.
#[test]
fn a_server_that_hangs_is_asked_again() {
    let server = Server::scripted([Answer::Hang]);
    let (telemetry, told) = heard(server.client().request_timeout("300ms").batch_delay("1h"));
    skip(&telemetry, 2);
    assert!(telemetry.flush_sync() || telemetry.flush_sync());
    let error = hear(&told);
    assert_eq!(error.kind(), SendErrorKind::Unreachable);
    assert!(error.to_string().contains("no answer within 300ms"), "{error}");
    assert_eq!(server.events().len(), 2);
}

/// §10.3: what a program's own function throws at errors goes no further.
#[test]
fn a_function_for_errors_may_panic() {
    let server = Server::scripted([Answer::Say("400 Bad Request", "")]);
    let builder = server.client().on_error(|_| panic!("its own"));
    let telemetry = builder.build();
    skip(&telemetry, 1);
    assert!(telemetry.flush_sync());
    skip(&telemetry, 1);
    assert!(telemetry.flush_sync());
    assert_eq!((telemetry.stats().sent, telemetry.stats().dropped_refused), (1, 1));
}

/// §10.3: memory is bounded by events and by bytes; the oldest are dropped, counted and told.
#[test]
fn what_is_too_much_is_dropped() {
    let refuse = Answer::Say("500 Internal Server Error", "");
    for (small, kept) in [(10, 10..11), (usize::MAX, 100..700)] {
        let server = Server::always(refuse.clone());
        let builder = server.client().batch_delay("1h").queue_events(small).queue_bytes(0);
        let (telemetry, told) = heard(builder);
        skip(&telemetry, 1_000);
        let stats = telemetry.stats();
        assert!(kept.contains(&stats.waiting), "{stats:?}");
        assert_eq!(stats.dropped_full, 1_000 - stats.waiting);
        server.then(Answer::Take);
        assert!(telemetry.flush_sync());
        let steps: Vec<Value> = server.events().iter().map(|event| event["step"].clone()).collect();
        let latest = (stats.dropped_full..1_000).map(|at| json!(format!("s{at}")));
        assert_eq!(steps, latest.collect::<Vec<_>>());
        let full = std::iter::from_fn(|| Some(hear(&told)))
            .find(|error| error.kind() == SendErrorKind::Full)
            .unwrap();
        assert_eq!(full.events() as u64, stats.dropped_full);
        assert!(full.is_dropped());
        let stats = telemetry.stats();
        assert_eq!((stats.sent, stats.waiting), (1_000 - stats.dropped_full, 0));
        skip(&telemetry, 1);
        assert!(telemetry.flush_sync());
        assert_adds_up(telemetry.stats());
        assert_eq!(telemetry.stats().dropped_full, stats.dropped_full, "there is room again");
    }
}

/// §10.3: a client outlives the runtime in which it was made, and serves code without one.
#[test]
fn a_client_outlives_its_runtime() {
    let server = Server::start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let telemetry = runtime.block_on(async {
        let telemetry = server.client().build();
        let run = telemetry.run("f", "r");
        run.step("first", async { Ok::<_, String>(()) }).await.unwrap();
        assert!(telemetry.flush().await);
        telemetry
    });
    runtime.shutdown_timeout(Duration::ZERO);
    skip(&telemetry, 3);
    std::thread::scope(|scope| scope.spawn(|| skip(&telemetry, 3)).join().unwrap());
    assert!(telemetry.flush_sync());
    assert_eq!(server.events().len(), 8);
}

/// §10.3: what the last handle leaves behind is sent as it is dropped.
#[test]
fn the_last_handle_sends_what_is_left() {
    let server = Server::start();
    let telemetry = server.client().batch_delay("1h").exit_wait(PATIENCE).build();
    let run = telemetry.run("f", "r");
    run.skip("s");
    drop(telemetry);
    run.skip("t");
    assert!(server.requests().is_empty(), "a run is a handle, too");
    drop(run);
    assert_eq!(server.events().len(), 2);
}

/// §10.3: a server that hangs does not hold a program that ends.
#[test]
fn dropping_the_last_handle_ends() {
    let server = Server::always(Answer::Hang);
    let telemetry = server.client().exit_wait("10ms").build();
    skip(&telemetry, 1);
    server.wait_for(1);
    drop(telemetry);
}

/// §10.3: after a shutdown functions run, and what they tell is dropped and counted.
#[tokio::test]
async fn a_shutdown_ends_telemetry_and_no_function() {
    let server = Server::start();
    let telemetry = server.client().batch_delay("1h").build();
    let run = telemetry.run("f", "r");
    run.skip("s");
    assert!(telemetry.shutdown().await);
    assert_eq!(server.events().len(), 1);
    assert_eq!(run.step("late", async { Ok::<_, String>(1) }).await, Ok(1));
    let strict = telemetry.strict().run("f", "r");
    let error = strict.skip("late").await.unwrap_err();
    assert_eq!(error.kind(), SendErrorKind::Stopped);
    assert!(telemetry.flush().await && telemetry.shutdown().await);
    let stats = telemetry.stats();
    assert_eq!((stats.sent, stats.dropped_stopped, stats.recorded), (1, 3, 4));
    assert_eq!(server.events().len(), 1);
}

/// §10.3: where the server does not answer, a shutdown ends after its time and counts what is lost.
#[tokio::test]
async fn a_shutdown_ends_in_time() {
    let server = Server::always(Answer::Hang);
    let telemetry = server.client().flush_timeout("50ms").build();
    telemetry.run("f", "r").skip("s");
    server.wait_for(1);
    assert!(!telemetry.shutdown().await);
    while telemetry.stats().waiting > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(telemetry.stats().dropped_stopped, 1);
}

/// §10.3: whatever many threads tell while a server is now there and now not, each event is sent once, or
/// counted as dropped.
#[test]
fn every_event_is_accounted_for() {
    let fault = || Answer::Say("500 Internal Server Error", "");
    let script = [fault(), Answer::Take, Answer::Refuse(vec![0, 3]), Answer::Break, fault()];
    let server = Server::scripted(script);
    let telemetry = server.client().queue_events(700).build();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for part in 0..10 {
                    skip(&telemetry, 200);
                    // Half of the parts wait until they are sent.
                    assert!(part % 2 == 0 || telemetry.flush_sync());
                }
            });
        }
    });
    assert!(telemetry.flush_sync());
    let stats = telemetry.stats();
    assert_eq!((stats.recorded, stats.waiting), (8_000, 0));
    assert_adds_up(stats);
    assert_eq!((server.events().len() as u64, stats.dropped_refused), (stats.sent, 2));
}
