//! Bugs that are planted into the simulator's own wrappers, to show that checkers see them.
//!
//! The core, the node and the store are as they are; what is planted stands between them and the
//! simulated world. Only a build with the feature `planted` can choose one.

use std::sync::Arc;
use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::matching::Leaves;
use stepwell_core::record::{self, Record};
use stepwell_core::run::Run;
use stepwell_core::time::Timestamp;
use stepwell_core::wait::Wait;
use stepwell_sqlite::Embedded;
use stepwell_store::batch::{Batch, Workflow};
use stepwell_store::event::{Did, EventId, EventRetention, Known, Place};
use stepwell_store::inbox::{Message, MessageId, MessageKind};
use stepwell_store::query::{Cursor, EventName, Filter, Key, Page, Queue};
use stepwell_store::{Error, Health, Position, Store};

use crate::disk::SimDisk;

/// What is planted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum What {
    #[default]
    Nothing,
    AnswersEarly,
    DiskLies,
    TimersEarly,
    ClockBack,
    GrantIgnored,
    DeliversEarly,
    ToldTooMuch,
    KeysForgotten,
    HalfBatches,
    TailCut,
    LooksLate,
    WaitsUnseen,
    StartOrder,
    AttemptsLost,
    InboxKept,
    CancelsLost,
}

/// The bug that is planted, if one is.
#[derive(Clone, Debug, Default)]
pub struct Bug(What);

