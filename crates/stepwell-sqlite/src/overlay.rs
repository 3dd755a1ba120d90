//! Writes that are durable in the log and not yet in tables.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use rustc_hash::FxHashMap;
use stepwell_core::id::RunId;
use stepwell_core::summary::Summary;
use stepwell_core::time::Timestamp;
use stepwell_core::wait::Wait;
use stepwell_store::batch::Workflow;
use stepwell_store::event::EventWrite;
use stepwell_store::events::Events;
use stepwell_store::inbox::{Inbox, InboxWrite};
use stepwell_store::query::Queue;
use stepwell_store::rows::Rows;

use crate::tables::FoldWrite;

/// One durable batch. It never changes, so a fold works on it without a lock.
#[derive(Debug)]
pub(crate) struct TailBatch {
    /// The position of its frame; of the last frame, when several were put together.
    pub(crate) position: u64,
    /// Engine time at which it was closed.
    pub(crate) at: Timestamp,
    /// When it became durable here.
    pub(crate) received: Instant,
    /// Its share of the tail, in bytes.
    pub(crate) bytes: u64,
    pub(crate) writes: Vec<TailWrite>,
    pub(crate) workflows: Vec<Workflow>,
    pub(crate) events: Vec<EventWrite>,
    pub(crate) inbox: Vec<InboxWrite>,
}

/// What a batch adds to one run.
#[derive(Debug)]
pub(crate) struct TailWrite {
    pub(crate) run: RunId,
    pub(crate) records: Bytes,
    /// The row after these records; absent when the journal does not replay.
    pub(crate) row: Option<Arc<Summary>>,
    /// The parked waits after these records.
    pub(crate) waits: Arc<[Wait]>,
}

/// The tail is scattered where more than this part of its runs began before it.
const SCATTERED: usize = 4;

impl TailWrite {
    /// Tells whether the run began with these records.
    fn begins(&self) -> bool {
        self.row.as_ref().is_some_and(|row| row.journal_bytes == self.records.len() as u64)
    }
}

/// What the tail has of one run.
#[derive(Debug, Default)]
struct Pieces {
    /// The run began before.
    older: bool,
    records: VecDeque<(u64, Bytes)>,
}

/// Durable batches behind the tables' position, and the rows that hide those of the tables.
#[derive(Debug)]
pub(crate) struct Overlay {
    /// The last durable position.
    pub(crate) head: u64,
    /// The position up to which the tables are.
    pub(crate) folded: u64,
    /// The greatest instant of any durable batch.
    pub(crate) high_water: Timestamp,
    pub(crate) rows: Rows,
    pub(crate) events: Events,
    pub(crate) inbox: Inbox,
    bytes: u64,
    tail: VecDeque<Arc<TailBatch>>,
    pieces: FxHashMap<RunId, Pieces>,
    /// How many of these runs began before the tail.
    older: usize,
    workflows: BTreeMap<Queue, (u64, Workflow)>,
}

impl Overlay {
    /// Makes an overlay without batches over tables at `folded`.
    pub(crate) fn new(folded: u64, high_water: Timestamp) -> Self {
        Self {
            head: folded,
            folded,
            high_water,
            rows: Rows::default(),
            events: Events::default(),
            inbox: Inbox::default(),
            bytes: 0,
            tail: VecDeque::new(),
            pieces: FxHashMap::default(),
            older: 0,
            workflows: BTreeMap::new(),
        }
    }

    /// Adds a durable batch.
    pub(crate) fn push(&mut self, batch: Arc<TailBatch>) {
        self.head = batch.position;
        self.high_water = self.high_water.max(batch.at);
        self.bytes += batch.bytes;
        for write in &batch.writes {
            let piece = (batch.position, write.records.clone());
            let pieces = self.pieces.entry(write.run).or_default();
            if pieces.records.is_empty() {
                pieces.older = !write.begins();
                self.older += usize::from(pieces.older);
            }
            pieces.records.push_back(piece);
            if let Some(row) = &write.row {
                self.rows.set(row);
            }
            self.rows.set_waits(write.run, &write.waits);
        }
        for workflow in &batch.workflows {
            let queue = Queue {
                namespace: Arc::clone(&workflow.namespace),
                app: Arc::clone(&workflow.app),
                workflow: Arc::clone(&workflow.name),
            };
            self.workflows.insert(queue, (batch.position, workflow.clone()));
        }
        batch.events.iter().for_each(|write| self.events.add(write));
        batch.inbox.iter().for_each(|write| self.inbox.add(write));
        self.tail.push_back(batch);
    }

    /// Tells whether a fold would write all over the tables: news of runs that are there already.
    pub(crate) fn is_scattered(&self) -> bool {
        self.older > self.pieces.len() / SCATTERED
    }

