//! The suite that every ledger must pass.
#![expect(clippy::expect_used, reason = "a suite fails by panicking")]

use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;

use crate::audit::{ASKED, Ask, Chain, DONE, Entry, Order};
use crate::bulk::{Act, Bulk, Counts, Owner, Progress, State};
use crate::key::{Previous, Secret};
use crate::ledger::BulkAsk;
use crate::{Key, KeyId, Ledger, Namespace, Pepper, Role};

/// Checks a ledger; `open` opens the same one again, which is empty at first.
///
/// # Panics
/// Where the ledger does not do what [`Ledger`] says.
pub fn check(open: &dyn Fn() -> Box<dyn Ledger>) {
    namespaces(open);
    first_key(open);
    keys(open);
    audit(open);
    bulks(open);
    exported(open);
}

fn exported(open: &dyn Fn() -> Box<dyn Ledger>) {
    assert_eq!(open().exported(), Ok(None));
    for last in [(at(3), RunId::from_u128(7)), (at(-4), RunId::from_u128(u128::MAX))] {
        open().put_exported(last).expect("it is kept");
        assert_eq!(open().exported(), Ok(Some(last)), "the last one counts");
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000 + 7)
}

fn namespace(name: &str) -> Namespace {
    let (name, created_by) = (Arc::from(name), "ann \"the\" admin".to_owned());
    Namespace { name, created_at: at(1), created_by, closed_at: None }
}

fn key(seed: u8, namespace: &str) -> Key {
    let id = KeyId::new([seed; 7]);
    Key {
        id,
        name: format!("key {seed} ö"),
        namespace: namespace.into(),
        role: Role::Client,
        hash: Pepper::new([1; 32]).hash(&Secret::new(id, [seed; 32])),
        generation: 0,
        previous: None,
        created_at: at(2),
        created_by: "ann".into(),
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    }
}

fn namespaces(open: &dyn Fn() -> Box<dyn Ledger>) {
    let ledger = open();
    assert_eq!(ledger.namespaces(), Ok(vec![]));
    for name in ["shop", "default"] {
        ledger.put_namespace(&namespace(name)).expect("it is kept");
    }
    let closed = Namespace { closed_at: Some(at(9)), ..namespace("shop") };
    ledger.put_namespace(&closed).expect("it is kept");
    drop(ledger);
    assert_eq!(open().namespaces(), Ok(vec![namespace("default"), closed]), "by name");
}

fn keys(open: &dyn Fn() -> Box<dyn Ledger>) {
    let ledger = open();
    let (mut first, second, third) = (key(9, "shop"), key(1, "default"), key(5, "default"));
    for key in [&first, &second, &third] {
        ledger.put_key(key).expect("it is kept");
    }
    let order = vec![first.clone(), second.clone(), third.clone()];
    assert_eq!(ledger.keys(), Ok(order), "in the order of their making");
    first.previous = Some(Previous { hash: first.hash, until: at(30) });
    first.hash = second.hash;
    first.generation = 3;
    (first.expires_at, first.revoked_at) = (Some(at(40)), Some(at(50)));
    ledger.put_key(&first).expect("it is kept");
    let unknown = KeyId::new([77; 7]);
    ledger.used(&[(third.id, at(60)), (unknown, at(60))]).expect("it is noted");
    drop(ledger);
    let third = Key { last_used_at: Some(at(60)), ..third };
    assert_eq!(open().keys(), Ok(vec![first, second.clone(), third.clone()]));
    open().remove_namespace("shop").expect("it is forgotten");
    open().remove_namespace("shop").expect("it is forgotten already");
    assert_eq!(open().keys(), Ok(vec![second, third]));
    assert_eq!(open().namespaces(), Ok(vec![namespace("default")]));
}

/// Of several that keep a first key at the same time one does, and none where there is a key.
fn first_key(open: &dyn Fn() -> Box<dyn Ledger>) {
    let ledger = open();
    let first = std::sync::Barrier::new(4);
    let kept: usize = std::thread::scope(|scope| {
        let tries = (1..=4).map(|seed| {
            let (ledger, first) = (&*ledger, &first);
            scope.spawn(move || {
                first.wait();
                usize::from(ledger.put_first_key(&key(seed, "first")).expect("it is decided"))
            })
        });
        let tries: Vec<_> = tries.collect();
        tries.into_iter().map(|one| one.join().expect("it ends")).sum()
    });
    let count = || ledger.keys().map(|keys| keys.len());
    assert_eq!((kept, count()), (1, Ok(1)));
    assert_eq!(ledger.put_first_key(&key(9, "first")), Ok(false), "there is one");
    assert_eq!(count(), Ok(1));
    ledger.remove_namespace("first").expect("it goes with its keys");
}

