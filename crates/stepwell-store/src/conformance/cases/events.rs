//! Events: kept, found again, and dropped when their time is over (§8.4, §8.7, §8.10).

use std::sync::Arc;
use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;

use super::Case;
use crate::batch::{Batch, Workflow};
use crate::conformance::script::Start;
use crate::conformance::world::World;
use crate::event::{Did, EventId, EventRetention, EventWrite, Scope};
use crate::query::{EventList, EventName};

pub(super) fn cases() -> Vec<Case> {
    [content(), order(), routing(), retention()].into_iter().flatten().collect()
}

fn content() -> Vec<Case> {
    vec![
        Case::new("an_empty_store_knows_no_event", |world| {
            assert_eq!(world.events_for(&paid(), Timestamp::MIN), []);
            assert_eq!(world.store().unrouted(None, 9).unwrap(), []);
        }),
        Case::new("an_event_comes_back_whole", |world| {
            let text: Arc<str> = "Grüße 🦀 \"q\" \\ \u{7f} \u{2028}".into();
            let run = world.put(Start::default(), |_| {});
            let scope = Scope {
                app: Some(text.clone()),
                workflow: Some(text.clone()),
                run: Some(run.id()),
                key: Some(text.clone()),
            };
            world.send(&text, |event| {
                event.id = EventId { namespace: text.clone(), id: text.clone() };
                event.offer = Some("{\"é\":[1.0,\"\\ud83e\"]}".into());
                event.scope = scope.clone();
            });
            world.check_events();
        }),
        Case::new("an_event_without_data_has_none", |world| {
            let id = world.send("paid", |event| event.data = None);
            let empty = world.send("paid", |event| event.data = Some("null".into()));
            assert_eq!(world.store().event(&id).unwrap().unwrap().event.data, None);
            assert!(world.store().event(&empty).unwrap().unwrap().event.data.is_some());
        }),
        Case::new("an_event_of_half_a_megabyte_comes_back_whole", |world| {
            let data: Arc<str> = format!("\"{}\"", "payload ".repeat(64 * 1024)).into();
            world.send("paid", |event| event.data = Some(data.clone()));
            world.check_events();
        }),
        Case::new("runs_workflows_and_events_of_one_commit_are_all_there", |world| {
            let (at, mut run, event) = (world.tick(), world.start(), world.event("paid", |_| {}));
            let id = event.id.clone();
            let did = vec![Did { run: run.id(), step: None }];
            let workflow = Workflow {
                namespace: "default".into(),
                app: "shop".into(),
                name: "checkout".into(),
                options: "{}".into(),
                first_at: at,
                changed_at: at,
            };
            world.commit(&Batch {
                at,
                runs: vec![run.write()],
                workflows: vec![workflow],
                events: vec![
                    EventWrite::Accepted(Arc::new(event)),
                    EventWrite::Did(id.clone(), did),
                    EventWrite::Routed(id),
                ],
                grows: true,
                ..Batch::default()
            });
        }),
    ]
}

