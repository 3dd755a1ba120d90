//! Acts on many runs: what was asked for, and how far it is.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;

/// Most kinds of refusals that a job tells apart.
pub const REFUSALS_MAX: usize = 10;

/// What every id begins with.
const MARK: &str = "blk_";

/// What is done to each run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Act {
    /// Cancels it.
    Cancel,
    /// Holds it back.
    Pause,
    /// Lets it go on.
    Resume,
    /// Ends it at once.
    Terminate,
    /// Ends its backoffs, and tries it again where it is blocked.
    Retry,
    /// Deletes it.
    Delete,
}

impl Act {
    /// Every act.
    pub const ALL: [Self; 6] =
        [Self::Cancel, Self::Pause, Self::Resume, Self::Terminate, Self::Retry, Self::Delete];

    /// Returns the word in requests, answers and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Terminate => "terminate",
            Self::Retry => "retry",
            Self::Delete => "delete",
        }
    }
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// It looks for the runs that the filter names.
    Collecting,
    /// It acts on them.
    Running,
    /// Each of them had its turn.
    Done,
    /// Somebody stopped it, or the right to it ended.
    Stopped,
}

impl State {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Collecting, Self::Running, Self::Done, Self::Stopped];

    /// Returns the word in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Collecting => "collecting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Stopped => "stopped",
        }
    }

    /// Tells whether nothing more is done.
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Done | Self::Stopped)
    }
}

/// Runs that were refused, or that failed, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The stable code.
    pub code: String,
    /// How many runs.
    pub runs: u64,
    /// One of them.
    pub sample: RunId,
    /// What that one was told.
    pub detail: String,
}

/// How often a job did what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Runs that the filter names.
    pub matched: u64,
    /// Runs on which it acted.
    pub done: u64,
    /// Runs that were not in a state for it, or are not there any more.
    pub refused: u64,
    /// Runs on which the server could not act.
    pub failed: u64,
    /// Why runs were refused or failed, at most [`REFUSALS_MAX`] reasons.
    pub refusals: Vec<Refusal>,
}

impl Counts {
    /// Notes a run that was refused, or that failed.
    pub fn add_refusal(&mut self, run: RunId, code: &str, detail: &str) {
        if let Some(known) = self.refusals.iter_mut().find(|one| one.code == code) {
            known.runs += 1;
        } else if self.refusals.len() < REFUSALS_MAX {
            let (code, detail) = (code.to_owned(), detail.to_owned());
            self.refusals.push(Refusal { code, runs: 1, sample: run, detail });
        }
    }
}

/// Where a job goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// While it collects: only runs before this one were not looked at yet.
    pub before: Option<RunId>,
    /// How many portions of runs are kept.
    pub portions: u32,
    /// The portion that it is at.
    pub portion: u32,
    /// How many runs of that portion had their turn.
    pub place: usize,
}

/// Whose job it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The id of the key, where one is needed.
    pub key: Option<String>,
    /// What acts: the name of the key, or `loopback`.
    pub name: String,
    /// The address that the request came from.
    pub from: String,
}

/// An act on all runs that a filter names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bulk {
    /// Its id.
    pub id: String,
    /// The namespace.
    pub namespace: Arc<str>,
    /// What is done.
    pub act: Act,
    /// Which runs, as JSON with the parameters of a list; its instants are absolute.
    pub filter: String,
    /// Why, for the histories of the runs.
    pub reason: Option<String>,
    /// Who, for the histories of the runs.
    pub by: Option<String>,
    /// The idempotency key.
    pub key: Option<String>,
    /// Whose it is.
    pub owner: Owner,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last got on.
    pub changed_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How far it is.
    pub state: State,
    /// Why it was stopped.
    pub why: Option<String>,
    /// How often it did what.
    pub counts: Counts,
    /// Where it goes on.
    pub progress: Progress,
}

impl Bulk {
    /// Makes an id of random bytes.
    pub fn new_id(entropy: [u8; 10]) -> String {
        format!("{MARK}{}", data_encoding::HEXLOWER.encode(&entropy))
    }

    /// Tells whether a repeated request asks for the same.
    pub fn is_same_request(&self, other: &Self) -> bool {
        (self.act, &self.filter) == (other.act, &other.filter)
    }

    /// Writes it as JSON, for ledgers.
    pub fn to_json(&self) -> String {
        let written = serde_json::to_string(self);
        debug_assert!(written.is_ok(), "it holds texts and numbers only");
        written.unwrap_or_default()
    }

    /// Reads it from JSON, for ledgers.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Ends it.
    pub fn end(&mut self, state: State, why: Option<String>, now: Timestamp) {
        (self.state, self.why, self.ended_at, self.changed_at) = (state, why, Some(now), now);
    }
}
