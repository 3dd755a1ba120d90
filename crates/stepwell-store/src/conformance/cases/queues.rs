//! Timers and queues: order, cursors, bounds.

use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;

use super::Case;
use crate::conformance::script::{Script, Start};
use crate::conformance::world::World;
use crate::query::Queue;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("timers_come_in_order_of_instant_then_run", timers_in_order),
        Case::new("a_timer_at_the_bound_is_due_and_one_behind_is_not", timer_bound),
        Case::new("timers_of_one_instant_are_paged_without_loss", timers_tied),
        Case::new("a_cursor_between_timers_needs_no_run_of_its_own", cursor_of_none),
        Case::new("a_timer_that_moves_is_due_once_at_its_new_place", timer_moves),
        Case::new("a_deadline_is_a_timer", deadline),
        Case::new("no_timer_is_due_of_an_empty_store", |world| {
            assert_eq!(world.store().due(Timestamp::MAX, None, 5).unwrap(), []);
        }),
        Case::new("a_timer_before_1970_is_due", |world| {
            let at = Timestamp::from_millis(-5);
            let run = world.put(Start { deadline: Some(at), ..Start::default() }, |_| {});
            let due = world.store().due(Timestamp::from_millis(0), None, 5).unwrap();
            assert_eq!(due, [(at, run.id())]);
        }),
        Case::new("ready_runs_come_longest_waiting_first", ready_in_order),
        Case::new("ready_runs_of_one_instant_are_paged_without_loss", ready_tied),
        Case::new("a_queue_is_of_one_namespace", |world| of_one(world, |s| s.namespace = "other")),
        Case::new("a_queue_is_of_one_app", |world| of_one(world, |start| start.app = "other")),
        Case::new("a_queue_is_of_one_workflow", |world| of_one(world, |s| s.workflow = "other")),
        Case::new("the_queue_of_an_unknown_workflow_is_empty", |world| {
            world.put(Start::default(), |_| {});
            let queue = Queue { namespace: "x".into(), app: "y".into(), workflow: "z".into() };
            assert_eq!(world.store().ready(&queue, None, 5).unwrap(), []);
            assert_eq!(world.store().blocked(&queue, None, 5).unwrap(), []);
        }),
        Case::new("active_runs_come_by_id_behind_the_cursor", active_in_order),
        Case::new("blocked_runs_come_by_id_behind_the_cursor", blocked_in_order),
        Case::new("a_limit_of_nothing_gives_nothing", |world| {
            let run = world.put(Start::default(), |run| {
                run.activate().sleep("pause", Timestamp::from_millis(1));
            });
            let queue = crate::rows::queue_of(&world.model.runs[&run.id()].0);
            assert_eq!(world.store().due(Timestamp::MAX, None, 0).unwrap(), []);
            assert_eq!(world.store().ready(&queue, None, 0).unwrap(), []);
            assert_eq!(world.store().active(None, 0).unwrap(), []);
            assert_eq!(world.store().blocked(&queue, None, 0).unwrap(), []);
        }),
        Case::new("a_run_whose_history_is_damaged_is_in_no_queue", damaged),
        Case::new("queues_hold_where_most_runs_changed_since", mostly_changed),
    ]
}

fn sleeping(world: &mut World<'_>, until: Timestamp) -> RunId {
    world
        .put(Start::default(), |run| {
            run.activate().sleep("pause", until).release();
        })
        .id()
}

fn timers_in_order(world: &mut World<'_>) {
    let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
    let late = sleeping(world, at(30));
    let early = sleeping(world, at(10));
    let middle = sleeping(world, at(20));
    let also_middle = sleeping(world, at(20));
    let due = world.store().due(Timestamp::MAX, None, 9).unwrap();
    assert_eq!(due, [(at(10), early), (at(20), middle), (at(20), also_middle), (at(30), late)]);
    assert_eq!(world.store().due(Timestamp::MAX, None, 2).unwrap(), due[..2]);
    assert_eq!(world.store().due(Timestamp::MAX, Some(due[1]), 9).unwrap(), due[2..]);
}

fn timer_bound(world: &mut World<'_>) {
    let at = Timestamp::from_micros(1_000_001);
    let run = sleeping(world, at);
    let due = |until| world.store().due(until, None, 9).unwrap();
    assert_eq!(due(Timestamp::from_micros(1_000_000)), []);
    assert_eq!(due(at), [(at, run)]);
}

fn timers_tied(world: &mut World<'_>) {
    let at = Timestamp::from_millis(5_000);
    for _ in 0..7 {
        sleeping(world, at);
    }
    let mut seen = Vec::new();
    while let Some(next) = world.store().due(at, seen.last().copied(), 2).unwrap().first().copied()
    {
        seen.push(next);
    }
    assert_eq!(seen, world.model.due(at, None));
    assert_eq!(seen.len(), 7);
}

fn cursor_of_none(world: &mut World<'_>) {
    let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
    sleeping(world, at(10));
    let second = sleeping(world, at(20));
    let cursor = Some((at(15), RunId::MIN));
    assert_eq!(world.store().due(Timestamp::MAX, cursor, 9).unwrap(), [(at(20), second)]);
    let beyond = Some((at(99), RunId::MIN));
    assert_eq!(world.store().due(at(20), beyond, 9).unwrap(), []);
}

