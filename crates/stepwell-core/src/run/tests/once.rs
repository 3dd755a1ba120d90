//! Functions that start at most once (§4.5).

use super::*;
use crate::once::{OnUnknown, Once, STARTS_MAX, Verdict};

impl World {
    fn begin_once(&mut self, step: &str, on_unknown: OnUnknown) -> Result<Vec<String>, Rejection> {
        let attempt = self.next_attempt(step);
        let once = Some(Once { on_unknown });
        let open = Some(Opening { once, ..self.opening(Kind::Run) });
        self.act(Act::StartStep(StartStep { step: step.into(), attempt, open }))
    }

    fn verdict(&mut self, step: &str, verdict: Verdict) -> Result<Vec<String>, Rejection> {
        let n = self.run.step(step).unwrap().attempts + u32::from(verdict == Verdict::NotBegun);
        self.act(Act::Verify(VerifyStep { step: step.into(), n, verdict, output: None }))
    }

    fn resolve(
        &mut self,
        step: &str,
        resolution: Resolution<'_>,
    ) -> Result<Vec<String>, Rejection> {
        let operate = Operate { act: Operation::Resolve, by: Some("eve"), reason: Some("asked") };
        self.apply(Command::Resolve(Resolve { operate, step, resolution }))
    }

    /// The run is lost with its runner, and held again.
    fn change_hands(&mut self) {
        self.lose(false).unwrap();
        self.activate().unwrap();
    }
}

/// §4.5: the start is recorded before the runner is told to begin, and a repeat is told so again.
#[test]
fn a_start_is_durable_before_it_begins() {
    let mut world = World::held();
    gives(world.begin_once("wire", OnUnknown::Block), &["begin wire 1"]);
    gives(world.begin_once("wire", OnUnknown::Block), &["begin wire 1"]);
    assert_eq!(world.records(), ["started", "activated", "stepStarted"]);
    gives(world.complete("wire"), &["settle wire completed"]);
}

/// §4.5: of such a step nothing ends that was not recorded to begin.
#[test]
fn an_end_without_a_start_is_refused() {
    let mut world = World::held();
    let once = Some(Once::default());
    let open = Some(Opening { once, ..world.opening(Kind::Run) });
    let end = EndStep { open, ..world.end_step("wire") };
    assert_eq!(world.act(Act::EndStep(end)).unwrap_err(), Rejection::Unbegun("wire".into()));
}

/// §4.5: what is thrown is final.
#[test]
fn a_throw_is_not_tried_again() {
    let mut world = World::held();
    world.begin_once("wire", OnUnknown::Block).unwrap();
    gives(world.fail("wire", Bad::default()), &["settle wire failed Oops"]);
}

/// §4.5: a lost runner and a timeout leave the outcome unknown, and no start follows before a verdict.
#[test]
fn a_lost_start_is_in_doubt() {
    let mut world = World::held();
    world.begin_once("wire", OnUnknown::Block).unwrap();
    world.change_hands();
    assert_eq!(world.status("wire"), StepStatus::Unknown);
    gives(world.begin_once("wire", OnUnknown::Block), &[]);
    gives(world.verdict("wire", Verdict::NotDone), &["retry wire 2 at +0ms"]);
    gives(world.verdict("wire", Verdict::NotDone), &["retry wire 2 at +0ms"]);
    gives(world.begin_once("wire", OnUnknown::Block), &["begin wire 2"]);
    let bad = Bad { timed_out: true, ..Bad::default() };
    gives(world.fail("wire", bad), &["retry wire 3 at +0ms"]);
    assert_eq!(world.status("wire"), StepStatus::Unknown);
    gives(world.verdict("wire", Verdict::Done), &["settle wire completed"]);
}

/// §4.5: a start that its runner never made use of is none.
#[test]
fn a_start_that_was_not_begun_does_not_count() {
    let mut world = World::held();
    world.begin_once("wire", OnUnknown::Block).unwrap();
    gives(world.verdict("wire", Verdict::NotBegun), &[]);
    world.release().unwrap();
    world.activate().unwrap();
    assert_eq!(world.status("wire"), StepStatus::Pending);
    gives(world.begin_once("wire", OnUnknown::Block), &["begin wire 1"]);
}

/// §4.5: an outcome that stays unknown blocks the run, or is thrown.
#[test]
fn an_unknown_outcome_blocks_or_throws() {
    let mut world = World::held();
    world.begin_once("wire", OnUnknown::Block).unwrap();
    world.change_hands();
    gives(world.verdict("wire", Verdict::Unknown), &["evict"]);
    assert_eq!(world.run.status(), RunStatus::Blocked);
    // No build knows more.
    let by = record::Unblocked::BY_BUILD;
    assert_eq!(world.apply(Command::Unblock { by }).unwrap_err(), Rejection::NotBlocked);
    let mut world = World::held();
    world.begin_once("wire", OnUnknown::Throw).unwrap();
    world.change_hands();
    gives(world.verdict("wire", Verdict::Unknown), &["settle wire unknown OutcomeUnknownError"]);
    assert!(world.run.step("wire").unwrap().is_ended());
    gives(world.verdict("wire", Verdict::Done), &[]);
    gives(world.finish(), &["ended completed"]);
    assert_eq!(world.status("wire"), StepStatus::Unknown);
}

/// §4.5, §9.5: an operator says how it ended, with name and reason in the history.
#[test]
fn an_operator_resolves_it() {
    for (resolution, status) in [
        (Resolution::Completed(None), StepStatus::Completed),
        (Resolution::Failed(Failure::new("Oops", "no")), StepStatus::Failed),
        (Resolution::NotDone, StepStatus::Pending),
    ] {
        let mut world = World::held();
        let early = world.resolve("wire", Resolution::NotDone).unwrap_err();
        assert_eq!(early, Rejection::NotUnknown("wire".into()));
        world.begin_once("wire", OnUnknown::Block).unwrap();
        world.change_hands();
        world.verdict("wire", Verdict::Unknown).unwrap();
        world.act(Act::Release { seen: 0, then: Then::Wait }).unwrap();
        gives(world.resolve("wire", resolution), &[]);
        assert_eq!((world.run.status(), world.status("wire")), (RunStatus::Queued, status));
        let view = world.view();
        let note = view.history.iter().find(|note| note.what == "resolved").unwrap();
        assert_eq!(note.by.as_deref(), Some("eve"));
        assert_eq!(note.detail.as_deref(), Some("step `wire`: asked"));
    }
}

/// §4.5: at most 4 starts in all, whoever asks for another.
#[test]
fn starts_are_counted() {
    let mut world = World::held();
    for start in 1..=STARTS_MAX {
        let begin = format!("begin wire {start}");
        gives(world.begin_once("wire", OnUnknown::Block), &[&begin]);
        world.change_hands();
        let told = world.verdict("wire", Verdict::NotDone).unwrap();
        let expected = if start < STARTS_MAX {
            format!("retry wire {} at +0ms", start + 1)
        } else {
            "evict".into()
        };
        assert_eq!(told, [expected]);
    }
    let refused = world.resolve("wire", Resolution::NotDone).unwrap_err();
    assert_eq!(refused, Rejection::StartsSpent { step: "wire".into(), starts: STARTS_MAX });
}
