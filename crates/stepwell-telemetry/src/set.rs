//! The set of events of a run: an id once, in the order in which they happened, whatever the order of arrival (§10.4).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::event::{Event, Rest, place, put_len};

/// Most events that are kept of a run. What comes in excess is counted and left out.
pub const EVENTS_MAX: usize = 10_000;

/// Encoded events of a run: each id once, by instant and id.
#[derive(Clone, Debug, Default)]
pub struct Set<'a> {
    events: Vec<&'a [u8]>,
    dropped: u64,
}

impl<'a> Set<'a> {
    /// Reads what [`Set::write`] wrote; `None` for anything else.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut rest = Rest(bytes);
        if bytes.is_empty() {
            return Some(Self::default());
        }
        let dropped = u64::try_from(rest.len()?).ok()?;
        let mut events = Vec::new();
        while !rest.0.is_empty() {
            let len = rest.len()?;
            events.push(rest.take(len)?);
        }
        Some(Self { events, dropped })
    }

    /// Writes the set. Equal sets have equal bytes.
    pub fn write(&self, bytes: &mut Vec<u8>) {
        put_len(bytes, usize::try_from(self.dropped).unwrap_or(usize::MAX));
        for event in &self.events {
            put_len(bytes, event.len());
            bytes.extend_from_slice(event);
        }
    }

    /// Adds events. Of two with one id the one whose bytes are smaller counts, so that order does not matter. What is
    /// no event is left out. Tells whether anything changed.
    pub fn add(&mut self, more: impl IntoIterator<Item = &'a [u8]>) -> bool {
        let id_of = |event: &&'a [u8]| place(event).map(|(_, id)| id);
        let known = self.events.iter().filter_map(|event| Some((id_of(event)?, *event)));
        let mut known: BTreeMap<&str, &[u8]> = known.collect();
        let mut changed = false;
        for event in more {
            let Some(id) = id_of(&event) else { continue };
            let room = known.len() < EVENTS_MAX;
            match known.entry(id) {
                Entry::Occupied(mut known) if event < *known.get() => _ = known.insert(event),
                Entry::Occupied(_) => continue,
                Entry::Vacant(_) if !room => self.dropped += 1,
                Entry::Vacant(free) => _ = free.insert(event),
            }
            changed = true;
        }
        if changed {
            self.events = known.into_values().collect();
            self.events.sort_by_key(|event| place(event));
        }
        changed
    }

    /// Returns the events, decoded, by instant and id.
    pub fn events(&self) -> impl Iterator<Item = Event<'a>> + '_ {
        self.events.iter().filter_map(|event| Event::decode(event))
    }

    /// Returns how many events there are.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Returns how many events came in excess of [`EVENTS_MAX`]; one that comes twice counts twice.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}
