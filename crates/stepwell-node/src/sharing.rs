//! A node on a store that it shares with others: what it asks for now and then, and what becomes of
//! runs that are another member's.
//!
//! A run is this member's while it is in memory, or aside for one of its runners (`dispatch`); what
//! gets cold is released with the last batch that it is in, or the next one. What others wrote is found by
//! asking now and then; hints make that sooner, and nothing rests on them.

use std::collections::BTreeSet;
use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet};
use stepwell_core::id::RunId;
use stepwell_core::planted::{self, Plant};
use stepwell_core::run::Run;
use stepwell_core::time::Timestamp;
use stepwell_store::batch::Workflow;
use stepwell_store::inbox::MessageId;
use stepwell_store::query::Queue;
use stepwell_store::shared::{Away, Presence, Release};

use crate::defer::Deferred;
use crate::enquiry::{Enquiry, Finding};
use crate::input::{RequestId, StartRequest};
use crate::need::queue_of;
use crate::node::Node;
use crate::output::{Output, Outputs};
use crate::recovery::Return;
use crate::session::{Sessions, describe};

/// How often a node looks for what is due and for mail.
const POLL: Duration = Duration::from_millis(250);
/// How often it looks while somebody waits for another member.
const QUICK: Duration = Duration::from_millis(50);
/// Every so many polls it looks for what is rarer.
const SLOW: u64 = 2;
/// How many due runs one claim returns.
const DUE: usize = 256;
/// How many instants are known at which a run that was released is due.
const ALARMS_MAX: usize = 4_096;
/// Requests that came through other members stand for themselves under numbers from here on.
const STAND_INS: u64 = 1 << 63;

/// What a node knows of its place among others.
#[derive(Debug, Default)]
pub(crate) struct Sharing {
    next_poll: Duration,
    next_quick: Duration,
    polls: u64,
    /// When runs are due that were released here: the claim comes as the instant does.
    alarms: BTreeSet<Timestamp>,
    due: Asking,
    meets: Asking,
    registrations: Asking,
    answers: Asking,
    over: Asking,
    /// The version of the list of workflows that is known here.
    version: u64,
    /// What was asked of runs that are another member's.
    pub(crate) asks: FxHashMap<RunId, RequestId>,
    stand_ins: FxHashMap<RequestId, RunId>,
    stood_in: u64,
    /// Asks that are consumed with their answer.
    pub(crate) heard: FxHashMap<RequestId, MessageId>,
    /// Runs whose messages are being read.
    pub(crate) reading: FxHashSet<RunId>,
    /// How many looks there are still to be for events that messages tell of.
    pub(crate) looks: FxHashMap<MessageId, usize>,
    /// What is done by looking at a run alone.
    pub(crate) peeking: FxHashMap<RunId, Vec<Deferred>>,
    /// Runners that presented what is still another member's, with until when that is tried.
    pub(crate) returns: Vec<(Duration, Return)>,
    /// Runs whose runner has gone.
    pub(crate) cooling: Vec<RunId>,
    /// Starts of workflows that are not known here: those before the question that is under way, and behind it.
    unknown: [Vec<(RequestId, Box<StartRequest>)>; 2],
}

/// What is known of a run that is released.
#[derive(Debug)]
pub(crate) struct Left {
    timer: Option<Timestamp>,
    /// The queue in which it wants a runner.
    wants: Option<Queue>,
}

impl Left {
    /// Of a run that wants a runner, whose timer is not known.
    pub(crate) fn wanted(queue: &Queue) -> Self {
        Self { timer: None, wants: Some(queue.clone()) }
    }

    pub(crate) fn of(run: &Run) -> Self {
        let wants = run.ready_since().map(|_| queue_of(run));
        Self { timer: run.next_timer(), wants }
    }
}

/// A question that is asked once at a time.
#[derive(Clone, Copy, Debug, Default)]
struct Asking {
    asked: bool,
    again: bool,
}

impl Asking {
    /// Tells whether it may be asked now; else it is asked again after the answer.
    fn begin(&mut self) -> bool {
        let before = std::mem::replace(&mut self.asked, true);
        self.again |= before;
        !before
    }

    /// Notes the answer. Tells whether it is to be asked again.
    fn end(&mut self) -> bool {
        self.asked = false;
        std::mem::take(&mut self.again)
    }
}

impl Sharing {
    /// Makes a name for a request that came through another member.
    pub(crate) fn stand_in(&mut self, ask: RunId) -> RequestId {
        let request = RequestId(STAND_INS | self.stood_in);
        self.stood_in += 1;
        self.stand_ins.insert(request, ask);
        request
    }

    /// Returns what a request stands for, which is answered now.
    pub(crate) fn stands_for(&mut self, request: RequestId) -> Option<RunId> {
        self.stand_ins.remove(&request)
    }

    /// Nobody waits for this reply any more.
    pub(crate) fn forget(&mut self, request: RequestId) {
        self.asks.retain(|_, asked| *asked != request);
    }

