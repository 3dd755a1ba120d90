//! Nodes on a store that was made from a copy: runs are held back, and what the original gave out is void.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stepwell_node::{Begin, Input, Restored, StartRequest};

use crate::harness::{World, finished, released, sleep, start, who};

/// Opens the store again as one that was made from a copy of it.
fn restore(world: &mut World, held: bool) {
    world.config.restored = Restored { void_until: Some(world.now), held };
    world.restart();
}

fn let_go(world: &mut World) {
    world.tell(Input::LetGo);
    world.settle();
}

/// §4.7: a runner that presents an activation of the original is told that it is gone, however well it fits;
/// the run goes on under another epoch once nobody can hold it any more.
#[test]
fn what_the_original_gave_out_is_void() {
    for held in [true, false] {
        let mut world = World::new();
        let session = world.connect(&who(4));
        let run = world.start(start("flow"));
        let activate = world.heard_of(session, "activate").remove(0);
        restore(&mut world, held);
        let mut again = who(4);
        again.resume = vec![json!({
            "run": activate["run"], "epoch": activate["epoch"], "nonce": activate["nonce"], "told": 0,
        })];
        let session = world.connect(&again);
        let gone = json!({"run": activate["run"], "epoch": activate["epoch"]});
        assert_eq!(world.heard_of(session, "gone"), [gone]);
        world.pass_ms(9_000);
        world.ping(session);
        world.pass_ms(1_001);
        world.ping(session);
        if held {
            assert_eq!(world.heard_of(session, "activate"), Vec::<Value>::new());
            let_go(&mut world);
        }
        let next = world.heard_of(session, "activate").remove(0);
        assert_eq!((&next["run"], &next["epoch"]), (&activate["run"], &json!(2)));
        // What this node gives out is given back by it.
        let a = &next["a"];
        world.disconnect(session);
        let mut again = who(4);
        again.resume = vec![json!({
            "run": next["run"], "epoch": next["epoch"], "nonce": next["nonce"], "told": 0,
        })];
        let session = world.connect(&again);
        assert_eq!(world.heard_of(session, "resumed").len(), 1, "{a}");
        let a = &json!(1);
        world.say(session, &[finished(a)]);
        assert_eq!(world.status(run), "completed");
    }
}

/// §4.7: a restored store counts epochs on from its backup, so a runner may be given a run under the epoch under
/// which the original gave it to the same runner. It is not told afterwards that this is gone.
#[test]
fn what_a_runner_was_given_here_is_not_gone_for_what_the_original_gave_it() {
    let mut world = World::new();
    let session = world.connect(&who(1));
    world.disconnect(session);
    let mut runs: Vec<String> = (0..600).map(|_| world.start(start("flow")).to_string()).collect();
    restore(&mut world, false);
    let mut again = who(600);
    // What was started first is presented last, and given out first.
    runs.reverse();
    let resume = |run: &String| json!({"run": run, "epoch": 1, "nonce": 99, "told": 0});
    again.resume = runs.iter().map(resume).collect();
    let session = world.connect(&again);
    world.settle();
    let mut given = BTreeSet::new();
    for message in world.heard(session) {
        let run = |name: &str| message.get(name).map(|one| one["run"].to_string());
        given.extend(run("activate"));
        let gone = run("gone");
        assert!(gone.is_none_or(|run| !given.contains(&run)), "{message}");
    }
    assert_eq!(given.len(), runs.len());
}

/// §4.9: runs of a restored store are given to nobody and their timers do not fire; starts are accepted, and
/// all of it goes on once it is let go.
#[test]
fn a_held_store_gives_nothing_out() {
    let mut world = World::new();
    let session = world.connect(&who(4));
    let asleep = world.start(start("flow"));
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    world.say(session, &[sleep(&a, "nap", 5_000), released(&a, 0)]);
    world.disconnect(session);
    restore(&mut world, true);
    let session = world.connect(&who(4));
    let fresh = world.start(start("flow"));
    let delay = Begin::After(std::time::Duration::from_secs(2));
    let delayed = world.start(StartRequest { begin: delay, ..start("flow") });
    let records = world.records(asleep);
    for _ in 0..20 {
        world.pass_ms(5_000);
        world.ping(session);
    }
    assert_eq!(world.heard_of(session, "activate"), Vec::<Value>::new());
    assert_eq!(world.records(asleep), records, "its timer does not fire");
    assert_eq!(world.status(fresh), "queued");
    assert_eq!(world.node.stats().timers_fired, 0);
    let tick = world.node.next_tick().unwrap();
    assert!(tick > world.now, "what is due and held asks for no turn");
    // A cancel is an act of a person and does what it says.
    assert_eq!(world.cancel(delayed), "cancelled");
    let_go(&mut world);
    world.pass_ms(1);
    let given: Vec<Value> = world.heard_of(session, "activate");
    let mut runs: Vec<_> = given.iter().map(|one| one["run"].as_str().unwrap()).collect();
    runs.sort_unstable();
    let mut expected = [asleep.to_string(), fresh.to_string()];
    expected.sort_unstable();
    assert_eq!(runs, expected);
}
