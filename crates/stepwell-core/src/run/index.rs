//! Finds steps by their ids.

use alloc::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::id::RunId;

/// Positions of steps by their ids.
///
/// Ids may come from what outsiders send to a workflow. They are hashed under the run's own id, which
/// is random, so nobody can choose ids that all come to one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Index(HashMap<Arc<str>, u32, FixedState>);

impl Index {
    pub(super) fn of(run: RunId) -> Self {
        let low = run.as_u128() & u128::from(u64::MAX);
        let seed = u64::try_from(low).unwrap_or_default();
        Self(HashMap::with_hasher(FixedState::with_seed(seed)))
    }

    pub(super) fn get(&self, id: &str) -> Option<u32> {
        self.0.get(id).copied()
    }

    pub(super) fn insert(&mut self, id: Arc<str>, position: u32) {
        self.0.insert(id, position);
    }

    /// Keeps the steps at these positions only.
    pub(super) fn retain(&mut self, keeps: impl Fn(u32) -> bool) {
        self.0.retain(|_, position| keeps(*position));
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
