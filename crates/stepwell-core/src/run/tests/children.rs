//! Children: their starts, their ends, and what becomes of them when their parent ends.

use super::*;

fn id(number: u128) -> RunId {
    RunId::from_u128(number)
}

impl World {
    fn invoke(&mut self, step: &str, child: u128) -> Result<Vec<String>, Rejection> {
        let child = Ok(Child { id: id(child), app: "shop", workflow: "ship" });
        let open = self.opening(Kind::Invoke);
        self.act(Act::Invoke(InvokeStep { step: step.into(), open, child }))
    }

    fn hear(&mut self, step: &str, child: u128, status: RunStatus) -> Vec<String> {
        let output = raw("[7]");
        let failed = status != RunStatus::Completed;
        let ended = ChildEnded {
            step,
            child: id(child),
            run: id(child + 100),
            status,
            output: Some(&output).filter(|_| !failed).map(|raw| &**raw),
            error: failed.then(|| Failure::new("Oops", "no stock")),
        };
        self.apply(Command::ChildEnded(ended)).unwrap()
    }

    /// A run that waits for two children and is held.
    fn parent() -> Self {
        let mut world = Self::held();
        gives(world.invoke("a", 1), &[]);
        gives(world.invoke("b", 2), &[]);
        world
    }
}

/// §9.2, §3.4: the choice is recorded, the step waits, and saying it again starts no other child.
#[test]
fn an_invoke_records_its_child_once_and_waits() {
    let mut world = World::held();
    gives(world.invoke("a", 1), &[]);
    gives(world.invoke("a", 9), &[]);
    assert_eq!(world.status("a"), StepStatus::Waiting);
    assert_eq!(world.run.child_of("a"), Some(id(1)));
    let view = world.view();
    let child = view.steps[0].child.as_ref().unwrap();
    assert_eq!((child.run, &*child.app, &*child.workflow), (id(1), "shop", "ship"));
    assert_eq!(world.records(), ["started", "activated", "childStarted"]);
}

/// §3.2: a run that waits for a child is parked, and its child's end makes it ready.
#[test]
fn a_childs_end_wakes_its_parent() {
    let mut world = World::parent();
    world.release().unwrap();
    assert_eq!((world.run.status(), world.run.ready_since()), (RunStatus::Waiting, None));
    world.pass(seconds(5));
    assert_eq!(world.hear("a", 1, RunStatus::Completed), none());
    assert_eq!(world.run.ready_since(), Some(world.now));
    assert_eq!(world.view().steps[0].output.unwrap().get(), "[7]");
    assert_eq!(world.run.children().collect::<Vec<_>>(), [id(2)]);
}

/// §9.3: each way of a child to end has its way of being thrown, with the run and its error.
#[test]
fn a_childs_end_settles_the_step_that_waits() {
    let cases = [
        (RunStatus::Completed, "settle a completed"),
        (RunStatus::Failed, "settle a failed ChildFailedError"),
        (RunStatus::Cancelled, "settle a failed ChildCancelledError"),
        (RunStatus::TimedOut, "settle a timed_out ChildTimeoutError"),
    ];
    for (status, effect) in cases {
        let mut world = World::parent();
        assert_eq!(world.hear("a", 1, status), [effect]);
        let view = world.view();
        let Some(error) = &view.steps[0].error else { continue };
        assert_eq!(error.run, Some(id(101)), "{status}");
        let cause: Failure<'_> = serde_json::from_str(error.cause.as_ref().unwrap().get()).unwrap();
        assert_eq!(cause.message, "no stock");
        assert_eq!(error.message.contains("no stock"), status == RunStatus::Failed);
    }
}

/// §9.3: what is told again, of another child, or to a step that does not wait changes nothing.
#[test]
fn a_childs_end_is_heard_once() {
    let mut world = World::parent();
    world.hear("a", 1, RunStatus::Completed);
    assert_eq!(world.hear("a", 1, RunStatus::Failed), none());
    assert_eq!(world.hear("b", 3, RunStatus::Completed), none());
    assert_eq!(world.hear("c", 2, RunStatus::Completed), none());
    assert_eq!(world.ends(), ["a"]);
}

