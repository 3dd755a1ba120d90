//! What a store must answer, found by looking at everything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::matching::Leaves;
use stepwell_core::status::RunStatus;
use stepwell_core::summary::Summary;
use stepwell_core::time::Timestamp;
use stepwell_core::wait::Wait;

use crate::batch::{Batch, Workflow};
use crate::event::{Did, Event, EventId, EventRetention, EventWrite, Known, Place};
use crate::inbox::{InboxWrite, Message, MessageId};
use crate::query::{Cursor, EndsAsk, EventList, EventName, Filter, Key, Minute, Queue};
use crate::retention::Deletion;

/// All that was written, without any index.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) runs: BTreeMap<RunId, (Summary, Vec<u8>)>,
    /// Runs whose stored history is damaged: in lists, and in no queue.
    pub(super) quarantined: BTreeSet<RunId>,
    workflows: Vec<Workflow>,
    pub(super) waits: BTreeMap<RunId, Vec<Wait>>,
    pub(super) events: BTreeMap<EventId, Known>,
    did: BTreeMap<EventId, BTreeSet<Did>>,
    pub(super) inbox: BTreeMap<MessageId, Arc<Message>>,
    pub(super) high_water: Option<Timestamp>,
}

impl Model {
    pub(super) fn apply(&mut self, batch: &Batch) {
        for write in &batch.runs {
            let run = self.runs.entry(write.run);
            let (row, journal) = run.or_insert_with(|| (write.summary.clone(), Vec::new()));
            *row = write.summary.clone();
            journal.extend_from_slice(&write.records);
            self.waits.insert(write.run, write.waits.to_vec());
        }
        batch.events.iter().for_each(|write| self.hear(write));
        for write in InboxWrite::all_of(batch) {
            match write {
                InboxWrite::Sent(message) => drop(self.inbox.insert(message.id, message)),
                InboxWrite::Consumed(id) => drop(self.inbox.remove(&id)),
            }
        }
        for new in &batch.workflows {
            let same = |one: &Workflow| {
                (&one.namespace, &one.app, &one.name) == (&new.namespace, &new.app, &new.name)
            };
            self.workflows.retain(|one| !same(one));
            self.workflows.push(new.clone());
        }
        self.workflows.sort();
        self.high_water = self.high_water.max(Some(batch.at));
    }

    fn hear(&mut self, write: &EventWrite) {
        match write {
            EventWrite::Accepted(event) => {
                let known = Known { event: Arc::clone(event), routed: false, kept: true };
                self.events.insert(event.id.clone(), known);
            }
            EventWrite::Did(event, did) => {
                self.did.entry(event.clone()).or_default().extend(did.iter().cloned());
            }
            EventWrite::Routed(event) => {
                if let Some(known) = self.events.get_mut(event) {
                    known.routed = true;
                }
            }
        }
    }

    pub(super) fn events_list(&self, list: &EventList) -> Vec<Place> {
        let of = |known: &&Known| {
            let event = &known.event;
            event.id.namespace == list.namespace
                && list.name.as_ref().is_none_or(|name| *name == event.name)
                && event.accepted_at >= list.from
        };
        let kept = self.events.values().filter(|known| known.kept);
        let mut places = sorted(kept.filter(of).map(|known| known.event.place()));
        if list.newest {
            places.reverse();
        }
        places
    }

