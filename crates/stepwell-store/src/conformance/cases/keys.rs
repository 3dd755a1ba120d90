//! Idempotency keys (§4.8).

use stepwell_core::status::RunStatus;

use super::Case;
use crate::conformance::script::Start;
use crate::conformance::world::World;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("a_key_finds_its_run", |world| {
            let run = keyed(world, "order-7");
            assert_eq!(world.store().key(&World::key("order-7")).unwrap(), Some(run));
        }),
        Case::new("a_key_that_nothing_used_finds_nothing", |world| {
            keyed(world, "order-7");
            assert_eq!(world.store().key(&World::key("order-8")).unwrap(), None);
            assert_eq!(world.store().key(&World::key("order-")).unwrap(), None);
            assert_eq!(world.store().key(&World::key("")).unwrap(), None);
        }),
        Case::new("a_key_of_any_text_is_told_from_its_likes", |world| {
            let likes = ["a", "A", "a ", "ä", "a\u{308}", "%", "_", "'", "\\", "0", "\u{1f980}"];
            let runs: Vec<_> = likes.iter().map(|key| keyed(world, key)).collect();
            for (key, run) in likes.iter().zip(runs) {
                assert_eq!(world.store().key(&World::key(key)).unwrap(), Some(run), "{key}");
            }
        }),
        Case::new("a_key_is_of_one_namespace", |world| {
            scoped(world, |start| start.namespace = "other");
        }),
        Case::new("a_key_is_of_one_app", |world| scoped(world, |start| start.app = "other")),
        Case::new("a_key_is_of_one_workflow", |world| {
            scoped(world, |start| start.workflow = "other");
        }),
        Case::new("a_key_outlives_the_end_of_its_run", |world| {
            let mut run = world.put(Start { key: Some("k"), ..Start::default() }, |_| {});
            run.activate().ended(RunStatus::Completed);
            world.commit_run(&mut run);
            assert_eq!(world.store().key(&World::key("k")).unwrap(), Some(run.id()));
        }),
        Case::new("a_key_goes_with_its_purged_run_and_can_start_another", |world| {
            let mut run = world.put(Start { key: Some("k"), ..Start::default() }, |_| {});
            run.activate().ended(RunStatus::Completed);
            world.commit_run(&mut run);
            let now = world.tick();
            assert_eq!(world.purge(now, 9), 1);
            assert_eq!(world.store().key(&World::key("k")).unwrap(), None);
            let next = keyed(world, "k");
            assert_eq!(world.store().key(&World::key("k")).unwrap(), Some(next));
        }),
        Case::new("many_keys_of_one_commit_are_all_found", |world| {
            let at = world.tick();
            let runs = (0..50_u64).map(|number| {
                let key = format!("bulk-{number}");
                let start = Start { key: Some(&key), ..Start::default() };
                crate::conformance::Script::new(at, 9_000 + number, start).write()
            });
            let batch = crate::batch::Batch { at, runs: runs.collect(), ..Default::default() };
            world.commit(&batch);
            for number in 0..50 {
                let key = World::key(&format!("bulk-{number}"));
                assert_eq!(world.store().key(&key).unwrap(), world.model.key(&key));
            }
        }),
    ]
}

fn keyed(world: &mut World<'_>, key: &str) -> stepwell_core::id::RunId {
    world.put(Start { key: Some(key), ..Start::default() }, |_| {}).id()
}

fn scoped(world: &mut World<'_>, change: fn(&mut Start<'_>)) {
    let mut other = Start { key: Some("k"), ..Start::default() };
    change(&mut other);
    let first = keyed(world, "k");
    let second = world.put(other, |_| {});
    assert_eq!(world.store().key(&World::key("k")).unwrap(), Some(first));
    let key = crate::rows::key_of(&world.model.runs[&second.id()].0).unwrap();
    assert_eq!(world.store().key(&key).unwrap(), Some(second.id()));
}