/// §9.2: a child that cannot start fails its step at once, with the reason.
#[test]
fn an_invoke_that_finds_nothing_fails_at_once() {
    let mut world = World::held();
    let failure = Failure::new("ChildFailedError", "no runner has ever registered `ship`");
    let open = world.opening(Kind::Invoke);
    let invoke = InvokeStep { step: "a".into(), open, child: Err(failure) };
    gives(world.act(Act::Invoke(invoke)), &["settle a failed ChildFailedError"]);
    assert_eq!(world.run.children().count(), 0);
}

/// §12: a child below the deepest level is refused.
#[test]
fn children_are_nested_so_deep() {
    let at = |depth| Start { origin: Origin { depth, ..Origin::default() }, ..start() };
    let mut deepest = World::with(at(31), Limits::default());
    deepest.activate().unwrap();
    gives(deepest.invoke("a", 1), &[]);
    let mut below = World::with(at(32), Limits::default());
    below.activate().unwrap();
    gives(below.invoke("a", 1), &["settle a failed LimitError"]);
    assert!(below.view().steps[0].error.as_ref().unwrap().message.contains("32"));
}

/// §5.6: a child whose step is dropped, or whose parent's handler returned, is cancelled.
#[test]
fn what_nobody_waits_for_is_cancelled() {
    let mut world = World::parent();
    let dropped = world.act(Act::Drop { step: "a".into(), open: None });
    gives(dropped, &["cancel 1", "settle a cancelled"]);
    assert_eq!(world.hear("a", 1, RunStatus::Cancelled), none());
    gives(world.finish(), &["cancel 2", "ended completed"]);
    assert_eq!(world.status("b"), StepStatus::Cancelled);
}

/// §7.2: a parent whose end is decided ends after its children.
#[test]
fn an_ending_run_awaits_its_children() {
    let mut world = World::parent();
    world.release().unwrap();
    gives(world.cancel(), &["cancel 1", "cancel 2"]);
    assert_eq!((world.run.status(), world.run.next_timer()), (RunStatus::Compensating, None));
    assert_eq!(world.run.ready_since(), None);
    gives(world.cancel(), &[]);
    assert_eq!(world.hear("a", 1, RunStatus::Cancelled), none());
    assert_eq!(world.run.status(), RunStatus::Compensating);
    world.pass(seconds(100));
    assert_eq!(world.hear("b", 2, RunStatus::Completed), ["ended cancelled CancelledError"]);
    assert_eq!(world.status("a"), StepStatus::Cancelled);
    assert_eq!(world.status("b"), StepStatus::Completed);
}

/// §7.2: the runner of an ending run is let go when its functions have ended; children are awaited after
/// that. One whose functions do not end keeps the run until its children have ended.
#[test]
fn an_ending_run_parts_from_its_runner_before_its_children_end() {
    let mut world = World::parent();
    world.begin("f").unwrap();
    gives(world.cancel(), &["cancel 1", "cancel 2", "end cancelled"]);
    gives(world.finish(), &["forget"]);
    assert!(world.run.activation().is_none());
    assert_eq!(world.status("f"), StepStatus::Cancelled);
    assert_eq!(world.finish().unwrap_err(), Rejection::Fenced(1));
    for (step, child) in [("a", 1), ("b", 2)] {
        world.hear(step, child, RunStatus::Cancelled);
    }
    assert_eq!(world.run.status(), RunStatus::Cancelled);

    let mut slow = World::parent();
    slow.cancel().unwrap();
    slow.pass(seconds(30));
    assert_eq!((slow.run.next_timer(), slow.fire()), (None, none()));
    assert_eq!(slow.run.status(), RunStatus::Compensating);
    assert_eq!(slow.hear("a", 1, RunStatus::Cancelled), ["settle a cancelled"]);
    let ended = ["settle b cancelled", "ended cancelled CancelledError", "evict"];
    assert_eq!(slow.hear("b", 2, RunStatus::Cancelled), ended);
}

