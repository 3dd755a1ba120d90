//! Who is no member any more (I20).

use std::collections::BTreeSet;
use std::time::Duration;

use stepwell_core::time::Timestamp;

use super::cluster::{ALL, Cluster, Node, crew, queue};
use super::harness::Case;
use crate::batch::Batch;
use crate::conformance::script::{Script, Start};
use crate::error::Error;
use crate::shared::{Claim, Share};

pub(super) const CASES: &[Case] = &[
    Case::new("nothing_is_done_for_a_member_whose_lease_has_run_out", lapsed),
    Case::new("a_lease_runs_anew_from_when_it_is_renewed", renewed),
    Case::new("joining_under_a_name_ends_the_member_of_that_name", joined),
    Case::new("nothing_is_done_for_a_member_that_was_taken_over", taken_over),
    Case::new("nothing_is_done_for_a_member_that_left", left),
    Case::new("no_two_members_have_one_id", ids),
    Case::new("members_are_listed_with_what_they_did", listed),
];

/// Whatever the member asks, it is not one any more, and nothing changes.
fn is_fenced(cluster: &mut Cluster<'_>, old: &Node, witness: &Node, own: &Script, free: &Script) {
    let mut more = own.clone();
    more.activate();
    let mut new = cluster.start(Start::default());
    let fenced = || Error::Fenced;
    assert_eq!(cluster.write(old, &mut more, Share::default()), Err(fenced()));
    assert_eq!(cluster.write(old, &mut new, Share::default()), Err(fenced()));
    let at = cluster.tick();
    assert_eq!(old.store.commit(&Batch { at, ..Batch::default() }), Err(fenced()));
    let shared = old.shared();
    assert_eq!(shared.renew(), Err(fenced()));
    assert_eq!(shared.claim(&[free.id()]), Err(fenced()));
    assert_eq!(shared.claim_due(Timestamp::MAX, ALL), Err(fenced()));
    assert_eq!(shared.claim_ready(&queue(), &crew(), ALL), Err(fenced()));
    assert_eq!(shared.claim_unrouted(ALL), Err(fenced()));
    assert_eq!(shared.mail(None, ALL), Err(fenced()));
    assert_eq!(shared.answers(&[]), Err(fenced()));
    assert_eq!(shared.over(&[own.id()]), Err(fenced()));
    assert_eq!(shared.registered(0), Err(fenced()));
    assert_eq!(shared.meet(&[]), Err(fenced()));
    assert_eq!(shared.runners(), Err(fenced()));
    assert_eq!(shared.take_over(Duration::ZERO, ALL), Err(fenced()));
    assert_eq!(shared.tidy(Timestamp::MAX, ALL), Err(fenced()));
    assert_eq!(shared.leave(), Err(fenced()));
    assert_eq!(shared.members(), Err(fenced()));
    assert_eq!(witness.store.load(own.id()).unwrap().as_deref(), Some(own.journal()));
    assert_eq!(witness.store.load(new.id()).unwrap(), None);
    assert!(witness.has(free), "it was not claimed");
}

fn lapsed(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let (own, free) = (cluster.put(&a, |_| {}), cluster.put_free(&a, |_| {}));
    cluster.lapse(&a, &[&b]);
    is_fenced(cluster, &a, &b, &own, &free);
    assert_eq!(b.claim(own.id()), Claim::Elsewhere, "what was its is free once it is taken over");
}

fn renewed(cluster: &mut Cluster<'_>) {
    let a = cluster.join("a");
    let first = a.shared().lease();
    assert!(first.now < first.until);
    let term = first.until.since(first.now);
    cluster.pass(term / 2, &[]);
    let second = a.shared().renew().unwrap();
    assert_eq!(a.shared().lease(), second);
    assert_eq!((second.member, second.until.since(second.now)), (first.member, term));
    assert!(second.now >= first.now.after(term / 2), "{first:?} {second:?}");
    let time = a.shared().time().unwrap();
    assert!(second.now <= time && time < second.until, "{second:?} {time}");
    cluster.pass(term * 5, &[&a]);
    cluster.put(&a, |_| {});
}

fn joined(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let (own, free) = (cluster.put(&a, |_| {}), cluster.put_free(&a, |_| {}));
    let again = cluster.join("a");
    assert_ne!(a.shared().lease().member, again.shared().lease().member);
    is_fenced(cluster, &a, &again, &own, &free);
    assert_eq!(again.claim(own.id()), Claim::Elsewhere);
    assert_eq!(again.shared().take_over(Duration::ZERO, ALL).unwrap(), 1);
    assert!(again.has(&own));
    cluster.put(&b, |_| {});
}

fn taken_over(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let (own, free) = (cluster.put(&a, |_| {}), cluster.put_free(&a, |_| {}));
    cluster.lapse(&a, &[&b]);
    assert_eq!(b.shared().take_over(Duration::ZERO, ALL).unwrap(), 1);
    is_fenced(cluster, &a, &b, &own, &free);
    assert!(b.has(&own));
}

fn left(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let (own, free) = (cluster.put(&a, |_| {}), cluster.put_free(&a, |_| {}));
    a.shared().leave().unwrap();
    is_fenced(cluster, &a, &b, &own, &free);
    assert_eq!(b.claim(own.id()), Claim::Elsewhere);
    assert_eq!(b.shared().take_over(Duration::ZERO, ALL).unwrap(), 1, "at once");
    assert!(b.has(&own));
}

fn ids(cluster: &mut Cluster<'_>) {
    let mut nodes = vec![cluster.join("z")];
    for name in ["a", "b", "a", "a"] {
        nodes.push(cluster.join(name));
        nodes[0].shared().take_over(Duration::ZERO, ALL).unwrap();
    }
    let ids: BTreeSet<_> = nodes.iter().map(|node| node.shared().lease().member).collect();
    assert_eq!(ids.len(), nodes.len());
}

fn listed(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let kept = cluster.put(&a, |_| {});
    cluster.put(&a, |_| {});
    cluster.put_free(&b, |_| {});
    let members = b.shared().members().unwrap();
    let said: Vec<_> = members.iter().map(|one| (&*one.node, one.head, one.runs)).collect();
    assert_eq!(said, [("a", 2, 2), ("b", 2, 0)]);
    assert!(members[0].id < members[1].id);
    assert_eq!(members[0].id, a.shared().lease().member);
    assert_eq!(members[0].until, a.shared().lease().until);
    assert!(members.iter().all(|one| one.since < one.until));
    cluster.release(&a, &kept, None);
    assert_eq!(b.shared().members().unwrap()[0].runs, 1);
    a.shared().leave().unwrap();
    let now = b.shared().renew().unwrap().now;
    assert!(b.shared().members().unwrap()[0].until <= now, "it is not there any more");
}
