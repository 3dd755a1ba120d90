//! A store without a disk, of one node.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::matching::Leaves;
use stepwell_core::record::heard;
use stepwell_core::status::RunStatus;
use stepwell_core::summary::Summary;
use stepwell_core::time::Timestamp;
use stepwell_core::wait::Wait;

use crate::batch::{Batch, RunWrite, Workflow};
use crate::error::Error;
use crate::event::{Did, EventId, EventRetention, Known, Place};
use crate::events::Events;
use crate::inbox::{InboxWrite, Message, MessageId};
use crate::query::{
    Count, Counts, Cursor, Ends, EndsAsk, EventList, EventName, Filter, Key, OPEN_COUNT_MAX,
    OpenRuns, Page, Queue, Tally,
};
use crate::retention::{Deletion, RunKind, RunRetention};
use crate::rows::{Rows, queue_of};
use crate::store::{Health, Position, Store};

/// Keeps everything in memory; what it holds is gone with it.
#[derive(Debug)]
pub struct Memory {
    state: Mutex<State>,
}

#[derive(Clone, Debug)]
struct State {
    head: Position,
    high_water: Timestamp,
    rows: Rows,
    ended: BTreeSet<(Timestamp, RunId)>,
    journals: BTreeMap<RunId, Vec<u8>>,
    events: Events,
    inbox: BTreeMap<MessageId, Arc<Message>>,
    workflows: BTreeMap<Queue, Workflow>,
}

