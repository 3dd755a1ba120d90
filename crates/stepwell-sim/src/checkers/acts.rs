//! Acts of operators (§9.5): each is in the history with who and why, changes something, and does what
//! it says.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::operation::Operation;
use stepwell_core::time::Timestamp;

use super::all::Found;
use super::story::{Line, Noted, Story, Tale};

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    for (run, tale) in &story.runs {
        acts(*run, tale, found);
    }
}

/// What acts are about, as the journal has it so far.
#[derive(Default)]
struct So {
    /// When the next attempts of steps are due.
    backoffs: BTreeMap<Arc<str>, Timestamp>,
    blocked: bool,
}

impl So {
    fn note(&mut self, line: &Line) {
        match &line.noted {
            Noted::AttemptFailed { step, next_at, .. } => {
                self.backoffs.insert(Arc::clone(step), *next_at);
            }
            Noted::StepEnded { step, .. } => {
                self.backoffs.remove(step);
            }
            Noted::Blocked { .. } => self.blocked = true,
            Noted::Unblocked => self.blocked = false,
            Noted::Acted { at, act: Operation::Retry, .. } => {
                self.backoffs.values_mut().for_each(|due| *due = (*due).min(*at));
            }
            _ => {}
        }
    }
}

fn acts(run: RunId, tale: &Tale, found: &mut Found) {
    let mut so = So::default();
    for (place, line) in tale.lines.iter().enumerate() {
        if let Noted::Acted { at, act, signed } = &line.noted {
            if !signed {
                found.add(line.durable, format!("{run}: `{act}` does not say by whom and why"));
            }
            let next = tale.lines.get(place + 1).map(|line| &line.noted);
            let wrong = match act {
                // These are the business of `pause`.
                Operation::Pause | Operation::Resume => None,
                // What comes of it is the business of `once`.
                Operation::Resolve => (!so.blocked).then_some("is of a run that is not blocked"),
                Operation::Terminate => {
                    (!matches!(next, Some(Noted::Ended { .. }))).then_some("does not end it")
                }
                Operation::Retry if so.blocked => {
                    (!matches!(next, Some(Noted::Unblocked))).then_some("leaves it blocked")
                }
                Operation::Retry => {
                    (!so.backoffs.values().any(|due| due > at)).then_some("changes nothing")
                }
            };
            if let Some(wrong) = wrong {
                found.add(line.durable, format!("{run}: `{act}` {wrong}"));
            }
        }
        so.note(line);
    }
}

#[cfg(test)]
mod tests {
    use stepwell_core::record::BlockCause;
    use stepwell_core::run::{Act, Command, Operate};

    use super::super::all::run;
    use super::super::testing::World;
    use super::*;

    fn operate(act: Operation) -> Command<'static> {
        Command::Operate(Operate { act, by: Some("who"), reason: Some("why") })
    }

    #[test]
    fn an_act_that_is_not_signed_is_refused() {
        let mut world = World::begun();
        world.apply(operate(Operation::Terminate));
        world.finish();
        assert_eq!(run(check, &world.history), [""; 0]);
        world.rewrite(",\"by\":\"who\"", "");
        assert!(run(check, &world.history)[0].contains("by whom"));
    }

    #[test]
    fn an_act_that_does_something_else_is_refused() {
        let mut world = World::begun();
        let cause = BlockCause::StepsFull { limit: 1 };
        world.apply(Command::Runner { epoch: 1, act: Act::Block(cause) });
        world.apply(operate(Operation::Retry));
        world.finish();
        assert_eq!(run(check, &world.history), [""; 0]);
        world.rewrite("\"act\":\"retry\"", "\"act\":\"terminate\"");
        assert!(run(check, &world.history)[0].contains("does not end it"));
        let mut world = World::begun();
        world.apply(operate(Operation::Terminate));
        world.finish();
        world.rewrite("\"act\":\"terminate\"", "\"act\":\"retry\"");
        assert!(run(check, &world.history)[0].contains("changes nothing"));
    }
}
