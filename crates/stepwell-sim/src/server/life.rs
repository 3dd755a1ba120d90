//! One node over one opening of the store.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;
use stepwell_node::{Input, Node, Now, Output, Outputs, RequestId, SessionId};
use stepwell_sqlite::Embedded;
use stepwell_store::batch::Batch;
use stepwell_store::event::EventWrite;
use stepwell_store::inbox::InboxWrite;
use stepwell_store::{Error, Store};

use super::inbox::{COPIES, Item, NAMESPACE, copy_of, input_of};
use super::ledger::Ledger;
use super::machine::Clocks;
use super::tap::{Tap, answer_of};
use crate::clock::{Engine, Micros};
use crate::disk::{Fails, SimDisk};
use crate::env::{Env, Event};
use crate::fault::Fault;
use crate::history::{Answer, Asked, Fact, Request, Written};
use crate::net::Way;
use crate::planted::Bug;

/// Most inputs that are handled before a commit.
const INPUTS_MAX: usize = 256;

/// Why a life is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Halt {
    /// The process was killed, or ended in a call to the disk.
    Ended,
    /// The node is dropped and the store opened again, in the same process.
    Doubt(String),
}

/// What the store has done.
#[derive(Debug)]
pub(super) enum Done {
    Read(Box<Input<'static>>),
    Committed(u32),
    Refused(u32, Error),
    Doubtful(String),
    /// The node was told already.
    Told,
}

/// A node, the store that it writes to, and who is connected.
pub(super) struct Life {
    /// Which of the machine's lives this is.
    pub(super) number: u32,
    pub(super) node: Node,
    pub(super) store: Arc<Embedded<SimDisk>>,
    pub(super) shown: Box<dyn Store>,
    pub(super) disk: SimDisk,
    pub(super) engine: Engine,
    pub(super) clocks: Clocks,
    /// Runs are held back.
    pub(super) held: bool,
    pub(super) sessions: BTreeSet<SessionId>,
    pub(super) requests: BTreeSet<Request>,
    pub(super) waits: BTreeSet<Request>,
    pub(super) out: Outputs,
    /// The node asked to come back.
    pub(super) again: bool,
    /// How long this turn has taken.
    pub(super) lag: Micros,
    /// Until when the store works, where the node goes on meanwhile.
    pub(super) store_until: Micros,
    /// What the store was asked for and has not done.
    pub(super) asked: VecDeque<(u32, Output)>,
    /// What the store has done and the node was not told.
    pub(super) done: Option<Done>,
    pub(super) pipelined: bool,
    /// The process is killed after so many outputs.
    pub(super) dying: Option<u32>,
    pub(super) bug: Bug,
}

/// What a life needs of the machine while it works.
pub(super) struct Desk<'a> {
    pub(super) env: &'a mut Env,
    pub(super) tap: &'a mut Tap,
    pub(super) batches: &'a mut u32,
    pub(super) ledger: &'a mut Ledger,
}

impl Life {
    /// Returns engine time.
    pub(super) fn now(&mut self, env: &Env) -> Timestamp {
        let at = env.now + self.lag;
        self.engine.at(self.clocks.monotonic.at(at), self.clocks.wall.at(at))
    }

    pub(super) fn tell(&mut self, input: Input<'_>, env: &mut Env) {
        let mut now = self.now(env);
        let ticks = matches!(input, Input::Tick);
        if ticks {
            now = self.bug.tick(now);
        }
        let at = env.now + self.lag;
        let monotonic = Duration::from_micros(self.clocks.monotonic.at(at));
        self.node.handle(input, Now { engine: now, monotonic }, &mut self.out);
        // What it did not get to in its slice, it comes back for.
        let goes_on = self.out.list.iter().any(|output| matches!(output, Output::Continue));
        let fires = ticks && !goes_on && !self.held;
        let due = self.node.stats().next_timer.filter(|due| fires && *due <= now);
        if let Some(due) = due {
            env.fact_later(self.lag, Fact::LeftDue { due, at: now });
        }
    }

    /// Handles what came, commits, and performs what that allows.
    pub(super) fn turn(
        &mut self,
        inbox: &mut VecDeque<Item>,
        desk: &mut Desk<'_>,
    ) -> Result<(), Halt> {
        let count = inbox.len().min(INPUTS_MAX);
        for item in inbox.drain(..count) {
            self.take(item, desk);
        }
        let now = self.now(desk.env);
        if std::mem::take(&mut self.again) {
            self.tell(Input::Continue, desk.env);
        } else if self.node.next_tick().is_some_and(|tick| tick <= now) {
            self.tell(Input::Tick, desk.env);
        }
        self.settle(desk)
    }

