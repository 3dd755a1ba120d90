//! Which of several nodes is asked.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Nodes of which one is asked, until it is no good: then it is the next one's turn. It begins with one of them by
/// chance, so that programs with the same list are spread over the nodes. Cheap to clone; clones share whose turn
/// it is.
#[derive(Clone, Debug)]
pub(crate) struct Turn<T> {
    nodes: Arc<[T]>,
    at: Arc<AtomicUsize>,
}

impl<T> Turn<T> {
    pub(crate) fn of(nodes: Vec<T>) -> Self {
        // Small enough to be counted on from, also where an address is half as wide.
        let chance = usize::try_from(RandomState::new().hash_one(0) >> 40).unwrap_or_default();
        Self { nodes: nodes.into(), at: Arc::new(AtomicUsize::new(chance)) }
    }

    /// Returns all of them.
    pub(crate) fn all(&self) -> &[T] {
        &self.nodes
    }

    /// Returns the one whose turn it is, and what [`Turn::pass`] takes; `None` where there are none.
    pub(crate) fn now(&self) -> Option<(&T, usize)> {
        let at = self.at.load(Ordering::Relaxed);
        Some((self.nodes.get(at.checked_rem(self.nodes.len())?)?, at))
    }

    /// Makes it the next one's turn, unless somebody else has passed this one over already.
    pub(crate) fn pass(&self, at: usize) {
        let next = at.wrapping_add(1);
        // Whoever was first has done it.
        let _ = self.at.compare_exchange(at, next, Ordering::Relaxed, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_take_turns_and_one_is_passed_over_once() {
        let turn = Turn::of(vec!["a", "b", "c"]);
        let clone = turn.clone();
        let (first, at) = turn.now().unwrap();
        assert_eq!(clone.now().unwrap(), (first, at));
        turn.pass(at);
        clone.pass(at);
        let (second, at) = turn.now().unwrap();
        turn.pass(at);
        let (third, at) = turn.now().unwrap();
        turn.pass(at);
        let mut all = [*first, *second, *third];
        all.sort_unstable();
        assert_eq!((all, turn.now().unwrap().0), (["a", "b", "c"], first));
        assert!(Turn::<u8>::of(Vec::new()).now().is_none());
    }

    #[test]
    fn who_begins_is_left_to_chance() {
        let first = || *Turn::of(vec!["a", "b"]).now().unwrap().0;
        let begun: Vec<&str> = (0..200).map(|_| first()).collect();
        assert!(begun.contains(&"a") && begun.contains(&"b"));
    }
}
