//! Lists of runs: filters, order, pages.

use std::sync::Arc;
use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::search::Term;
use stepwell_core::status::{RunStatus, StepStatus};

use super::Case;
use crate::conformance::script::{Script, Start};
use crate::conformance::world::World;
use crate::query::Filter;

pub(super) fn cases() -> Vec<Case> {
    [order(), filters(), spans(), pages_of(), content(), searches()].into_iter().flatten().collect()
}

fn order() -> Vec<Case> {
    vec![
        Case::new("a_list_of_an_empty_store_is_empty", |world| {
            assert_eq!(world.list(&World::all()), []);
        }),
        Case::new("a_list_is_newest_first", |world| {
            let runs = mixed(world);
            let mut expected = runs;
            expected.reverse();
            assert_eq!(world.list(&World::all()), expected);
        }),
        Case::new("a_list_is_of_one_namespace", |world| {
            mixed(world);
            let other = world.put(Start { namespace: "other", ..Start::default() }, |_| {});
            let filter = Filter { namespace: "other".into(), ..World::all() };
            assert_eq!(world.list(&filter), [other.id()]);
            let filter = Filter { namespace: "nobody's".into(), ..World::all() };
            assert_eq!(world.list(&filter), []);
        }),
    ]
}

fn filters() -> Vec<Case> {
    vec![
        filtered("app", |filter| filter.app = Some("shop".into())),
        filtered("unknown_app", |filter| filter.app = Some("none".into())),
        filtered("workflow", |filter| filter.workflow = Some("refund".into())),
        filtered("unknown_workflow", |filter| filter.workflow = Some("none".into())),
        filtered("workflow_and_app", |filter| {
            filter.app = Some("shop".into());
            filter.workflow = Some("checkout".into());
        }),
        filtered("workflow_and_status", |filter| {
            filter.workflow = Some("checkout".into());
            filter.statuses = vec![RunStatus::Completed];
        }),
        filtered("several_statuses", |filter| {
            filter.statuses = vec![RunStatus::Completed, RunStatus::Running, RunStatus::Queued];
        }),
        filtered("a_status_named_twice", |filter| {
            filter.statuses = vec![RunStatus::Queued, RunStatus::Queued];
        }),
        filtered("every_status", |filter| filter.statuses = RunStatus::ALL.to_vec()),
        filtered("key", |filter| filter.key = Some("order-3".into())),
        filtered("key_and_status", |filter| {
            filter.key = Some("order-3".into());
            filter.statuses = vec![RunStatus::Failed];
        }),
        filtered("unknown_key", |filter| filter.key = Some("order-99".into())),
    ]
}

/// §9.4: exact and range, by type, of what attributes are now.
fn searches() -> Vec<Case> {
    vec![Case::new("a_list_finds_search_attributes", |world| {
        let sets = [
            r#"{"amount": 12.5, "country": "DE", "paid": true}"#,
            r#"{"amount": 9, "country": "DK", "paid": false}"#,
            r#"{"amount": "12.5", "country": "Öä", "paid": true}"#,
            "{}",
        ];
        let mut scripts: Vec<Script> = Vec::new();
        for set in sets {
            let run = world.put(Start::default(), |run| {
                run.search(set);
            });
            scripts.push(run);
        }
        let found = |world: &World<'_>, terms: &str| -> Vec<usize> {
            let search = Term::parse_all(terms).unwrap_or_default();
            assert!(!search.is_empty(), "{terms}");
            let list = world.list(&Filter { search, ..World::all() });
            let place = |run: &RunId| scripts.iter().position(|one| one.id() == *run);
            let mut places: Vec<usize> = list.iter().filter_map(place).collect();
            places.sort_unstable();
            places
        };
        for (terms, expected) in [
            ("amount=12.5", &[0][..]),
            ("amount>=9", &[0, 1]),
            ("amount>9,amount<=12.5", &[0]),
            ("amount=\"12.5\"", &[2]),
            ("country>=D,country<E", &[0, 1]),
            ("country>E", &[2]),
            ("paid=true", &[0, 2]),
            ("paid=true,country=DE", &[0]),
            ("nothing=1", &[]),
        ] {
            assert_eq!(found(world, terms), expected, "{terms}");
        }
        let mut first = scripts[0].clone();
        first.search(r#"{"paid": null, "amount": 1}"#);
        world.commit_run(&mut first);
        assert_eq!(found(world, "paid=true"), [2]);
        assert_eq!(found(world, "amount<2"), [0]);
    })]
}

