//! What changed, for those who watch: which runs have new records, and whether events came, runners came and
//! went, or something was observed.
//!
//! It is told as hints, at least once: who misses one because it read too slowly is told of everything
//! that it missed, each run once. What is remembered is bounded, and nothing is while nobody watches; who
//! names a place that is not remembered is told to look at everything again.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;
use stepwell_core::id::RunId;
use stepwell_store::batch::Batch;
use tokio::sync::watch;

/// Most changes that are remembered.
const REMEMBERED_MAX: usize = 16_384;

/// Most runs that one [`Changed`] names.
pub const NAMED_MAX: usize = 256;

/// Where a watcher stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Drawn at random at the start of the server: cursors of another one mean nothing.
    pub epoch: u64,
    /// How many changes there had been.
    pub seen: u64,
}

/// What changed since a watcher was last told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is about something else")]
pub struct Changed {
    /// Runs with new records and the sizes of their journals in bytes, the one that changed last first.
    pub runs: Vec<(RunId, u64)>,
    /// More runs changed than are named, or some were deleted.
    pub others: bool,
    /// Events were accepted, or did something.
    pub events: bool,
    /// Runners connected or went.
    pub runners: bool,
    /// Events of observed runs were kept, or a flow was declared.
    pub flows: bool,
}

impl Changed {
    /// Tells whether nothing changed.
    pub fn is_empty(&self) -> bool {
        let Self { runs, others, events, runners, flows } = self;
        runs.is_empty() && !others && !events && !runners && !flows
    }
}

/// Where changes are told.
#[derive(Debug)]
pub(crate) struct Changes {
    epoch: u64,
    watchers: AtomicUsize,
    /// Something changed while nobody watched.
    missed: AtomicBool,
    log: Mutex<Log>,
    head: watch::Sender<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Run(RunId),
    /// A run is not there any more.
    Gone,
    Events,
    Runners,
    Flows,
}

#[derive(Debug, Clone)]
struct Entry {
    number: u64,
    namespace: Arc<str>,
    subject: Subject,
    journal_bytes: u64,
}

#[derive(Debug, Default)]
struct Log {
    /// The number of the last change.
    last: u64,
    /// Watchers that stand before this number have missed something.
    floor: u64,
    entries: VecDeque<Entry>,
    /// The last change of each run in `entries`: an older one of the same run says nothing more.
    newest: FxHashMap<RunId, u64>,
}

impl Log {
    fn push(&mut self, namespace: &Arc<str>, subject: Subject, journal_bytes: u64) {
        self.last += 1;
        if let Subject::Run(run) = subject {
            self.newest.insert(run, self.last);
        }
        let namespace = Arc::clone(namespace);
        self.entries.push_back(Entry { number: self.last, namespace, subject, journal_bytes });
        if self.entries.len() > REMEMBERED_MAX {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        let Some(entry) = self.entries.pop_front() else { return };
        // A run that changed again is told of by its later change, so nothing is missed with this one.
        match entry.subject {
            Subject::Run(run) if self.newest.get(&run) != Some(&entry.number) => return,
            Subject::Run(run) => self.newest.remove(&run),
            Subject::Gone | Subject::Events | Subject::Runners | Subject::Flows => None,
        };
        self.floor = entry.number;
    }

    fn forget_all(&mut self) {
        self.entries.clear();
        self.newest.clear();
        self.last += 1;
        self.floor = self.last;
    }

    fn since(&self, namespace: &str, seen: u64) -> Changed {
        let mut changed = Changed::default();
        let unseen = self.entries.iter().rev().take_while(|entry| entry.number > seen);
        for entry in unseen.filter(|entry| *entry.namespace == *namespace) {
            match entry.subject {
                Subject::Gone => changed.others = true,
                Subject::Events => changed.events = true,
                Subject::Runners => changed.runners = true,
                Subject::Flows => changed.flows = true,
                Subject::Run(run) if self.newest.get(&run) != Some(&entry.number) => {}
                Subject::Run(_) if changed.runs.len() == NAMED_MAX => changed.others = true,
                Subject::Run(run) => changed.runs.push((run, entry.journal_bytes)),
            }
        }
        changed
    }
}

impl Changes {
    pub(crate) fn new(epoch: u64) -> Self {
        Self {
            epoch,
            watchers: AtomicUsize::new(0),
            missed: AtomicBool::new(false),
            log: Mutex::new(Log::default()),
            head: watch::Sender::new(0),
        }
    }

