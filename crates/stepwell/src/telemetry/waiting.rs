//! Events in memory, cut into requests as they come; the oldest give way where there is no room.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;

/// Most events and bytes of a request; a server takes 5,000 and 4 MiB, what stands in front of it may not.
pub(super) const CHUNK_EVENTS_MAX: usize = 2_000;
pub(super) const CHUNK_BYTES_MAX: usize = 512 * 1024;

/// Largest event that is taken.
pub(super) const EVENT_BYTES_MAX: usize = 256 * 1024;

/// A request is full where less than this is left.
const ROOM_BYTES_MIN: usize = 16 * 1024;

/// What stands behind the events of each request.
pub(super) const TAIL: &[u8] = b"]}";

/// One request's events.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) body: Bytes,
    pub(super) events: usize,
    /// Bytes of the events themselves.
    bytes: usize,
}

/// Events that wait, and those that are on their way.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    parts: VecDeque<Part>,
    /// The number of the first event on its way.
    flying: Option<u64>,
    /// Of both.
    events: usize,
    bytes: usize,
    /// How many there ever were. Events are numbered in their order.
    taken: u64,
}

/// Events that become a request.
#[derive(Debug)]
struct Part {
    /// The number of its first event.
    first: u64,
    /// Events, each with a comma behind it.
    bytes: Vec<u8>,
    /// Where they begin: those before gave way.
    start: usize,
    lengths: VecDeque<usize>,
    since: Instant,
}

impl Part {
    fn new(first: u64, since: Instant) -> Self {
        Self { first, bytes: Vec::new(), start: 0, lengths: VecDeque::new(), since }
    }

    fn has_room_for(&self, bytes: usize) -> bool {
        self.lengths.len() < CHUNK_EVENTS_MAX && self.bytes.len() + bytes <= CHUNK_BYTES_MAX
    }
}

impl Waiting {
    /// Tells whether there is room for an event of so many bytes.
    pub(super) fn has_room(&self, bytes: usize, events_max: usize, bytes_max: usize) -> bool {
        self.events < events_max && self.bytes + bytes < bytes_max
    }

    /// Adds an event. Tells whether whoever sends is to be woken: there is something at all, or enough.
    pub(super) fn add(&mut self, event: &[u8], now: impl FnOnce() -> Instant) -> bool {
        let bytes = event.len() + 1;
        if !self.parts.back().is_some_and(|part| part.has_room_for(bytes)) {
            self.parts.push_back(Part::new(self.taken, now()));
        }
        self.events += 1;
        self.bytes += bytes;
        self.taken += 1;
        let Some(part) = self.parts.back_mut() else { return false };
        part.bytes.extend_from_slice(event);
        part.bytes.push(b',');
        part.lengths.push_back(bytes);
        part.lengths.len() == 1 || !part.has_room_for(ROOM_BYTES_MIN)
    }

    /// Has the oldest event give way that is not on its way. Tells whether there was one.
    pub(super) fn drop_oldest(&mut self) -> bool {
        let Some(part) = self.parts.front_mut() else { return false };
        let Some(bytes) = part.lengths.pop_front() else { return false };
        part.start += bytes;
        part.first += 1;
        if part.lengths.is_empty() {
            self.parts.pop_front();
        }
        self.events -= 1;
        self.bytes -= bytes;
        true
    }

    /// Since when the oldest event waits; and whether there is enough for a request.
    pub(super) fn first(&self) -> Option<(Instant, bool)> {
        let part = self.parts.front()?;
        Some((part.since, self.parts.len() > 1 || !part.has_room_for(ROOM_BYTES_MIN)))
    }

    /// Sends the oldest events on their way; `head` stands in front of them.
    pub(super) fn take(&mut self, head: &[u8]) -> Option<Chunk> {
        let part = self.parts.pop_front()?;
        let events = part.bytes.get(part.start..)?;
        let mut body = Vec::with_capacity(head.len() + events.len() + TAIL.len());
        body.extend_from_slice(head);
        body.extend_from_slice(events.strip_suffix(b",").unwrap_or(events));
        body.extend_from_slice(TAIL);
        self.flying = Some(part.first);
        Some(Chunk { body: body.into(), events: part.lengths.len(), bytes: events.len() })
    }

    /// Notes that events are not on their way any more, whatever became of them.
    pub(super) fn has_left(&mut self, chunk: &Chunk) {
        self.flying = None;
        self.events -= chunk.events.min(self.events);
        self.bytes -= chunk.bytes.min(self.bytes);
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.parts = VecDeque::new();
        (self.events, self.bytes) = (0, 0);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events == 0
    }

    pub(super) fn events(&self) -> usize {
        self.events
    }

    /// How many events there ever were.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// The number of the oldest event that is still here; of the next one if none is.
    pub(super) fn oldest(&self) -> u64 {
        let first = self.parts.front().map(|part| part.first);
        self.flying.or(first).unwrap_or(self.taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(events: &[&str]) -> Waiting {
        let mut waiting = Waiting::default();
        for event in events {
            waiting.add(event.as_bytes(), Instant::now);
        }
        waiting
    }

    fn body(chunk: &Chunk) -> &str {
        std::str::from_utf8(&chunk.body).unwrap()
    }

    #[test]
    fn the_oldest_give_way() {
        let mut waiting = waiting(&["1", "22", "333"]);
        assert_eq!((waiting.events, waiting.bytes, waiting.oldest()), (3, 9, 0));
        assert!(waiting.drop_oldest());
        assert_eq!((waiting.events, waiting.bytes, waiting.oldest()), (2, 7, 1));
        let chunk = waiting.take(b"[").unwrap();
        assert_eq!((body(&chunk), chunk.events), ("[22,333]}", 2));
        assert!(!waiting.drop_oldest(), "what is on its way stays");
        assert_eq!((waiting.events, waiting.oldest()), (2, 1));
        waiting.add(b"4", Instant::now);
        assert!(waiting.drop_oldest());
        assert_eq!((waiting.events, waiting.oldest()), (2, 1));
        waiting.has_left(&chunk);
        assert_eq!((waiting.events, waiting.bytes, waiting.oldest()), (0, 0, 4));
        assert!(waiting.take(b"[").is_none() && waiting.first().is_none());
    }

    #[test]
    fn events_are_cut_into_requests() {
        let mut waiting = Waiting::default();
        let woken = (0..=CHUNK_EVENTS_MAX).filter(|_| waiting.add(b"{}", Instant::now));
        assert_eq!(woken.collect::<Vec<_>>(), [0, CHUNK_EVENTS_MAX - 1, CHUNK_EVENTS_MAX]);
        assert!(waiting.first().unwrap().1);
        assert_eq!(waiting.take(b"").unwrap().events, CHUNK_EVENTS_MAX);
        assert!(!waiting.first().unwrap().1);
        for _ in 0..3 {
            waiting.add(&vec![b' '; EVENT_BYTES_MAX - 1], Instant::now);
        }
        for events in [2, 2] {
            let chunk = waiting.take(b"").unwrap();
            assert_eq!(chunk.events, events);
            assert!(chunk.body.len() <= CHUNK_BYTES_MAX + TAIL.len());
        }
    }
}
