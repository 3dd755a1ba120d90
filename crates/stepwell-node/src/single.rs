//! Events that one wait asks for end it in the commit that accepts them.
//!
//! Any other event is accepted by one commit, and what it does is written by a later one (`route`). Where
//! no event is on its way and the store knows one wait for a new one, of a run that nobody holds, both
//! are written at once: whoever waits has the event a sync earlier. The event is routed all the same
//! where a wait may have been parked that the store did not know when it was asked.

use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::matching::Leaves;
use stepwell_core::run::Parked;
use stepwell_core::wait::Wait;
use stepwell_store::event::{Event, EventWrite};

use crate::events::{Sending, document, has, is_for, name_of};
use crate::hot::Deferred;
use crate::input::RequestId;
use crate::node::Node;
use crate::output::{Output, Outputs};
use crate::question::Question;

/// An event whose waits are looked up.
#[derive(Debug)]
pub(crate) struct Asked {
    sending: Sending,
    /// How many waits were parked, where the store knows all of them.
    parked: Option<u64>,
}

/// An event for which there is one wait.
#[derive(Debug)]
pub(crate) struct Single {
    asked: Asked,
    step: Arc<str>,
}

impl Node {
    /// Takes an event that is for no run in particular.
    pub(crate) fn address_all(&mut self, sending: Sending, out: &mut Outputs) {
        let event = self.event_of(&sending, None);
        match self.leaves_of_single(&event) {
            Some(leaves) => {
                let request = sending.request;
                let (parked, flushes) = self.events.parked();
                let parked = self.commits.is_durable(flushes).then_some(parked);
                self.events.singles.insert(request, Asked { sending, parked });
                let name = name_of(&event);
                out.list.push(Output::Ask(Question::Single { request, name, leaves }));
            }
            None => self.accept(&sending, None, None),
        }
    }

    /// Returns where the waits for an event are filed, should one wait be all that it is for.
    fn leaves_of_single(&self, event: &Event) -> Option<Leaves> {
        let read = document(event).filter(|_| self.is_next_to_route())?;
        self.registry.triggered_by(event, &read).is_empty().then(|| read.leaves())
    }

    /// The store knows these waits for an event.
    pub(crate) fn on_single(&mut self, request: RequestId, waits: &[Wait], out: &mut Outputs) {
        let Some(asked) = self.events.singles.remove(&request) else { return };
        match waits {
            [wait] => {
                let single = Single { asked, step: wait.step.clone() };
                self.with_run(wait.run, Deferred::Single(Box::new(single)), out);
            }
            _ => self.accept(&asked.sending, None, None),
        }
    }

    /// The run of the wait is in memory.
    pub(crate) fn accept_single(&mut self, run: RunId, single: &Single) {
        let Single { asked: Asked { sending, parked }, step } = single;
        let event = self.event_of(sending, None);
        if !self.is_next_to_route() || !self.is_alone_for(run, step, &event) {
            return self.accept(sending, None, None);
        }
        let event = self.take_in(sending, None);
        if let Some(live) = self.hot.live(run) {
            live.join();
        }
        self.commits.join(run);
        let effects = if *parked == Some(self.events.parked().0) {
            let routed = EventWrite::Routed(event.id.clone());
            self.commits.accept_done(event.clone(), routed)
        } else {
            self.commits.accept(event.clone())
        };
        effects.reply(sending.request, sending.taken(None));
        self.give(run, step, &event);
    }

    /// Tells whether a wait takes an event, in a run that has nothing else to do.
    fn is_alone_for(&mut self, run: RunId, step: &str, event: &Event) -> bool {
        let Some(live) = self.hot.live(run).filter(|live| live.is_cold()) else { return false };
        let takes = |parked: &Parked| {
            parked.looked
                && parked.wait.event == event.name
                && has(event, parked.wait.wanted.as_deref())
        };
        is_for(event, &live.run) && live.run.parked(step).is_some_and(|parked| takes(parked))
    }

    /// There is no such run any more, or it cannot be read.
    pub(crate) fn accept_unmet(&mut self, single: &Single) {
        self.accept(&single.asked.sending, None, None);
    }
}
