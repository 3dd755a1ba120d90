//! A store that is made of a backup (§4.7, §4.9) has nothing that the original did not have; until somebody lets its
//! runs go nothing is given out and no timer fires, and from then on never again; it takes nothing for its own that the
//! original gave to runners, and gives no run out that a runner may still hold under what the backup has of it.
//!
//! That it has all that was acknowledged before the backup, and that all goes on once it is let go, is judged with the
//! other invariants (`worlds`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::record::{self, Record, StepEnded};
use stepwell_core::status::{RunStatus, StepStatus};

use super::all::Found;
use super::worlds::Facts;
use crate::history::{Fact, Held, ReadBack, Written};

pub(super) fn check(facts: &Facts, found: &mut Found) {
    let mut so = So::default();
    for (at, fact) in facts {
        for what in so.note(fact) {
            found.add(*at, what);
        }
    }
}

/// What is known of the store that is there.
#[derive(Default)]
struct So<'a> {
    read: Option<&'a ReadBack>,
    /// What the original had, until the store that is made of its backup is read.
    original: Option<&'a ReadBack>,
    /// It is made of a backup.
    restored: bool,
    held: bool,
    let_go: bool,
    /// What it gave to runners.
    given: BTreeSet<Held>,
    /// What the backup has of what the original gave.
    void: BTreeMap<RunId, Held>,
    /// Steps that a timer may end.
    timed: BTreeSet<(RunId, Arc<str>)>,
}

impl<'a> So<'a> {
    /// Notes a fact; returns what must not be.
    fn note(&mut self, fact: &'a Fact) -> Vec<String> {
        match fact {
            Fact::ServerLost { .. } => {
                *self = Self { original: self.read, restored: true, ..Self::default() };
            }
            Fact::HeldBack => {
                self.held = true;
                if self.let_go {
                    return vec!["its runs are held back, and were let go".into()];
                }
            }
            Fact::LetGo => (self.held, self.let_go) = (false, true),
            Fact::Down => self.held = false,
            Fact::Read(read) => return self.reads(read),
            Fact::Given { runs, .. } if self.held => {
                return runs.iter().flat_map(|write| self.acts(write)).collect();
            }
            Fact::Gave { held, .. } => {
                self.given.insert(*held);
                if self.held {
                    return vec![format!("{} was given out while runs are held back", held.run)];
                }
            }
            Fact::Resumed { held, .. } if self.restored && !self.given.contains(held) => {
                let (run, epoch) = (held.run, held.epoch);
                return vec![format!("{run}: a runner goes on with the original's epoch {epoch}")];
            }
            Fact::Began { by, held, step, .. } if self.is_over(held) => {
                let run = held.run;
                return vec![format!("{run}: {by:?} began {step}, and the run was given out anew")];
            }
            _ => {}
        }
        Vec::new()
    }

    /// The store is read; the first time it has nothing that the original did not have.
    fn reads(&mut self, read: &'a ReadBack) -> Vec<String> {
        self.read = Some(read);
        let Some(original) = self.original.take() else { return Vec::new() };
        let before: BTreeMap<_, _> =
            original.journals.iter().map(|(run, journal)| (*run, &journal[..])).collect();
        let mut wrong = Vec::new();
        for (run, journal) in &read.journals {
            if !before.get(run).is_some_and(|before| before.starts_with(journal)) {
                wrong.push(format!("{run} is not as the original had it"));
            }
            let mut last = None;
            for record in record::decode(journal).map_while(Result::ok) {
                match record {
                    Record::Activated(r) => {
                        last = Some(Held { run: *run, epoch: r.epoch, nonce: r.nonce });
                    }
                    Record::SleepStarted(r) => {
                        self.timed.insert((*run, Arc::from(&*r.step)));
                    }
                    Record::WaitStarted(r) => {
                        self.timed.insert((*run, Arc::from(&*r.step)));
                    }
                    _ => {}
                }
            }
            if read.active.contains(run) {
                self.void.extend(last.map(|held| (*run, held)));
            }
        }
        wrong
    }

