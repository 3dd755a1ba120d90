//! What runners say of events: waits for them, and events that runs send.

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use stepwell_core::code::Code;
use stepwell_core::failure::{Failure, names};
use stepwell_core::id::RunId;
use stepwell_core::run::{Act, EmitStep, Since, WaitStep};
use stepwell_core::{derive, name, payload, step_id};
use stepwell_protocol::event;
use stepwell_store::event::{Event, EventId, Scope};
use stepwell_store::query::EventName;

use crate::input::SessionId;
use crate::node::Node;
use crate::said::opening;
use crate::worker::Refusal;

impl Node {
    /// Makes what a wait says to the core.
    pub(crate) fn wait_of<'a>(
        &mut self,
        id: SessionId,
        m: event::Wait<'a>,
    ) -> Result<Act<'a>, String> {
        step_id::check(m.open.kind, &m.step).map_err(|error| error.to_string())?;
        name::check("an event", &m.event).map_err(|error| error.to_string())?;
        self.events.parks(self.now, self.commits.flushes());
        let namespace = self.sessions.get(id).map(|session| session.namespace.clone());
        let name = EventName {
            namespace: namespace.unwrap_or_else(|| Arc::from("")),
            name: Arc::from(&*m.event),
        };
        let open = opening(&m.open, self.now);
        let until = m.for_us.map(|us| open.at.after(Duration::from_micros(us)));
        Ok(Act::Wait(WaitStep {
            step: m.step,
            event: m.event,
            wanted: m.wanted,
            until,
            on_timeout: m.on_timeout,
            since: match m.since {
                event::Since::RunStart => Since::RunStart,
                event::Since::Parked => Since::Parked,
                event::Since::BackUs(us) => Since::Back(Duration::from_micros(us)),
            },
            // Others may have accepted one at any moment.
            newest: if self.config.shared { self.now } else { self.events.newest(&name) },
            open,
        }))
    }

    /// §4.6: the event is accepted with the record of the step that sends it, and only with it.
    pub(crate) fn on_emit(&mut self, id: SessionId, m: &event::Emit<'_>) -> Result<(), Refusal> {
        let protocol = |text: String| (Code::Protocol, text);
        step_id::check(m.open.kind, &m.step).map_err(|error| protocol(error.to_string()))?;
        // A message about a run that was taken from the runner meanwhile changes nothing (§4.7).
        let Some(run) = self.held_run(id, m.a) else { return Ok(()) };
        let new = |node: &Self| node.hot.run(run).is_some_and(|run| run.step(&m.step).is_none());
        let was_new = new(self);
        let (sent, event) = match self.emitted(run, m) {
            Ok(event) => {
                let json = format!("\"{}\"", event.id.id);
                (RawValue::from_string(json).map_err(|error| error.to_string()), Some(event))
            }
            Err(why) => (Err(why), None),
        };
        let open = opening(&m.open, self.now);
        let refused = |why: &String| {
            Failure::new(names::LIMIT, format!("the event of step `{}` is refused: {why}", m.step))
        };
        let step = EmitStep { step: m.step.clone(), sent: sent.as_deref().map_err(refused), open };
        self.on_act(id, (m.a, None, Act::Emit(step)))?;
        if let Some(event) = event.filter(|_| was_new && !new(self)) {
            self.accept_from(run, event);
        }
        Ok(())
    }

    fn emitted(&self, run: RunId, m: &event::Emit<'_>) -> Result<Event, String> {
        name::check("an event", &m.event).map_err(|error| error.to_string())?;
        let limit = self.config.limits.event_bytes_max;
        for (what, raw) in [("data", m.data), ("match", m.offer)] {
            raw.map_or(Ok(()), |raw| payload::check(raw, limit))
                .map_err(|why| format!("its {what}: {why}"))?;
        }
        if let Some(app) = &m.app {
            name::check("an app", app).map_err(|error| error.to_string())?;
        }
        let to = m.run.as_deref().map(str::parse).transpose();
        let to = to.map_err(|error: stepwell_core::id::ParseError| error.to_string())?;
        let state = self.hot.run(run).ok_or_else(|| format!("{run} is not held"))?;
        let text = |raw: Option<&RawValue>| raw.map(|raw| Arc::from(raw.get()));
        Ok(Event {
            id: EventId {
                namespace: state.namespace().clone(),
                id: derive::emitted(run, &m.step).into(),
            },
            name: Arc::from(&*m.event),
            accepted_at: self.now,
            data: text(m.data),
            offer: text(m.offer),
            scope: Scope { app: m.app.as_deref().map(Arc::from), run: to, ..Scope::default() },
        })
    }
}
