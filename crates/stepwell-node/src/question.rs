//! What a node asks its store about events and waits, and how a store answers.
//!
//! Other questions are outputs of their own; these go together, since whoever drives a node answers
//! them all in one way: [`Question::answer`].

use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::matching::Leaves;
use stepwell_core::time::Timestamp;
use stepwell_core::wait::Wait;
use stepwell_store::event::{Event, EventId, Known, Place};
use stepwell_store::query::{EventList, EventName, Key, Queue};
use stepwell_store::{Error, Store};

use crate::input::RequestId;

/// A wait for which somebody looks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Look {
    /// The run.
    pub run: RunId,
    /// The step that waits.
    pub step: Arc<str>,
}

/// A question about events and waits.
#[derive(Clone, Debug)]
pub enum Question {
    /// What is known of an event.
    Event(EventId),
    /// Which runs these keys started.
    Keys {
        /// The request that the question is for.
        request: RequestId,
        /// A key in the scopes of several workflows.
        keys: Vec<Key>,
    },
    /// The parked waits that a new event may match: enough to tell whether there is one.
    Single {
        /// The request that sends it.
        request: RequestId,
        /// Its name.
        name: EventName,
        /// Where they are filed.
        leaves: Leaves,
    },
    /// The parked waits that an event may match.
    Waits {
        /// The event.
        event: Place,
        /// Its name.
        name: EventName,
        /// Where they are filed.
        leaves: Leaves,
        /// Where to go on.
        after: Option<Wait>,
        /// Most waits to return.
        limit: usize,
    },
    /// Kept events of a name.
    Events {
        /// The wait that the question is for.
        look: Look,
        /// The name.
        name: EventName,
        /// Accepted at or after this instant.
        since: Timestamp,
        /// Where to go on.
        after: Option<Place>,
        /// Most events to return.
        limit: usize,
    },
    /// Events that have not done all that they do.
    Unrouted {
        /// Most events to return.
        limit: usize,
    },
    /// Kept events of a name, for many waits.
    Sweep {
        /// The name.
        name: EventName,
        /// Behind which event.
        after: Place,
        /// Most events to return.
        limit: usize,
    },
}

/// The answer to a [`Question`].
#[derive(Clone, Debug)]
pub enum Answer {
    /// To [`Question::Event`].
    Event {
        /// The event.
        id: EventId,
        /// What is known of it.
        known: Option<Known>,
    },
    /// To [`Question::Keys`].
    Keys {
        /// The request.
        request: RequestId,
        /// The runs, with the workflows that they are of.
        runs: Vec<(Queue, RunId)>,
    },
    /// To [`Question::Single`].
    Single {
        /// The request.
        request: RequestId,
        /// Two of the waits, one, or none.
        waits: Vec<Wait>,
    },
    /// To [`Question::Waits`].
    Waits {
        /// The event.
        event: Place,
        /// The waits.
        waits: Vec<Wait>,
        /// There may be more.
        more: bool,
    },
    /// To [`Question::Events`].
    Events {
        /// The wait.
        look: Look,
        /// The events.
        events: Vec<Arc<Event>>,
        /// Where to go on, where there may be more.
        next: Option<Place>,
    },
    /// To [`Question::Unrouted`].
    Unrouted {
        /// The events, oldest first.
        events: Vec<Arc<Event>>,
        /// There may be more.
        more: bool,
    },
    /// To [`Question::Sweep`].
    Sweep {
        /// The name.
        name: EventName,
        /// The events.
        events: Vec<Arc<Event>>,
        /// Where to go on, where there may be more.
        next: Option<Place>,
    },
}

impl Question {
    /// Asks a store. A damaged event is left out.
    ///
    /// # Errors
    /// Those of the store, but for a damaged event.
    pub fn answer(self, store: &dyn Store) -> Result<Answer, Error> {
        Ok(match self {
            Self::Event(id) => {
                let known = store.event(&id)?;
                Answer::Event { id, known }
            }
            Self::Keys { request, keys } => {
                let mut runs = Vec::new();
                for key in keys {
                    if let Some(run) = store.key(&key)? {
                        runs.push((key.queue, run));
                    }
                }
                Answer::Keys { request, runs }
            }
            Self::Single { request, name, leaves } => {
                Answer::Single { request, waits: store.waits_for(&name, &leaves, None, 2)? }
            }
            Self::Waits { event, name, leaves, after, limit } => {
                let waits = store.waits_for(&name, &leaves, after.as_ref(), limit)?;
                let more = waits.len() >= limit;
                Answer::Waits { event, waits, more }
            }
            Self::Events { look, name, since, after, limit } => {
                let places =
                    store.events_list(&EventList::since(&name, since), after.as_ref(), limit)?;
                let next = places.last().cloned().filter(|_| places.len() >= limit);
                Answer::Events { look, events: read(store, &places)?, next }
            }
            Self::Unrouted { limit } => {
                let places = store.unrouted(None, limit)?;
                let more = places.len() >= limit;
                Answer::Unrouted { events: read(store, &places)?, more }
            }
            Self::Sweep { name, after, limit } => {
                let places = store.events_list(
                    &EventList::since(&name, after.accepted_at),
                    Some(&after),
                    limit,
                )?;
                let next = places.last().cloned().filter(|_| places.len() >= limit);
                Answer::Sweep { name, events: read(store, &places)?, next }
            }
        })
    }
}

pub(crate) fn read(store: &dyn Store, places: &[Place]) -> Result<Vec<Arc<Event>>, Error> {
    let mut events = Vec::with_capacity(places.len());
    for place in places {
        match store.event(&place.id) {
            Ok(known) => events.extend(known.map(|known| known.event)),
            Err(Error::Corrupt(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(events)
}
