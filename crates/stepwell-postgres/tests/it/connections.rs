//! Connections that are lost, and callers of all kinds.

use std::time::Duration;

use stepwell_postgres::Effort;
use stepwell_postgres::testing::place;
use stepwell_store::query::Filter;
use stepwell_store::{Error, Store};

use crate::members::{begin, join, write};

/// A reader's connection that was lost is made anew, without a word.
#[test]
fn reads_outlive_their_connections() {
    let Some(place) = place().unwrap() else { return };
    let store = join(&place, "a", 1);
    let mut run = begin(1);
    write(&store, &mut run).unwrap();
    assert!(store.load(run.id()).unwrap().is_some());
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'stepwell' AND pid <> pg_backend_pid()
            AND query NOT LIKE 'WITH fence AS (%'";
    for _ in 0..3 {
        assert!(!place.sql(sql).unwrap().is_empty());
        assert_eq!(store.load(run.id()).unwrap().as_deref(), Some(run.journal()));
    }
    write(&store, run.activate()).unwrap();
}

/// A lease is renewed though the connection was lost on which that was done before.
#[test]
fn a_lease_outlives_its_connection() {
    let Some(place) = place().unwrap() else { return };
    let store = join(&place, "a", 1);
    let shared = store.shared().unwrap();
    let first = shared.renew().unwrap();
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'stepwell' AND query LIKE 'UPDATE members SET lease_until%'";
    assert_eq!(place.sql(sql).unwrap().len(), 1);
    // Whether it is noticed before something is asked is a matter of luck.
    let renewed = shared.renew().or_else(|error| {
        assert!(matches!(error, Error::Unavailable(_)), "{error}");
        shared.renew()
    });
    assert!(renewed.unwrap().now > first.now);
    write(&store, &mut begin(1)).unwrap();
}

/// The store blocks whoever calls it, and may be called from within a runtime.
#[test]
fn a_thread_that_is_inside_of_a_runtime_may_call() {
    let Some(place) = place().unwrap() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = join(&place, "a", 1);
        let mut run = begin(1);
        write(&store, &mut run).unwrap();
        assert_eq!(store.load(run.id()).unwrap().as_deref(), Some(run.journal()));
        store.shared().unwrap().renew().unwrap();
        drop(store);
    });
}

/// §9.4: texts may hold any character, of which PostgreSQL takes all but one.
#[test]
fn texts_with_every_character_come_back() {
    let Some(place) = place().unwrap() else { return };
    let store = join(&place, "a", 1);
    let mut run = begin(1);
    run.search(r#"{"odd": "a\u0000b\u0001\u0002", "plain": "x"}"#);
    let write = run.write();
    let expected = write.summary.clone();
    let batch = stepwell_store::batch::Batch { runs: vec![write], ..Default::default() };
    store.commit(&batch).unwrap();
    let search = vec![stepwell_core::search::Term {
        name: "odd".into(),
        op: stepwell_core::search::Op::Eq,
        value: stepwell_core::search::Value::Text("a\0b\u{1}\u{2}".into()),
    }];
    let filter = Filter { namespace: "default".into(), search, limit: 9, ..Filter::default() };
    let page = store.query(&filter, Duration::ZERO).unwrap();
    assert_eq!(page.runs, [expected]);
}

/// A list that no index leads to looks at so many runs, and says how far it came.
#[test]
fn lists_without_an_index_are_bounded() {
    let Some(place) = place().unwrap() else { return };
    let effort = Effort { looked: 3, time: Duration::from_mins(1) };
    let options = stepwell_postgres::Options { effort, ..place.options() };
    let store = stepwell_postgres::Postgres::join(&options, "a", 1).unwrap();
    let mut ids = Vec::new();
    for salt in 0..8 {
        let mut run = begin(salt);
        write(&store, &mut run).unwrap();
        ids.push(run.id());
    }
    ids.sort_unstable();
    ids.reverse();
    let text = Some(stepwell_store::query::Text::new("nowhere"));
    let filter = Filter { namespace: "default".into(), text, limit: 9, ..Filter::default() };
    let page = store.query(&filter, Duration::ZERO).unwrap();
    assert_eq!((page.runs.len(), page.more, page.reached), (0, true, Some(ids[2])));
}
