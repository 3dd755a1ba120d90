//! Waits: where events find them (§8.8).

use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::matching::{Leaf, Leaves};
use stepwell_core::status::RunStatus;
use stepwell_core::time::Timestamp;
use stepwell_core::wait::Wait;

use super::Case;
use crate::conformance::script::{Script, Start};
use crate::conformance::world::World;
use crate::query::EventName;

pub(super) fn cases() -> Vec<Case> {
    [filed(), moved()].into_iter().flatten().collect()
}

fn filed() -> Vec<Case> {
    vec![
        Case::new("no_wait_is_in_an_empty_store", |world| {
            assert_eq!(world.waits_for(&paid(), &Leaves::All), []);
        }),
        Case::new("a_wait_is_found_under_its_leaf_only", |world| {
            let run = parked(world, &[("paid", 7, "wait")]);
            let found = world.waits_for(&paid(), &Leaves::Each(vec![leaf(3), leaf(7), leaf(9)]));
            assert_eq!(runs(&found), [run.id()]);
            assert_eq!(world.waits_for(&paid(), &Leaves::Each(vec![leaf(6), leaf(8)])), []);
            assert_eq!(runs(&world.waits_for(&paid(), &Leaves::All)), [run.id()]);
        }),
        Case::new("a_wait_filed_under_the_name_alone_is_found_there", |world| {
            let run = parked(world, &[("paid", 0, "wait")]);
            let found = world.waits_for(&paid(), &Leaves::Each(vec![Leaf::NAME]));
            assert_eq!(runs(&found), [run.id()]);
        }),
        Case::new("waits_are_of_one_event_and_one_namespace", of_one),
        Case::new("leaves_are_ordered_as_numbers_without_sign", |world| {
            for leaf in [u64::MAX, 1 << 63, (1 << 63) - 1, 1, 0] {
                parked(world, &[("paid", leaf, "wait")]);
            }
            let found = world.waits_for(&paid(), &Leaves::All);
            let leaves: Vec<_> = found.iter().map(|wait| wait.leaf.as_u64()).collect();
            assert_eq!(leaves, [0, 1, (1 << 63) - 1, 1 << 63, u64::MAX]);
        }),
        Case::new("several_waits_of_one_run_are_each_found", |world| {
            parked(
                world,
                &[("paid", 5, "b"), ("paid", 5, "a"), ("paid", 2, "c"), ("sent", 5, "d")],
            );
            let found = world.waits_for(&paid(), &Leaves::All);
            let steps: Vec<_> = found.iter().map(|wait| &*wait.step).collect();
            assert_eq!(steps, ["c", "a", "b"]);
        }),
    ]
}

fn moved() -> Vec<Case> {
    vec![
        Case::new("a_wait_is_gone_when_its_run_goes_on", |world| {
            let mut run = parked(world, &[("paid", 5, "a"), ("paid", 6, "b")]);
            let left = wait(&run, "paid", 6, "b");
            run.activate().park(vec![left]);
            world.commit_run(&mut run);
            let found = world.waits_for(&paid(), &Leaves::All);
            assert_eq!((found.len(), &*found[0].step), (1, "b"));
            run.park(vec![]).ended(RunStatus::Completed);
            world.commit_run(&mut run);
            assert_eq!(world.waits_for(&paid(), &Leaves::All), []);
        }),
        Case::new("a_wait_that_moves_is_found_once_at_its_new_place", |world| {
            let mut run = parked(world, &[("paid", 5, "a")]);
            world.settle();
            let left = wait(&run, "paid", 9, "a");
            run.activate().park(vec![left]);
            world.commit_run(&mut run);
            assert_eq!(world.waits_for(&paid(), &Leaves::Each(vec![leaf(5)])), []);
            assert_eq!(world.waits_for(&paid(), &Leaves::All).len(), 1);
        }),
        Case::new("a_run_that_changes_keeps_its_waits", |world| {
            let mut run = parked(world, &[("paid", 5, "a")]);
            world.settle();
            run.activate().begin("charge");
            world.commit_run(&mut run);
            assert_eq!(world.waits_for(&paid(), &Leaves::All).len(), 1);
        }),
        Case::new("purged_runs_leave_no_waits", |world| {
            let mut run = parked(world, &[("paid", 5, "a")]);
            run.activate().ended(RunStatus::Failed);
            world.commit_run(&mut run);
            world.purge(Timestamp::MAX, 9);
            assert_eq!(world.waits_for(&paid(), &Leaves::All), []);
        }),
        Case::new("a_limit_of_nothing_gives_no_wait", |world| {
            parked(world, &[("paid", 5, "a")]);
            assert_eq!(world.store().waits_for(&paid(), &Leaves::All, None, 0).unwrap(), []);
        }),
        Case::new("many_waits_are_paged_without_loss", many),
        Case::new("waits_hold_where_most_runs_changed_since", mostly_changed),
    ]
}

