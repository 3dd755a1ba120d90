//! Routing: everything that an event starts or wakes is told of it (§8.1, §8.9).
//!
//! An event is routed once it is durable, and so is every wait that was parked before it: what is
//! read of waits is read after both. Waits are woken a slice at a time, so that an event for a hundred
//! thousand of them holds up nobody. What an event did is written with the run's record, and that it
//! is done behind all of that; who finds it undone does it again, which changes nothing that is done.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;
use stepwell_core::derive;
use stepwell_core::id::RunId;
use stepwell_core::matching::Leaves;
use stepwell_core::run::{Command, Deliver};
use stepwell_core::time::Timestamp;
use stepwell_core::wait::Wait;
use stepwell_store::event::{Did, Event, EventWrite, Place};
use stepwell_store::query::Queue;

use crate::begin::Begun;
use crate::defer::Deferred;
use crate::enquiry::Enquiry;
use crate::events::{document, has, is_for, name_of, raw};
use crate::look::Told;
use crate::node::Node;
use crate::output::{Output, Outputs};
use crate::question::Question;

/// How many waits are woken before others get their turn.
const WAKES: usize = 6;
/// How many events are routed at once.
const ROUTES_MAX: usize = 64;
/// How many events wait in memory to be routed; more of them wait in the store.
const BACKLOG_MAX: usize = 1_024;
/// How many unrouted events one question to the store returns, over those in memory.
const PAGE: usize = 64;
/// How long routing waits after the store refused what it starts.
const PAUSE: Duration = Duration::from_secs(1);

/// An event that is being routed.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) event: Arc<Event>,
    leaves: Leaves,
    /// Where to go on among the waits, unless there are no more.
    after: Option<Wait>,
    more: bool,
    /// How many runs are about to be told.
    pending: usize,
    /// Something that it starts was refused.
    failed: bool,
    /// It is done, which is not durable yet.
    done: bool,
}

/// The queues of routing.
#[derive(Debug, Default)]
pub(crate) struct Router {
    /// Durable events that wait for their turn.
    backlog: BTreeMap<Place, Arc<Event>>,
    /// The store knows unrouted events that are not in memory.
    scan: bool,
    asking: bool,
    /// Routes that may go on with their next slice, in turns.
    turns: VecDeque<Place>,
    /// Routes all of whose runs were told.
    told: Vec<Place>,
    /// Runs that are to be started.
    starts: Vec<Triggering>,
    /// Runs whose start is not durable yet.
    starting: FxHashMap<RunId, Place>,
    /// When events that failed are tried again.
    retry: Option<Timestamp>,
    /// In a shared store: events that are routed once it is known what was registered elsewhere; those before the
    /// question that is under way, and behind it.
    unread: [Vec<Arc<Event>>; 2],
}

impl Router {
    /// Tells whether no event waits to be routed.
    fn is_idle(&self) -> bool {
        self.backlog.is_empty() && !self.scan && !self.asking && self.retry.is_none()
    }

    /// Notes that the store may know events that are not in memory.
    pub(crate) fn scan(&mut self) {
        self.scan = true;
    }

    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.retry
    }

    /// What was registered elsewhere is read now.
    pub(crate) fn read_up(&mut self) {
        let [asked, later] = &mut self.unread;
        asked.append(later);
    }

    /// Returns the events that were accepted before that was read.
    pub(crate) fn were_read_up(&mut self) -> Vec<Arc<Event>> {
        std::mem::take(&mut self.unread[0])
    }

    fn unread(&self) -> usize {
        self.unread.iter().map(Vec::len).sum()
    }
}

/// An event for the waits of a run.
#[derive(Debug)]
pub(crate) struct Delivery {
    event: Arc<Event>,
    /// The step that waits, which asks for this event; all of the run's where absent.
    step: Option<Arc<str>>,
}

/// An event that starts a run, unless it has started it.
#[derive(Debug)]
pub(crate) struct Triggering {
    event: Arc<Event>,
    queue: Queue,
    run: RunId,
}

impl Node {
    /// Durable events are routed as their turn comes.
    pub(crate) fn queue_routes(&mut self, events: Vec<Arc<Event>>) {
        for event in events {
            if self.events.router.backlog.len() >= BACKLOG_MAX {
                self.leave_route(event.place());
                self.events.router.scan();
            } else {
                self.events.router.backlog.insert(event.place(), event);
            }
        }
    }

    /// Tells whether an event that is accepted now is the next to be routed: what was accepted before has
    /// woken all that it wakes, and the store takes new things.
    pub(crate) fn is_next_to_route(&self) -> bool {
        let routed = self.events.routes.values().all(|route| route.done);
        routed && self.events.router.is_idle() && self.commits.is_next_to_route()
    }

