//! Events as they come: from senders and from runs, each accepted once (§8.1, §8.7).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;
use serde_json::value::RawValue;
use stepwell_core::code::Code;
use stepwell_core::id::RunId;
use stepwell_core::matching::{Document, Match};
use stepwell_core::run::{Phase, Run};
use stepwell_core::time::Timestamp;
use stepwell_core::{derive, name, payload};
use stepwell_store::event::{Event, EventId, Known, Place, Scope};
use stepwell_store::query::{EventName, Key, Queue};

use crate::commit::store_error;
use crate::defer::Deferred;
use crate::input::{RequestId, SendRequest};
use crate::node::Node;
use crate::output::{ApiError, Output, Outputs, Reply, Sent};
use crate::question::{Answer, Question};
use crate::route::Route;
use crate::single::Asked;

/// For how many names of events is known when the last one was accepted.
const NAMES_MAX: usize = 65_536;

/// An event on its way in.
#[derive(Debug)]
pub(crate) struct Sending {
    pub(crate) request: RequestId,
    id: EventId,
    send: Box<SendRequest>,
}

/// Events that are coming in or being routed.
#[derive(Debug, Default)]
pub(crate) struct Events {
    /// Those whose id is looked up or written, in the order in which they came.
    asked: FxHashMap<EventId, VecDeque<Sending>>,
    /// Those whose key is looked up.
    keyed: FxHashMap<RequestId, Sending>,
    /// Those whose waits are looked up.
    pub(crate) singles: FxHashMap<RequestId, Asked>,
    /// Ids whose first sending is over, one way or the other.
    pub(crate) over: Vec<EventId>,
    /// When the last event of a name was accepted.
    newest: FxHashMap<EventName, Timestamp>,
    /// The same for names that are not there.
    floor: Timestamp,
    last_accepted: Timestamp,
    last_parked: Timestamp,
    /// How many waits were parked, and how many flushes there had been when the last one was.
    parked: (u64, u64),
    pub(crate) routes: BTreeMap<Place, Route>,
    pub(crate) router: crate::route::Router,
}

impl Events {
    /// Nothing is known of what was accepted until now.
    pub(crate) fn open(&mut self, now: Timestamp) {
        (self.floor, self.last_parked) = (now, now);
        self.router.scan();
    }

    /// Returns an instant after which no event of this name was accepted here.
    pub(crate) fn newest(&self, name: &EventName) -> Timestamp {
        self.newest.get(name).copied().unwrap_or(self.floor)
    }

    /// Notes that a wait is parked now, after so many flushes.
    pub(crate) fn parks(&mut self, now: Timestamp, flushes: u64) {
        self.last_parked = now;
        self.parked = (self.parked.0 + 1, flushes);
    }

    /// Returns how many waits were parked, and after how many flushes the last one was.
    pub(crate) fn parked(&self) -> (u64, u64) {
        self.parked
    }

    fn accepts(&mut self, event: &Event) {
        if self.newest.len() >= NAMES_MAX {
            self.newest.clear();
            self.floor = event.accepted_at;
        }
        self.newest.insert(name_of(event), event.accepted_at);
        self.last_accepted = event.accepted_at;
    }
}

/// Returns the name of an event with its namespace.
pub(crate) fn name_of(event: &Event) -> EventName {
    EventName { namespace: event.id.namespace.clone(), name: event.name.clone() }
}

/// Tells whether a run is one of those that an event is for (§8.1).
pub(crate) fn is_for(event: &Event, run: &Run) -> bool {
    let scope = &event.scope;
    *run.namespace() == event.id.namespace
        && scope.app.as_ref().is_none_or(|app| app == run.app())
        && match (scope.run, &scope.key) {
            (Some(id), _) => id == run.id(),
            // No run had the key when the event was accepted.
            (None, Some(_)) => false,
            (None, None) => true,
        }
}

/// Tells whether an event has what a wait asks for (§8.2).
pub(crate) fn has(event: &Event, wanted: Option<&str>) -> bool {
    let Some(wanted) = wanted else { return true };
    let wanted = raw(wanted).and_then(|wanted| Match::parse(wanted).ok());
    wanted.is_some_and(|wanted| document(event).is_some_and(|event| wanted.matches(&event)))
}

/// Reads what an event offers to matches.
pub(crate) fn document(event: &Event) -> Option<Document<'_>> {
    let offered = event.offer.as_deref().or(event.data.as_deref()).unwrap_or("null");
    raw(offered).and_then(|offered| Document::read(offered).ok())
}

pub(crate) fn raw(text: &str) -> Option<&RawValue> {
    serde_json::from_str(text).ok()
}

/// Returns what the sender of an event is told once it is durable.
pub(crate) fn taken(event: &Event, delivered: Option<u64>, reason: Option<String>) -> Reply {
    let id = event.id.id.clone();
    Reply::Sent(Box::new(Sent { id, accepted: true, delivered, reason }))
}

fn text(raw: Option<&RawValue>) -> Option<Arc<str>> {
    raw.map(|raw| Arc::from(raw.get()))
}