    /// Tells of a durable batch.
    pub(crate) fn committed(&self, batch: &Batch) {
        if batch.runs.is_empty() && batch.events.is_empty() {
            return;
        }
        self.tell(|log| {
            for write in &batch.runs {
                let row = &write.summary;
                log.push(&row.namespace, Subject::Run(write.run), row.journal_bytes);
            }
            let mut told: Option<&Arc<str>> = None;
            for write in &batch.events {
                let namespace = &write.id().namespace;
                if told.is_none_or(|told| told != namespace) {
                    log.push(namespace, Subject::Events, 0);
                    told = Some(namespace);
                }
            }
        });
    }

    /// Tells that a run was deleted.
    pub(crate) fn gone(&self, namespace: &Arc<str>) {
        self.tell(|log| log.push(namespace, Subject::Gone, 0));
    }

    /// Tells that a runner connected, was let in, or went.
    pub(crate) fn runners(&self, namespace: &Arc<str>) {
        self.tell(|log| log.push(namespace, Subject::Runners, 0));
    }

    /// Tells that something of a namespace was observed. Whoever calls sees to it that it is not often: each
    /// takes the place of a change that is remembered.
    pub(crate) fn flows(&self, namespace: &Arc<str>) {
        self.tell(|log| log.push(namespace, Subject::Flows, 0));
    }

    fn tell(&self, write: impl FnOnce(&mut Log)) {
        // Sequentially consistent on both sides: either the watcher is seen here, or it sees `missed`.
        if self.watchers.load(Ordering::SeqCst) == 0 {
            self.missed.store(true, Ordering::SeqCst);
            if self.watchers.load(Ordering::SeqCst) == 0 {
                return;
            }
        }
        let mut log = self.log();
        write(&mut log);
        let last = log.last;
        drop(log);
        self.head.send_replace(last);
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn watch(self: &Arc<Self>, namespace: Arc<str>, after: Option<Cursor>) -> Watch {
        self.watchers.fetch_add(1, Ordering::SeqCst);
        let mut log = self.log();
        if self.missed.swap(false, Ordering::SeqCst) {
            log.forget_all();
        }
        let known = after.filter(|cursor| {
            cursor.epoch == self.epoch && (log.floor..=log.last).contains(&cursor.seen)
        });
        let seen = known.map_or(log.last, |cursor| cursor.seen);
        drop(log);
        Watch {
            changes: Arc::clone(self),
            namespace,
            seen,
            is_reset: after.is_some() && known.is_none(),
            head: self.head.subscribe(),
        }
    }
}

/// One watcher.
#[derive(Debug)]
pub struct Watch {
    changes: Arc<Changes>,
    namespace: Arc<str>,
    seen: u64,
    is_reset: bool,
    head: watch::Receiver<u64>,
}

/// What a watcher is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// This changed.
    Changed(Changed),
    /// More may have changed than is known: look at everything again.
    Reset,
}

impl Watch {
    /// Returns where the watcher stands: what it is told next is what changed since.
    pub fn cursor(&self) -> Cursor {
        Cursor { epoch: self.changes.epoch, seen: self.seen }
    }

    /// Waits for changes and returns all that came since the last call, each run once.
    pub async fn next(&mut self) -> Told {
        loop {
            // Marked as seen before the look, so that what comes after it wakes again.
            self.head.borrow_and_update();
            if let Some(told) = self.look() {
                return told;
            }
            // The sender lives as long as `changes`, which this watcher holds.
            if self.head.changed().await.is_err() {
                return Told::Reset;
            }
        }
    }

