//! What runs tell each other, until the receiver's journal says that it heard it.
//!
//! A message is written in the batch that holds the sender's record and deleted by the batch that
//! holds the receiver's, so it is lost by no crash and heard once.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use stepwell_core::id::RunId;

use crate::batch::Batch;

/// What a message says. Kinds are ordered as their words are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageKind {
    /// Somebody asks something of the receiver; in place of the sender stands what names the ask. In a
    /// shared store, where the receiver is another member's.
    Ask,
    /// The sender started the receiver and does not want it any more (§7.7).
    Cancel,
    /// The sender, a child of the receiver, has ended (§9.3).
    ChildEnded,
    /// An event came that waits of the receiver may take; in place of the sender stands what the event's
    /// id was made into. In a shared store, where the receiver is another member's.
    Event,
}

impl MessageKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Ask, Self::Cancel, Self::ChildEnded, Self::Event];

    /// Returns the word in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::ChildEnded => "childEnded",
            Self::Event => "event",
            Self::Ask => "ask",
        }
    }

    /// Finds the kind whose word is `text`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Names a message: a run says each thing to another once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId {
    /// The receiver.
    pub to: RunId,
    /// The sender.
    pub from: RunId,
    /// What it says.
    pub kind: MessageKind,
}

/// A message. Messages are ordered by receiver, then sender, then kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Message {
    /// Its name.
    pub id: MessageId,
    /// More about it, as JSON; the node that sent it knows what it means.
    pub body: Arc<str>,
}

/// What a batch says of the inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InboxWrite {
    /// A message is sent. It can be said again without another effect while it is not consumed.
    Sent(Arc<Message>),
    /// A message was heard. It can be said again.
    Consumed(MessageId),
}

impl InboxWrite {
    /// Returns what a batch says of the inbox, in order: first what is sent, then what was heard.
    pub fn all_of(batch: &Batch) -> impl Iterator<Item = Self> + '_ {
        let sent = batch.messages.iter().map(|message| Self::Sent(Arc::clone(message)));
        sent.chain(batch.consumed.iter().map(|id| Self::Consumed(*id)))
    }

    /// Returns the message that it is about.
    pub fn id(&self) -> MessageId {
        match self {
            Self::Sent(message) => message.id,
            Self::Consumed(id) => *id,
        }
    }
}

/// What batches said of the inbox last: for what a store on disk keeps in memory of writes that its
/// tables do not hold yet.
#[derive(Debug, Default)]
pub struct Inbox {
    /// How many of the batches speak of a message, and the message, unless it was consumed since.
    said: BTreeMap<MessageId, (usize, Option<Arc<Message>>)>,
}

impl Inbox {
    /// Adds what a batch says.
    pub fn add(&mut self, write: &InboxWrite) {
        let (count, message) = self.said.entry(write.id()).or_default();
        *count += 1;
        *message = match write {
            InboxWrite::Sent(message) => Some(Arc::clone(message)),
            InboxWrite::Consumed(_) => None,
        };
    }

    /// Takes out what the oldest batch said, since something else holds it now.
    pub fn take_out(&mut self, write: &InboxWrite) {
        if let Some((count, _)) = self.said.get_mut(&write.id()) {
            *count -= 1;
            if *count == 0 {
                self.said.remove(&write.id());
            }
        }
    }

    /// Tells whether batches said something of the message.
    pub fn tells_of(&self, id: &MessageId) -> bool {
        self.said.contains_key(id)
    }

    /// Returns the messages that were not consumed, behind the given one.
    pub fn messages(&self, after: Option<&MessageId>) -> impl Iterator<Item = &Arc<Message>> {
        let start = after.copied().map_or(Bound::Unbounded, Bound::Excluded);
        self.said.range((start, Bound::Unbounded)).filter_map(|(_, (_, message))| message.as_ref())
    }
}
