//! What the world does with events: accept them, ask for them, drop them.

use std::collections::BTreeSet;
use std::sync::Arc;

use stepwell_core::time::Timestamp;

use super::model::Model;
use super::world::{World, paged};
use crate::batch::Batch;
use crate::event::{Did, Event, EventId, EventRetention, EventWrite, Place, Scope};
use crate::query::{EventList, EventName};

impl World<'_> {
    /// Accepts an event of the default namespace, as `change` makes it, and returns its id.
    pub(super) fn send(&mut self, name: &str, change: impl Fn(&mut Event)) -> EventId {
        let event = self.event(name, change);
        let id = event.id.clone();
        self.say(vec![EventWrite::Accepted(Arc::new(event))]);
        id
    }

    /// Makes an event that no other is like, a second behind the last one.
    pub(super) fn event(&mut self, name: &str, change: impl Fn(&mut Event)) -> Event {
        let accepted_at = self.tick();
        let id = format!("e-{}", accepted_at.as_millis() % 1_000_003);
        let mut event = Event {
            id: EventId { namespace: "default".into(), id: id.into() },
            name: name.into(),
            accepted_at,
            data: Some("{\"order\":1}".into()),
            offer: None,
            scope: Scope::default(),
        };
        change(&mut event);
        event
    }

    pub(super) fn say(&mut self, events: Vec<EventWrite>) {
        let at = self.now();
        self.commit(&Batch { at, events, grows: true, ..Batch::default() });
    }

    /// Drops events, and compares with the model.
    pub(super) fn drop_events(&mut self, retention: EventRetention, limit: usize) -> usize {
        let dropped = self.store().purge_events(retention, limit).unwrap();
        assert_eq!(dropped, self.model.purge_events(retention, limit), "{retention:?}, {limit}");
        dropped
    }

    /// Tells whether the store knows of these events what the model knows.
    pub(super) fn knows(&self, model: &Model, events: &[EventWrite]) -> bool {
        events.iter().all(|write| {
            let id = match write {
                EventWrite::Accepted(event) => &event.id,
                EventWrite::Did(id, _) | EventWrite::Routed(id) => id,
            };
            self.store().event(id) == Ok(model.events.get(id).cloned())
                && self.store().did(id, None, usize::MAX) == Ok(model.did(id))
        })
    }

    pub(super) fn check_events(&self) {
        for (id, known) in &self.model.events {
            assert_eq!(self.store().event(id).unwrap().as_ref(), Some(known), "{id:?}");
            self.did(id);
            let name =
                EventName { namespace: id.namespace.clone(), name: known.event.name.clone() };
            self.events_for(&name, Timestamp::MIN);
            self.events_for(&name, known.event.accepted_at);
        }
        for limit in [1, 3, 1_000] {
            let found = paged(limit, |after: Option<Place>| {
                self.store().unrouted(after.as_ref(), limit).unwrap()
            });
            assert_eq!(found, self.model.unrouted(), "unrouted, by {limit}");
        }
        let known = self.model.events.values().map(|known| &known.event);
        let names = known.map(|event| (event.id.namespace.clone(), Some(event.name.clone())));
        let names: BTreeSet<_> = names.chain([("default".into(), None)]).collect();
        let halfway = self.model.events.values().nth(self.model.events.len() / 2);
        let halfway = halfway.map_or(Timestamp::MIN, |known| known.event.accepted_at);
        for (namespace, name) in names {
            for (from, newest) in [(Timestamp::MIN, true), (Timestamp::MIN, false), (halfway, true)]
            {
                let (namespace, name) = (namespace.clone(), name.clone());
                self.events_list(&EventList { namespace, name, from, newest });
            }
        }
        let nobody = EventId { namespace: "default".into(), id: "nobody".into() };
        assert_eq!(self.store().event(&nobody).unwrap(), None);
    }

    /// Looks back for events of a name, and compares with the model.
    pub(super) fn events_for(&self, name: &EventName, since: Timestamp) -> Vec<EventId> {
        let found = self.events_list(&EventList::since(name, since));
        found.into_iter().map(|place| place.id).collect()
    }

    /// Lists events in pages of many sizes, and compares with the model.
    fn events_list(&self, list: &EventList) -> Vec<Place> {
        let expected = self.model.events_list(list);
        for limit in [1, 3, 1_000] {
            let found = paged(limit, |after: Option<Place>| {
                self.store().events_list(list, after.as_ref(), limit).unwrap()
            });
            assert_eq!(found, expected, "{list:?}, by {limit}");
        }
        expected
    }

    /// Asks what an event did in pages of many sizes, and compares with the model.
    pub(super) fn did(&self, event: &EventId) -> Vec<Did> {
        let expected = self.model.did(event);
        for limit in [1, 3, 1_000] {
            let found = paged(limit, |after: Option<Did>| {
                self.store().did(event, after.as_ref(), limit).unwrap()
            });
            assert_eq!(found, expected, "what {event:?} did, by {limit}");
        }
        expected
    }
}
