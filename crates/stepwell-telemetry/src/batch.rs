//! Events of many runs on their way into a store: one stretch of bytes, which is what is synced.

use stepwell_core::time::Timestamp;

use crate::event::{Event, Rest, put, put_len};

/// Which run an event is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunName<'a> {
    /// The namespace.
    pub namespace: &'a str,
    /// The slug of the flow.
    pub flow: &'a str,
    /// What its client calls the run.
    pub run: &'a str,
}

/// Events that are written together.
#[derive(Clone, Debug)]
pub struct Batch {
    received: Timestamp,
    bytes: Vec<u8>,
    events: usize,
}

impl Batch {
    /// Makes an empty batch, received at this instant.
    pub fn new(received: Timestamp) -> Self {
        Self { received, bytes: received.as_micros().to_le_bytes().to_vec(), events: 0 }
    }

    /// When its events were received.
    pub fn received(&self) -> Timestamp {
        self.received
    }

    /// Adds an event.
    pub fn push(&mut self, run: RunName<'_>, event: &Event<'_>) {
        put(&mut self.bytes, run.namespace);
        put(&mut self.bytes, run.flow);
        put(&mut self.bytes, run.run);
        // The length of the event stands in front of it; nearly always it needs one byte or two.
        let at = self.bytes.len();
        event.encode(&mut self.bytes);
        let len = self.bytes.len() - at;
        put_len(&mut self.bytes, len);
        let prefix = self.bytes.len() - at - len;
        self.bytes[at..].rotate_right(prefix);
        self.events += 1;
    }

    /// Returns how many events there are.
    pub fn len(&self) -> usize {
        self.events
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// Returns the bytes, which [`read`] reads.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Gives the bytes away.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads a batch: when it was received, and its events in the order in which they were added, each encoded as
/// [`Event::encode`] does. What is damaged ends it with `None`.
pub fn read(bytes: &[u8]) -> Option<(Timestamp, Events<'_>)> {
    let mut rest = Rest(bytes);
    let received = Timestamp::from_micros(i64::from_le_bytes(rest.array()?));
    Some((received, Events(rest)))
}

/// Events of a batch.
pub struct Events<'a>(Rest<'a>);

impl<'a> Iterator for Events<'a> {
    type Item = Option<(RunName<'a>, &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.0.is_empty() {
            return None;
        }
        let next = self.next_event();
        if next.is_none() {
            // Behind damage nothing is read.
            self.0.0 = &[];
        }
        Some(next)
    }
}

impl<'a> Events<'a> {
    fn next_event(&mut self) -> Option<(RunName<'a>, &'a [u8])> {
        let rest = &mut self.0;
        let run = RunName { namespace: rest.text()?, flow: rest.text()?, run: rest.text()? };
        let len = rest.len()?;
        Some((run, rest.take(len)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Said;

    #[test]
    fn what_is_added_is_read_back() {
        let mut batch = Batch::new(Timestamp::from_millis(5));
        let run = |n: &'static str| RunName { namespace: "default", flow: "checkout", run: n };
        for n in ["a", "b", "a"] {
            let event = Event {
                id: n.into(),
                step: "x".repeat(200).into(),
                call: None,
                said: Said::Running,
                at: Timestamp::from_millis(7),
                process: None,
                trace: None,
                metadata: None,
                is_metadata_dropped: false,
                run_metadata: None,
                thrown: None,
            };
            batch.push(run(n), &event);
        }
        assert_eq!(batch.len(), 3);
        let bytes = batch.into_bytes();
        let (received, events) = read(&bytes).expect("a batch");
        assert_eq!(received, Timestamp::from_millis(5));
        let events: Option<Vec<_>> = events.collect();
        let events = events.expect("whole");
        let runs: Vec<_> = events.iter().map(|(run, _)| run.run).collect();
        assert_eq!(runs, ["a", "b", "a"]);
        assert!(events.iter().all(|(_, event)| Event::decode(event).is_some()));

        let (_, mut torn) = read(&bytes[..bytes.len() - 1]).expect("a batch");
        assert!(torn.any(|event| event.is_none()));
    }
}
