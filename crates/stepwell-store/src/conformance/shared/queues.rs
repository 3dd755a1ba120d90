//! Which runs a member claims without naming them.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;

use super::cluster::{ALL, Cluster, Node, crew, ids, queue};
use super::harness::Case;
use crate::conformance::script::{Script, Start};
use crate::query::Queue;
use crate::shared::{Away, Claim, Crew, Needs, Release, Share};

pub(super) const CASES: &[Case] = &[
    Case::new("due_runs_are_claimed_earliest_first_and_by_one", due),
    Case::new("a_run_whose_runner_is_away_is_due_at_its_instant_and_claimed_before", away),
    Case::new("a_run_that_is_due_twice_is_claimed_once", twice),
    Case::new("waiting_runs_are_claimed_longest_waiting_first_and_by_one", ready),
    Case::new("a_crew_claims_what_it_can_run", needs),
    Case::new("needs_are_those_of_the_last_batch", last_needs),
    Case::new("members_that_claim_at_once_share_what_there_is", at_once),
];

fn asleep(cluster: &mut Cluster<'_>, node: &Node, until: Timestamp) -> Script {
    cluster.put_free(node, |run| {
        run.activate().sleep("nap", until).release();
    })
}

fn claimed(node: &Node, crew: &Crew, limit: usize) -> Vec<RunId> {
    let found = node.shared().claim_ready(&queue(), crew, limit).unwrap();
    assert!(found.is_sorted(), "longest waiting first: {found:?}");
    found.into_iter().map(|(_, run)| run).collect()
}

fn due(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let at: Vec<_> = (0..5).map(|_| cluster.tick()).collect();
    let mut runs: Vec<_> = [4, 2, 0, 1, 3].map(|n| (n, asleep(cluster, &a, at[n]))).into();
    runs.sort_by_key(|(n, _)| *n);
    let own = cluster.put(&a, |run| {
        run.activate().sleep("nap", at[0]).release();
    });
    let id = |n: usize| runs[n].1.id();
    let before = at[0].before(Duration::from_micros(1));
    assert_eq!(b.shared().claim_due(before, ALL).unwrap(), []);
    assert_eq!(b.shared().claim_due(at[3], 0).unwrap(), []);
    assert_eq!(b.shared().claim_due(at[3], 2).unwrap(), [id(0), id(1)]);
    assert_eq!(a.shared().claim_due(at[3], ALL).unwrap(), [id(2), id(3)]);
    assert_eq!(b.shared().claim_due(at[3], ALL).unwrap(), [], "what is claimed is not free");
    cluster.release(&b, &runs[0].1, None);
    assert_eq!(a.shared().claim_due(Timestamp::MAX, ALL).unwrap(), [id(0), id(4)]);
    assert!(a.has(&own), "its own runs are its own matter");
}

fn away(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let run = cluster.put(&a, |run| {
        run.activate();
    });
    let other = cluster.put(&a, |run| {
        run.activate();
    });
    let until = cluster.tick();
    let away = Away { until, idle: false };
    cluster.release(&a, &run, Some(away));
    cluster.release(
        &a,
        &other,
        Some(Away { until: until.after(Duration::from_secs(1)), idle: true }),
    );
    let before = until.before(Duration::from_micros(1));
    assert_eq!(b.shared().claim_due(before, ALL).unwrap(), []);
    assert!(b.has(&run), "it may come back before");
    cluster.release(&b, &run, Some(away));
    assert_eq!(a.shared().claim_due(until, ALL).unwrap(), [run.id()]);
    let mine = Claim::Mine { journal: run.journal().to_vec(), away: Some(away) };
    assert_eq!(a.claim(run.id()), mine, "who claims it because of that sees it");
    let later = b.shared().claim_due(Timestamp::MAX, ALL).unwrap();
    assert_eq!(later, [other.id()]);
}

fn twice(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let (first, second, third) = (cluster.tick(), cluster.tick(), cluster.tick());
    let both = cluster.put(&a, |run| {
        run.activate().sleep("nap", third);
    });
    cluster.release(&a, &both, Some(Away { until: first, idle: true }));
    let timer = cluster.put(&a, |run| {
        run.activate().sleep("nap", first);
    });
    cluster.release(&a, &timer, Some(Away { until: third, idle: true }));
    let between = asleep(cluster, &a, second);
    let due = b.shared().claim_due(third, ALL).unwrap();
    assert_eq!(due, ids(&[&both, &timer, &between]));
}

