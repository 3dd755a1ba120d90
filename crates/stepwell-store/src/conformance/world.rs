//! A store under test beside its model.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::matching::{Leaf, Leaves};
use stepwell_core::record::heard;
use stepwell_core::status::RunStatus;
use stepwell_core::summary::Summary;
use stepwell_core::time::Timestamp;
use stepwell_core::wait::Wait;

use super::harness::Harness;
use super::model::Model;
use super::script::{Script, Start};
use crate::batch::Batch;
use crate::error::Error;
use crate::event::EventId;
use crate::query::{EndsAsk, EventName, Filter, Key, Queue};
use crate::retention::{Deletion, RunKind, RunRetention};
use crate::rows::{event_of, key_of, queue_of};
use crate::store::{Position, Store};

/// How long a list may wait to be complete. Long, since the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// What happens after each commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    AsItComes,
    Settled,
    Reopened,
}

impl Mode {
    pub(super) const ALL: [Self; 3] = [Self::AsItComes, Self::Settled, Self::Reopened];
}

/// A store under test.
pub(super) struct World<'h> {
    harness: &'h mut dyn Harness,
    store: Option<Arc<dyn Store>>,
    mode: Mode,
    pub(super) model: Model,
    pub(super) commits: u64,
    pub(super) faults: u64,
    last: Position,
    now: Timestamp,
    salt: u64,
}

impl<'h> World<'h> {
    pub(super) fn new(harness: &'h mut dyn Harness, mode: Mode) -> Self {
        let store = harness.open();
        Self {
            harness,
            store: Some(store),
            mode,
            model: Model::default(),
            commits: 0,
            faults: 0,
            last: Position(0),
            now: Timestamp::from_millis(1_795_000_000_000),
            salt: 0,
        }
    }

    #[expect(clippy::expect_used, reason = "the store is taken for the time of a reopening only")]
    pub(super) fn store(&self) -> &Arc<dyn Store> {
        self.store.as_ref().expect("there is a store but while it is opened anew")
    }

    /// Returns an instant, a second behind the last one.
    pub(super) fn tick(&mut self) -> Timestamp {
        self.now = self.now.after(Duration::from_secs(1));
        self.now
    }

    /// Lets time pass.
    pub(super) fn skip(&mut self, time: Duration) {
        self.now = self.now.after(time);
    }

    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// Begins a run of the default workflow.
    pub(super) fn start(&mut self) -> Script {
        self.start_as(Start::default())
    }

    pub(super) fn start_as(&mut self, start: Start<'_>) -> Script {
        self.salt += 1;
        let at = self.tick();
        Script::new(at, self.salt, start)
    }

    /// Begins a run and commits it as it then is.
    pub(super) fn put(&mut self, start: Start<'_>, go_on: impl Fn(&mut Script)) -> Script {
        let mut script = self.start_as(start);
        go_on(&mut script);
        self.commit_run(&mut script);
        script
    }

    pub(super) fn commit_run(&mut self, script: &mut Script) -> Position {
        let at = self.tick();
        self.commit(&Batch { at, runs: vec![script.write()], ..Batch::default() })
    }

    /// Commits a batch, whatever it takes: after a failure it looks whether it happened.
    pub(super) fn commit(&mut self, batch: &Batch) -> Position {
        claim(&**self.store(), batch);
        let position = loop {
            self.commits += 1;
            match self.store().commit(batch) {
                Ok(position) => break Some(position),
                Err(Error::Unknown(_)) => {
                    self.faults += 1;
                    if self.happened(batch) {
                        break None;
                    }
                }
                Err(Error::DiskFull { .. } | Error::Unavailable(_)) => {
                    self.faults += 1;
                    assert!(self.undone(batch), "refused, and yet done");
                }
                Err(error) => panic!("commit: {error}"),
            }
        };
        self.model.apply(batch);
        if let Some(position) = position {
            assert!(position > self.last, "positions grow: {position:?} after {:?}", self.last);
            self.last = position;
        }
        match self.mode {
            Mode::AsItComes => {}
            Mode::Settled => self.settle(),
            Mode::Reopened => self.reopen(),
        }
        self.last
    }

