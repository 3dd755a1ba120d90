//! Purging of ended runs.

use stepwell_core::status::RunStatus;
use stepwell_core::time::Timestamp;

use super::Case;
use crate::conformance::script::Start;
use crate::conformance::world::World;

pub(super) fn cases() -> Vec<Case> {
    [bounds(), traces()].into_iter().flatten().collect()
}

fn bounds() -> Vec<Case> {
    vec![
        Case::new("a_purge_of_an_empty_store_finds_nothing", |world| {
            assert_eq!(world.purge(Timestamp::MAX, 9), 0);
        }),
        Case::new("a_purge_takes_ended_runs_and_leaves_the_others", |world| {
            world.put(Start::default(), |_| {});
            world.put(Start::default(), |run| {
                run.activate();
            });
            world.put(Start::default(), |run| {
                run.activate().block();
            });
            ended(world, 3);
            assert_eq!(world.purge(Timestamp::MAX, 9), 3);
            assert_eq!(world.model.runs.len(), 3);
        }),
        Case::new("a_purge_leaves_what_ended_at_the_cutoff", |world| {
            ended(world, 3);
            let mut ends: Vec<_> = world.model.rows().filter_map(|row| row.ended_at).collect();
            ends.sort();
            assert_eq!(world.purge(ends[1], 9), 1);
            assert_eq!(world.purge(ends[1], 9), 0);
        }),
        Case::new("a_purge_takes_at_most_its_limit", |world| {
            ended(world, 7);
            for expected in [3, 3, 1, 0] {
                assert_eq!(world.purge(Timestamp::MAX, 3), expected);
                world.check();
            }
        }),
        Case::new("a_purge_limited_to_nothing_takes_nothing", |world| {
            ended(world, 2);
            assert_eq!(world.purge(Timestamp::MAX, 0), 0);
        }),
    ]
}

fn traces() -> Vec<Case> {
    vec![
        Case::new("a_purged_run_is_gone_from_lists", |world| {
            ended(world, 2);
            let kept = world.put(Start::default(), |_| {});
            world.purge(Timestamp::MAX, 9);
            assert_eq!(world.list(&World::all()), [kept.id()]);
            assert_eq!(world.list(&World::with_status(&[RunStatus::Completed])), []);
        }),
        Case::new("a_purged_run_stays_gone_after_closing_and_opening", |world| {
            ended(world, 2);
            world.purge(Timestamp::MAX, 9);
            world.reopen();
            world.check();
            assert_eq!(world.list(&World::all()), []);
        }),
        Case::new("a_purge_right_after_the_end_finds_the_run", |world| {
            let mut run = world.put(Start::default(), |_| {});
            world.settle();
            run.activate().ended(RunStatus::Failed);
            world.commit_run(&mut run);
            assert_eq!(world.purge(Timestamp::MAX, 9), 1);
        }),
        Case::new("the_high_water_outlives_a_purge", |world| {
            ended(world, 2);
            world.purge(Timestamp::MAX, 9);
            let high_water = world.model.high_water.unwrap();
            assert_eq!(world.store().high_water().unwrap(), high_water);
        }),
        Case::new("a_purge_of_very_many_takes_them_all", |world| {
            let at = world.tick();
            let runs = (0..1_200).map(|salt| {
                let mut run = crate::conformance::Script::new(at, 30_000 + salt, Start::default());
                run.activate().ended(RunStatus::Completed);
                run.write()
            });
            let batch = crate::batch::Batch { at, runs: runs.collect(), ..Default::default() };
            world.commit(&batch);
            assert_eq!(world.purge(Timestamp::MAX, 5_000), 1_200);
        }),
    ]
}

fn ended(world: &mut World<'_>, count: usize) {
    for _ in 0..count {
        world.put(Start::default(), |run| {
            run.activate().ended(RunStatus::Completed);
        });
    }
}
