//! The ledger in PostgreSQL passes the suite for every ledger, and nodes write it together.

use std::collections::BTreeSet;
use std::sync::Arc;

use stepwell_access::audit::{Ask, Chain, DONE, Entry, Order};
use stepwell_access::conformance::check;
use stepwell_access::{Ledger, Pepper};
use stepwell_core::time::Timestamp;
use stepwell_postgres::ledger::open;
use stepwell_postgres::testing::place;

#[test]
fn the_ledger_does_what_every_ledger_does() {
    let Some(place) = place().unwrap() else { return };
    let options = place.options();
    check(&|| Box::new(open(&options, [7; Pepper::BYTES]).unwrap().ledger));
}

/// Keys that one node made are known to the others: all hash under the pepper that the first one drew.
#[test]
fn the_first_node_draws_the_pepper() {
    let Some(place) = place().unwrap() else { return };
    let first = open(&place.options(), [1; Pepper::BYTES]).unwrap().pepper;
    let second = open(&place.options(), [2; Pepper::BYTES]).unwrap().pepper;
    let secret = stepwell_access::Secret::new(stepwell_access::KeyId::new([3; 7]), [4; 32]);
    assert_eq!(first.hash(&secret).as_bytes(), second.hash(&secret).as_bytes());
}

/// The audit log is one chain, however many nodes write it at the same time.
#[test]
fn rows_of_several_nodes_are_one_chain() {
    let Some(place) = place().unwrap() else { return };
    let nodes: Vec<_> = (0..4)
        .map(|_| Arc::new(open(&place.options(), [7; Pepper::BYTES]).unwrap().ledger))
        .collect();
    let entry = |node: usize, nth: i64| Entry {
        at: Timestamp::from_micros(nth),
        namespace: "default".into(),
        key: None,
        key_name: format!("node {node}"),
        from: "127.0.0.1".into(),
        act: "keys.create".into(),
        object: format!("{node}/{nth}"),
        reason: None,
        outcome: DONE.into(),
        of: None,
    };
    std::thread::scope(|scope| {
        for (node, ledger) in nodes.iter().enumerate() {
            scope.spawn(move || {
                for nth in 0..10 {
                    ledger.append(entry(node, nth)).unwrap();
                }
            });
        }
    });
    let rows = nodes[0].audit(&Ask::all(Order::Oldest, 100)).unwrap();
    assert_eq!(rows.len(), 40);
    let objects: BTreeSet<&str> = rows.iter().map(|row| &*row.entry.object).collect();
    assert_eq!(objects.len(), 40, "no row is there twice, and none is missing");
    let mut chain = Chain::default();
    for row in &rows {
        chain.check(row).unwrap();
    }
}
