//! Runs that are made of others (§9.5, §9.8).

use alloc::string::ToString;

use super::*;
use crate::step_id;

/// Makes a run of this one; its view, with payloads as texts.
fn fork(
    world: &World,
    from: From<'_>,
    outputs: &[(String, Box<RawValue>)],
) -> Result<World, ForkError> {
    let (source, id) = (world.run.id(), RunId::new(world.now, 8));
    let (by, reason) = (Some("ann"), Some("try"));
    let (input, timeout) = (None, None);
    let fork = Fork { source, journal: &world.journal, from, input, outputs, timeout, by, reason };
    let mut out = Outcome::default();
    let env = Env { now: world.now, entropy: 0, limits: &world.limits };
    let run = Run::fork(id, &fork, env, &mut out)?;
    let (now, limits, ends) = (world.now, world.limits.clone(), world.ends.clone());
    let made = World { run, journal: out.records, now, limits, ends };
    made.check();
    Ok(made)
}

/// Three steps that completed, a nap that the code dropped, and one that failed.
fn failed() -> World {
    let mut world = World::held();
    world.complete("a").unwrap();
    world.sleep("dropped", seconds(9)).unwrap();
    world.act(Act::Drop { step: "dropped".into(), open: None }).unwrap();
    world.complete("b").unwrap();
    world.complete("c").unwrap();
    world.fail("d", Bad { terminal: true, ..Bad::default() }).unwrap();
    world.act(Act::Finish(Finish::Failed(Failure::new("Oops", "d failed")))).unwrap();
    world
}

fn kept(world: &World) -> Vec<String> {
    let steps = world.view().steps.into_iter();
    let source = RunId::new(T0, 7);
    steps
        .inspect(|step| assert_eq!(step.kept_from, Some(source)))
        .map(|step| step.id.to_string())
        .collect()
}

/// §9.8, §6.6: a fork keeps what its code had been given when it asked for the step, and no more.
#[test]
fn a_fork_keeps_what_came_before() {
    let source = failed();
    let made = fork(&source, From::Step("c"), &[]).unwrap();
    assert_eq!(kept(&made), ["a", "b"]);
    assert_eq!(made.run.status(), RunStatus::Queued);
    let view = made.view();
    assert_eq!(view.forked_from.as_ref().map(|from| &*from.step), Some("c"));
    assert_eq!(view.history[0].what, "forked");
    assert_eq!(view.history[0].by.as_deref(), Some("ann"));
    // What follows them still does, without what the code never had.
    assert_eq!(view.steps[1].after, [alloc::sync::Arc::from("a")]);
    let made = fork(&source, From::Failure, &[]).unwrap();
    assert_eq!(kept(&made), ["a", "b", "c"]);
    assert_eq!(source.run.status(), RunStatus::Failed);
}

/// §9.5: a rerun keeps nothing.
#[test]
fn a_rerun_begins_anew() {
    let made = fork(&failed(), From::Start, &[]).unwrap();
    assert_eq!(made.records(), ["started"]);
    assert_eq!(made.view().rerun_of, Some(RunId::new(T0, 7)));
}

/// §9.8, §6.5: where the handler ran again, what had been given is counted without what began anew.
#[test]
fn a_fork_of_a_retried_run_keeps_what_came_before() {
    let mut source = World::new();
    source.ends = EndOptions { retry: Some(Policy::default()), ..EndOptions::default() };
    source.activate().unwrap();
    source.complete("a").unwrap();
    source.fail("b", Bad { terminal: true, ..Bad::default() }).unwrap();
    source.complete("c").unwrap();
    source.act(Act::Finish(Finish::Failed(Failure::new("StepError", "no")))).unwrap();
    source.pass(seconds(1));
    source.apply(Command::Fire).unwrap();
    source.activate().unwrap();
    source.complete("b").unwrap();
    source.complete("d").unwrap();
    assert_eq!(kept(&fork(&source, From::Step("c"), &[]).unwrap()), ["a"]);
    assert_eq!(kept(&fork(&source, From::Step("d"), &[]).unwrap()), ["a", "c", "b"]);
}

/// §9.8: results that are kept can be edited, and nothing else.
#[test]
fn earlier_outputs_can_be_edited() {
    let source = failed();
    let edit = |step: &str| [(step.into(), raw("{\"edited\": true}"))];
    let made = fork(&source, From::Step("c"), &edit("b")).unwrap();
    let view = made.view();
    let output = view.steps.iter().find(|step| &*step.id == "b").unwrap().output.unwrap();
    assert_eq!(output.get(), "{\"edited\": true}");
    let refused = fork(&source, From::Step("c"), &edit("c")).err().unwrap().to_string();
    assert!(refused.contains("step `c` is not kept") && refused.contains("`a`, `b`"), "{refused}");
    let refused = fork(&source, From::Step("nowhere"), &[]).err().unwrap().to_string();
    assert!(refused.contains("no step `nowhere`"), "{refused}");
}

/// §9.8: a fork of a fork keeps the run in which a step ended.
#[test]
fn keys_are_those_of_the_first_run() {
    let made = fork(&failed(), From::Failure, &[]).unwrap();
    let again = fork(&made, From::Step("b"), &[]).unwrap();
    assert_eq!(kept(&again), ["a"]);
}

/// §9.8: what was compensated, or has begun to be, is not kept.
#[test]
fn compensated_steps_are_not_kept() {
    let mut source = World::held();
    source.complete("a").unwrap();
    source.complete("b").unwrap();
    source.complete("c").unwrap();
    let id = step_id::of(Kind::Compensate, "b");
    let open = source.opening(Kind::Compensate);
    let record = Record::StepEnded(record::StepEnded {
        step: id.as_str().into(),
        at: source.now,
        status: StepStatus::Completed,
        attempt: None,
        event: None,
        output: None,
        error: None,
        open: Some(open),
    });
    record.encode(&mut source.journal);
    source.run = Run::replay(source.run.id(), &source.journal).unwrap();
    let made = fork(&source, From::Step(&id), &[]).unwrap();
    assert_eq!(kept(&made), ["a", "c"]);
}