fn paid() -> EventName {
    EventName { namespace: "default".into(), name: "paid".into() }
}

fn leaf(number: u64) -> Leaf {
    Leaf::from_u64(number)
}

fn runs(waits: &[Wait]) -> Vec<RunId> {
    waits.iter().map(|wait| wait.run).collect()
}

fn wait(run: &Script, event: &str, number: u64, step: &str) -> Wait {
    Wait {
        leaf: leaf(number),
        run: run.id(),
        step: step.into(),
        namespace: Start::default().namespace.into(),
        app: Start::default().app.into(),
        event: event.into(),
        wanted: (number > 0).then(|| Arc::from(format!("{{\"é\":{number}}}"))),
        from: run.id().created(),
    }
}

fn parked(world: &mut World<'_>, waits: &[(&str, u64, &str)]) -> Script {
    let mut run = world.start();
    let waits = waits.iter().map(|(event, number, step)| wait(&run, event, *number, step));
    let waits = waits.collect();
    run.activate().park(waits);
    world.commit_run(&mut run);
    run
}

fn of_one(world: &mut World<'_>) {
    let run = parked(world, &[("paid", 5, "a")]);
    parked(world, &[("sent", 5, "a")]);
    let mut other = world.start();
    let elsewhere = Wait { namespace: "other".into(), ..wait(&other, "paid", 5, "a") };
    other.activate().park(vec![elsewhere]);
    world.commit_run(&mut other);
    assert_eq!(runs(&world.waits_for(&paid(), &Leaves::All)), [run.id()]);
    assert_eq!(runs(&world.waits_for(&paid(), &Leaves::Each(vec![leaf(5)]))), [run.id()]);
    let there = EventName { namespace: "other".into(), ..paid() };
    assert_eq!(runs(&world.waits_for(&there, &Leaves::All)), [other.id()]);
    let nobody = EventName { name: "pai".into(), ..paid() };
    assert_eq!(world.waits_for(&nobody, &Leaves::All), []);
}

fn many(world: &mut World<'_>) {
    for number in 0..20 {
        parked(world, &[("paid", number % 4, "a"), ("paid", 3, "b"), ("sent", number, "c")]);
        if number == 10 {
            world.settle();
        }
    }
    assert_eq!(world.waits_for(&paid(), &Leaves::All).len(), 40);
    assert_eq!(world.waits_for(&paid(), &Leaves::Each(vec![leaf(1), leaf(3)])).len(), 30);
}

fn mostly_changed(world: &mut World<'_>) {
    let mut parked: Vec<_> =
        (0..30).map(|number| parked(world, &[("paid", number, "a")])).collect();
    world.settle();
    for run in &mut parked[..28] {
        run.activate().park(vec![]);
        world.commit_run(run);
    }
    let found = world.waits_for(&paid(), &Leaves::All);
    assert_eq!(runs(&found), [parked[28].id(), parked[29].id()]);
}
