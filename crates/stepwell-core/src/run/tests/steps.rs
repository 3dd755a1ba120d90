//! Functions, pauses, notes: their first messages, repeats and late ones.

use super::*;
use crate::record::LogLine;

impl World {
    pub(super) fn skip(&mut self, step: &str) -> Result<Vec<String>, Rejection> {
        let open = self.opening(Kind::Skip);
        self.act(Act::Skip { step: step.into(), open })
    }

    pub(super) fn drop_step(&mut self, step: &str, kind: Kind) -> Result<Vec<String>, Rejection> {
        let open = Some(self.opening(kind));
        self.act(Act::Drop { step: step.into(), open })
    }
}

/// §4.3: a quick step costs one record; one that told of its start costs two.
#[test]
fn a_quick_step_is_one_record() {
    let mut world = World::held();
    gives(world.complete("quick"), &["settle quick completed"]);
    assert_eq!(world.records(), ["started", "activated", "stepEnded"]);
    gives(world.begin("slow"), &[]);
    gives(world.complete("slow"), &["settle slow completed"]);
    assert_eq!(world.records()[3..], ["stepStarted", "stepEnded"]);
}

/// §3.5: a position is given by the first record and never changes; §5.4: ends have an order of
/// their own.
#[test]
fn positions_follow_first_records() {
    let mut world = World::held();
    world.begin("a").unwrap();
    world.sleep("b", seconds(60)).unwrap();
    world.complete("c").unwrap();
    world.complete("a").unwrap();
    let ids: Vec<_> = world.run.steps().iter().map(|step| &*step.id).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    assert_eq!(world.ends(), ["c", "a"]);
    assert_eq!(world.run.position("b"), Some(1));
}

/// §4.1: what is told of a step that has ended changes nothing.
#[test]
fn an_ended_step_never_changes() {
    for ended in [StepStatus::Completed, StepStatus::Failed, StepStatus::Cancelled] {
        let mut world = World::held();
        world.begin("a").unwrap();
        match ended {
            StepStatus::Completed => world.complete("a").unwrap(),
            StepStatus::Failed => {
                world.fail("a", Bad { terminal: true, ..Bad::default() }).unwrap()
            }
            _ => world.drop_step("a", Kind::Run).unwrap(),
        };
        let records = world.journal.len();
        gives(world.begin("a"), &[]);
        gives(world.complete("a"), &[]);
        gives(world.fail("a", Bad::default()), &[]);
        gives(world.drop_step("a", Kind::Run), &[]);
        assert_eq!((world.journal.len(), world.status("a")), (records, ended));
    }
}

/// §6.4: a late result of an attempt that has ended changes nothing; the runner hears again what
/// is next.
#[test]
fn a_late_result_changes_nothing() {
    let mut world = World::held();
    let first = world.end_step("a");
    gives(world.fail("a", Bad { timed_out: true, ..Bad::default() }), &["retry a 2 at +1000ms"]);
    world.pass(seconds(3));
    gives(world.act(Act::EndStep(first)), &["retry a 2 at +1000ms"]);
    assert_eq!(world.status("a"), StepStatus::Retrying);
    world.begin("a").unwrap();
    // The second attempt runs, so nothing is due.
    let mut late = world.end_step("a");
    late.attempt.n = 1;
    gives(world.act(Act::EndStep(late)), &[]);
    gives(world.complete("a"), &["settle a completed"]);
    assert_eq!(world.run.step("a").unwrap().attempts, 2);
}

/// A repeated message changes nothing, whatever it was.
#[test]
fn repeats_change_nothing() {
    type Say = fn(&mut World) -> Result<Vec<String>, Rejection>;
    let says: [Say; 5] = [
        |w| w.begin("a"),
        |w| w.sleep("a", seconds(9)),
        |w| w.skip("a"),
        |w| w.drop_step("a", Kind::Run),
        |w| w.complete("a"),
    ];
    for say in says {
        let mut world = World::held();
        say(&mut world).unwrap();
        let records = world.journal.len();
        gives(say(&mut world), &[]);
        assert_eq!(world.journal.len(), records);
    }
}

