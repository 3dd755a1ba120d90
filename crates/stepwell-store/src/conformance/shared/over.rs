//! What becomes of what was a member's that is not there any more.

use std::time::Duration;

use stepwell_core::time::Timestamp;

use super::cluster::{ALL, Cluster, Node};
use super::harness::Case;
use crate::event::EventWrite;
use crate::shared::Claim;

pub(super) const CASES: &[Case] = &[
    Case::new("runs_are_taken_over_in_slices_and_the_member_is_forgotten", slices),
    Case::new("what_is_a_living_members_is_not_taken_over", living),
    Case::new("runners_of_runs_that_are_taken_over_may_come_back_for_a_while", granted),
    Case::new("members_that_take_over_at_once_free_each_run_once", at_once),
    Case::new("events_are_taken_over_too", events),
];

const GRANT: Duration = Duration::from_secs(10);

fn names(node: &Node) -> Vec<String> {
    node.shared().members().unwrap().iter().map(|one| one.node.to_string()).collect()
}

fn slices(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let runs: Vec<_> = (0..5).map(|_| cluster.put(&a, |_| {})).collect();
    cluster.lapse(&a, &[&b]);
    assert_eq!(names(&b), ["a", "b"]);
    let mut free = Vec::new();
    for expected in [2, 2, 1, 0] {
        assert_eq!(b.shared().take_over(GRANT, 2).unwrap(), expected);
        free.push(runs.iter().filter(|run| b.has(run)).count());
    }
    assert_eq!(free, [2, 4, 5, 5]);
    assert_eq!(names(&b), ["b"]);
}

fn living(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let run = cluster.put(&a, |_| {});
    cluster.tell(&a, vec![]).unwrap();
    let event = cluster.event("e-1", "1");
    cluster.tell(&a, vec![EventWrite::Accepted(event)]).unwrap();
    assert_eq!(b.shared().take_over(GRANT, ALL).unwrap(), 0);
    assert_eq!(b.claim(run.id()), Claim::Elsewhere);
    assert_eq!(b.shared().claim_unrouted(ALL).unwrap(), []);
}

fn granted(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let active = cluster.put(&a, |run| {
        run.activate();
    });
    let parked = cluster.put(&a, |run| {
        run.activate().sleep("nap", Timestamp::MAX).release();
    });
    a.shared().leave().unwrap();
    let before = b.shared().renew().unwrap().now;
    assert_eq!(b.shared().take_over(GRANT, ALL).unwrap(), 2);
    let after = b.shared().renew().unwrap().now;
    let just_before = before.after(GRANT).before(Duration::from_micros(1));
    assert_eq!(b.shared().claim_due(just_before, ALL).unwrap(), []);
    assert_eq!(b.shared().claim_due(after.after(GRANT), ALL).unwrap(), [active.id()]);
    let Claim::Mine { away: Some(away), journal } = b.claim(active.id()) else {
        panic!("a runner holds it")
    };
    assert_eq!(journal, active.journal());
    assert!(!away.idle, "nobody said so");
    assert!((before.after(GRANT)..=after.after(GRANT)).contains(&away.until), "{away:?}");
    let mine = Claim::Mine { journal: parked.journal().to_vec(), away: None };
    assert_eq!(b.claim(parked.id()), mine);
}

fn at_once(cluster: &mut Cluster<'_>) {
    let (a, b, c) = (cluster.join("a"), cluster.join("b"), cluster.join("c"));
    let runs: Vec<_> = (0..30).map(|_| cluster.put(&a, |_| {})).collect();
    a.shared().leave().unwrap();
    let take = |node: &Node| {
        let mut freed = 0;
        loop {
            match node.shared().take_over(GRANT, 4).unwrap() {
                0 => return freed,
                some => freed += some,
            }
        }
    };
    let freed = std::thread::scope(|scope| {
        let other = scope.spawn(|| take(&c));
        take(&b) + other.join().unwrap()
    });
    // One that found the other at work may have stopped early.
    let freed = freed + take(&b);
    assert_eq!(freed, runs.len());
    assert!(runs.iter().all(|run| c.has(run)));
}

fn events(cluster: &mut Cluster<'_>) {
    let (a, b, c) = (cluster.join("a"), cluster.join("b"), cluster.join("c"));
    let event = cluster.event("e-1", "1");
    cluster.tell(&a, vec![EventWrite::Accepted(event.clone())]).unwrap();
    a.shared().leave().unwrap();
    b.shared().take_over(GRANT, ALL).unwrap();
    assert_eq!(c.shared().claim_unrouted(ALL).unwrap(), [event.place()]);
    assert_eq!(b.shared().claim_unrouted(ALL).unwrap(), []);
    assert_eq!(names(&b), ["b", "c"]);
}
