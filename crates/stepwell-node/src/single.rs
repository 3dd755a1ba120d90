//! Events that one wait asks for end it in the commit that accepts them.
//!
//! Any other event is accepted by one commit, and what it does is written by a later one (`route`). Where
//! no event is on its way and the store knows one wait for a new one, of a run that nobody holds, both
//! are written at once: whoever waits has the event a sync earlier. The event is routed all the same
//! where a wait may have been parked that the store did not know when it was asked.

use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::matching::Leaves;
use stepwell_core::planted::{self, Plant};
use stepwell_core::run::Parked;
use stepwell_core::wait::Wait;
use stepwell_store::event::Event;

use crate::defer::Deferred;
use crate::events::{Sending, document, has, is_for, name_of, taken};
use crate::input::RequestId;
use crate::node::Node;
use crate::output::{Output, Outputs};
use crate::question::Question;

/// An event whose waits are looked up.
#[derive(Debug)]
pub(crate) struct Asked {
    request: RequestId,
    event: Event,
    /// How many waits were parked, where the store knows all of them.
    parked: Option<u64>,
}

/// An event for which there is one wait.
#[derive(Debug)]
pub(crate) struct Single {
    pub(crate) asked: Asked,
    step: Arc<str>,
}

impl Node {
    /// Takes an event that is for no run in particular.
    pub(crate) fn address_all(&mut self, sending: &Sending, out: &mut Outputs) {
        let (request, event) = (sending.request, self.event_of(sending, None));
        if self.config.shared || !self.is_next_to_route() {
            return self.accept(request, event, None);
        }
        match self.leaves_of_triggerless(&event) {
            Some(leaves) => {
                let name = name_of(&event);
                let (parked, flushes) = self.events.parked();
                let parked = self.commits.is_durable(flushes).then_some(parked);
                self.events.singles.insert(request, Asked { request, event, parked });
                out.list.push(Output::Ask(Question::Single { request, name, leaves }));
            }
            None => self.accept(request, event, None),
        }
    }

    /// Returns where the waits for an event are filed, unless it starts a run too.
    fn leaves_of_triggerless(&self, event: &Event) -> Option<Leaves> {
        let read = document(event)?;
        self.registry.triggered_by(event, &read).is_empty().then(|| read.leaves())
    }

    /// The store knows these waits for an event.
    pub(crate) fn on_single(&mut self, request: RequestId, waits: &[Wait], out: &mut Outputs) {
        let Some(asked) = self.events.singles.remove(&request) else { return };
        match waits {
            [] if self.are_all_known(&asked) => self.accept_done(request, asked.event),
            [wait] => {
                let single = Single { asked, step: wait.step.clone() };
                self.with_run(wait.run, Deferred::Single(Box::new(single)), out);
            }
            _ => self.accept_asked(asked),
        }
    }

    /// Tells whether nothing waits for an event by now but what the store knew when it was asked.
    fn are_all_known(&self, asked: &Asked) -> bool {
        let all = asked.parked == Some(self.events.parked().0);
        (all || planted::has(Plant::WaitUnasked))
            && self.leaves_of_triggerless(&asked.event).is_some()
    }

    /// The run of the wait is in memory.
    pub(crate) fn accept_single(&mut self, run: RunId, single: Single) {
        let Single { asked, step } = single;
        if !self.is_next_to_route() || !self.is_alone_for(run, &step, &asked.event) {
            return self.accept_asked(asked);
        }
        let known = self.are_all_known(&asked);
        let event = self.take_in(asked.event);
        if let Some(live) = self.hot.live(run) {
            live.join();
        }
        self.commits.join(run);
        let accepted = event.clone();
        let effects =
            if known { self.commits.accept_done(accepted) } else { self.commits.accept(accepted) };
        effects.reply(asked.request, taken(&event, None, None));
        self.give(run, &step, &event);
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

    /// What an event does is not written with its acceptance.
    pub(crate) fn accept_asked(&mut self, asked: Asked) {
        self.accept(asked.request, asked.event, None);
    }
}
