//! A ledger in memory: for servers that keep nothing, and for tests.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;

use crate::audit::{Ask, Chain, Entry, Order, Row};
use crate::bulk::Bulk;
use crate::key::{Key, KeyId};
use crate::ledger::{BulkAsk, Error, Ledger};
use crate::namespace::Namespace;

/// Rows of the audit log that are kept in memory.
const ROWS_MAX: usize = 10_000;

/// A ledger in memory. Of the audit log it keeps the last 10,000 rows.
#[derive(Debug, Default)]
pub struct MemoryLedger {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    namespaces: BTreeMap<Arc<str>, Namespace>,
    keys: Vec<Key>,
    rows: VecDeque<Row>,
    /// With the portions of their runs, in the order in which they were asked for.
    bulks: Vec<(Bulk, Vec<Vec<RunId>>)>,
    exported: Option<(Timestamp, RunId)>,
}

impl MemoryLedger {
    /// Makes an empty ledger.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger for MemoryLedger {
    fn namespaces(&self) -> Result<Vec<Namespace>, Error> {
        Ok(self.state().namespaces.values().cloned().collect())
    }

    fn put_namespace(&self, namespace: &Namespace) -> Result<(), Error> {
        self.state().namespaces.insert(Arc::clone(&namespace.name), namespace.clone());
        Ok(())
    }

    fn remove_namespace(&self, name: &str) -> Result<(), Error> {
        let mut state = self.state();
        state.namespaces.remove(name);
        state.keys.retain(|key| *key.namespace != *name);
        state.bulks.retain(|(bulk, _)| *bulk.namespace != *name);
        Ok(())
    }

    fn keys(&self) -> Result<Vec<Key>, Error> {
        Ok(self.state().keys.clone())
    }

    fn put_key(&self, key: &Key) -> Result<(), Error> {
        let mut state = self.state();
        match state.keys.iter_mut().find(|one| one.id == key.id) {
            Some(kept) => *kept = key.clone(),
            None => state.keys.push(key.clone()),
        }
        Ok(())
    }

    fn put_first_key(&self, key: &Key) -> Result<bool, Error> {
        let mut state = self.state();
        let is_first = state.keys.is_empty();
        if is_first {
            state.keys.push(key.clone());
        }
        Ok(is_first)
    }

    fn used(&self, keys: &[(KeyId, Timestamp)]) -> Result<(), Error> {
        let mut state = self.state();
        for (id, at) in keys {
            if let Some(key) = state.keys.iter_mut().find(|one| one.id == *id) {
                key.last_used_at = Some(*at);
            }
        }
        Ok(())
    }

    fn append(&self, entry: Entry) -> Result<Row, Error> {
        let mut state = self.state();
        let chain = state.rows.back().map_or_else(Chain::default, Chain::behind);
        let row = chain.next(entry);
        if state.rows.len() == ROWS_MAX {
            state.rows.pop_front();
        }
        state.rows.push_back(row.clone());
        Ok(row)
    }

    fn audit(&self, ask: &Ask) -> Result<Vec<Row>, Error> {
        let state = self.state();
        let wanted = |row: &&Row| ask.wants(row);
        let rows = state.rows.iter();
        Ok(match ask.order {
            Order::Oldest => rows.filter(wanted).take(ask.limit).cloned().collect(),
            Order::Newest => rows.rev().filter(wanted).take(ask.limit).cloned().collect(),
        })
    }

    fn bulks(&self, ask: &BulkAsk) -> Result<Vec<Bulk>, Error> {
        let wanted = |bulk: &&Bulk| {
            let ours = ask.namespace.as_ref().is_none_or(|one| *one == bulk.namespace);
            ours && (!ask.open || !bulk.state.is_ended())
        };
        let state = self.state();
        let all = state.bulks.iter().rev().map(|(bulk, _)| bulk);
        Ok(all.filter(wanted).take(ask.limit).cloned().collect())
    }

    fn bulk(&self, id: &str) -> Result<Option<Bulk>, Error> {
        let state = self.state();
        Ok(state.bulks.iter().find(|(bulk, _)| bulk.id == id).map(|(bulk, _)| bulk.clone()))
    }

