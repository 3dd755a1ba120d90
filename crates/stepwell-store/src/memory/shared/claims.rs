//! Claims.

use stepwell_core::id::RunId;
use stepwell_core::planted::{self, Plant};
use stepwell_core::time::Timestamp;

use super::seen::Seen;
use super::tables::{Tables, Who};
use crate::error::Error;
use crate::event::Place;
use crate::query::Queue;
use crate::shared::{Claim, Crew, MemberId, Needs};
use crate::store::Store;

impl Tables {
    pub(super) fn claim(&mut self, who: Who, runs: &[RunId]) -> Result<Vec<Claim>, Error> {
        runs.iter().map(|run| self.claim_one(who, *run)).collect()
    }

    fn claim_one(&mut self, who: Who, run: RunId) -> Result<Claim, Error> {
        let other = self.owners.get(&run).is_some_and(|owner| *owner != who.member);
        if other && !planted::has(Plant::ClaimUnchecked) {
            return Ok(Claim::Elsewhere);
        }
        let Some(journal) = self.store.load(run)? else { return Ok(Claim::Missing) };
        self.own(who, run);
        Ok(Claim::Mine { journal, away: self.away.get(&run).copied() })
    }

    pub(super) fn claim_due(&mut self, who: Who, until: Timestamp, limit: usize) -> Vec<RunId> {
        let any = planted::has(Plant::DueUnchecked);
        let mut due = self.store.due_of(until, |run| any || self.is_free(run), usize::MAX);
        let away =
            self.away.iter().filter(|(run, away)| away.until <= until && self.is_free(**run));
        due.extend(away.map(|(run, away)| (away.until, *run)));
        due.sort_unstable();
        let mut claimed = Vec::new();
        for (_, run) in due {
            if claimed.len() == limit {
                break;
            }
            // Of a run that is due for both reasons the first counts.
            if self.is_free(run) || any && !claimed.contains(&run) {
                self.own(who, run);
                claimed.push(run);
            }
        }
        claimed
    }

    pub(super) fn claim_ready(
        &mut self,
        who: Who,
        queue: &Queue,
        crew: &Crew,
        limit: usize,
    ) -> Vec<(Timestamp, RunId)> {
        let wanted = |since: Timestamp, run: RunId| {
            let needs = self.needs.get(&run);
            self.is_free(run) && needs.is_none_or(|needs| gives(crew, needs, since))
        };
        let ready = self.store.ready_of(queue, wanted, limit);
        for (_, run) in &ready {
            self.own(who, *run);
        }
        ready
    }

    pub(super) fn claim_unrouted(&mut self, who: Who, limit: usize) -> Vec<Place> {
        let others = planted::has(Plant::RoutesTwice);
        let is_free = |place: &Place| match self.routers.get(place) {
            Some(router) => others && *router != who.member,
            None => true,
        };
        let free = self.store.unrouted_of(is_free, limit);
        for place in &free {
            self.route(who.member, place.clone());
        }
        free
    }

    fn own(&mut self, who: Who, run: RunId) {
        self.owners.insert(run, who.member);
        self.note(|| Seen::Claimed(who.member, run));
    }

    pub(super) fn route(&mut self, member: MemberId, place: Place) {
        self.routers.insert(place.clone(), member);
        self.note(|| Seen::Routes(member, place));
    }
}

/// Tells whether a crew has what a run needs that has waited since an instant.
fn gives(crew: &Crew, needs: &Needs, since: Timestamp) -> bool {
    let named = needs.runner.as_ref().is_none_or(|name| crew.names.contains(name));
    let built = needs.shuns.as_ref().is_none_or(|shunned| {
        since < crew.unshunned || crew.builds.iter().any(|build| build != shunned)
    });
    named && built
}
