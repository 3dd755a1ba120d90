//! Commits: what is durable, in which order, and all at once.

use std::sync::Arc;

use stepwell_core::status::{RunStatus, StepStatus};
use stepwell_core::time::Timestamp;

use super::Case;
use crate::batch::{Batch, Workflow};
use crate::conformance::script::{Script, Start};
use crate::conformance::world::{World, claim};
use crate::error::Error;
use crate::store::{Position, Store};

pub(super) fn cases() -> Vec<Case> {
    [order(), content(), workflows(), instants()].into_iter().flatten().collect()
}

fn order() -> Vec<Case> {
    vec![
        Case::new("a_new_store_is_empty", |world| {
            assert_eq!(world.store().high_water().unwrap(), Timestamp::MIN);
            assert_eq!(world.store().workflows().unwrap(), []);
            assert_eq!(world.store().active(None, 9).unwrap(), []);
        }),
        Case::new("positions_grow_with_every_commit", |world| {
            let positions: Vec<Position> = (0..5)
                .map(|_| {
                    let mut run = world.start();
                    world.commit_run(&mut run)
                })
                .collect();
            assert!(positions.is_sorted());
            assert!(world.store().health().head >= positions[4]);
        }),
        Case::new("an_empty_batch_is_taken", |world| {
            let at = world.tick();
            world.commit(&Batch { at, ..Batch::default() });
        }),
        Case::new("a_growing_batch_is_taken_like_any_other", |world| {
            let (at, mut run) = (world.tick(), world.start());
            world.commit(&Batch { at, runs: vec![run.write()], grows: true, ..Batch::default() });
            assert!(world.store().load(run.id()).unwrap().is_some());
        }),
    ]
}

fn content() -> Vec<Case> {
    vec![
        Case::new("records_of_many_commits_join_in_order", |world| {
            let mut run = world.put(Start::default(), |_| {});
            for number in 0..12 {
                run.activate()
                    .end(&format!("step-{number}"), StepStatus::Completed, "[1]")
                    .release();
                world.commit_run(&mut run);
            }
            assert_eq!(world.store().load(run.id()).unwrap().as_deref(), Some(run.journal()));
        }),
        Case::new("runs_of_one_commit_are_all_there", |world| {
            let at = world.tick();
            let runs: Vec<_> =
                (0..300).map(|n| Script::new(at, 100 + n, Start::default()).write()).collect();
            world.commit(&Batch { at, runs, grows: true, ..Batch::default() });
        }),
        Case::new("a_record_of_megabytes_comes_back_whole", |world| {
            let mut run = world.put(Start::default(), |_| {});
            let large = format!("\"{}\"", "payload ".repeat(300_000));
            run.activate().end("large", StepStatus::Completed, &large);
            world.commit_run(&mut run);
            assert_eq!(world.store().load(run.id()).unwrap().as_deref(), Some(run.journal()));
        }),
        Case::new("texts_of_any_script_come_back_whole", |world| {
            let name = "Grüße 🦀 \"q\" \\ \u{7f} \u{2028}";
            let start = Start { app: name, workflow: name, key: Some(name), ..Start::default() };
            let mut run = world.put(start, |_| {});
            run.activate().end(name, StepStatus::Completed, "\"\\u0000 \\ud83e\\udd80 🦀\"");
            world.commit_run(&mut run);
        }),
    ]
}

fn workflows() -> Vec<Case> {
    vec![
        Case::new("a_workflow_is_registered", |world| {
            let at = world.tick();
            world.commit(&Batch {
                at,
                workflows: vec![workflow("checkout", at)],
                ..Batch::default()
            });
            assert_eq!(world.store().workflows().unwrap(), [workflow("checkout", at)]);
        }),
        Case::new("a_workflow_registered_otherwise_replaces_itself", |world| {
            let at = world.tick();
            let first = workflow("checkout", at);
            world.commit(&Batch { at, workflows: vec![first.clone()], ..Batch::default() });
            let at = world.tick();
            let next = Workflow { options: "{\"strict\":true}".into(), changed_at: at, ..first };
            world.commit(&Batch { at, workflows: vec![next.clone()], ..Batch::default() });
            assert_eq!(world.store().workflows().unwrap(), [next]);
        }),
        Case::new("workflows_of_one_name_in_two_apps_are_two", |world| {
            let at = world.tick();
            let one = workflow("checkout", at);
            let two = Workflow { app: "desk".into(), ..one.clone() };
            world.commit(&Batch {
                at,
                workflows: vec![one.clone(), two.clone()],
                ..Batch::default()
            });
            assert_eq!(world.store().workflows().unwrap(), [two, one]);
        }),
        Case::new("runs_and_workflows_of_one_commit_are_all_there", |world| {
            let (at, mut run) = (world.tick(), world.start());
            let workflows = vec![workflow("checkout", at)];
            world.commit(&Batch {
                at,
                runs: vec![run.write()],
                workflows,
                grows: true,
                ..Batch::default()
            });
        }),
    ]
}

