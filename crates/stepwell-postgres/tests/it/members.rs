//! Members that write while something befalls them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use stepwell_core::id::RunId;
use stepwell_core::status::StepStatus;
use stepwell_core::time::Timestamp;
use stepwell_postgres::Postgres;
use stepwell_postgres::testing::{Place, place};
use stepwell_store::batch::Batch;
use stepwell_store::conformance::{Script, Start};
use stepwell_store::shared::Claim;
use stepwell_store::{Error, Position, Store};

/// How long something may take to be seen. Long, since the machine may be busy.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) fn join(place: &Place, node: &str, nonce: u128) -> Arc<Postgres> {
    Arc::new(Postgres::join(&place.options(), node, nonce).unwrap())
}

pub(crate) fn begin(salt: u64) -> Script {
    Script::new(Timestamp::from_millis(1_795_000_000_000), salt, Start::default())
}

pub(crate) fn write(store: &Postgres, script: &mut Script) -> Result<Position, Error> {
    let at = Timestamp::from_millis(1_795_000_000_000);
    store.commit(&Batch { at, runs: vec![script.write()], ..Batch::default() })
}

/// Takes over what members had that are gone, and claims a run.
fn claim_anew(store: &Postgres, run: RunId) -> Vec<u8> {
    let shared = store.shared().unwrap();
    while shared.take_over(Duration::ZERO, 100).unwrap() > 0 {}
    let claimed = shared.claim(&[run]).unwrap();
    let [Claim::Mine { journal, .. }] = &claimed[..] else { panic!("{claimed:?}") };
    journal.clone()
}

/// Waits until so many of the store's statements wait for a lock.
fn wait_for_waiting(place: &Place, count: usize) {
    let begun = Instant::now();
    let sql = "SELECT pid FROM pg_locks WHERE NOT granted";
    while place.sql(sql).unwrap().len() < count {
        assert!(begun.elapsed() < PATIENCE, "nobody waits for the lock");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Has the commit of a run with the key `held` wait, in the midst of its statement.
const HOLD: &str = "BEGIN; INSERT INTO keys (namespace, app, workflow, key, run)
    VALUES ('default', 'shop', 'checkout', 'held', '00000000-0000-0000-0000-000000000007')";

fn held() -> Script {
    let start = Start { key: Some("held"), ..Start::default() };
    Script::new(Timestamp::from_millis(1_795_000_000_000), 99, start)
}

/// I20: of a commit whose connection was cut it is not known what became of it; nothing more is written
/// by that handle, and a new member finds all of it or nothing.
#[test]
fn a_commit_whose_backend_is_killed_is_unknown() {
    let Some(place) = place().unwrap() else { return };
    let store = join(&place, "a", 1);
    let mut run = held();
    place.sql(HOLD).unwrap();
    let outcome = std::thread::scope(|scope| {
        let commit = scope.spawn(|| write(&store, &mut run));
        wait_for_waiting(&place, 1);
        place.sql("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted").unwrap();
        commit.join().unwrap()
    });
    place.sql("ROLLBACK").unwrap();
    assert!(matches!(outcome, Err(Error::Unknown(_))), "{outcome:?}");
    let again = write(&store, &mut begin(2));
    assert!(matches!(again, Err(Error::Poisoned(_))), "{again:?}");
    let next = join(&place, "a", 2);
    assert_eq!(next.load(run.id()), Ok(None), "it was killed before it was done");
    write(&next, &mut held()).unwrap();
}

/// I20: the same, at whatever instant of a commit the backend is killed.
#[test]
fn backends_that_are_killed_at_any_time_leave_all_of_a_commit_or_nothing() {
    let Some(place) = place().unwrap() else { return };
    let mut run = begin(1);
    let mut store = join(&place, "a", 1);
    write(&store, &mut run).unwrap();
    let (mut undone, mut done) = (0, 0);
    for round in 0..12_u32 {
        let mut known = run.journal().to_vec();
        let killing = std::thread::scope(|scope| {
            let kill = scope.spawn(|| {
                // While it writes, and between.
                std::thread::sleep(Duration::from_millis(u64::from(round)));
                let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE query LIKE 'WITH fence AS (%' AND application_name = 'stepwell'";
                let begun = Instant::now();
                while place.sql(sql).unwrap().is_empty() {
                    assert!(begun.elapsed() < PATIENCE, "no statement of the store was seen");
                }
            });
            for step in 0.. {
                run.end(&format!("{round}-{step}"), StepStatus::Completed, "1");
                match write(&store, &mut run) {
                    Ok(_) => known = run.journal().to_vec(),
                    Err(Error::Unknown(_)) => break,
                    Err(error) => panic!("{error}"),
                }
            }
            kill.join()
        });
        killing.unwrap();
        store = join(&place, "a", u128::from(round) + 2);
        let found = claim_anew(&store, run.id());
        if found == known {
            undone += 1;
            // What was not written is said again.
            let rest = run.journal()[known.len()..].to_vec();
            let mut write = run.write();
            write.records = rest;
            let batch = Batch { at: Timestamp::MIN, runs: vec![write], ..Batch::default() };
            store.commit(&batch).unwrap();
        } else {
            done += 1;
            assert_eq!(found, run.journal(), "all of it, or nothing");
        }
    }
    assert_eq!(undone + done, 12);
    assert_eq!(store.load(run.id()).unwrap().as_deref(), Some(run.journal()));
}

/// I20: who joins under a node's name waits for what the one before is writing, and nothing is written
/// by that one after.
#[test]
fn who_joins_waits_for_what_is_being_written() {
    let Some(place) = place().unwrap() else { return };
    let old = join(&place, "a", 1);
    let mut run = held();
    place.sql(HOLD).unwrap();
    let new = std::thread::scope(|scope| {
        let commit = scope.spawn(|| write(&old, &mut run));
        wait_for_waiting(&place, 1);
        let joining = scope.spawn(|| join(&place, "a", 2));
        wait_for_waiting(&place, 2);
        place.sql("ROLLBACK").unwrap();
        commit.join().unwrap().unwrap();
        joining.join().unwrap()
    });
    assert_eq!(claim_anew(&new, run.id()), run.journal(), "the new one sees it");
    let late = write(&old, run.activate());
    assert_eq!(late, Err(Error::Fenced));
}

/// I20: a member of one life cannot write what another life of it believes to know.
#[test]
fn histories_that_diverge_are_not_written() {
    let Some(place) = place().unwrap() else { return };
    let store = join(&place, "a", 1);
    let mut run = begin(1);
    write(&store, &mut run).unwrap();
    let mut other = run.clone();
    run.activate();
    write(&store, &mut run).unwrap();
    other.block();
    assert_eq!(write(&store, &mut other), Err(Error::Fenced));
    assert_eq!(store.load(run.id()).unwrap().as_deref(), Some(run.journal()));
}
