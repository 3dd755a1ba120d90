//! Which run gets which slot: turns, windows, slots, credit, pins, versions.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use stepwell_core::id::RunId;
use stepwell_node::{Input, RequestId, SessionId, StartRequest};

use crate::bots::{Bot, run_until};
use crate::harness::{World, ended, finished, idle, json, released, sleep, start, who};

/// Starts runs in one turn of the driver.
fn start_many(world: &mut World, count: u32, make: impl Fn() -> StartRequest) -> Vec<RunId> {
    let requests: Vec<_> = (0..count)
        .map(|_| {
            let request = RequestId(world.id());
            world.tell(Input::Start { request, start: Box::new(make()) });
            request
        })
        .collect();
    world.settle();
    requests.into_iter().map(|request| world.started(request).0).collect()
}

fn registered(workflows: &[&'static str]) -> World {
    let mut world = World::new();
    let mut who = who(1);
    who.workflows = workflows.to_vec();
    let session = world.connect(&who);
    world.disconnect(session);
    world
}

/// Ends every run that a runner is given, until it is given none; tells which these were.
fn serve(world: &mut World, session: SessionId) -> Vec<String> {
    let mut served = Vec::new();
    loop {
        let given = world.heard_of(session, "activate");
        world.heard(session);
        if given.is_empty() {
            return served;
        }
        let bytes: u64 = given.iter().map(|one| one.to_string().len() as u64 + 40).sum();
        let mut said: Vec<Value> = given.iter().map(|one| finished(&one["a"])).collect();
        said.push(json!({ "credit": { "bytes": bytes } }));
        served.extend(given.iter().map(|one| one["run"].as_str().unwrap().to_owned()));
        world.say(session, &said);
    }
}

/// A queue far over what memory holds of it is served whole, each run once, and read once.
#[test]
fn a_long_queue_goes_through_the_store_and_back() {
    let mut world = registered(&["flow"]);
    let mut runs = Vec::new();
    for _ in 0..20 {
        runs.extend(start_many(&mut world, 500, || start("flow")));
        world.pass_ms(1);
    }
    assert_eq!(world.node.stats().hot, 0);
    let session = world.connect(&who(64));
    let served = serve(&mut world, session);
    let distinct: BTreeSet<&String> = served.iter().collect();
    assert_eq!((served.len(), distinct.len()), (10_000, 10_000));
    // §3.2: those who waited longest come first, but for what one turn mixes.
    let order: BTreeMap<String, usize> =
        runs.iter().enumerate().map(|(at, run)| (run.to_string(), at)).collect();
    for (at, run) in served.iter().enumerate() {
        assert!(order[run].abs_diff(at) < 1_500, "{at} was {}", order[run]);
    }
    assert!(world.load_count < 11_000, "{} reads", world.load_count);
    world.assert_at_rest();
}

/// Starts that come while the queue is scanned in the store are found, whatever their id.
#[test]
fn starts_during_a_scan_are_found() {
    let mut world = registered(&["flow"]);
    let mut runs = start_many(&mut world, 5_000, || start("flow"));
    let session = world.connect(&who(16));
    let mut served = BTreeSet::new();
    let mut rounds = 0;
    while served.len() < runs.len() {
        let given = world.heard_of(session, "activate");
        world.heard(session);
        if rounds < 300 && rounds % 3 == 0 {
            // All at the same instant, so that only their random ids order them.
            runs.extend(start_many(&mut world, 7, || start("flow")));
        }
        assert!(!given.is_empty(), "{} of {} were served", served.len(), runs.len());
        served.extend(given.iter().map(|one| one["run"].to_string()));
        let mut said: Vec<Value> = given.iter().map(|one| finished(&one["a"])).collect();
        said.push(json!({ "credit": { "bytes": 400 * given.len() } }));
        world.say(session, &said);
        rounds += 1;
    }
    world.assert_at_rest();
}

/// Workflows and apps take turns: a backlog of one holds up no other.
#[test]
fn a_backlog_holds_up_no_other_workflow() {
    let mut world = registered(&["bulk", "small"]);
    let mut other = who(1);
    other.app = "billing";
    other.instance = "i2".into();
    let billing = world.connect(&other);
    start_many(&mut world, 10_000, || start("bulk"));
    let mut both = who(4);
    both.workflows = vec!["bulk", "small"];
    let session = world.connect(&both);
    assert_eq!(world.heard_of(session, "activate").len(), 4);
    start_many(&mut world, 20, || start("small"));
    // Another app is not held up at all.
    world.start(start("flow"));
    assert_eq!(world.heard_of(billing, "activate").len(), 1);
    let mut small = 0;
    for round in 1..=40_u64 {
        world.say(session, &[finished(&json!(round))]);
        let given = world.heard_of(session, "activate");
        assert_eq!(given.len(), 1);
        small += u32::from(given[0]["workflow"] == "small");
    }
    assert!((18..=20).contains(&small), "{small} of 20 in 40 turns");
}

/// A runner is given as many runs as it has slots; one that ends makes room for one.
#[test]
fn slots_are_respected() {
    let mut world = World::new();
    let session = world.connect(&who(3));
    start_many(&mut world, 10, || start("flow"));
    assert_eq!((world.heard_of(session, "activate").len(), world.busy()), (3, 3));
    world.say(session, &[finished(&json!(1)), finished(&json!(1)), finished(&json!(99))]);
    assert_eq!((world.heard_of(session, "activate").len(), world.busy()), (1, 3));
    serve(&mut world, session);
    for a in 1..20 {
        world.say(session, &[finished(&json!(a))]);
        serve(&mut world, session);
    }
    world.assert_at_rest();
}

/// Runs go to the runner with the most free slots.
#[test]
fn runners_share_the_work() {
    let mut world = World::new();
    let sessions: Vec<_> = (0..3)
        .map(|n| {
            let mut who = who(10);
            who.instance = format!("i{n}");
            world.connect(&who)
        })
        .collect();
    start_many(&mut world, 15, || start("flow"));
    for session in sessions {
        assert_eq!(world.heard_of(session, "activate").len(), 5);
    }
}

/// §3.2, §5.2: a run that waits for the engine takes no slot, until it is told of an end.
#[test]
fn an_idle_run_takes_no_slot() {
    let mut world = World::new();
    let session = world.connect(&who(1));
    let first = world.start(start("flow"));
    world.start(start("flow"));
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    world.say(session, &[sleep(&a, "nap", 2_000)]);
    assert_eq!((world.busy(), world.heard_of(session, "activate").len()), (1, 0));
    world.say(session, &[idle(&a), idle(&a)]);
    assert_eq!((world.busy(), world.heard_of(session, "activate").len()), (1, 1));
    // It may be one more than the slots: the copy is there.
    world.pass_ms(2_000);
    assert_eq!(world.heard_of(session, "settled")[0]["step"], "nap");
    assert_eq!(world.busy(), 2);
    world.start(start("flow"));
    world.say(session, &[finished(&a)]);
    assert_eq!((world.status(first).as_str(), world.busy()), ("completed", 1));
    assert!(world.heard_of(session, "activate").is_empty());
    let a = json!(2);
    world.say(session, &[sleep(&a, "nap", 60_000), idle(&a)]);
    world.say(session, &[json!({ "busy": { "a": a } }), json!({ "busy": { "a": a } })]);
    assert_eq!(world.busy(), 2);
    world.say(session, &[idle(&a), released(&a, 0)]);
    assert_eq!(world.busy(), 1);
    serve(&mut world, session);
    world.say(session, &[finished(&json!(3))]);
    world.assert_at_rest();
}

/// Hundreds of workflows that wait for a runner cost nothing, and each is served when one comes.
#[test]
fn workflows_without_a_runner_cost_nothing() {
    let names: Vec<&'static str> =
        (0..600).map(|n| &*Box::leak(format!("flow{n}").into_boxed_str())).collect();
    let mut world = registered(&names);
    for name in &names {
        world.start(start(name));
    }
    let mut all = who(1);
    all.instance = "i2".into();
    // One that has the last of them only, and one slot.
    all.workflows = vec![names[599]];
    let session = world.connect(&all);
    assert_eq!(world.heard_of(session, "activate").len(), 1);
    world.say(session, &[finished(&json!(1))]);
    let run = world.start(start(names[599]));
    assert_eq!(serve(&mut world, session), [run.to_string()]);
    (all.workflows, all.instance, all.slots) = (names.clone(), "i3".into(), 7);
    let session = world.connect(&all);
    assert_eq!(serve(&mut world, session).len(), 599);
    world.assert_at_rest();
}

/// Credit bounds what is under way to a runner: without it nothing more is given.
#[test]
fn without_credit_nothing_is_given() {
    let mut world = World::new();
    let input = json(&format!("\"{}\"", "x".repeat(1_000)));
    let large = || StartRequest { input: Some(input.clone()), ..start("flow") };
    let mut poor = who(100);
    poor.credit = 5_000;
    let session = world.connect(&poor);
    start_many(&mut world, 20, large);
    let given = world.heard_of(session, "activate").len();
    assert!((3..=5).contains(&given), "{given}");
    assert!(world.bytes_sent(session) < 5_000 + 1_500);
    world.say(session, &[json!({ "credit": { "bytes": 4_000 } })]);
    let more = world.heard_of(session, "activate").len();
    assert!((2..=4).contains(&more), "{more}");
}

/// Credit is counted for all that a runner is sent, so it does not grow by being given back.
#[test]
fn credit_does_not_grow() {
    let mut world = World::new();
    let mut poor = who(100);
    poor.credit = 5_000;
    let session = world.connect(&poor);
    world.start(start("flow"));
    let mut returned = 0;
    for n in 0..300 {
        world.say(session, &[ended(&json!(1), &format!("step {n}"))]);
        // As a runner does: it has handled what it was sent, and says so.
        let bytes = world.bytes_sent(session) - returned;
        returned += bytes;
        world.say(session, &[json!({ "credit": { "bytes": bytes } })]);
    }
    let before = world.bytes_sent(session);
    let input = json(&format!("\"{}\"", "x".repeat(1_000)));
    start_many(&mut world, 40, || StartRequest { input: Some(input.clone()), ..start("flow") });
    let sent = world.bytes_sent(session) - before;
    assert!((3_000..6_500).contains(&sent), "{sent} bytes with a credit of 5000");
}

/// §9.1: a pinned run waits for its runner, holds up nobody, and is not tried again and again.
#[test]
fn a_pinned_run_waits_for_its_runner() {
    let mut world = World::new();
    let session = world.connect(&who(4));
    let pin = |name: &str| StartRequest { runner: Some(name.into()), ..start("flow") };
    // More than one slice of them, before one whose runner is there.
    let pinned = start_many(&mut world, 600, || pin("gpu"));
    let here = world.start(pin("worker"));
    let plain = world.start(start("flow"));
    let given: BTreeSet<String> = serve(&mut world, session).into_iter().collect();
    assert_eq!(given, BTreeSet::from([here.to_string(), plain.to_string()]));
    let loads = world.load_count;
    for _ in 0..20 {
        let run = world.start(start("flow"));
        assert_eq!(serve(&mut world, session), [run.to_string()]);
    }
    assert!(world.load_count - loads < 40, "{} reads", world.load_count - loads);
    assert_eq!(world.busy(), 0);
    // A pinned run that comes later, to the runner that is there.
    world.disconnect(session);
    let later = world.start(pin("worker"));
    let session = world.connect(&who(4));
    assert_eq!(serve(&mut world, session), [later.to_string()]);
    let mut gpu = who(8);
    gpu.name = "gpu";
    gpu.instance = "g1".into();
    let gpu = world.connect(&gpu);
    let served: BTreeSet<String> = serve(&mut world, gpu).into_iter().collect();
    assert_eq!(served, pinned.iter().map(ToString::to_string).collect());
    world.assert_at_rest();
}

/// §9.9: a runner with the version that began a run is preferred, where it has a free slot; any
/// other may go on with it.
#[test]
fn the_same_version_is_preferred() {
    for free in [true, false] {
        let mut world = World::new();
        let (mut old, mut new) = (who(1), who(8));
        (old.version, old.instance) = (Some("1"), "old".into());
        (new.version, new.instance) = (Some("2"), "new".into());
        let old = world.connect(&old);
        let run = world.start(start("flow"));
        let new = world.connect(&new);
        world.say(old, &[sleep(&json!(1), "nap", 1_000), released(&json!(1), 0)]);
        assert_eq!(world.status(run), "waiting");
        if !free {
            let mut pin = start("flow");
            pin.key = Some("takes the slot".into());
            // The new runner has more free slots and would get it: fill it by name of nobody.
            world.say(new, &[json!({ "drain": {} })]);
            world.start(pin);
        }
        world.heard_of(old, "activate");
        let third = {
            let mut third = who(8);
            (third.version, third.instance) = (Some("3"), "third".into());
            world.connect(&third)
        };
        world.pass_ms(1_000);
        let (on_old, on_new, on_third) = (
            world.heard_of(old, "activate").len(),
            world.heard_of(new, "activate").len(),
            world.heard_of(third, "activate").len(),
        );
        let expected = if free { (1, 0, 0) } else { (0, 0, 1) };
        assert_eq!((on_old, on_new, on_third), expected);
        assert_eq!(world.busy(), if free { 1 } else { 2 });
    }
}

/// A runner that drains is given nothing more, and keeps what it has.
#[test]
fn a_draining_runner_is_given_nothing() {
    let mut world = World::new();
    let session = world.connect(&who(2));
    let first = world.start(start("flow"));
    world.say(session, &[json!({ "drain": {} })]);
    let second = world.start(start("flow"));
    assert_eq!(world.heard_of(session, "activate").len(), 1);
    world.say(session, &[ended(&json!(1), "s"), finished(&json!(1))]);
    assert_eq!(
        (world.status(first).as_str(), world.status(second).as_str()),
        ("completed", "queued")
    );
    assert!(world.runners()[0].draining);
    world.assert_at_rest();
}

/// A runner that goes while a run is read for it leaves the run to others.
#[test]
fn a_run_whose_runner_went_meanwhile_is_given_to_another() {
    let mut world = registered(&["flow"]);
    let run = world.start(start("flow"));
    world.hold_loads = true;
    let first = world.connect(&who(1));
    assert_eq!(world.loads.len(), 1);
    world.disconnect(first);
    world.release();
    assert_eq!(world.status(run), "queued");
    let mut second = who(1);
    second.instance = "i2".into();
    let second = world.connect(&second);
    assert_eq!(world.heard_of(second, "activate").len(), 1);
}

/// A runner that connects again is given nothing on its old connection, which is closed.
#[test]
fn a_new_connection_of_a_process_replaces_the_old_one() {
    let mut world = World::new();
    let old = world.connect(&who(4));
    let mut other = who(4);
    other.instance = "i2".into();
    let other = world.connect(&other);
    let new = world.connect(&who(4));
    assert!(world.closed(old).is_some(), "{:?}", world.runners());
    assert!(world.closed(other).is_none() && world.closed(new).is_none());
    start_many(&mut world, 8, || start("flow"));
    let given = [new, other].map(|session| world.heard_of(session, "activate").len());
    assert_eq!(given, [4, 4]);
}

/// A queued run that is looked at and cancelled while it waits does not come twice.
#[test]
fn a_queued_run_stands_once_in_its_queue() {
    let mut world = registered(&["flow"]);
    let run = world.start(start("flow"));
    for _ in 0..3 {
        let mut about = world.about(run);
        about.namespace = "else".into();
        world.tell(Input::Wait { about });
        world.settle();
    }
    let other = world.start(start("flow"));
    let loads = world.load_count;
    let session = world.connect(&who(1));
    assert_eq!(serve(&mut world, session), [run.to_string(), other.to_string()]);
    assert_eq!(world.load_count - loads, 2);
}

/// §5.2: a run that is woken is read once, and given to a free runner in the commit that wakes it; behind
/// runs that wait longer it takes its turn.
#[test]
fn a_woken_run_is_given_in_the_commit_that_wakes_it() {
    let mut world = World::new();
    let session = world.connect(&who(1));
    let run = world.start(start("flow"));
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    world.say(session, &[sleep(&a, "nap", 2_000), released(&a, 0)]);
    let (loads, commits) = (world.load_count, world.node.stats().commits);
    world.pass_ms(2_000);
    assert_eq!(world.load_count - loads, 1);
    assert_eq!(world.node.stats().commits - commits, 1);
    let given = world.heard_of(session, "activate")[0].clone();
    assert_eq!(given["ended"][0]["step"], "nap");
    assert_eq!(world.status(run), "running");

    let a = given["a"].clone();
    world.say(session, &[sleep(&a, "again", 3_000), released(&a, 1)]);
    let first = world.start(start("flow"));
    let second = world.start(start("flow"));
    let held = world.heard_of(session, "activate")[0].clone();
    assert_eq!(held["run"], first.to_string());
    world.pass_ms(3_000);
    world.say(session, &[finished(&held["a"])]);
    assert_eq!(world.heard_of(session, "activate")[0]["run"], second.to_string());
    assert_eq!(world.status(run), "queued");
}

/// Histories that do not fit one chunk come in several, whole and in order.
#[test]
fn a_long_history_comes_in_chunks() {
    let mut world = World::new();
    let session = world.connect(&who(1));
    let run = world.start(start("flow"));
    let output = "x".repeat(100_000);
    for n in 0..10 {
        let mut message = ended(&json!(1), &format!("s{n}"));
        message["ended"]["output"] = json!(output);
        world.say(session, &[message]);
    }
    world.say(session, &[sleep(&json!(1), "nap", 1_000), released(&json!(1), 10)]);
    world.heard(session);
    let mut second = who(1);
    (second.instance, second.credit) = ("i2".into(), 1 << 30);
    world.disconnect(session);
    let session = world.connect(&second);
    world.pass_ms(1_000);
    let heard = world.heard(session);
    let parts: Vec<&Value> = heard
        .iter()
        .filter_map(|message| message.get("activate").or_else(|| message.get("history")))
        .collect();
    let steps: Vec<&str> = parts
        .iter()
        .flat_map(|part| part["ended"].as_array().unwrap())
        .map(|ended| ended["step"].as_str().unwrap())
        .collect();
    let expected: Vec<String> = (0..10).map(|n| format!("s{n}")).chain(["nap".into()]).collect();
    assert_eq!(steps, expected);
    assert!(parts.len() >= 4);
    for (at, part) in parts.iter().enumerate() {
        assert_eq!(part["more"].as_bool().unwrap_or_default(), at + 1 < parts.len());
    }
    world.say(session, &[finished(&json!(1))]);
    assert_eq!(world.status(run), "completed");
}

/// §12: a frame to a runner has at most 256 KiB, or holds one message.
#[test]
fn frames_to_runners_are_bounded() {
    const BYTES_MAX: usize = 256 * 1024;
    let mut world = World::new();
    let mut first = who(1);
    first.credit = 1 << 30;
    let session = world.connect(&first);
    world.start(start("flow"));
    // Many small answers in one batch. Quotes take two bytes.
    let name = |n: usize| format!("{}{n}", "\"".repeat(240));
    let ends: Vec<Value> = (0..900).map(|n| ended(&json!(1), &name(n))).collect();
    world.say(session, &ends);
    let settled = world.heard_of(session, "settled");
    let steps: Vec<_> = settled.iter().map(|one| one["step"].as_str().unwrap()).collect();
    assert_eq!(steps, (0..900).map(name).collect::<Vec<_>>());
    let (bytes, messages) = world.largest_frame(session);
    assert!((BYTES_MAX / 2..=BYTES_MAX).contains(&bytes), "{bytes} bytes, {messages} messages");
    assert!((2..900).contains(&messages), "{messages} messages");

    // The same as a history.
    world.say(session, &[sleep(&json!(1), "nap", 1_000), released(&json!(1), 900)]);
    world.disconnect(session);
    let mut second = first.clone();
    second.instance = "i2".into();
    let session = world.connect(&second);
    world.pass_ms(1_000);
    assert!(world.heard_of(session, "history").len() > 1);
    let (bytes, messages) = world.largest_frame(session);
    assert!(bytes <= BYTES_MAX, "{bytes} bytes, {messages} messages");
    world.say(session, &[finished(&json!(1))]);
}

/// A run with a large input gets its history in messages of their own.
#[test]
fn a_large_input_travels_alone() {
    let mut world = World::new();
    let mut first = who(1);
    first.credit = 1 << 30;
    let session = world.connect(&first);
    let input = json(&format!("\"{}\"", "i".repeat(300_000)));
    world.start(StartRequest { input: Some(input), ..start("flow") });
    let mut end = ended(&json!(1), "a");
    end["ended"]["output"] = json!("o".repeat(100_000));
    world.say(session, &[end, sleep(&json!(1), "nap", 1_000), released(&json!(1), 1)]);
    world.disconnect(session);
    let mut second = first.clone();
    second.instance = "i2".into();
    let session = world.connect(&second);
    world.pass_ms(1_000);
    let activate = &world.heard_of(session, "activate")[0];
    assert_eq!((&activate["more"], activate.get("ended")), (&json!(true), None));
    assert_eq!(world.heard_of(session, "history")[0]["ended"].as_array().unwrap().len(), 2);
    let (bytes, messages) = world.largest_frame(session);
    assert!((300_000..301_000).contains(&bytes) && messages == 1, "{bytes}, {messages}");
}

/// Programs of all kinds run to their end, over runners with few slots.
#[test]
fn many_programs_run_to_their_end() {
    let mut world = World::new();
    let mut bots: Vec<Bot> = (0..2)
        .map(|n| {
            let mut who = who(2);
            who.instance = format!("bot{n}");
            who.credit = 1 << 30;
            Bot::new(who)
        })
        .collect();
    for bot in &mut bots {
        bot.connect(&mut world);
    }
    let program = json(
        r#"[[{"run":{"id":"a","ms":0,"fails":0}},{"sleep":{"id":"b","ms":300}}],
            [{"skip":{"id":"c"}}],
            [{"run":{"id":"d","ms":100,"fails":2}},{"run":{"id":"e","ms":0,"fails":9}}],
            [{"sleep":{"id":"f","ms":20000}}],
            [{"run":{"id":"g","ms":0,"fails":0}}]]"#,
    );
    let runs = start_many(&mut world, 40, || StartRequest {
        input: Some(program.clone()),
        ..start("flow")
    });
    let until = world.now.after(Duration::from_mins(3));
    run_until(&mut world, &mut bots, until);
    for run in runs {
        assert_eq!(world.status(run), "completed");
        let view_of = world.journal(run);
        let view = stepwell_core::view::View::of(run, &view_of).unwrap();
        let shown: Vec<_> = view
            .steps
            .iter()
            .map(|step| (&*step.id, step.status.as_str(), step.attempts.len()))
            .collect();
        for expected in [("a", "completed", 1), ("d", "completed", 3), ("e", "failed", 4)] {
            assert!(shown.contains(&expected), "{shown:?}");
        }
    }
    world.assert_at_rest();
}
