//! Finds steps by their ids.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::state::Step;

/// Up to so many steps are looked through; a map would cost more than it saves.
const LOOKED_THROUGH_MAX: usize = 16;

/// Places of steps by their ids.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Empty while there are few steps.
    by_id: FxHashMap<Arc<str>, usize>,
}

impl Index {
    /// Takes up a step that comes after `before`.
    pub(super) fn add(&mut self, id: &Arc<str>, place: usize, before: &[Step]) {
        if place < LOOKED_THROUGH_MAX {
            return;
        }
        if self.by_id.is_empty() {
            let known = before.iter().enumerate();
            self.by_id.extend(known.map(|(place, step)| (step.id.clone(), place)));
        }
        self.by_id.insert(id.clone(), place);
    }

    pub(super) fn find(&self, id: &str, steps: &[Step]) -> Option<usize> {
        if self.by_id.is_empty() {
            // From the end: what is asked about was mostly asked for last.
            return steps.iter().rposition(|step| *step.id == *id);
        }
        self.by_id.get(id).copied()
    }
}