    fn bulk_of_key(&self, namespace: &str, key: &str) -> Result<Option<Bulk>, Error> {
        let is = |bulk: &Bulk| *bulk.namespace == *namespace && bulk.key.as_deref() == Some(key);
        let state = self.state();
        Ok(state.bulks.iter().find(|(bulk, _)| is(bulk)).map(|(bulk, _)| bulk.clone()))
    }

    fn put_bulk(&self, bulk: &Bulk, portion: Option<&[RunId]>) -> Result<(), Error> {
        let mut state = self.state();
        let at = state.bulks.iter().position(|(one, _)| one.id == bulk.id).unwrap_or_else(|| {
            state.bulks.push((bulk.clone(), Vec::new()));
            state.bulks.len() - 1
        });
        if let Some((kept, portions)) = state.bulks.get_mut(at) {
            kept.clone_from(bulk);
            portions.extend(portion.map(<[RunId]>::to_vec));
            if bulk.state.is_ended() {
                portions.clear();
            }
        }
        Ok(())
    }

    fn bulk_portion(&self, id: &str, portion: u32) -> Result<Vec<RunId>, Error> {
        let state = self.state();
        let found = state.bulks.iter().find(|(bulk, _)| bulk.id == id);
        let at = usize::try_from(portion).unwrap_or(usize::MAX);
        Ok(found.and_then(|(_, portions)| portions.get(at).cloned()).unwrap_or_default())
    }

    fn exported(&self) -> Result<Option<(Timestamp, RunId)>, Error> {
        Ok(self.state().exported)
    }

    fn put_exported(&self, last: (Timestamp, RunId)) -> Result<(), Error> {
        self.state().exported = Some(last);
        Ok(())
    }

    fn forget_bulks(&self, before: Timestamp) -> Result<(), Error> {
        self.state().bulks.retain(|(bulk, _)| bulk.ended_at.is_none_or(|at| at >= before));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One memory in every life, as a folder is.
    #[derive(Debug)]
    struct Same(Arc<MemoryLedger>);

    impl Ledger for Same {
        fn namespaces(&self) -> Result<Vec<Namespace>, Error> {
            self.0.namespaces()
        }

        fn put_namespace(&self, namespace: &Namespace) -> Result<(), Error> {
            self.0.put_namespace(namespace)
        }

        fn remove_namespace(&self, name: &str) -> Result<(), Error> {
            self.0.remove_namespace(name)
        }

        fn keys(&self) -> Result<Vec<Key>, Error> {
            self.0.keys()
        }

        fn put_key(&self, key: &Key) -> Result<(), Error> {
            self.0.put_key(key)
        }

        fn put_first_key(&self, key: &Key) -> Result<bool, Error> {
            self.0.put_first_key(key)
        }

        fn used(&self, keys: &[(KeyId, Timestamp)]) -> Result<(), Error> {
            self.0.used(keys)
        }

        fn append(&self, entry: Entry) -> Result<Row, Error> {
            self.0.append(entry)
        }

        fn audit(&self, ask: &Ask) -> Result<Vec<Row>, Error> {
            self.0.audit(ask)
        }

        fn bulks(&self, ask: &BulkAsk) -> Result<Vec<Bulk>, Error> {
            self.0.bulks(ask)
        }

        fn bulk(&self, id: &str) -> Result<Option<Bulk>, Error> {
            self.0.bulk(id)
        }

        fn bulk_of_key(&self, namespace: &str, key: &str) -> Result<Option<Bulk>, Error> {
            self.0.bulk_of_key(namespace, key)
        }

        fn put_bulk(&self, bulk: &Bulk, portion: Option<&[RunId]>) -> Result<(), Error> {
            self.0.put_bulk(bulk, portion)
        }

        fn bulk_portion(&self, id: &str, portion: u32) -> Result<Vec<RunId>, Error> {
            self.0.bulk_portion(id, portion)
        }

        fn exported(&self) -> Result<Option<(Timestamp, RunId)>, Error> {
            self.0.exported()
        }

        fn put_exported(&self, last: (Timestamp, RunId)) -> Result<(), Error> {
            self.0.put_exported(last)
        }

        fn forget_bulks(&self, before: Timestamp) -> Result<(), Error> {
            self.0.forget_bulks(before)
        }
    }

    #[test]
    fn it_is_a_ledger() {
        let memory = Arc::new(MemoryLedger::new());
        crate::conformance::check(&|| Box::new(Same(Arc::clone(&memory))));
    }
}
