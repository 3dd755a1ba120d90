//! I12: a run ends once, nothing follows, and everyone who waits is told the same.

use super::all::Found;
use super::story::{Noted, Story};
use crate::history::{Answer, Fact};

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    for (run, tale) in &story.runs {
        let end = tale.lines.iter().position(|line| matches!(line.noted, Noted::Ended { .. }));
        if end.is_some_and(|end| end + 1 < tale.lines.len()) {
            found.add(0, format!("{run}: records follow its end"));
        }
    }
    for (at, fact) in story.facts {
        let Fact::Answered { answer: Answer::Ended { run, status, output, error }, .. } = fact
        else {
            continue;
        };
        let end = story.runs.get(run).and_then(|tale| {
            tale.lines.iter().find_map(|line| match &line.noted {
                Noted::Ended { status, output, error, .. } => {
                    Some((line.durable, status, output, error))
                }
                _ => None,
            })
        });
        match end {
            None => found.add(*at, format!("{run} was said to have ended ({status}), and has not")),
            Some((durable, ..)) if durable > *at => {
                found.add(*at, format!("the end of {run} was told before it was durable"));
            }
            Some((_, kept, gave, failed)) => {
                if (kept, gave, failed) != (status, output, error) {
                    found.add(*at, format!(
                        "{run} ended {kept} {gave:?} {failed:?}, told was {status} {output:?} {error:?}"
                    ));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use stepwell_core::status::RunStatus;

    use super::super::all::run;
    use super::super::testing::World;
    use super::*;
    use crate::history::Request;

    #[test]
    fn another_end_for_one_who_waits_is_refused() {
        let mut world = World::whole();
        assert_eq!(run(check, &world.history), [""; 0]);
        let (run_id, request) = (world.run, Request(3));
        let (output, error) = (None, None);
        let answer = Answer::Ended { run: run_id, status: RunStatus::Failed, output, error };
        world.add(Fact::Answered { request, answer });
        assert!(run(check, &world.history)[0].contains("told was failed"));
    }

    #[test]
    fn an_end_that_did_not_come_is_refused() {
        let mut world = World::begun();
        let (run_id, request) = (world.run, Request(3));
        let (output, error) = (None, None);
        let answer = Answer::Ended { run: run_id, status: RunStatus::Completed, output, error };
        world.add(Fact::Answered { request, answer });
        world.finish();
        assert!(run(check, &world.history)[0].contains("has not"));
    }
}
