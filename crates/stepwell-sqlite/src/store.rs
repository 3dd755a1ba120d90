//! The embedded store as a [`Store`].

use std::cmp::Reverse;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use stepwell_core::id::RunId;
use stepwell_core::matching::Leaves;
use stepwell_core::time::Timestamp;
use stepwell_core::wait::Wait;
use stepwell_store::backup::InFolder;
use stepwell_store::batch::{Batch, Workflow};
use stepwell_store::event::{Did, EventId, EventRetention, Known, Place};
use stepwell_store::inbox::{InboxWrite, Message, MessageId};
use stepwell_store::query::{
    Counts, Cursor, Ends, EndsAsk, EventList, EventName, Filter, Key, OpenRuns, Page, Queue,
};
use stepwell_store::retention::{Deletion, RunRetention};
use stepwell_store::rows::Rows;
use stepwell_store::{Error, Health, Position, Store};

use crate::disk::Disk;
use crate::embedded::{Embedded, Shared, guard};
use crate::log::Prepared;
use crate::overlay::{Overlay, TailBatch, TailWrite};
use crate::tables::{self, Reader};

/// How many runs one transaction of a purge deletes.
const PURGE_SLICE: usize = 500;

impl<D: Disk> Store for Embedded<D> {
    fn commit(&self, batch: &Batch) -> Result<Position, Error> {
        let shared = &*self.shared;
        if batch.grows {
            shared.make_room()?;
        }
        // All that does not depend on the place in the log happens before its lock is taken.
        let (frame, pieces) = Prepared::batch(batch)?;
        let rows: Vec<_> = batch
            .runs
            .iter()
            .map(|run| (Arc::new(run.summary.clone()), Arc::clone(&run.waits)))
            .collect();
        let mut log = guard(&shared.log);
        let (position, body) = log.append(frame).inspect_err(|_| {
            shared.poisoned.store(log.poisoned.is_some(), Ordering::Release);
        })?;
        let write = |((run, at), (row, waits)): ((RunId, std::ops::Range<usize>), _)| TailWrite {
            run,
            records: body.slice(at),
            row: Some(row),
            waits,
        };
        let tail = TailBatch {
            position,
            at: batch.at,
            received: Instant::now(),
            bytes: body.len() as u64,
            writes: pieces.into_iter().zip(rows).map(write).collect(),
            workflows: batch.workflows.clone(),
            events: batch.events.clone(),
            inbox: InboxWrite::all_of(batch).collect(),
        };
        let spare_wanted = log.spares.is_empty();
        let (was_empty, bytes) = {
            // Before the log is free again, so that the overlay is in the order of the log.
            let mut overlay = shared.overlay();
            let was_empty = overlay.oldest().is_none();
            overlay.push(Arc::new(tail));
            (was_empty, overlay.bytes())
        };
        drop(log);
        if was_empty || spare_wanted || bytes > shared.options.fold_beyond {
            shared.work.notify_one();
        }
        Ok(Position(position))
    }

    fn load(&self, run: RunId) -> Result<Option<Vec<u8>>, Error> {
        self.shared.journal(run)
    }