    /// Returns the bytes that a restart would read again.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the oldest batch that the tables do not hold.
    pub(crate) fn oldest(&self) -> Option<&TailBatch> {
        self.tail.front().map(|batch| &**batch)
    }

    /// Returns the newest batch that the tables do not hold.
    pub(crate) fn newest(&self) -> Option<&TailBatch> {
        self.tail.back().map(|batch| &**batch)
    }

    /// Returns the records of a run behind `position`, in order.
    pub(crate) fn records(&self, run: RunId) -> Vec<(u64, Bytes)> {
        let pieces = self.pieces.get(&run).map(|pieces| &pieces.records);
        pieces.map(|records| records.iter().cloned().collect()).unwrap_or_default()
    }

    /// Tells whether there are records of a run that the tables do not hold.
    pub(crate) fn holds(&self, run: RunId) -> bool {
        self.pieces.contains_key(&run)
    }

    /// Returns the workflows that were registered in these batches.
    pub(crate) fn workflows(&self) -> impl Iterator<Item = (&Queue, &Workflow)> {
        self.workflows.iter().map(|(queue, (_, workflow))| (queue, workflow))
    }

    /// Returns the last position at which `old` still holds; it holds for older batches first.
    pub(crate) fn last_where(&self, old: impl Fn(&TailBatch) -> bool) -> Option<u64> {
        let count = self.tail.partition_point(|batch| old(batch));
        count.checked_sub(1).and_then(|at| self.tail.get(at)).map(|batch| batch.position)
    }

    /// Returns the position behind which at most `bytes` remain.
    pub(crate) fn position_beyond(&self, bytes: u64) -> Option<u64> {
        let mut excess = self.bytes.checked_sub(bytes).filter(|excess| *excess > 0)?;
        for batch in &self.tail {
            if batch.bytes >= excess {
                return Some(batch.position);
            }
            excess -= batch.bytes;
        }
        None
    }

    /// Returns the oldest batches up to a position, at least one of them, then as many as fit into
    /// so many bytes.
    pub(crate) fn slice(&self, to: u64, bytes: u64) -> Vec<Arc<TailBatch>> {
        let mut sum = 0;
        let fits = |batch: &&Arc<TailBatch>| {
            let first = sum == 0;
            sum += batch.bytes.max(1);
            batch.position <= to && (first || sum <= bytes)
        };
        self.tail.iter().take_while(fits).cloned().collect()
    }

    /// Drops what the tables hold, at least `writes` writes of it. Returns whether there is more.
    pub(crate) fn trim(&mut self, writes: usize) -> bool {
        let mut done = 0;
        while self.tail.front().is_some_and(|batch| batch.position <= self.folded) {
            if done >= writes {
                return true;
            }
            let Some(batch) = self.tail.pop_front() else { break };
            self.bytes -= batch.bytes;
            done += batch.writes.len() + batch.events.len() + batch.inbox.len() + 1;
            batch.events.iter().for_each(|write| self.events.take_out(write));
            batch.inbox.iter().for_each(|write| self.inbox.take_out(write));
            for write in &batch.writes {
                self.drop_piece(write.run);
            }
            for workflow in &batch.workflows {
                self.drop_workflow(workflow, batch.position);
            }
        }
        false
    }

    fn drop_piece(&mut self, run: RunId) {
        let Some(pieces) = self.pieces.get_mut(&run) else { return };
        pieces.records.pop_front();
        if pieces.records.is_empty() {
            self.older -= usize::from(pieces.older);
            self.pieces.remove(&run);
            self.rows.remove(run);
        }
    }

    fn drop_workflow(&mut self, workflow: &Workflow, position: u64) {
        let queue = Queue {
            namespace: Arc::clone(&workflow.namespace),
            app: Arc::clone(&workflow.app),
            workflow: Arc::clone(&workflow.name),
        };
        if self.workflows.get(&queue).is_some_and(|(last, _)| *last <= position) {
            self.workflows.remove(&queue);
        }
    }
}

/// Puts batches together into what one transaction writes.
pub(crate) fn put_together(batches: &[Arc<TailBatch>]) -> FoldWrite {
    let mut fold = FoldWrite { high_water: Timestamp::MIN, ..FoldWrite::default() };
    for batch in batches {
        fold.position = batch.position;
        fold.high_water = fold.high_water.max(batch.at);
        fold.workflows.extend(batch.workflows.iter().cloned());
        fold.events.extend(batch.events.iter().cloned());
        fold.inbox.extend(batch.inbox.iter().cloned());
        for write in &batch.writes {
            let run = fold.runs.entry(write.run).or_default();
            run.records.push(write.records.clone());
            run.row = write.row.as_ref().map(Arc::clone);
            run.waits = Arc::clone(&write.waits);
        }
    }
    fold
}
