//! I21: what was acknowledged is seen by every later answer, whichever node gives it: a run that exists
//! is known, and one that has ended stays so.

use std::collections::BTreeMap;

use stepwell_core::id::RunId;
use stepwell_core::status::RunStatus;

use super::all::Found;
use super::story::Story;
use crate::clock::Micros;
use crate::history::{Answer, Asked, Fact, Request};

/// There is no such run.
const UNKNOWN: &str = "SW2001";

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    let mut asked: BTreeMap<Request, (Micros, RunId)> = BTreeMap::new();
    // Since when each run is known to exist, and to have ended with which status.
    let mut known: BTreeMap<RunId, Micros> = BTreeMap::new();
    let mut ended: BTreeMap<RunId, (Micros, RunStatus)> = BTreeMap::new();
    for (at, fact) in story.facts {
        let (request, answer) = match fact {
            Fact::Asked { request, what } => {
                asked.extend(about(what).map(|run| (*request, (*at, run))));
                continue;
            }
            Fact::Answered { request, answer } => (request, answer),
            _ => continue,
        };
        match answer {
            Answer::Started { run, .. } => drop(known.entry(*run).or_insert(*at)),
            Answer::Ended { run, status, .. } => {
                known.entry(*run).or_insert(*at);
                ended.entry(*run).or_insert((*at, *status));
            }
            Answer::Acted(_)
            | Answer::Imported(_)
            | Answer::Refused { .. }
            | Answer::Sent { .. } => {}
        }
        let Some((since, run)) = asked.get(request) else { continue };
        let before = |told: &Micros| told < since;
        match answer {
            Answer::Refused { code: UNKNOWN } if known.get(run).is_some_and(before) => {
                found.add(*at, format!("{run} was acknowledged, and is said not to be there"));
            }
            Answer::Acted(status) => {
                let over = ended.get(run).filter(|(told, _)| before(told));
                if let Some((_, end)) = over.filter(|(_, end)| end != status) {
                    found.add(*at, format!("{run} was told to be {end}, and is {status} now"));
                }
                if status.is_ended() {
                    ended.entry(*run).or_insert((*at, *status));
                }
            }
            _ => {}
        }
    }
}

/// Returns the run that a request is about.
fn about(asked: &Asked) -> Option<RunId> {
    match asked {
        Asked::Cancel(run) | Asked::Operate(_, run) | Asked::Wait(run) | Asked::Fork(run, _) => {
            Some(*run)
        }
        Asked::Resolve { run, .. } => Some(*run),
        Asked::Start { .. } | Asked::Import { .. } | Asked::Send { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::all::run;
    use super::super::testing::World;
    use super::*;

    fn found(first: Answer, what: impl Fn(RunId) -> Asked, second: Answer) -> Vec<String> {
        let mut world = World::whole();
        let id = world.run;
        let (one, two) = (Request(8), Request(9));
        world.add(Fact::Asked { request: one, what: Asked::Wait(id) });
        world.add(Fact::Answered { request: one, answer: first });
        world.pass(1);
        world.add(Fact::Asked { request: two, what: what(id) });
        world.add(Fact::Answered { request: two, answer: second });
        run(check, &world.history)
    }

    #[test]
    fn a_node_that_does_not_know_what_another_acknowledged_is_refused() {
        let id = World::whole().run;
        let started = Answer::Started { run: id, created: true };
        let wrong = found(started.clone(), Asked::Wait, Answer::Refused { code: UNKNOWN });
        assert!(wrong[0].contains("not to be there"), "{wrong:?}");
        let busy = found(started, Asked::Wait, Answer::Refused { code: "" });
        assert_eq!(busy, [""; 0]);
    }

    #[test]
    fn an_end_that_is_another_one_later_is_refused() {
        let id = World::whole().run;
        let ended = |status| Answer::Ended { run: id, status, output: None, error: None };
        let is = |status| found(ended(RunStatus::Completed), Asked::Cancel, Answer::Acted(status));
        assert_eq!(is(RunStatus::Completed), [""; 0]);
        assert!(
            is(RunStatus::Running)[0].contains("is running now"),
            "{:?}",
            is(RunStatus::Running)
        );
    }
}