    fn due(
        &self,
        until: Timestamp,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error> {
        let fetch = |reader: &Reader<'_>, after, limit| tables::due(reader, until, after, limit);
        self.shared.scan_runs(after.as_ref(), limit, fetch, |rows, open| {
            rows.due(until, after).filter(open).take(limit).collect()
        })
    }

    fn ready(
        &self,
        queue: &Queue,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error> {
        let fetch = |reader: &Reader<'_>, after, limit| tables::ready(reader, queue, after, limit);
        self.shared.scan_runs(after.as_ref(), limit, fetch, |rows, open| {
            rows.ready(queue, after).filter(open).take(limit).collect()
        })
    }

    fn active(&self, after: Option<RunId>, limit: usize) -> Result<Vec<RunId>, Error> {
        let fetch = |reader: &Reader<'_>, after, limit| tables::active(reader, after, limit);
        self.shared.scan_runs(after.as_ref(), limit, fetch, |rows, open| {
            rows.active(after).filter(open).take(limit).collect()
        })
    }

    fn blocked(
        &self,
        queue: &Queue,
        after: Option<RunId>,
        limit: usize,
    ) -> Result<Vec<RunId>, Error> {
        let fetch =
            |reader: &Reader<'_>, after, limit| tables::blocked(reader, queue, after, limit);
        self.shared.scan_runs(after.as_ref(), limit, fetch, |rows, open| {
            rows.blocked(queue, after).filter(open).take(limit).collect()
        })
    }

    fn key(&self, key: &Key) -> Result<Option<RunId>, Error> {
        let reader = self.shared.reader()?;
        let gate = self.shared.gate.read().unwrap_or_else(PoisonError::into_inner);
        let stored = tables::find_key(&reader, key)?;
        let fresh = self.shared.overlay().rows.key(key);
        drop(gate);
        // A run never changes its key, so what either knows holds; the first start counts.
        Ok(match (stored, fresh) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        })
    }

    fn workflows(&self) -> Result<Vec<Workflow>, Error> {
        let reader = self.shared.reader()?;
        let gate = self.shared.gate.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: std::collections::BTreeMap<Queue, Workflow> =
            tables::workflows(&reader)?.into_iter().map(|one| (queue_of(&one), one)).collect();
        for (queue, one) in self.shared.overlay().workflows() {
            all.insert(queue.clone(), one.clone());
        }
        drop(gate);
        Ok(all.into_values().collect())
    }

    fn waits_for(
        &self,
        event: &EventName,
        leaves: &Leaves,
        after: Option<&Wait>,
        limit: usize,
    ) -> Result<Vec<Wait>, Error> {
        let fetch = |reader: &Reader<'_>, after: Option<Wait>, limit| {
            tables::waits_for(reader, event, leaves, (after.as_ref(), limit))
        };
        self.shared.scan_runs(after, limit, fetch, |rows, open| {
            let waits = rows.waits_for(event, leaves, after);
            waits.filter(|wait| open(wait)).take(limit).cloned().collect()
        })
    }

    fn query(&self, filter: &Filter, patience: Duration) -> Result<Page, Error> {
        let list = |reader: &Reader<'_>| tables::list(reader, filter, self.shared.options.effort);
        let (found, position, stale) = self.shared.patiently(patience, list)?;
        let tables::Found { runs, more, reached } = found;
        Ok(Page { runs, more, reached, position, stale })
    }

    fn counts(&self, filter: &Filter, patience: Duration) -> Result<Counts, Error> {
        let counts =
            |reader: &Reader<'_>| tables::counts(reader, filter, self.shared.options.effort);
        let (counts, position, stale) = self.shared.patiently(patience, counts)?;
        Ok(Counts { counts, position, stale })
    }

    fn open_runs(&self, patience: Duration) -> Result<Vec<OpenRuns>, Error> {
        Ok(self.shared.patiently(patience, |reader: &Reader<'_>| tables::open_runs(reader))?.0)
    }

    fn ends(&self, ask: &EndsAsk, patience: Duration) -> Result<Ends, Error> {
        let activity = |reader: &Reader<'_>| tables::ends(reader, ask);
        let (minutes, position, stale) = self.shared.patiently(patience, activity)?;
        Ok(Ends { minutes, position, stale })
    }

    fn ended(
        &self,
        until: Timestamp,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error> {
        self.shared.check_poison()?;
        // Of the tables alone: what is not folded yet comes behind all of it, by order of its batch.
        let reader = self.shared.reader()?;
        tables::ended(&reader, until, after, limit)
    }

    fn events_list(
        &self,
        list: &EventList,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Vec<Place>, Error> {
        if list.newest {
            let fetch = |reader: &Reader<'_>, after: Option<Reverse<Place>>, limit| {
                let after = after.as_ref().map(|place| &place.0);
                let places = tables::events_list(reader, list, (after, limit))?;
                Ok(places.into_iter().map(Reverse).collect())
            };
            let fresh = |overlay: &Overlay| {
                overlay.events.list(list, after, limit).into_iter().map(Reverse).collect()
            };
            let after = after.cloned().map(Reverse);
            let found = self.shared.scan(after.as_ref(), limit, fetch, (fresh, |_, _| false))?;
            return Ok(found.into_iter().map(|place| place.0).collect());
        }
        let fetch = |reader: &Reader<'_>, after: Option<Place>, limit| {
            tables::events_list(reader, list, (after.as_ref(), limit))
        };
        let fresh = |overlay: &Overlay| overlay.events.list(list, after, limit);
        self.shared.scan(after, limit, fetch, (fresh, |_, _| false))
    }

    fn event(&self, id: &EventId) -> Result<Option<Known>, Error> {
        let reader = self.shared.reader()?;
        let gate = self.shared.gate.read().unwrap_or_else(PoisonError::into_inner);
        let stored = tables::event(&reader, id)?;
        let overlay = self.shared.overlay();
        let known = stored.or_else(|| overlay.events.event(id));
        let routed = overlay.events.is_routed(id);
        drop((overlay, gate));
        Ok(known.map(|known| Known { routed: known.routed || routed, ..known }))
    }

    fn unrouted(&self, after: Option<&Place>, limit: usize) -> Result<Vec<Place>, Error> {
        let fetch = |reader: &Reader<'_>, after: Option<Place>, limit| {
            tables::unrouted(reader, after.as_ref(), limit)
        };
        let fresh = |overlay: &Overlay| overlay.events.unrouted(after).take(limit).collect();
        let hidden = |overlay: &Overlay, place: &Place| overlay.events.is_routed(&place.id);
        self.shared.scan(after, limit, fetch, (fresh, hidden))
    }

    fn did(&self, event: &EventId, after: Option<&Did>, limit: usize) -> Result<Vec<Did>, Error> {
        let fetch = |reader: &Reader<'_>, after: Option<Did>, limit| {
            tables::did(reader, event, after.as_ref(), limit)
        };
        let fresh = |overlay: &Overlay| overlay.events.did(event, after).take(limit).collect();
        self.shared.scan(after, limit, fetch, (fresh, |_, _| false))
    }

