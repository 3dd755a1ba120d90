//! Messages between runs: on their way from the batch that sent them to the run that hears them.
//!
//! What a run tells another is a row of the store until the receiver heard it. Memory holds what was
//! sent lately, up to a bound; what is beyond it stays in the store and is asked for when there is room,
//! and so is everything after a start.

use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stepwell_core::failure::Failure;
use stepwell_core::id::RunId;
use stepwell_core::payload::present;
use stepwell_core::planted::{self, Plant};
use stepwell_core::run::{ChildEnded, Command, Rejection};
use stepwell_core::status::RunStatus;
use stepwell_store::inbox::{Message, MessageId, MessageKind};

use crate::defer::Deferred;
use crate::enquiry::Enquiry;
use crate::node::{Node, SLICE};
use crate::output::{Output, Outputs};

/// Bytes of messages in memory, from which on further ones stay in the store.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// How many messages are in memory at most.
const MESSAGES_MAX: usize = 16 * 1024;

/// How many messages one question to the store returns.
const PAGE: usize = 64;

/// How many receivers are waited for at once: a loaded run takes memory.
const IN_HAND_MAX: usize = SLICE;

/// What the body of a message about a child's end says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct End<'a> {
    /// The step that invoked it.
    #[serde(borrow)]
    step: std::borrow::Cow<'a, str>,
    /// The child as its parent knows it: the first run of its chain.
    child: RunId,
    status: RunStatus,
    #[serde(
        borrow,
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    output: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    error: Option<Failure<'a>>,
}

/// A message in memory.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) message: Arc<Message>,
    /// After how many claims it was read, in a shared store: whose the receiver was before the last claim of it may
    /// have heard it.
    pub(crate) claims: u64,
}

/// The messages in memory.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    queue: VecDeque<Told>,
    /// Those in the queue, in hand, or consumed by a batch that is not durable yet.
    known: FxHashSet<MessageId>,
    bytes: usize,
    in_hand: usize,
    /// The store may hold messages that are not here.
    left: bool,
    asking: bool,
    /// Some were left to the store while it was scanned.
    again: bool,
    /// Where the scan of the store goes on.
    cursor: Option<MessageId>,
    /// How many runs were claimed by now, in a shared store.
    pub(crate) claims: u64,
    /// Consumed while the store was asked, and maybe in its answer.
    gone: Vec<MessageId>,
}

impl Inbox {
    /// After a start everything is in the store.
    pub(crate) fn open(&mut self) {
        self.left = true;
    }

    /// Takes up messages whose batch is durable.
    pub(crate) fn take_up(&mut self, messages: Vec<Arc<Message>>) {
        for message in messages {
            if self.known.contains(&message.id) {
                continue;
            }
            if self.bytes >= BYTES_MAX || self.known.len() >= MESSAGES_MAX {
                self.again |= self.left;
                self.left = true;
            } else {
                self.push(message);
            }
        }
    }

    fn push(&mut self, message: Arc<Message>) {
        self.bytes += message.body.len();
        self.known.insert(message.id);
        let claims = self.claims;
        self.queue.push_back(Told { message, claims });
    }

    /// The batch that consumed these is durable.
    pub(crate) fn forget(&mut self, consumed: Vec<MessageId>) {
        if self.asking {
            self.gone.extend(consumed);
            return;
        }
        for id in consumed {
            self.known.remove(&id);
        }
    }

    /// Tells whether there is something to hand out, and room for it.
    pub(crate) fn wants(&self) -> bool {
        let asks = self.left && !self.asking && self.queue.is_empty();
        self.in_hand < IN_HAND_MAX && (asks || !self.queue.is_empty())
    }

    /// Takes up a message to a run of this member, just read: tells whether it is not known yet.
    pub(crate) fn take_in_hand(&mut self, message: &Message) -> bool {
        let fresh = self.known.insert(message.id);
        if fresh {
            self.bytes += message.body.len();
            self.in_hand += 1;
        }
        fresh
    }

    /// Leaves a message to the member whose the receiver is.
    pub(crate) fn leave(&mut self, message: &Message) {
        self.put_down(message);
        self.known.remove(&message.id);
    }

    fn put_down(&mut self, message: &Message) {
        self.in_hand = self.in_hand.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(message.body.len());
    }
}

