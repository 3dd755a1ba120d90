//! The open batch, and the effects that hang on batches until they are committed.
//!
//! [`Effects`] can be filled by anyone, but emptied only by [`Effects::release`], which
//! [`Node::on_committed`] alone calls for a batch: nothing about a run leaves the node before the
//! records that justify it are durable (§4.1, §4.8).

use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::Serialize;
use stepwell_core::code::Code;
use stepwell_core::id::RunId;
use stepwell_core::limits::CHUNK_BYTES;
use stepwell_core::planted::{self, Plant};
use stepwell_core::summary::Summary;
use stepwell_core::wait::Wait;
use stepwell_protocol::frame;
use stepwell_store::batch::{Batch, RunWrite, Workflow};
use stepwell_store::event::{Event, EventId, EventWrite, Place};
use stepwell_store::inbox::{Message, MessageId};
use stepwell_store::shared::{Answer, Needs, Release, Share};

use crate::input::{RequestId, SessionId};
use crate::node::Node;
use crate::output::{ApiError, Output, Outputs, Reply};
use crate::question::Question;
use crate::sharing::Left;

/// What is to happen once a batch is durable.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    frames: Vec<(SessionId, Frames)>,
    by_session: FxHashMap<SessionId, usize>,
    replies: Vec<(RequestId, Reply)>,
    registered: Vec<Workflow>,
    questions: Vec<Question>,
}

#[derive(Debug, Default)]
struct Frames {
    full: Vec<Vec<u8>>,
    open: frame::Writer,
}

impl Effects {
    /// Adds a message to what is sent on a connection.
    /// Returns how many bytes it has.
    pub(crate) fn send(&mut self, session: SessionId, message: &impl Serialize) -> usize {
        let index = *self.by_session.entry(session).or_insert_with(|| {
            self.frames.push((session, Frames::default()));
            self.frames.len() - 1
        });
        let Some((_, frames)) = self.frames.get_mut(index) else {
            return 0;
        };
        let before = frames.open.len();
        // A frame has at most so many bytes, unless one message has more.
        match frames.open.push_within(message, CHUNK_BYTES) {
            Some(full) => {
                frames.full.push(full);
                frames.open.len()
            }
            None => frames.open.len() - before,
        }
    }

    pub(crate) fn reply(&mut self, request: RequestId, reply: Reply) {
        self.replies.push((request, reply));
    }

    pub(crate) fn registered(&mut self, workflow: Workflow) {
        self.registered.push(workflow);
    }

    /// Asks the store once what the batch holds is durable.
    pub(crate) fn ask(&mut self, question: Question) {
        self.questions.push(question);
    }

    fn is_empty(&self) -> bool {
        self.frames.is_empty()
            && self.replies.is_empty()
            && self.registered.is_empty()
            && self.questions.is_empty()
    }

    fn append(&mut self, other: Self) {
        for (session, frames) in other.frames {
            let index = *self.by_session.entry(session).or_insert_with(|| {
                self.frames.push((session, Frames::default()));
                self.frames.len() - 1
            });
            if let Some((_, mine)) = self.frames.get_mut(index) {
                mine.full.extend(mine.open.take());
                mine.full.extend(frames.full);
                mine.open = frames.open;
            }
        }
        self.replies.extend(other.replies);
        self.registered.extend(other.registered);
        self.questions.extend(other.questions);
    }

    fn release(self, out: &mut Outputs) {
        out.list.extend(self.registered.into_iter().map(Output::Registered));
        for (session, mut frames) in self.frames {
            frames.full.extend(frames.open.take());
            let sends = frames.full.into_iter().map(|frame| Output::Send { session, frame });
            out.list.extend(sends);
        }
        let replies = self.replies.into_iter();
        out.list.extend(replies.map(|(request, reply)| Output::Reply { request, reply }));
        out.list.extend(self.questions.into_iter().map(Output::Ask));
    }
}

