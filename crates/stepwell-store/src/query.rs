//! What is asked of a store.

use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::search::Term;
use stepwell_core::status::RunStatus;
use stepwell_core::summary::Summary;
use stepwell_core::time::Timestamp;

use crate::store::Position;

/// Names the events of one kind, and the waits for them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventName {
    /// The namespace.
    pub namespace: Arc<str>,
    /// The name of the events.
    pub name: Arc<str>,
}

/// Names the queue of one workflow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Queue {
    /// The namespace.
    pub namespace: Arc<str>,
    /// The app.
    pub app: Arc<str>,
    /// The workflow.
    pub workflow: Arc<str>,
}

/// Names a start for repeats (§4.8).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The workflow that was started.
    pub queue: Queue,
    /// The idempotency key.
    pub key: Arc<str>,
}

/// Where a scan over `(instant, run)` goes on: after this pair.
pub type Cursor = Option<(Timestamp, RunId)>;

/// Which runs a list shows, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The namespace; required.
    pub namespace: Arc<str>,
    /// Only this app.
    pub app: Option<Arc<str>>,
    /// Only this workflow.
    pub workflow: Option<Arc<str>>,
    /// Only these statuses; empty for all.
    pub statuses: Vec<RunStatus>,
    /// Only the run with this idempotency key.
    pub key: Option<Arc<str>>,
    /// Only runs that this one invoked.
    pub parent: Option<RunId>,
    /// Only runs created at or after this instant.
    pub from: Option<Timestamp>,
    /// Only runs created before this instant.
    pub to: Option<Timestamp>,
    /// Only runs whose search attributes are all as asked (§9.4).
    pub search: Vec<Term>,
    /// Only runs older than this one: the last of the page before.
    pub before: Option<RunId>,
    /// Most rows to return; at least 1.
    pub limit: usize,
}

/// A page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The rows, newest first.
    pub runs: Vec<Summary>,
    /// There are older ones.
    pub more: bool,
    /// The list is of this position of the store.
    pub position: Position,
    /// The list misses writes that were durable when it was asked for.
    pub stale: bool,
}
