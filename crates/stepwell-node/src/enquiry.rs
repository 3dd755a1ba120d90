//! What a node asks a store that it shares with other nodes, and how such a store answers.
//!
//! As with [`Question`](crate::Question), whoever drives a node answers all of it in one way:
//! [`Enquiry::answer`].

use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;
use stepwell_store::batch::Workflow;
use stepwell_store::event::Event;
use stepwell_store::inbox::{Message, MessageId, MessageKind};
use stepwell_store::query::Queue;
use stepwell_store::shared::{Answer, Claim, Crew, Presence, Shared};
use stepwell_store::{Error, Store};

use crate::question::read;

/// A question to a shared store.
#[derive(Clone, Debug)]
pub enum Enquiry {
    /// Claim this run.
    Claim(RunId),
    /// Claim runs that are due.
    Due {
        /// The latest instant.
        until: Timestamp,
        /// Most runs to claim.
        limit: usize,
    },
    /// Claim runs of a queue that want a runner.
    Ready {
        /// The queue.
        queue: Queue,
        /// Who could run them.
        crew: Crew,
        /// Most runs to claim.
        limit: usize,
    },
    /// Claim events that nobody routes.
    Unrouted {
        /// Most events to claim.
        limit: usize,
    },
    /// Messages for runs that are nobody else's.
    Mail {
        /// Where to go on.
        after: Option<MessageId>,
        /// Most messages to return.
        limit: usize,
    },
    /// Messages for a run that is this member's.
    MailOf {
        /// The run.
        run: RunId,
        /// Most messages to return.
        limit: usize,
    },
    /// Answers to what was asked of runs that are another member's.
    Answers(Vec<RunId>),
    /// Which of these runs are over.
    Over(Vec<RunId>),
    /// Workflows that were registered since this version.
    Registered(u64),
    /// Say which runners are here, and learn which of them are elsewhere by now.
    Meet(Vec<Presence>),
    /// The journal of a run, whosever it is.
    Peek(RunId),
}

/// The answer to an [`Enquiry`].
#[derive(Clone, Debug)]
pub enum Finding {
    /// To [`Enquiry::Claim`].
    Claimed {
        /// The run.
        run: RunId,
        /// What became of it.
        claim: Claim,
    },
    /// To [`Enquiry::Due`].
    Due {
        /// The runs.
        runs: Vec<RunId>,
        /// There may be more.
        more: bool,
    },
    /// To [`Enquiry::Ready`].
    Ready {
        /// The queue.
        queue: Queue,
        /// The runs, and since when they want a runner.
        runs: Vec<(Timestamp, RunId)>,
        /// There may be more.
        more: bool,
    },
    /// To [`Enquiry::Unrouted`].
    Unrouted {
        /// The events, oldest first.
        events: Vec<Arc<Event>>,
        /// There may be more.
        more: bool,
    },
    /// To [`Enquiry::Mail`].
    Mail(Vec<Arc<Message>>),
    /// To [`Enquiry::MailOf`].
    MailOf {
        /// The run.
        run: RunId,
        /// The messages.
        messages: Vec<Arc<Message>>,
    },
    /// To [`Enquiry::Answers`].
    Answers(Vec<Answer>),
    /// To [`Enquiry::Over`].
    Over(Vec<RunId>),
    /// To [`Enquiry::Registered`].
    Registered {
        /// The version of the list.
        version: u64,
        /// The workflows.
        workflows: Vec<Workflow>,
    },
    /// To [`Enquiry::Meet`]: processes that have connected to another member.
    Moved(Vec<Arc<str>>),
    /// To [`Enquiry::Peek`].
    Peeked {
        /// The run.
        run: RunId,
        /// Its journal, or `None` for a run that is not stored, or why it cannot be read.
        journal: Result<Option<Vec<u8>>, Error>,
    },
}

impl Enquiry {
    /// Asks a shared store.
    ///
    /// # Errors
    /// Those of the store, but for damage, which is part of the answer.
    pub fn answer(self, store: &dyn Store, shared: &dyn Shared) -> Result<Finding, Error> {
        Ok(match self {
            Self::Claim(run) => {
                let claim = shared.claim(&[run])?.pop().unwrap_or(Claim::Missing);
                Finding::Claimed { run, claim }
            }
            Self::Due { until, limit } => {
                let runs = shared.claim_due(until, limit)?;
                let more = runs.len() >= limit;
                Finding::Due { runs, more }
            }
            Self::Ready { queue, crew, limit } => {
                let runs = shared.claim_ready(&queue, &crew, limit)?;
                let more = runs.len() >= limit;
                Finding::Ready { queue, runs, more }
            }
            Self::Unrouted { limit } => {
                let places = shared.claim_unrouted(limit)?;
                let more = places.len() >= limit;
                Finding::Unrouted { events: read(store, &places)?, more }
            }
            Self::Mail { after, limit } => Finding::Mail(shared.mail(after.as_ref(), limit)?),
            Self::MailOf { run, limit } => {
                let first = first_of(run);
                let mut messages = shared.mail(first.as_ref(), limit)?;
                messages.retain(|message| message.id.to == run);
                Finding::MailOf { run, messages }
            }
            Self::Answers(asks) => Finding::Answers(shared.answers(&asks)?),
            Self::Over(runs) => Finding::Over(shared.over(&runs)?),
            Self::Registered(since) => {
                let (version, workflows) = shared.registered(since)?;
                Finding::Registered { version, workflows }
            }
            Self::Meet(runners) => Finding::Moved(shared.meet(&runners)?),
            Self::Peek(run) => {
                let journal = match store.load(run) {
                    Err(error) if !matches!(error, Error::Quarantined { .. }) => return Err(error),
                    journal => journal,
                };
                Finding::Peeked { run, journal }
            }
        })
    }
}

/// Returns what messages to a run are behind; `None` for the first of all runs.
fn first_of(run: RunId) -> Option<MessageId> {
    let to = RunId::from_u128(run.as_u128().checked_sub(1)?);
    let kind = MessageKind::ALL.into_iter().max()?;
    Some(MessageId { to, from: RunId::from_u128(u128::MAX), kind })
}
