//! Runners that go, come back, or do not; nodes that restart; runs that crash their runners.

use serde_json::{Value, json};
use stepwell_core::id::RunId;
use stepwell_node::{SessionId, StartRequest};

use crate::harness::{Who, World, ended, failed, finished, idle, released, sleep, start, who};

/// A hello that presents a run which was activated before.
fn again(activate: &Value, told: u32, idle: bool) -> Who {
    let mut who = who(4);
    who.resume = vec![json!({
        "run": activate["run"], "epoch": activate["epoch"], "nonce": activate["nonce"],
        "told": told, "idle": idle,
    })];
    who
}

fn live() -> (World, SessionId, RunId, Value) {
    let mut world = World::new();
    let session = world.connect(&who(4));
    let run = world.start(start("flow"));
    let activate = world.heard_of(session, "activate").remove(0);
    world.heard(session);
    (world, session, run, activate)
}

/// §4.7, §12: a silent runner's runs go to another once its grant has certainly ended, and not
/// before.
#[test]
fn a_silent_runner_loses_its_runs() {
    let (mut world, session, run, _) = live();
    world.pass_ms(4_000);
    world.ping(session);
    let mut other = who(4);
    other.instance = "i2".into();
    let other = world.connect(&other);
    world.pass_ms(9_999);
    world.ping(other);
    assert_eq!((world.status(run).as_str(), world.closed(session)), ("running", None));
    world.pass_ms(1);
    assert!(world.closed(session).is_some());
    let activate = world.heard_of(other, "activate");
    assert_eq!((activate.len(), &activate[0]["epoch"]), (1, &json!(2)));
    assert_eq!(world.records(run)[2..], ["lost", "activated"]);
    assert_eq!(world.node.stats().losses, 1);
    // §4.7: what the replaced runner still sends changes nothing, and coming back it is told so.
    let records = world.records(run);
    world.say(session, &[ended(&json!(1), "s"), finished(&json!(1))]);
    assert_eq!(world.records(run), records);
    world.say(other, &[finished(&activate[0]["a"])]);
    assert_eq!(world.status(run), "completed");
}