    /// Tells whether nothing of a batch is stored.
    fn undone(&self, batch: &Batch) -> bool {
        batch.runs.iter().all(|write| {
            let expected = self.model.runs.get(&write.run).map(|(_, journal)| journal.clone());
            self.store().load(write.run) == Ok(expected)
        }) && self.knows(&self.model, &batch.events)
            && self.holds(&self.model)
    }

    /// Tells whether a batch is stored: all of it or nothing.
    fn happened(&self, batch: &Batch) -> bool {
        let mut after = self.model.clone();
        after.apply(batch);
        let is = |model: &Model| {
            let runs = batch.runs.iter().all(|write| {
                let expected = model.runs.get(&write.run).map(|(_, journal)| journal.clone());
                self.store().load(write.run) == Ok(expected)
            });
            let high_water = model.high_water.unwrap_or(Timestamp::MIN);
            let events = self.knows(model, &batch.events);
            runs && events
                && self.holds(model)
                && self.store().workflows() == Ok(model.workflows())
                && self.store().high_water() == Ok(high_water)
        };
        // A batch without effect is as good as done.
        let (undone, done) = (is(&self.model), is(&after));
        assert!(undone || done, "a batch is half written");
        done
    }

    /// Damages a run, and has the store notice. Tells whether this store can be damaged.
    pub(super) fn damage(&mut self, run: RunId) -> bool {
        self.settle();
        let store = Arc::clone(self.store());
        if !self.harness.damage(&store, run) {
            return false;
        }
        let error = store.load(run).unwrap_err();
        assert!(matches!(error, Error::Quarantined { run: found, .. } if found == run), "{error}");
        self.model.quarantined.insert(run);
        true
    }

    pub(super) fn settle(&mut self) {
        if let Some(store) = &self.store {
            self.harness.settle(store);
        }
    }

    pub(super) fn reopen(&mut self) {
        // Until journals tell of waits, what is not in tables yet is made anew without them.
        if self.model.waits.values().any(|waits| !waits.is_empty()) {
            self.settle();
        }
        if let Some(store) = self.store.take() {
            self.store = Some(self.harness.reopen(store));
        }
        if let Some(shared) = self.store().shared() {
            while shared.take_over(Duration::ZERO, usize::MAX).unwrap() > 0 {}
            shared.claim_unrouted(usize::MAX).unwrap();
        }
    }

    /// Purges what ended before an instant.
    pub(super) fn purge(&mut self, kept_from: Timestamp, limit: usize) -> usize {
        self.purge_by(&RunRetention::of(kept_from), limit)
    }

    /// Purges, and tells the model which runs that must be.
    pub(super) fn purge_by(&mut self, retention: &RunRetention, limit: usize) -> usize {
        let old = |row: &&Summary| {
            row.ended_at.is_some_and(|at| at < retention.kept_from(RunKind::of(row)))
        };
        let due: Vec<RunId> = self.model.rows().filter(old).map(|row| row.id).collect();
        let purged = self.store().purge(retention, limit).unwrap();
        assert_eq!(purged, due.len().min(limit), "as many as are due, at most the limit");
        let gone: Vec<RunId> =
            due.into_iter().filter(|run| self.store().load(*run) == Ok(None)).collect();
        assert_eq!(gone.len(), purged, "what is purged does not load");
        self.model.forget(&gone);
        purged
    }

    /// Deletes a run of the default namespace, and compares with the model.
    pub(super) fn delete(&mut self, run: &Script) -> Deletion {
        self.delete_in("default", run.id(), run.journal())
    }

    /// Deletes a run that has this journal, and compares with the model.
    pub(super) fn delete_in(&mut self, namespace: &str, run: RunId, journal: &[u8]) -> Deletion {
        let id = |id: Cow<'_, str>| EventId { namespace: namespace.into(), id: (&*id).into() };
        let heard: Vec<EventId> = heard(journal).map(id).collect();
        let expected = self.model.delete(namespace, run, &heard);
        let found = self.store().delete(namespace, run).unwrap();
        assert_eq!(found, expected, "deleting {run} of {namespace}");
        if found == Deletion::Done {
            assert_eq!(self.store().load(run), Ok(None), "what is deleted does not load");
        }
        found
    }