    fn look(&mut self) -> Option<Told> {
        let log = self.changes.log();
        if std::mem::take(&mut self.is_reset) || self.seen < log.floor {
            self.seen = log.last;
            return Some(Told::Reset);
        }
        let changed = log.since(&self.namespace, self.seen);
        self.seen = log.last;
        (!changed.is_empty()).then_some(Told::Changed(changed))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.changes.watchers.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use stepwell_core::time::Timestamp;

    use super::*;

    fn run(number: u64) -> RunId {
        RunId::new(Timestamp::from_micros(number.cast_signed() * 1_000_000), 0)
    }

    fn ours() -> Arc<str> {
        Arc::from("ours")
    }

    fn push(changes: &Changes, namespace: &str, number: u64, bytes: u64) {
        let namespace = Arc::from(namespace);
        changes.tell(|log| log.push(&namespace, Subject::Run(run(number)), bytes));
    }

    fn told(watch: &mut Watch) -> Option<Told> {
        watch.look()
    }

    fn runs(list: &[(u64, u64)]) -> Told {
        let runs = list.iter().map(|(number, bytes)| (run(*number), *bytes)).collect();
        Told::Changed(Changed { runs, ..Changed::default() })
    }

    #[test]
    fn each_run_is_told_once_with_its_last_size() {
        let changes = Arc::new(Changes::new(7));
        let mut watch = changes.watch(ours(), None);
        push(&changes, "ours", 1, 10);
        push(&changes, "ours", 2, 20);
        push(&changes, "ours", 1, 30);
        assert_eq!(told(&mut watch), Some(runs(&[(1, 30), (2, 20)])));
        assert_eq!(told(&mut watch), None);
    }

    #[test]
    fn other_namespaces_are_not_told_of() {
        let changes = Arc::new(Changes::new(7));
        let mut watch = changes.watch(ours(), None);
        push(&changes, "theirs", 1, 10);
        changes.runners(&Arc::from("theirs"));
        assert_eq!(told(&mut watch), None);
        changes.runners(&ours());
        let expected = Changed { runners: true, ..Changed::default() };
        assert_eq!(told(&mut watch), Some(Told::Changed(expected)));
        changes.flows(&Arc::from("theirs"));
        assert_eq!(told(&mut watch), None);
        changes.flows(&ours());
        let expected = Changed { flows: true, ..Changed::default() };
        assert_eq!(told(&mut watch), Some(Told::Changed(expected)));
    }

    #[test]
    fn a_cursor_goes_on_where_it_was() {
        let changes = Arc::new(Changes::new(7));
        let mut first = changes.watch(ours(), None);
        push(&changes, "ours", 1, 10);
        assert_eq!(told(&mut first), Some(runs(&[(1, 10)])));
        let cursor = first.cursor();
        push(&changes, "ours", 2, 20);
        let mut second = changes.watch(ours(), Some(cursor));
        assert_eq!(told(&mut second), Some(runs(&[(2, 20)])));
    }

    #[test]
    fn an_unknown_cursor_is_told_to_look_again() {
        let changes = Arc::new(Changes::new(7));
        let _other = changes.watch(ours(), None);
        for cursor in [Cursor { epoch: 8, seen: 0 }, Cursor { epoch: 7, seen: 1 }] {
            let mut watch = changes.watch(ours(), Some(cursor));
            assert_eq!(told(&mut watch), Some(Told::Reset), "{cursor:?}");
            assert_eq!(told(&mut watch), None, "{cursor:?}");
        }
    }

    #[test]
    fn what_came_while_nobody_watched_is_a_reset() {
        let changes = Arc::new(Changes::new(7));
        let cursor = changes.watch(ours(), None).cursor();
        push(&changes, "ours", 1, 10);
        let mut back = changes.watch(ours(), Some(cursor));
        assert_eq!(told(&mut back), Some(Told::Reset));
        let cursor = back.cursor();
        drop(back);
        // Nothing came meanwhile, so nothing was missed.
        assert_eq!(told(&mut changes.watch(ours(), Some(cursor))), None);
    }

    #[test]
    fn who_reads_too_slowly_is_told_of_many_or_to_look_again() {
        let changes = Arc::new(Changes::new(7));
        let mut watch = changes.watch(ours(), None);
        for number in 0..=NAMED_MAX as u64 {
            push(&changes, "ours", number, 1);
        }
        let Some(Told::Changed(changed)) = told(&mut watch) else { panic!("nothing was told") };
        assert!(changed.others);
        assert_eq!(changed.runs.len(), NAMED_MAX);
        for number in 0..=REMEMBERED_MAX as u64 {
            push(&changes, "ours", number, 1);
        }
        assert_eq!(told(&mut watch), Some(Told::Reset));
    }

    #[test]
    fn a_run_that_changes_again_and_again_pushes_nobody_out() {
        let changes = Arc::new(Changes::new(7));
        let mut watch = changes.watch(ours(), None);
        for bytes in 0..=2 * REMEMBERED_MAX as u64 {
            push(&changes, "ours", 1, bytes);
        }
        assert_eq!(told(&mut watch), Some(runs(&[(1, 2 * REMEMBERED_MAX as u64)])));
    }
}