    /// Does what has become due by an input: starts runs, goes on with routes.
    pub(crate) fn route(&mut self, out: &mut Outputs) {
        for triggering in std::mem::take(&mut self.events.router.starts) {
            self.start_triggered(triggering, out);
        }
        for place in std::mem::take(&mut self.events.router.told) {
            self.go_on(&place);
        }
        while self.events.routes.len() + self.events.router.unread() < ROUTES_MAX
            && let Some((place, event)) = self.events.router.backlog.pop_first()
        {
            if self.config.shared {
                self.events.router.unread[1].push(event);
            } else if !self.events.routes.contains_key(&place) {
                self.begin_route(&event, out);
            }
        }
        if !self.events.router.unread[1].is_empty() {
            self.ask_registrations(out);
        }
        let room = self.events.routes.len() < ROUTES_MAX && self.events.router.retry.is_none();
        if room
            && self.events.router.scan
            && !std::mem::replace(&mut self.events.router.asking, true)
        {
            let limit = self.events.routes.len() + PAGE;
            out.list.push(if self.config.shared {
                Output::Enquire(Enquiry::Unrouted { limit: PAGE })
            } else {
                Output::Ask(Question::Unrouted { limit })
            });
        }
        self.ask_again(out);
        if !self.events.router.turns.is_empty() {
            self.come_back(out);
        }
    }

    /// One slice of waits is woken in a turn.
    pub(crate) fn take_route_turn(&mut self, out: &mut Outputs) {
        if self.events.router.retry.is_some_and(|at| at <= self.now) {
            self.events.router.retry = None;
            self.events.router.scan();
        }
        if let Some(place) = self.events.router.turns.pop_front() {
            self.ask_waits(&place, out);
        }
    }

    pub(crate) fn on_unrouted(&mut self, events: Vec<Arc<Event>>, more: bool) {
        self.events.router.asking = false;
        // What is in memory is routed by itself.
        let fresh = |event: &Arc<Event>| !self.events.routes.contains_key(&event.place());
        let fresh: Vec<_> = events.into_iter().filter(fresh).collect();
        self.events.router.scan = more;
        self.queue_routes(fresh);
    }

    pub(crate) fn begin_route(&mut self, event: &Arc<Event>, out: &mut Outputs) {
        let place = event.place();
        let (leaves, queues) = match document(event) {
            Some(read) => (read.leaves(), self.registry.triggered_by(event, &read)),
            None => (Leaves::Each(Vec::new()), Vec::new()),
        };
        let for_one = event.scope.run.is_some() || event.scope.key.is_some();
        let route = Route {
            event: event.clone(),
            leaves,
            after: None,
            more: !for_one,
            pending: 1,
            failed: false,
            done: false,
        };
        self.events.routes.insert(place.clone(), route);
        if let Some(run) = event.scope.run {
            return self.with_run(run, deliver(event, None), out);
        }
        for queue in queues.into_iter().filter(|_| !for_one) {
            let (app, workflow) = (&queue.app, &queue.workflow);
            let (space, id) = (&event.id.namespace, &event.id.id);
            let run = derive::triggered(space, id, app, workflow, event.accepted_at);
            self.expect(&place);
            let triggering = Triggering { event: event.clone(), queue, run };
            self.with_run(run, Deferred::Trigger(Box::new(triggering)), out);
        }
        if for_one {
            self.told(&place);
        } else {
            self.ask_waits(&place, out);
        }
    }

    fn ask_waits(&mut self, place: &Place, out: &mut Outputs) {
        let Some(route) = self.events.routes.get_mut(place) else { return };
        let (name, leaves) = (name_of(&route.event), route.leaves.clone());
        let (event, after) = (place.clone(), route.after.clone());
        out.list.push(Output::Ask(Question::Waits { event, name, leaves, after, limit: WAKES }));
    }

    pub(crate) fn on_waits(
        &mut self,
        place: &Place,
        waits: Vec<Wait>,
        more: bool,
        out: &mut Outputs,
    ) {
        let Some(route) = self.events.routes.get_mut(place) else { return };
        let event = route.event.clone();
        route.more = more;
        route.after = waits.last().cloned();
        // What asked for this slice is done only when all of it is told.
        route.pending += waits.len();
        for wait in waits {
            let app = event.scope.app.as_ref().is_none_or(|app| *app == wait.app);
            if app && event.accepted_at >= wait.from && has(&event, wait.wanted.as_deref()) {
                self.with_run(wait.run, deliver(&event, Some(wait.step)), out);
            } else {
                self.told(place);
            }
        }
        self.told(place);
    }

    pub(crate) fn expect(&mut self, place: &Place) {
        if let Some(route) = self.events.routes.get_mut(place) {
            route.pending += 1;
        }
    }

    pub(crate) fn told(&mut self, place: &Place) {
        let Some(route) = self.events.routes.get_mut(place) else { return };
        route.pending = route.pending.saturating_sub(1);
        if route.pending == 0 {
            self.events.router.told.push(place.clone());
        }
    }

    /// All that a route had in hand is told: it goes on, or it is done.
    fn go_on(&mut self, place: &Place) {
        let Some(route) = self.events.routes.get_mut(place) else { return };
        if route.pending > 0 || route.done {
            return;
        }
        if std::mem::take(&mut route.more) {
            route.pending = 1;
            return self.events.router.turns.push_back(place.clone());
        }
        if route.failed {
            self.events.routes.remove(place);
            self.leave_route(place.clone());
            self.events.router.retry = Some(self.now.after(PAUSE));
            return;
        }
        route.done = true;
        self.commits.routed(place.clone());
    }