    /// Returns what of a run was done that is not done while runs are held back.
    fn acts(&self, write: &Written) -> Vec<String> {
        let (mut wrong, mut let_on) = (Vec::new(), false);
        for record in record::decode(&write.records).map_while(Result::ok) {
            let what = match record {
                Record::Activated(_) => Some("was given out".to_owned()),
                // A blocked run that is tried again is at once done with what had been due meanwhile.
                Record::Acted(_) | Record::Unblocked(_) => {
                    let_on = true;
                    None
                }
                _ if let_on => None,
                Record::Ending(r) if r.status == RunStatus::TimedOut => Some("timed out".into()),
                Record::StepEnded(r) if self.is_by_timer(write.run, &r) => {
                    Some(format!("is done with {}", r.step))
                }
                _ => None,
            };
            let said = |what| format!("{} {what} while runs are held back", write.run);
            wrong.extend(what.map(said));
        }
        wrong
    }

    fn is_by_timer(&self, run: RunId, end: &StepEnded<'_>) -> bool {
        let ends = matches!(end.status, StepStatus::Completed | StepStatus::TimedOut);
        ends && end.event.is_none() && self.timed.contains(&(run, Arc::from(&*end.step)))
    }

    /// Tells whether an activation is one of the original that the backup has, and the run was given out anew.
    fn is_over(&self, held: &Held) -> bool {
        let (first, last) = (
            Held { epoch: 0, nonce: 0, ..*held },
            Held { epoch: u32::MAX, nonce: u64::MAX, ..*held },
        );
        self.void.get(&held.run) == Some(held) && self.given.range(first..=last).next().is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::all::Found;
    use super::super::testing::{World, journal_of};
    use super::*;
    use crate::clock::Micros;
    use crate::history::{Call, Process};

    fn wrong(world: &World) -> Vec<String> {
        let mut found = Found::default();
        check(&world.history.facts, &mut found);
        found.violations.into_iter().map(|violation| violation.what).collect()
    }

    /// A run that a runner holds, in a store that is made of a backup and held.
    fn held() -> World {
        let mut world = World::begun();
        world.add(Fact::BackupBegun { backup: 1 });
        world.read_again();
        world.add(Fact::ServerLost { backup: 1 });
        world.add(Fact::Down);
        world.open();
        world
    }

    #[test]
    fn a_restored_store_that_waits_until_it_is_let_go_passes() {
        let mut world = held();
        world.apply(stepwell_core::run::Command::Lose { epoch: 1, counted: true });
        world.add(Fact::LetGo);
        world.activate();
        assert_eq!(wrong(&world), [""; 0]);
    }

    #[test]
    fn a_restored_store_with_another_journal_is_refused() {
        let mut world = held();
        let journal = journal_of(world.last_read());
        *journal = Arc::from([&journal[..], b"{}".as_slice()].concat());
        assert!(wrong(&world)[0].contains("not as the original had it"));
    }

    #[test]
    fn a_run_that_is_given_out_too_early_is_refused() {
        let mut world = held();
        world.apply(stepwell_core::run::Command::Lose { epoch: 1, counted: true });
        world.activate();
        let found = wrong(&world);
        assert_eq!(found.len(), 2, "the record and the message: {found:?}");
        assert!(found.iter().all(|what| what.contains("given out while")), "{found:?}");
    }

    #[test]
    fn a_timer_that_fires_too_early_is_refused() {
        let mut world = held();
        world.pass_deadline(Duration::from_secs(1));
        assert!(wrong(&world)[0].contains("timed out while"));
    }

    #[test]
    fn what_is_held_back_again_is_refused() {
        let mut world = held();
        world.add(Fact::LetGo);
        world.add(Fact::Down);
        world.open();
        assert!(wrong(&world)[0].contains("were let go"));
    }

    #[test]
    fn an_activation_of_the_original_that_is_resumed_or_goes_on_beside_another_is_refused() {
        let mut world = held();
        let held = world.held_under(1);
        world.add(Fact::Resumed { to: Process(1), held });
        assert!(wrong(&world)[0].contains("the original's epoch 1"));
        let mut world = self::held();
        world.add(Fact::LetGo);
        world.apply(stepwell_core::run::Command::Lose { epoch: 1, counted: true });
        world.activate();
        let (call, by, step) = (Call(9), Process(1), Arc::from("run-0"));
        let (n, grant, due) = (1, Micros::MAX, 0);
        world.add(Fact::Began { call, by, held, step, n, grant, due });
        assert!(wrong(&world)[0].contains("was given out anew"));
    }
}
