//! What is written to a store.

use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::summary::Summary;
use stepwell_core::time::Timestamp;
use stepwell_core::wait::Wait;

use crate::event::EventWrite;
use crate::inbox::{Message, MessageId};
use crate::shared::Share;

/// The records of many runs, which become durable together or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Engine time at which the batch was closed; the greatest durable one bounds engine time from
    /// below after a restart.
    pub at: Timestamp,
    /// One entry for each run that changed.
    pub runs: Vec<RunWrite>,
    /// Workflows that were registered anew or otherwise.
    pub workflows: Vec<Workflow>,
    /// What is said of events, in this order.
    pub events: Vec<EventWrite>,
    /// What runs tell each other, with the records of the senders.
    pub messages: Vec<Arc<Message>>,
    /// Messages that were heard, with the records of the receivers.
    pub consumed: Vec<MessageId>,
    /// What other members of a shared store are to know.
    pub share: Share,
    /// The batch holds starts of new runs or new events: refused while the disk or the tail is over its bound.
    pub grows: bool,
}

impl Batch {
    /// Tells whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
            && self.workflows.is_empty()
            && self.events.is_empty()
            && self.messages.is_empty()
            && self.consumed.is_empty()
            && self.share.is_empty()
    }
}

/// What a batch adds to one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunWrite {
    /// The run.
    pub run: RunId,
    /// Encoded records, to be put behind those stored (`stepwell_core::record`).
    pub records: Vec<u8>,
    /// The row of the run after these records.
    pub summary: Summary,
    /// Its parked waits after these records, in place of those before.
    pub waits: Arc<[Wait]>,
}

/// A workflow as a runner registered it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Workflow {
    /// The namespace.
    pub namespace: Arc<str>,
    /// The app.
    pub app: Arc<str>,
    /// The workflow's name.
    pub name: Arc<str>,
    /// What the runner said of it, as JSON.
    pub options: Arc<str>,
    /// When it was first registered.
    pub first_at: Timestamp,
    /// When it was last registered otherwise than before.
    pub changed_at: Timestamp,
}