fn timer_moves(world: &mut World<'_>) {
    let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
    let mut run = world.put(Start::default(), |run| {
        run.activate().fail("first", at(10)).release();
    });
    run.activate().fail("first", at(40)).release();
    world.commit_run(&mut run);
    assert_eq!(world.store().due(Timestamp::MAX, None, 9).unwrap(), [(at(40), run.id())]);
    run.activate();
    run.ended(stepwell_core::status::RunStatus::Failed);
    world.commit_run(&mut run);
    assert_eq!(world.store().due(Timestamp::MAX, None, 9).unwrap(), []);
}

fn deadline(world: &mut World<'_>) {
    let at = world.now().after(Duration::from_hours(1));
    let run = world.put(Start { deadline: Some(at), ..Start::default() }, |_| {});
    assert_eq!(world.store().due(at, None, 9).unwrap(), [(at, run.id())]);
}

fn ready_in_order(world: &mut World<'_>) {
    let mut first = world.start();
    let second = world.put(Start::default(), |_| {});
    first.pass(Duration::from_mins(1)).activate().end(
        "reserve",
        stepwell_core::status::StepStatus::Completed,
        "1",
    );
    first.release();
    world.commit_run(&mut first);
    let queue = crate::rows::queue_of(&world.model.runs[&first.id()].0);
    let ready = world.store().ready(&queue, None, 9).unwrap();
    let runs: Vec<_> = ready.iter().map(|(_, run)| *run).collect();
    assert_eq!(runs, [second.id(), first.id()]);
    assert_eq!(world.store().ready(&queue, Some(ready[0]), 9).unwrap(), ready[1..]);
}

fn ready_tied(world: &mut World<'_>) {
    let at = world.tick();
    let runs = (0..9).map(|salt| Script::new(at, 1_000 + salt, Start::default()).write());
    let batch = crate::batch::Batch { at, runs: runs.collect(), ..Default::default() };
    world.commit(&batch);
    world.check();
}

fn of_one(world: &mut World<'_>, change: fn(&mut Start<'_>)) {
    let mut other = Start::default();
    change(&mut other);
    let one = world.put(Start::default(), |_| {}).id();
    let two = world.put(other, |_| {}).id();
    for (mine, not_mine) in [(one, two), (two, one)] {
        let queue = crate::rows::queue_of(&world.model.runs[&mine].0);
        let ready = world.store().ready(&queue, None, 9).unwrap();
        assert!(ready.iter().any(|(_, run)| *run == mine));
        assert!(ready.iter().all(|(_, run)| *run != not_mine));
    }
}

fn active_in_order(world: &mut World<'_>) {
    let runs: Vec<_> = (0..5)
        .map(|_| {
            world.put(Start::default(), |run| {
                run.activate();
            })
        })
        .map(|run| run.id())
        .collect();
    assert_eq!(world.store().active(None, 9).unwrap(), runs);
    assert_eq!(world.store().active(Some(runs[1]), 2).unwrap(), runs[2..4]);
    assert_eq!(world.store().active(Some(runs[4]), 2).unwrap(), []);
}

fn blocked_in_order(world: &mut World<'_>) {
    let runs: Vec<_> = (0..5)
        .map(|_| {
            world.put(Start::default(), |run| {
                run.activate().block();
            })
        })
        .map(|run| run.id())
        .collect();
    let queue = crate::rows::queue_of(&world.model.runs[&runs[0]].0);
    assert_eq!(world.store().blocked(&queue, None, 9).unwrap(), runs);
    assert_eq!(world.store().blocked(&queue, Some(runs[1]), 2).unwrap(), runs[2..4]);
}

/// Every third run is damaged, of each queue that runs stand in.
fn damaged(world: &mut World<'_>) {
    let until = world.now();
    let states: [&dyn Fn(&mut Script); 4] = [
        &|_| {},
        &|run| {
            run.activate().sleep("pause", until).release();
        },
        &|run| {
            run.activate();
        },
        &|run| {
            run.activate().block();
        },
    ];
    let mut runs = Vec::new();
    for state in states {
        runs.extend((0..7).map(|_| world.put(Start::default(), state).id()));
    }
    for run in runs.iter().step_by(3) {
        if !world.damage(*run) {
            return;
        }
    }
    // The queues are compared with the model after each case, by pages of several sizes.
    assert_eq!(world.model.quarantined.len(), 10);
    assert_eq!(world.store().active(None, 100).unwrap(), world.model.active(None));
}

/// Many runs are settled as ready, and all but the last then change.
fn mostly_changed(world: &mut World<'_>) {
    let at = world.tick();
    let mut scripts: Vec<_> =
        (0..60).map(|salt| Script::new(at, 5_000 + salt, Start::default())).collect();
    scripts.sort_by_key(Script::id);
    let batch = |scripts: &mut [Script]| crate::batch::Batch {
        at,
        runs: scripts.iter_mut().map(Script::write).collect(),
        ..Default::default()
    };
    world.commit(&batch(&mut scripts));
    world.settle();
    for script in &mut scripts[..59] {
        script.activate();
    }
    world.commit(&batch(&mut scripts[..59]));
    let last = &scripts[59];
    let queue = crate::rows::queue_of(&world.model.runs[&last.id()].0);
    assert_eq!(world.store().ready(&queue, None, 1).unwrap(), [(at, last.id())]);
}
