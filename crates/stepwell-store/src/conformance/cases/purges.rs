//! Purging of ended runs.

use stepwell_core::status::RunStatus;
use stepwell_core::time::Timestamp;

use super::Case;
use crate::conformance::script::{Script, Start};
use crate::conformance::world::World;
use crate::retention::{RetentionRule, RunRetention};

pub(super) fn cases() -> Vec<Case> {
    [bounds(), traces(), rules()].into_iter().flatten().collect()
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
                let mut run = Script::new(at, 30_000 + salt, Start::default());
                run.activate().ended(RunStatus::Completed);
                run.write()
            });
            let batch = crate::batch::Batch { at, runs: runs.collect(), ..Default::default() };
            world.commit(&batch);
            assert_eq!(world.purge(Timestamp::MAX, 5_000), 1_200);
        }),
    ]
}

/// §4.8: a run is kept as long as the first rule says that fits it.
fn rules() -> Vec<Case> {
    vec![
        Case::new("a_purge_keeps_workflows_as_long_as_their_rule_says", |world| {
            let runs = ["audit", "mail", "mail", "zip"].map(|workflow| {
                let start = Start { workflow, ..Start::default() };
                finished(world, start, RunStatus::Completed)
            });
            let kept_from = end_of(world, &runs[2]);
            let rule = RetentionRule { workflow: Some("mail".into()), ..rule(kept_from) };
            assert_eq!(world.purge_by(&rules_of(vec![rule]), 9), 1);
            let left = [runs[3].id(), runs[2].id(), runs[0].id()];
            assert_eq!(world.list(&World::all()), left);
        }),
        Case::new("a_purge_keeps_statuses_as_long_as_their_rule_says", |world| {
            use RunStatus::{Cancelled, Completed, Failed, TimedOut};
            let runs = [Completed, Failed, TimedOut, Cancelled, Completed]
                .map(|status| finished(world, Start::default(), status));
            let rule = RetentionRule { statuses: vec![Failed, TimedOut], ..rule(Timestamp::MIN) };
            let retention = RunRetention { rules: vec![rule], kept_from: Timestamp::MAX };
            assert_eq!(world.purge_by(&retention, 9), 3);
            assert_eq!(world.list(&World::all()), [runs[2].id(), runs[1].id()]);
            assert_eq!(world.purge_by(&retention, 9), 0);
        }),
        Case::new("the_first_rule_that_fits_a_run_counts", |world| {
            let run = finished(world, Start::default(), RunStatus::Failed);
            let keeps = RetentionRule { workflow: Some("checkout".into()), ..rule(Timestamp::MIN) };
            let drops = RetentionRule { statuses: vec![RunStatus::Failed], ..rule(Timestamp::MAX) };
            let both = rules_of(vec![keeps.clone(), drops.clone()]);
            assert_eq!(world.purge_by(&both, 9), 0);
            assert_eq!(world.list(&World::all()), [run.id()]);
            assert_eq!(world.purge_by(&rules_of(vec![drops, keeps]), 9), 1);
        }),
        Case::new("rules_are_of_one_namespace_and_one_app", |world| {
            for namespace in ["a", "default", "z"] {
                for app in ["a", "shop", "z"] {
                    let start = Start { namespace, app, ..Start::default() };
                    finished(world, start, RunStatus::Completed);
                }
            }
            let (namespace, app) = (Some("default".into()), Some("shop".into()));
            let one = RetentionRule { namespace, app, ..rule(Timestamp::MAX) };
            assert_eq!(world.purge_by(&rules_of(vec![one]), 9), 1);
            let rest = RetentionRule { namespace: Some("z".into()), ..rule(Timestamp::MAX) };
            assert_eq!(world.purge_by(&rules_of(vec![rest]), 9), 3);
            assert_eq!(world.model.runs.len(), 5);
        }),
        Case::new("a_purge_by_rules_takes_at_most_its_limit", |world| {
            for workflow in ["a", "b", "c"] {
                for _ in 0..3 {
                    let start = Start { workflow, ..Start::default() };
                    finished(world, start, RunStatus::Completed);
                }
            }
            let all = rules_of(vec![rule(Timestamp::MAX)]);
            for (limit, expected) in [(0, 0), (4, 4), (4, 4), (4, 1), (4, 0)] {
                assert_eq!(world.purge_by(&all, limit), expected);
                world.check();
            }
        }),
        Case::new("a_run_that_has_not_ended_is_kept_by_no_rule_and_purged_by_none", |world| {
            world.put(Start::default(), |run| {
                run.activate();
            });
            assert_eq!(world.purge_by(&rules_of(vec![rule(Timestamp::MAX)]), 9), 0);
        }),
    ]
}

/// A rule that fits every run.
fn rule(kept_from: Timestamp) -> RetentionRule {
    RetentionRule { namespace: None, app: None, workflow: None, statuses: Vec::new(), kept_from }
}

/// These rules, and everything else is kept.
fn rules_of(rules: Vec<RetentionRule>) -> RunRetention {
    RunRetention { rules, kept_from: Timestamp::MIN }
}

fn finished(world: &mut World<'_>, start: Start<'_>, status: RunStatus) -> Script {
    world.put(start, |run| {
        run.activate().ended(status);
    })
}

fn end_of(world: &World<'_>, run: &Script) -> Timestamp {
    world.model.runs[&run.id()].0.ended_at.unwrap()
}

fn ended(world: &mut World<'_>, count: usize) {
    for _ in 0..count {
        world.put(Start::default(), |run| {
            run.activate().ended(RunStatus::Completed);
        });
    }
}