impl Node {
    /// Hands messages to their receivers, a slice at a time.
    pub(crate) fn deliver_messages(&mut self, out: &mut Outputs) {
        for _ in 0..SLICE {
            if self.inbox.in_hand >= IN_HAND_MAX {
                return;
            }
            let Some(told) = self.inbox.queue.pop_front() else { break };
            self.inbox.in_hand += 1;
            let to = told.message.id.to;
            if planted::has(Plant::MessageTwice) {
                self.with_run(to, Deferred::Told(told.clone()), out);
            }
            self.with_run(to, Deferred::Told(told), out);
        }
        if !self.inbox.queue.is_empty() {
            self.come_back(out);
        } else if self.inbox.left && !self.inbox.asking {
            self.inbox.asking = true;
            let (after, limit) = (self.inbox.cursor, PAGE);
            out.list.push(if self.config.shared {
                Output::Enquire(Enquiry::Mail { after, limit })
            } else {
                Output::Inbox { after, limit }
            });
        }
    }

    pub(crate) fn on_inbox(&mut self, messages: Vec<Arc<Message>>) {
        let inbox = &mut self.inbox;
        inbox.asking = false;
        let (mut last, mut before) = (messages.len() < PAGE, inbox.cursor);
        inbox.cursor = messages.last().map(|message| message.id);
        for message in messages {
            if inbox.bytes >= BYTES_MAX {
                // The scan goes on from the one before this when there is room.
                inbox.cursor = before;
                last = false;
                break;
            }
            before = Some(message.id);
            if !inbox.known.contains(&message.id) {
                inbox.push(message);
            }
        }
        if last {
            // What was passed over may be before the cursor: it takes a scan from the start.
            inbox.left = std::mem::take(&mut inbox.again);
            inbox.cursor = None;
        }
        let gone = std::mem::take(&mut inbox.gone);
        inbox.forget(gone);
    }

    /// A run hears a message: the record of it, if it makes any, and the message's end are in one batch.
    pub(crate) fn hear(&mut self, id: RunId, told: &Told, out: &mut Outputs) {
        let message = &*told.message;
        if self.hot.claimed(id) > told.claims && !planted::has(Plant::StaleMail) {
            self.inbox.leave(message);
            return self.read_mail(id, out);
        }
        self.inbox.put_down(message);
        match message.id.kind {
            MessageKind::Cancel => self.hear_cancel(id, message),
            MessageKind::ChildEnded => self.hear_end(id, message),
            // These are consumed with what is done about them.
            MessageKind::Event => return self.hear_event(id, message),
            MessageKind::Ask => return self.hear_ask(id, message, out),
        }
        self.commits.consume(id, message.id);
    }

    /// §7.7: a child that is not wanted any more is cancelled, and so is who goes on with it.
    fn hear_cancel(&mut self, id: RunId, message: &Message) {
        let by = format!("its parent {}", message.id.from);
        let command = Command::Cancel { by: Some(&by), reason: None };
        if let Err(Rejection::Ended(_)) = self.apply(id, command, None)
            && let Some(next) = self.hot.run(id).and_then(stepwell_core::run::Run::continued_as)
        {
            self.tell_run(id, MessageId { to: next, ..message.id }, "{}".into());
        }
    }

    fn hear_end(&mut self, id: RunId, message: &Message) {
        // What this node wrote it can read; a body that it cannot tells nothing to anyone.
        let Ok(end) = serde_json::from_str::<End<'_>>(&message.body) else { return };
        let ended = ChildEnded {
            step: &end.step,
            child: end.child,
            run: message.id.from,
            status: end.status,
            output: end.output,
            error: end.error,
        };
        let output = ended.output;
        // A parent that has ended does not listen any more.
        self.apply(id, Command::ChildEnded(ended), output).unwrap_or_default();
    }

    /// A message to a run that is not there: nobody will hear it. To one that cannot be read now it
    /// stays in the store.
    pub(crate) fn unheard(&mut self, message: &Message, error: Option<&stepwell_store::Error>) {
        self.inbox.put_down(message);
        if error.is_some() {
            return;
        }
        if message.id.kind == MessageKind::Ask {
            self.ask_of_nobody(message);
        }
        self.commits.consume(message.id.to, message.id);
    }

    /// §9.3: tells a run's parent that the run has ended.
    pub(crate) fn tell_parent(
        &mut self,
        id: RunId,
        status: RunStatus,
        output: Option<&RawValue>,
        error: Option<Failure<'static>>,
    ) {
        let Some(run) = self.hot.run(id) else { return };
        let Some(parent) = run.parent() else { return };
        let to = MessageId { to: parent.run, from: id, kind: MessageKind::ChildEnded };
        let output = output.filter(|_| status == RunStatus::Completed);
        let child = run.first_of_chain();
        let end = End { step: (&*parent.step).into(), child, status, output, error };
        if let Ok(body) = serde_json::to_string(&end) {
            self.tell_run(id, to, body.into());
        }
    }

    /// Sends a message with the sender's newest records.
    pub(crate) fn tell_run(&mut self, from: RunId, id: MessageId, body: Arc<str>) {
        self.commits.message(from, Arc::new(Message { id, body }));
    }
}
