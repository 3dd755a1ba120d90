//! What functions and handlers saw, written down outside of the engine, and what must not be seen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// What happened, over all processes.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Results that code was given.
    given: BTreeMap<(String, String), u64>,
    /// The ends that each run's code was given, in order.
    orders: BTreeMap<String, Vec<String>>,
    /// Functions called, for the fingerprint.
    calls: u64,
    kinds: BTreeSet<&'static str>,
}

impl Ledger {
    /// A function begins.
    pub(super) fn begin(&self, run: &str, step: &str, attempt: u32) {
        let mut inner = self.inner.lock().unwrap();
        inner.calls += 1;
        let given = inner.given.get(&(run.to_owned(), step.to_owned())).copied();
        drop(inner);
        assert_eq!(
            given, None,
            "{run} {step}: attempt {attempt} begins after its result was given"
        );
    }

    /// Code is given a result.
    pub(super) fn give(&self, run: &str, step: &str, value: u64) {
        let mut inner = self.inner.lock().unwrap();
        let before = *inner.given.entry((run.to_owned(), step.to_owned())).or_insert(value);
        drop(inner);
        assert_eq!(before, value, "{run} {step}: the result changed");
    }

    /// Code is given the end of a step as the `at`-th one of this activation.
    pub(super) fn order(&self, run: &str, at: usize, step: &str) {
        let mut inner = self.inner.lock().unwrap();
        let order = inner.orders.entry(run.to_owned()).or_default();
        if at == order.len() {
            order.push(step.to_owned());
        }
        let before = order[at].clone();
        drop(inner);
        assert_eq!(before, step, "{run}: end {at} is another on replay");
    }

    pub(super) fn met(&self, kind: &'static str) {
        self.inner.lock().unwrap().kinds.insert(kind);
    }

    /// Tells what happened in one number and a list.
    pub(super) fn sum(&self) -> (u64, usize, BTreeSet<&'static str>) {
        let inner = self.inner.lock().unwrap();
        (inner.calls, inner.orders.values().map(Vec::len).sum(), inner.kinds.clone())
    }
}
