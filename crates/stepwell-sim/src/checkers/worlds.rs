//! A history taken apart where the server was lost and another one was made of a backup: what each store saw.
//!
//! What was acknowledged after the backup was begun and before the loss is gone, with all that hangs on it, and
//! nothing else may be. So every invariant is judged of each store by itself:
//!
//! - The original's history ends with its loss. Whatever it promised holds until then.
//! - That of the restored store is what the original saw up to the begin of the backup, as if it had gone down
//!   there, and then all that follows the loss. Whatever was promised before the backup holds in it for ever (I1, I2,
//!   I11), what was under way there is whole or not at all (I3), a step that had ended there is not done again (I7).
//!
//! Of what was between the two the restored store's history has what clients asked, since a request may reach the new
//! server that was sent to the old one, and which processes there were. It has nothing of what the original did and
//! said. Nor has it what runners did under activations of the original from then on: they go on with what only the
//! original knew until they hear that they are void (§4.7), and what they do has no effect here. What they must not
//! do after that is the business of `restores`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::clock::Micros;
use crate::history::{Fact, Held};

/// What was observed, in order.
pub(super) type Facts = [(Micros, Fact)];

/// Returns the history of each store, the original's first.
pub(super) fn of(facts: &Facts) -> Vec<Cow<'_, Facts>> {
    let is_loss = |(_, fact): &(Micros, Fact)| matches!(fact, Fact::ServerLost { .. });
    if !facts.iter().any(is_loss) {
        return vec![Cow::Borrowed(facts)];
    }
    let (mut worlds, mut world) = (Vec::new(), Vec::new());
    // What this store gave to runners, where it is made of a backup.
    let mut given: Option<BTreeSet<Held>> = None;
    for (at, fact) in facts {
        if let Fact::ServerLost { backup } = fact {
            let next = restored(&world, *backup);
            worlds.push(Cow::Owned(std::mem::replace(&mut world, next)));
            given = Some(BTreeSet::new());
        } else {
            world.extend(here(fact, given.as_mut()).map(|fact| (*at, fact)));
        }
    }
    worlds.push(Cow::Owned(world));
    worlds
}

/// How the history of a store begins that is made of a backup.
fn restored(original: &Facts, backup: u32) -> Vec<(Micros, Fact)> {
    let begun = Fact::BackupBegun { backup };
    let cut = original.iter().position(|(_, fact)| *fact == begun).unwrap_or(0);
    let (before, between) = original.split_at(cut);
    let down = between.first().map(|(at, _)| (*at, Fact::Down));
    let stays = between.iter().filter(|(_, fact)| outlives(fact));
    before.iter().chain(&down).chain(stays).cloned().collect()
}

/// Tells whether something that was observed is of clients and processes, not of what a store held.
fn outlives(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::Asked { .. }
            | Fact::GaveUp { .. }
            | Fact::Over { .. }
            | Fact::Born { .. }
            | Fact::Died { .. }
            | Fact::Jumped
    )
}

/// Returns what the history of a store has of something that was observed; `given` is what a restored one gave to
/// runners so far.
fn here(fact: &Fact, given: Option<&mut BTreeSet<Held>>) -> Option<Fact> {
    let Some(given) = given else { return Some(fact.clone()) };
    match fact {
        Fact::Gave { held, .. } => {
            given.insert(*held);
        }
        Fact::Began { held, .. }
        | Fact::TakesBack { held, .. }
        | Fact::ToldFailure { held, .. }
        | Fact::Delivered { held, .. }
        | Fact::ToldEnd { held, .. }
        | Fact::ToldPause { held, .. }
            if !given.contains(held) =>
        {
            return None;
        }
        Fact::Greeted { by, resumes } => {
            let resumes = resumes.iter().filter(|held| given.contains(held)).copied().collect();
            return Some(Fact::Greeted { by: *by, resumes });
        }
        _ => {}
    }
    Some(fact.clone())
}

#[cfg(test)]
mod tests {
    use stepwell_core::run::Command;

    use super::super::testing::World;
    use super::*;
    use crate::checkers::check;
    use crate::history::{Answer, Asked, Process, Request};

    /// A run of which the original has more than the backup.
    fn lost() -> World {
        let mut world = World::begun();
        world.add(Fact::BackupBegun { backup: 1 });
        world.keep();
        let (request, what) = (Request(9), Asked::Wait(world.run));
        world.add(Fact::Asked { request, what });
        world.function("run-0", "\"first\"");
        world.read_again();
        world.add(Fact::ServerLost { backup: 1 });
        world.add(Fact::Down);
        world.go_back();
        world.open();
        world
    }

    #[test]
    fn what_was_promised_after_the_backup_may_be_gone() {
        let mut world = lost();
        world.apply(Command::Lose { epoch: 1, counted: true });
        world.add(Fact::LetGo);
        world.activate();
        world.function("run-0", "\"second\"");
        world.read_again();
        assert_eq!(check(&world.history), []);
        let worlds = of(&world.history.facts);
        assert_eq!(worlds.len(), 2);
        let asked = |facts: &Facts| {
            facts.iter().filter(|(_, fact)| matches!(fact, Fact::Asked { .. })).count()
        };
        assert_eq!((asked(&worlds[0]), asked(&worlds[1])), (2, 2));
        let settled = |facts: &Facts| {
            facts.iter().filter(|(_, fact)| matches!(fact, Fact::Settled { .. })).count()
        };
        assert_eq!((settled(&worlds[0]), settled(&worlds[1])), (1, 1));
    }

    #[test]
    fn what_was_promised_before_the_backup_may_not() {
        let mut world = lost();
        world.last_read().journals.clear();
        let found = check(&world.history);
        assert!(found.iter().any(|one| one.invariant == "I1"), "{found:?}");
    }

    #[test]
    fn what_was_promised_by_the_original_is_judged_until_its_loss() {
        let mut world = lost();
        let loss = world.place(|fact| matches!(fact, Fact::ServerLost { .. }));
        let answer =
            Answer::Started { run: stepwell_core::id::RunId::from_u128(99), created: true };
        world.history.facts.insert(loss, (0, Fact::Answered { request: Request(9), answer }));
        let found = check(&world.history);
        assert!(found.iter().any(|one| one.what.contains("is not there")), "{found:?}");
    }

    #[test]
    fn what_is_void_is_not_of_the_restored_store() {
        let mut world = lost();
        let (by, held) = (Process(1), world.held_under(1));
        world.add(Fact::Greeted { by, resumes: vec![held] });
        world.add(Fact::ToldEnd { by, held });
        let worlds = of(&world.history.facts);
        let (_, last) = worlds[1].last().unwrap();
        assert_eq!(*last, Fact::Greeted { by, resumes: Vec::new() });
    }
}