    /// Lists, patiently, and compares with the model.
    pub(super) fn list(&self, filter: &Filter) -> Vec<RunId> {
        let (mut found, mut ask) = (Vec::new(), filter.clone());
        let limit = filter.limit.max(1);
        let last = loop {
            let page = self.store().query(&ask, PATIENCE).unwrap();
            assert!(!page.stale, "a list is complete after {PATIENCE:?}");
            assert!(page.position >= self.last, "a list is of a position that shows every write");
            found.extend(page.runs.iter().cloned());
            // A store may stop before a page is full; it goes on from there.
            let Some(reached) = page.reached.filter(|_| found.len() < limit) else { break page };
            assert!(page.more, "{filter:?}: there may be more");
            assert!(ask.before.is_none_or(|before| reached < before), "{filter:?}: it gets on");
            ask = Filter { before: Some(reached), limit: limit - found.len(), ..ask };
        };
        let (rows, more) = self.model.list(filter);
        assert_eq!(found, rows, "{filter:?}");
        assert!(last.more == more || last.reached.is_some(), "{filter:?}: more");
        self.count(filter);
        found.iter().map(|row| row.id).collect()
    }

    /// Counts, patiently, and compares with the model: exactly, or with less where a store gave up.
    fn count(&self, filter: &Filter) {
        let counted = self.store().counts(filter, PATIENCE).unwrap();
        assert!(!counted.stale && counted.position >= self.last, "{filter:?}");
        assert_eq!(counted.counts.iter().map(|one| one.0).collect::<Vec<_>>(), RunStatus::ALL);
        let all =
            Filter { statuses: Vec::new(), before: None, limit: usize::MAX, ..filter.clone() };
        let rows = self.model.list(&all).0;
        for (status, count) in counted.counts {
            let runs = rows.iter().filter(|row| row.status == status).count() as u64;
            let fits = if count.or_more { count.runs <= runs } else { count.runs == runs };
            assert!(fits, "{filter:?}: {count:?} of {runs} are {status}");
        }
    }

    /// Asks the store everything and compares with the model.
    pub(super) fn check(&self) {
        self.check_runs();
        self.check_queues();
        self.check_lists();
        self.check_ended();
        self.check_activity();
        self.check_open();
        self.check_waits();
        self.check_events();
        self.check_inbox();
        assert_eq!(self.store().workflows().unwrap(), self.model.workflows());
        let high_water = self.model.high_water.unwrap_or(Timestamp::MIN);
        assert_eq!(self.store().high_water().unwrap(), high_water);
        assert_eq!(self.store().health().refuses_growth, None);
    }

    fn check_open(&self) {
        let mut expected: BTreeMap<(Queue, RunStatus), u64> = BTreeMap::new();
        let rows = self.model.runs.values().map(|(row, _)| row);
        for row in rows.filter(|row| !row.status.is_ended()) {
            *expected.entry((queue_of(row), row.status)).or_default() += 1;
        }
        let found = self.store().open_runs(PATIENCE).unwrap();
        let found: Vec<_> =
            found.into_iter().map(|one| ((one.queue, one.status), one.runs)).collect();
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
    }

    fn check_runs(&self) {
        for (run, (row, journal)) in &self.model.runs {
            let loaded = self.store().load(*run);
            if self.model.quarantined.contains(run) {
                let found =
                    matches!(loaded, Err(Error::Quarantined { run: found, .. }) if found == *run);
                assert!(found, "{run} is damaged");
                continue;
            }
            assert_eq!(loaded.unwrap().as_ref(), Some(journal), "{run}");
            if let Some(key) = key_of(row) {
                assert_eq!(self.store().key(&key).unwrap(), self.model.key(&key), "{key:?}");
            }
        }
        assert_eq!(self.store().load(RunId::MIN).unwrap(), None);
    }

    fn check_queues(&self) {
        let store = self.store();
        for limit in [1, 3, 1_000] {
            let due = paged(limit, |after| store.due(Timestamp::MAX, after, limit).unwrap());
            assert_eq!(due, self.model.due(Timestamp::MAX, None), "due, by {limit}");
            let active = paged(limit, |after| store.active(after, limit).unwrap());
            assert_eq!(active, self.model.active(None), "active, by {limit}");
            for queue in self.model.queues() {
                let ready = paged(limit, |after| store.ready(&queue, after, limit).unwrap());
                assert_eq!(ready, self.model.ready(&queue, None), "ready {queue:?}, by {limit}");
                let blocked = paged(limit, |after| store.blocked(&queue, after, limit).unwrap());
                assert_eq!(blocked, self.model.blocked(&queue, None), "blocked, by {limit}");
            }
        }
    }