    fn take(&mut self, item: Item, desk: &mut Desk<'_>) {
        match item {
            Item::Reaches(session) => self.let_in(session, desk.env),
            Item::Frame(session, bytes) if self.sessions.contains(&session) => {
                self.tell(Input::Frame { session, bytes: &bytes }, desk.env);
            }
            Item::Frame(..) => {}
            Item::Gone(session) => {
                if self.sessions.remove(&session) {
                    desk.env.close(session, Way::Down);
                    self.tell(Input::Disconnected { session }, desk.env);
                }
            }
            Item::Asks(request, asked, wait) => {
                desk.env.commands += 1;
                self.requests.insert(request);
                // A server either waits in the node, or waits itself once the run exists.
                let in_node = wait && desk.env.rng.chance(500);
                if wait && !in_node {
                    self.waits.insert(request);
                }
                if let Asked::Import { copy, source, end } = asked {
                    return self.take_copy(request, (copy, source), end, desk.env);
                }
                let input = input_of(request, asked, in_node, desk.env);
                self.tell(input, desk.env);
            }
            Item::GivesUp(request) => {
                if self.requests.remove(&request) {
                    self.tell(Input::Forget { request: RequestId(request.0) }, desk.env);
                }
            }
            Item::Drain => self.tell(Input::Drain, desk.env),
        }
    }

    /// A client copies a run, and sends the copy.
    fn take_copy(
        &mut self,
        request: Request,
        (copy, source): (RunId, RunId),
        end: bool,
        env: &mut Env,
    ) {
        let copied = match self.store.load(source) {
            Ok(Some(journal)) => copy_of(request, copy, &journal, end).ok(),
            Ok(None) | Err(_) => None,
        };
        let Some((input, journal)) = copied else {
            // There is nothing that could be sent: as a server says of a run that is not there.
            self.requests.remove(&request);
            return self.answer(request, Answer::Refused { code: "SW2001" }, env);
        };
        env.fact_later(self.lag, Fact::Copied { request, copy, journal: journal.into() });
        self.tell(input, env);
    }

    fn let_in(&mut self, session: SessionId, env: &mut Env) {
        let Some(connection) = env.net.get(session) else { return };
        connection.node_side = true;
        self.sessions.insert(session);
        self.tell(Input::Connected { session, namespace: NAMESPACE.into() }, env);
        let delay = env.plan.delay(&mut env.rng);
        if let Some(at) = env.net.arrival(session, Way::Down, env.now, delay) {
            env.at(at, Event::LetIn(session));
        }
    }

    /// Performs outputs, and closes batches, until the node wants nothing more.
    pub(super) fn settle(&mut self, desk: &mut Desk<'_>) -> Result<(), Halt> {
        loop {
            if self.out.list.is_empty() {
                self.node.flush(&mut self.out);
                if self.out.list.is_empty() {
                    return Ok(());
                }
            }
            for output in std::mem::take(&mut self.out.list) {
                self.perform(output, desk)?;
            }
        }
    }

    fn perform(&mut self, output: Output, desk: &mut Desk<'_>) -> Result<(), Halt> {
        if let Some(left) = &mut self.dying {
            if *left == 0 {
                return Err(Halt::Ended);
            }
            *left -= 1;
        }
        match output {
            Output::Send { session, frame } => {
                if self.sessions.contains(&session) {
                    desk.tap.sees(session, &frame, desk.env, self.lag);
                    desk.env.send(session, Way::Down, frame, self.lag);
                }
            }
            Output::Reply { request, reply } => self.reply(Request(request.0), reply, desk.env),
            Output::Close { session, reason } => {
                desk.env.line(format_args!("node closes {session:?}: {reason}"));
                if self.sessions.remove(&session) {
                    desk.env.close(session, Way::Down);
                }
            }
            Output::Registered(_) => {}
            Output::Continue => self.again = true,
            Output::Restart { reason } => return Err(Halt::Doubt(reason)),
            Output::Enquire(enquiry) => {
                return Err(Halt::Doubt(format!("asked of a store of its own: {enquiry:?}")));
            }
            Output::Commit(_)
            | Output::Load(_)
            | Output::Due { .. }
            | Output::Ready { .. }
            | Output::Active { .. }
            | Output::Blocked { .. }
            | Output::Inbox { .. }
            | Output::Find(_)
            | Output::Ask(_) => {
                let number = match &output {
                    Output::Commit(batch) => self.note_batch(batch, desk),
                    _ => 0,
                };
                if !self.pipelined {
                    let done = self.do_in_store((number, output), desk)?;
                    return self.tell_done(done, desk);
                }
                if self.asked.is_empty() && self.done.is_none() {
                    let delay = self.lag + desk.env.rng.spread(20, 3_000);
                    desk.env.after(delay, Event::StoreDone(self.number));
                }
                self.asked.push_back((number, output));
            }
        }
        Ok(())
    }