impl Node {
    /// An event is accepted later than every other one and than every wait that is parked by now, and
    /// not later than any that will be: what came first is never a matter of chance (§8.4).
    fn stamp(&mut self) -> Timestamp {
        let last = self.events.last_parked.max(self.events.last_accepted);
        if last >= self.now {
            self.now = last.after(Duration::from_micros(1));
        }
        self.now
    }

    /// A run that starts now starts later than every event that is accepted by now.
    pub(crate) fn stamp_start(&mut self) {
        if self.events.last_accepted >= self.now {
            self.now = self.events.last_accepted.after(Duration::from_micros(1));
        }
    }

    pub(crate) fn on_send(
        &mut self,
        request: RequestId,
        send: Box<SendRequest>,
        out: &mut Outputs,
    ) {
        let refuse = |error: ApiError, out: &mut Outputs| {
            out.list.push(Output::Reply { request, reply: Reply::Error(error) });
        };
        if self.draining {
            let detail = "the server is stopping; try again when it is back".into();
            return refuse(ApiError { code: Code::Unavailable, detail }, out);
        }
        if let Err(error) = self.check_send(&send) {
            return refuse(error, out);
        }
        let namespace = send.namespace.clone();
        let Some(id) = &send.id else {
            let id: Arc<str> = derive::event_id(self.entropy_wide()).into();
            return self.address(Sending { request, id: EventId { namespace, id }, send }, out);
        };
        let id = EventId { namespace, id: Arc::from(&**id) };
        let sending = Sending { request, id: id.clone(), send };
        if let Some(others) = self.events.asked.get_mut(&id) {
            return others.push_back(sending);
        }
        out.list.push(Output::Ask(Question::Event(id.clone())));
        self.events.asked.insert(id, VecDeque::from([sending]));
    }

    fn check_send(&self, send: &SendRequest) -> Result<(), ApiError> {
        let error = |code, detail: String| ApiError { code, detail };
        let named = |what, value: Option<&str>| {
            let checked = value.map_or(Ok(()), |value| name::check(what, value));
            checked.map_err(|why| error(Code::BadRequest, why.to_string()))
        };
        named("an event", Some(&send.event))?;
        named("an event's id", send.id.as_deref())?;
        named("an app", send.app.as_deref())?;
        named("a workflow", send.workflow.as_deref())?;
        named("an idempotency key", send.key.as_deref())?;
        let limit = self.config.limits.event_bytes_max;
        for (what, raw) in [("data", send.data.as_deref()), ("match", send.offer.as_deref())] {
            raw.map_or(Ok(()), |raw| payload::check(raw, limit)).map_err(|why| {
                error(Code::PayloadTooLarge, format!("the event's {what} is refused: {why}"))
            })?;
        }
        if send.run.is_some() && send.key.is_some() {
            let text = "an event is for a `run` or for the run of a `key`, not for both";
            return Err(error(Code::BadRequest, text.into()));
        }
        if send.workflow.is_some() && send.key.is_none() {
            let text = "`workflow` tells whose `key` is meant; it is accepted with `key` only";
            return Err(error(Code::BadRequest, text.into()));
        }
        Ok(())
    }

    /// §8.7: an event whose id is known does nothing more.
    pub(crate) fn on_event(&mut self, id: &EventId, known: Option<&Known>, out: &mut Outputs) {
        if let Some(known) = known {
            for sending in self.events.asked.remove(id).unwrap_or_default() {
                let sent = Sent::repeat(known.event.id.id.clone());
                let reply = Reply::Sent(Box::new(sent));
                self.commits.common().reply(sending.request, reply);
            }
        } else if let Some(sending) = self.events.asked.get_mut(id).and_then(VecDeque::pop_front) {
            self.address(sending, out);
        }
    }

    /// The first sending of these ids is over: those that wait behind it are looked up again.
    pub(crate) fn ask_again(&mut self, out: &mut Outputs) {
        for id in std::mem::take(&mut self.events.over) {
            match self.events.asked.get(&id).map(VecDeque::is_empty) {
                Some(true) => {
                    self.events.asked.remove(&id);
                }
                Some(false) => out.list.push(Output::Ask(Question::Event(id))),
                None => {}
            }
        }
    }

    /// Finds the run that an event is for, where it is for one.
    fn address(&mut self, sending: Sending, out: &mut Outputs) {
        let send = &sending.send;
        if let Some(key) = &send.key {
            let key: Arc<str> = Arc::from(&**key);
            let queues = self.registry.queues(&send.namespace, |queue| {
                send.app.as_ref().is_none_or(|app| **app == *queue.app)
                    && send.workflow.as_ref().is_none_or(|one| **one == *queue.workflow)
            });
            let keys = queues.into_iter().map(|queue| Key { queue, key: key.clone() }).collect();
            let request = sending.request;
            self.events.keyed.insert(request, sending);
            return out.list.push(Output::Ask(Question::Keys { request, keys }));
        }
        match send.run {
            Some(run) => self.with_run(run, Deferred::Send(Box::new(sending)), out),
            None => self.address_all(&sending, out),
        }
    }

