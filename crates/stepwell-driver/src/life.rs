//! One life of a node over one opening of the store.
//!
//! A life ends in order, or it is abandoned: on any doubt about what is stored (fenced, unknown,
//! poisoned), on a failed read, on a panic. What follows is always the same: drop everything, open
//! the store, begin a new life. There is no other way to recover, and start-up takes it too.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stepwell_core::code::Code;
use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;
use stepwell_node::{
    About, ApiError, Input, Node, Now, Output, Outputs, Reply, RequestId, SessionId,
};
use stepwell_store::batch::{Batch, Workflow};
use stepwell_store::{Error as StoreError, Store};
use tokio::sync::oneshot;

use crate::again::Again;
use crate::changes::Changes;
use crate::clock::Machine;
use crate::inbox::{Ask, Created, Inbound, Then};
use crate::lease::{Renewal, Term, Time};
use crate::meter::{Measured, Meter};
use crate::outgoing::{Outgoing, Sent};
use crate::schema::Schemas;

/// Most inputs that are handled before a commit.
pub(crate) const INPUTS_MAX: usize = 1_024;

/// Longest sleep without a timer, to bound what a missed one could cost.
const IDLE: Duration = Duration::from_mins(1);

/// Why a life is abandoned.
#[derive(Debug)]
pub(crate) struct Doubt(pub(crate) String);

/// Whether the thread goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Wait for more.
    On,
    /// Everything is written; end.
    Stop,
}

/// Someone who waits for a reply.
#[derive(Debug)]
struct Pending {
    reply: oneshot::Sender<Reply>,
    /// Set where the store is shared, and what is asked may meet what another node writes.
    again: Option<Again>,
    /// Set for a start that is answered at the run's end.
    started: Option<oneshot::Sender<(RunId, Created)>>,
    namespace: Arc<str>,
}

/// A runner's connection.
struct Connected {
    namespace: Arc<str>,
    outgoing: Outgoing,
    /// It was sent something: what its hello said is known.
    greeted: bool,
}

/// A node, the store that it writes to, and who is connected.
pub(crate) struct Life {
    node: Node,
    store: Arc<dyn Store>,
    schemas: Arc<Schemas>,
    changes: Arc<Changes>,
    machine: Machine,
    clock: Time,
    /// Renews the lease on a store that others share.
    term: Option<(Arc<Term>, Renewal)>,
    sessions: HashMap<SessionId, Connected>,
    pending: HashMap<RequestId, Pending>,
    out: Outputs,
    again: bool,
    meter: Meter,
}

/// What a life needs.
pub(crate) struct Birth {
    pub(crate) node: Node,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) schemas: Arc<Schemas>,
    pub(crate) changes: Arc<Changes>,
    /// What the store knows.
    pub(crate) workflows: Vec<Workflow>,
    /// Engine time is not before this.
    pub(crate) floor: Timestamp,
    pub(crate) machine: Machine,
    /// The lease on a store that others share.
    pub(crate) term: Option<(Arc<Term>, Renewal)>,
}

impl Life {
    /// Begins a life: the node asks for what it owns.
    pub(crate) fn begin(birth: Birth) -> Result<Self, Doubt> {
        let machine = birth.machine;
        let clock = match &birth.term {
            Some((term, _)) => Time::shared(term, birth.floor),
            None => Time::alone(machine, birth.floor),
        };
        let mut life = Self {
            node: birth.node,
            store: birth.store,
            schemas: birth.schemas,
            changes: birth.changes,
            machine,
            clock,
            term: birth.term,
            sessions: HashMap::new(),
            pending: HashMap::new(),
            out: Outputs::default(),
            again: false,
            meter: Meter::default(),
        };
        life.tell(Input::Opened { workflows: birth.workflows });
        life.settle()?;
        Ok(life)
    }

    /// Returns engine time.
    pub(crate) fn now(&mut self) -> Timestamp {
        self.clock.at(self.machine.read())
    }

    /// Returns how long the thread may sleep while nothing comes.
    pub(crate) fn patience(&mut self) -> Duration {
        if self.again {
            return Duration::ZERO;
        }
        let now = self.now();
        let until = |tick: Timestamp| tick.since(now).clamp(Duration::ZERO, IDLE);
        self.node.next_tick().map_or(IDLE, until)
    }

