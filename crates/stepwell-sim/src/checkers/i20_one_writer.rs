//! I20: where several nodes share a database, a journal is written by the one member that the run belongs
//! to. Nothing of who has ended, or whose lease had run out as it asked, becomes durable; a run or event
//! passes to another member only once it was released, or its member has ended.

use std::collections::{BTreeMap, BTreeSet};

use stepwell_core::id::RunId;
use stepwell_store::event::Place;
use stepwell_store::memory::Seen;
use stepwell_store::shared::MemberId;

use super::all::Found;
use super::story::Story;
use crate::history::Fact;

/// What belongs to whom.
#[derive(Default)]
struct So<'a> {
    ended: BTreeSet<MemberId>,
    owners: BTreeMap<RunId, MemberId>,
    routers: BTreeMap<&'a Place, MemberId>,
    heads: BTreeMap<MemberId, u64>,
}

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    let mut so = So::default();
    for (at, fact) in story.facts {
        if let Fact::Seen(seen) = fact {
            for what in so.note(seen) {
                found.add(*at, what);
            }
        }
    }
}

impl<'a> So<'a> {
    /// Notes what happened; returns what must not be.
    fn note(&mut self, seen: &'a Seen) -> Vec<String> {
        match seen {
            Seen::Joined { .. } => Vec::new(),
            Seen::Ended(member) => {
                self.ended.insert(*member);
                Vec::new()
            }
            Seen::Committed { member, n, runs, checked, until } => {
                let mut wrong = Vec::new();
                if self.ended.contains(member) {
                    wrong.push(format!("batch {n} of {member:?} was written, which has ended"));
                }
                if checked >= until {
                    wrong.push(format!(
                        "batch {n} of {member:?} was taken at {checked}, its lease ran until {until}"
                    ));
                }
                let before = self.heads.insert(*member, *n).unwrap_or(0);
                if before + 1 != *n {
                    wrong.push(format!("batch {n} of {member:?} is behind batch {before}"));
                }
                for run in runs {
                    let owner = self.owners.insert(*run, *member);
                    if owner.is_some_and(|owner| owner != *member) {
                        wrong.push(format!("{run} is of {owner:?}, and {member:?} wrote of it"));
                    }
                }
                wrong
            }
            Seen::Claimed(member, run) => {
                let owner = self.owners.insert(*run, *member);
                let other = owner.filter(|owner| owner != member);
                let taken = other.map(|other| format!("{member:?} claimed {run} of {other:?}"));
                taken.into_iter().chain(self.is_over(*member, "claimed a run")).collect()
            }
            Seen::Released(member, run) => {
                let owner = self.owners.remove(run);
                let other = owner.filter(|owner| owner != member);
                let wrong = other.map(|other| format!("{member:?} released {run} of {other:?}"));
                wrong.into_iter().collect()
            }
            Seen::Freed(member, run) => {
                self.owners.remove(run);
                self.is_there(*member, "a run")
            }
            Seen::Routes(member, place) => {
                let router = self.routers.insert(place, *member);
                let other = router.filter(|router| router != member);
                let id = &place.id.id;
                let wrong = other.map(|other| format!("{member:?} routes {id} of {other:?}"));
                wrong.into_iter().chain(self.is_over(*member, "claimed an event")).collect()
            }
            Seen::Unrouted(_, place) => {
                self.routers.remove(place);
                Vec::new()
            }
        }
    }

    fn is_over(&self, member: MemberId, did: &str) -> Option<String> {
        let over = self.ended.contains(&member);
        over.then(|| format!("{member:?} {did}, and has ended"))
    }

    fn is_there(&self, member: MemberId, what: &str) -> Vec<String> {
        if self.ended.contains(&member) {
            return Vec::new();
        }
        vec![format!("{what} of {member:?} was taken over, which has not ended")]
    }
}

#[cfg(test)]
mod tests {
    use stepwell_core::time::Timestamp;

    use super::super::all::run;
    use super::super::testing::World;
    use super::*;

    const A: MemberId = MemberId(1);
    const B: MemberId = MemberId(2);
    const RUN: RunId = RunId::from_u128(7);

    fn committed(member: MemberId, n: u64) -> Seen {
        let (checked, until) = (Timestamp::from_millis(5), Timestamp::from_millis(9));
        Seen::Committed { member, n, runs: vec![RUN], checked, until }
    }

    fn found(seen: &[Seen]) -> Vec<String> {
        let mut world = World::whole();
        for one in seen {
            world.add(Fact::Seen(one.clone()));
        }
        run(check, &world.history)
    }

    #[test]
    fn a_run_that_passes_from_one_to_the_other_passes() {
        let passes = [
            committed(A, 1),
            Seen::Released(A, RUN),
            Seen::Claimed(B, RUN),
            committed(B, 1),
            Seen::Ended(B),
            Seen::Freed(B, RUN),
            Seen::Claimed(A, RUN),
            committed(A, 2),
        ];
        assert_eq!(found(&passes), [""; 0]);
    }

    #[test]
    fn what_is_written_by_others_or_too_late_is_refused() {
        let late = Timestamp::from_millis(9);
        let stale = Seen::Committed { member: A, n: 1, runs: vec![], checked: late, until: late };
        for (seen, expected) in [
            (vec![Seen::Ended(A), committed(A, 1)], "which has ended"),
            (vec![stale], "its lease ran until"),
            (vec![committed(A, 2)], "is behind batch 0"),
            (vec![committed(A, 1), committed(B, 1)], "wrote of it"),
            (vec![committed(A, 1), Seen::Claimed(B, RUN)], "claimed run_"),
            (vec![committed(A, 1), Seen::Freed(A, RUN)], "which has not ended"),
        ] {
            let found = found(&seen);
            assert!(found.iter().any(|what| what.contains(expected)), "{expected}: {found:?}");
        }
    }
}
