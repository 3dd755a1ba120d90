//! Events as a store keeps them (§8): what was sent, whether it was routed, what it did.

use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;

/// Names an event in its namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// The namespace.
    pub namespace: Arc<str>,
    /// Its id: the sender's, or one that was made.
    pub id: Arc<str>,
}

/// An event as it was accepted. It never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its namespace and id.
    pub id: EventId,
    /// Its name.
    pub name: Arc<str>,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// Its data, as JSON.
    pub data: Option<Arc<str>>,
    /// Its `match`, as JSON: what waits are held against in place of the data.
    pub offer: Option<Arc<str>>,
    /// Whom it is for.
    pub scope: Scope,
}

/// Whom an event is for; everybody, as far as nothing is said (§8.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Only this app.
    pub app: Option<Arc<str>>,
    /// Only runs of this workflow, with `key`.
    pub workflow: Option<Arc<str>>,
    /// Only this run.
    pub run: Option<RunId>,
    /// Only the run that this idempotency key started.
    pub key: Option<Arc<str>>,
}

/// Where an event stands among others: by the instant of its acceptance, then by its id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// Its namespace and id.
    pub id: EventId,
}

impl Event {
    /// Returns where the event stands.
    pub fn place(&self) -> Place {
        Place { accepted_at: self.accepted_at, id: self.id.clone() }
    }

    /// Returns what is left of the event when its content is no longer kept: its id is known, so
    /// that a repeat does nothing (§8.7).
    #[must_use]
    pub fn forgotten(&self) -> Self {
        Self { data: None, offer: None, ..self.clone() }
    }
}

/// What a store knows of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The event; without data and `match` once its content is no longer kept.
    pub event: Arc<Event>,
    /// Everything that it starts or wakes has been told of it.
    pub routed: bool,
    /// Its content is kept.
    pub kept: bool,
}

/// One thing that an event did (§8.10).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Did {
    /// The run that it started, or that waited.
    pub run: RunId,
    /// The step that waited; absent for a run that it started.
    pub step: Option<Arc<str>>,
}

/// What a batch says of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventWrite {
    /// It is accepted. The caller has asked for the id before, and it is not known.
    Accepted(Arc<Event>),
    /// An accepted event did something more. It can be said again without another effect.
    Did(EventId, Vec<Did>),
    /// An accepted event has done all that it does. It can be said again.
    Routed(EventId),
}

impl EventWrite {
    /// Returns which event this is about.
    pub fn id(&self) -> &EventId {
        match self {
            Self::Accepted(event) => &event.id,
            Self::Did(id, _) | Self::Routed(id) => id,
        }
    }
}

/// How long events are kept; both bounds exclude events accepted at or after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventRetention {
    /// The content, and what the event did, of routed events accepted before this goes.
    pub kept_from: Timestamp,
    /// The ids of routed events accepted before this, and before `kept_from`, go too.
    pub known_from: Timestamp,
}