fn ready(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let runs: Vec<_> = (0..4).map(|_| cluster.put_free(&a, |_| {})).collect();
    let own = cluster.put(&a, |_| {});
    let held = cluster.put(&a, |run| {
        run.activate();
    });
    cluster.release(&a, &held, Some(Away { until: Timestamp::MAX, idle: true }));
    let mut other = cluster.start(Start { workflow: "refund", ..Start::default() });
    let released = vec![Release { run: other.id(), away: None }];
    cluster.write(&a, &mut other, Share { released, ..Share::default() }).unwrap();
    assert_eq!(claimed(&b, &crew(), 0), []);
    assert_eq!(claimed(&b, &crew(), 2), ids(&[&runs[0], &runs[1]]));
    assert_eq!(claimed(&a, &crew(), ALL), ids(&[&runs[2], &runs[3]]));
    assert_eq!(claimed(&b, &crew(), ALL), []);
    let refund = Queue { workflow: "refund".into(), ..queue() };
    let found = b.shared().claim_ready(&refund, &crew(), ALL).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].1, other.id());
    assert!(a.has(&own));
}

/// Stores a free run that needs something.
fn needing(
    cluster: &mut Cluster<'_>,
    node: &Node,
    runner: Option<&str>,
    shuns: Option<&str>,
) -> Script {
    let mut script = cluster.start(Start::default());
    let needs =
        Needs { run: script.id(), runner: runner.map(Into::into), shuns: shuns.map(Into::into) };
    let released = vec![Release { run: script.id(), away: None }];
    let share = Share { needs: vec![needs], released, ..Share::default() };
    cluster.write(node, &mut script, share).unwrap();
    script
}

fn needs(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let pinned = needing(cluster, &a, Some("gpu-1"), None);
    let shuns = needing(cluster, &a, None, Some("v1"));
    let shuns_none = needing(cluster, &a, None, Some(""));
    let both = needing(cluster, &a, Some("gpu-1"), Some("v1"));
    let of = |names: &[&str], builds: &[&str]| Crew {
        names: names.iter().map(|name| (*name).into()).collect(),
        builds: builds.iter().map(|build| (*build).into()).collect(),
        unshunned: Timestamp::MIN,
    };
    let mut check = |crew: &Crew, expected: &[&Script]| {
        assert_eq!(claimed(&b, crew, ALL), ids(expected), "{crew:?}");
        for run in expected {
            cluster.release(&b, run, None);
        }
    };
    check(&of(&["cpu-1"], &["v1"]), &[&shuns_none]);
    check(&of(&["cpu-1"], &[""]), &[&shuns]);
    check(&of(&["cpu-1", "cpu-2"], &["v1", "v2"]), &[&shuns, &shuns_none]);
    check(&of(&["gpu-1"], &["v1"]), &[&pinned, &shuns_none]);
    check(&of(&["cpu-1", "gpu-1"], &["", "v1"]), &[&pinned, &shuns, &shuns_none, &both]);
    // Who has waited for long is given to a build that could not go on with it, so that it says so.
    let since = shuns.id().created().after(Duration::from_millis(500));
    let patient = Crew { unshunned: since, ..of(&["cpu-1"], &["v1"]) };
    check(&patient, &[&shuns, &shuns_none]);
    check(&Crew { unshunned: since, ..of(&["gpu-1"], &["v1"]) }, &[&pinned, &shuns, &shuns_none]);
}

fn last_needs(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let mut run = needing(cluster, &a, Some("gpu-1"), Some("v1"));
    assert!(a.has(&run));
    assert_eq!(claimed(&b, &crew(), ALL), []);
    run.activate().give_back();
    let released = vec![Release { run: run.id(), away: None }];
    cluster.write(&a, &mut run, Share { released, ..Share::default() }).unwrap();
    assert_eq!(claimed(&b, &crew(), ALL), [run.id()], "of which nothing is said needs nothing");
}

fn at_once(cluster: &mut Cluster<'_>) {
    const RUNS: usize = 40;
    let nodes: Vec<_> = ["a", "b", "c"].iter().map(|name| cluster.join(name)).collect();
    let at = cluster.tick();
    let mut all = BTreeSet::new();
    for n in 0..RUNS {
        let node = &nodes[n % nodes.len()];
        let ready = cluster.put_free(node, |_| {});
        all.extend([ready.id(), asleep(cluster, node, at).id()]);
    }
    let claims: Vec<Vec<RunId>> = thread::scope(|scope| {
        let each = nodes.iter().map(|node| {
            scope.spawn(|| {
                let mut mine = Vec::new();
                loop {
                    let due = node.shared().claim_due(at, 3).unwrap();
                    let ready = claimed(node, &crew(), 3);
                    if due.is_empty() && ready.is_empty() {
                        return mine;
                    }
                    mine.extend(due.into_iter().chain(ready));
                }
            })
        });
        let each: Vec<_> = each.collect();
        each.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut claimed: Vec<RunId> = claims.iter().flatten().copied().collect();
    // What was passed over because another member was claiming it is claimed by somebody at last.
    claimed.extend(nodes[0].shared().claim_due(at, ALL).unwrap());
    claimed.extend(self::claimed(&nodes[0], &crew(), ALL));
    assert_eq!(claimed.len(), all.len(), "each by one");
    assert_eq!(claimed.into_iter().collect::<BTreeSet<_>>(), all);
}