impl Bug {
    /// What can be planted, by number from 1, with the invariants of which one is then broken.
    #[cfg(feature = "planted")]
    pub const ALL: [(&'static str, &'static [&'static str]); 16] = [
        ("the node is told that a batch is durable before it is", &["I1"]),
        ("the disk says that it synced and did not", &["I1", "I5"]),
        ("ticks come two seconds early", &["I13"]),
        ("engine time does not start at the greatest durable instant", &["I13"]),
        ("a runner starts functions after its grant", &["I7", "I20"]),
        ("a runner gives results to its code before they are settled", &["I6"]),
        ("a runner says that it was told more than it was", &["I6", "I10"]),
        ("the store does not find keys", &["I11"]),
        ("the store writes only the first run of a batch", &["I1", "I3"]),
        ("the store shows journals without their last record after it was opened again", &["I1"]),
        (
            "a look back for events leaves out what was accepted at its bound or up to a second after",
            &["events"],
        ),
        ("the store is asked for waits before they are written, and finds none", &["events"]),
        ("steps are taken back in the order of their start", &["I17"]),
        ("replay forgets how many attempts have failed", &["I8"]),
        ("the store keeps messages that were heard", &["children"]),
        ("the store forgets that children are to be cancelled", &["children", "I10"]),
    ];

    /// Plants a bug.
    #[cfg(feature = "planted")]
    pub fn number(number: usize) -> Option<Self> {
        let all = [
            What::AnswersEarly,
            What::DiskLies,
            What::TimersEarly,
            What::ClockBack,
            What::GrantIgnored,
            What::DeliversEarly,
            What::ToldTooMuch,
            What::KeysForgotten,
            What::HalfBatches,
            What::TailCut,
            What::LooksLate,
            What::WaitsUnseen,
            What::StartOrder,
            What::AttemptsLost,
            What::InboxKept,
            What::CancelsLost,
        ];
        all.get(number.checked_sub(1)?).map(|what| Self(*what))
    }

    pub(crate) fn tick(&self, now: Timestamp) -> Timestamp {
        let early = self.0 == What::TimersEarly;
        if early { now.after(Duration::from_secs(2)) } else { now }
    }

    pub(crate) fn answers_early(&self) -> bool {
        self.0 == What::AnswersEarly
    }

    pub(crate) fn disk_lies(&self) -> bool {
        self.0 == What::DiskLies
    }

    pub(crate) fn floor(&self, floor: Timestamp) -> Timestamp {
        if self.0 == What::ClockBack { Timestamp::MIN } else { floor }
    }

    pub(crate) fn ignores_grant(&self) -> bool {
        self.0 == What::GrantIgnored
    }

    pub(crate) fn delivers_early(&self) -> bool {
        self.0 == What::DeliversEarly
    }

    pub(crate) fn told_too_much(&self) -> u32 {
        u32::from(self.0 == What::ToldTooMuch)
    }

    /// Shows a store, with the bug between.
    pub(crate) fn show(&self, store: Arc<Embedded<SimDisk>>, reopened: bool) -> Box<dyn Store> {
        Box::new(Shown { store, what: self.0, reopened })
    }
}

/// A store with a bug between it and its reader, or none.
struct Shown {
    store: Arc<Embedded<SimDisk>>,
    what: What,
    reopened: bool,
}

impl Store for Shown {
    fn commit(&self, batch: &Batch) -> Result<Position, Error> {
        if self.what == What::HalfBatches && batch.runs.len() > 2 {
            let half = Batch { runs: batch.runs[..1].to_vec(), ..batch.clone() };
            return self.store.commit(&half);
        }
        if self.what == What::StartOrder {
            return self.store.commit(&in_start_order(batch));
        }
        if self.what == What::InboxKept {
            return self.store.commit(&Batch { consumed: Vec::new(), ..batch.clone() });
        }
        if self.what == What::CancelsLost {
            let mut batch = batch.clone();
            batch.messages.retain(|message| message.id.kind != MessageKind::Cancel);
            return self.store.commit(&batch);
        }
        self.store.commit(batch)
    }

    fn load(&self, run: RunId) -> Result<Option<Vec<u8>>, Error> {
        let mut journal = self.store.load(run)?;
        if self.what == What::TailCut
            && self.reopened
            && let Some(journal) = &mut journal
            && let Some(at) = journal.windows(2).rposition(|pair| pair == b",{")
        {
            journal.truncate(at + 1);
        }
        // A runner that holds the run knows better, and would quarrel with the node for ever.
        let parked = |journal: &Vec<u8>| {
            Run::replay(run, journal).is_ok_and(|run| run.activation().is_none())
        };
        if self.what == What::AttemptsLost && journal.as_ref().is_some_and(parked) {
            return Ok(journal.map(|journal| change(&journal, forget_attempts)));
        }
        Ok(journal)
    }

    fn due(
        &self,
        until: Timestamp,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error> {
        self.store.due(until, after, limit)
    }

    fn ready(
        &self,
        queue: &Queue,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error> {
        self.store.ready(queue, after, limit)
    }

    fn active(&self, after: Option<RunId>, limit: usize) -> Result<Vec<RunId>, Error> {
        self.store.active(after, limit)
    }

    fn blocked(
        &self,
        queue: &Queue,
        after: Option<RunId>,
        limit: usize,
    ) -> Result<Vec<RunId>, Error> {
        self.store.blocked(queue, after, limit)
    }

    fn key(&self, key: &Key) -> Result<Option<RunId>, Error> {
        if self.what == What::KeysForgotten { Ok(None) } else { self.store.key(key) }
    }

    fn workflows(&self) -> Result<Vec<Workflow>, Error> {
        self.store.workflows()
    }

    fn waits_for(
        &self,
        event: &EventName,
        leaves: &Leaves,
        after: Option<&Wait>,
        limit: usize,
    ) -> Result<Vec<Wait>, Error> {
        let waits = self.store.waits_for(event, leaves, after, limit)?;
        Ok(if self.what == What::WaitsUnseen { Vec::new() } else { waits })
    }

    fn event(&self, id: &EventId) -> Result<Option<Known>, Error> {
        self.store.event(id)
    }

    fn events_for(
        &self,
        event: &EventName,
        since: Timestamp,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Vec<Place>, Error> {
        // Off by one instant in the code would be off by a second here: instants seldom meet.
        let late = self.what == What::LooksLate;
        let since = if late { since.after(Duration::from_secs(1)) } else { since };
        self.store.events_for(event, since, after, limit)
    }

    fn unrouted(&self, after: Option<&Place>, limit: usize) -> Result<Vec<Place>, Error> {
        self.store.unrouted(after, limit)
    }

    fn did(&self, event: &EventId, after: Option<&Did>, limit: usize) -> Result<Vec<Did>, Error> {
        self.store.did(event, after, limit)
    }

    fn inbox(&self, after: Option<&MessageId>, limit: usize) -> Result<Vec<Arc<Message>>, Error> {
        self.store.inbox(after, limit)
    }

    fn purge_events(&self, retention: EventRetention, limit: usize) -> Result<usize, Error> {
        self.store.purge_events(retention, limit)
    }

    fn query(&self, filter: &Filter, patience: Duration) -> Result<Page, Error> {
        self.store.query(filter, patience)
    }

    fn purge(&self, cutoff: Timestamp, limit: usize) -> Result<usize, Error> {
        self.store.purge(cutoff, limit)
    }

    fn high_water(&self) -> Result<Timestamp, Error> {
        self.store.high_water()
    }

    fn health(&self) -> Health {
        self.store.health()
    }
}

/// Writes what is taken back in the other order.
fn in_start_order(batch: &Batch) -> Batch {
    let mut batch = batch.clone();
    for write in &mut batch.runs {
        write.records = change(&write.records, |record| {
            if let Record::CleanUp(clean_up) = record {
                clean_up.compensate.reverse();
            }
        });
    }
    batch
}

fn forget_attempts(record: &mut Record<'_>) {
    if let Record::AttemptFailed(failed) = record {
        // The journal keeps its length.
        failed.attempt.n = if failed.attempt.n < 10 { 0 } else { failed.attempt.n };
    }
}

/// Changes records of a journal.
fn change(journal: &[u8], change: impl Fn(&mut Record<'_>)) -> Vec<u8> {
    let mut changed = Vec::with_capacity(journal.len());
    for mut record in record::decode(journal).map_while(Result::ok) {
        change(&mut record);
        record.encode(&mut changed);
    }
    changed
}