/// A batch that is being filled.
#[derive(Debug, Default)]
pub(crate) struct Open {
    writes: Vec<(RunId, Vec<u8>)>,
    index: FxHashMap<RunId, usize>,
    workflows: Vec<Workflow>,
    messages: Vec<Arc<Message>>,
    consumed: Vec<MessageId>,
    events: Vec<EventWrite>,
    /// Of these, those that are new, and are to be routed.
    accepted: Vec<Arc<Event>>,
    /// The ids of all that are new.
    ids: Vec<EventId>,
    /// Those that are done.
    routed: Vec<Place>,
    /// What other members of a shared store are to know.
    share: Share,
    /// What is known of the runs that are released.
    left: Vec<Left>,
    /// It holds records of a run that was there before.
    joined: bool,
    pub(crate) effects: Effects,
}

impl Open {
    fn add(&mut self, run: RunId, records: &[u8]) {
        if let Some(index) = self.index.get(&run) {
            if let Some((_, written)) = self.writes.get_mut(*index) {
                written.extend_from_slice(records);
            }
            return;
        }
        self.index.insert(run, self.writes.len());
        self.writes.push((run, records.to_vec()));
    }

    fn is_empty(&self) -> bool {
        self.writes.is_empty()
            && self.workflows.is_empty()
            && self.events.is_empty()
            && self.messages.is_empty()
            && self.consumed.is_empty()
            && self.share.is_empty()
    }

    fn accept(&mut self, event: Arc<Event>) {
        self.ids.push(event.id.clone());
        self.events.push(EventWrite::Accepted(event.clone()));
        self.accepted.push(event);
    }
}

/// A batch that was given out.
#[derive(Debug)]
struct Given {
    runs: Vec<RunId>,
    messages: Vec<Arc<Message>>,
    consumed: Vec<MessageId>,
    effects: Effects,
    /// What tells of earlier batches, and only waits for its turn behind this one.
    along: Effects,
    grows: bool,
    joined: bool,
    ids: Vec<EventId>,
    /// Events to route once this is durable: those that are accepted by it, or by one that was given
    /// out with it. So every wait that was parked before is durable too.
    to_route: Vec<Arc<Event>>,
    routed: Vec<Place>,
    /// Whom it answers of those who asked other members.
    asks: Vec<RunId>,
    left: Vec<Left>,
}

/// The open batches, and those given out and not answered.
///
/// New runs have a batch of their own, so that a full disk can refuse them while others end.
#[derive(Debug, Default)]
pub(crate) struct Commits {
    growing: Open,
    steady: Open,
    given: VecDeque<Given>,
    /// The store took the last batch that it may refuse.
    takes: bool,
    flushes: u64,
}

impl Commits {
    /// Adds a new run's first records. Returns nothing: its effects hang on [`Commits::effects`].
    pub(crate) fn start(&mut self, run: RunId, records: &[u8]) {
        self.growing.add(run, records);
    }

    /// Adds records to a run. Tells whether the run is new to the open batches.
    pub(crate) fn add(&mut self, run: RunId, records: &[u8]) -> bool {
        let open = if self.growing.index.contains_key(&run) {
            &mut self.growing
        } else {
            &mut self.steady
        };
        let fresh = !open.index.contains_key(&run);
        open.add(run, records);
        fresh
    }

    /// Lets the records of a run that was there before be written with what the store may refuse.
    pub(crate) fn join(&mut self, run: RunId) {
        self.growing.joined = true;
        self.growing.add(run, &[]);
    }

    /// Returns how often the open batches were given out.
    pub(crate) fn flushes(&self) -> u64 {
        self.flushes
    }

    /// Tells whether what was added after so many flushes is durable.
    pub(crate) fn is_durable(&self, flushes: u64) -> bool {
        flushes < self.flushes && self.given.is_empty()
    }

    /// Tells whether no event is on its way to the store, which took what it may refuse.
    pub(crate) fn is_next_to_route(&self) -> bool {
        let open = self.growing.accepted.is_empty() && self.steady.accepted.is_empty();
        open && self.takes && self.given.iter().all(|given| given.to_route.is_empty())
    }

    /// Returns what the open batches hold of a run.
    pub(crate) fn records(&self, run: RunId) -> Option<&[u8]> {
        let of = |open: &'_ Open| open.index.get(&run).copied();
        let written = match of(&self.growing) {
            Some(index) => self.growing.writes.get(index),
            None => self.steady.writes.get(of(&self.steady)?),
        };
        written.map(|(_, records)| records.as_slice())
    }

