//! A fixed course of commits, folds and openings on a simulated disk, and what it was promised.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::status::{RunStatus, StepStatus};
use stepwell_core::time::Timestamp;
use stepwell_sqlite::sim::SimDisk;
use stepwell_sqlite::{Embedded, Options, Place};
use stepwell_store::batch::Batch;
use stepwell_store::conformance::{Script, Start};
use stepwell_store::event::{Did, Event, EventId, EventWrite, Known, Scope};
use stepwell_store::inbox::{InboxWrite, Message, MessageId, MessageKind};
use stepwell_store::{Error, Store};

/// The name of the tables' file in a folder of a test.
pub(crate) const TABLES: &str = "stepwell.db";

/// What the store said yes to, and what it was asked last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Promised {
    pub(crate) acked: BTreeMap<RunId, Vec<u8>>,
    pub(crate) events: BTreeMap<EventId, (Known, Vec<Did>)>,
    pub(crate) inbox: BTreeMap<MessageId, Arc<Message>>,
    pub(crate) in_flight: Option<Batch>,
}

impl Promised {
    fn ack(&mut self) {
        let Some(batch) = self.in_flight.take() else { return };
        for write in InboxWrite::all_of(&batch) {
            match write {
                InboxWrite::Sent(message) => drop(self.inbox.insert(message.id, message)),
                InboxWrite::Consumed(id) => drop(self.inbox.remove(&id)),
            }
        }
        for write in batch.runs {
            self.acked.entry(write.run).or_default().extend_from_slice(&write.records);
        }
        for write in batch.events {
            match write {
                EventWrite::Accepted(event) => {
                    let id = event.id.clone();
                    let known = Known { event, routed: false, kept: true };
                    self.events.insert(id, (known, Vec::new()));
                }
                EventWrite::Did(id, did) => self.events.get_mut(&id).unwrap().1.extend(did),
                EventWrite::Routed(id) => self.events.get_mut(&id).unwrap().0.routed = true,
            }
        }
    }

    /// Commits; what is not acknowledged stays in flight.
    pub(crate) fn commit(&mut self, store: &Embedded<SimDisk>, batch: &Batch) -> Result<(), Error> {
        self.in_flight = Some(batch.clone());
        store.commit(batch)?;
        self.ack();
        Ok(())
    }

    /// Demands that all that was acknowledged is there, and of what is in flight all or nothing.
    /// What is found becomes what is promised.
    pub(crate) fn check(&mut self, store: &Embedded<SimDisk>, place: &str) {
        let mut with = self.clone();
        with.ack();
        let is = |promised: &Self| {
            let known = with
                .acked
                .keys()
                .all(|run| store.load(*run).unwrap() == promised.acked.get(run).cloned());
            let heard = with.events.keys().all(|id| {
                let (event, did) = promised.events.get(id).cloned().unzip();
                store.event(id).unwrap() == event
                    && store.did(id, None, 9).unwrap() == did.unwrap_or_default()
            });
            let inbox: Vec<_> = promised.inbox.values().cloned().collect();
            let told = store.inbox(None, 1_000).unwrap() == inbox;
            known
                && heard
                && told
                && store.active(None, 1_000).unwrap().len() <= promised.acked.len()
        };
        if is(&with) {
            *self = with;
        } else {
            let broken: Vec<_> = self
                .acked
                .iter()
                .filter(|(run, journal)| store.load(**run).unwrap().as_ref() != Some(journal))
                .map(|(run, _)| run)
                .collect();
            assert!(is(self), "{place}: acknowledged and not there, or half there: {broken:?}");
            self.in_flight = None;
        }
        let report = store.verify().unwrap();
        assert_eq!(report.problems, [], "{place}");
    }
}

/// Opens the store of a test: a small log on the disk, tables in a folder.
pub(crate) fn open(disk: &SimDisk, folder: &Path) -> Result<Embedded<SimDisk>, Error> {
    let options =
        Options { segment_bytes: 4_096, disk_reserve: 0, store_id: Some(42), ..Options::default() };
    Embedded::open_on(disk.clone(), Place::File(folder.join(TABLES)), options)
}

/// The instant of the `n`-th commit.
pub(crate) fn at(n: u32) -> Timestamp {
    Timestamp::from_millis(1_795_000_000_000).after(Duration::from_secs(n.into()))
}

/// The batches of the trace: runs that begin, go on and end, some of them large.
pub(crate) fn batches() -> Vec<Batch> {
    let mut live: Vec<Script> = Vec::new();
    let mut batches = Vec::new();
    for n in 0..40 {
        let mut changed = vec![Script::new(at(n), n.into(), Start::default())];
        if n % 3 == 0 {
            changed.append(&mut live);
        }
        for script in &mut changed {
            let size = if n % 7 == 0 { 1_500 } else { 60 };
            let output = format!("\"{}\"", "r".repeat(size));
            script.activate().end(&format!("step-{n}"), StepStatus::Completed, &output);
            if n % 5 == 0 {
                script.ended(RunStatus::Completed);
            } else {
                script.release();
            }
        }
        let runs = changed.iter_mut().map(Script::write).collect();
        let (messages, consumed) = inbox(n);
        let events = events(n);
        let batch = Batch { at: at(n), runs, events, messages, consumed, ..Batch::default() };
        batches.push(Batch { grows: true, ..batch });
        live.extend(changed.into_iter().filter(|_| n % 5 != 0));
    }
    batches
}

/// In every fourth commit an event is accepted; two commits later it does something and is routed.
fn events(n: u32) -> Vec<EventWrite> {
    let id = |n: u32| EventId { namespace: "default".into(), id: format!("e-{n}").into() };
    match n % 4 {
        1 => vec![EventWrite::Accepted(Arc::new(Event {
            id: id(n),
            name: "paid".into(),
            accepted_at: at(n),
            data: Some(format!("\"{}\"", "e".repeat(200)).into()),
            offer: None,
            scope: Scope::default(),
        }))],
        3 => {
            let did = vec![Did { run: RunId::from_u128(n.into()), step: Some("wait".into()) }];
            vec![EventWrite::Did(id(n - 2), did), EventWrite::Routed(id(n - 2))]
        }
        _ => Vec::new(),
    }
}

/// Every other commit sends a message, and every third hears one of the commit before it.
fn inbox(n: u32) -> (Vec<Arc<Message>>, Vec<MessageId>) {
    let kind = MessageKind::ChildEnded;
    let id = |n: u32| MessageId { to: RunId::from_u128(n.into()), from: RunId::MIN, kind };
    let body = format!("\"{}\"", "m".repeat(100)).into();
    let message = Arc::new(Message { id: id(n), body });
    let sent = if n.is_multiple_of(2) { vec![message] } else { Vec::new() };
    (sent, if n % 3 == 1 { vec![id(n - 1)] } else { Vec::new() })
}

/// Runs the trace until something fails: commits, folds between them, closes and opens in the middle.
pub(crate) fn run(disk: &SimDisk, folder: &Path, promised: &mut Promised) -> Result<(), Error> {
    let mut store = open(disk, folder)?;
    for (n, batch) in (0..).zip(batches()) {
        promised.commit(&store, &batch)?;
        if n % 4 == 3 {
            store.fold_once(at(n), 6_000)?;
        }
        if n == 13 {
            drop(store);
            store = open(disk, folder)?;
        }
    }
    store.fold_all()
}
