//! Looking for events from before a wait was parked, and once more before it times out (§8.4).
//!
//! Who looks does so after the wait is durable. Until the look is over the run stays in memory and has
//! no timer: by its journal the look is due, so a node that crashed meanwhile looks again. What is
//! accepted meanwhile is left to the look: an older event, if there is one, is taken first.

use std::sync::Arc;
use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::planted::{self, Plant};
use stepwell_core::run::Command;
use stepwell_core::time::Timestamp;
use stepwell_core::wait::Wait;
use stepwell_store::event::{Event, Place};
use stepwell_store::inbox::MessageId;
use stepwell_store::query::EventName;

use crate::events::{has, is_for};
use crate::hot::Live;
use crate::node::Node;
use crate::output::{Output, Outputs};
use crate::question::{Look, Question};

/// How many events the first question returns: their content comes with them. Who needs more goes along
/// with others (`sweep`).
const PAGE: usize = 32;

/// A wait for which somebody looks.
#[derive(Debug)]
pub(crate) struct Looking {
    step: Arc<str>,
    /// When the oldest event was accepted that was routed meanwhile: the look may be past it.
    again: Option<Timestamp>,
    /// Who is told when the look is over.
    told: Vec<Told>,
}

/// Who waits for a look to be over, in a shared store: what it found is in the journal then.
#[derive(Debug)]
pub(crate) enum Told {
    /// The route of an event.
    Route(Place),
    /// A message that another member's route sent.
    Mail(MessageId),
}

impl Node {
    /// Asks for events, once what is known of the run is durable.
    pub(crate) fn look(&mut self, run: RunId, step: &Arc<str>) {
        let Some(live) = self.hot.live(run) else { return };
        if live.looks_for(step) {
            return;
        }
        let Some(parked) = live.run.parked(step).cloned() else { return };
        live.looking.push(Looking { step: step.clone(), again: None, told: Vec::new() });
        // What was accepted before it was parked has been looked at, where somebody looked.
        let since = if parked.looked { parked.at } else { parked.wait.from };
        let late = Duration::from_micros(planted::has(Plant::LateLook).into());
        let since = since.after(late);
        let question = question(&Look { run, step: step.clone() }, &parked.wait, since);
        self.commits.effects(run).ask(question);
    }

    pub(crate) fn on_events(
        &mut self,
        look: &Look,
        events: &[Arc<Event>],
        next: Option<Place>,
        out: &mut Outputs,
    ) {
        let found = events.iter().find(|event| self.takes(look, event));
        if let (None, Some(next)) = (found, next)
            && let Some(wait) = self.looked_for(look)
        {
            self.sweeps.join(name_of(&wait), look.clone(), next);
            return self.come_back(out);
        }
        self.look_is_over(look, found.map(|event| &**event), out);
    }

    /// Returns the wait for which somebody looks, while it is parked.
    pub(crate) fn looked_for(&self, look: &Look) -> Option<Wait> {
        let parked = self.hot.run(look.run)?.parked(&look.step)?;
        Some(parked.wait.clone())
    }

    /// Tells whether an event is what a look is for.
    pub(crate) fn takes(&self, look: &Look, event: &Event) -> bool {
        let Some(run) = self.hot.run(look.run) else { return false };
        let Some(parked) = run.parked(&look.step) else { return false };
        is_for(event, run)
            && run.may_take(&look.step, &event.id.id, event.accepted_at)
            && has(event, parked.wait.wanted.as_deref())
    }

    /// A look has found an event, or has come to the end.
    pub(crate) fn look_is_over(&mut self, look: &Look, found: Option<&Event>, out: &mut Outputs) {
        let Some(live) = self.hot.live(look.run) else { return };
        let Some(at) = live.looking.iter().position(|looking| looking.step == look.step) else {
            return;
        };
        let Looking { again, told, .. } = live.looking.swap_remove(at);
        if let Some(event) = found {
            self.give(look.run, &look.step, event);
        }
        let parked = self.hot.run(look.run).and_then(|run| run.parked(&look.step)).cloned();
        match (parked, again) {
            // What came meanwhile is durable by now, and may not have been read.
            (Some(parked), Some(since)) => {
                if let Some(live) = self.hot.live(look.run) {
                    live.looking.push(Looking { step: look.step.clone(), again: None, told });
                }
                out.list.push(Output::Ask(question(look, &parked.wait, since)));
                return;
            }
            (Some(_), None) => self.looked_in_vain(look),
            (None, _) => {}
        }
        for told in told {
            self.tell_of_look(look.run, told);
        }
        self.after_change(look.run);
        self.cool_down(look.run, out);
    }

    /// Leaves an event to a look that is under way, or due. Tells whether it does: the event's route need
    /// not wait for that, since who crashes meanwhile looks again.
    pub(crate) fn is_left_to_look(&mut self, run: RunId, step: &Arc<str>, event: &Event) -> bool {
        let Some(live) = self.hot.live(run) else { return false };
        if live.run.parked(step).is_some_and(|parked| !parked.looked) {
            self.look(run, step);
        }
        let Some(live) = self.hot.live(run) else { return false };
        let Some(looking) = live.looking.iter_mut().find(|looking| looking.step == *step) else {
            return false;
        };
        let again = looking.again.get_or_insert(event.accepted_at);
        *again = (*again).min(event.accepted_at);
        true
    }

    /// Looks for the oldest event that a wait may take, since one came. Tells whether it does: the wait is there, and
    /// is for such events.
    ///
    /// Events are stamped before they are written, and members write at the same time: one that is older
    /// than the wait may have been written after its first look. None is written later after its stamp than
    /// two leases last, so what is looked through begins so long before the wait was parked.
    pub(crate) fn look_anew(
        &mut self,
        run: RunId,
        step: &Arc<str>,
        (name, accepted_at): (&str, Timestamp),
        told: Told,
    ) -> bool {
        let late = self.config.lease * 2;
        let Some(live) = self.hot.live(run) else { return false };
        let Some(parked) = live.run.parked(step).cloned() else { return false };
        if *parked.wait.event != *name || accepted_at < parked.wait.from {
            return false;
        }
        let since = parked.at.before(late).min(accepted_at).max(parked.wait.from);
        if let Some(looking) = live.looking.iter_mut().find(|looking| looking.step == *step) {
            let again = looking.again.get_or_insert(since);
            *again = (*again).min(since);
            looking.told.push(told);
            return true;
        }
        live.looking.push(Looking { step: step.clone(), again: None, told: vec![told] });
        self.after_change(run);
        let question = question(&Look { run, step: step.clone() }, &parked.wait, since);
        self.commits.effects(run).ask(question);
        true
    }

    fn tell_of_look(&mut self, run: RunId, told: Told) {
        match told {
            Told::Route(place) => self.told(&place),
            Told::Mail(message) => self.looked_for_mail(run, message),
        }
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
}

impl Live {
    fn looks_for(&self, step: &str) -> bool {
        self.looking.iter().any(|looking| *looking.step == *step)
    }
}

fn question(look: &Look, wait: &Wait, since: Timestamp) -> Question {
    Question::Events { look: look.clone(), name: name_of(wait), since, after: None, limit: PAGE }
}

fn name_of(wait: &Wait) -> EventName {
    EventName { namespace: wait.namespace.clone(), name: wait.event.clone() }
}