    /// Adds the first records of a run that another one's newest records tell of.
    pub(crate) fn start_beside(&mut self, beside: RunId, run: RunId, records: &[u8]) {
        self.with(beside).add(run, records);
    }

    /// Adds a message to what a run's newest records are written with.
    pub(crate) fn message(&mut self, from: RunId, message: Arc<Message>) {
        self.with(from).messages.push(message);
    }

    /// Ends a message with what the run that heard it writes.
    pub(crate) fn consume(&mut self, run: RunId, message: MessageId) {
        self.with(run).consumed.push(message);
    }

    /// Returns the open batch that holds the run's newest records, or would.
    fn with(&mut self, run: RunId) -> &mut Open {
        if self.growing.index.contains_key(&run) { &mut self.growing } else { &mut self.steady }
    }

    /// Lets others have a run.
    pub(crate) fn release(&mut self, release: Release, left: Left) {
        self.steady.share.released.push(release);
        self.steady.left.push(left);
    }

    /// Keeps a run that was to be released.
    pub(crate) fn keep(&mut self, run: RunId) {
        self.steady.share.released.retain(|released| released.run != run);
    }

    /// Answers what was asked of another member, with what a run's newest records are written with.
    pub(crate) fn answer(&mut self, run: RunId, answer: Answer) {
        self.with(run).share.answers.push(answer);
    }

    /// Lets others route an event.
    pub(crate) fn unroute(&mut self, place: Place) {
        self.steady.share.unrouted.push(place);
    }

    /// Adds a registration.
    pub(crate) fn register(&mut self, workflow: Workflow) {
        self.steady.effects.registered(workflow.clone());
        self.steady.workflows.push(workflow);
    }

    fn open_of(&mut self, run: RunId) -> &mut Open {
        if self.growing.index.contains_key(&run) { &mut self.growing } else { &mut self.steady }
    }

    /// Adds a new event. Returns what hangs on it.
    pub(crate) fn accept(&mut self, event: Arc<Event>) -> &mut Effects {
        self.growing.accept(event);
        &mut self.growing.effects
    }

    /// Adds a new event that is done. Returns what hangs on it.
    pub(crate) fn accept_done(&mut self, event: Arc<Event>) -> &mut Effects {
        let routed = EventWrite::Routed(event.id.clone());
        self.growing.ids.push(event.id.clone());
        self.growing.events.push(EventWrite::Accepted(event));
        self.growing.events.push(routed);
        &mut self.growing.effects
    }

    /// Adds a new event to the batch that holds a run's newest records.
    pub(crate) fn accept_with(&mut self, run: RunId, event: Arc<Event>) {
        self.open_of(run).accept(event);
    }

    /// Says something of an event in the batch that holds a run's newest records.
    pub(crate) fn say(&mut self, run: RunId, write: EventWrite) {
        self.open_of(run).events.push(write);
    }

    /// Says that an event is done.
    pub(crate) fn routed(&mut self, place: Place) {
        self.steady.events.push(EventWrite::Routed(place.id.clone()));
        self.steady.routed.push(place);
    }

    /// Returns the effects that hang on whatever holds the run's newest records.
    pub(crate) fn effects(&mut self, run: RunId) -> &mut Effects {
        if self.growing.index.contains_key(&run) {
            &mut self.growing.effects
        } else {
            &mut self.steady.effects
        }
    }

    /// Returns the effects that hang on the open batch for what belongs to no run.
    pub(crate) fn common(&mut self) -> &mut Effects {
        &mut self.steady.effects
    }
}

impl Node {
    /// Closes the open batches and gives them out. Called when what was waiting has been handled,
    /// so that one sync serves all of it.
    pub fn flush(&mut self, out: &mut Outputs) {
        self.commits.flushes += 1;
        let growing = std::mem::take(&mut self.commits.growing);
        let steady = std::mem::take(&mut self.commits.steady);
        let mut accepted: Vec<_> =
            growing.accepted.iter().chain(&steady.accepted).cloned().collect();
        if planted::has(Plant::EarlyRouting) {
            accepted.drain(..).for_each(|event| self.begin_route(&event, out));
        }
        self.give_out(growing, true, out);
        self.give_out(steady, false, out);
        if let Some(last) = self.commits.given.back_mut() {
            last.to_route.append(&mut accepted);
        }
    }

