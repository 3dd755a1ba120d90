//! Runs that end badly, as a runner is told of them.

use serde_json::{Value, json};
use stepwell_node::SessionId;

use crate::harness::{World, ended, released, start, who};

fn saga(world: &mut World, options: &Value) -> SessionId {
    let mut hello = who(1).hello();
    hello["hello"]["workflows"][0]
        .as_object_mut()
        .unwrap()
        .extend(options.as_object().unwrap().clone());
    let session = world.open();
    world.say(session, &[hello]);
    session
}

fn fails(a: &Value) -> Value {
    json!({"finished": {"a": a, "error": {"name": "Oops", "message": "no"}}})
}

fn undoable(a: &Value, step: &str) -> Value {
    let mut done = ended(a, step);
    done["ended"]["open"]["compensable"] = "completed".into();
    done
}

fn made(a: &Value, kind: &str, name: &str) -> Value {
    let mut done = ended(a, &format!("{kind}\u{1f}{name}"));
    done["ended"]["open"]["kind"] = kind.into();
    done
}

/// §7.3, §7.5: the runner is told that its copy is over, and is given the run again for its clean-up, with
/// what is left of it; a node that starts anew goes on with the rest.
#[test]
fn a_clean_up_is_an_activation_of_its_own() {
    let mut world = World::new();
    let session = saga(&mut world, &json!({"onFailure": true}));
    let run = world.start(start("flow"));
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    world.say(session, &[undoable(&a, "one"), undoable(&a, "two"), fails(&a)]);
    let mut heard = world.heard(session);
    heard.retain(|one| one.get("welcome").is_none());
    let names: Vec<&str> =
        heard.iter().map(|one| &**one.as_object().unwrap().keys().next().unwrap()).collect();
    assert_eq!(names, ["settled", "settled", "done", "activate"]);
    let given = &heard[3]["activate"];
    assert_eq!(
        given["cleanUp"],
        json!({
            "status": "failed", "error": {"name": "Oops", "message": "no"}, "onFailure": true,
            "compensate": [{"step": "two"}, {"step": "one"}],
        })
    );
    assert_eq!(given["ended"].as_array().unwrap().len(), 2);
    assert_eq!(world.status(run), "compensating");
    world.say(session, &[made(&given["a"], "compensate", "two")]);

    world.restart();
    // The runner that held it does not come back.
    world.pass_ms(20_000);
    let session = saga(&mut world, &json!({"onFailure": true}));
    let given = world.heard_of(session, "activate")[0].clone();
    assert_eq!(given["cleanUp"]["compensate"], json!([{"step": "one"}]));
    let a = &given["a"];
    let rest = [
        made(a, "compensate", "one"),
        made(a, "onFailure", "onFailure"),
        json!({"finished": {"a": a}}),
    ];
    world.say(session, &rest);
    assert_eq!(world.status(run), "failed");
}

/// §7.3: a step of the clean-up that is told out of turn breaks the protocol.
#[test]
fn steps_of_a_clean_up_are_told_in_turn() {
    let mut world = World::new();
    let session = saga(&mut world, &json!({}));
    world.start(start("flow"));
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    world.say(session, &[undoable(&a, "one"), undoable(&a, "two"), fails(&a)]);
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    world.say(session, &[made(&a, "compensate", "one")]);
    assert!(world.closed(session).unwrap().contains("is not what the clean-up does next"));
}

/// §7.5: a runner whose code does not reach a step says so; the run is given out again once another
/// build is there.
#[test]
fn a_clean_up_that_is_lost_waits_for_another_build() {
    let mut world = World::new();
    let session = saga(&mut world, &json!({}));
    let run = world.start(start("flow"));
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    world.say(session, &[undoable(&a, "one"), fails(&a)]);
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    let cause = json!({"kind": "cleanUpLost", "steps": ["one"]});
    world.say(session, &[json!({"block": {"a": a, "cause": cause}}), released(&a, 0)]);
    assert_eq!(world.status(run), "blocked");
    let mut other = who(1);
    (other.build, other.instance) = (Some("b2"), "i2".into());
    let session = world.connect(&other);
    let given = world.heard_of(session, "activate")[0].clone();
    assert_eq!(given["cleanUp"]["compensate"], json!([{"step": "one"}]));
}

/// §6.5: a handler that runs again is given what it completed before, marked as such.
#[test]
fn a_handler_that_runs_again_is_given_what_it_kept() {
    let mut world = World::new();
    let options = json!({"retry": {"maxAttempts": 2, "jitter": false}});
    let session = saga(&mut world, &options);
    let run = world.start(start("flow"));
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    world.say(session, &[ended(&a, "one"), fails(&a)]);
    assert_eq!(world.status(run), "waiting");
    world.pass_ms(1_000);
    let given = world.heard_of(session, "activate")[0].clone();
    assert_eq!(
        (&given["ended"][0]["step"], &given["ended"][0]["kept"]),
        (&json!("one"), &json!(true))
    );
    world.say(session, &[fails(&given["a"])]);
    assert_eq!(world.status(run), "failed");
}

/// §7.2, §7.3: a function that returns after a cancel is taken back, also where it stands in a race of which
/// nothing was heard before the cancel.
#[test]
fn what_returns_in_a_race_that_a_cancel_overtook_is_taken_back() {
    let mut world = World::new();
    let session = saga(&mut world, &json!({"compensateOnCancel": true}));
    let run = world.start(start("flow"));
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    world.cancel(run);
    let mut charge = undoable(&a, "charge");
    charge["ended"]["open"]["branch"] = json!({"race": "r", "name": "pay"});
    let open = json!({"kind": "race", "after": 0, "agoUs": 0});
    world.say(session, &[json!({"race": {"a": a, "step": "r", "open": open}}), charge]);
    world.say(session, &[released(&a, 0)]);
    let given = world.heard_of(session, "activate");
    assert_eq!(given[0]["cleanUp"]["compensate"], json!([{"step": "charge"}]));
}