    fn inbox(&self, after: Option<&MessageId>, limit: usize) -> Result<Vec<Arc<Message>>, Error> {
        let fetch = |reader: &Reader<'_>, after: Option<Arc<Message>>, limit| {
            tables::inbox(reader, after.as_ref().map(|message| &message.id), limit)
        };
        let fresh =
            |overlay: &Overlay| overlay.inbox.messages(after).take(limit).map(Arc::clone).collect();
        let hidden =
            |overlay: &Overlay, message: &Arc<Message>| overlay.inbox.tells_of(&message.id);
        // A cursor is of the order of messages; what this one says does not matter.
        let after = after.map(|id| Arc::new(Message { id: *id, body: "".into() }));
        self.shared.scan(after.as_ref(), limit, fetch, (fresh, hidden))
    }

    fn purge_events(&self, retention: EventRetention, limit: usize) -> Result<usize, Error> {
        let shared = &*self.shared;
        shared.check_poison()?;
        // What was said of an event lately may be in the log only.
        let head = shared.overlay().head;
        shared.fold_to(head)?;
        let mut purged = 0;
        while purged < limit {
            let wanted = (limit - purged).min(PURGE_SLICE);
            let mut writer = guard(&shared.tables.writer);
            let done = tables::purge_events(&mut writer, retention, wanted)?;
            purged += done;
            if done < wanted {
                break;
            }
        }
        Ok(purged)
    }

    fn purge(&self, retention: &RunRetention, limit: usize) -> Result<usize, Error> {
        let shared = &*self.shared;
        shared.check_poison()?;
        // Runs that ended lately may be in the log only.
        let head = shared.overlay().head;
        shared.fold_to(head)?;
        let mut purged = 0;
        while purged < limit {
            let mut writer = guard(&shared.tables.writer);
            let wanted = (limit - purged).min(PURGE_SLICE);
            let mut runs = tables::expired(&writer, retention, wanted)?;
            let found = runs.len();
            {
                let overlay = shared.overlay();
                runs.retain(|run| !overlay.holds(*run));
            }
            if runs.is_empty() {
                break;
            }
            tables::delete_runs(&mut writer, &runs)?;
            purged += runs.len();
            if found < wanted {
                break;
            }
        }
        Ok(purged)
    }

    fn delete(&self, namespace: &str, run: RunId) -> Result<Deletion, Error> {
        let shared = &*self.shared;
        shared.check_poison()?;
        // What was written of it lately may be in the log only, and would come back from there.
        if shared.overlay().holds(run) {
            let head = shared.overlay().head;
            shared.fold_to(head)?;
        }
        let deletion = shared.delete_folded(namespace, run)?;
        if deletion != Deletion::Early {
            return Ok(deletion);
        }
        // That its events are done may be in the log only as well, and so is what was written meanwhile.
        let head = shared.overlay().head;
        shared.fold_to(head)?;
        shared.delete_folded(namespace, run)
    }

    fn high_water(&self) -> Result<Timestamp, Error> {
        self.shared.check_poison()?;
        Ok(self.shared.overlay().high_water)
    }

    fn health(&self) -> Health {
        self.shared.health()
    }

    fn in_folder(&self) -> Option<&dyn InFolder> {
        Some(self)
    }
}

