//! Races (§2, §5.5).

use super::*;
use crate::record::Branch;

impl World {
    fn race(&mut self, race: &str, of: Option<&str>) -> Result<Vec<String>, Rejection> {
        let open = self.in_branch(Kind::Race, of);
        self.act(Act::StartRace { step: race.into(), open })
    }

    fn in_branch<'a>(&self, kind: Kind, race: Option<&'a str>) -> Opening<'a> {
        let branch = race.map(|race| Branch { race: race.into(), name: "one".into() });
        Opening { branch, ..self.opening(kind) }
    }

    fn sleep_in(&mut self, step: &str, race: &str) -> Result<Vec<String>, Rejection> {
        let (until, open) = (self.now.after(seconds(60)), self.in_branch(Kind::Sleep, Some(race)));
        self.act(Act::Sleep(SleepStep { step: step.into(), until, open }))
    }

    fn win(&mut self, race: &str) -> Result<Vec<String>, Rejection> {
        let output = raw(r#"{"winner":"one","value":1}"#);
        let (step, at) = (race.into(), self.now);
        self.act(Act::EndRace(EndRace { step, at, result: Ok(Some(&output)) }))
    }
}

/// §5.5: with the end of a race everything that its branches have open is cancelled, in one commit.
#[test]
fn losers_are_cancelled_with_the_end() {
    let mut world = World::held();
    gives(world.race("race", None), &[]);
    world.sleep_in("nap", "race").unwrap();
    world.race("inner", Some("race")).unwrap();
    world.sleep_in("deep", "inner").unwrap();
    world.sleep("outside", seconds(60)).unwrap();
    gives(
        world.win("race"),
        &[
            "settle race completed",
            "settle nap cancelled",
            "settle inner cancelled",
            "settle deep cancelled",
        ],
    );
    assert_eq!(world.status("outside"), StepStatus::Sleeping);
    // A second winner changes nothing, and neither does what its losers say late.
    gives(world.win("race"), &[]);
    gives(world.win("inner"), &[]);
    // What they began before they knew is recorded, and ends with that.
    gives(world.sleep_in("late", "race"), &["settle late cancelled"]);
    gives(world.sleep_in("late", "race"), &[]);
    assert_eq!(world.ends(), ["race", "nap", "inner", "deep", "late"]);
}

/// §7.2, §5.5: in a run that is ending a race may still be won; its branches' children are told already,
/// and their ends are awaited.
#[test]
fn an_ending_run_awaits_the_children_of_lost_branches() {
    let mut world = World::held();
    world.race("race", None).unwrap();
    world.sleep_in("nap", "race").unwrap();
    let number = RunId::from_u128;
    let child = Ok(Child { id: number(1), app: "shop", workflow: "ship" });
    let open = world.in_branch(Kind::Invoke, Some("race"));
    world.act(Act::Invoke(InvokeStep { step: "child".into(), open, child })).unwrap();
    gives(world.cancel(), &["cancel 1", "end cancelled"]);
    gives(world.win("race"), &["settle race completed"]);
    assert_eq!(world.status("nap"), StepStatus::Cancelled);
    gives(world.finish(), &["forget"]);
    assert_eq!(world.run.status(), RunStatus::Compensating);
    let (status, output, error) = (RunStatus::Cancelled, None, None);
    let (step, child, run) = ("child", number(1), number(1));
    let ended = ChildEnded { step, child, run, status, output, error };
    gives(world.apply(Command::ChildEnded(ended)), &["ended cancelled CancelledError"]);
    assert_eq!(world.status("child"), StepStatus::Cancelled);
}

/// §5.5: a race goes on wherever its run does.
#[test]
fn a_race_goes_on_after_a_loss() {
    let mut world = World::held();
    world.race("race", None).unwrap();
    world.sleep_in("nap", "race").unwrap();
    world.lose(true).unwrap();
    world.activate().unwrap();
    assert_eq!(world.status("race"), StepStatus::Running);
    gives(world.race("race", None), &[]);
    assert_eq!(world.win("race").unwrap().len(), 2);
}

/// §5.6: a race that code drops is cancelled with its branches.
#[test]
fn a_dropped_race_leaves_nothing_open() {
    let mut world = World::held();
    world.race("race", None).unwrap();
    world.sleep_in("nap", "race").unwrap();
    world.act(Act::Drop { step: "race".into(), open: None }).unwrap();
    assert_eq!(world.status("race"), StepStatus::Cancelled);
    assert_eq!(world.status("nap"), StepStatus::Cancelled);
}

/// §2.6, §12: a winner's value that is over the limit fails the race.
#[test]
fn a_value_over_the_limit_fails_the_race() {
    let limits = Limits { payload_bytes_max: 10, ..Limits::default() };
    let mut world = World::with(start(), limits);
    world.activate().unwrap();
    world.race("race", None).unwrap();
    gives(world.win("race"), &["settle race failed LimitError"]);
}

/// §9.8, §5.5: a race that lost with the branch that it stood in is met again by the code of a fork,
/// and so is what had completed in it.
#[test]
fn a_fork_knows_the_races_that_were_lost() {
    let mut world = World::held();
    world.race("outer", None).unwrap();
    world.race("inner", Some("outer")).unwrap();
    let open = world.in_branch(Kind::Skip, Some("inner"));
    world.act(Act::Skip { step: "deep".into(), open }).unwrap();
    world.race("idle", Some("outer")).unwrap();
    world.win("outer").unwrap();
    world.complete("after").unwrap();
    let forked = |from: &str| {
        let (by, reason, input, timeout) = (None, None, None, None);
        let (source, journal) = (world.run.id(), &world.journal[..]);
        let from = From::Step(from);
        let fork = Fork { source, journal, from, input, outputs: &[], timeout, by, reason };
        let mut out = Outcome::default();
        let env = Env { now: world.now, entropy: 0, limits: &world.limits };
        let run = Run::fork(RunId::new(T0, 8), &fork, env, &mut out).unwrap();
        let kept = run.steps().iter().map(|step| (String::from(&*step.id), step.status));
        kept.collect::<Vec<_>>()
    };
    let (skipped, lost) = (StepStatus::Skipped, StepStatus::Cancelled);
    let kept = [("deep", skipped), ("outer", StepStatus::Completed), ("inner", lost)];
    assert_eq!(forked("after"), kept.map(|(step, status)| (step.into(), status)));
    // Before its end, the races go on in the fork.
    assert_eq!(forked("idle"), [("deep".into(), skipped)]);
}