/// §4.7: a runner that comes back in time goes on with its runs, and hears what it
/// missed: ends, retries, the end of the run.
#[test]
fn a_runner_that_comes_back_goes_on() {
    let (mut world, session, run, activate) = live();
    let a = &activate["a"];
    world.say(
        session,
        &[ended(a, "told"), sleep(a, "nap", 2_000), failed(a, "again", 1), ended(a, "untold")],
    );
    world.disconnect(session);
    world.pass_ms(5_000);
    assert_eq!((world.status(run).as_str(), world.busy()), ("running", 0));
    let session = world.connect(&again(&activate, 1, false));
    let resumed = world.heard_of(session, "resumed");
    assert_eq!((resumed.len(), &resumed[0]["run"]), (1, &activate["run"]));
    let settled = world.heard_of(session, "settled");
    let steps: Vec<_> = settled.iter().map(|one| one["step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["untold", "nap"], "in the order of their ends");
    let retry = world.heard_of(session, "retry");
    assert_eq!(
        (&retry[0]["step"], &retry[0]["n"], &retry[0]["inUs"]),
        (&json!("again"), &json!(2), &json!(0))
    );
    assert_eq!((world.busy(), world.node.stats().losses), (1, 0));
    let a = &resumed[0]["a"];
    // What it says again changes nothing; the rest goes on.
    let records = world.records(run).len();
    world.say(session, &[ended(a, "untold"), sleep(a, "nap", 2_000)]);
    assert_eq!(world.records(run).len(), records);
    world.say(session, &[ended(a, "more"), finished(a)]);
    assert_eq!(world.heard_of(session, "done").len(), 1);
    assert_eq!(world.status(run), "completed");
    world.pass_ms(60_000);
    world.assert_at_rest();
}

/// A run whose end was decided while its runner was away is told so when it comes back.
#[test]
fn a_missed_cancel_is_told() {
    let (mut world, session, run, activate) = live();
    world.disconnect(session);
    assert_eq!(world.cancel(run), "compensating");
    let session = world.connect(&again(&activate, 0, false));
    let a = world.heard_of(session, "resumed")[0]["a"].clone();
    assert_eq!(world.heard_of(session, "end"), [json!({ "a": a, "status": "cancelled" })]);
    world.say(session, &[finished(&a)]);
    assert_eq!(world.status(run), "cancelled");
    world.assert_at_rest();
}

/// A run that ended, or went to another, while its runner was away is gone for it.
#[test]
fn what_is_over_is_gone() {
    let (mut world, session, run, activate) = live();
    world.disconnect(session);
    world.pass_ms(20_000);
    assert_eq!(world.status(run), "queued");
    let session = world.connect(&again(&activate, 0, false));
    let gone = world.heard_of(session, "gone");
    assert_eq!(gone, [json!({ "run": activate["run"], "epoch": 1 })]);
    let next = world.heard_of(session, "activate");
    assert_eq!((next.len(), &next[0]["epoch"]), (1, &json!(2)));
    world.say(session, &[finished(&next[0]["a"])]);
    world.disconnect(session);
    let session = world.connect(&again(&next[0], 0, false));
    assert_eq!(world.heard_of(session, "gone").len(), 1);
    assert!(world.heard_of(session, "resumed").is_empty());
    world.assert_at_rest();
}

/// §4.7: only who holds a run may go on with it: epoch, nonce and instance have to be the same.
#[test]
fn a_wrong_presentation_is_gone() {
    type Change = fn(&mut Who);
    let changes: [Change; 4] = [
        |who| who.resume[0]["nonce"] = json!(7),
        |who| who.resume[0]["epoch"] = json!(2),
        |who| who.instance = "i2".into(),
        |who| who.resume[0]["run"] = json!("run_019a0000000070008000000000000009"),
    ];
    for change in changes {
        let (mut world, session, run, activate) = live();
        world.disconnect(session);
        let mut wrong = again(&activate, 0, false);
        change(&mut wrong);
        let session = world.connect(&wrong);
        assert_eq!(world.heard_of(session, "gone").len(), 1);
        assert!(world.heard_of(session, "resumed").is_empty());
        assert_eq!((world.status(run).as_str(), world.busy()), ("running", 0));
        world.pass_ms(9_000);
        world.ping(session);
        world.pass_ms(1_000);
        assert_eq!(world.heard_of(session, "activate").len(), 1, "it is lost and given anew");
    }
}

/// Coming back idle takes no slot, unless there is something that was missed.
#[test]
fn an_idle_run_that_comes_back_takes_no_slot() {
    for missed in [false, true] {
        let (mut world, session, run, activate) = live();
        world.say(session, &[sleep(&json!(1), "nap", 3_000), idle(&json!(1))]);
        world.disconnect(session);
        world.pass_ms(if missed { 3_500 } else { 2_500 });
        let session = world.connect(&again(&activate, 0, true));
        assert_eq!(world.heard_of(session, "settled").len(), usize::from(missed));
        assert_eq!(world.busy(), u32::from(missed));
        let a = world.heard_of(session, "resumed")[0]["a"].clone();
        world.pass_ms(600);
        world.say(session, &[finished(&a)]);
        assert_eq!(world.status(run), "completed");
        world.assert_at_rest();
    }
}

/// §4.4: the loss of a run that only waits does not count against it.
#[test]
fn an_idle_loss_does_not_count() {
    let (mut world, session, run, _) = live();
    world.say(session, &[sleep(&json!(1), "nap", 600_000), idle(&json!(1))]);
    world.disconnect(session);
    world.pass_ms(10_000);
    let journal = String::from_utf8(world.journal(run)).unwrap();
    assert!(journal.contains("\"counted\":false"), "{journal}");
}

/// §4.9: a restarted node gives runners the time to present what they hold, and knows all that was
/// acknowledged.
#[test]
fn a_restarted_node_waits_for_its_runners() {
    let (mut world, session, run, activate) = live();
    world.say(session, &[ended(&json!(1), "s")]);
    let second = world.start(start("flow"));
    let second_activate = world.heard_of(session, "activate").remove(0);
    world.hold_commits = true;
    world.say(session, &[ended(&json!(1), "not durable")]);
    world.restart();
    assert!(world.heard(session).is_empty());
    let mut both = again(&activate, 0, false);
    both.resume.extend(again(&second_activate, 0, false).resume);
    both.resume.push(json!({
        "run": "run_019a0000000070008000000000000009", "epoch": 1, "nonce": 1, "told": 0,
    }));
    world.pass_ms(9_000);
    let session = world.connect(&both);
    assert_eq!(world.heard_of(session, "resumed").len(), 2);
    assert_eq!(world.heard_of(session, "gone").len(), 1);
    let settled = world.heard_of(session, "settled");
    assert_eq!((settled.len(), &settled[0]["step"]), (1, &json!("s")));
    assert_eq!(world.busy(), 2);
    world.pass_ms(9_000);
    world.ping(session);
    assert_eq!(world.node.stats().losses, 0);
    for run in [run, second] {
        assert_eq!(world.status(run), "running");
    }
}

/// §4.2: what no runner presents to a restarted node is lost after the TTL, and given out anew.
#[test]
fn a_restarted_node_loses_what_nobody_presents() {
    let (mut world, _, run, _) = live();
    world.restart();
    let mut other = who(4);
    other.instance = "i2".into();
    let session = world.connect(&other);
    world.pass_ms(9_999);
    world.ping(session);
    assert!(world.heard_of(session, "activate").is_empty());
    world.pass_ms(1);
    let activate = world.heard_of(session, "activate");
    assert_eq!((activate.len(), &activate[0]["epoch"]), (1, &json!(2)));
    world.say(session, &[finished(&activate[0]["a"])]);
    assert_eq!(world.status(run), "completed");
    world.assert_at_rest();
}

/// §4.9: queues are in the store: a restarted node serves them.
#[test]
fn a_restarted_node_serves_its_queues() {
    let (mut world, _, _, _) = live();
    for _ in 0..6 {
        world.start(start("flow"));
    }
    world.restart();
    let mut other = who(8);
    other.instance = "i2".into();
    let session = world.connect(&other);
    assert_eq!(world.heard_of(session, "activate").len(), 3);
}

/// A storm of runs that come back is handled in slices.
#[test]
fn a_storm_of_returns_comes_in_slices() {
    let mut world = World::new();
    let session = world.connect(&who(2_000));
    for _ in 0..2_000 {
        world.start(start("flow"));
    }
    let activates = world.heard_of(session, "activate");
    assert_eq!(activates.len(), 2_000);
    world.restart();
    let mut back = who(2_000);
    back.resume = activates.iter().flat_map(|one| again(one, 0, false).resume).collect();
    // The harness refuses more reads from one input than slices allow.
    let session = world.connect(&back);
    assert_eq!(world.heard_of(session, "resumed").len(), 2_000);
    assert_eq!(world.busy(), 2_000);
    let more: Vec<_> = (1..=2_000).map(|a| finished(&json!(a))).collect();
    world.say(session, &more);
    world.assert_at_rest();
}

/// Lets a run crash its runner so many times; the innocent only waits in between.
fn crash(world: &mut World, times: u32) {
    for n in 0..times {
        let mut who = who(4);
        who.instance = format!("crash {n}");
        let session = world.connect(&who);
        assert_eq!(world.heard_of(session, "activate").len(), 1, "crash {n}");
        world.disconnect(session);
        world.pass_ms(10_000);
    }
}

fn queued() -> (World, RunId) {
    let mut world = World::new();
    let session = world.connect(&who(4));
    world.disconnect(session);
    let run = world.start(start("flow"));
    (world, run)
}

/// §4.4: from the second loss on a run has its runner to itself: it is given only to one with
/// nothing else to run, which is given nothing else, until a step of it ended.
#[test]
fn a_suspect_runs_alone() {
    let (mut world, suspect) = queued();
    crash(&mut world, 2);
    let session = world.connect(&who(4));
    let activate = world.heard_of(session, "activate").remove(0);
    assert_eq!(activate["run"], suspect.to_string());
    let others = [world.start(start("flow")), world.start(start("flow"))];
    assert!(world.heard_of(session, "activate").is_empty());
    assert_eq!(world.busy(), 1);
    // A step that ends clears the suspicion.
    world.say(session, &[ended(&activate["a"], "s")]);
    let given = world.heard_of(session, "activate");
    assert_eq!((given.len(), world.busy()), (2, 3));
    world.say(session, &[finished(&json!(1)), finished(&json!(2)), finished(&json!(3))]);
    for run in [suspect, others[0], others[1]] {
        assert_eq!(world.status(run), "completed");
    }
    world.assert_at_rest();
}

/// §4.4: a suspect waits until a runner is empty, and that runner is given nothing new meanwhile.
#[test]
fn a_suspect_waits_for_an_empty_runner() {
    let (mut world, suspect) = queued();
    crash(&mut world, 2);
    let plain = world.start(start("flow"));
    let session = world.connect(&who(2));
    let first = world.heard_of(session, "activate");
    assert_eq!((first.len(), &first[0]["run"]), (1, &json!(plain.to_string())));
    let later = world.start(start("flow"));
    assert!(world.heard_of(session, "activate").is_empty(), "it is kept for the suspect");
    world.say(session, &[finished(&first[0]["a"])]);
    let second = world.heard_of(session, "activate");
    assert_eq!((second.len(), &second[0]["run"]), (1, &json!(suspect.to_string())));
    assert!(String::from_utf8(world.journal(suspect)).unwrap().contains("\"alone\":true"));
    world.say(session, &[finished(&second[0]["a"])]);
    let third = world.heard_of(session, "activate");
    assert_eq!((third.len(), &third[0]["run"]), (1, &json!(later.to_string())));
}

/// §4.4: a runner is kept empty for a suspect only until that has one.
#[test]
fn no_runner_is_kept_for_a_suspect_that_has_another() {
    let (mut world, suspect) = queued();
    crash(&mut world, 2);
    let plain = world.start(start("flow"));
    // With a run that is on its way to it the first runner has no credit.
    let mut small = who(2);
    small.credit = 400;
    let first = world.connect(&small);
    let given = world.heard_of(first, "activate").remove(0);
    assert_eq!(given["run"], json!(plain.to_string()));
    let mut other = who(1);
    (other.name, other.instance) = ("other", "o1".into());
    let other = world.connect(&other);
    world.say(first, &[finished(&given["a"])]);
    let runs = [first, other].map(|session| world.heard_of(session, "activate"));
    assert!(runs.iter().flatten().any(|one| one["run"] == suspect.to_string()), "{runs:?}");
    // Both runners get something to do.
    world.start(start("flow"));
    assert_eq!(world.busy(), 2);
}

/// §4.4: a suspect that comes back with its runner has it to itself as before, also where others wait.
#[test]
fn a_suspect_comes_back_alone() {
    let (mut world, suspect) = queued();
    crash(&mut world, 2);
    let session = world.connect(&who(4));
    let given = world.heard_of(session, "activate").remove(0);
    assert_eq!(given["run"], json!(suspect.to_string()));
    let other = world.start(start("flow"));
    world.disconnect(session);
    let mut hello = again(&given, 0, false);
    hello.instance = who(4).instance;
    let back = world.connect(&hello);
    assert_eq!(world.heard_of(back, "resumed").len(), 1);
    assert!(world.heard_of(back, "activate").is_empty());
    world.say(back, &[finished(&json!(1))]);
    assert_eq!(world.heard_of(back, "activate")[0]["run"], json!(other.to_string()));
}

/// §4.4: a suspect takes its turn even where its runners are always busy with others.
#[test]
fn a_suspect_is_not_starved() {
    let (mut world, suspect) = queued();
    crash(&mut world, 2);
    // Both the suspect and many others wait for the one runner there is.
    for _ in 0..50 {
        world.start(start("flow"));
    }
    let session = world.connect(&who(2));
    let mut given = world.heard_of(session, "activate");
    for round in 0..60 {
        if given.iter().any(|one| one["run"] == suspect.to_string()) {
            assert_eq!(world.busy(), 1, "it runs alone");
            return;
        }
        let one = given.remove(0);
        world.say(session, &[finished(&one["a"])]);
        given.extend(world.heard_of(session, "activate"));
        assert!(!given.is_empty(), "round {round}");
    }
    panic!("the suspect never came to run");
}

/// §4.4: more suspects than runners come to run one after the other, each alone.
#[test]
fn many_suspects_come_to_run() {
    let mut world = World::new();
    let session = world.connect(&who(8));
    let runs: Vec<_> = (0..7).map(|_| world.start(start("flow"))).collect();
    world.disconnect(session);
    world.pass_ms(10_000);
    let mut again = who(8);
    again.instance = "again".into();
    let session = world.connect(&again);
    assert_eq!(world.heard_of(session, "activate").len(), 7);
    world.disconnect(session);
    world.pass_ms(10_000);
    let sessions = ["x", "y"].map(|instance| {
        let mut who = who(8);
        who.instance = instance.into();
        world.connect(&who)
    });
    let mut served = Vec::new();
    while served.len() < runs.len() {
        let before = served.len();
        for session in sessions {
            let given = world.heard_of(session, "activate");
            assert!(given.len() <= 1, "{given:?}");
            if let Some(one) = given.first() {
                served.push(one["run"].as_str().unwrap().to_owned());
                world.say(session, &[finished(&one["a"])]);
            }
        }
        assert!(served.len() > before, "{served:?}");
    }
    world.assert_at_rest();
}

/// §4.4, §9.1: a suspect that is pinned gets its own runner to itself, and no other.
#[test]
fn a_pinned_suspect_gets_its_own_runner() {
    let mut world = World::new();
    let mut gpu = who(4);
    gpu.name = "gpu";
    let mut run = None;
    for n in 0..2 {
        gpu.instance = format!("g{n}");
        let session = world.connect(&gpu);
        run.get_or_insert_with(|| {
            world.start(StartRequest { runner: Some("gpu".into()), ..start("flow") })
        });
        assert_eq!(world.heard_of(session, "activate").len(), 1);
        world.disconnect(session);
        world.pass_ms(10_000);
    }
    let mut other = who(4);
    other.instance = "other".into();
    let other = world.connect(&other);
    let loads = world.load_count;
    world.start(start("flow"));
    assert_eq!(world.heard_of(other, "activate").len(), 1, "it is kept for nobody");
    assert!(world.load_count - loads <= 1);
    gpu.instance = "g9".into();
    let session = world.connect(&gpu);
    let given = world.heard_of(session, "activate");
    assert_eq!((given.len(), &given[0]["epoch"]), (1, &json!(3)));
    assert_eq!(given[0]["run"], run.unwrap().to_string());
}

/// §4.4, §4.10: lost alone three times a run is blocked; its own build does not try it again,
/// another does.
#[test]
fn a_run_that_crashes_its_runner_is_blocked_until_another_build_comes() {
    let (mut world, run) = queued();
    crash(&mut world, 5);
    assert_eq!(world.status(run), "blocked");
    world.assert_at_rest();
    let session = world.connect(&who(4));
    assert!(world.heard_of(session, "activate").is_empty(), "the same build");
    assert_eq!(world.status(run), "blocked");
    world.disconnect(session);
    let mut fixed = who(4);
    (fixed.build, fixed.instance) = (Some("b2"), "fixed".into());
    let session = world.connect(&fixed);
    let activate = world.heard_of(session, "activate");
    assert_eq!(activate.len(), 1);
    let other = world.start(start("flow"));
    assert_eq!(world.heard_of(session, "activate").len(), 1, "it is no longer suspected");
    world.say(session, &[finished(&json!(1)), finished(&json!(2))]);
    assert_eq!([run, other].map(|run| world.status(run)), ["completed", "completed"]);
    world.assert_at_rest();
}

/// §4.10: a changed kind blocks the run, tells its runner to drop it, and another build tries again.
#[test]
fn a_changed_kind_blocks_and_another_build_unblocks() {
    let (mut world, session, run, activate) = live();
    let a = &activate["a"];
    world.say(session, &[ended(a, "s")]);
    world.heard(session);
    world.say(session, &[sleep(a, "s", 1_000), ended(a, "later")]);
    assert_eq!(world.heard(session), [json!({ "evict": { "a": a } })]);
    assert_eq!(world.status(run), "blocked");
    world.say(session, &[released(a, 0)]);
    world.assert_at_rest();
    let mut same = who(4);
    same.instance = "i2".into();
    let same = world.connect(&same);
    assert!(world.heard_of(same, "activate").is_empty());
    let mut fixed = who(4);
    (fixed.build, fixed.instance) = (Some("b2"), "fixed".into());
    world.disconnect(session);
    world.disconnect(same);
    let fixed = world.connect(&fixed);
    let again = world.heard_of(fixed, "activate");
    assert_eq!((again.len(), &again[0]["ended"][0]["step"]), (1, &json!("s")));
    world.say(fixed, &[finished(&again[0]["a"])]);
    assert_eq!(world.status(run), "completed");
    world.assert_at_rest();
}

/// §4.7: a blocked run has no second holder: it is given out again when its runner gave it back, or
/// says that it is here without it, or is not heard of until its grant lapses.
#[test]
fn a_blocked_run_is_given_back_before_another_runner_gets_it() {
    type Let = fn(&mut World, SessionId, &Value);
    let ways: [(&str, Let, bool); 3] = [
        ("an answer", |world, session, _| world.say(session, &[released(&json!(1), 0)]), true),
        (
            "a return",
            |world, session, activate| {
                world.disconnect(session);
                let back = world.connect(&again(activate, 0, false));
                assert_eq!(world.heard_of(back, "gone").len(), 1);
            },
            true,
        ),
        ("silence", |world, session, _| world.disconnect(session), false),
    ];
    for (way, let_go, at_once) in ways {
        // Its runner has free slots all the time, and is not given it again.
        let (mut world, session, run, activate) = live();
        let cause = json!({ "kind": "orderChanged", "expected": "x", "found": "y" });
        world.say(session, &[json!({ "block": { "a": 1, "cause": cause } })]);
        let mut fixed = who(1);
        (fixed.build, fixed.instance) = (Some("b2"), "fixed".into());
        let fixed = world.connect(&fixed);
        assert_eq!(world.status(run), "queued", "{way}");
        world.say(session, &[ended(&json!(1), "late")]);
        assert_eq!(world.heard_of(fixed, "activate").len(), 0, "{way}");
        let_go(&mut world, session, &activate);
        assert_eq!(world.heard_of(fixed, "activate").len(), usize::from(at_once), "{way}");
        if !at_once {
            world.pass_ms(9_000);
            assert_eq!(world.heard_of(fixed, "activate").len(), 0, "{way}");
            world.ping(fixed);
            world.pass_ms(1_000);
            assert_eq!(world.heard_of(fixed, "activate").len(), 1, "{way}");
        }
        assert!(!world.records(run).contains(&"stepEnded".into()), "{way}");
        world.say(fixed, &[finished(&json!(1))]);
        assert_eq!(world.status(run), "completed", "{way}");
        world.assert_at_rest();
    }
}

/// §4.10: a build that could not go on with a run is kept from it while there are runners with
/// another; where there are none it gets the run, which shows what it waits for by being blocked.
#[test]
fn a_build_gets_no_run_again_that_it_blocked() {
    let (mut world, old, run, _) = live();
    let cause = json!({ "kind": "orderChanged", "expected": "x", "found": "y" });
    world.say(old, &[json!({ "block": { "a": 1, "cause": cause } }), released(&json!(1), 0)]);
    let mut fixed = who(1);
    (fixed.build, fixed.instance) = (Some("b2"), "fixed".into());
    let new = world.connect(&fixed);
    assert_eq!(world.heard_of(new, "activate").len(), 1);
    let busy = world.start(start("flow"));
    assert_eq!(world.heard_of(old, "activate")[0]["run"], json!(busy.to_string()));
    // The only slot of the new build is free for others when the run wants one again.
    world.say(new, &[sleep(&json!(1), "nap", 1_000), released(&json!(1), 0)]);
    world.say(new, &[json!({ "drain": {} })]);
    fixed.instance = "other".into();
    let other = world.connect(&fixed);
    world.pass_ms(1_000);
    assert_eq!(world.heard_of(old, "activate").len(), 0);
    let again = world.heard_of(other, "activate");
    assert_eq!(again.len(), 1);
    world.say(other, &[sleep(&json!(1), "more", 1_000), released(&json!(1), 1)]);
    world.disconnect(other);
    world.pass_ms(1_000);
    assert_eq!(world.heard_of(old, "activate")[0]["run"], json!(run.to_string()));
}

/// §4.10: a strict workflow is blocked by a changed order, of which its runner tells; others note it.
#[test]
fn a_changed_order_is_noted_or_blocks() {
    let (mut world, session, run, activate) = live();
    let a = &activate["a"];
    world.say(session, &[json!({ "order": { "a": a, "expected": "x", "found": "y" } })]);
    assert_eq!(world.records(run).last().unwrap(), "orderChanged");
    let cause = json!({ "kind": "orderChanged", "expected": "x", "found": "y" });
    world.say(session, &[json!({ "block": { "a": a, "cause": cause } })]);
    assert_eq!(world.heard_of(session, "evict").len(), 1);
    assert_eq!(world.status(run), "blocked");
    // §7.2: it can be cancelled.
    assert_eq!(world.cancel(run), "cancelled");
    world.assert_at_rest();
}

/// §4.10: runners of two builds that register at once each try what the other could not go on with.
#[test]
fn builds_that_register_together_both_try() {
    for order in [["b1", "b2"], ["b2", "b1"]] {
        let (mut world, session, run, _) = live();
        let cause = json!({ "kind": "orderChanged", "expected": "x", "found": "y" });
        world.say(session, &[json!({ "block": { "a": 1, "cause": cause } })]);
        world.say(session, &[released(&json!(1), 0)]);
        world.disconnect(session);
        let hellos = order.map(|build| {
            let mut who = who(1);
            (who.build, who.instance) = (Some(build), build.into());
            (world.open(), serde_json::to_vec(&[who.hello()]).unwrap())
        });
        // In one turn of the driver.
        for (session, hello) in &hellos {
            world.tell(stepwell_node::Input::Frame { session: *session, bytes: hello });
        }
        world.settle();
        let given = hellos.map(|(session, _)| world.heard_of(session, "activate").len());
        assert_eq!(given.iter().sum::<usize>(), 1, "{order:?}: {}", world.status(run));
    }
}

/// A thousand blocked runs are tried again in slices, each once.
#[test]
fn blocked_runs_are_tried_again_in_slices() {
    let mut world = World::new();
    let session = world.connect(&who(1_000));
    let runs: Vec<_> = (0..1_000).map(|_| world.start(start("flow"))).collect();
    let cause = json!({ "kind": "orderChanged", "expected": "x", "found": "y" });
    let said: Vec<_> =
        (1..=1_000).map(|a| json!({ "block": { "a": a, "cause": cause } })).collect();
    world.say(session, &said);
    assert!(runs.iter().all(|run| world.status(*run) == "blocked"));
    let answers: Vec<_> = (1..=1_000).map(|a| released(&json!(a), 0)).collect();
    world.say(session, &answers);
    world.assert_at_rest();
    let mut fixed = who(1_000);
    (fixed.build, fixed.instance, fixed.credit) = (Some("b2"), "fixed".into(), 1 << 30);
    world.say(session, &[json!({ "drain": {} })]);
    let fixed = world.connect(&fixed);
    assert_eq!(world.heard_of(fixed, "activate").len(), 1_000);
}

/// §9.1: a lost pinned run waits for the runner of its name.
#[test]
fn a_lost_pinned_run_stays_pinned() {
    let mut world = World::new();
    let mut gpu = who(1);
    (gpu.name, gpu.instance) = ("gpu", "g1".into());
    let first = world.connect(&gpu);
    let run = world.start(StartRequest { runner: Some("gpu".into()), ..start("flow") });
    assert_eq!(world.heard_of(first, "activate").len(), 1);
    world.disconnect(first);
    world.pass_ms(9_000);
    let other = world.connect(&who(4));
    world.pass_ms(2_000);
    assert_eq!(world.status(run), "queued");
    assert!(world.heard_of(other, "activate").is_empty());
    gpu.instance = "g2".into();
    let second = world.connect(&gpu);
    assert_eq!(world.heard_of(second, "activate").len(), 1);
    assert_eq!(world.busy(), 1);
}

/// A frame that comes in while its runs are taken away changes nothing and closes nothing.
#[test]
fn fenced_messages_change_nothing() {
    let (mut world, session, run, activate) = live();
    let a = &activate["a"];
    world.say(session, &[sleep(a, "nap", 60_000), released(a, 0)]);
    let records = world.records(run);
    let late = [
        ended(a, "s"),
        sleep(a, "t", 1),
        idle(a),
        json!({ "busy": { "a": a } }),
        released(a, 0),
        finished(a),
        finished(&json!(77)),
        json!({ "skip": { "a": a, "step": "u", "open": crate::harness::open("skip") } }),
    ];
    world.say(session, &late);
    assert_eq!((world.records(run), world.closed(session)), (records, None));
    world.assert_at_rest();
}