fn instants() -> Vec<Case> {
    vec![
        Case::new("the_high_water_never_falls", |world| {
            let late = world.tick();
            world.commit(&Batch { at: late, ..Batch::default() });
            world.commit(&Batch { at: Timestamp::from_millis(5), ..Batch::default() });
            assert_eq!(world.store().high_water().unwrap(), late);
        }),
        Case::new("a_high_water_before_1970_is_kept", |world| {
            let at = Timestamp::from_millis(-7);
            world.commit(&Batch { at, ..Batch::default() });
            assert_eq!(world.store().high_water().unwrap(), at);
        }),
        Case::new("everything_is_there_after_closing_and_opening", |world| {
            for number in 0..6 {
                let key = format!("k-{number}");
                world.put(Start { key: Some(&key), ..Start::default() }, |run| {
                    if number % 2 == 0 {
                        run.activate();
                    }
                });
            }
            for _ in 0..3 {
                world.reopen();
                world.check();
            }
        }),
        Case::new("a_run_goes_on_after_closing_and_opening", |world| {
            let mut run = world.put(Start::default(), |run| {
                run.activate().end("a", StepStatus::Completed, "1");
            });
            world.reopen();
            run.end("b", StepStatus::Completed, "2");
            world.commit_run(&mut run);
            world.settle();
            world.reopen();
            run.ended(RunStatus::Completed);
            world.commit_run(&mut run);
            assert_eq!(world.store().load(run.id()).unwrap().as_deref(), Some(run.journal()));
        }),
        Case::new("reads_see_every_commit_that_returned", reads_beside_commits),
        Case::new("commits_of_many_threads_are_all_there", many_threads),
    ]
}

fn workflow(name: &str, at: Timestamp) -> Workflow {
    Workflow {
        namespace: "default".into(),
        app: "shop".into(),
        name: name.into(),
        options: "{\"timeout\":\"1h\"}".into(),
        first_at: at,
        changed_at: at,
    }
}

/// Commits until it is done, whatever the injector says: a batch that is done again is told by the
/// length of its run's journal.
fn insist(store: &dyn Store, batch: &Batch, bytes: usize) {
    claim(store, batch);
    loop {
        match store.commit(batch) {
            Ok(_) => return,
            Err(Error::Unknown(_)) => {
                let stored = store.load(batch.runs[0].run).unwrap();
                if stored.is_some_and(|journal| journal.len() == bytes) {
                    return;
                }
            }
            Err(Error::DiskFull { .. } | Error::Unavailable(_)) => {}
            Err(error) => panic!("commit: {error}"),
        }
    }
}

/// One thread commits a run that is in turn ready and active; the other never sees it as neither.
fn reads_beside_commits(world: &mut World<'_>) {
    let mut run = world.put(Start::default(), |_| {});
    let queue = crate::rows::queue_of(&world.model.runs[&run.id()].0);
    let store = Arc::clone(world.store());
    let mut writes = Vec::new();
    for _ in 0..40 {
        run.activate();
        writes.push((run.write(), run.journal().len()));
        run.end(&format!("{}", writes.len()), StepStatus::Completed, "0").release();
        writes.push((run.write(), run.journal().len()));
    }
    let at = world.tick();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for (write, bytes) in &writes {
                let batch = Batch { at, runs: vec![write.clone()], ..Batch::default() };
                insist(&*store, &batch, *bytes);
            }
        });
        let mut seen = 0;
        while !writer.is_finished() {
            let journal = store.load(run.id()).unwrap().unwrap();
            assert!(
                run.journal().starts_with(&journal),
                "a journal is a prefix of what it will be"
            );
            assert!(journal.len() >= seen, "a journal does not shrink");
            seen = journal.len();
            // Between the two questions it may go from one to the other, so each is asked alone.
            assert!(store.ready(&queue, None, 9).unwrap().len() <= 1);
            assert!(store.active(None, 9).unwrap().len() <= 1);
        }
    });
    for (write, _) in writes {
        world.model.apply(&Batch { at, runs: vec![write], ..Batch::default() });
    }
}

fn many_threads(world: &mut World<'_>) {
    let at = world.tick();
    let store = Arc::clone(world.store());
    let threads: Vec<Vec<_>> = (0..4_u64)
        .map(|thread| {
            (0..15)
                .map(|n| Script::new(at, 20_000 + thread * 100 + n, Start::default()).write())
                .collect()
        })
        .collect();
    std::thread::scope(|scope| {
        for writes in &threads {
            let store = &store;
            scope.spawn(move || {
                for write in writes {
                    let batch = Batch { at, runs: vec![write.clone()], ..Batch::default() };
                    insist(&**store, &batch, write.records.len());
                }
            });
        }
    });
    for write in threads.into_iter().flatten() {
        world.model.apply(&Batch { at, runs: vec![write], ..Batch::default() });
    }
}
