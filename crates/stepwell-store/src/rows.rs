//! Rows of runs in memory, in the orders that queues and timers are asked for.
//!
//! The store in memory is made of them, and so is what a store on disk keeps in memory of writes
//! that its tables do not hold yet.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::matching::{Leaf, Leaves};
use stepwell_core::summary::Summary;
use stepwell_core::time::Timestamp;
use stepwell_core::wait::Wait;

use crate::query::{Cursor, EventName, Key, Queue};

/// The latest row of each run, with an index for each question.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    runs: BTreeMap<RunId, Arc<Summary>>,
    timers: BTreeSet<(Timestamp, RunId)>,
    ready: BTreeMap<Queue, BTreeSet<(Timestamp, RunId)>>,
    active: BTreeSet<RunId>,
    blocked: BTreeMap<Queue, BTreeSet<RunId>>,
    keys: BTreeMap<Key, BTreeSet<RunId>>,
    /// Of runs that have any.
    waits: BTreeMap<RunId, Arc<[Wait]>>,
    filed: BTreeMap<EventName, BTreeMap<Place, Wait>>,
}

/// The order of waits on one event.
type Place = (Leaf, RunId, Arc<str>);

impl Rows {
    /// Puts a run's row in place of the one before, which it returns.
    pub fn set(&mut self, row: &Arc<Summary>) -> Option<Arc<Summary>> {
        let old = self.runs.insert(row.id, Arc::clone(row));
        self.index(old.as_deref(), Some(row));
        old
    }

    /// Puts a run's waits in place of those before.
    pub fn set_waits(&mut self, run: RunId, waits: &Arc<[Wait]>) {
        let old = if waits.is_empty() {
            self.waits.remove(&run)
        } else {
            self.waits.insert(run, Arc::clone(waits))
        };
        if old.as_ref() == Some(waits) {
            return;
        }
        for wait in old.iter().flat_map(|waits| &**waits) {
            let event = event_of(wait);
            if let Some(filed) = self.filed.get_mut(&event) {
                filed.remove(&place_of(wait));
                if filed.is_empty() {
                    self.filed.remove(&event);
                }
            }
        }
        for wait in &**waits {
            self.filed.entry(event_of(wait)).or_default().insert(place_of(wait), wait.clone());
        }
    }

    /// Returns the waits for an event under these leaves behind the given one, in their order.
    pub fn waits_for(
        &self,
        event: &EventName,
        leaves: &Leaves,
        after: Option<&Wait>,
    ) -> impl Iterator<Item = &Wait> {
        let after = after.map(place_of);
        let filed = self.filed.get(event);
        let every = matches!(leaves, Leaves::All).then_some((None, after.clone()));
        let each = match leaves {
            Leaves::Each(leaves) => &leaves[..],
            Leaves::All => &[],
        };
        let each = each.iter().map(move |leaf| (Some(*leaf), after.clone()));
        every.into_iter().chain(each).flat_map(move |(leaf, after)| {
            let start = match (leaf.map(|leaf| (leaf, RunId::MIN, Arc::from(""))), after) {
                // No step has an empty id, so nothing stands at the very beginning of a leaf.
                (Some(first), Some(after)) => Bound::Excluded(first.max(after)),
                (Some(place), None) | (None, Some(place)) => Bound::Excluded(place),
                (None, None) => Bound::Unbounded,
            };
            let within = move |wait: &&Wait| leaf.is_none_or(|leaf| wait.leaf == leaf);
            let range = filed.map(|filed| filed.range((start, Bound::Unbounded)));
            range.into_iter().flatten().map(|(_, wait)| wait).take_while(within)
        })
    }

    /// Takes a run's row and its waits out.
    pub fn remove(&mut self, run: RunId) -> Option<Arc<Summary>> {
        self.set_waits(run, &Arc::default());
        let old = self.runs.remove(&run)?;
        self.index(Some(&old), None);
        Some(old)
    }

    /// Returns a run's row.
    pub fn get(&self, run: RunId) -> Option<&Arc<Summary>> {
        self.runs.get(&run)
    }

    /// Tells whether there is a row of the run.
    pub fn contains(&self, run: RunId) -> bool {
        self.runs.contains_key(&run)
    }

    /// Returns how many rows there are.
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// Tells whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Returns the rows before the given one (all, without one), newest first.
    pub fn newest(&self, before: Option<RunId>) -> impl Iterator<Item = &Arc<Summary>> {
        let end = before.map_or(Bound::Unbounded, Bound::Excluded);
        self.runs.range((Bound::Unbounded, end)).rev().map(|(_, row)| row)
    }

