//! Deleting a run on request.

use stepwell_core::search::Term;
use stepwell_core::status::{RunStatus, StepStatus};
use stepwell_core::time::Timestamp;

use super::Case;
use crate::batch::Batch;
use crate::conformance::script::{Script, Start};
use crate::conformance::world::World;
use crate::event::{Did, EventId, EventWrite};
use crate::query::Filter;
use crate::retention::Deletion;

pub(super) fn cases() -> Vec<Case> {
    [who(), what(), events()].into_iter().flatten().collect()
}

fn who() -> Vec<Case> {
    vec![
        Case::new("a_run_that_has_ended_is_deleted", |world| {
            let (one, other) = (ended(world, Start::default()), ended(world, Start::default()));
            assert_eq!(world.delete(&one), Deletion::Done);
            assert_eq!(world.list(&World::all()), [other.id()]);
            assert_eq!(world.delete(&one), Deletion::Unknown, "it is gone");
        }),
        Case::new("a_run_that_has_not_ended_is_not_deleted", |world| {
            let mut run = world.put(Start::default(), |_| {});
            assert_eq!(world.delete(&run), Deletion::Open(RunStatus::Queued));
            run.activate().begin("charge");
            world.commit_run(&mut run);
            assert_eq!(world.delete(&run), Deletion::Open(RunStatus::Running));
            run.end("charge", StepStatus::Completed, "1").ending(RunStatus::Cancelled);
            world.commit_run(&mut run);
            assert!(matches!(world.delete(&run), Deletion::Open(_)));
            world.check();
            run.ended(RunStatus::Cancelled);
            world.commit_run(&mut run);
            assert_eq!(world.delete(&run), Deletion::Done);
        }),
        Case::new("a_run_of_another_namespace_is_not_there", |world| {
            let run = ended(world, Start { namespace: "other", ..Start::default() });
            assert_eq!(world.delete(&run), Deletion::Unknown);
            assert_eq!(world.delete_in("othe", run.id(), &[]), Deletion::Unknown);
            world.check();
            assert_eq!(world.delete_in("other", run.id(), run.journal()), Deletion::Done);
        }),
        Case::new("a_run_that_never_was_is_not_deleted", |world| {
            ended(world, Start::default());
            let nobody = world.start();
            assert_eq!(world.delete(&nobody), Deletion::Unknown);
        }),
        Case::new("a_damaged_run_can_be_deleted", |world| {
            let run = ended(world, Start::default());
            if world.damage(run.id()) {
                assert_eq!(world.delete(&run), Deletion::Done);
                world.check();
            }
        }),
    ]
}

fn what() -> Vec<Case> {
    vec![
        Case::new("a_deleted_run_takes_its_key_along", |world| {
            let start = Start { key: Some("order-7"), ..Start::default() };
            let first = ended(world, start);
            assert_eq!(world.delete(&first), Deletion::Done);
            assert_eq!(world.store().key(&World::key("order-7")).unwrap(), None);
            let second = world.put(start, |_| {});
            assert_eq!(world.store().key(&World::key("order-7")).unwrap(), Some(second.id()));
        }),
        Case::new("a_deleted_run_is_found_by_no_attribute", |world| {
            let run = world.put(Start::default(), |run| {
                run.search("{\"country\":\"DE\"}").activate().ended(RunStatus::Completed);
            });
            world.settle();
            assert_eq!(world.delete(&run), Deletion::Done);
            let search = Term::parse_all("country=DE").unwrap();
            let filter = Filter { search, ..World::all() };
            assert_eq!(world.list(&filter), []);
        }),
        Case::new("a_deleted_run_stays_gone_after_closing_and_opening", |world| {
            let (one, other) = (ended(world, Start::default()), ended(world, Start::default()));
            assert_eq!(world.delete(&one), Deletion::Done);
            world.reopen();
            world.check();
            assert_eq!(world.list(&World::all()), [other.id()]);
        }),
        Case::new("a_deletion_right_after_the_end_finds_the_run", |world| {
            let mut run = world.put(Start::default(), |_| {});
            world.settle();
            run.activate().ended(RunStatus::Failed);
            world.commit_run(&mut run);
            assert_eq!(world.delete(&run), Deletion::Done);
            world.settle();
            world.check();
        }),
        Case::new("children_of_a_deleted_run_stay", |world| {
            let parent = ended(world, Start::default());
            let start = Start { parent: Some(parent.id()), ..Start::default() };
            let child = ended(world, start);
            assert_eq!(world.delete(&parent), Deletion::Done);
            assert_eq!(world.list(&World::all()), [child.id()]);
        }),
    ]
}

fn events() -> Vec<Case> {
    vec![
        Case::new("what_events_did_to_a_deleted_run_is_gone", |world| {
            let (first, second) = (world.send("paid", |_| {}), world.send("paid", |_| {}));
            let other = ended(world, Start::default());
            let event = (&*first.id, &*second.id);
            let run = world.put(Start { event: Some(event.0), ..Start::default() }, |run| {
                run.activate().hear("wait", event.1).ended(RunStatus::Completed);
            });
            let started = |run: &Script| Did { run: run.id(), step: None };
            let woken = Did { run: run.id(), step: Some("wait".into()) };
            say(world, &first, vec![started(&run), started(&other)]);
            say(world, &second, vec![woken]);
            assert_eq!(world.delete(&run), Deletion::Done);
            assert_eq!(world.did(&first), [started(&other)]);
            assert_eq!(world.did(&second), []);
        }),
        Case::new("a_run_is_not_deleted_while_what_started_it_could_do_so_again", |world| {
            let id = world.send("paid", |_| {});
            let run = world.put(Start { event: Some(&id.id), ..Start::default() }, |run| {
                run.activate().ended(RunStatus::Completed);
            });
            assert_eq!(world.delete(&run), Deletion::Early);
            world.check();
            world.say(vec![EventWrite::Routed(id)]);
            assert_eq!(world.delete(&run), Deletion::Done);
        }),
        Case::new("events_that_are_not_known_any_more_hold_up_no_deletion", |world| {
            let run = world.put(Start { event: Some("long-gone"), ..Start::default() }, |run| {
                run.activate().ended(RunStatus::Completed);
            });
            assert_eq!(world.delete(&run), Deletion::Done);
        }),
        Case::new("a_deletion_leaves_the_high_water_and_the_positions", |world| {
            let run = ended(world, Start::default());
            let before = (world.store().high_water(), world.store().health().head);
            assert_eq!(world.delete(&run), Deletion::Done);
            assert_eq!((world.store().high_water(), world.store().health().head), before);
            assert!(world.store().high_water().unwrap() > Timestamp::MIN);
        }),
    ]
}

fn ended(world: &mut World<'_>, start: Start<'_>) -> Script {
    world.put(start, |run| {
        run.activate().ended(RunStatus::Completed);
    })
}

/// Says what an event did, and that it is done.
fn say(world: &mut World<'_>, event: &EventId, did: Vec<Did>) {
    let events = vec![EventWrite::Did(event.clone(), did), EventWrite::Routed(event.clone())];
    let at = world.now();
    world.commit(&Batch { at, events, ..Batch::default() });
}
