//! I7: a function does not begin once the end of its step is durable, nor after its runner's grant,
//! nor before its attempt is due.

use std::collections::BTreeMap;

use stepwell_core::run::is_kept;

use super::all::Found;
use super::story::{Noted, Story};
use crate::clock::Micros;
use crate::history::Fact;

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    let mut ended = BTreeMap::new();
    for (run, tale) in &story.runs {
        for line in &tale.lines {
            match &line.noted {
                Noted::StepEnded { step, status, .. } => {
                    ended.insert((*run, step.clone()), (line.durable, *status));
                }
                // §6.5: what did not complete begins anew.
                Noted::Retried { .. } => {
                    ended.retain(|(of, _), (_, status)| of != run || is_kept(*status));
                }
                _ => {}
            }
        }
    }
    for (at, fact) in story.facts {
        let Fact::Began { by, held, step, n, grant, due, .. } = fact else { continue };
        let run = held.run;
        let since: Option<&Micros> = ended.get(&(run, step.clone())).map(|(since, _)| since);
        if since.is_some_and(|since| since < at) {
            found.add(*at, format!("{run}: {by:?} began {step} again after its end was durable"));
        }
        if grant < at {
            found.add(*at, format!("{run}: {by:?} began {step} after its grant"));
        }
        if due > at {
            found.add(*at, format!("{run}: {by:?} began attempt {n} of {step} before it was due"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::all::run;
    use super::super::testing::World;
    use super::*;

    #[test]
    fn a_function_that_begins_too_late_or_too_early_is_refused() {
        let mut world = World::whole();
        assert_eq!(run(check, &world.history), [""; 0]);
        let place = world.place(|fact| matches!(fact, Fact::Began { .. }));
        let (at, fact) = world.history.facts[place].clone();
        world.add(fact.clone());
        let Fact::Began { call, by, held, step, n, .. } = fact else { panic!() };
        let began = |grant, due| Fact::Began { call, by, held, step: step.clone(), n, grant, due };
        world.history.facts.insert(place, (at, began(at - 1, 0)));
        world.history.facts.insert(place, (at, began(Micros::MAX, at + 1)));
        let found = run(check, &world.history).join("\n");
        for expected in ["again after its end", "after its grant", "before it was due"] {
            assert!(found.contains(expected), "{expected} in {found}");
        }
    }
}
