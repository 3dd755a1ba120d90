//! I18: no run is given out after its deadline, and a deadline that passes while nothing goes wrong
//! is recorded within a second.

use std::time::Duration;

use stepwell_core::status::RunStatus;
use stepwell_core::time::Timestamp;

use super::all::Found;
use super::story::{Noted, Story};
use crate::history::Fact;

/// How late a passed deadline may be recorded.
const LATE: Duration = Duration::from_secs(1);

/// How long after the healing a node may still be starting.
const SETTLED: Duration = Duration::from_secs(30);

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    let healthy = healthy_from(story);
    for (run, tale) in &story.runs {
        let Some(deadline) = tale.deadline else { continue };
        // A clean-up is not bounded by the deadline.
        let cleans = |noted: &Noted| matches!(noted, Noted::CleanUp { .. });
        for line in tale.lines.iter().take_while(|line| !cleans(&line.noted)) {
            match &line.noted {
                Noted::Activated { at, epoch, .. } if *at >= deadline => {
                    let what =
                        format!("{run}: epoch {epoch} was given out at {at}, after {deadline}");
                    found.add(line.durable, what);
                }
                Noted::Ending { at, status: RunStatus::TimedOut } => {
                    let late = at.since(deadline);
                    if healthy.is_some_and(|from| deadline > from) && late > LATE {
                        found.add(line.durable, format!("{run} timed out {late:?} late"));
                    }
                    if *at < deadline {
                        found.add(line.durable, format!("{run} timed out before {deadline}"));
                    }
                }
                _ => {}
            }
        }
    }
}

/// Returns the engine time from which on nothing goes wrong.
fn healthy_from(story: &Story<'_>) -> Option<Timestamp> {
    let healed = story.facts.iter().position(|(_, fact)| *fact == Fact::Healed)?;
    let later = &story.facts[healed..];
    // Openings after the healing are those of nodes that were down then.
    let begin =
        later.iter().rposition(|(_, fact)| matches!(fact, Fact::Opened { .. })).unwrap_or(0);
    let first = later[begin..].iter().find_map(|(_, fact)| match fact {
        Fact::Given { at, .. } => Some(*at),
        _ => None,
    });
    first.map(|at| at.after(SETTLED))
}

#[cfg(test)]
mod tests {
    use super::super::all::run;
    use super::super::testing::World;
    use super::*;

    #[test]
    fn a_run_that_is_given_out_after_its_deadline_is_refused() {
        let mut world = World::whole();
        assert_eq!(run(check, &world.history), [""; 0]);
        let deadline = world.state.deadline().unwrap().as_micros();
        world.rewrite(&format!("\"deadline\":{deadline}"), "\"deadline\":7");
        assert!(run(check, &world.history)[0].contains("was given out"));
    }

    #[test]
    fn a_deadline_that_is_noticed_late_is_refused() {
        let mut world = World::begun();
        world.add(Fact::Healed);
        world.pass_deadline(Duration::from_secs(5));
        world.finish();
        assert!(run(check, &world.history)[0].contains("late"));
    }
}
