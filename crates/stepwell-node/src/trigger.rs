//! Which workflows an event starts (§8.1), by what their runners registered.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use stepwell_core::matching::{Document, Match};
use stepwell_store::event::Event;
use stepwell_store::query::{EventName, Queue};

/// A trigger as it is registered.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Trigger {
    pub(crate) event: String,
    #[serde(rename = "match", default, deserialize_with = "present")]
    pub(crate) wanted: Option<Box<RawValue>>,
}

/// A `null` that is there is a match as any other.
pub(crate) fn present<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(deserializer).map(Some)
}

/// The triggers of all workflows, by the names of events.
#[derive(Debug, Default)]
pub(crate) struct Triggers {
    /// `None` for one that wants every event of the name.
    by_name: FxHashMap<EventName, BTreeMap<Queue, Vec<Option<Match>>>>,
}

impl Triggers {
    /// Puts the triggers of a workflow in place of those before.
    pub(crate) fn set(&mut self, queue: &Queue, before: &[Trigger], now: &[Trigger]) {
        let name = |trigger: &Trigger| EventName {
            namespace: queue.namespace.clone(),
            name: Arc::from(&*trigger.event),
        };
        for trigger in before {
            if let Some(queues) = self.by_name.get_mut(&name(trigger)) {
                queues.remove(queue);
            }
        }
        self.by_name.retain(|_, queues| !queues.is_empty());
        for trigger in now {
            let wanted = match trigger.wanted.as_deref().map(Match::parse) {
                None => None,
                Some(Ok(wanted)) => Some(wanted),
                // It was checked when it was registered: an older version took what this one does not.
                Some(Err(_)) => continue,
            };
            let queues = self.by_name.entry(name(trigger)).or_default();
            queues.entry(queue.clone()).or_default().push(wanted);
        }
    }

    /// Returns the workflows that an event starts, each once.
    pub(crate) fn of(&self, event: &Event, document: &Document<'_>) -> Vec<Queue> {
        let name = EventName { namespace: event.id.namespace.clone(), name: event.name.clone() };
        let within = |queue: &Queue| event.scope.app.as_ref().is_none_or(|app| *app == queue.app);
        let asks =
            |wanted: &Option<Match>| wanted.as_ref().is_none_or(|wanted| wanted.matches(document));
        let queues = self.by_name.get(&name).into_iter().flatten();
        queues
            .filter(|(queue, triggers)| within(queue) && triggers.iter().any(asks))
            .map(|(queue, _)| queue.clone())
            .collect()
    }
}
