//! Acts of operators (§9.5): each is in the history with who and why, changes something, and does what
//! it says. How a step ended that was resolved (§4.5) is what somebody said of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::once::Verdict;
use stepwell_core::operation::Operation;
use stepwell_core::status::StepStatus;
use stepwell_core::time::Timestamp;

use super::all::Found;
use super::story::{Line, Noted, Story, Tale};
use crate::history::{Asked, Fact, Known, given_by_hand};

/// What operators said of steps whose outcome is unknown.
type Said = BTreeMap<(RunId, Arc<str>), Vec<Known>>;

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    let mut said = Said::new();
    for (_, fact) in story.facts {
        if let Fact::Asked { what: Asked::Resolve { run, step, known }, .. } = fact {
            said.entry((*run, Arc::clone(step))).or_default().push(*known);
        }
    }
    for (run, tale) in &story.runs {
        acts((*run, tale), &said, found);
    }
}

/// What acts are about, as the journal has it so far.
#[derive(Default)]
struct So {
    /// When the next attempts of steps are due.
    backoffs: BTreeMap<Arc<str>, Timestamp>,
    /// When its handler runs again.
    again: Option<Timestamp>,
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
            Noted::Retried { next_at, .. } => {
                self.backoffs.clear();
                self.again = Some(*next_at);
            }
            Noted::Activated { .. } => self.again = None,
            Noted::Blocked { .. } => self.blocked = true,
            Noted::Unblocked => self.blocked = false,
            Noted::Acted { at, act: Operation::Retry, .. } => {
                let all = self.backoffs.values_mut().chain(&mut self.again);
                all.for_each(|due| *due = (*due).min(*at));
            }
            _ => {}
        }
    }

    /// Tells whether there is a backoff that ends after this instant.
    fn waits_after(&self, at: Timestamp) -> bool {
        self.backoffs.values().chain(&self.again).any(|due| *due > at)
    }
}

fn acts((run, tale): (RunId, &Tale), said: &Said, found: &mut Found) {
    let mut so = So::default();
    for (place, line) in tale.lines.iter().enumerate() {
        if let Noted::Acted { at, act, signed, step } = &line.noted {
            if !signed {
                found.add(line.durable, format!("{run}: `{act}` does not say by whom and why"));
            }
            let next = tale.lines.get(place + 1).map(|line| &line.noted);
            let wrong = match act {
                // These are the business of `pause`.
                Operation::Pause | Operation::Resume => None,
                Operation::Resolve if !so.blocked => Some("is of a run that is not blocked"),
                Operation::Resolve => {
                    let step = step.clone().unwrap_or_default();
                    let known = said.get(&(run, Arc::clone(&step)));
                    let mut known = known.into_iter().flatten();
                    let follows = |known: &Known| next.is_some_and(|next| is(known, &step, next));
                    (!known.any(follows)).then_some("is followed by what nobody said")
                }
                Operation::Terminate => {
                    (!matches!(next, Some(Noted::Ended { .. }))).then_some("does not end it")
                }
                Operation::Retry if so.blocked => {
                    (!matches!(next, Some(Noted::Unblocked))).then_some("leaves it blocked")
                }
                Operation::Retry => (!so.waits_after(*at)).then_some("changes nothing"),
            };
            if let Some(wrong) = wrong {
                found.add(line.durable, format!("{run}: `{act}` {wrong}"));
            }
        }
        so.note(line);
    }
}

/// Tells whether a record is what somebody said of a step.
fn is(known: &Known, wanted: &str, next: &Noted) -> bool {
    match (known, next) {
        (Known::Completed(number), Noted::StepEnded { step, status, output, .. }) => {
            let right = output.as_deref() == Some(&*given_by_hand(*number));
            **step == *wanted && *status == StepStatus::Completed && right
        }
        (Known::Failed, Noted::StepEnded { step, status, .. }) => {
            **step == *wanted && *status == StepStatus::Failed
        }
        (Known::NotDone, Noted::Verified { step, verdict }) => {
            **step == *wanted && *verdict == Verdict::NotDone
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;
    use stepwell_core::once::Once;
    use stepwell_core::record::{Attempt, BlockCause, Opening};
    use stepwell_core::run::{Act, Command, Operate, Resolution, Resolve, StartStep, VerifyStep};
    use stepwell_core::status::Kind;

    use super::super::all::run;
    use super::super::testing::{World, opening};
    use super::*;
    use crate::history::Request;

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
    fn a_step_that_is_resolved_to_what_nobody_said_is_refused() {
        let mut world = World::begun();
        let at = Timestamp::from_millis(1);
        let open = Opening { once: Some(Once::default()), ..opening(Kind::Run, at) };
        let attempt = Attempt { n: 1, started_at: at, overlapped: false };
        let start = StartStep { step: "wire".into(), attempt, open: Some(open) };
        world.apply(Command::Runner { epoch: 1, act: Act::StartStep(start) });
        world.apply(Command::Lose { epoch: 1, counted: true });
        world.activate();
        let (step, verdict, output) = ("wire".into(), Verdict::Unknown, None);
        let verify = VerifyStep { step, n: 1, verdict, output };
        world.apply(Command::Runner { epoch: 2, act: Act::Verify(verify) });
        world.give_back();
        let known = Known::Completed(7);
        let what = Asked::Resolve { run: world.run, step: "wire".into(), known };
        world.add(Fact::Asked { request: Request(9), what });
        let raw = RawValue::from_string(given_by_hand(7)).unwrap();
        let (by, reason) = (Some("who"), Some("why"));
        let operate = Operate { act: Operation::Resolve, by, reason };
        let resolution = Resolution::Completed(Some(&raw));
        world.apply(Command::Resolve(Resolve { operate, step: "wire", resolution }));
        world.finish();
        assert_eq!(run(check, &world.history), [""; 0]);
        world.rewrite("\"byHand\": 7", "\"byHand\": 8");
        assert!(run(check, &world.history)[0].contains("what nobody said"));
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
