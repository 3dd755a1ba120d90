//! How a connection begins, and how the node says no.

use serde_json::{Value, json};

use crate::harness::{World, open, start, who};

/// A hello with one member changed.
fn hello(member: &str, value: Value) -> Value {
    let mut hello = who(4).hello();
    hello["hello"][member] = value;
    hello
}

/// A runner is welcomed with the limits in force, once its registration is durable.
#[test]
fn a_runner_is_welcomed_once_its_workflows_are_durable() {
    let mut world = World::new();
    world.hold_commits = true;
    let session = world.connect(&who(4));
    assert!(world.heard(session).is_empty());
    world.commit_one();
    let welcome = world.heard_of(session, "welcome");
    assert_eq!(welcome.len(), 1);
    assert_eq!(welcome[0]["ttlMs"], 10_000);
    assert_eq!(welcome[0]["lingerMs"], 1_000);
    assert_eq!(welcome[0]["payloadBytesMax"], 4 * 1024 * 1024);
    world.release();
    let runners = world.runners();
    assert_eq!((runners.len(), runners[0].slots, runners[0].busy), (1, 4, 0));
    // A second runner with the same workflows has nothing to write.
    let commits = world.node.stats().commits;
    let second = world.connect(&who(1));
    assert_eq!(world.heard_of(second, "welcome").len(), 1);
    assert_eq!(world.node.stats().commits, commits);
}

/// §1, §2.5: every registration that is not accepted is refused with its code and what is, and the
/// connection is closed.
#[test]
fn registrations_that_are_not_accepted_are_refused() {
    let long = "x".repeat(257);
    let many: Vec<Value> = (0..10_001).map(|n| json!({ "name": format!("w{n}") })).collect();
    let cases = [
        (hello("protocol", json!(2)), "SW3002", "speaks protocol 2, this server"),
        (hello("protocol", json!(0)), "SW3002", "speaks protocol 1"),
        (hello("app", json!("")), "SW3003", "an app is empty"),
        (hello("runner", json!(long)), "SW3003", "a runner has 257 bytes"),
        (hello("instance", json!("a\nb")), "SW3003", "an instance `a\\nb` holds a control"),
        (hello("slots", json!(0)), "SW3003", "slots is 0; accepted: 1 to 100000"),
        (hello("slots", json!(100_001)), "SW3003", "slots is 100001"),
        (hello("workflows", json!([])), "SW3003", "0 workflows; accepted: 1 to 10000"),
        (hello("workflows", json!(many)), "SW3003", "10001 workflows"),
        (hello("workflows", json!([{ "name": "" }])), "SW3003", "a workflow is empty"),
        (
            hello("workflows", json!([{ "name": "a" }, { "name": "a" }])),
            "SW3003",
            "workflow `a` is registered twice",
        ),
        (hello("workflows", json!([{ "name": "a", "cron": "*" }])), "SW3001", "`cron`"),
        (hello("planned", json!(1)), "SW3001", "unknown field `planned`"),
        (json!({ "ping": { "k": 1 } }), "SW3001", "the first message has to be `hello`"),
        (json!({ "idle": { "a": 1 } }), "SW3001", "the first message has to be `hello`"),
        (json!({ "surprise": {} }), "SW3001", "unknown variant `surprise`"),
    ];
    for (message, code, text) in cases {
        let mut world = World::new();
        let session = world.open();
        world.say(session, &[message]);
        let refused = world.heard_of(session, "refused");
        assert_eq!(refused.len(), 1, "{text}");
        assert_eq!(refused[0]["code"], code);
        assert!(refused[0]["message"].as_str().unwrap().contains(text), "{refused:?}");
        assert!(world.closed(session).unwrap().starts_with(code));
        assert!(world.runners().is_empty());
        assert_eq!(world.node.stats().messages_refused, 1);
        // What still comes on the connection is not looked at.
        world.say(session, &[who(1).hello()]);
        assert!(world.runners().is_empty() && world.heard(session).is_empty());
    }
}

/// Bad frames after the handshake close the connection too; what was said before them stands.
#[test]
fn a_bad_frame_closes_the_connection() {
    let cases: [(&[u8], &str, &str); 5] = [
        (b"", "SW3001", "EOF"),
        (b"[{\"ping\":{\"k\":1}}", "SW3001", "EOF"),
        (b"{\"ping\":{\"k\":1}}", "SW3001", "expected a sequence"),
        (b"[{\"ping\":{\"k\":1}},{\"hello\":{}}]", "SW3001", "missing field"),
        (b"\xff\xfe", "SW3001", "expected value"),
    ];
    for (bytes, code, text) in cases {
        let mut world = World::new();
        let session = world.connect(&who(1));
        world.heard(session);
        world.say_bytes(session, bytes);
        let refused = world.heard_of(session, "refused");
        assert_eq!(refused[0]["code"], code);
        assert!(refused[0]["message"].as_str().unwrap().contains(text), "{refused:?}");
        assert!(world.closed(session).is_some());
    }
    let mut world = World::new();
    let session = world.connect(&who(1));
    world.say(session, &[who(1).hello()]);
    let refused = world.heard_of(session, "refused");
    assert_eq!(refused[0]["message"], "`hello` is said once");
}

