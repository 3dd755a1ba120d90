//! Whose a run is.

use std::sync::Arc;
use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::status::RunStatus;
use stepwell_core::time::Timestamp;

use super::cluster::{ALL, Cluster, Node, ids, queue};
use super::harness::Case;
use crate::conformance::injector::Injector;
use crate::conformance::script::Start;
use crate::error::Error;
use crate::query::Filter;
use crate::shared::{Away, Claim, Release, Share};
use crate::store::Store;

pub(super) const CASES: &[Case] = &[
    Case::new("a_run_is_one_members_until_it_is_released", exclusive),
    Case::new("claims_are_answered_in_the_order_of_the_question", answered),
    Case::new("a_run_may_be_released_with_its_last_records", released),
    Case::new("what_is_not_its_own_cannot_be_released", not_released),
    Case::new("only_whose_a_run_is_writes_of_it", written),
    Case::new("a_run_that_a_runner_holds_is_free_with_what_is_known_of_that", away),
    Case::new("reads_show_what_all_members_wrote", read),
    Case::new("ended_runs_are_purged_and_deleted_whose_ever_they_were", deleted),
    Case::new("a_store_behind_the_injector_is_shared_as_well", injected),
];

fn exclusive(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let run = cluster.put(&a, |_| {});
    assert_eq!(b.claim(run.id()), Claim::Elsewhere);
    assert!(a.has(&run), "what is its own stays so");
    cluster.release(&a, &run, None);
    let mine = Claim::Mine { journal: run.journal().to_vec(), away: None };
    assert_eq!(b.claim(run.id()), mine);
    assert_eq!(a.claim(run.id()), Claim::Elsewhere);
}

fn answered(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let (first, second) = (cluster.put_free(&a, |_| {}), cluster.put(&a, |_| {}));
    let nobody = RunId::from_u128(7);
    let claims = b.shared().claim(&[second.id(), nobody, first.id(), first.id()]).unwrap();
    let mine = Claim::Mine { journal: first.journal().to_vec(), away: None };
    assert_eq!(claims, [Claim::Elsewhere, Claim::Missing, mine.clone(), mine]);
    assert_eq!(b.shared().claim(&[]).unwrap(), []);
}

fn released(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let mut run = cluster.start(Start::default());
    let released = vec![Release { run: run.id(), away: None }];
    let share = Share { released, ..Share::default() };
    cluster.write(&a, &mut run, share.clone()).unwrap();
    assert!(b.has(&run), "a new run may be free at once");
    run.activate().give_back();
    cluster.write(&b, &mut run, share).unwrap();
    assert_eq!(
        a.claim(run.id()),
        Claim::Mine { journal: run.journal().to_vec(), away: None },
        "with the records of the batch that released it"
    );
}

fn not_released(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let run = cluster.put(&a, |_| {});
    cluster.release(&b, &run, None);
    assert_eq!(b.claim(run.id()), Claim::Elsewhere);
    assert!(a.has(&run));
}

fn written(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let mut run = cluster.put(&a, |_| {});
    let (stored, mut theirs) = (run.journal().to_vec(), run.clone());
    theirs.activate();
    assert_eq!(cluster.write(&b, &mut theirs, Share::default()), Err(Error::Fenced));
    assert_eq!(a.store.load(run.id()).unwrap(), Some(stored));
    run.activate().ended(RunStatus::Completed);
    cluster.write(&a, &mut run, Share::default()).unwrap();
    assert_eq!(b.store.load(run.id()).unwrap().as_deref(), Some(run.journal()));
}

fn away(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let run = cluster.put(&a, |run| {
        run.activate();
    });
    for idle in [true, false] {
        let away = Away { until: cluster.tick(), idle };
        cluster.release(&a, &run, Some(away));
        for again in 0..2 {
            let claim = b.claim(run.id());
            let mine = Claim::Mine { journal: run.journal().to_vec(), away: Some(away) };
            assert_eq!(claim, mine, "asked before: {again}");
        }
        cluster.release(&b, &run, None);
        let Claim::Mine { away, .. } = a.claim(run.id()) else { panic!("the run was free") };
        assert_eq!(away, None, "what was said of the runner last counts");
    }
}

fn read(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let at = cluster.tick();
    let asleep = cluster.put(&a, |run| {
        run.activate().sleep("nap", at).release();
    });
    let active = cluster.put(&b, |run| {
        run.activate();
    });
    let ready = cluster.put_free(&b, |_| {});
    for node in [&a, &b] {
        let store = &node.store;
        assert_eq!(store.load(active.id()).unwrap().as_deref(), Some(active.journal()));
        assert_eq!(store.due(Timestamp::MAX, None, ALL).unwrap(), [(at, asleep.id())]);
        assert_eq!(store.active(None, ALL).unwrap(), [active.id()]);
        let found = store.ready(&queue(), None, ALL).unwrap();
        assert_eq!(found.iter().map(|(_, run)| *run).collect::<Vec<_>>(), [ready.id()]);
        let filter = Filter { namespace: "default".into(), limit: ALL, ..Filter::default() };
        let page = store.query(&filter, Duration::from_secs(20)).unwrap();
        let listed: Vec<_> = page.runs.iter().map(|row| row.id).collect();
        assert_eq!(listed, ids(&[&ready, &active, &asleep]));
    }
    assert!(b.has(&ready), "reads claim nothing");
}

fn deleted(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let mut ended = || {
        cluster.put(&a, |run| {
            run.activate().ended(RunStatus::Completed);
        })
    };
    let (first, second) = (ended(), ended());
    let retention = crate::retention::RunRetention::of(Timestamp::MAX);
    b.store.delete("default", second.id()).unwrap();
    assert_eq!(a.claim(second.id()), Claim::Missing);
    assert_eq!(b.store.purge(&retention, ALL).unwrap(), 1);
    assert_eq!(a.claim(first.id()), Claim::Missing);
    // Who held it does not know, and lets go of it.
    cluster.release(&a, &first, None);
    assert_eq!(b.claim(first.id()), Claim::Missing);
}

fn injected(cluster: &mut Cluster<'_>) {
    let a = cluster.join("a");
    let store: Arc<dyn Store> = Arc::new(Injector::new(Arc::clone(&a.store), 2));
    let b = Node { store };
    let run = cluster.put(&b, |_| {});
    assert_eq!(b.shared().lease(), a.shared().lease());
    let error = cluster.write(&b, &mut run.clone().activate().clone(), Share::default());
    assert!(matches!(error, Err(Error::Unknown(_))), "each second commit fails: {error:?}");
    let Claim::Mine { journal, .. } = b.claim(run.id()) else { panic!("it is a member's") };
    assert!(journal.len() > run.journal().len(), "the first fault is behind the work");
}