fn spans() -> Vec<Case> {
    vec![
        Case::new("a_list_from_an_instant_includes_it", |world| {
            edges(world, |filter, at| filter.from = Some(at));
        }),
        Case::new("a_list_to_an_instant_excludes_it", |world| {
            edges(world, |filter, at| filter.to = Some(at));
        }),
        Case::new("a_list_of_a_span_holds_what_lies_in_it", |world| {
            edges(world, |filter, at| {
                filter.from = Some(at.before(Duration::from_secs(5)));
                filter.to = Some(at.after(Duration::from_secs(5)));
            });
        }),
        Case::new("a_list_of_an_empty_span_is_empty", |world| {
            mixed(world);
            let at = world.now();
            let filter = Filter { from: Some(at), to: Some(at), ..World::all() };
            assert_eq!(world.list(&filter), []);
        }),
        Case::new("a_list_finds_runs_days_apart", days_apart),
        Case::new("a_list_of_the_children_of_a_run_holds_them_only", |world| {
            let parent = world.put(Start::default(), |_| {}).id();
            let child = Start { parent: Some(parent), workflow: "ship", ..Start::default() };
            let mut children = vec![world.put(child, |_| {}).id()];
            world.put(Start { parent: Some(children[0]), ..Start::default() }, |_| {});
            let running = world.put(child, |run| {
                run.activate();
            });
            children.insert(0, running.id());
            let filter = Filter { parent: Some(parent), ..World::all() };
            assert_eq!(world.list(&filter), children);
            let running = Filter { statuses: vec![RunStatus::Running], ..filter };
            assert_eq!(world.list(&running), children[..1]);
        }),
    ]
}

fn pages_of() -> Vec<Case> {
    vec![
        Case::new("a_limit_of_nothing_is_taken_as_one", |world| {
            mixed(world);
            let filter = Filter { limit: 0, ..World::all() };
            assert_eq!(world.list(&filter).len(), 1);
        }),
        Case::new("a_full_page_with_nothing_behind_it_says_so", |world| {
            let runs = mixed(world);
            for limit in [runs.len() - 1, runs.len(), runs.len() + 1] {
                world.list(&Filter { limit, ..World::all() });
            }
        }),
        Case::new("pages_of_a_status_join_without_loss", |world| {
            many(world);
            pages(world, &World::with_status(&[RunStatus::Queued]));
        }),
        Case::new("pages_of_several_statuses_join_without_loss", |world| {
            many(world);
            pages(world, &World::with_status(&[RunStatus::Queued, RunStatus::Running]));
        }),
        Case::new("pages_go_on_from_a_run_that_is_not_in_the_list", |world| {
            let runs = mixed(world);
            let filter =
                Filter { before: Some(runs[4]), ..World::with_status(&[RunStatus::Failed]) };
            world.list(&filter);
        }),
    ]
}

