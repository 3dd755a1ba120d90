//! What members tell each other: mail, answers, workflows, runners.

use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::planted::{self, Plant};
use stepwell_core::time::Timestamp;

use super::tables::{Tables, Who};
use crate::batch::Workflow;
use crate::error::Error;
use crate::inbox::{Message, MessageId};
use crate::query::Queue;
use crate::shared::{Answer, MemberId, Presence};
use crate::store::Store;

impl Tables {
    pub(super) fn mail(
        &self,
        who: Who,
        after: Option<&MessageId>,
        limit: usize,
    ) -> Vec<Arc<Message>> {
        let mine = |run| match self.owners.get(&run) {
            Some(owner) => *owner == who.member,
            None => !planted::has(Plant::MailHidden),
        };
        self.store.mail_of(after, mine, limit)
    }

    pub(super) fn answers(&self, asks: &[RunId]) -> Vec<Answer> {
        let given = asks.iter().filter_map(|ask| self.answers.get(ask));
        given.map(|(_, answer)| answer.clone()).collect()
    }

    pub(super) fn tidy(&mut self, until: Timestamp, limit: usize) -> usize {
        let old = self.answers.iter().filter(|(_, (at, _))| *at < until);
        let old: Vec<_> = old.map(|(ask, _)| *ask).take(limit).collect();
        for ask in &old {
            self.answers.remove(ask);
        }
        old.len()
    }

    pub(super) fn over(&self, runs: &[RunId]) -> Vec<RunId> {
        let over = |run: &RunId| self.store.row(*run).is_none_or(|row| row.ended_at.is_some());
        runs.iter().copied().filter(over).collect()
    }

    pub(super) fn registered(&self, since: u64) -> Result<(u64, Vec<Workflow>), Error> {
        let version = |workflow: &Workflow| {
            let Workflow { namespace, app, name, .. } = workflow;
            let queue =
                Queue { namespace: namespace.clone(), app: app.clone(), workflow: name.clone() };
            self.versions.get(&queue).copied().unwrap_or_default()
        };
        let all = self.store.workflows()?;
        let new = all.into_iter().filter(|workflow| version(workflow) > since).collect();
        Ok((self.version, new))
    }

    /// Says who is connected to a member; returns the instances that are elsewhere by now.
    pub(super) fn meet(
        &mut self,
        who: Who,
        now: Timestamp,
        runners: Vec<Presence>,
    ) -> Result<Vec<Arc<str>>, Error> {
        self.fence(who, now)?.runners = runners;
        let all = self.runners(now);
        let moved = |mine: &&(MemberId, Presence)| {
            let newer = |one: &(MemberId, Presence)| {
                let (here, there) = (&mine.1, &one.1);
                let same = (&here.namespace, &here.app, &here.name, &here.instance)
                    == (&there.namespace, &there.app, &there.name, &there.instance);
                same && (there.since, one.0) > (here.since, mine.0)
            };
            mine.0 == who.member && all.iter().any(newer)
        };
        Ok(all.iter().filter(moved).map(|(_, mine)| Arc::clone(&mine.instance)).collect())
    }

    pub(super) fn runners(&self, now: Timestamp) -> Vec<(MemberId, Presence)> {
        let there = self.members.iter().filter(|(_, row)| row.lives(now));
        let each = there.flat_map(|(id, row)| row.runners.iter().map(|one| (*id, one.clone())));
        let mut all: Vec<_> = each.collect();
        let order = |(id, one): &(MemberId, Presence)| {
            let Presence { namespace, app, name, instance, .. } = one;
            (namespace.clone(), app.clone(), name.clone(), instance.clone(), *id)
        };
        all.sort_by_key(order);
        all
    }
}