    fn alarm(&mut self, at: Timestamp) {
        self.alarms.insert(at);
        if self.alarms.len() > ALARMS_MAX {
            self.alarms.pop_last();
        }
    }
}

impl Node {
    /// The first thing that a node on a shared store asks for.
    pub(crate) fn begin_sharing(&mut self) {
        self.timers.keep_all();
        self.share.next_poll = self.monotonic;
    }

    /// Returns when a look at what others wrote is due.
    pub(crate) fn next_poll(&self) -> Option<Timestamp> {
        if !self.config.shared {
            return None;
        }
        let quick = self.is_quick().then_some(self.share.next_quick);
        let poll = quick.into_iter().fold(self.share.next_poll, Duration::min);
        let poll = self.now.after(poll.saturating_sub(self.monotonic));
        self.share.alarms.first().copied().into_iter().chain([poll]).min()
    }

    /// Tells whether somebody waits for another member.
    fn is_quick(&self) -> bool {
        let share = &self.share;
        !share.asks.is_empty() || !share.returns.is_empty() || self.api.awaited().next().is_some()
    }

    /// Looks at once: others wrote something.
    pub(crate) fn on_hint(&mut self, out: &mut Outputs) {
        self.share.next_poll = self.monotonic;
        self.take_poll_turn(out);
    }

    /// Looks at what others wrote, where it is time to.
    pub(crate) fn take_poll_turn(&mut self, out: &mut Outputs) {
        if !self.config.shared {
            return;
        }
        let mut due = false;
        while self.share.alarms.first().is_some_and(|at| *at <= self.now) {
            self.share.alarms.pop_first();
            due = true;
        }
        if self.is_quick() && self.share.next_quick <= self.monotonic {
            self.share.next_quick = self.monotonic + QUICK;
            self.ask_for_answers(out);
            self.ask_what_is_over(out);
            self.present_again(out);
        }
        if self.share.next_poll <= self.monotonic {
            self.share.next_poll = self.monotonic + POLL;
            self.share.polls += 1;
            due = true;
            self.inbox.open();
            self.scan_queues();
            if self.share.polls.is_multiple_of(SLOW) {
                self.events.router.scan();
                self.ask_registrations(out);
                self.meet(out);
                self.release_stranded();
            }
        }
        if due {
            self.ask_for_due(out);
        }
    }

    fn ask_for_due(&mut self, out: &mut Outputs) {
        if !self.draining && self.share.due.begin() {
            let due = Enquiry::Due { until: self.now, limit: DUE };
            out.list.push(Output::Enquire(due));
        }
    }

    fn ask_for_answers(&mut self, out: &mut Outputs) {
        if !self.share.asks.is_empty() && self.share.answers.begin() {
            let asks = self.share.asks.keys().copied().collect();
            out.list.push(Output::Enquire(Enquiry::Answers(asks)));
        }
    }

    /// Who waits for the end of a run that is not here is told by and by.
    fn ask_what_is_over(&mut self, out: &mut Outputs) {
        let runs: Vec<_> = self.api.awaited().filter(|run| !self.hot.contains(*run)).collect();
        if !runs.is_empty() && self.share.over.begin() {
            out.list.push(Output::Enquire(Enquiry::Over(runs)));
        }
    }

    /// Asks for workflows that were registered elsewhere.
    pub(crate) fn ask_registrations(&mut self, out: &mut Outputs) {
        if self.share.registrations.begin() {
            self.events.router.read_up();
            let [asked, later] = &mut self.share.unknown;
            asked.append(later);
            out.list.push(Output::Enquire(Enquiry::Registered(self.share.version)));
        }
    }

    /// A workflow may have been registered elsewhere just now.
    pub(crate) fn start_once_known(
        &mut self,
        request: RequestId,
        start: Box<StartRequest>,
        out: &mut Outputs,
    ) {
        self.share.unknown[1].push((request, start));
        self.ask_registrations(out);
    }

    fn on_registered(&mut self, version: u64, workflows: Vec<Workflow>, out: &mut Outputs) {
        self.share.version = version;
        for workflow in workflows {
            let queue = self.registry.insert(workflow.clone());
            if self.sessions.any(&queue, |_| true) {
                self.dispatch.scan(&queue);
            }
            out.list.push(Output::Registered(workflow));
        }
        for event in self.events.router.were_read_up() {
            self.begin_route(&event, out);
        }
        for (request, start) in std::mem::take(&mut self.share.unknown[0]) {
            self.start_known(request, *start, out);
        }
        if self.share.registrations.end() {
            self.ask_registrations(out);
        }
    }

    /// Says which runners are connected here.
    pub(crate) fn meet(&mut self, out: &mut Outputs) {
        if self.share.meets.begin() {
            let runners = self.sessions.present();
            out.list.push(Output::Enquire(Enquiry::Meet(runners)));
        }
    }

