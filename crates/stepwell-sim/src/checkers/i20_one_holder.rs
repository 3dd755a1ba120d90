//! I20: one activation lives at a time: no function begins under an epoch that is over, and a runner
//! is given the activation that is recorded for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::all::Found;
use super::story::{Noted, Story};
use crate::clock::Micros;
use crate::history::{Fact, Held, Process};

/// An activation as it is recorded.
struct Recorded {
    instance: Arc<str>,
    durable: Micros,
    /// When another began, or its loss was recorded.
    over: Micros,
}

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    let recorded = recorded(story, found);
    let mut instances: BTreeMap<Process, Arc<str>> = BTreeMap::new();
    for (at, fact) in story.facts {
        match fact {
            Fact::Born { process, instance } => {
                instances.insert(*process, Arc::clone(instance));
            }
            Fact::Gave { to, held, .. } => {
                let is = recorded.get(held).is_some_and(|one| {
                    Some(&one.instance) == instances.get(to) && one.durable <= *at
                });
                if !is {
                    let (run, epoch) = (held.run, held.epoch);
                    let what = format!("{run}: epoch {epoch} was given to {to:?}, not as recorded");
                    found.add(*at, what);
                }
            }
            Fact::Began { by, held, step, .. } => {
                if let Some(one) = recorded.get(held)
                    && one.over < *at
                {
                    let (run, epoch) = (held.run, held.epoch);
                    found.add(
                        *at,
                        format!(
                            "{run}: {by:?} began {step} under epoch {epoch}, over since {}",
                            one.over
                        ),
                    );
                }
            }
            _ => {}
        }
    }
}

fn recorded(story: &Story<'_>, found: &mut Found) -> BTreeMap<Held, Recorded> {
    let mut recorded: BTreeMap<Held, Recorded> = BTreeMap::new();
    for (run, tale) in &story.runs {
        let mut last: Option<Held> = None;
        let mut is_with = false;
        for line in &tale.lines {
            if let Noted::Released | Noted::Lost { .. } = line.noted {
                is_with = false;
            }
            let left = line.noted.leaves_runner();
            is_with &= !left;
            let over = left || matches!(line.noted, Noted::Activated { .. } | Noted::Lost { .. });
            if over && let Some(before) = last.and_then(|last| recorded.get_mut(&last)) {
                before.over = before.over.min(line.durable);
            }
            if let Noted::Activated { epoch, nonce, instance, .. } = &line.noted {
                let expected = last.map_or(0, |last| last.epoch) + 1;
                if *epoch != expected {
                    let what = format!("{run}: epoch {epoch} where {expected} is next");
                    found.add(line.durable, what);
                }
                if std::mem::replace(&mut is_with, true) {
                    let what = format!("{run}: epoch {epoch} begins before the one before is over");
                    found.add(line.durable, what);
                }
                let held = Held { run: *run, epoch: *epoch, nonce: *nonce };
                let (instance, durable) = (Arc::clone(instance), line.durable);
                let one = Recorded { instance, durable, over: Micros::MAX };
                recorded.insert(held, one);
                last = Some(held);
            }
        }
    }
    recorded
}

#[cfg(test)]
mod tests {
    use stepwell_core::run::Command;

    use super::super::all::run;
    use super::super::testing::World;
    use super::*;
    use crate::history::Call;

    #[test]
    fn a_function_under_an_epoch_that_is_over_is_refused() {
        let mut world = World::begun();
        world.apply(Command::Lose { epoch: 1, counted: true });
        world.activate();
        let held = world.held_under(2);
        let began = |held| Fact::Began {
            call: Call(9),
            by: Process(1),
            held,
            step: Arc::from("run-0"),
            n: 1,
            grant: Micros::MAX,
            due: 0,
        };
        world.add(began(held));
        world.finish();
        assert_eq!(run(check, &world.history), [""; 0]);
        world.add(began(world.held_under(1)));
        assert!(run(check, &world.history)[0].contains("over since"));
    }

    #[test]
    fn an_activation_that_is_not_recorded_is_refused() {
        let mut world = World::whole();
        let place = world.place(|fact| matches!(fact, Fact::Gave { .. }));
        let (_, Fact::Gave { held, .. }) = &mut world.history.facts[place] else { panic!() };
        held.nonce += 1;
        assert!(run(check, &world.history)[0].contains("not as recorded"));
    }
}