fn order() -> Vec<Case> {
    vec![
        Case::new("events_come_by_acceptance_then_id", |world| {
            let at = world.tick();
            let mut send = |id: &str, seconds| {
                world.send("paid", |event| {
                    event.id.id = id.into();
                    event.accepted_at = at.after(Duration::from_secs(seconds));
                });
            };
            send("b", 5);
            send("c", 1);
            send("a", 5);
            send("d", 3);
            let found = world.events_for(&paid(), Timestamp::MIN);
            let found: Vec<_> = found.iter().map(|id| &*id.id).collect();
            assert_eq!(found, ["c", "d", "a", "b"]);
        }),
        Case::new("a_look_back_includes_its_first_instant", |world| {
            let (first, second) = (world.send("paid", |_| {}), world.send("paid", |_| {}));
            let at = world.model.events[&second].event.accepted_at;
            assert_eq!(
                world.events_for(&paid(), at.before(Duration::from_secs(9))),
                [first, second.clone()]
            );
            assert_eq!(world.events_for(&paid(), at), [second]);
            assert_eq!(world.events_for(&paid(), at.after(Duration::from_micros(1))), []);
        }),
        Case::new("events_are_of_one_name_and_one_namespace", |world| {
            let one = world.send("paid", |_| {});
            world.send("sent", |_| {});
            let there = |id: &EventId| EventId { namespace: "other".into(), ..id.clone() };
            world.send("paid", |event| event.id = there(&one));
            assert_eq!(world.events_for(&paid(), Timestamp::MIN), std::slice::from_ref(&one));
            let other = EventName { namespace: "other".into(), ..paid() };
            assert_eq!(world.events_for(&other, Timestamp::MIN), [there(&one)]);
            let nobody = EventName { name: "pai".into(), ..paid() };
            assert_eq!(world.events_for(&nobody, Timestamp::MIN), []);
        }),
        Case::new("many_events_are_paged_without_loss", |world| {
            for number in 0..25 {
                let name = ["paid", "sent"][number % 2];
                let id = world.send(name, |event| event.accepted_at = Timestamp::from_millis(7));
                if number % 3 == 0 {
                    world.say(vec![EventWrite::Routed(id)]);
                }
                if number == 12 {
                    world.settle();
                }
            }
            assert_eq!(world.events_for(&paid(), Timestamp::MIN).len(), 13);
        }),
        Case::new("a_limit_of_nothing_gives_no_event", |world| {
            let id = world.send("paid", |_| {});
            world.say(vec![EventWrite::Did(id.clone(), vec![started(world, 1)])]);
            let store = world.store();
            assert_eq!(
                store.events_list(&EventList::since(&paid(), Timestamp::MIN), None, 0).unwrap(),
                []
            );
            assert_eq!(store.unrouted(None, 0).unwrap(), []);
            assert_eq!(store.did(&id, None, 0).unwrap(), []);
        }),
    ]
}

fn routing() -> Vec<Case> {
    vec![
        Case::new("an_event_is_unrouted_until_that_is_said", |world| {
            let (one, two) = (world.send("paid", |_| {}), world.send("sent", |_| {}));
            let open = |world: &World<'_>| -> Vec<EventId> {
                let places = world.store().unrouted(None, 9).unwrap();
                places.into_iter().map(|place| place.id).collect()
            };
            assert_eq!(open(world), [one.clone(), two.clone()]);
            world.say(vec![EventWrite::Routed(one.clone())]);
            assert_eq!(open(world), std::slice::from_ref(&two));
            world.say(vec![EventWrite::Routed(one), EventWrite::Routed(two)]);
            assert_eq!(open(world), []);
        }),
        Case::new("routing_goes_on_after_many_routed_events", |world| {
            let sent: Vec<_> = (0..30).map(|_| world.send("paid", |_| {})).collect();
            world.settle();
            for id in &sent[..28] {
                world.say(vec![EventWrite::Routed(id.clone())]);
            }
            let left = world.store().unrouted(None, 9).unwrap();
            let left: Vec<_> = left.into_iter().map(|place| place.id).collect();
            assert_eq!(left, sent[28..]);
        }),
        Case::new("what_an_event_did_is_kept_in_order", |world| {
            let id = world.send("paid", |_| {});
            let (one, two) = (started(world, 2), started(world, 1));
            let woken = |run: &Did, step: &str| Did { run: run.run, step: Some(step.into()) };
            let (a, b) = (woken(&two, "a"), woken(&two, "b"));
            world.say(vec![EventWrite::Did(id.clone(), vec![one.clone(), b.clone()])]);
            world.settle();
            // Said again, as after a crash, it is one thing still.
            world.say(vec![EventWrite::Did(id.clone(), vec![b.clone(), a.clone(), two.clone()])]);
            let mut expected = vec![one, two, a, b];
            expected.sort();
            assert_eq!(world.did(&id), expected);
        }),
        Case::new("what_another_event_did_is_not_told", |world| {
            let (one, two) = (world.send("paid", |_| {}), world.send("paid", |_| {}));
            let did = started(world, 1);
            world.say(vec![EventWrite::Did(one.clone(), vec![did.clone()])]);
            assert_eq!((world.did(&one), world.did(&two)), (vec![did], vec![]));
        }),
    ]
}