/// A row of a run.
trait OfRun: Ord + Clone {
    fn run(&self) -> RunId;
}

impl OfRun for RunId {
    fn run(&self) -> RunId {
        *self
    }
}

impl OfRun for (Timestamp, RunId) {
    fn run(&self) -> RunId {
        self.1
    }
}

impl OfRun for Wait {
    fn run(&self) -> RunId {
        self.run
    }
}

impl<D: Disk> Shared<D> {
    /// Asks the tables once they hold everything that is durable now, or patience is over. Says of which
    /// position the answer is, and whether that is behind.
    fn patiently<T>(
        &self,
        patience: Duration,
        ask: impl Fn(&Reader<'_>) -> Result<T, Error>,
    ) -> Result<(T, Position, bool), Error> {
        self.check_poison()?;
        let wanted = self.overlay().head;
        self.await_fold(wanted, patience)?;
        let reader = self.reader()?;
        let snapshot = reader.unchecked_transaction().map_err(|e| tables::failed(&e))?;
        let position = tables::position(&reader)?;
        let answer = ask(&reader)?;
        drop(snapshot);
        Ok((answer, Position(position), position < wanted))
    }

    /// Reads rows of runs, in tables and overlay as one: a run's rows in the overlay hide those in
    /// the tables. Runs that are quarantined are left out.
    fn scan_runs<T: OfRun>(
        &self,
        after: Option<&T>,
        limit: usize,
        fetch: impl Fn(&Reader<'_>, Option<T>, usize) -> Result<Vec<T>, Error>,
        fresh: impl Fn(&Rows, &dyn Fn(&T) -> bool) -> Vec<T>,
    ) -> Result<Vec<T>, Error> {
        let quarantined = guard(&self.quarantined).clone();
        let open = |one: &T| quarantined.is_empty() || !quarantined.contains(&one.run());
        let hidden = |overlay: &Overlay, one: &T| !open(one) || overlay.rows.contains(one.run());
        self.scan(after, limit, fetch, (|overlay: &Overlay| fresh(&overlay.rows, &open), hidden))
    }

    /// Reads tables and overlay as one, in order: what the overlay has, and what the tables have
    /// unless the overlay hides it.
    fn scan<T: Ord + Clone>(
        &self,
        after: Option<&T>,
        limit: usize,
        fetch: impl Fn(&Reader<'_>, Option<T>, usize) -> Result<Vec<T>, Error>,
        overlay: (impl Fn(&Overlay) -> Vec<T>, impl Fn(&Overlay, &T) -> bool),
    ) -> Result<Vec<T>, Error> {
        let (fresh, hidden) = overlay;
        let reader = self.reader()?;
        let _gate = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        let mut stored: Vec<T> = Vec::new();
        loop {
            // More with each turn, since all that was read so far may be hidden.
            let wanted = limit.max(stored.len()).max(16);
            let page = fetch(&reader, stored.last().or(after).cloned(), wanted)?;
            let last_page = page.len() < wanted;
            stored.extend(page);
            let overlay = self.overlay();
            let visible = |one: &&T| !hidden(&overlay, one);
            let mut found: Vec<T> = stored.iter().filter(visible).take(limit).cloned().collect();
            if found.len() == limit || last_page {
                found.extend(fresh(&overlay));
                drop(overlay);
                found.sort_unstable();
                // The overlay may say again what the tables know.
                found.dedup();
                found.truncate(limit);
                return Ok(found);
            }
        }
    }

    fn delete_folded(&self, namespace: &str, run: RunId) -> Result<Deletion, Error> {
        let mut writer = guard(&self.tables.writer);
        if self.overlay().holds(run) {
            // Somebody wrote of it meanwhile.
            return Ok(Deletion::Early);
        }
        tables::delete_run(&mut writer, namespace, run)
    }
}

fn queue_of(workflow: &Workflow) -> Queue {
    Queue {
        namespace: Arc::clone(&workflow.namespace),
        app: Arc::clone(&workflow.app),
        workflow: Arc::clone(&workflow.name),
    }
}
