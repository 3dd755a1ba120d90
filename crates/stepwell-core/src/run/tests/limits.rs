//! What is over a limit of §12.

use super::*;
use crate::record::BlockCause;

/// §12: a step beyond the limit blocks the run before it is recorded; the steps that are there go on.
#[test]
fn a_step_too_many_blocks_the_run() {
    type Say = fn(&mut World) -> Result<Vec<String>, Rejection>;
    let limits = Limits { steps_max: 2, ..Limits::default() };
    let says: [Say; 5] = [
        |w| w.begin("c"),
        |w| w.complete("c"),
        |w| w.sleep("c", seconds(1)),
        |w| w.skip("c"),
        |w| w.drop_step("c", Kind::Run),
    ];
    for say in says {
        let mut world = World::with(start(), limits.clone());
        world.activate().unwrap();
        world.begin("a").unwrap();
        world.begin("b").unwrap();
        gives(world.complete("a"), &["settle a completed"]);
        gives(say(&mut world), &["evict"]);
        assert_eq!(world.run.status(), RunStatus::Blocked);
        let Phase::Blocked { cause, .. } = world.run.phase() else { panic!("not blocked") };
        assert_eq!(*cause, BlockCause::StepsFull { limit: 2 });
        assert!(world.run.step("c").is_none());
        gives(world.cancel(), &["ended cancelled CancelledError"]);
    }
}

/// §12: a journal over its limit blocks the run, loses nothing, and the run can be cancelled.
#[test]
fn a_journal_over_its_limit_blocks_the_run() {
    let limits = Limits { journal_bytes_max: 900, ..Limits::default() };
    let mut world = World::with(start(), limits);
    world.activate().unwrap();
    let mut last = none();
    for step in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        last = world.complete(step).unwrap();
        if world.run.status() == RunStatus::Blocked {
            break;
        }
    }
    assert_eq!(last.len(), 2, "{last:?}");
    assert_eq!(last[1], "evict");
    assert_eq!(world.ends().len(), world.run.steps().len());
    let Phase::Blocked { cause: BlockCause::JournalFull { bytes, limit: 900 }, .. } =
        world.run.phase()
    else {
        panic!("{:?}", world.run.phase());
    };
    assert!(*bytes > 900);
    assert_eq!(world.run.journal_bytes(), world.journal.len() as u64);
    gives(world.cancel(), &["ended cancelled CancelledError"]);
}

/// §2.6, §12: a result over the limit fails the step at once, without another attempt, and says why.
#[test]
fn a_result_over_the_limit_fails_the_step() {
    let limits = Limits { payload_bytes_max: 10, ..Limits::default() };
    let mut world = World::with(start(), limits);
    world.activate().unwrap();
    let (fits, large) = (raw("\"12345678\""), raw("\"123456789\""));
    let mut end = world.end_step("fits");
    end.result = Ok(Some(&fits));
    gives(world.act(Act::EndStep(end)), &["settle fits completed"]);
    let mut end = world.end_step("large");
    end.result = Ok(Some(&large));
    gives(world.act(Act::EndStep(end)), &["settle large failed LimitError"]);
    let view = world.view();
    assert_eq!(
        view.steps[1].error.as_ref().unwrap().message,
        "the result of step `large` is refused: 11 bytes are over the limit of 10 bytes"
    );
    assert!(view.steps[1].output.is_none());
    drop(view);
    let finish = Act::Finish(Finish::Completed(Some(&large)));
    gives(world.act(finish), &["ended failed LimitError"]);
}
