//! What is told beside that: metadata, secrets, traces, and steps that are recorded by hand.

use std::time::{Duration, UNIX_EPOCH};

use serde::Serialize;
use serde_json::{Value, json};
use stepwell::telemetry::{Recorded, StepRecord, Telemetry};

use super::server::Server;

fn told(server: &Server, telemetry: &Telemetry) -> Vec<Value> {
    assert!(telemetry.flush_sync());
    server.events()
}

/// §10.2: a step that cannot be wrapped is recorded by hand, and belongs to the run of that id, whoever tells
/// of it.
#[test]
fn records_by_hand_join_the_run() {
    let server = Server::start();
    let shop = server.client().process("shop").build();
    shop.run("checkout", "req_123").step_sync("charge", || Ok::<_, String>(())).call().unwrap();
    let courier = server.client().process("courier").build();
    let record = StepRecord {
        flow_key: "checkout",
        run_id: "req_123",
        step_key: "manual-step",
        ..StepRecord::default()
    };
    let at = UNIX_EPOCH + Duration::from_micros(1_795_390_276_123_250);
    courier.record_step(StepRecord { status: Recorded::Running, at: Some(at), ..record.clone() });
    courier.record_step(StepRecord { error: Some("only with an error"), ..record.clone() });
    courier.record_step(StepRecord {
        status: Recorded::Error,
        error: Some("lost in the post"),
        metadata: Some(json!({ "parcel": 7 })),
        ..record
    });
    assert!(shop.flush_sync());
    let events = told(&server, &courier);
    assert!(events.iter().all(|one| one["flow"] == "checkout" && one["run"] == "req_123"));
    let by_hand: Vec<&Value> = events.iter().filter(|one| one["step"] == "manual-step").collect();
    assert!(by_hand.iter().all(|event| event.get("call").is_none()), "{by_hand:?}");
    let statuses: Vec<&str> = by_hand.iter().map(|one| one["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["running", "success", "error"]);
    assert_eq!(by_hand[0]["at"], 1_795_390_276_123.25);
    assert!(by_hand[1].get("error").is_none(), "{by_hand:?}");
    assert_eq!(by_hand[2]["error"]["message"], "lost in the post");
    assert_eq!(by_hand[2]["metadata"], json!({ "parcel": 7 }));
    let processes: Vec<Value> =
        server.requests().iter().map(|request| request.body["process"].clone()).collect();
    assert!(processes.contains(&json!("shop")) && processes.contains(&json!("courier")));
}

/// §10.1: metadata of the client, of the run and of the step are merged, the nearer word counts; it is told
/// once for each call.
#[test]
fn metadata_is_merged() {
    let server = Server::start();
    let defaults = json!({ "region": "eu", "version": 1 });
    let telemetry = server.client().default_metadata(defaults).build();
    let run = telemetry.run("f", "r").metadata(json!({ "version": 2 })).metadata(json!({ "n": 1 }));
    let step = run.step_sync("s", || Ok::<_, String>(()));
    step.metadata(json!({ "items": 3 }))
        .metadata(json!({ "items": 4, "cents": 5 }))
        .call()
        .unwrap();
    run.skip("t");
    telemetry.run("f", "other").skip("t");
    let events = told(&server, &telemetry);
    let merged = json!({ "region": "eu", "version": 2, "n": 1 });
    assert_eq!(events[0]["runMetadata"], merged);
    assert_eq!(events[0]["metadata"], json!({ "items": 4, "cents": 5 }));
    assert!(events[1].get("runMetadata").is_none() && events[1].get("metadata").is_none());
    assert_eq!(events[2]["runMetadata"], merged);
    assert_eq!(events[3]["runMetadata"], json!({ "region": "eu", "version": 1 }));
}

struct Broken;

impl Serialize for Broken {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("no JSON")
    }
}

/// §10.3: metadata that cannot be told breaks nothing, and says so in its place.
#[test]
fn odd_metadata_breaks_nothing() {
    let server = Server::start();
    let telemetry = server.client().build();
    let run = telemetry.run("f", "r");
    let step = |metadata: &dyn Fn(stepwell::telemetry::Run) -> stepwell::telemetry::Run| {
        metadata(run.clone()).skip("s");
    };
    step(&|run| run.metadata("plain"));
    step(&|run| run.metadata(Broken));
    step(&|run| run.metadata(()));
    step(&|run| run.metadata(json!({ "text": "x".repeat(16 * 1024) })));
    let events = told(&server, &telemetry);
    let told: Vec<&Value> = events.iter().map(|event| &event["runMetadata"]).collect();
    assert_eq!(told[0], &json!({ "value": "plain" }));
    assert_eq!(told[1], &json!({ "stepwell": "metadata that is no JSON is left out" }));
    assert_eq!(told[2], &Value::Null);
    assert_eq!(told[3], &json!({ "stepwell": "metadata of more than 16 KiB is left out" }));
}

/// §10.7: each secret of the shared vectors is taken out before anything is sent, and what is harmless stays.
#[test]
fn secrets_do_not_leave_the_process() {
    let text = include_str!("../../../../../spec/redaction.json");
    let vectors: Value = serde_json::from_str(text).unwrap();
    let server = Server::start();
    let telemetry = server.client().build();
    let run = telemetry.run("f", "r");
    let rows = |name: &str| vectors[name].as_array().unwrap().clone();
    let object = |row: &Value| {
        let key = row["key"].as_str().unwrap().to_owned();
        Value::Object([(key, row["value"].clone())].into_iter().collect())
    };
    let (secret, plain) = (rows("secret"), rows("harmless"));
    assert!(secret.len() >= 200 && plain.len() >= 200);
    for row in secret.iter().chain(&plain) {
        run.step_sync("s", || Ok::<_, String>(())).metadata(object(row)).call().unwrap();
    }
    let events = told(&server, &telemetry);
    let seen: Vec<&Value> = events.iter().filter(|one| one["status"] == "running").collect();
    assert_eq!(seen.len(), secret.len() + plain.len());
    for (row, event) in secret.iter().zip(&seen) {
        let told = event["metadata"].to_string();
        assert!(told.contains("[redacted]"), "{row}: {told}");
    }
    for (row, event) in plain.iter().zip(&seen[secret.len()..]) {
        assert_eq!(event["metadata"], object(row));
    }
}

/// §10.7: errors and what stands behind them are told without secrets, and no longer than the server keeps.
#[test]
fn errors_are_told_without_secrets() {
    let server = Server::start();
    let telemetry = server.client().capture_stack(true).build();
    let run = telemetry.run("f", "r");
    let secret = "postgres://shop:hunter2hunter2@db/orders";
    let long = "x".repeat(100_000);
    for error in [format!("cannot reach {secret}"), long] {
        run.step_sync("s", || Err::<(), _>(error.clone())).call().unwrap_err();
    }
    let events = told(&server, &telemetry);
    let errors: Vec<&Value> = events.iter().filter_map(|event| event.get("error")).collect();
    let (message, stack) = (errors[0]["message"].as_str().unwrap(), &errors[0]["stack"]);
    assert!(message.starts_with("cannot reach postgres://"), "{message}");
    assert!(!message.contains("hunter2") && !stack.to_string().contains("hunter2"), "{stack}");
    let bytes = |name: &str| errors[1][name].as_str().unwrap().len();
    assert!((8_192..8_200).contains(&bytes("message")), "{}", bytes("message"));
    assert!((32_768..32_776).contains(&bytes("stack")), "{}", bytes("stack"));
}

/// §10.1: the program's own function sees metadata and errors first; what it panics on is taken out.
#[test]
fn the_programs_own_redaction_counts() {
    let server = Server::start();
    let redact = |path: &str, value: &mut Value| match path {
        "customer" => *value = json!("[hidden]"),
        "items.1.sku" => *value = json!(7),
        "odd" => panic!("it cannot read that"),
        "error.message" => *value = json!(format!("about {}", value.as_str().unwrap())),
        _ => {}
    };
    let telemetry = server.client().redact(redact).build();
    let run = telemetry.run("f", "r").metadata(json!({
        "customer": "Ada", "odd": 1, "items": [{ "sku": "a" }, { "sku": "b" }], "none": null,
        "password": "p",
    }));
    run.step_sync("s", || Err::<(), _>("Ada")).call().unwrap_err();
    let events = told(&server, &telemetry);
    assert_eq!(
        events[0]["runMetadata"],
        json!({
            "customer": "[hidden]", "odd": "[redacted]", "items": [{ "sku": "a" }, { "sku": 7 }],
            "none": null, "password": "[redacted]",
        })
    );
    assert_eq!(events[1]["error"]["message"], "about Ada");
}

/// §10.4: a run may name its trace, which joins it to a durable run.
#[test]
fn a_run_names_its_trace() {
    let server = Server::start();
    let telemetry = server.client().build();
    let id = "4bf92f3577b34da6a3ce929d0e0e4736";
    telemetry.run("f", "r").trace(&format!("00-{id}-00f067aa0ba902b7-01")).skip("s");
    telemetry.run("f", "r").trace("of no use").skip("s");
    let events = told(&server, &telemetry);
    assert_eq!(events[0]["trace"], id);
    assert!(events[1].get("trace").is_none(), "{events:?}");
}