    /// Looks at runs that ended, the last first, and puts them into their minutes.
    pub(super) fn ends(&self, ask: &EndsAsk) -> Vec<Minute> {
        let place = |at: Timestamp| (at.as_micros() - ask.from.as_micros()).div_euclid(60_000_000);
        let minutes = i64::from(ask.minutes);
        let ended = self.rows().filter_map(|row| Some((row.ended_at?, row.id, row)));
        let within = ended.filter(|(at, ..)| (0..minutes).contains(&place(*at)));
        let mut ended: Vec<_> = within.collect();
        ended.sort_by_key(|(at, id, _)| (*at, *id));
        ended.reverse();
        let cut = ended.get(ask.looked).map(|(at, ..)| place(*at));
        let seen: Vec<_> = ended.into_iter().take(ask.looked).collect();
        let of = |row: &Summary| {
            row.namespace == ask.namespace
                && ask.app.as_ref().is_none_or(|app| *app == row.app)
                && ask.workflow.as_ref().is_none_or(|one| *one == row.workflow)
        };
        let minute = |number: i64| {
            let rows = seen.iter().filter(|(at, _, row)| place(*at) == number && of(row));
            let bad = |row: &Summary| matches!(row.status, RunStatus::Failed | RunStatus::TimedOut);
            let failed = rows.clone().filter(|(.., row)| bad(row)).count() as u64;
            let or_more = cut.is_some_and(|cut| number <= cut);
            Minute { ended: rows.count() as u64, failed, or_more }
        };
        (0..minutes).map(minute).collect()
    }

    pub(super) fn ended(
        &self,
        until: Timestamp,
        after: Cursor,
        limit: usize,
    ) -> Vec<(Timestamp, RunId)> {
        let ended = self.rows().filter_map(|row| Some((row.ended_at?, row.id)));
        let mut ended: Vec<_> = ended.filter(|one| one.0 < until && Some(*one) > after).collect();
        ended.sort_unstable();
        ended.truncate(limit);
        ended
    }

    pub(super) fn unrouted(&self) -> Vec<Place> {
        let open = self.events.values().filter(|known| !known.routed);
        sorted(open.map(|known| known.event.place()))
    }

    pub(super) fn did(&self, event: &EventId) -> Vec<Did> {
        self.did.get(event).into_iter().flatten().cloned().collect()
    }

    pub(super) fn purge_events(&mut self, retention: EventRetention, limit: usize) -> usize {
        let EventRetention { kept_from, known_from } = retention;
        let known = self.events.values().filter(|known| {
            let at = known.event.accepted_at;
            known.routed && at < kept_from && (known.kept || at < known_from)
        });
        let mut old = sorted(known.map(|known| known.event.place()));
        old.truncate(limit);
        for place in &old {
            self.did.remove(&place.id);
            if place.accepted_at < known_from {
                self.events.remove(&place.id);
            } else if let Some(known) = self.events.get_mut(&place.id) {
                let event = Event { data: None, offer: None, ..(*known.event).clone() };
                *known = Known { event: Arc::new(event), kept: false, routed: true };
            }
        }
        old.len()
    }

    pub(super) fn due(&self, until: Timestamp, after: Cursor) -> Vec<(Timestamp, RunId)> {
        let rows = self.open(self.rows()).filter_map(|row| Some((row.timer_at?, row.id)));
        sorted(rows.filter(|one| one.0 <= until && Some(*one) > after))
    }

    pub(super) fn ready(&self, queue: &Queue, after: Cursor) -> Vec<(Timestamp, RunId)> {
        let rows = self.open(self.of(queue)).filter_map(|row| Some((row.ready_since?, row.id)));
        sorted(rows.filter(|one| Some(*one) > after))
    }

    pub(super) fn active(&self, after: Option<RunId>) -> Vec<RunId> {
        let rows = self.open(self.rows()).filter(|row| row.active).map(|row| row.id);
        sorted(rows.filter(|id| Some(*id) > after))
    }

    pub(super) fn blocked(&self, queue: &Queue, after: Option<RunId>) -> Vec<RunId> {
        let rows = self.open(self.of(queue)).filter(|row| row.blocked.is_some()).map(|row| row.id);
        sorted(rows.filter(|id| Some(*id) > after))
    }

    pub(super) fn key(&self, key: &Key) -> Option<RunId> {
        self.of(&key.queue).find(|row| row.key.as_ref() == Some(&key.key)).map(|row| row.id)
    }

    pub(super) fn workflows(&self) -> Vec<Workflow> {
        self.workflows.clone()
    }

