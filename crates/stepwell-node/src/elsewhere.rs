//! Runs of a shared store that are another member's: what becomes of what was to be done with them.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stepwell_core::derive;
use stepwell_core::id::RunId;
use stepwell_core::planted::{self, Plant};
use stepwell_core::run::Run;
use stepwell_core::time::Timestamp;
use stepwell_store::event::Event;
use stepwell_store::inbox::{Message, MessageId, MessageKind};
use stepwell_store::shared::{Away, Claim};

use crate::defer::Deferred;
use crate::enquiry::Enquiry;
use crate::hot::Held;
use crate::inbox::Told;
use crate::look::Told as Ends;
use crate::node::Node;
use crate::output::{Output, Outputs};
use crate::recovery::Return;

/// How many messages to one run are read at once.
const PAGE: usize = 64;

/// What the body of a message about an event says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Came<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    accepted_at: Timestamp,
}

impl Node {
    pub(crate) fn on_claimed(&mut self, run: RunId, claim: Claim, out: &mut Outputs) {
        let mut away = None;
        let journal = match claim {
            Claim::Mine { journal, away: known } => {
                away = known;
                Ok(Some(journal))
            }
            Claim::Missing => Ok(None),
            Claim::Damaged(why) => Err(stepwell_store::Error::Quarantined { run, why }),
            Claim::Elsewhere => return self.on_elsewhere(run, out),
        };
        self.on_loaded(run, (journal, away), out);
    }

    /// Clocks of members differ by what it takes to ask the store for its time: a run's records stay in the order of
    /// their instants. One that was copied from elsewhere may be ahead of every clock, and is not followed there.
    pub(crate) fn follow(&mut self, run: RunId) {
        let Some(last) = self.hot.run(run).map(Run::last_at) else { return };
        if last <= self.now.after(self.config.lease) {
            self.now = self.now.max(last);
        }
    }

    /// A run that was claimed is held by a runner that is not here: it may come back.
    pub(crate) fn await_runner(&mut self, run: RunId, away: Option<Away>) {
        let Some(live) = self.hot.live(run) else { return };
        let Some(epoch) = live.run.activation().map(|held| held.epoch) else { return };
        let ttl = self.config.limits.runner_ttl();
        let away = away.unwrap_or_else(|| Away { until: self.now.after(ttl), idle: false });
        live.held = Some(Held { session: None, a: 0, epoch, idle: away.idle });
        self.away.insert(self.monotonic + away.until.since(self.now), run);
    }

    /// The run is another member's, which does what it has to do by itself.
    fn on_elsewhere(&mut self, run: RunId, out: &mut Outputs) {
        if self.hot.live(run).is_some() {
            let reason = format!("{run} is in memory, and another member's");
            return out.list.push(Output::Restart { reason });
        }
        for what in self.hot.cannot_load(run) {
            if what.only_looks() {
                self.peek(run, what, out);
                continue;
            }
            match what {
                Deferred::Asked(asked) => self.ask_elsewhere(run, &asked),
                Deferred::Told(told) if planted::has(Plant::MailDropped) => {
                    self.commits.consume(run, told.message.id);
                }
                Deferred::Told(told) => self.inbox.leave(&told.message),
                Deferred::Deliver(delivery) => self.deliver_elsewhere(run, &delivery),
                Deferred::Dispatch(slot) => self.free_slot(slot),
                Deferred::Return(back) => {
                    let until = self.monotonic + self.config.limits.runner_ttl();
                    let until = back.until.unwrap_or(until);
                    let back = Return { until: Some(until), ..back };
                    self.share.returns.push((until, back));
                }
                _ => {}
            }
        }
    }

    /// Tells whose a run is that an event came which waits of it may take.
    pub(crate) fn tell_of_event(&mut self, run: RunId, event: &Event) {
        if planted::has(Plant::EventKept) {
            return;
        }
        let id = &event.id;
        let from = derive::sender(&id.namespace, &id.id);
        let came = Came { name: (&*event.name).into(), accepted_at: event.accepted_at };
        let Ok(body) = serde_json::to_string(&came) else { return };
        self.tell_run(run, MessageId { to: run, from, kind: MessageKind::Event }, body.into());
    }

