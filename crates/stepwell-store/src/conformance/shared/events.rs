//! Who routes an event.

use super::cluster::{ALL, Cluster};
use super::harness::Case;
use crate::event::{Did, EventWrite};
use crate::shared::Share;
use stepwell_core::id::RunId;

pub(super) const CASES: &[Case] = &[
    Case::new("an_event_is_routed_by_whom_it_was_accepted_by", accepted),
    Case::new("events_that_nobody_routes_are_claimed_once_and_oldest_first", claimed),
    Case::new("an_event_is_routed_at_last_by_who_claimed_it", routed),
];

fn accepted(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let event = cluster.event("e-1", "1");
    cluster.tell(&a, vec![EventWrite::Accepted(event.clone())]).unwrap();
    for node in [&a, &b] {
        assert_eq!(node.shared().claim_unrouted(ALL).unwrap(), []);
        assert_eq!(node.store.unrouted(None, ALL).unwrap(), [event.place()]);
    }
    cluster.tell(&a, vec![EventWrite::Routed(event.id.clone())]).unwrap();
    assert_eq!(b.store.unrouted(None, ALL).unwrap(), []);
    assert!(b.store.event(&event.id).unwrap().unwrap().routed);
}

fn claimed(cluster: &mut Cluster<'_>) {
    let (a, b, c) = (cluster.join("a"), cluster.join("b"), cluster.join("c"));
    // In the order of their acceptance, which is not that of their ids.
    let events: Vec<_> = ["e-3", "e-1", "e-2", "e-0"].map(|id| cluster.event(id, "1")).into();
    let accepted = events.iter().rev().cloned().map(EventWrite::Accepted).collect();
    cluster.tell(&a, accepted).unwrap();
    let places: Vec<_> = events.iter().map(|event| event.place()).collect();
    cluster.tell(&a, vec![EventWrite::Routed(events[0].id.clone())]).unwrap();
    cluster.say(&a, Share { unrouted: places[1..].to_vec(), ..Share::default() });
    assert_eq!(b.shared().claim_unrouted(0).unwrap(), []);
    assert_eq!(b.shared().claim_unrouted(2).unwrap(), places[1..3]);
    assert_eq!(c.shared().claim_unrouted(ALL).unwrap(), places[3..]);
    assert_eq!(a.shared().claim_unrouted(ALL).unwrap(), []);
    assert_eq!(b.shared().claim_unrouted(ALL).unwrap(), [], "its own are not among them");
}

fn routed(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let event = cluster.event("e-1", "1");
    cluster.tell(&a, vec![EventWrite::Accepted(event.clone())]).unwrap();
    cluster.say(&a, Share { unrouted: vec![event.place()], ..Share::default() });
    assert_eq!(b.shared().claim_unrouted(ALL).unwrap(), [event.place()]);
    let did = vec![Did { run: RunId::from_u128(7), step: None }];
    let writes =
        vec![EventWrite::Did(event.id.clone(), did.clone()), EventWrite::Routed(event.id.clone())];
    cluster.tell(&b, writes).unwrap();
    assert_eq!(a.store.did(&event.id, None, ALL).unwrap(), did);
    assert!(a.store.event(&event.id).unwrap().unwrap().routed);
    assert_eq!(a.shared().claim_unrouted(ALL).unwrap(), []);
}