    pub(crate) fn on_found_shared(&mut self, finding: Finding, out: &mut Outputs) {
        match finding {
            Finding::Claimed { run, claim } => self.on_claimed(run, claim, out),
            Finding::Due { runs, more } => {
                let again = self.share.due.end();
                for run in
                    runs.into_iter().filter(|run| !self.hot.contains(*run)).collect::<Vec<_>>()
                {
                    self.stats.timers_fired += 1;
                    self.with_run(run, Deferred::Fire, out);
                }
                if more || again {
                    self.ask_for_due(out);
                }
            }
            Finding::Ready { queue, runs, more } => self.on_claimed_ready(&queue, &runs, more),
            Finding::Unrouted { events, more } => self.on_unrouted(events, more),
            Finding::Mail(messages) => self.on_inbox(messages),
            Finding::MailOf { run, messages } => self.on_mail_of(run, messages, out),
            Finding::Answers(answers) => {
                self.share.answers.end();
                self.on_answers(answers);
            }
            Finding::Over(runs) => {
                self.share.over.end();
                for run in runs {
                    self.ask_for_end(run, out);
                }
            }
            Finding::Registered { version, workflows } => {
                self.on_registered(version, workflows, out);
            }
            Finding::Moved(instances) => {
                let reason = "its process has connected to another node";
                self.drop_instances(&instances, reason, out);
                if self.share.meets.end() {
                    self.meet(out);
                }
            }
            Finding::Peeked { run, journal } => self.on_peeked(run, journal, out),
        }
    }

    /// Drops a run of a shared store that nothing in memory needs, and lets others have it.
    pub(crate) fn cool_down_shared(&mut self, id: RunId, out: &mut Outputs) {
        let (now, stays) = (self.monotonic, self.stays(id));
        let Some(live) = self.hot.live(id) else { return };
        let here = live.held.is_some_and(|held| held.session.is_some());
        if here || stays || !live.looking.is_empty() {
            return;
        }
        let away = match live.held {
            // It is about to be lost to its runner.
            Some(_) if self.away.until(id).is_none_or(|until| until <= now) => return,
            Some(_) if planted::has(Plant::ReleasedFromRunner) => None,
            Some(_) => self.away_of(id),
            None => None,
        };
        let Some(left) = self.hot.run(id).map(Left::of) else { return };
        self.commits.release(Release { run: id, away }, left);
        self.leave(id, out);
    }

    /// A run that is released goes.
    pub(crate) fn leave(&mut self, id: RunId, out: &mut Outputs) {
        let Some(live) = self.hot.remove(id) else { return };
        self.away.remove(id);
        self.dispatch.forget(&live.run);
        if self.sessions.unreserve(id) {
            self.dispatch.wake();
        }
        if let Some(at) = live.timer {
            self.timers.remove(at, id);
        }
        for what in live.reads {
            // Somebody wants it again.
            self.with_run(id, what, out);
        }
    }

    /// Tells whether nothing of a run that is about to be written needs it in memory.
    pub(crate) fn leaves_with(&mut self, id: RunId) -> bool {
        self.config.shared && !self.stays(id) && self.hot.leaves(id)
    }

    /// Tells whether a run stays for a runner here that is to get it, or until it is known what waits in its inbox.
    fn stays(&self, id: RunId) -> bool {
        let wants = self.hot.run(id).is_some_and(|run| run.ready_since().is_some());
        self.share.reading.contains(&id) || wants && self.dispatch.is_aside(id)
    }

    /// A run has left this member, durably: others may have it, and so may this one.
    pub(crate) fn has_left(&mut self, left: Left) {
        if let Some(at) = left.timer.filter(|at| *at > self.now) {
            self.share.alarm(at);
        }
        if let Some(queue) = left.wants.filter(|queue| self.sessions.any(queue, |_| true)) {
            self.dispatch.scan(&queue);
        }
    }

    /// Returns what others are to know of a run's runner that is not here.
    pub(crate) fn away_of(&mut self, id: RunId) -> Option<Away> {
        let idle = self.hot.live(id)?.held?.idle;
        let until = self.away.until(id).unwrap_or(self.monotonic);
        Some(Away { until: self.now.after(until.saturating_sub(self.monotonic)), idle })
    }

    /// Runs whose runner has gone are for whom it connects to next.
    pub(crate) fn cool_what_was_left(&mut self, out: &mut Outputs) {
        for run in std::mem::take(&mut self.share.cooling) {
            self.cool_down(run, out);
        }
    }
}

impl Sessions {
    /// Returns the runners that are connected, for other members.
    fn present(&self) -> Vec<Presence> {
        self.ready()
            .map(|session| Presence {
                namespace: session.namespace.clone(),
                app: session.app.clone(),
                name: session.name.clone(),
                instance: session.instance.clone(),
                since: session.connected_at,
                body: serde_json::to_string(&describe(session)).unwrap_or_default().into(),
            })
            .collect()
    }
}