    /// Handles what came, commits, and performs what that allows: one sync for all of it.
    pub(crate) fn turn(&mut self, items: &mut Vec<Inbound>) -> Result<Flow, Doubt> {
        let mut flow = Flow::On;
        let began = Instant::now();
        self.check_lease()?;
        for item in items.drain(..) {
            if let Inbound::Stop = item {
                flow = Flow::Stop;
            } else {
                self.take(item);
            }
        }
        let now = self.now();
        if std::mem::take(&mut self.again) {
            self.tell(Input::Continue);
        } else if self.node.next_tick().is_some_and(|tick| tick <= now) {
            self.tell(Input::Tick);
        }
        self.settle()?;
        self.meter.busy += began.elapsed();
        Ok(flow)
    }

    /// What is said of the lease is looked at before anything is handled: a runner's `ping` is not answered by a node whose
    /// runs may be another's.
    fn check_lease(&self) -> Result<(), Doubt> {
        self.term.as_ref().map_or(Ok(()), |(term, _)| term.check().map_err(Doubt))
    }

    /// Lets other nodes have what is this one's, at once.
    pub(crate) fn leave(&mut self) {
        self.term = None;
        if let Some(shared) = self.store.shared()
            && let Err(error) = shared.leave()
        {
            tracing::warn!(%error, "other nodes wait for the end of this node's lease");
        }
    }

    /// Lets go of everyone, telling why. `code` says what became of what they asked for.
    pub(crate) fn end(&mut self, code: Code, reason: &str) {
        for (_, connected) in self.sessions.drain() {
            connected.outgoing.close(reason.to_owned());
            self.changes.runners(&connected.namespace);
        }
        for (_, pending) in self.pending.drain() {
            let error = ApiError { code, detail: reason.to_owned() };
            // An asker that is gone needs no answer.
            let _ = pending.reply.send(Reply::Error(error));
        }
    }

    fn tell(&mut self, input: Input<'_>) {
        let reading = self.machine.read();
        let now = Now { engine: self.clock.at(reading), monotonic: reading.monotonic };
        self.node.handle(input, now, &mut self.out);
    }

    fn take(&mut self, item: Inbound) {
        match item {
            Inbound::Connect { session, namespace, outgoing } => {
                let connected =
                    Connected { namespace: Arc::clone(&namespace), outgoing, greeted: false };
                self.sessions.insert(session, connected);
                self.tell(Input::Connected { session, namespace });
            }
            // Connections of an earlier life are closed; what they still sent is not looked at.
            Inbound::Frame { session, bytes } if self.sessions.contains_key(&session) => {
                self.meter.frame_in(bytes.len());
                self.tell(Input::Frame { session, bytes: &bytes });
            }
            Inbound::Disconnect { session } => {
                if self.drop_session(session).is_some() {
                    self.tell(Input::Disconnected { session });
                }
            }
            Inbound::Ask { request, ask, reply } => self.ask(request, ask, reply),
            Inbound::Forget { request } => {
                if self.pending.remove(&request).is_some() {
                    self.tell(Input::Forget { request });
                }
            }
            Inbound::Stats { reply } => {
                let _ = reply.send(self.node.stats());
            }
            Inbound::Measures { reply } => {
                let (node, thread) = (self.node.measures(), self.meter.clone());
                let _ = reply.send(Measured { node, thread });
            }
            Inbound::Drain => self.tell(Input::Drain),
            Inbound::LetGo => self.tell(Input::LetGo),
            Inbound::Hint => self.tell(Input::Hint),
            Inbound::Frame { .. } | Inbound::Stop => {}
        }
    }

