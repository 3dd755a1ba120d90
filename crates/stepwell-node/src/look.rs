//! Looking for events from before a wait was parked, and once more before it times out (§8.4).
//!
//! Who looks does so after the wait is durable. Until the look is over the run stays in memory and has
//! no timer: by its journal the look is due, so a node that crashed meanwhile looks again. What is
//! accepted meanwhile stands behind the look: an older event, if there is one, is taken first.

use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::run::Command;
use stepwell_core::time::Timestamp;
use stepwell_store::event::{Event, Place};
use stepwell_store::query::EventName;

use crate::events::{has, is_for};
use crate::hot::Live;
use crate::node::Node;
use crate::output::{Output, Outputs};
use crate::question::{Look, Question};

/// How many events one question returns: their content comes with them.
const PAGE: usize = 32;

/// A wait for which somebody looks.
#[derive(Debug)]
pub(crate) struct Looking {
    step: Arc<str>,
    /// Events that were routed meanwhile. Their routes are not done before the look is over.
    behind: Vec<Arc<Event>>,
}

impl Node {
    /// Asks for events, once what is known of the run is durable.
    pub(crate) fn look(&mut self, run: RunId, step: &Arc<str>) {
        let Some(live) = self.hot.live(run) else { return };
        if live.looks_for(step) {
            return;
        }
        let Some(parked) = live.run.parked(step).cloned() else { return };
        live.looking.push(Looking { step: step.clone(), behind: Vec::new() });
        // What was accepted before it was parked has been looked at, where somebody looked.
        let since = if parked.looked { parked.at } else { parked.wait.from };
        let question = question(&Look { run, step: step.clone() }, &parked.wait, (since, None));
        self.commits.effects(run).ask(question);
    }

    pub(crate) fn on_events(
        &mut self,
        look: &Look,
        events: &[Arc<Event>],
        next: Option<Place>,
        out: &mut Outputs,
    ) {
        let Some(live) = self.hot.live(look.run) else { return };
        if !live.looks_for(&look.step) {
            return;
        }
        let parked = live.run.parked(&look.step).cloned();
        let takes = |event: &&Arc<Event>| {
            let Some(parked) = &parked else { return false };
            is_for(event, &live.run)
                && live.run.may_take(&look.step, &event.id.id, event.accepted_at)
                && has(event, parked.wait.wanted.as_deref())
        };
        let found = events.iter().find(takes);
        if let (None, Some(next), Some(parked)) = (found, next, &parked) {
            // Others get their turn before the next page.
            let bounds = (parked.wait.from, Some(next));
            self.looks_later.push_back(question(look, &parked.wait, bounds));
            return self.come_back(out);
        }
        let over = live.looking.extract_if(.., |looking| looking.step == look.step);
        let behind: Vec<_> = over.flat_map(|looking| looking.behind).collect();
        if let Some(event) = found {
            self.give(look.run, &look.step, event);
        }
        for event in behind {
            self.deliver_routed(look.run, &look.step, &event);
            self.told(&event.place());
        }
        if self.hot.run(look.run).is_some_and(|run| run.parked(&look.step).is_some()) {
            self.looked_in_vain(look);
        }
        self.after_change(look.run);
        self.cool_down(look.run, out);
    }

    /// Lets an event stand behind a look that is under way, or due. Tells whether it does.
    pub(crate) fn stands_behind(
        &mut self,
        run: RunId,
        step: &Arc<str>,
        event: &Arc<Event>,
    ) -> bool {
        let Some(live) = self.hot.live(run) else { return false };
        if live.run.parked(step).is_some_and(|parked| !parked.looked) {
            self.look(run, step);
        }
        let Some(live) = self.hot.live(run) else { return false };
        let Some(looking) = live.looking.iter_mut().find(|looking| looking.step == *step) else {
            return false;
        };
        looking.behind.push(event.clone());
        self.expect(&event.place());
        true
    }

    fn looked_in_vain(&mut self, look: &Look) {
        let now = self.now;
        let due = self.hot.run(look.run).and_then(|run| run.step(&look.step)?.wake);
        let step = &look.step;
        let command = if due.is_some_and(|until| until <= now) {
            Command::TimeOutWait { step }
        } else {
            Command::Looked { step }
        };
        self.apply(look.run, command, None).unwrap_or_default();
    }

    /// Asks for the next pages of looks, one in a turn.
    pub(crate) fn take_look_turn(&mut self, out: &mut Outputs) {
        if let Some(question) = self.looks_later.pop_front() {
            out.list.push(Output::Ask(question));
        }
        if !self.looks_later.is_empty() {
            self.come_back(out);
        }
    }
}

impl Live {
    fn looks_for(&self, step: &str) -> bool {
        self.looking.iter().any(|looking| *looking.step == *step)
    }
}

fn question(
    look: &Look,
    wait: &stepwell_core::wait::Wait,
    (since, after): (Timestamp, Option<Place>),
) -> Question {
    let name = EventName { namespace: wait.namespace.clone(), name: wait.event.clone() };
    Question::Events { look: look.clone(), name, since, after, limit: PAGE }
}