/// The first message about a step opens it; attempts come one after the other.
#[test]
fn messages_that_skip_something_are_rejected() {
    let mut world = World::held();
    let mut end = world.end_step("a");
    end.open = None;
    assert_eq!(world.act(Act::EndStep(end)).unwrap_err(), Rejection::Unopened("a".into()));
    let drop = Act::Drop { step: "a".into(), open: None };
    assert_eq!(world.act(drop).unwrap_err(), Rejection::Unopened("a".into()));
    for n in [0, 2] {
        let attempt = Attempt { n, started_at: T0, overlapped: false };
        let open = Some(world.opening(Kind::Run));
        let begin = Act::StartStep(StartStep { step: "a".into(), attempt, open });
        let error = world.act(begin).unwrap_err();
        assert_eq!(error, Rejection::AttemptMismatch { step: "a".into(), expected: 1, found: n });
    }
    world.begin("a").unwrap();
    let mut end = world.end_step("a");
    end.attempt.n = 3;
    let error = world.act(Act::EndStep(end)).unwrap_err();
    assert_eq!(error, Rejection::AttemptMismatch { step: "a".into(), expected: 1, found: 3 });
}

/// §4.10: a step that the journal has under another kind is not taken.
#[test]
fn another_kind_is_rejected() {
    let mut world = World::held();
    world.sleep("nap", seconds(60)).unwrap();
    world.complete("work").unwrap();
    let error = world.complete("nap").unwrap_err();
    let expected =
        Rejection::KindChanged { step: "nap".into(), expected: Kind::Sleep, found: Kind::Run };
    assert_eq!(error, expected);
    let error = world.sleep("work", seconds(1)).unwrap_err();
    assert!(matches!(error, Rejection::KindChanged { expected: Kind::Run, .. }));
}

/// A message says nothing of a kind that is not its own.
#[test]
fn an_opening_of_a_foreign_kind_is_rejected() {
    let mut world = World::held();
    let mut end = world.end_step("a");
    end.open = Some(world.opening(Kind::Sleep));
    assert!(matches!(world.act(Act::EndStep(end)), Err(Rejection::ForeignKind { .. })));
    let open = world.opening(Kind::Run);
    let sleep = SleepStep { step: "a".into(), until: world.now, open };
    assert!(matches!(world.act(Act::Sleep(sleep)), Err(Rejection::ForeignKind { .. })));
    let open = world.opening(Kind::Run);
    let skip = Act::Skip { step: "a".into(), open };
    assert!(matches!(world.act(skip), Err(Rejection::ForeignKind { .. })));
    assert!(world.run.steps().is_empty());
}

/// §2: a skip is recorded with its reason and ends the step at once.
#[test]
fn a_skip_is_an_ended_step() {
    let mut world = World::held();
    let reason = raw("{\"reason\":\"gift\"}");
    let open = Opening { input: Some(&reason), ..world.opening(Kind::Skip) };
    gives(world.act(Act::Skip { step: "bill".into(), open }), &["settle bill skipped"]);
    let view = world.view();
    assert_eq!(view.steps[0].status, StepStatus::Skipped);
    assert_eq!(view.steps[0].input.unwrap().get(), "{\"reason\":\"gift\"}");
    assert!(view.steps[0].attempts.is_empty());
    assert_eq!(view.steps[0].completed_at, Some(T0));
}

/// §5.6: a step whose future the code drops is cancelled, and that is recorded; of whatever kind,
/// and also where nothing told of it before.
#[test]
fn a_dropped_step_is_cancelled() {
    let mut world = World::held();
    world.begin("a").unwrap();
    world.sleep("nap", seconds(60)).unwrap();
    gives(world.drop_step("a", Kind::Run), &["settle a cancelled"]);
    gives(world.act(Act::Drop { step: "nap".into(), open: None }), &["settle nap cancelled"]);
    gives(world.drop_step("new", Kind::Run), &["settle new cancelled"]);
    assert_eq!(world.run.next_timer(), None);
    let view = world.view();
    assert!(view.steps.iter().all(|step| step.status == StepStatus::Cancelled));
    assert_eq!(view.steps[0].attempts[0].status, "cancelled");
}

/// §2.2: lines are kept with their step, also those of a quick function that come before the only
/// record of their step; the handler's are the run's.
#[test]
fn lines_are_kept_with_their_step() {
    let line =
        |message: &'static str| LogLine { at: T0, level: "info".into(), message: message.into() };
    let mut world = World::held();
    world.act(Act::Log { step: Some("a".into()), lines: vec![line("early")] }).unwrap();
    world.complete("a").unwrap();
    world.act(Act::Log { step: Some("a".into()), lines: vec![line("late")] }).unwrap();
    world.act(Act::Log { step: None, lines: vec![line("handler")] }).unwrap();
    let view = world.view();
    let said = |lines: &[LogLine<'_>]| {
        lines.iter().map(|line| line.message.clone().into_owned()).collect::<Vec<_>>()
    };
    assert_eq!(said(&view.steps[0].logs), ["early", "late"]);
    assert_eq!(said(&view.logs), ["handler"]);
}