    fn ask(&mut self, request: RequestId, ask: Ask, reply: oneshot::Sender<Reply>) {
        let again = self.term.as_ref().and_then(|_| Again::of(&ask));
        let (input, namespace, started) = match ask {
            Ask::Start { start, then } => {
                let namespace = Arc::clone(&start.namespace);
                let started = match then {
                    Then::Answer => None,
                    Then::Wait(started) => Some(started),
                };
                (Input::Start { request, start }, namespace, started)
            }
            Ask::Cancel { namespace, run, signed } => {
                let about = About { request, namespace: Arc::clone(&namespace), run };
                (Input::Cancel { about, signed }, namespace, None)
            }
            Ask::Operate { namespace, run, act, signed } => {
                let about = About { request, namespace: Arc::clone(&namespace), run };
                (Input::Operate { about, act, signed }, namespace, None)
            }
            Ask::Resolve { namespace, run, resolve, signed } => {
                let about = About { request, namespace: Arc::clone(&namespace), run };
                (Input::Resolve { about, resolve, signed }, namespace, None)
            }
            Ask::Fork { namespace, run, fork, signed } => {
                let about = About { request, namespace: Arc::clone(&namespace), run };
                (Input::Fork { about, fork, signed }, namespace, None)
            }
            Ask::Import { namespace, run, import, signed } => {
                let about = About { request, namespace: Arc::clone(&namespace), run };
                (Input::Import { about, import, signed }, namespace, None)
            }
            Ask::Wait { namespace, run } => {
                let about = About { request, namespace: Arc::clone(&namespace), run };
                (Input::Wait { about }, namespace, None)
            }
            Ask::Send { send } => {
                let namespace = Arc::clone(&send.namespace);
                (Input::Send { request, send }, namespace, None)
            }
            Ask::Runners { namespace } => {
                (Input::Runners { request, namespace: Arc::clone(&namespace) }, namespace, None)
            }
        };
        self.pending.insert(request, Pending { reply, again, started, namespace });
        self.tell(input);
    }

    /// Performs outputs, and closes batches, until the node wants nothing more.
    fn settle(&mut self) -> Result<(), Doubt> {
        loop {
            if self.out.list.is_empty() {
                self.node.flush(&mut self.out);
                if self.out.list.is_empty() {
                    return Ok(());
                }
            }
            let mut list = std::mem::take(&mut self.out.list);
            for output in list.drain(..) {
                self.perform(output)?;
            }
            if self.out.list.is_empty() {
                self.out.list = list;
            }
        }
    }

    fn perform(&mut self, output: Output) -> Result<(), Doubt> {
        match output {
            Output::Commit(batch) => self.commit(&batch)?,
            Output::Send { session, frame } => self.send(session, frame),
            Output::Reply { request, reply } => self.reply(request, reply),
            Output::Close { session, reason } => {
                if let Some(Connected { namespace, outgoing, .. }) = self.drop_session(session) {
                    let session = session.0;
                    tracing::info!(session, %namespace, reason, "closing a runner's connection");
                    outgoing.close(reason);
                }
            }
            Output::Registered(workflow) => self.schemas.set(&workflow),
            Output::Continue => self.again = true,
            Output::Restart { reason } => return Err(Doubt(reason)),
            Output::Load(_)
            | Output::Due { .. }
            | Output::Ready { .. }
            | Output::Active { .. }
            | Output::Blocked { .. }
            | Output::Inbox { .. }
            | Output::Find(_)
            | Output::Ask(_)
            | Output::Enquire(_) => self.look_up(output)?,
        }
        Ok(())
    }

    /// §4.8: what hangs on the batch leaves the node only after the store has said that it is
    /// durable.
    fn commit(&mut self, batch: &Batch) -> Result<(), Doubt> {
        let began = Instant::now();
        if let Some((term, _)) = &self.term {
            term.check_batch(batch.at).map_err(Doubt)?;
        }
        match self.store.commit(batch) {
            Ok(position) => {
                if let Some((term, _)) = &self.term {
                    term.wait_until(batch.at).map_err(Doubt)?;
                }
                let runs = batch.runs.len();
                self.meter.committed(began, runs);
                tracing::debug!(position = position.0, runs, grows = batch.grows, "committed");
                self.changes.committed(batch);
                self.tell(Input::Committed);
                Ok(())
            }
            Err(
                error @ (StoreError::DiskFull { .. }
                | StoreError::Unavailable(_)
                | StoreError::Contended(_)),
            ) => {
                self.meter.commits_refused += 1;
                tracing::warn!(%error, "the store refused a batch");
                self.tell(Input::Refused { error });
                Ok(())
            }
            Err(error) => Err(Doubt(error.to_string())),
        }
    }