    /// The store begins with the oldest thing that it was asked for, or is done with it.
    pub(super) fn store_moves(&mut self, desk: &mut Desk<'_>) -> Result<(), Halt> {
        if let Some(done) = self.done.take() {
            self.tell_done(done, desk)?;
            self.settle(desk)?;
        } else if let Some(output) = self.asked.pop_front() {
            self.done = Some(self.do_in_store(output, desk)?);
            // The node goes on meanwhile.
            let delay = std::mem::take(&mut self.lag) + desk.env.rng.spread(1, 1_000);
            self.store_until = desk.env.now + delay;
            desk.env.after(delay, Event::StoreDone(self.number));
            return Ok(());
        }
        if !self.asked.is_empty() {
            desk.env.after(1, Event::StoreDone(self.number));
        }
        Ok(())
    }

    fn do_in_store(
        &mut self,
        (number, output): (u32, Output),
        desk: &mut Desk<'_>,
    ) -> Result<Done, Halt> {
        let failed = |error: Error| Self::failed(&self.disk, &error);
        let input = match output {
            Output::Commit(batch) => return self.commit(number, &batch, desk),
            Output::Load(run) => {
                let journal = self.shown.load(run);
                if let Err(error) = &journal
                    && !matches!(error, Error::Quarantined { .. })
                {
                    return Err(failed(error.clone()));
                }
                Input::Loaded { run, journal }
            }
            Output::Due { until, after, limit } => {
                let runs = self.shown.due(until, after, limit).map_err(failed)?;
                Input::Due { runs }
            }
            Output::Ready { queue, after, limit } => {
                let runs = self.shown.ready(&queue, after, limit).map_err(failed)?;
                Input::Ready { queue, runs }
            }
            Output::Active { after, limit } => {
                let runs = self.shown.active(after, limit).map_err(failed)?;
                Input::Active { runs }
            }
            Output::Blocked { queue, after, limit } => {
                let runs = self.shown.blocked(&queue, after, limit).map_err(failed)?;
                Input::Blocked { queue, runs }
            }
            Output::Inbox { after, limit } => {
                let messages = self.shown.inbox(after.as_ref(), limit).map_err(failed)?;
                Input::Inbox { messages }
            }
            Output::Find(key) => {
                let run = self.shown.key(&key).map_err(failed)?;
                Input::Found { key, run }
            }
            Output::Ask(question) => {
                Input::Answered(question.answer(&*self.shown).map_err(failed)?)
            }
            _ => Input::Continue,
        };
        Ok(Done::Read(Box::new(input)))
    }

    fn tell_done(&mut self, done: Done, desk: &mut Desk<'_>) -> Result<(), Halt> {
        match done {
            Done::Read(input) => self.tell(*input, desk.env),
            Done::Told => {}
            Done::Committed(number) => {
                desk.env.fact_later(self.lag, Fact::Durable { batch: number });
                self.tell(Input::Committed, desk.env);
            }
            Done::Refused(number, error) => {
                desk.env.line(format_args!("the store refused batch {number}: {error}"));
                desk.env.fact_later(self.lag, Fact::Turned { batch: number });
                self.tell(Input::Refused { error }, desk.env);
            }
            Done::Doubtful(why) => return Err(Halt::Doubt(why)),
        }
        Ok(())
    }

    /// Tells how a life ends for an error of the store.
    pub(super) fn failed(disk: &SimDisk, error: &Error) -> Halt {
        if disk.has_ended() { Halt::Ended } else { Halt::Doubt(error.to_string()) }
    }