    /// Returns timers at or before `until` behind the cursor, earliest first.
    pub fn due(&self, until: Timestamp, after: Cursor) -> impl Iterator<Item = (Timestamp, RunId)> {
        behind(&self.timers, after).take_while(move |(at, _)| *at <= until)
    }

    /// Returns the runs of a workflow that want a runner behind the cursor, longest waiting first.
    pub fn ready(&self, queue: &Queue, after: Cursor) -> impl Iterator<Item = (Timestamp, RunId)> {
        self.ready.get(queue).into_iter().flat_map(move |set| behind(set, after))
    }

    /// Returns the runs that a runner holds, behind the given one.
    pub fn active(&self, after: Option<RunId>) -> impl Iterator<Item = RunId> {
        behind(&self.active, after)
    }

    /// Returns the blocked runs of a workflow, behind the given one.
    pub fn blocked(&self, queue: &Queue, after: Option<RunId>) -> impl Iterator<Item = RunId> {
        self.blocked.get(queue).into_iter().flat_map(move |set| behind(set, after))
    }

    /// Finds the run that a key started; the first, should there be several.
    pub fn key(&self, key: &Key) -> Option<RunId> {
        self.keys.get(key)?.first().copied()
    }

    fn index(&mut self, old: Option<&Summary>, new: Option<&Summary>) {
        let Some(id) = old.or(new).map(|row| row.id) else { return };
        let timer = |row: &Summary| row.timer_at.map(|at| (at, id));
        if let Some((out, into)) = change(old, new, timer) {
            out.map(|one| self.timers.remove(&one));
            into.map(|one| self.timers.insert(one));
        }
        let active = |row: &Summary| row.active.then_some(id);
        if let Some((out, into)) = change(old, new, active) {
            out.map(|one| self.active.remove(&one));
            into.map(|one| self.active.insert(one));
        }
        let ready = |row: &Summary| row.ready_since.map(|at| (at, id));
        if let Some((out, into)) = change(old, new, ready) {
            move_in(&mut self.ready, old.map(queue_of).zip(out), new.map(queue_of).zip(into));
        }
        let blocked = |row: &Summary| row.blocked.is_some().then_some(id);
        if let Some((out, into)) = change(old, new, blocked) {
            move_in(&mut self.blocked, old.map(queue_of).zip(out), new.map(queue_of).zip(into));
        }
        if old.and_then(|row| row.key.as_ref()) != new.and_then(|row| row.key.as_ref()) {
            let out = old.and_then(key_of).map(|key| (key, id));
            let into = new.and_then(key_of).map(|key| (key, id));
            move_in(&mut self.keys, out, into);
        }
    }
}

/// Returns the queue of a run's workflow.
pub fn queue_of(row: &Summary) -> Queue {
    Queue {
        namespace: Arc::clone(&row.namespace),
        app: Arc::clone(&row.app),
        workflow: Arc::clone(&row.workflow),
    }
}

/// Returns the key that started a run, in its scope.
pub fn key_of(row: &Summary) -> Option<Key> {
    let key = row.key.as_ref().map(Arc::clone)?;
    Some(Key { queue: queue_of(row), key })
}

/// Returns what a wait waits for.
pub fn event_of(wait: &Wait) -> EventName {
    EventName { namespace: Arc::clone(&wait.namespace), name: Arc::clone(&wait.event) }
}

fn place_of(wait: &Wait) -> Place {
    (wait.leaf, wait.run, Arc::clone(&wait.step))
}

/// What leaves an index and what enters it, if these differ.
fn change<T: PartialEq>(
    old: Option<&Summary>,
    new: Option<&Summary>,
    entry: impl Fn(&Summary) -> Option<T>,
) -> Option<(Option<T>, Option<T>)> {
    let (old, new) = (old.and_then(&entry), new.and_then(&entry));
    (old != new).then_some((old, new))
}

fn move_in<K: Ord, V: Ord>(
    index: &mut BTreeMap<K, BTreeSet<V>>,
    out: Option<(K, V)>,
    into: Option<(K, V)>,
) {
    if let Some((key, value)) = out
        && let Some(set) = index.get_mut(&key)
    {
        set.remove(&value);
        if set.is_empty() {
            index.remove(&key);
        }
    }
    if let Some((key, value)) = into {
        index.entry(key).or_default().insert(value);
    }
}

fn behind<T: Ord + Copy>(set: &BTreeSet<T>, after: Option<T>) -> impl Iterator<Item = T> + '_ {
    let start = after.map_or(Bound::Unbounded, Bound::Excluded);
    set.range((start, Bound::Unbounded)).copied()
}
