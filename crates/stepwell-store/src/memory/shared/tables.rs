//! What the database keeps: members and what belongs to them; the fence.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::planted::{self, Plant};
use stepwell_core::time::Timestamp;

use super::super::alone::Memory;
use super::seen::Seen;
use crate::error::Error;
use crate::event::Place;
use crate::query::{Key, Queue};
use crate::shared::{Answer, Away, Lease, Member, MemberId, Needs, Presence};

/// Everything that is stored.
#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    /// What a store of one node keeps too.
    pub(super) store: Memory,
    pub(super) members: BTreeMap<MemberId, Row>,
    pub(super) last_member: u64,
    /// Whose a run is; a run that is not in here is free.
    pub(super) owners: BTreeMap<RunId, MemberId>,
    /// The run that each key started. By the instants in their ids it need not be the first: clocks differ.
    pub(super) keys: BTreeMap<Key, RunId>,
    pub(super) away: BTreeMap<RunId, Away>,
    pub(super) needs: BTreeMap<RunId, Needs>,
    /// Who routes an event; one that is not in here is nobody's.
    pub(super) routers: BTreeMap<Place, MemberId>,
    pub(super) answers: BTreeMap<RunId, (Timestamp, Answer)>,
    /// The version of the list of workflows, and that of each one in it.
    pub(super) version: u64,
    pub(super) versions: BTreeMap<Queue, u64>,
    /// What happened since this was asked for last, where anybody asks.
    pub(super) seen: Option<Vec<Seen>>,
}

/// A member.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) node: Arc<str>,
    pub(super) nonce: u64,
    pub(super) since: Timestamp,
    pub(super) until: Timestamp,
    pub(super) ended: bool,
    pub(super) head: u64,
    pub(super) runners: Vec<Presence>,
}

impl Row {
    pub(super) fn lives(&self, now: Timestamp) -> bool {
        !self.ended && self.until > now
    }
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Who {
    pub(super) member: MemberId,
    pub(super) nonce: u64,
}

impl Tables {
    /// Makes a new member.
    pub(super) fn join(&mut self, node: &str, nonce: u64, now: Timestamp, until: Timestamp) -> Who {
        self.last_member += 1;
        let member = MemberId(self.last_member);
        let row = Row {
            node: node.into(),
            nonce,
            since: now,
            until,
            ended: false,
            head: 0,
            runners: Vec::new(),
        };
        self.members.insert(member, row);
        self.note(|| Seen::Joined { member, node: node.to_owned() });
        Who { member, nonce }
    }

    /// Returns the row of who asks, if that is a member now (I20).
    pub(super) fn fence(&mut self, who: Who, now: Timestamp) -> Result<&mut Row, Error> {
        let row = self.members.get_mut(&who.member);
        let lives = |row: &&mut Row| match () {
            () if planted::has(Plant::EndUnchecked) => true,
            () if planted::has(Plant::LeaseUnchecked) => !row.ended,
            () => row.lives(now),
        };
        row.filter(|row| row.nonce == who.nonce).filter(lives).ok_or(Error::Fenced)
    }

    pub(super) fn renew(
        &mut self,
        who: Who,
        now: Timestamp,
        term: Duration,
    ) -> Result<Lease, Error> {
        let row = self.fence(who, now)?;
        row.until = now.after(term);
        Ok(Lease { member: who.member, now, until: row.until })
    }

    /// Ends a member. What is its stays so, until somebody takes it over.
    pub(super) fn end(&mut self, member: MemberId, now: Timestamp) {
        if let Some(row) = self.members.get_mut(&member) {
            let ends = !std::mem::replace(&mut row.ended, true);
            row.until = row.until.min(now);
            row.runners.clear();
            if ends {
                self.note(|| Seen::Ended(member));
            }
        }
    }

    /// Returns the members that are not there any more.
    pub(super) fn gone(&self, now: Timestamp) -> Vec<MemberId> {
        let gone = self.members.iter().filter(|(_, row)| !row.lives(now));
        gone.map(|(member, _)| *member).collect()
    }

    /// Frees what belongs to members that have ended; at most `limit` runs.
    pub(super) fn free(&mut self, now: Timestamp, grant: Duration, limit: usize) -> usize {
        let until = now.after(grant);
        let living = planted::has(Plant::TakenFromLiving);
        let ended = |members: &BTreeMap<MemberId, Row>, member: &MemberId| {
            let gone = |row: &Row| row.ended || living && !row.lives(now);
            members.get(member).is_none_or(gone)
        };
        let members = &self.members;
        let keeps = planted::has(Plant::RoutesForgotten);
        let routed = self.routers.iter().filter(|(_, member)| !keeps && ended(members, member));
        let routed: Vec<_> = routed.map(|(place, member)| (place.clone(), *member)).collect();
        let owned = self.owners.iter().filter(|(_, member)| ended(members, member));
        let freed: Vec<_> = owned.map(|(run, member)| (*run, *member)).take(limit).collect();
        for (place, member) in routed {
            self.routers.remove(&place);
            self.note(|| Seen::Unrouted(member, place));
        }
        for (run, member) in &freed {
            self.note(|| Seen::Freed(*member, *run));
            self.owners.remove(run);
            let held = self.store.row(*run).is_some_and(|row| row.active);
            if held && !planted::has(Plant::HolderForgotten) {
                self.away.insert(*run, Away { until, idle: false });
            } else {
                self.away.remove(run);
            }
        }
        let owners = &self.owners;
        self.members
            .retain(|member, row| !row.ended || owners.values().any(|owner| owner == member));
        freed.len()
    }

    /// Notes what happened, where anybody asks.
    pub(super) fn note(&mut self, seen: impl FnOnce() -> Seen) {
        if let Some(all) = &mut self.seen {
            all.push(seen());
        }
    }

    pub(super) fn is_free(&self, run: RunId) -> bool {
        !self.owners.contains_key(&run)
    }

    /// Forgets what is known of runs that are not stored any more.
    pub(super) fn sweep(&mut self) {
        let store = &self.store;
        let stored = |run: &RunId| store.row(*run).is_some();
        self.owners.retain(|run, _| stored(run));
        self.away.retain(|run, _| stored(run));
        self.needs.retain(|run, _| stored(run));
        self.keys.retain(|_, run| stored(run));
    }

    pub(super) fn list(&self) -> Vec<Member> {
        let runs = |member| self.owners.values().filter(|owner| **owner == member).count();
        let member = |(id, row): (&MemberId, &Row)| Member {
            id: *id,
            node: Arc::clone(&row.node),
            since: row.since,
            until: row.until,
            head: row.head,
            runs: runs(*id) as u64,
        };
        self.members.iter().map(member).collect()
    }
}
