//! Runs that end badly: what is taken back, who is told, and handlers that run again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use stepwell::test::{Test, TestRun, crash_everywhere};
use stepwell::{
    App, Ctx, Data, Error, Result, Retry, RunFailure, RunStatus, StepStatus, WorkflowOptions,
};

/// What the world outside was asked for, in order.
#[derive(Clone, Default)]
struct World(Arc<Mutex<Vec<String>>>);

impl World {
    fn does(&self, what: impl Into<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(what.into());
    }

    fn done(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn trip(ctx: Ctx, Data(world): Data<World>, fails: bool) -> Result<u32> {
    for (id, price) in [("flight", 300), ("hotel", 200), ("car", 100)] {
        let undo = World::clone(&world);
        let booked = ctx.run(id, || async { Ok(price) }).compensate(move |price: u32| {
            let undo = undo.clone();
            async move {
                undo.does(format!("{id} back: {price}"));
                Ok(())
            }
        });
        booked.await?;
    }
    ctx.sleep("think", "1h").await?;
    let pay =
        ctx.run("pay", || async { if fails { Err(Error::terminal("no money")) } else { Ok(600) } });
    pay.await
}

async fn sorry(ctx: Ctx, Data(world): Data<World>, failure: RunFailure) -> Result<()> {
    let steps: Vec<&str> = failure.completed_steps.iter().map(|step| &*step.id).collect();
    let first: u32 = failure.completed_steps[0].output()?;
    assert_eq!(failure.run.id, ctx.run_id());
    let (status, error) = (failure.run.status, &failure.error.message);
    world.does(format!("{status}: {error}; {} had {first}", steps.join(" ")));
    Ok(())
}

fn agency(options: WorkflowOptions) -> (App, World) {
    let world = World::default();
    let app = App::new("agency").data(world.clone());
    (app.workflow_with("trip", trip, options.on_failure(sorry)), world)
}

/// §7.3: a child that completed is taken back with what it returned; one that failed is not.
#[test]
fn a_child_is_taken_back() {
    async fn parcel(_: Ctx, to: String) -> Result<String> {
        match &*to {
            "nowhere" => Err(Error::terminal("no such place")),
            to => Ok(format!("parcel to {to}")),
        }
    }
    async fn order(ctx: Ctx, Data(world): Data<World>) -> Result<()> {
        for to in ["Rome", "nowhere"] {
            let undo = World::clone(&world);
            let sent = ctx.invoke(to, "parcel").input(to).compensate(move |sent: String| {
                undo.does(format!("{sent} comes back"));
                async { Ok(()) }
            });
            sent.await?;
        }
        Ok(())
    }
    let depot = |world: &World| {
        let app = App::new("depot").data(world.clone());
        app.workflow("parcel", parcel).workflow("order", order)
    };
    let world = World::default();
    let mut test = Test::new(depot(&world)).unwrap();
    let run = test.start("order", ()).unwrap();
    assert_eq!(run.status().unwrap(), RunStatus::Failed);
    assert_eq!(world.done(), ["parcel to Rome comes back"]);
    let same = crash_everywhere(
        || depot(&World::default()),
        |test| {
            let run = test.start("order", ())?;
            test.advance(Duration::from_mins(10));
            assert_eq!(run.status()?, RunStatus::Failed);
            Ok(())
        },
    );
    assert!(same.unwrap().points().any(|point| point.contains("compensate Rome")));
}

fn statuses(run: &TestRun) -> Vec<(String, StepStatus)> {
    run.steps().unwrap().into_iter().map(|step| (step.id, step.status)).collect()
}

/// §7.1, §7.3, §7.4: what completed is taken back, the last first, each with its result; then the
/// workflow is told, and the run ends as it was decided.
#[test]
fn a_failed_run_is_taken_back() {
    let (app, world) = agency(WorkflowOptions::new());
    let mut test = Test::new(app).unwrap();
    let run = test.start("trip", true).unwrap();
    test.advance(Duration::from_hours(1));
    let error = run.output::<u32>().unwrap_err();
    assert!(error.message().contains("no money"), "{error}");
    assert_eq!(run.status().unwrap(), RunStatus::Failed);
    let told =
        "failed: step `pay` failed after 1 attempt: no money; flight hotel car think had 300";
    assert_eq!(world.done(), ["car back: 100", "hotel back: 200", "flight back: 300", told]);
    let steps = statuses(&run);
    let made: Vec<&str> = steps[5..].iter().map(|(id, _)| &**id).collect();
    assert_eq!(made, ["compensate car", "compensate hotel", "compensate flight", "onFailure"]);
    assert!(steps[5..].iter().all(|(_, status)| *status == StepStatus::Completed), "{steps:?}");
}

/// §7.3, §7.4: a run that completes takes nothing back and tells nobody.
#[test]
fn a_run_that_completes_takes_nothing_back() {
    let (app, world) = agency(WorkflowOptions::new());
    let mut test = Test::new(app).unwrap();
    let run = test.start("trip", false).unwrap();
    test.advance(Duration::from_hours(1));
    assert_eq!(run.output::<u32>().unwrap(), 600);
    assert!(world.done().is_empty());
}

/// §7.3, §7.4: a cancelled run is taken back only where the workflow says so.
#[test]
fn a_cancelled_run_is_taken_back_where_its_workflow_says_so() {
    for (options, done) in
        [(WorkflowOptions::new(), 0), (WorkflowOptions::new().compensate_on_cancel(), 4)]
    {
        let (app, world) = agency(options);
        let mut test = Test::new(app).unwrap();
        let run = test.start("trip", true).unwrap();
        test.cancel(&run, Some("changed my mind")).unwrap();
        test.advance(Duration::from_secs(5));
        assert_eq!(run.status().unwrap(), RunStatus::Cancelled);
        assert_eq!(world.done().len(), done, "{:?}", world.done());
    }
}

/// §7.1, §7.6: a run that times out is taken back, after its deadline.
#[test]
fn a_run_that_times_out_is_taken_back() {
    let (app, world) = agency(WorkflowOptions::new().timeout("10m"));
    let mut test = Test::new(app).unwrap();
    let run = test.start("trip", true).unwrap();
    test.advance(Duration::from_mins(11));
    assert_eq!(run.status().unwrap(), RunStatus::TimedOut);
    assert_eq!(world.done().len(), 4, "{:?}", world.done());
}

/// §7.5, §4.2: wherever the process dies, at each attempt of what is taken back too, all comes out the
/// same, and nothing that was saved is done again.
#[test]
fn a_clean_up_comes_out_the_same_wherever_its_process_dies() {
    let app = || agency(WorkflowOptions::new()).0;
    let report = crash_everywhere(app, |test| {
        let run = test.start("trip", true)?;
        test.advance(Duration::from_hours(2));
        assert_eq!(run.status()?, RunStatus::Failed);
        Ok(())
    });
    let report = report.unwrap();
    let made = report.points().filter(|point| point.contains("compensate")).count();
    // Four functions, what takes three of them back, the sleep and the one that is told.
    assert_eq!((made, report.crash_points()), (3 * 4, 8 * 4 + 2), "{report}");
}

/// §7.3: a compensation is tried again, by the virtual clock; one that fails for good does not stop the
/// others.
#[test]
fn a_compensation_that_fails_does_not_stop_the_others() {
    let (app, world) = agency(WorkflowOptions::new());
    let mut test = Test::new(app).unwrap();
    let mock = test.mock_step("compensate hotel", |_| Err::<(), _>(Error::new("nobody answers")));
    let run = test.start("trip", true).unwrap();
    test.advance(Duration::from_hours(1));
    assert_eq!(run.status().unwrap(), RunStatus::Compensating);
    assert_eq!(mock.calls(), 1);
    test.advance(Duration::from_mins(1));
    assert_eq!(mock.calls(), 4);
    assert_eq!(run.status().unwrap(), RunStatus::Failed);
    assert_eq!(run.step("compensate hotel").unwrap().status, StepStatus::Failed);
    assert_eq!(world.done()[..2], ["car back: 100", "flight back: 300"]);
}

/// §7.2: a function that does not return in time is told as uncertain, or taken back as unknown where
/// the code can.
#[test]
fn what_nobody_knows_is_told_or_taken_back() {
    async fn flow(ctx: Ctx, Data(world): Data<World>) -> Result<()> {
        let hangs = || std::future::pending::<Result<u32>>();
        let told = ctx.run("told", hangs).compensate(|_| async { Ok(()) });
        let undo = World::clone(&world);
        let taken = ctx.run("taken", hangs).compensate_unknown(move |step| {
            undo.does(step.compensated_key().map_or_else(String::new, |key| {
                key.rsplit_once(':').map_or_else(String::new, |(_, id)| id.to_owned())
            }));
            async { Ok(()) }
        });
        tokio::try_join!(told, taken)?;
        Ok(())
    }
    async fn told(_: Ctx, Data(world): Data<World>, failure: RunFailure) -> Result<()> {
        world.does(format!("uncertain: {}", failure.uncertain_steps.join(" ")));
        Ok(())
    }
    let world = World::default();
    let options = WorkflowOptions::new().timeout("1m").on_failure(told);
    let app = App::new("shop").data(world.clone()).workflow_with("flow", flow, options);
    let mut test = Test::new(app).unwrap();
    test.patience(Duration::from_millis(20));
    let run = test.start("flow", ()).unwrap();
    test.advance(Duration::from_mins(3));
    assert_eq!(run.status().unwrap(), RunStatus::TimedOut, "{:?}", statuses(&run));
    assert_eq!(world.done(), ["taken", "uncertain: told"]);
}

/// §7.5: what the code no longer reaches blocks the run.
#[test]
fn closures_that_are_not_reached_block_the_run() {
    async fn flow(ctx: Ctx, Data(world): Data<World>) -> Result<()> {
        let first = world.done().is_empty();
        world.does("handler");
        if first {
            let step = ctx.run("book", || async { Ok(1) }).compensate(|_| async { Ok(()) });
            step.await?;
        }
        Err(Error::terminal("no"))
    }
    let app = App::new("shop").data(World::default()).workflow("flow", flow);
    let mut test = Test::new(app).unwrap();
    let run = test.start("flow", ()).unwrap();
    test.advance(Duration::from_secs(5));
    assert_eq!(run.status().unwrap(), RunStatus::Blocked);
}

/// §6.5: the handler runs again; what completed keeps its result, the others begin anew, and nothing is
/// taken back before the last time.
#[test]
fn a_handler_runs_again_and_keeps_what_completed() {
    async fn flow(ctx: Ctx, Data(world): Data<World>, succeeds_at: usize) -> Result<u32> {
        let undo = World::clone(&world);
        let booked = ctx.run("book", || async {
            world.does("book");
            Ok(1)
        });
        let booked: u32 = booked
            .compensate(move |_| {
                undo.does("back");
                async { Ok(()) }
            })
            .await?;
        let pay = ctx.run("pay", || async {
            world.does("pay");
            let paid = world.done().iter().filter(|one| *one == "pay").count();
            if paid < succeeds_at { Err(Error::terminal("no")) } else { Ok(2) }
        });
        let paid: u32 = pay.await?;
        Ok(booked + paid)
    }
    for (succeeds_at, expected, status) in [
        (2, vec!["book", "pay", "pay"], RunStatus::Completed),
        (9, vec!["book", "pay", "pay", "pay", "back"], RunStatus::Failed),
    ] {
        let world = World::default();
        let options = WorkflowOptions::new().retry(Retry::constant(3, "1m"));
        let app = App::new("shop").data(world.clone()).workflow_with("flow", flow, options);
        let mut test = Test::new(app).unwrap();
        let run = test.start("flow", succeeds_at).unwrap();
        assert_eq!(run.status().unwrap(), RunStatus::Waiting);
        test.advance(Duration::from_mins(3));
        assert_eq!(run.status().unwrap(), status);
        assert_eq!(world.done(), expected);
    }
}

/// Books something that can be taken back.
async fn book(ctx: &Ctx, world: &World, id: &'static str) -> Result<()> {
    let undo = world.clone();
    let booked = ctx.run(id, || async { Ok(()) });
    let booked = booked.compensate(move |()| {
        undo.does(format!("{id} back"));
        async { Ok(()) }
    });
    booked.await
}

/// The branch `quick` wins after so many hours, if that is before the deadline.
async fn offers(ctx: Ctx, Data(world): Data<World>, hours: u64) -> Result<()> {
    let world = &*world;
    let race = ctx
        .race("offers")
        .branch("quick", |ctx| async move {
            book(&ctx, world, "first").await?;
            ctx.sleep("answer", Duration::from_hours(hours)).await?;
            book(&ctx, world, "second").await
        })
        .branch("deep", |ctx| async move {
            let inner = ctx.race("inner").branch("one", |ctx| async move {
                ctx.sleep("a minute", "1m").await?;
                book(&ctx, world, "third").await?;
                ctx.sleep("a day", "1d").await
            });
            inner.await.map(drop)
        });
    race.await?;
    book(&ctx, world, "fourth").await?;
    Err(Error::terminal("no"))
}

fn broker() -> (App, World) {
    let world = World::default();
    let options = WorkflowOptions::new().timeout("3h").compensate_on_cancel();
    (App::new("broker").data(world.clone()).workflow_with("offers", offers, options), world)
}

/// §5.5, §7.5: what completed in the branches of a race is taken back: in the one that won, in those that
/// lost, and in the races inside of them.
#[test]
fn what_completed_in_the_branches_of_a_race_is_taken_back() {
    let (app, world) = broker();
    let mut test = Test::new(app).unwrap();
    let run = test.start("offers", 1).unwrap();
    test.advance(Duration::from_mins(65));
    assert_eq!(run.status().unwrap(), RunStatus::Failed, "{:?}", statuses(&run));
    assert_eq!(world.done(), ["fourth back", "second back", "third back", "first back"]);
}

/// §5.5, §7.5: the same where the end of the run finds the race open.
#[test]
fn what_completed_in_a_race_that_nobody_won_is_taken_back() {
    for cancels in [true, false] {
        let (app, world) = broker();
        let mut test = Test::new(app).unwrap();
        let run = test.start("offers", 9).unwrap();
        test.advance(Duration::from_hours(1));
        if cancels {
            test.cancel(&run, None).unwrap();
        }
        test.advance(Duration::from_hours(3));
        let status = if cancels { RunStatus::Cancelled } else { RunStatus::TimedOut };
        assert_eq!(run.status().unwrap(), status, "{:?}", statuses(&run));
        assert_eq!(world.done(), ["third back", "first back"]);
        assert_eq!(run.step("offers").unwrap().status, StepStatus::Cancelled);
    }
}

/// §5.5, §7.5, §4.2: wherever the process dies.
#[test]
fn branches_are_taken_back_wherever_their_process_dies() {
    for (hours, status, taken_back) in [(1, RunStatus::Failed, 4), (9, RunStatus::TimedOut, 2)] {
        let report = crash_everywhere(
            || broker().0,
            |test| {
                let run = test.start("offers", hours)?;
                test.advance(Duration::from_hours(6));
                assert_eq!(run.status()?, status);
                Ok(())
            },
        );
        let report = report.unwrap();
        let made = report.points().filter(|point| point.contains("compensate")).count();
        assert_eq!(made, taken_back * 4, "{report}");
    }
}
