//! Commits.

use std::borrow::Cow;
use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::planted::{self, Plant};
use stepwell_core::time::Timestamp;

use super::seen::Seen;
use super::tables::{Tables, Who};
use crate::batch::{Batch, RunWrite};
use crate::error::Error;
use crate::event::EventWrite;
use crate::query::Queue;
use crate::rows::key_of;
use crate::shared::MemberId;
use crate::store::{Position, Store};

/// Why a commit is not made.
pub(super) enum Refusal {
    /// The store says so.
    Store(Error),
    /// It writes of a run that is not the member's: the node has a fault.
    Stray(RunId),
}

/// Tells whether a write brings the whole journal of its run.
fn is_new(write: &RunWrite) -> bool {
    write.summary.journal_bytes == write.records.len() as u64
}

impl Tables {
    /// Makes the `n`-th batch of a member durable.
    pub(super) fn commit(
        &mut self,
        who: Who,
        (now, checked): (Timestamp, Timestamp),
        n: u64,
        batch: &Batch,
    ) -> Result<Position, Refusal> {
        let head = self.members.get(&who.member).map(|row| row.head);
        if head.is_none_or(|head| head + 1 != n) && !planted::has(Plant::LossUnseen) {
            return Err(Refusal::Store(Error::Fenced));
        }
        for write in &batch.runs {
            self.admit(who, write, batch.grows)?;
        }
        let batch = self.without_known(who, batch).map_err(Refusal::Store)?;
        let position = self.store.commit(&batch).map_err(Refusal::Store)?;
        if let Some(row) = self.members.get_mut(&who.member) {
            row.head = n;
        }
        let until = self.members.get(&who.member).map_or(Timestamp::MIN, |row| row.until);
        let runs = || batch.runs.iter().map(|write| write.run).collect();
        let member = who.member;
        self.note(|| Seen::Committed { member, n, runs: runs(), checked, until });
        self.share(who, now, &batch);
        Ok(position)
    }

    /// Lets a write pass that is of a new run, or of one of the member's.
    fn admit(&self, who: Who, write: &RunWrite, grows: bool) -> Result<(), Refusal> {
        let contended = |what: String| Err(Refusal::Store(Error::Contended(what)));
        let stored = self.store.row(write.run).is_some();
        if !is_new(write) {
            let mine = self.owners.get(&write.run) == Some(&who.member);
            return if stored && mine { Ok(()) } else { Err(Refusal::Stray(write.run)) };
        }
        if stored {
            return contended(format!("the run {}", write.run));
        }
        // A run that goes on with another one has its key too, which finds the first.
        match key_of(&write.summary).filter(|_| grows) {
            Some(key) if self.keys.contains_key(&key) && !planted::has(Plant::KeyUnchecked) => {
                contended(format!("the key {:?} of the workflow {:?}", key.key, key.queue.workflow))
            }
            _ => Ok(()),
        }
    }

    /// Leaves out events that are known, and what ends the routing of events that others route.
    fn without_known<'a>(&self, who: Who, batch: &'a Batch) -> Result<Cow<'a, Batch>, Error> {
        let mut news = Vec::new();
        for write in &batch.events {
            match write {
                EventWrite::Accepted(event) if self.store.event(&event.id)?.is_some() => {
                    if batch.grows {
                        return Err(Error::Contended(format!("the event {:?}", event.id.id)));
                    }
                }
                EventWrite::Routed(id) => {
                    let known = self.store.event(id)?;
                    let router = known.and_then(|known| self.routers.get(&known.event.place()));
                    if router.is_none_or(|router| *router == who.member) {
                        news.push(write.clone());
                    }
                }
                EventWrite::Accepted(_) | EventWrite::Did(..) => news.push(write.clone()),
            }
        }
        if news.len() == batch.events.len() {
            return Ok(Cow::Borrowed(batch));
        }
        Ok(Cow::Owned(Batch { events: news, ..batch.clone() }))
    }

    /// Writes down what a batch that is stored says to others.
    fn share(&mut self, who: Who, now: Timestamp, batch: &Batch) {
        for write in &batch.runs {
            self.owners.insert(write.run, who.member);
            self.needs.remove(&write.run);
            if let Some(key) = key_of(&write.summary).filter(|_| is_new(write)) {
                self.keys.entry(key).or_insert(write.run);
            }
        }
        let needs = batch.share.needs.iter().cloned();
        self.needs.extend(needs.map(|needs| (needs.run, needs)));
        self.share_events(who.member, batch);
        for release in &batch.share.released {
            if self.owners.get(&release.run) != Some(&who.member) {
                continue;
            }
            self.owners.remove(&release.run);
            self.note(|| Seen::Released(who.member, release.run));
            match release.away {
                Some(away) => drop(self.away.insert(release.run, away)),
                None => drop(self.away.remove(&release.run)),
            }
        }
        for answer in &batch.share.answers {
            self.answers.entry(answer.ask).or_insert_with(|| (now, answer.clone()));
        }
        if !batch.workflows.is_empty() {
            self.version += 1;
        }
        for workflow in &batch.workflows {
            let queue = Queue {
                namespace: Arc::clone(&workflow.namespace),
                app: Arc::clone(&workflow.app),
                workflow: Arc::clone(&workflow.name),
            };
            self.versions.insert(queue, self.version);
        }
    }

    fn share_events(&mut self, member: MemberId, batch: &Batch) {
        for write in &batch.events {
            match write {
                EventWrite::Accepted(event) => self.route(member, event.place()),
                EventWrite::Routed(id) => {
                    if let Ok(Some(known)) = self.store.event(id) {
                        self.routers.remove(&known.event.place());
                    }
                }
                EventWrite::Did(..) => {}
            }
        }
        for place in &batch.share.unrouted {
            if self.routers.get(place) == Some(&member) {
                self.routers.remove(place);
                self.note(|| Seen::Unrouted(member, place.clone()));
            }
        }
    }
}