    /// An event is not routed by what is in memory: it is found in the store again.
    fn leave_route(&mut self, place: Place) {
        if self.config.shared {
            self.commits.unroute(place);
        }
    }

    /// That these events are done is durable.
    pub(crate) fn forget_routes(&mut self, places: &[Place]) {
        for place in places {
            self.events.routes.remove(place);
        }
    }

    /// Gives an event to the waits of a run.
    pub(crate) fn deliver(&mut self, run: RunId, delivery: &Delivery) {
        let event = &delivery.event;
        let Some(state) = self.hot.run(run) else { return };
        if is_for(event, state) {
            let steps: Vec<Arc<str>> = match &delivery.step {
                Some(step) => vec![step.clone()],
                None => state.parked_steps().map(|step| step.id.clone()).collect(),
            };
            for step in steps {
                if self.config.shared {
                    self.look_for(run, &step, event);
                } else if !self.is_left_to_look(run, &step, event) {
                    self.deliver_routed(run, &step, event);
                }
            }
        }
        self.told(&event.place());
    }

    /// In a shared store events that came before may be on their way at other members: a look takes the oldest. The
    /// route goes on when it is over.
    fn look_for(&mut self, run: RunId, step: &Arc<str>, event: &Event) {
        if self.look_anew(run, step, (&event.name, event.accepted_at), Told::Route(event.place())) {
            self.expect(&event.place());
        }
    }

    /// The run whose wait may take an event is another member's.
    pub(crate) fn deliver_elsewhere(&mut self, run: RunId, delivery: &Delivery) {
        let event = &delivery.event;
        self.tell_of_event(run, event);
        self.told(&event.place());
    }

    pub(crate) fn deliver_routed(&mut self, run: RunId, step: &str, event: &Arc<Event>) {
        let Some(state) = self.hot.run(run) else { return };
        let Some(parked) = state.parked(step) else { return };
        // What was accepted before the wait was parked is the business of who looks back.
        let takes = |event: &Event| {
            event.accepted_at > parked.at
                && event.name == parked.wait.event
                && is_for(event, state)
                && has(event, parked.wait.wanted.as_deref())
        };
        if !takes(event) {
            return;
        }
        // §8.5: an older event that is being routed too was there first.
        let mut older = self.events.routes.range(..event.place()).map(|(_, route)| &route.event);
        let first = older.find(|older| takes(older)).unwrap_or(event).clone();
        self.give(run, step, &first);
    }

    /// Ends a wait with an event. Tells whether it did.
    pub(crate) fn give(&mut self, run: RunId, step: &str, event: &Event) -> bool {
        let data = event.data.as_deref().and_then(raw);
        let deliver = Deliver {
            step,
            id: &event.id.id,
            event: &event.name,
            data,
            accepted_at: event.accepted_at,
        };
        let waits = |node: &Self| node.hot.run(run).is_some_and(|run| run.parked(step).is_some());
        let waited = waits(self);
        self.apply(run, Command::Deliver(deliver), None).unwrap_or_default();
        let woken = waited && !waits(self);
        if woken {
            self.stats.waits_woken += 1;
            let did = Did { run, step: Some(Arc::from(step)) };
            self.commits.say(run, EventWrite::Did(event.id.clone(), vec![did]));
        }
        woken
    }

    /// A run that was to be told is not there.
    pub(crate) fn undeliverable(&mut self, delivery: &Delivery) {
        self.told(&delivery.event.place());
    }

    /// The run that an event starts is there, and the event did it, or it is not.
    pub(crate) fn trigger(&mut self, triggering: Triggering, is_there: bool) {
        if is_there {
            self.told(&triggering.event.place());
        } else {
            self.events.router.starts.push(triggering);
        }
    }

    /// §8.3: the event's data is the input; one event starts one workflow once.
    fn start_triggered(&mut self, triggering: Triggering, out: &mut Outputs) {
        let Triggering { event, queue, run } = triggering;
        self.stamp_start();
        let begun = Begun {
            input: event.data.as_deref().and_then(raw),
            event: Some((&event.id.id, &event.name)),
            ..Begun::of(run)
        };
        self.begin_run(&begun, &queue, out);
        self.stats.events_started += 1;
        let did = EventWrite::Did(event.id.clone(), vec![Did { run, step: None }]);
        self.commits.say(run, did);
        self.events.router.starting.insert(run, event.place());
    }

    /// The start of a run is durable.
    pub(crate) fn on_triggered(&mut self, run: RunId) {
        if let Some(place) = self.events.router.starting.remove(&run) {
            self.told(&place);
        }
    }

    /// The start of a run was refused: the event is routed again later.
    pub(crate) fn on_untriggered(&mut self, run: RunId) {
        let Some(place) = self.events.router.starting.remove(&run) else { return };
        if let Some(route) = self.events.routes.get_mut(&place) {
            route.failed = true;
        }
        self.told(&place);
    }
}

fn deliver(event: &Arc<Event>, step: Option<Arc<str>>) -> Deferred {
    Deferred::Deliver(Box::new(Delivery { event: event.clone(), step }))
}
