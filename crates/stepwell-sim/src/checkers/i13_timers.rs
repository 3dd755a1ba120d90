//! I13: no timer fires before its time, by engine time and, where nobody sets the clock, by true
//! time; none is left alone at its time; engine time never goes back, over restarts either.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwell_core::status::StepStatus;
use stepwell_core::time::Timestamp;

use super::all::Found;
use super::story::{Noted, Story, Tale};
use crate::clock::{MILLI, Micros, SECOND, micros};
use crate::history::{Fact, Node};

/// A node that waits for the database so long begins anew.
const LEASE: Micros = 3 * SECOND;

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    engine_time(story, found);
    let jumped = story.facts.iter().any(|(_, fact)| *fact == Fact::Jumped);
    // Where nodes share a database, their time may be ahead of it by as long as they waited for it.
    let shared = story.facts.iter().any(|(_, fact)| matches!(fact, Fact::Joined { .. }));
    let slack = if shared { LEASE } else { 5 * MILLI };
    let closed = closed(story);
    for (run, tale) in &story.runs {
        // A run that is cleaned up before its time is given out for that.
        let cleans = |noted: &Noted| matches!(noted, Noted::CleanUp { .. });
        for line in tale.lines.iter().take_while(|line| !cleans(&line.noted)) {
            if let (Noted::Activated { at, .. }, Some(due)) = (&line.noted, tale.not_before)
                && *at < due
            {
                let what = format!("{run} was given out at {at}, its start is delayed until {due}");
                found.add(line.durable, what);
            }
        }
        for (at, what) in early(tale, &closed, jumped, slack) {
            found.add(at, format!("{run}: {what}"));
        }
    }
}

fn engine_time(story: &Story<'_>, found: &mut Found) {
    let mut last: BTreeMap<Node, Timestamp> = BTreeMap::new();
    let mut durable = Timestamp::MIN;
    let mut given: BTreeMap<u32, Timestamp> = BTreeMap::new();
    for (at, fact) in story.facts {
        match fact {
            Fact::Given { by, batch, at: engine, .. } => {
                let last = last.entry(*by).or_insert(Timestamp::MIN);
                if *engine < *last {
                    found.add(*at, format!("engine time went back from {last} to {engine}"));
                }
                *last = *engine;
                given.insert(*batch, *engine);
            }
            Fact::Durable { batch } => {
                durable = given.remove(batch).map_or(durable, |at| durable.max(at));
            }
            Fact::LeftDue { due, at: told } => {
                found.add(*at, format!("a timer due at {due} did not fire at {told}"));
            }
            Fact::Opened { high_water } => {
                if *high_water < durable {
                    found.add(*at, format!("the store forgot that it was {durable}"));
                }
                // Only what is durable is known after a crash.
                last.insert(Node(0), *high_water);
            }
            // A node that begins anew does not know what was not durable.
            Fact::Joined { node, floor, .. } => drop(last.insert(*node, *floor)),
            _ => {}
        }
    }
}

/// Sleeps that ended before their time.
/// When, by true time, it was which engine time. Batches that are closed at one instant reach the store
/// one after the other: the first of them tells.
fn closed(story: &Story<'_>) -> BTreeMap<Timestamp, Micros> {
    let mut closed = BTreeMap::new();
    for (true_time, fact) in story.facts {
        if let Fact::Given { at, .. } = fact {
            closed.entry(*at).or_insert(*true_time);
        }
    }
    closed
}

fn early(
    tale: &Tale,
    closed: &BTreeMap<Timestamp, Micros>,
    jumped: bool,
    slack: Micros,
) -> Vec<(Micros, String)> {
    let mut sleeps = BTreeMap::new();
    let mut early = Vec::new();
    for line in &tale.lines {
        match &line.noted {
            Noted::SleepStarted { step, until } => {
                sleeps.insert(Arc::clone(step), (*until, line.given));
            }
            Noted::StepEnded { step, at, status: StepStatus::Completed, .. } => {
                let Some((until, begun)) = sleeps.get(step) else { continue };
                if at < until {
                    early.push((line.durable, format!("{step} woke at {at}, due at {until}")));
                }
                let (Some((_, engine)), Some((to, _)), false) = (begun, line.given, jumped) else {
                    continue;
                };
                let Some(from) = closed.get(engine) else { continue };
                // Clocks drift by a hundredth at most.
                let rest = micros(until.since(*engine)) * 98 / 100;
                if to + slack < from + rest {
                    early.push((to, format!("{step} woke after {} us of {rest}", to - from)));
                }
            }
            _ => {}
        }
    }
    early
}

#[cfg(test)]
mod tests {
    use super::super::all::run;
    use super::super::testing::World;
    use super::*;

    #[test]
    fn a_sleep_that_ends_early_is_refused() {
        let mut world = World::whole();
        assert_eq!(run(check, &world.history), [""; 0]);
        let until = world.slept_until.as_micros();
        world.rewrite(&format!("\"until\":{until}"), &format!("\"until\":{}", until + 60_000_000));
        let found = run(check, &world.history).join("\n");
        assert!(found.contains("due at") && found.contains("woke after"), "{found}");
    }

    #[test]
    fn a_timer_that_is_left_alone_is_refused() {
        let mut world = World::whole();
        let due = Timestamp::from_micros(5);
        world.add(Fact::LeftDue { due, at: due });
        assert!(run(check, &world.history)[0].contains("did not fire"));
    }

    #[test]
    fn engine_time_that_goes_back_is_refused() {
        let mut world = World::whole();
        let place = world.history.facts.iter().rposition(|(_, f)| matches!(f, Fact::Given { .. }));
        let (_, Fact::Given { at, .. }) = &mut world.history.facts[place.unwrap()] else {
            panic!()
        };
        *at = Timestamp::from_micros(5);
        assert!(run(check, &world.history)[0].contains("went back"));
        let mut world = World::whole();
        world.add(Fact::Opened { high_water: Timestamp::from_micros(5) });
        assert!(run(check, &world.history)[0].contains("forgot"));
    }
}