/// §12: a frame over a payload and 64 KiB is refused; small limits on payloads leave room for lists.
#[test]
fn a_frame_over_the_limit_is_refused() {
    for (payload_bytes_max, limit) in [(1_000, (4 << 20) + (64 << 10)), (5 << 20, 5_308_416)] {
        let mut world = World::new();
        world.config.limits.payload_bytes_max = payload_bytes_max;
        let mut world = World::with(world.config);
        let session = world.connect(&who(1));
        let pings = |bytes: usize| format!("[{}{{\"ping\":{{\"k\":1}}}}]", " ".repeat(bytes - 18));
        world.say_bytes(session, pings(limit).as_bytes());
        assert!(world.closed(session).is_none());
        world.say_bytes(session, pings(limit + 1).as_bytes());
        let refused = world.heard_of(session, "refused");
        assert_eq!(refused[0]["code"], "SW3005");
        let message = refused[0]["message"].as_str().unwrap();
        assert!(message.contains(&format!("accepted: at most {limit}")), "{message}");
    }
}

/// A message about a run that does not fit it closes the connection of the runner that said it.
#[test]
fn messages_that_break_the_protocol_close_the_connection() {
    let ended = |n: u32, open: Option<Value>| {
        let mut message =
            json!({ "a": 1, "step": "s", "n": n, "startedAgoUs": 0, "endedAgoUs": 0 });
        if let Some(open) = open {
            message["open"] = open;
        }
        json!({ "ended": message })
    };
    let sleep = |for_us: Option<u64>, until_us: Option<i64>, step: &str| {
        let mut message = json!({ "a": 1, "step": step, "open": open("sleep") });
        if let Some(us) = for_us {
            message["forUs"] = us.into();
        }
        if let Some(us) = until_us {
            message["untilUs"] = us.into();
        }
        json!({ "sleep": message })
    };
    let cases = [
        (ended(1, None), "step `s` is new, and the message does not open it"),
        (ended(2, Some(open("run"))), "attempt 2 of step `s` is not the next, which is 1"),
        (ended(1, Some(open("sleep"))), "does not open step `s` as `sleep`"),
        (sleep(None, None, "s"), "one of forUs and untilUs"),
        (sleep(Some(1), Some(1), "s"), "one of forUs and untilUs"),
        (sleep(Some(1), None, ""), "a step id is empty"),
        (sleep(Some(1), None, "a\u{7}"), "holds a control character"),
        (
            json!({ "block": { "a": 1, "cause": { "kind": "crashesRunner", "times": 1 } } }),
            "kindChanged or orderChanged only",
        ),
    ];
    for (message, text) in cases {
        let mut world = World::new();
        let session = world.connect(&who(1));
        let run = world.start(start("flow"));
        assert_eq!(world.heard_of(session, "activate")[0]["a"], 1);
        let records = world.records(run).len();
        world.say(session, &[message]);
        let refused = world.heard_of(session, "refused");
        assert_eq!(refused.len(), 1, "{text}");
        assert!(refused[0]["message"].as_str().unwrap().contains(text), "{refused:?}");
        // Where the runner's copy does not fit the journal the run is lost to it, and nothing else
        // is recorded: otherwise it would come back with the same message for ever.
        let lost = usize::from(text.contains("step `s`"));
        assert_eq!(world.records(run).len(), records + lost, "{text}");
    }
}

/// A connection that never says hello is closed like a silent one.
#[test]
fn who_never_says_hello_is_closed() {
    let mut world = World::new();
    let session = world.open();
    world.pass_ms(9_999);
    assert!(world.closed(session).is_none());
    world.pass_ms(1);
    assert_eq!(world.closed(session), Some("no ping within 10000 ms"));
}

/// §4.7: pings keep a connection, and each is answered at once.
#[test]
fn pings_keep_a_connection() {
    let mut world = World::new();
    let session = world.connect(&who(1));
    world.heard(session);
    for k in 0..5 {
        world.pass_ms(9_000);
        world.hold_commits = true;
        world.say(session, &[json!({ "ping": { "k": k } })]);
        assert_eq!(world.heard(session), [json!({ "pong": { "k": k } })]);
        world.release();
    }
    assert!(world.closed(session).is_none());
}

/// Credit comes back in portions for all that the node has handled.
#[test]
fn handled_bytes_are_given_back() {
    let mut world = World::new();
    world.config.credit_bytes = 8_000;
    let mut world = World::with(world.config);
    let session = world.connect(&who(1));
    world.heard(session);
    let mut sent = who(1).hello().to_string().len() as u64 + 2;
    for k in 0..200 {
        let ping = format!("[{{\"ping\":{{\"k\":{k}}}}}]");
        sent += ping.len() as u64;
        world.say_bytes(session, ping.as_bytes());
    }
    let given: u64 =
        world.heard_of(session, "credit").iter().map(|c| c["bytes"].as_u64().unwrap()).sum();
    assert!(given <= sent && sent - given < 1_000, "{sent} sent, {given} given back");
}