    /// An event came at another member: waits of the run look for it.
    pub(crate) fn hear_event(&mut self, id: RunId, message: &Message) {
        let came = serde_json::from_str::<Came<'_>>(&message.body);
        let steps: Vec<_> = match self.hot.run(id) {
            Some(run) => run.parked_steps().map(|step| step.id.clone()).collect(),
            None => Vec::new(),
        };
        let mut looks = 0;
        if let Ok(came) = came {
            for step in steps {
                let told = Ends::Mail(message.id);
                looks +=
                    usize::from(self.look_anew(id, &step, (&came.name, came.accepted_at), told));
            }
        }
        self.share.looks.insert(message.id, looks + 1);
        self.looked_for_mail(id, message.id);
    }

    /// One of the looks for an event is over: with the last of them the message is heard.
    pub(crate) fn looked_for_mail(&mut self, id: RunId, message: MessageId) {
        let Some(left) = self.share.looks.get_mut(&message) else { return };
        *left -= 1;
        if *left == 0 {
            self.share.looks.remove(&message);
            self.commits.consume(id, message);
        }
    }

    /// Tries again what runners presented while it was another member's.
    pub(crate) fn present_again(&mut self, out: &mut Outputs) {
        for (until, back) in std::mem::take(&mut self.share.returns) {
            let run = back.resume.run;
            if self.sessions.get(back.session).is_none() {
                continue;
            }
            if until <= self.monotonic {
                self.refuse_return(&back, run);
            } else {
                self.with_run(run, Deferred::Return(back), out);
            }
        }
    }

    /// Reads the messages to a run of this member: those that were read before it was claimed may have been heard
    /// by whose it was then. It stays until that is known.
    pub(crate) fn read_mail(&mut self, run: RunId, out: &mut Outputs) {
        if self.share.reading.insert(run) {
            out.list.push(Output::Enquire(Enquiry::MailOf { run, limit: PAGE }));
        }
    }

    pub(crate) fn on_mail_of(
        &mut self,
        run: RunId,
        messages: Vec<Arc<Message>>,
        out: &mut Outputs,
    ) {
        self.share.reading.remove(&run);
        let claims = self.inbox.claims;
        for message in messages {
            if self.inbox.take_in_hand(&message) {
                self.with_run(run, Deferred::Told(Told { message, claims }), out);
            }
        }
        self.cool_down(run, out);
    }

    /// Looks at a run, whosever it is.
    pub(crate) fn peek(&mut self, run: RunId, what: Deferred, out: &mut Outputs) {
        let waiting = self.share.peeking.entry(run).or_default();
        if waiting.is_empty() {
            out.list.push(Output::Enquire(Enquiry::Peek(run)));
        }
        waiting.push(what);
    }

    /// Does what only looks at a run, whosever it is: it is in memory no longer than that.
    pub(crate) fn look_at(
        &mut self,
        run: RunId,
        waiting: Vec<Deferred>,
        journal: Result<Option<Vec<u8>>, stepwell_store::Error>,
        out: &mut Outputs,
    ) {
        let Some((waiting, journal)) = self.read_in(run, waiting, journal, out) else { return };
        for what in waiting {
            self.perform(run, what, &journal, out);
        }
        self.hot.remove(run);
    }

    pub(crate) fn on_peeked(
        &mut self,
        run: RunId,
        journal: Result<Option<Vec<u8>>, stepwell_store::Error>,
        out: &mut Outputs,
    ) {
        let waiting = self.share.peeking.remove(&run).unwrap_or_default();
        if self.hot.contains(run) {
            // It is this member's by now.
            return waiting.into_iter().for_each(|what| self.with_run(run, what, out));
        }
        self.look_at(run, waiting, journal, out);
    }
}