    fn look_up(&mut self, output: Output) -> Result<(), Doubt> {
        let store = Arc::clone(&self.store);
        let failed = |error: StoreError| Doubt(error.to_string());
        match output {
            Output::Load(run) => {
                let journal = store.load(run);
                match &journal {
                    Err(error @ StoreError::Quarantined { .. }) => {
                        tracing::error!(run_id = %run, %error, "the run is set aside");
                    }
                    Err(error) => return Err(failed(error.clone())),
                    Ok(_) => {}
                }
                self.tell(Input::Loaded { run, journal });
            }
            Output::Due { until, after, limit } => {
                let runs = store.due(until, after, limit).map_err(failed)?;
                self.tell(Input::Due { runs });
            }
            Output::Ready { queue, after, limit } => {
                let runs = store.ready(&queue, after, limit).map_err(failed)?;
                self.tell(Input::Ready { queue, runs });
            }
            Output::Active { after, limit } => {
                let runs = store.active(after, limit).map_err(failed)?;
                self.tell(Input::Active { runs });
            }
            Output::Blocked { queue, after, limit } => {
                let runs = store.blocked(&queue, after, limit).map_err(failed)?;
                self.tell(Input::Blocked { queue, runs });
            }
            Output::Inbox { after, limit } => {
                let messages = store.inbox(after.as_ref(), limit).map_err(failed)?;
                self.tell(Input::Inbox { messages });
            }
            Output::Find(key) => {
                let run = store.key(&key).map_err(failed)?;
                self.tell(Input::Found { key, run });
            }
            Output::Enquire(enquiry) => {
                let Some(shared) = store.shared() else {
                    return Err(Doubt(format!("asked of a store of its own: {enquiry:?}")));
                };
                let finding = enquiry.answer(&*store, shared).map_err(failed)?;
                self.tell(Input::Enquired(finding));
            }
            Output::Ask(question) => {
                let answer = question.answer(&*store).map_err(failed)?;
                self.tell(Input::Answered(answer));
            }
            _ => {}
        }
        Ok(())
    }

    fn send(&mut self, session: SessionId, frame: Vec<u8>) {
        let Some(connected) = self.sessions.get_mut(&session) else { return };
        if !std::mem::replace(&mut connected.greeted, true) {
            self.changes.runners(&connected.namespace);
        }
        self.meter.frame_out(frame.len());
        match connected.outgoing.send(frame) {
            Sent::Queued => return,
            // The end of its connection is on its way here.
            Sent::Gone => {}
            Sent::Full => {
                self.meter.sessions_cut += 1;
                let (session, namespace) = (session.0, &connected.namespace);
                tracing::warn!(session, %namespace, "a runner does not read what it is sent");
                connected.outgoing.close("the runner does not read what it is sent".to_owned());
            }
        }
        self.drop_session(session);
        self.tell(Input::Disconnected { session });
    }

    fn drop_session(&mut self, session: SessionId) -> Option<Connected> {
        let connected = self.sessions.remove(&session)?;
        self.changes.runners(&connected.namespace);
        Some(connected)
    }

    fn ask_again(&mut self, request: RequestId) {
        let again = self.pending.get_mut(&request).and_then(|pending| pending.again.as_mut());
        let Some(input) = again.and_then(|again| again.ask(request)) else {
            let detail = "other nodes keep writing the same; try again".to_owned();
            let error = ApiError { code: Code::Unavailable, detail };
            return self.reply(request, Reply::Error(error));
        };
        self.tell(input);
    }

    fn reply(&mut self, request: RequestId, reply: Reply) {
        if let Reply::Contended = reply {
            return self.ask_again(request);
        }
        if let Reply::Started { run, created } = &reply
            && let Some(pending) = self.pending.get_mut(&request)
            && let Some(started) = pending.started.take()
        {
            // The asker learns of the run should its patience end before the run does.
            let created = if *created { Created::Now } else { Created::Before };
            let _ = started.send((*run, created));
            let namespace = Arc::clone(&pending.namespace);
            self.tell(Input::Wait { about: About { request, namespace, run: *run } });
            return;
        }
        if let Some(pending) = self.pending.remove(&request) {
            // An asker that is gone needs no answer.
            let _ = pending.reply.send(reply);
        }
    }
}