    pub(super) fn waits_for(&self, event: &EventName, leaves: &Leaves) -> Vec<Wait> {
        let under = |wait: &&Wait| match leaves {
            Leaves::All => true,
            Leaves::Each(leaves) => leaves.contains(&wait.leaf),
        };
        let of = |wait: &&Wait| (&wait.namespace, &wait.event) == (&event.namespace, &event.name);
        sorted(self.waits.values().flatten().filter(of).filter(under).cloned())
    }

    pub(super) fn list(&self, filter: &Filter) -> (Vec<Summary>, bool) {
        let wanted = |row: &&Summary| {
            let namespace = row.namespace == filter.namespace;
            let app = filter.app.as_ref().is_none_or(|app| *app == row.app);
            let workflow = filter.workflow.as_ref().is_none_or(|one| *one == row.workflow);
            let status = filter.statuses.is_empty() || filter.statuses.contains(&row.status);
            let key = filter.key.is_none() || filter.key == row.key;
            let parent = filter.parent.is_none_or(|parent| row.parent == Some(parent));
            let from = filter.from.is_none_or(|from| from <= row.created_at);
            let to = filter.to.is_none_or(|to| row.created_at < to);
            let before = filter.before.is_none_or(|before| row.id < before);
            let search = filter.search.iter().all(|term| term.matches(&row.search));
            let text = filter.text.as_ref().is_none_or(|text| {
                let values = row.search.values().map(stepwell_core::search::to_json);
                let error =
                    row.error.iter().map(|error| format!("{}\0{}", error.name, error.message));
                let own = format!("{}\0{:?}\0{:?}\0{}", row.workflow, row.key, row.blocked, row.id);
                values.chain(error).chain([own]).any(|one| text.is_in(&one))
            });
            let id = filter.id.is_none_or(|part| part.matches(row.id));
            namespace
                && app
                && workflow
                && status
                && key
                && parent
                && from
                && to
                && before
                && search
                && text
                && id
        };
        let mut rows: Vec<_> = self.rows().filter(wanted).cloned().collect();
        rows.reverse();
        let limit = filter.limit.max(1);
        let more = rows.len() > limit;
        rows.truncate(limit);
        (rows, more)
    }

    pub(super) fn forget(&mut self, runs: &[RunId]) {
        self.runs.retain(|id, _| !runs.contains(id));
        self.waits.retain(|id, _| !runs.contains(id));
    }

    /// What must become of a run that is to be deleted; what it heard of is given by the caller.
    pub(super) fn delete(&mut self, namespace: &str, run: RunId, heard: &[EventId]) -> Deletion {
        let Some((row, _)) = self.runs.get(&run).filter(|(row, _)| *row.namespace == *namespace)
        else {
            return Deletion::Unknown;
        };
        if row.ended_at.is_none() {
            return Deletion::Open(row.status);
        }
        let open = |id: &EventId| self.events.get(id).is_some_and(|known| !known.routed);
        if !self.quarantined.contains(&run) {
            if heard.iter().any(open) {
                return Deletion::Early;
            }
            for id in heard {
                self.did.entry(id.clone()).or_default().retain(|did| did.run != run);
            }
        }
        self.quarantined.remove(&run);
        self.forget(&[run]);
        Deletion::Done
    }

    pub(super) fn queues(&self) -> Vec<Queue> {
        let mut queues: Vec<_> = self.rows().map(crate::rows::queue_of).collect();
        queues.sort();
        queues.dedup();
        queues
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &Summary> {
        self.runs.values().map(|(row, _)| row)
    }

    fn open<'a>(
        &'a self,
        rows: impl Iterator<Item = &'a Summary>,
    ) -> impl Iterator<Item = &'a Summary> {
        rows.filter(|row| !self.quarantined.contains(&row.id))
    }

    fn of(&self, queue: &Queue) -> impl Iterator<Item = &Summary> {
        self.rows().filter(move |row| {
            row.namespace == queue.namespace
                && row.app == queue.app
                && row.workflow == queue.workflow
        })
    }
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.sort();
    items
}