fn audit(open: &dyn Fn() -> Box<dyn Ledger>) {
    let entry = |n: i64, namespace: &str| Entry {
        at: at(n),
        namespace: namespace.into(),
        key: (n % 2 == 0).then(|| KeyId::new([9; 7])),
        key_name: "ann".into(),
        from: "192.0.2.7".into(),
        act: if n == 3 { "runs.pausex".into() } else { "runs.pause".into() },
        object: "run_1".into(),
        reason: (n % 3 == 0).then(|| "why \u{2028} not".into()),
        outcome: if n % 2 == 0 { ASKED.into() } else { DONE.into() },
        of: (n % 2 == 1).then_some(1),
    };
    let mut rows = Vec::new();
    for n in 1..=6 {
        let namespace = if n > 4 { "shop" } else { "default" };
        rows.push(open().append(entry(n, namespace)).expect("it is written"));
    }
    let ask = Ask::all(Order::Oldest, 100);
    let ledger = open();
    assert_eq!(ledger.audit(&ask), Ok(rows.clone()));
    let mut chain = Chain::default();
    for row in &rows {
        assert_eq!(chain.check(row), Ok(()));
    }
    let some = Ask { after: 1, before: 6, limit: 2, ..ask.clone() };
    assert_eq!(ledger.audit(&some), Ok(rows[1..3].to_vec()));
    let newest = Ask { order: Order::Newest, ..some };
    assert_eq!(ledger.audit(&newest), Ok(vec![rows[4].clone(), rows[3].clone()]));
    let of = Ask { namespace: Some("shop".into()), ..ask.clone() };
    assert_eq!(ledger.audit(&of), Ok(rows[4..].to_vec()));
    for (narrow, wanted) in [
        (Ask { key: Some(KeyId::new([9; 7])), ..ask.clone() }, vec![2, 4, 6]),
        (Ask { key: Some(KeyId::new([8; 7])), ..ask.clone() }, vec![]),
        (Ask { act: Some("runs.pause".into()), ..ask.clone() }, vec![1, 2, 4, 5, 6]),
        (Ask { act: Some("runs".into()), ..ask.clone() }, vec![1, 2, 3, 4, 5, 6]),
        (Ask { act: Some("run".into()), ..ask.clone() }, vec![]),
        (Ask { act: Some("runs%".into()), ..ask.clone() }, vec![]),
        (Ask { from: at(2), to: at(5), ..ask.clone() }, vec![2, 3, 4]),
        (Ask { key: Some(KeyId::new([9; 7])), namespace: Some("shop".into()), ..ask }, vec![6]),
    ] {
        let found = ledger.audit(&narrow).expect("it is read");
        assert_eq!(found.iter().map(|row| row.n).collect::<Vec<_>>(), wanted, "{narrow:?}");
        assert!(rows.iter().all(|row| narrow.wants(row) == wanted.contains(&row.n)), "{narrow:?}");
    }
}

fn bulk(n: u8, namespace: &str, key: Option<&str>) -> Bulk {
    Bulk {
        id: Bulk::new_id([n; 10]),
        namespace: namespace.into(),
        act: Act::Retry,
        filter: r#"{"status":"failed","q":"ü"}"#.into(),
        reason: Some("the bank \u{2028} is back".into()),
        by: None,
        key: key.map(Into::into),
        owner: Owner { key: None, name: "ann".into(), from: "192.0.2.7".into() },
        created_at: at(10),
        changed_at: at(10),
        ended_at: None,
        state: State::Collecting,
        why: None,
        counts: Counts::default(),
        progress: Progress { before: Some(RunId::from_u128(u128::MAX)), ..Progress::default() },
    }
}

fn bulks(open: &dyn Fn() -> Box<dyn Ledger>) {
    let ask = |namespace: Option<&str>, open, limit| {
        let namespace = namespace.map(Arc::from);
        BulkAsk { namespace, open, limit }
    };
    let ledger = open();
    assert_eq!(ledger.bulks(&ask(None, false, 10)), Ok(vec![]));
    let (mut first, second) = (bulk(9, "default", Some("k")), bulk(1, "stock", Some("k")));
    ledger.put_bulk(&first, None).expect("it is kept");
    ledger.put_bulk(&second, None).expect("it is kept");
    let portions = [[3_u128, u128::MAX, 1].map(RunId::from_u128).to_vec(), vec![RunId::MIN]];
    for portion in &portions {
        first.progress.portions += 1;
        first.counts.matched += portion.len() as u64;
        first.counts.add_refusal(RunId::MIN, "SW2005", "it has ended");
        ledger.put_bulk(&first, Some(portion)).expect("it is kept");
    }
    drop(ledger);
    let ledger = open();
    for (number, portion) in (0..).zip(&portions) {
        assert_eq!(ledger.bulk_portion(&first.id, number).as_ref(), Ok(portion), "in their order");
    }
    assert_eq!(ledger.bulk_portion(&first.id, 2), Ok(vec![]));
    assert_eq!(ledger.bulk_portion(&second.id, 0), Ok(vec![]));
    assert_eq!(ledger.bulk(&first.id), Ok(Some(first.clone())));
    assert_eq!(ledger.bulk("blk_none"), Ok(None));
    assert_eq!(ledger.bulk_of_key("stock", "k"), Ok(Some(second.clone())));
    assert_eq!(ledger.bulk_of_key("stock", "other"), Ok(None));
    let newest = vec![second.clone(), first.clone()];
    assert_eq!(ledger.bulks(&ask(None, true, 10)), Ok(newest));
    assert_eq!(ledger.bulks(&ask(None, false, 1)), Ok(vec![second.clone()]));
    assert_eq!(ledger.bulks(&ask(Some("default"), false, 10)), Ok(vec![first.clone()]));
    first.end(State::Done, None, at(20));
    ledger.put_bulk(&first, None).expect("it is kept");
    drop(ledger);
    let ledger = open();
    assert_eq!(ledger.bulk_portion(&first.id, 0), Ok(vec![]), "what has ended needs no runs");
    assert_eq!(ledger.bulks(&ask(None, true, 10)), Ok(vec![second.clone()]));
    ledger.forget_bulks(at(20)).expect("nothing is so old");
    assert_eq!(ledger.bulk(&first.id), Ok(Some(first.clone())));
    ledger.forget_bulks(at(21)).expect("it is forgotten");
    assert_eq!(ledger.bulks(&ask(None, false, 10)), Ok(vec![second.clone()]));
    let stock = namespace("stock");
    ledger.put_namespace(&stock).expect("it is kept");
    ledger.remove_namespace("stock").expect("it is forgotten with its acts");
    assert_eq!(open().bulks(&ask(None, false, 10)), Ok(vec![]));
}