impl Memory {
    /// Makes an empty store.
    pub fn new() -> Self {
        let state = State {
            head: Position(0),
            high_water: Timestamp::MIN,
            rows: Rows::default(),
            ended: BTreeSet::new(),
            journals: BTreeMap::new(),
            events: Events::default(),
            inbox: BTreeMap::new(),
            workflows: BTreeMap::new(),
        };
        Self { state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing between lock and unlock can leave the state half changed but a panic in a
        // collection, which would be a panic of the allocator.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a run's row.
    pub(super) fn row(&self, run: RunId) -> Option<Arc<Summary>> {
        self.state().rows.get(run).map(Arc::clone)
    }

    /// Returns the runs that are due at `until` or before, in their order, of those that are wanted.
    pub(super) fn due_of(
        &self,
        until: Timestamp,
        wanted: impl Fn(RunId) -> bool,
        limit: usize,
    ) -> Vec<(Timestamp, RunId)> {
        let state = self.state();
        state.rows.due(until, None).filter(|(_, run)| wanted(*run)).take(limit).collect()
    }

    /// Returns the runs of a workflow that want a runner, in their order, of those that are wanted.
    pub(super) fn ready_of(
        &self,
        queue: &Queue,
        wanted: impl Fn(Timestamp, RunId) -> bool,
        limit: usize,
    ) -> Vec<(Timestamp, RunId)> {
        let state = self.state();
        let ready = state.rows.ready(queue, None);
        ready.filter(|(since, run)| wanted(*since, *run)).take(limit).collect()
    }

    /// Returns the events that are not routed, in their order, of those that are wanted.
    pub(super) fn unrouted_of(&self, wanted: impl Fn(&Place) -> bool, limit: usize) -> Vec<Place> {
        let state = self.state();
        state.events.unrouted(None).filter(|place| wanted(place)).take(limit).collect()
    }

    /// Returns the messages behind the given one, in their order, of those that are wanted.
    pub(super) fn mail_of(
        &self,
        after: Option<&MessageId>,
        wanted: impl Fn(RunId) -> bool,
        limit: usize,
    ) -> Vec<Arc<Message>> {
        let start = after.copied().map_or(Bound::Unbounded, Bound::Excluded);
        let state = self.state();
        let behind = state.inbox.range((start, Bound::Unbounded));
        let wanted = behind.filter(|(id, _)| wanted(id.to));
        wanted.take(limit).map(|(_, message)| Arc::clone(message)).collect()
    }
}

impl Clone for Memory {
    /// Copies everything.
    fn clone(&self) -> Self {
        Self { state: Mutex::new(self.state().clone()) }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    fn put(&mut self, write: &RunWrite) {
        self.journals.entry(write.run).or_default().extend_from_slice(&write.records);
        self.rows.set_waits(write.run, &write.waits);
        let row = Arc::new(write.summary.clone());
        let (run, ended_at) = (row.id, row.ended_at);
        let old = self.rows.set(&row).and_then(|old| old.ended_at);
        if old != ended_at {
            old.map(|at| self.ended.remove(&(at, run)));
            ended_at.map(|at| self.ended.insert((at, run)));
        }
    }

    fn drop_run(&mut self, at: Timestamp, run: RunId) {
        self.ended.remove(&(at, run));
        self.rows.remove(run);
        self.journals.remove(&run);
    }
}

impl Store for Memory {
    fn commit(&self, batch: &Batch) -> Result<Position, Error> {
        let mut state = self.state();
        for write in &batch.runs {
            state.put(write);
        }
        for workflow in &batch.workflows {
            let queue = Queue {
                namespace: Arc::clone(&workflow.namespace),
                app: Arc::clone(&workflow.app),
                workflow: Arc::clone(&workflow.name),
            };
            state.workflows.insert(queue, workflow.clone());
        }
        for write in &batch.events {
            state.events.add(write);
        }
        for write in InboxWrite::all_of(batch) {
            match write {
                InboxWrite::Sent(message) => drop(state.inbox.insert(message.id, message)),
                InboxWrite::Consumed(id) => drop(state.inbox.remove(&id)),
            }
        }
        state.high_water = state.high_water.max(batch.at);
        state.head.0 += 1;
        Ok(state.head)
    }

    fn load(&self, run: RunId) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.state().journals.get(&run).cloned())
    }

    fn due(
        &self,
        until: Timestamp,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error> {
        Ok(self.state().rows.due(until, after).take(limit).collect())
    }

    fn ready(
        &self,
        queue: &Queue,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error> {
        Ok(self.state().rows.ready(queue, after).take(limit).collect())
    }

    fn active(&self, after: Option<RunId>, limit: usize) -> Result<Vec<RunId>, Error> {
        Ok(self.state().rows.active(after).take(limit).collect())
    }

    fn blocked(
        &self,
        queue: &Queue,
        after: Option<RunId>,
        limit: usize,
    ) -> Result<Vec<RunId>, Error> {
        Ok(self.state().rows.blocked(queue, after).take(limit).collect())
    }

    fn key(&self, key: &Key) -> Result<Option<RunId>, Error> {
        Ok(self.state().rows.key(key))
    }

    fn workflows(&self) -> Result<Vec<Workflow>, Error> {
        Ok(self.state().workflows.values().cloned().collect())
    }

    fn waits_for(
        &self,
        event: &EventName,
        leaves: &Leaves,
        after: Option<&Wait>,
        limit: usize,
    ) -> Result<Vec<Wait>, Error> {
        Ok(self.state().rows.waits_for(event, leaves, after).take(limit).cloned().collect())
    }

    fn event(&self, id: &EventId) -> Result<Option<Known>, Error> {
        Ok(self.state().events.event(id))
    }

    fn unrouted(&self, after: Option<&Place>, limit: usize) -> Result<Vec<Place>, Error> {
        Ok(self.state().events.unrouted(after).take(limit).collect())
    }

    fn did(&self, event: &EventId, after: Option<&Did>, limit: usize) -> Result<Vec<Did>, Error> {
        Ok(self.state().events.did(event, after).take(limit).collect())
    }

    fn inbox(&self, after: Option<&MessageId>, limit: usize) -> Result<Vec<Arc<Message>>, Error> {
        Ok(self.mail_of(after, |_| true, limit))
    }

    fn purge_events(&self, retention: EventRetention, limit: usize) -> Result<usize, Error> {
        Ok(self.state().events.purge(retention, limit))
    }

    fn query(&self, filter: &Filter, _patience: Duration) -> Result<Page, Error> {
        let state = self.state();
        let limit = filter.limit.max(1);
        let mut found = state.rows.newest(filter.before).filter(|row| filter.matches(row));
        let runs: Vec<_> = found.by_ref().take(limit).map(|row| Summary::clone(row)).collect();
        let more = found.next().is_some();
        Ok(Page { runs, more, reached: None, position: state.head, stale: false })
    }

    fn counts(&self, filter: &Filter, _patience: Duration) -> Result<Counts, Error> {
        let state = self.state();
        let filter = Filter { statuses: Vec::new(), ..filter.clone() };
        let mut counts: BTreeMap<RunStatus, u64> = BTreeMap::new();
        for row in state.rows.newest(None).filter(|row| filter.matches(row)) {
            *counts.entry(row.status).or_default() += 1;
        }
        let count = |status| (status, Count::of(counts.get(&status).copied().unwrap_or_default()));
        let counts = RunStatus::ALL.into_iter().map(count).collect();
        Ok(Counts { counts, position: state.head, stale: false })
    }

    fn open_runs(&self, _patience: Duration) -> Result<Vec<OpenRuns>, Error> {
        let state = self.state();
        let mut found: BTreeMap<(Queue, RunStatus), u64> = BTreeMap::new();
        for row in state.rows.newest(None).filter(|row| !row.status.is_ended()) {
            *found.entry((queue_of(row), row.status)).or_default() += 1;
        }
        let open = |((queue, status), runs): (_, u64)| OpenRuns {
            queue,
            status,
            runs: runs.min(OPEN_COUNT_MAX),
        };
        Ok(found.into_iter().map(open).collect())
    }

    fn ends(&self, ask: &EndsAsk, _patience: Duration) -> Result<Ends, Error> {
        let state = self.state();
        let filter = Filter {
            namespace: Arc::clone(&ask.namespace),
            app: ask.app.clone(),
            workflow: ask.workflow.clone(),
            ..Filter::default()
        };
        let mut tally = Tally::new(ask);
        let ended = state.ended.range((ask.from, RunId::MIN)..(Tally::to(ask), RunId::MIN)).rev();
        for (at, run) in ended {
            let row = state.rows.get(*run).filter(|row| filter.matches(row));
            if !tally.add(*at, row.map(|row| row.status)) {
                break;
            }
        }
        Ok(Ends { minutes: tally.minutes(), position: state.head, stale: false })
    }

    fn events_list(
        &self,
        list: &EventList,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Vec<Place>, Error> {
        Ok(self.state().events.list(list, after, limit))
    }

    fn ended(
        &self,
        until: Timestamp,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let state = self.state();
        let behind = state.ended.range((from, Bound::Unbounded)).copied();
        Ok(behind.take_while(|(at, _)| *at < until).take(limit).collect())
    }

    fn purge(&self, retention: &RunRetention, limit: usize) -> Result<usize, Error> {
        let mut state = self.state();
        let ended = state.ended.range(..(retention.all_kept_from(), RunId::MIN)).copied();
        let goes = |(at, run): &(Timestamp, RunId)| {
            let row = state.rows.get(*run);
            row.is_some_and(|row| *at < retention.kept_from(RunKind::of(row)))
        };
        let old: Vec<_> = ended.filter(goes).take(limit).collect();
        for (at, run) in &old {
            state.drop_run(*at, *run);
        }
        Ok(old.len())
    }

    fn delete(&self, namespace: &str, run: RunId) -> Result<Deletion, Error> {
        let mut state = self.state();
        let Some(row) = state.rows.get(run).filter(|row| *row.namespace == *namespace) else {
            return Ok(Deletion::Unknown);
        };
        let Some(at) = row.ended_at else { return Ok(Deletion::Open(row.status)) };
        let journal = state.journals.get(&run).map(Vec::as_slice).unwrap_or_default();
        let heard: Vec<_> = heard(journal)
            .map(|id| EventId { namespace: row.namespace.clone(), id: (&*id).into() })
            .collect();
        if heard.iter().any(|event| state.events.is_open(event)) {
            return Ok(Deletion::Early);
        }
        state.drop_run(at, run);
        for event in &heard {
            state.events.forget_run(event, run);
        }
        Ok(Deletion::Done)
    }

    fn high_water(&self) -> Result<Timestamp, Error> {
        Ok(self.state().high_water)
    }

    fn health(&self) -> Health {
        let head = self.state().head;
        Health { head, folded: head, ..Health::default() }
    }
}
