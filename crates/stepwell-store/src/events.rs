//! Events in memory, in the orders that they are asked for.
//!
//! Like `rows`, for the store in memory and for what a store on disk keeps in memory of writes that
//! its tables do not hold yet.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use stepwell_core::id::RunId;

use crate::event::{Did, Event, EventId, EventRetention, EventWrite, Known, Place};
use crate::query::{EventList, EventName};

/// What batches said of events, with an index for each question.
#[derive(Clone, Debug, Default)]
pub struct Events {
    known: BTreeMap<EventId, Entry>,
    named: BTreeMap<EventName, BTreeSet<Place>>,
    unrouted: BTreeSet<Place>,
    routed: BTreeSet<EventId>,
    did: BTreeMap<EventId, BTreeSet<Did>>,
}

#[derive(Clone, Debug)]
struct Entry {
    event: Arc<Event>,
    kept: bool,
}

impl Events {
    /// Adds what a batch says.
    pub fn add(&mut self, write: &EventWrite) {
        match write {
            EventWrite::Accepted(event) => {
                if self.known.contains_key(&event.id) {
                    return;
                }
                self.named.entry(name_of(event)).or_default().insert(event.place());
                if !self.routed.contains(&event.id) {
                    self.unrouted.insert(event.place());
                }
                let entry = Entry { event: Arc::clone(event), kept: true };
                self.known.insert(event.id.clone(), entry);
            }
            EventWrite::Did(event, did) => {
                self.did.entry(event.clone()).or_default().extend(did.iter().cloned());
            }
            EventWrite::Routed(event) => {
                if let Some(entry) = self.known.get(event) {
                    self.unrouted.remove(&entry.event.place());
                }
                self.routed.insert(event.clone());
            }
        }
    }

    /// Takes out what a batch said, since something else holds it now.
    pub fn take_out(&mut self, write: &EventWrite) {
        match write {
            EventWrite::Accepted(event) => self.forget(&event.id),
            EventWrite::Did(event, did) => {
                if let Some(known) = self.did.get_mut(event) {
                    // One event may do something to a hundred thousand runs, batch by batch.
                    for one in did {
                        known.remove(one);
                    }
                    if known.is_empty() {
                        self.did.remove(event);
                    }
                }
            }
            EventWrite::Routed(event) => {
                self.routed.remove(event);
            }
        }
    }

    /// Returns what is known of an event.
    pub fn event(&self, id: &EventId) -> Option<Known> {
        let entry = self.known.get(id)?;
        let event = Arc::clone(&entry.event);
        Some(Known { event, routed: self.is_routed(id), kept: entry.kept })
    }

    /// Tells whether a batch said that the event has done all that it does.
    pub fn is_routed(&self, id: &EventId) -> bool {
        self.routed.contains(id)
    }

    /// Tells whether an event has not done all that it does.
    pub fn is_open(&self, id: &EventId) -> bool {
        self.known.contains_key(id) && !self.is_routed(id)
    }

    /// Drops what an event did to a run.
    pub fn forget_run(&mut self, event: &EventId, run: RunId) {
        if let Some(known) = self.did.get_mut(event) {
            known.retain(|did| did.run != run);
            if known.is_empty() {
                self.did.remove(event);
            }
        }
    }

    /// Returns events of a namespace that are kept, in the order that is asked for, behind the given
    /// one; at most `limit`.
    pub fn list(&self, list: &EventList, after: Option<&Place>, limit: usize) -> Vec<Place> {
        let EventList { namespace, name, from, newest } = list;
        let first =
            EventName { namespace: Arc::clone(namespace), name: name.clone().unwrap_or_default() };
        let named = self.named.range(first..).take_while(|(one, _)| {
            one.namespace == *namespace && name.as_ref().is_none_or(|name| *name == one.name)
        });
        // No event has an empty id: this place is before all of that instant.
        let id = EventId { namespace: Arc::from(""), id: Arc::from("") };
        let first = Place { accepted_at: *from, id };
        let range = match after.cloned() {
            Some(after) if *newest => {
                (Bound::Included(first.min(after.clone())), Bound::Excluded(after))
            }
            Some(after) if after > first => (Bound::Excluded(after), Bound::Unbounded),
            _ => (Bound::Included(first), Bound::Unbounded),
        };
        let mut found: Vec<Place> = Vec::new();
        for (_, places) in named {
            let places = places.range(range.clone());
            // Of each name as many as the page may hold: which of them it does is seen at the end.
            if *newest {
                found.extend(places.rev().take(limit).cloned());
            } else {
                found.extend(places.take(limit).cloned());
            }
        }
        found.sort_unstable();
        if *newest {
            found.reverse();
        }
        found.truncate(limit);
        found
    }

    /// Returns events that have not done all that they do, behind the given one.
    pub fn unrouted(&self, after: Option<&Place>) -> impl Iterator<Item = Place> {
        behind(&self.unrouted, after)
    }

    /// Returns what an event did, behind the given one.
    pub fn did(&self, event: &EventId, after: Option<&Did>) -> impl Iterator<Item = Did> {
        self.did.get(event).into_iter().flat_map(move |set| behind(set, after))
    }

    /// Drops what is older than it is to be kept, of at most `limit` events; returns of how many.
    pub fn purge(&mut self, retention: EventRetention, limit: usize) -> usize {
        let EventRetention { kept_from, known_from } = retention;
        let old = |entry: &&Entry| {
            let at = entry.event.accepted_at;
            let drops = at < kept_from && (entry.kept || at < known_from);
            drops && self.routed.contains(&entry.event.id)
        };
        let mut old: Vec<_> =
            self.known.values().filter(old).map(|entry| Arc::clone(&entry.event)).collect();
        old.sort_by_key(|event| event.place());
        old.truncate(limit);
        for event in &old {
            self.did.remove(&event.id);
            if event.accepted_at < known_from {
                self.forget(&event.id);
                self.routed.remove(&event.id);
                continue;
            }
            self.unname(event);
            let entry = Entry { event: Arc::new(event.forgotten()), kept: false };
            self.known.insert(event.id.clone(), entry);
        }
        old.len()
    }

    fn forget(&mut self, id: &EventId) {
        if let Some(entry) = self.known.remove(id) {
            self.unrouted.remove(&entry.event.place());
            self.unname(&entry.event);
        }
    }

    fn unname(&mut self, event: &Event) {
        let name = name_of(event);
        if let Some(named) = self.named.get_mut(&name) {
            named.remove(&event.place());
            if named.is_empty() {
                self.named.remove(&name);
            }
        }
    }
}

fn name_of(event: &Event) -> EventName {
    EventName { namespace: Arc::clone(&event.id.namespace), name: Arc::clone(&event.name) }
}

fn behind<'a, T: Ord + Clone>(
    set: &'a BTreeSet<T>,
    after: Option<&T>,
) -> impl Iterator<Item = T> + use<'a, T> {
    let start = after.cloned().map_or(Bound::Unbounded, Bound::Excluded);
    set.range((start, Bound::Unbounded)).cloned()
}