/// §7.2: an ending run whose runner is lost still awaits its children, and wants no other runner.
#[test]
fn an_ending_run_that_is_lost_awaits_its_children() {
    let mut world = World::parent();
    world.cancel().unwrap();
    world.lose(true).unwrap();
    assert_eq!((world.run.status(), world.run.ready_since()), (RunStatus::Compensating, None));
    assert_eq!(world.activate().unwrap_err(), Rejection::NotReady);
}

/// §7.7: a run times out at its parent's deadline at the latest.
#[test]
fn a_child_has_no_more_time_than_its_parent() {
    let with = |timeout: Option<u64>, deadline: Option<u64>| {
        let deadline = deadline.map(|s| T0.after(seconds(s)));
        let origin = Origin { deadline, ..Origin::default() };
        let world = World::with(
            Start { timeout: timeout.map(seconds), origin, ..start() },
            Limits::default(),
        );
        world.run.deadline().map(|at| at.since(T0).as_secs())
    };
    assert_eq!(with(Some(9), Some(5)), Some(5));
    assert_eq!(with(Some(5), Some(9)), Some(5));
    assert_eq!(with(None, Some(9)), Some(9));
    assert_eq!(with(Some(5), None), Some(5));
}

/// §7.6, §7.7: a terminated run ends at once, and its children are cancelled; once.
#[test]
fn a_terminated_run_cancels_its_children() {
    let operate = Operate { act: Operation::Terminate, by: None, reason: None };
    let mut world = World::parent();
    gives(
        world.apply(Command::Operate(operate)),
        &["cancel 1", "cancel 2", "ended cancelled CancelledError", "evict"],
    );
    let mut told = World::parent();
    told.cancel().unwrap();
    let effects = told.apply(Command::Operate(operate));
    gives(effects, &["ended cancelled CancelledError", "evict"]);
}

/// §9.6: a child's end reaches a paused parent, which goes on with it at its resume.
#[test]
fn a_childs_end_reaches_a_paused_or_blocked_parent() {
    let mut world = World::parent();
    world.release().unwrap();
    let operate = |act| Command::Operate(Operate { act, by: None, reason: None });
    world.apply(operate(Operation::Pause)).unwrap();
    world.hear("a", 1, RunStatus::Completed);
    assert_eq!((world.status("a"), world.run.ready_since()), (StepStatus::Completed, None));
    world.apply(operate(Operation::Resume)).unwrap();
    assert!(world.run.ready_since().is_some());

    let mut blocked = World::parent();
    let cause = record::BlockCause::Engine { message: "test".into() };
    blocked.act(Act::Block(cause)).unwrap();
    assert_eq!(blocked.hear("a", 1, RunStatus::Completed), none());
    assert_eq!(blocked.status("a"), StepStatus::Completed);
}

/// §2.3: a run that another goes on with completes; it says which, and the other says from where.
#[test]
fn a_run_goes_on_as_another() {
    let mut world = World::parent();
    let finish = Act::Finish(Finish::Continued { by: id(5) });
    gives(world.act(finish), &["cancel 1", "cancel 2", "continued 5"]);
    assert_eq!(world.run.status(), RunStatus::Completed);
    assert_eq!(world.run.continued_as(), Some(id(5)));
    assert_eq!(world.view().continued_as, Some(id(5)));

    let parent = Some(record::Parent { run: id(1), step: "a".into() });
    let continues = Some(record::Continues { from: id(7), first: id(6) });
    let origin = Origin { parent: parent.clone(), continues, depth: 3, ..Origin::default() };
    let next = World::with(Start { origin, ..start() }, Limits::default());
    assert_eq!(next.run.first_of_chain(), id(6));
    assert_eq!((next.run.parent(), next.run.depth()), (parent.as_ref(), 3));
    let view = next.view();
    assert_eq!((view.continued_from, view.parent), (Some(id(7)), parent));
    assert_eq!(Summary::of(&next.run).parent, Some(id(1)));
}
