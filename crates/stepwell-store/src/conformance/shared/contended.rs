//! What two members write at once.

use std::sync::Arc;

use stepwell_core::status::RunStatus;

use super::cluster::{ALL, Cluster, Node};
use super::harness::Case;
use crate::batch::{Batch, RunWrite};
use crate::conformance::script::Start;
use crate::conformance::world::World;
use crate::error::Error;
use crate::event::{Event, EventWrite};
use crate::shared::Share;

pub(super) const CASES: &[Case] = &[
    Case::new("a_key_that_is_known_by_now_is_contended", key),
    Case::new("a_key_stays_with_its_run_in_a_batch_that_does_not_grow", key_stays),
    Case::new("a_run_that_is_known_by_now_is_contended", run),
    Case::new("an_event_that_is_known_by_now_is_contended", event),
    Case::new("an_event_that_is_known_is_left_out_of_a_batch_that_does_not_grow", left_out),
    Case::new("of_members_that_start_one_key_at_once_one_does", at_once),
];

/// A batch that grows is refused as a whole, and the member goes on.
fn is_refused(
    cluster: &mut Cluster<'_>,
    node: &Node,
    contended: Vec<RunWrite>,
    events: Vec<EventWrite>,
) {
    let mut other = cluster.start(Start::default());
    let at = cluster.tick();
    let runs = contended.into_iter().chain([other.write()]).collect();
    let fresh = cluster.event("fresh", "1");
    let events = [EventWrite::Accepted(fresh.clone())].into_iter().chain(events).collect();
    let batch = Batch { at, runs, events, grows: true, ..Batch::default() };
    let error = node.store.commit(&batch).unwrap_err();
    assert!(matches!(error, Error::Contended(_)), "{error}");
    assert_eq!(node.store.load(other.id()).unwrap(), None, "nothing was written");
    assert_eq!(node.store.event(&fresh.id).unwrap(), None);
    cluster.put(node, |_| {});
}

fn key(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let start = Start { key: Some("order-1"), ..Start::default() };
    let (mut first, mut second) = (cluster.start(start), cluster.start(start));
    cluster.write(&a, &mut first, Share::default()).unwrap();
    is_refused(cluster, &b, vec![second.write()], vec![]);
    assert_eq!(b.store.key(&World::key("order-1")).unwrap(), Some(first.id()));
    assert_eq!(b.store.load(second.id()).unwrap(), None);
    // The same key elsewhere is another one.
    let mut other = cluster.start(Start { workflow: "refund", ..start });
    cluster.write(&b, &mut other, Share::default()).unwrap();
}

/// A run that goes on with another one has its key; by its id it may be the earlier one, where the clocks of two nodes differ.
fn key_stays(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let start = Start { key: Some("order-1"), ..Start::default() };
    let (mut second, mut first) = (cluster.start(start), cluster.start(start));
    cluster.write(&a, &mut first, Share::default()).unwrap();
    first.activate().ended(RunStatus::Completed);
    let (at, runs) = (cluster.tick(), vec![first.write(), second.write()]);
    a.store.commit(&Batch { at, runs, ..Batch::default() }).unwrap();
    assert_eq!(b.store.key(&World::key("order-1")).unwrap(), Some(first.id()));
    assert_eq!(b.store.load(second.id()).unwrap().as_deref(), Some(second.journal()));
}

fn run(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let run = cluster.put(&a, |_| {});
    let mut again = run.clone();
    again.activate().give_back();
    let whole = RunWrite { records: again.journal().to_vec(), ..again.write() };
    is_refused(cluster, &b, vec![whole], vec![]);
    assert_eq!(b.store.load(run.id()).unwrap().as_deref(), Some(run.journal()));
}

fn event(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let (first, second) = (cluster.event("e-1", "1"), cluster.event("e-1", "2"));
    cluster.tell(&a, vec![EventWrite::Accepted(first.clone())]).unwrap();
    is_refused(cluster, &b, vec![], vec![EventWrite::Accepted(second)]);
    is_event(&b, &first);
}

/// What is known of the event's id is this event, of which not everything is done.
fn is_event(node: &Node, event: &Arc<Event>) {
    let known = node.store.event(&event.id).unwrap().unwrap();
    assert_eq!((&known.event, known.routed), (event, false));
}

fn left_out(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let (first, second) = (cluster.event("e-1", "1"), cluster.event("e-1", "2"));
    let other = cluster.event("e-2", "3");
    cluster.tell(&a, vec![EventWrite::Accepted(first.clone())]).unwrap();
    let mut run = cluster.start(Start::default());
    let (at, runs) = (cluster.tick(), vec![run.write()]);
    let events = [&second, &other].map(|event| EventWrite::Accepted(Arc::clone(event))).into();
    b.store.commit(&Batch { at, runs, events, ..Batch::default() }).unwrap();
    is_event(&a, &first);
    is_event(&a, &other);
    assert_eq!(a.store.load(run.id()).unwrap().as_deref(), Some(run.journal()));
    // It is not the second's to route, and so not to end.
    cluster.tell(&b, vec![EventWrite::Routed(first.id.clone())]).unwrap();
    is_event(&b, &first);
    let unrouted = vec![first.place()];
    cluster.say(&b, Share { unrouted: unrouted.clone(), ..Share::default() });
    assert_eq!(b.shared().claim_unrouted(ALL).unwrap(), []);
    cluster.say(&a, Share { unrouted, ..Share::default() });
    assert_eq!(b.shared().claim_unrouted(ALL).unwrap(), [first.place()]);
}

fn at_once(cluster: &mut Cluster<'_>) {
    let nodes = ["a", "b", "c"].map(|name| cluster.join(name));
    for n in 0..10 {
        let key = format!("order-{n}");
        let start = Start { key: Some(&key), ..Start::default() };
        let batches = [(); 3].map(|()| {
            let mut run = cluster.start(start);
            let (at, runs) = (cluster.tick(), vec![run.write()]);
            (run.id(), Batch { at, runs, grows: true, ..Batch::default() })
        });
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let commit = |(node, (run, batch)): (&Node, &(_, Batch))| {
                let (node, run, batch) = (node.clone(), *run, batch.clone());
                scope.spawn(move || (run, node.store.commit(&batch)))
            };
            let threads: Vec<_> = nodes.iter().zip(&batches).map(commit).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let won: Vec<_> = outcomes.iter().filter(|(_, outcome)| outcome.is_ok()).collect();
        assert_eq!(won.len(), 1, "{outcomes:?}");
        let lost = outcomes.iter().filter_map(|(_, outcome)| outcome.as_ref().err());
        assert!(lost.clone().all(|error| matches!(error, Error::Contended(_))), "{outcomes:?}");
        assert_eq!(nodes[0].store.key(&World::key(&key)).unwrap(), Some(won[0].0));
    }
}