    fn check_waits(&self) {
        let waits = || self.model.waits.values().flatten();
        let mut events: Vec<_> = waits().map(event_of).collect();
        events.sort();
        events.dedup();
        for event in events {
            let mut each: Vec<_> = waits().map(|wait| wait.leaf).step_by(2).collect();
            each.push(Leaf::NAME);
            each.sort();
            each.dedup();
            for leaves in [Leaves::All, Leaves::Each(each), Leaves::Each(vec![])] {
                self.waits_for(&event, &leaves);
            }
        }
    }

    /// Asks for waits in pages of many sizes, and compares with the model.
    pub(super) fn waits_for(&self, event: &EventName, leaves: &Leaves) -> Vec<Wait> {
        let expected = self.model.waits_for(event, leaves);
        for limit in [1, 3, 1_000] {
            let found = paged(limit, |after: Option<Wait>| {
                self.store().waits_for(event, leaves, after.as_ref(), limit).unwrap()
            });
            assert_eq!(found, expected, "waits for {event:?} under {leaves:?}, by {limit}");
        }
        expected
    }

    fn check_lists(&self) {
        let mut namespaces: Vec<_> = self.model.rows().map(|row| row.namespace.clone()).collect();
        namespaces.dedup();
        for namespace in namespaces {
            let mut filter = Filter { namespace, limit: 3, ..Filter::default() };
            loop {
                let page = self.list(&filter);
                if page.len() < filter.limit {
                    break;
                }
                filter.before = page.last().copied();
            }
        }
    }

    /// Behind a list, which waits for what lags behind.
    fn check_ended(&self) {
        let mut ends: Vec<_> = self.model.rows().filter_map(|row| row.ended_at).collect();
        ends.sort_unstable();
        let last = ends.last().copied().unwrap_or(Timestamp::MIN);
        for until in [last, Timestamp::MAX] {
            let mut after = None;
            loop {
                let found = self.store().ended(until, after, 2).unwrap();
                assert_eq!(found, self.model.ended(until, after, 2), "{until} {after:?}");
                after = found.last().copied();
                if found.len() < 2 {
                    break;
                }
            }
        }
    }

    fn check_activity(&self) {
        let ends = self.model.rows().filter_map(|row| row.ended_at);
        let from = ends.min().unwrap_or(self.now).before(Duration::from_secs(20));
        for (app, minutes, looked) in [(None, 3, 1_000), (Some("shop"), 9, 1_000), (None, 9, 2)] {
            let (namespace, app) = ("default".into(), app.map(Arc::from));
            let ask = EndsAsk { namespace, app, workflow: None, from, minutes, looked };
            let found = self.store().ends(&ask, PATIENCE).unwrap();
            assert!(!found.stale && found.position >= self.last, "{ask:?}");
            assert_eq!(found.minutes, self.model.ends(&ask), "{ask:?}");
        }
    }

    /// Returns a filter for everything in the default namespace.
    pub(super) fn all() -> Filter {
        Filter { namespace: "default".into(), limit: 1_000, ..Filter::default() }
    }

    pub(super) fn with_status(statuses: &[RunStatus]) -> Filter {
        Filter { statuses: statuses.to_vec(), ..Self::all() }
    }

    /// Returns a key of the default workflow.
    pub(super) fn key(key: &str) -> Key {
        let start = Start::default();
        Key {
            queue: Queue {
                namespace: start.namespace.into(),
                app: start.app.into(),
                workflow: start.workflow.into(),
            },
            key: key.into(),
        }
    }
}

/// Claims the runs of a batch, where the store is shared.
pub(super) fn claim(store: &dyn Store, batch: &Batch) {
    if let Some(shared) = store.shared() {
        let runs: Vec<_> = batch.runs.iter().map(|write| write.run).collect();
        shared.claim(&runs).unwrap();
    }
}

/// Reads page after page until one is not full.
pub(super) fn paged<T: Clone>(limit: usize, mut page: impl FnMut(Option<T>) -> Vec<T>) -> Vec<T> {
    let mut all = Vec::new();
    loop {
        let next = page(all.last().cloned());
        assert!(next.len() <= limit, "a page holds at most the limit");
        let full = next.len() == limit;
        all.extend(next);
        if !full {
            return all;
        }
    }
}