fn retention() -> Vec<Case> {
    vec![
        Case::new("an_old_event_is_dropped_and_its_id_stays_known", |world| {
            let (old, young) = (routed(world), routed(world));
            let at = world.model.events[&young].event.accepted_at;
            assert_eq!(world.drop_events(kept(at), 9), 1, "what came at the bound is kept");
            assert_eq!(world.events_for(&paid(), Timestamp::MIN), [young]);
            assert_eq!(world.did(&old), []);
            let known = world.store().event(&old).unwrap().unwrap();
            assert_eq!((known.kept, known.event.data.as_ref()), (false, None));
            assert_eq!(world.drop_events(kept(at), 9), 0);
            world.reopen();
        }),
        Case::new("an_old_id_is_forgotten", |world| {
            let (old, young) = (routed(world), routed(world));
            let at = world.model.events[&young].event.accepted_at;
            world.drop_events(kept(Timestamp::MAX), 9);
            let both = EventRetention { kept_from: Timestamp::MAX, known_from: at };
            assert_eq!(world.drop_events(both, 9), 1);
            assert_eq!(world.store().event(&old).unwrap(), None);
            assert!(world.store().event(&young).unwrap().is_some());
        }),
        Case::new("an_event_can_be_dropped_with_its_id_at_once", |world| {
            let old = routed(world);
            let all = EventRetention { kept_from: Timestamp::MAX, known_from: Timestamp::MAX };
            assert_eq!(world.drop_events(all, 9), 1);
            assert_eq!(world.store().event(&old).unwrap(), None);
            // An id that is forgotten is as good as new.
            world.send("paid", |event| event.id = old.clone());
        }),
        Case::new("ids_are_known_as_long_as_the_content_is_kept", |world| {
            routed(world);
            let ids = EventRetention { kept_from: Timestamp::MIN, known_from: Timestamp::MAX };
            assert_eq!(world.drop_events(ids, 9), 0);
        }),
        Case::new("an_unrouted_event_is_never_dropped", |world| {
            world.send("paid", |_| {});
            let all = EventRetention { kept_from: Timestamp::MAX, known_from: Timestamp::MAX };
            assert_eq!(world.drop_events(all, 9), 0);
        }),
        Case::new("events_are_dropped_oldest_first_up_to_the_limit", |world| {
            let sent: Vec<_> = (0..7).map(|_| routed(world)).collect();
            for expected in [3, 3, 1, 0] {
                assert_eq!(world.drop_events(kept(Timestamp::MAX), 3), expected);
                world.check_events();
            }
            assert_eq!(world.drop_events(kept(Timestamp::MAX), 0), 0);
            assert!(sent.iter().all(|id| world.store().event(id).unwrap().is_some()));
        }),
        Case::new("very_many_events_are_dropped_in_one_purge", |world| {
            let events = (0..1_100).flat_map(|number| {
                let event = world.event("paid", |_| {});
                let id = EventId { id: format!("n-{number}").into(), ..event.id.clone() };
                let event = crate::event::Event { id: id.clone(), ..event };
                [EventWrite::Accepted(Arc::new(event)), EventWrite::Routed(id)]
            });
            let events = events.collect();
            world.say(events);
            let all = EventRetention { kept_from: Timestamp::MAX, known_from: Timestamp::MAX };
            assert_eq!(world.drop_events(all, 5_000), 1_100);
        }),
    ]
}

fn paid() -> EventName {
    EventName { namespace: "default".into(), name: "paid".into() }
}

fn kept(kept_from: Timestamp) -> EventRetention {
    EventRetention { kept_from, known_from: Timestamp::MIN }
}

fn started(world: &World<'_>, number: u128) -> Did {
    Did { run: RunId::new(world.now(), number << 100), step: None }
}

/// Sends an event, which does something and is then routed.
fn routed(world: &mut World<'_>) -> EventId {
    let id = world.send("paid", |_| {});
    let did = started(world, 1);
    world.say(vec![EventWrite::Did(id.clone(), vec![did]), EventWrite::Routed(id.clone())]);
    id
}