    fn commit(&mut self, number: u32, batch: &Batch, desk: &mut Desk<'_>) -> Result<Done, Halt> {
        let early = self.bug.answers_early();
        if early {
            self.tell_done(Done::Committed(number), desk)?;
            self.settle(desk)?;
        }
        let result = self.shown.commit(batch);
        self.lag += self.disk.take_latency();
        let failed = note_failure(&self.disk, desk.env);
        // A failure before the log was written to, such as at a new segment, refuses the batch.
        let refused = matches!(result, Err(Error::DiskFull { .. } | Error::Unavailable(_)));
        if failed && !refused {
            desk.env.fact_later(self.lag, Fact::DiskFailed);
        }
        if self.disk.has_ended() {
            return Err(Halt::Ended);
        }
        if result.is_ok() {
            desk.ledger.keeps(batch);
        }
        Ok(match result {
            Ok(_) if early => Done::Told,
            Ok(_) => Done::Committed(number),
            Err(error @ (Error::DiskFull { .. } | Error::Unavailable(_))) => {
                Done::Refused(number, error)
            }
            Err(error) => Done::Doubtful(error.to_string()),
        })
    }

    /// Notes a batch that the node gave out, under a number.
    fn note_batch(&self, batch: &Batch, desk: &mut Desk<'_>) -> u32 {
        *desk.batches += 1;
        let number = *desk.batches;
        let mut runs = Vec::with_capacity(batch.runs.len());
        for write in &batch.runs {
            if *write.summary.namespace == *COPIES {
                desk.ledger.copies(write.run);
                continue;
            }
            desk.ledger.gives(write.run);
            if write.summary.status.is_ended() {
                desk.env.flight.end_run(write.run);
            }
            desk.env.trace.bytes(&write.records);
            if desk.env.trace.is_on() {
                let text = String::from_utf8_lossy(&write.records);
                desk.env.line(format_args!("batch {number}: {} {text}", write.run));
            }
            runs.push(Written {
                run: write.run,
                records: Arc::from(&write.records[..]),
                row: Arc::new(write.summary.clone()),
            });
        }
        let inbox = InboxWrite::all_of(batch).collect();
        let given = Fact::Given { batch: number, at: batch.at, runs, inbox };
        desk.env.fact_later(self.lag, given);
        let accepted = batch.events.iter().filter_map(|write| match write {
            EventWrite::Accepted(event) => Some(Arc::clone(&event.id.id)),
            EventWrite::Did(..) | EventWrite::Routed(_) => None,
        });
        let events: Vec<_> = accepted.collect();
        if !events.is_empty() {
            desk.env.fact_later(self.lag, Fact::Accepts { batch: number, events });
        }
        number
    }

    fn reply(&mut self, request: Request, reply: stepwell_node::Reply, env: &mut Env) {
        if !self.requests.contains(&request) {
            return;
        }
        if let stepwell_node::Reply::Started { run, .. } = &reply
            && self.waits.remove(&request)
        {
            let run = *run;
            let answer = answer_of(reply);
            if let Some(answer) = answer {
                env.fact_later(self.lag, Fact::Answered { request, answer });
            }
            let namespace = NAMESPACE.into();
            let about = stepwell_node::About { request: RequestId(request.0), namespace, run };
            return self.tell(Input::Wait { about }, env);
        }
        self.requests.remove(&request);
        self.waits.remove(&request);
        if let Some(answer) = answer_of(reply) {
            self.answer(request, answer, env);
        }
    }

    fn answer(&self, request: Request, answer: Answer, env: &mut Env) {
        env.line(format_args!("node answers {request:?}: {answer:?}"));
        env.fact_later(self.lag, Fact::Answered { request, answer: answer.clone() });
        let lost = env.plan.replies_lost;
        if env.chaos && env.rng.chance(lost) {
            env.fault_at(Fault::ReplyLost, None);
            return;
        }
        let delay = self.lag + env.plan.delay(&mut env.rng);
        env.after(delay, Event::Answered(request, Box::new(answer)));
    }
}

/// Notes how the disk failed since this was asked last; tells whether a write or a sync did.
pub(super) fn note_failure(disk: &SimDisk, env: &mut Env) -> bool {
    let fault = match disk.take_fired() {
        Some(Fails::Sync) => Fault::SyncFailed,
        Some(Fails::Write) => Fault::WriteFailed,
        Some(Fails::Slow(_)) => Fault::DiskSlow,
        // An end is counted when the process ends.
        Some(Fails::Ends) | None => return false,
    };
    env.fault_at(fault, None);
    fault != Fault::DiskSlow
}