    fn give_out(&mut self, open: Open, grows: bool, out: &mut Outputs) {
        if open.is_empty() {
            if !open.effects.is_empty() {
                // What they tell of is durable, or will be with a batch given out that grows nothing:
                // a run is not told of before its start is durable.
                match self.commits.given.back_mut() {
                    Some(last) => last.along.append(open.effects),
                    None => open.effects.release(out),
                }
            }
            return;
        }
        let (at, workflows, events) = (self.now, open.workflows, open.events);
        let (messages, consumed) = (open.messages, open.consumed);
        let asks = open.share.answers.iter().map(|answer| answer.ask).collect();
        let share = open.share;
        let mut batch = Batch { at, grows, workflows, events, share, ..Batch::default() };
        batch.messages.clone_from(&messages);
        batch.consumed.clone_from(&consumed);
        let mut runs = Vec::with_capacity(open.writes.len());
        for (id, records) in open.writes {
            // A run with unwritten records stays in memory; only a refused start is dropped, and what
            // was said of it after is dropped with it.
            let leaves = self.leaves_with(id);
            let Some(run) = self.hot.run(id) else { continue };
            runs.push(id);
            if self.config.shared {
                batch.share.needs.extend(Needs::of(run));
            }
            if leaves {
                batch.share.released.push(Release { run: id, away: None });
            }
            let (summary, waits) = (Summary::of(run), Wait::all_of(run));
            batch.runs.push(RunWrite { run: id, records, summary, waits });
        }
        self.stats.commits += 1;
        let along = Effects::default();
        self.commits.given.push_back(Given {
            runs,
            messages,
            consumed,
            effects: open.effects,
            along,
            grows,
            joined: open.joined,
            ids: open.ids,
            to_route: Vec::new(),
            routed: open.routed,
            asks,
            left: open.left,
        });
        out.list.push(Output::Commit(batch));
    }

    pub(crate) fn on_committed(&mut self, out: &mut Outputs) {
        let Some(given) = self.commits.given.pop_front() else {
            return;
        };
        self.commits.takes |= given.grows;
        given.effects.release(out);
        given.along.release(out);
        for run in given.runs {
            self.on_triggered(run);
            self.on_written(run, out);
        }
        self.inbox.take_up(given.messages);
        self.inbox.forget(given.consumed);
        self.events.over.extend(given.ids);
        self.forget_routes(&given.routed);
        self.queue_routes(given.to_route);
        given.left.into_iter().for_each(|left| self.has_left(left));
    }

    /// A batch that only held new runs and events was refused: they never were. For any other the node
    /// cannot go on, since its memory is ahead of the store.
    pub(crate) fn on_refused(&mut self, error: &stepwell_store::Error, out: &mut Outputs) {
        let Some(given) = self.commits.given.pop_front() else {
            return;
        };
        self.commits.takes = false;
        if !given.grows || given.joined {
            out.list.push(Output::Restart { reason: error.to_string() });
            return;
        }
        for run in given.runs {
            self.on_untriggered(run);
            self.forget_unborn(run, error, out);
        }
        if let Some(next) = self.commits.given.front_mut() {
            next.to_route.retain(|event| !given.ids.contains(&event.id));
        }
        self.events.over.extend(given.ids);
        for ask in given.asks {
            self.commits.steady.share.answers.push(crate::ask::answer(ask, &refusal(error)));
        }
        for (request, _) in given.effects.replies {
            out.list.push(Output::Reply { request, reply: refusal(error) });
        }
        given.along.release(out);
    }
}

/// Tells an asker that the store did not take something.
pub(crate) fn refusal(error: &stepwell_store::Error) -> Reply {
    match error {
        stepwell_store::Error::Contended(_) => Reply::Contended,
        _ => Reply::Error(store_error(error)),
    }
}

/// Tells an asker why the store did not take something.
pub(crate) fn store_error(error: &stepwell_store::Error) -> ApiError {
    let code = match error {
        stepwell_store::Error::DiskFull { .. } => Code::DiskFull,
        stepwell_store::Error::Quarantined { .. } => Code::Quarantined,
        stepwell_store::Error::Poisoned(_) | stepwell_store::Error::Corrupt(_) => Code::StoreFailed,
        _ => Code::Unavailable,
    };
    ApiError { code, detail: error.to_string() }
}
