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
use super::machine::Clocks;
use super::standing::Standing;
use super::tap;
use crate::clock::{Engine, Micros};
use crate::disk::{Fails, SimDisk};
use crate::env::{Env, Event};
use crate::fault::Fault;
use crate::history::{self, Answer, Asked, Fact, Request, Written};
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
    pub(super) machine: history::Node,
    /// Which of the machine's lives this is.
    pub(super) number: u32,
    pub(super) node: Node,
    pub(super) store: Arc<dyn Store>,
    /// The store, where it is on a disk.
    pub(super) embedded: Option<Arc<Embedded<SimDisk>>>,
    /// What it has of the store, where others share it.
    pub(super) standing: Option<Standing>,
    pub(super) shown: Arc<dyn Store>,
    pub(super) disk: SimDisk,
    pub(super) engine: Engine,
    pub(super) clocks: Clocks,
    /// Runs are held back.
    pub(super) held: bool,
    pub(super) sessions: BTreeSet<SessionId>,
    pub(super) requests: BTreeSet<Request>,
    pub(super) waits: BTreeSet<Request>,
    pub(super) out: Outputs,
    /// Outputs that are still to be performed, behind what the store is at.
    pub(super) queue: VecDeque<Output>,
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

impl Life {
    /// Returns engine time.
    pub(super) fn now(&mut self, env: &Env) -> Timestamp {
        let at = env.now + self.lag;
        if let Some(standing) = &mut self.standing {
            return standing.now(self.clocks.monotonic.at(at));
        }
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
    pub(super) fn turn(&mut self, inbox: &mut VecDeque<Item>, env: &mut Env) -> Result<(), Halt> {
        self.check_lease(env)?;
        let count = inbox.len().min(INPUTS_MAX);
        for item in inbox.drain(..count) {
            self.take(item, env);
        }
        let now = self.now(env);
        if std::mem::take(&mut self.again) {
            self.tell(Input::Continue, env);
        } else if self.node.next_tick().is_some_and(|tick| tick <= now) {
            self.tell(Input::Tick, env);
        }
        self.settle(env)
    }

    fn take(&mut self, item: Item, env: &mut Env) {
        match item {
            Item::Reaches(session) => self.let_in(session, env),
            Item::Frame(session, bytes) if self.sessions.contains(&session) => {
                self.tell(Input::Frame { session, bytes: &bytes }, env);
            }
            Item::Frame(..) => {}
            Item::Gone(session) => {
                if self.sessions.remove(&session) {
                    env.close(session, Way::Down);
                    self.tell(Input::Disconnected { session }, env);
                }
            }
            Item::Asks(request, asked, wait) => {
                env.commands += 1;
                self.requests.insert(request);
                // A server either waits in the node, or waits itself once the run exists.
                let in_node = wait && env.rng.chance(500);
                if wait && !in_node {
                    self.waits.insert(request);
                }
                if let Asked::Import { copy, source, end } = asked {
                    return self.take_copy(request, (copy, source), end, env);
                }
                let input = input_of(request, asked, in_node, env);
                self.tell(input, env);
            }
            Item::GivesUp(request) => {
                if self.requests.remove(&request) {
                    self.tell(Input::Forget { request: RequestId(request.0) }, env);
                }
            }
            Item::Drain => self.tell(Input::Drain, env),
            Item::Hint => self.tell(Input::Hint, env),
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
    pub(super) fn settle(&mut self, env: &mut Env) -> Result<(), Halt> {
        while !self.is_blocked() {
            let Some(output) = self.next_output() else { break };
            self.perform(output, env)?;
        }
        Ok(())
    }

    /// Tells whether the node waits for a database.
    pub(super) fn is_blocked(&self) -> bool {
        let asks = !self.asked.is_empty() || self.done.is_some();
        self.standing.is_some() && !self.pipelined && asks
    }

    fn next_output(&mut self) -> Option<Output> {
        if self.queue.is_empty() {
            if self.out.list.is_empty() {
                self.node.flush(&mut self.out);
            }
            self.queue.extend(std::mem::take(&mut self.out.list));
        }
        self.queue.pop_front()
    }

    /// A node whose lease has run out handles nothing more.
    pub(super) fn check_lease(&self, env: &Env) -> Result<(), Halt> {
        let Some(standing) = &self.standing else { return Ok(()) };
        standing.check(self.clocks.monotonic.at(env.now)).map_err(Halt::Doubt)
    }

    fn perform(&mut self, output: Output, env: &mut Env) -> Result<(), Halt> {
        if let Some(left) = &mut self.dying {
            if *left == 0 {
                return Err(Halt::Ended);
            }
            *left -= 1;
        }
        match output {
            Output::Send { session, frame } => {
                if self.sessions.contains(&session) {
                    tap::sees(session, &frame, env, self.lag);
                    env.send(session, Way::Down, frame, self.lag);
                }
            }
            Output::Reply { request, reply } => self.reply(Request(request.0), reply, env),
            Output::Close { session, reason } => {
                env.line(format_args!("node closes {session:?}: {reason}"));
                if self.sessions.remove(&session) {
                    env.close(session, Way::Down);
                }
            }
            Output::Registered(_) => {}
            Output::Continue => self.again = true,
            Output::Restart { reason } => return Err(Halt::Doubt(reason)),
            Output::Commit(_)
            | Output::Load(_)
            | Output::Due { .. }
            | Output::Ready { .. }
            | Output::Active { .. }
            | Output::Blocked { .. }
            | Output::Inbox { .. }
            | Output::Find(_)
            | Output::Enquire(_)
            | Output::Ask(_) => {
                let number = match &output {
                    Output::Commit(batch) => self.note_batch(batch, env),
                    _ => 0,
                };
                if self.standing.is_some() {
                    return self.ask_database((number, output), env);
                }
                if !self.pipelined {
                    let done = self.do_in_store((number, output), env)?;
                    return self.tell_done(done, env);
                }
                if self.asked.is_empty() && self.done.is_none() {
                    let delay = self.lag + env.rng.spread(20, 3_000);
                    env.after(delay, Event::StoreDone(self.machine, self.number));
                }
                self.asked.push_back((number, output));
            }
        }
        Ok(())
    }

    /// The store begins with the oldest thing that it was asked for, or is done with it.
    pub(super) fn store_moves(&mut self, env: &mut Env) -> Result<(), Halt> {
        if let Some(done) = self.done.take() {
            self.tell_done(done, env)?;
            self.settle(env)?;
        } else if let Some(output) = self.asked.pop_front() {
            self.done = Some(self.do_in_store(output, env)?);
            // The node goes on meanwhile.
            let delay = std::mem::take(&mut self.lag) + env.rng.spread(1, 1_000);
            self.store_until = env.now + delay;
            env.after(delay, Event::StoreDone(self.machine, self.number));
            return Ok(());
        }
        if !self.asked.is_empty() {
            env.after(1, Event::StoreDone(self.machine, self.number));
        }
        Ok(())
    }

    pub(super) fn do_in_store(
        &mut self,
        (number, output): (u32, Output),
        env: &mut Env,
    ) -> Result<Done, Halt> {
        let failed = |error: Error| Self::failed(&self.disk, &error);
        let input = match output {
            Output::Commit(batch) => return self.commit(number, &batch, env),
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
            Output::Enquire(enquiry) => {
                let Some(shared) = self.shown.shared() else {
                    return Err(Halt::Doubt(format!("asked of a store of its own: {enquiry:?}")));
                };
                Input::Enquired(enquiry.answer(&*self.shown, shared).map_err(failed)?)
            }
            Output::Ask(question) => {
                Input::Answered(question.answer(&*self.shown).map_err(failed)?)
            }
            _ => Input::Continue,
        };
        Ok(Done::Read(Box::new(input)))
    }

    pub(super) fn tell_done(&mut self, done: Done, env: &mut Env) -> Result<(), Halt> {
        match done {
            Done::Read(input) => self.tell(*input, env),
            Done::Told => {}
            Done::Committed(number) => {
                // A database that others share says so itself.
                if self.standing.is_none() {
                    env.fact_later(self.lag, Fact::Durable { batch: number });
                }
                self.tell(Input::Committed, env);
            }
            Done::Refused(number, error) => {
                env.line(format_args!("the store refused batch {number}: {error}"));
                env.fact_later(self.lag, Fact::Turned { batch: number });
                self.tell(Input::Refused { error }, env);
            }
            Done::Doubtful(why) => return Err(Halt::Doubt(why)),
        }
        Ok(())
    }

    /// Tells how a life ends for an error of the store.
    pub(super) fn failed(disk: &SimDisk, error: &Error) -> Halt {
        if disk.has_ended() { Halt::Ended } else { Halt::Doubt(error.to_string()) }
    }

    fn commit(&mut self, number: u32, batch: &Batch, env: &mut Env) -> Result<Done, Halt> {
        let early = self.bug.answers_early();
        if early {
            let rest = std::mem::take(&mut self.queue);
            self.tell_done(Done::Committed(number), env)?;
            self.settle(env)?;
            self.queue = rest;
        }
        let result = self.shown.commit(batch);
        self.lag += self.disk.take_latency();
        let failed = note_failure(&self.disk, env);
        // A failure before the log was written to, such as at a new segment, refuses the batch.
        let refused = matches!(
            result,
            Err(Error::DiskFull { .. } | Error::Unavailable(_) | Error::Contended(_))
        );
        if failed && !refused {
            env.fact_later(self.lag, Fact::DiskFailed);
        }
        if self.disk.has_ended() {
            return Err(Halt::Ended);
        }
        if result.is_ok() && self.standing.is_none() {
            env.ledger.keeps(batch);
        }
        Ok(match result {
            Ok(_) if early => Done::Told,
            Ok(_) => Done::Committed(number),
            Err(error) if refused => Done::Refused(number, error),
            Err(error) => Done::Doubtful(error.to_string()),
        })
    }

    /// Notes a batch that the node gave out, under a number.
    fn note_batch(&self, batch: &Batch, env: &mut Env) -> u32 {
        env.batches += 1;
        let number = env.batches;
        let mut runs = Vec::with_capacity(batch.runs.len());
        for write in &batch.runs {
            if *write.summary.namespace == *COPIES {
                env.ledger.copies(write.run);
                continue;
            }
            env.ledger.gives(write.run);
            if write.summary.status.is_ended() {
                env.flight.end_run(write.run);
            }
            env.trace.bytes(&write.records);
            if env.trace.is_on() {
                let text = String::from_utf8_lossy(&write.records);
                env.line(format_args!("batch {number}: {} {text}", write.run));
            }
            runs.push(Written {
                run: write.run,
                records: Arc::from(&write.records[..]),
                row: Arc::new(write.summary.clone()),
            });
        }
        let inbox = InboxWrite::all_of(batch).collect();
        let given = Fact::Given { by: self.machine, batch: number, at: batch.at, runs, inbox };
        env.fact_later(self.lag, given);
        let accepted = batch.events.iter().filter_map(|write| match write {
            EventWrite::Accepted(event) => Some(Arc::clone(&event.id.id)),
            EventWrite::Did(..) | EventWrite::Routed(_) => None,
        });
        let events: Vec<_> = accepted.collect();
        if !events.is_empty() {
            env.fact_later(self.lag, Fact::Accepts { batch: number, events });
        }
        number
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