fn content() -> Vec<Case> {
    vec![
        Case::new("a_list_shows_a_run_in_its_latest_state", |world| {
            let mut run = world.put(Start::default(), |_| {});
            world.list(&World::with_status(&[RunStatus::Queued]));
            run.activate();
            world.commit_run(&mut run);
            assert_eq!(world.list(&World::with_status(&[RunStatus::Queued])), []);
            assert_eq!(world.list(&World::with_status(&[RunStatus::Running])), [run.id()]);
        }),
        Case::new("a_list_without_patience_says_when_it_is_stale", |world| {
            let run = world.put(Start::default(), |_| {});
            let page = world.store().query(&World::all(), Duration::ZERO).unwrap();
            assert!(page.stale || page.runs.iter().any(|row| row.id == run.id()));
        }),
        Case::new("rows_keep_every_column", |world| {
            let mut run = world.put(
                Start { key: Some("k"), deadline: Some(world_end()), ..Start::default() },
                |_| {},
            );
            run.activate().end("a", StepStatus::Completed, "1").end("b", StepStatus::TimedOut, "1");
            run.sleep("c", world_end()).block();
            world.commit_run(&mut run);
            let page = world.store().query(&World::all(), Duration::from_secs(20)).unwrap();
            let row = &page.runs[0];
            assert_eq!((row.steps, row.steps_ended, row.steps_failed), (3, 2, 1));
            assert_eq!((row.key.as_deref(), row.version.as_deref()), (Some("k"), Some("3")));
            assert!(row.blocked.is_some() && row.started_at.is_some());
        }),
    ]
}

fn world_end() -> stepwell_core::time::Timestamp {
    stepwell_core::time::Timestamp::from_millis(4_000_000_000_000)
}

/// A case in which a filter is applied to runs of many kinds.
fn filtered(name: &str, set: fn(&mut Filter)) -> Case {
    Case::new(format!("a_list_by_{name}_holds_these_only"), move |world| {
        mixed(world);
        let mut filter = World::all();
        set(&mut filter);
        world.list(&filter);
        pages(world, &filter);
    })
}

/// Puts runs of several apps, workflows, statuses and keys; returns them oldest first.
fn mixed(world: &mut World<'_>) -> Vec<RunId> {
    let mut runs = Vec::new();
    for (number, (app, workflow)) in
        [("shop", "checkout"), ("shop", "refund"), ("desk", "checkout")].into_iter().enumerate()
    {
        for state in 0..4 {
            let key = format!("order-{}", number + state);
            let start = Start { app, workflow, key: Some(&key), ..Start::default() };
            let run = world.put(start, |run| match state {
                0 => {}
                1 => drop(run.activate().begin("charge")),
                2 => drop(run.activate().ended(RunStatus::Completed)),
                _ => drop(run.activate().ended(RunStatus::Failed)),
            });
            runs.push(run.id());
        }
    }
    runs
}

fn many(world: &mut World<'_>) {
    for number in 0..17 {
        world.put(Start::default(), |run| {
            if number % 3 == 0 {
                run.activate();
            }
        });
    }
}

fn pages(world: &World<'_>, filter: &Filter) {
    let all = world.list(filter);
    for limit in [1, 2, 5] {
        let mut filter = Filter { limit, ..filter.clone() };
        let mut joined: Vec<RunId> = Vec::new();
        loop {
            let page = world.list(&filter);
            joined.extend(&page);
            if page.len() < limit {
                break;
            }
            filter.before = page.last().copied();
        }
        assert_eq!(joined, all, "in pages of {limit}");
    }
}

fn edges(world: &mut World<'_>, set: fn(&mut Filter, stepwell_core::time::Timestamp)) {
    let runs = mixed(world);
    for run in runs {
        let at = world.model.runs[&run].0.created_at;
        for at in [at, at.after(Duration::from_micros(1)), at.before(Duration::from_micros(1))] {
            let mut filter = World::all();
            set(&mut filter, at);
            world.list(&filter);
            filter.workflow = Some(Arc::from("checkout"));
            world.list(&filter);
        }
    }
}

fn days_apart(world: &mut World<'_>) {
    let mut instants = Vec::new();
    for _ in 0..4 {
        instants.push(world.put(Start::default(), |_| {}).id().created());
        for _ in 0..100 {
            world.tick();
        }
        world.skip(Duration::from_hours(49));
    }
    for at in instants {
        world.list(&Filter { from: Some(at), ..World::all() });
        world.list(&Filter { to: Some(at), ..World::all() });
    }
}