    fn on_keys(&mut self, request: RequestId, runs: &[(Queue, RunId)], out: &mut Outputs) {
        let Some(sending) = self.events.keyed.remove(&request) else { return };
        match runs {
            [] => {
                let key = sending.send.key.as_deref().unwrap_or_default();
                let reason = format!("no run was started with the key `{key}`");
                self.accept_for_nobody(&sending, reason);
            }
            [(_, run)] => self.with_run(*run, Deferred::Send(Box::new(sending)), out),
            several => {
                let runs: Vec<_> = several
                    .iter()
                    .map(|(queue, run)| format!("{run} ({}/{})", queue.app, queue.workflow))
                    .collect();
                let key = sending.send.key.as_deref().unwrap_or_default();
                let detail = format!(
                    "the key `{key}` started several runs: {}; say which with `app` and `workflow`",
                    runs.join(", ")
                );
                let error = ApiError { code: Code::AmbiguousKey, detail };
                self.refuse_sending(&sending, error);
            }
        }
    }

    pub(crate) fn refuse_sending(&mut self, sending: &Sending, error: ApiError) {
        self.commits.common().reply(sending.request, Reply::Error(error));
        self.events.over.push(sending.id.clone());
    }

    /// The run that an event is for is in memory.
    pub(crate) fn send_to(&mut self, id: RunId, sending: &Sending) {
        let Some(run) = self.hot.run(id) else { return };
        if *run.namespace() != sending.send.namespace {
            return self.accept_for_nobody(sending, format!("there is no run {id}"));
        }
        if let Phase::Ended(status) = run.phase() {
            let reason = format!("{id} has ended: {status}");
            return self.accept_for_nobody(sending, reason);
        }
        let event = self.event_of(sending, Some(id));
        let waits = run.parked_steps().filter_map(|step| step.parked.as_ref()).filter(|parked| {
            parked.wait.event == event.name && has(&event, parked.wait.wanted.as_deref())
        });
        let delivered = waits.count() as u64;
        self.accept(sending.request, event, Some(delivered));
    }

    /// There is no run that an event is for, or it cannot be read.
    pub(crate) fn send_to_nobody(
        &mut self,
        run: RunId,
        sending: &Sending,
        error: Option<&stepwell_store::Error>,
    ) {
        match error {
            Some(error) => self.refuse_sending(sending, store_error(error)),
            None => self.accept_for_nobody(sending, format!("there is no run {run}")),
        }
    }

    pub(crate) fn event_of(&self, sending: &Sending, run: Option<RunId>) -> Event {
        let send = &sending.send;
        let app = send.app.as_deref().map(Arc::from);
        Event {
            id: sending.id.clone(),
            name: Arc::from(&*send.event),
            accepted_at: self.now,
            data: text(send.data.as_deref()),
            offer: text(send.offer.as_deref()),
            scope: Scope {
                app,
                workflow: send.workflow.as_deref().map(Arc::from),
                run,
                key: send.key.as_deref().map(Arc::from),
            },
        }
    }

    pub(crate) fn accept(&mut self, request: RequestId, event: Event, delivered: Option<u64>) {
        let event = self.take_in(event);
        let reply = taken(&event, delivered, None);
        self.commits.accept(event).reply(request, reply);
    }

    /// Takes an event that nobody waits for: it is done with its acceptance.
    pub(crate) fn accept_done(&mut self, request: RequestId, event: Event) {
        let event = self.take_in(event);
        let reply = taken(&event, None, None);
        self.commits.accept_done(event).reply(request, reply);
    }

    /// §8.1: an event for a run that is not there, or has ended, does nothing, and says why.
    fn accept_for_nobody(&mut self, sending: &Sending, reason: String) {
        let event = self.take_in(self.event_of(sending, sending.send.run));
        let reply = taken(&event, Some(0), Some(reason));
        self.commits.accept_done(event).reply(sending.request, reply);
    }

    /// Stamps an event, and notes that it is the newest.
    pub(crate) fn take_in(&mut self, event: Event) -> Arc<Event> {
        let event = Arc::new(Event { accepted_at: self.stamp(), ..event });
        self.events.accepts(&event);
        self.stats.events += 1;
        event
    }

    /// A run sends an event: it is written in the batch that holds the record of its step (§4.6).
    pub(crate) fn accept_from(&mut self, run: RunId, event: Event) {
        let event = self.take_in(event);
        self.commits.accept_with(run, event);
    }

    pub(crate) fn on_answer(&mut self, answer: Answer, out: &mut Outputs) {
        match answer {
            Answer::Event { id, known } => self.on_event(&id, known.as_ref(), out),
            Answer::Keys { request, runs } => self.on_keys(request, &runs, out),
            Answer::Single { request, waits } => self.on_single(request, &waits, out),
            Answer::Waits { event, waits, more } => self.on_waits(&event, waits, more, out),
            Answer::Events { look, events, next } => self.on_events(&look, &events, next, out),
            Answer::Unrouted { events, more } => self.on_unrouted(events, more),
            Answer::Sweep { name, events, next } => {
                self.on_swept(&name, &events, next.as_ref(), out);
            }
        }
    }
}
