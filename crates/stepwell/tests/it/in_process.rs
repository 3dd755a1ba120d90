//! `stepwell::test`: the node, a process and time, as tests of workflows use them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use stepwell::test::{CrashAt, Test};
use stepwell::{App, Ctx, Data, Error, ErrorKind, Result, Retry, RunStatus, StepStatus};

/// How often functions were called.
#[derive(Clone, Default)]
struct Calls(Arc<AtomicU32>);

impl Calls {
    fn add(&self) -> u32 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn count(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

async fn order(ctx: Ctx, Data(calls): Data<Calls>, cents: u32) -> Result<String> {
    let charge = || async {
        calls.add();
        Ok(format!("paid {cents}"))
    };
    let receipt: String = ctx.run("charge", charge).await?;
    ctx.sleep("a day", "1 day").await?;
    ctx.run("ship", || async { Ok(format!("shipped, {receipt}")) }).await
}

fn shop() -> (App, Calls) {
    let calls = Calls::default();
    (App::new("shop").data(calls.clone()).workflow("order", order), calls)
}

/// §4.5, §9.2: sleeps end when the virtual clock says so, not before, and at no cost of real time.
#[test]
fn time_passes_when_the_test_says_so() {
    let begun = Instant::now();
    let mut test = Test::new(shop().0).unwrap();
    let run = test.start("order", 5).unwrap();
    let error = run.output::<String>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WaitTimeout);
    assert!(error.message().contains("step `a day` is sleeping"), "{error}");
    test.advance(Duration::from_secs(24 * 3_600 - 1));
    assert_eq!(run.step("a day").unwrap().status, StepStatus::Sleeping);
    assert_eq!(run.status().unwrap(), RunStatus::Waiting);
    test.advance(Duration::from_secs(1));
    assert_eq!(run.output::<String>().unwrap(), "shipped, paid 5");
    let steps: Vec<String> = run.steps().unwrap().into_iter().map(|step| step.id).collect();
    assert_eq!(steps, ["charge", "a day", "ship"]);
    assert_eq!(run.step("charge").unwrap().output::<String>().unwrap(), "paid 5");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

/// §2.2: years pass; nobody exchanges pings for a process that holds nothing.
#[test]
fn years_pass_in_no_time() {
    async fn patient(ctx: Ctx) -> Result<()> {
        for year in 1..=10 {
            ctx.sleep(format!("year {year}"), "365 days").await?;
        }
        Ok(())
    }
    let begun = Instant::now();
    let mut test = Test::new(App::new("shop").workflow("patient", patient)).unwrap();
    let run = test.start("patient", ()).unwrap();
    let before = test.now();
    test.advance(Duration::from_hours(24 * 3_650));
    assert_eq!(test.now().since(before), Duration::from_hours(24 * 3_650));
    assert_eq!(run.status().unwrap(), RunStatus::Completed);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

/// §6.1: attempts are tried again by the virtual clock; a mock stands in for each of them.
#[test]
fn a_mock_gives_results_and_errors() {
    async fn flow(ctx: Ctx) -> Result<String> {
        let never = || async { Err(Error::terminal("the real function was called")) };
        ctx.run_input("charge", json!({ "cents": 5 }), |_| never())
            .retry(Retry::constant(3, "1h"))
            .await
    }
    let mut test = Test::new(App::new("shop").workflow("flow", flow)).unwrap();
    let mock = test.mock_step("charge", |call| {
        assert_eq!((call.step(), call.workflow()), ("charge", "flow"));
        assert_eq!(call.input::<serde_json::Value>()?, json!({ "cents": 5 }));
        if call.attempt() < 3 { Err(Error::new("busy")) } else { Ok("paid".to_owned()) }
    });
    let run = test.start("flow", ()).unwrap();
    assert_eq!(mock.calls(), 1);
    assert_eq!(run.step("charge").unwrap().status, StepStatus::Retrying);
    test.advance(Duration::from_hours(1));
    assert_eq!(mock.calls(), 2);
    test.advance(Duration::from_hours(1));
    assert_eq!(run.output::<String>().unwrap(), "paid");
    assert_eq!(run.step("charge").unwrap().attempts, 3);
}

/// §2.6: what a mock gives has to read as what the function would give.
#[test]
fn a_mock_of_another_type_fails_its_step() {
    let mut test = Test::new(shop().0).unwrap();
    test.mock_step("charge", |_| Ok(7));
    let run = test.start("order", 5).unwrap();
    let error = run.output::<String>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RunFailed);
    assert!(error.message().contains("the mock of step `charge`"), "{error}");
}

/// A blocking function is stood in for as well.
#[test]
fn a_mock_stands_in_for_a_function_that_blocks() {
    async fn flow(ctx: Ctx) -> Result<u32> {
        ctx.run_blocking("hash", |_| Ok(1)).await
    }
    let app = || App::new("shop").workflow("flow", flow);
    let mut test = Test::new(app()).unwrap();
    let real = test.start("flow", ()).unwrap();
    assert_eq!(real.output::<u32>().unwrap(), 1);
    test.mock_step("hash", |_| Ok(2));
    let mocked = test.start("flow", ()).unwrap();
    assert_eq!(mocked.output::<u32>().unwrap(), 2);
    assert_eq!(test.runs().len(), 2);
}

/// A test that mocks a step that never comes fails and says so.
#[test]
fn a_mock_that_never_comes_fails_the_test() {
    let fails = std::panic::catch_unwind(|| {
        let mut test = Test::new(shop().0).unwrap();
        test.mock_step("chrage", |_| Ok("paid"));
        test.start("order", 5).unwrap();
    });
    let panic = fails.unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    let wanted = "step `chrage` was mocked and never came; the steps that came: `charge`, `a day`";
    assert_eq!(text, wanted);
    let mut test = Test::new(shop().0).unwrap();
    test.mock_step("chrage", |_| Ok("paid")).optional();
}

/// §4.1, §4.2: what was saved is not called again, what was not is; each moment of a crash.
#[test]
fn a_crash_is_taken_over() {
    for (at, calls_wanted) in [
        (CrashAt::BeforeFunction, 1),
        (CrashAt::BeforeSend, 2),
        (CrashAt::BeforeAcknowledgement, 1),
        (CrashAt::AfterAcknowledgement, 1),
    ] {
        let (app, calls) = shop();
        let mut test = Test::new(app).unwrap();
        test.crash_at(at, "charge");
        let run = test.start("order", 5).unwrap();
        assert_eq!(calls.count(), calls_wanted, "{at}");
        test.advance(Duration::from_hours(24));
        assert_eq!(run.output::<String>().unwrap(), "shipped, paid 5", "{at}");
        assert_eq!(calls.count(), calls_wanted, "{at}");
    }
}

/// §4.5: a sleep goes on over a crash, and ends when it would have.
#[test]
fn a_sleep_outlives_its_process() {
    let mut test = Test::new(shop().0).unwrap();
    let run = test.start("order", 5).unwrap();
    test.advance(Duration::from_hours(23));
    test.crash();
    assert_eq!(run.status().unwrap(), RunStatus::Waiting);
    test.advance(Duration::from_hours(1));
    assert_eq!(run.status().unwrap(), RunStatus::Completed);
}

/// §4.2: processes that die one after the other, the next one before it has the run.
#[test]
fn crash_after_crash_is_taken_over() {
    let (app, calls) = shop();
    let mut test = Test::new(app).unwrap();
    test.crash_at(CrashAt::BeforeSend, "charge");
    test.crash_at(CrashAt::BeforeAcknowledgement, "charge");
    test.crash_after("charge");
    let run = test.start("order", 5).unwrap();
    test.crash();
    test.crash();
    test.advance(Duration::from_hours(25));
    assert_eq!(run.output::<String>().unwrap(), "shipped, paid 5");
    assert_eq!(calls.count(), 2);
}

/// §6.4: a function that hangs runs out of virtual time.
#[test]
fn a_function_that_hangs_times_out() {
    async fn flow(ctx: Ctx) -> Result<()> {
        let hangs = || std::future::pending::<Result<()>>();
        ctx.run("hangs", hangs).timeout("1h").retry(Retry::never()).await
    }
    let mut test = Test::new(App::new("shop").workflow("flow", flow)).unwrap();
    test.patience(Duration::from_millis(20));
    let run = test.start("flow", ()).unwrap();
    assert_eq!(run.status().unwrap(), RunStatus::Running);
    test.advance(Duration::from_hours(1));
    assert_eq!(run.step("hangs").unwrap().status, StepStatus::TimedOut);
    assert_eq!(run.output::<()>().unwrap_err().kind(), ErrorKind::RunFailed);
}

/// §7.1: a cancelled run ends so.
#[test]
fn a_run_is_cancelled() {
    let mut test = Test::new(shop().0).unwrap();
    let run = test.start("order", 5).unwrap();
    test.cancel(&run, Some("not wanted")).unwrap();
    assert_eq!(run.output::<String>().unwrap_err().kind(), ErrorKind::RunCancelled);
}

/// §4.8: the same key is the same run; an unknown workflow is refused with the server's code.
#[test]
fn starts_are_those_of_a_server() {
    let mut test = Test::new(shop().0).unwrap();
    let one = test.start_once("order", 5, "order-1").unwrap();
    let two = test.start_once("order", 5, "order-1").unwrap();
    assert_eq!(one.id(), two.id());
    let error = test.start("ordre", 5).unwrap_err();
    assert_eq!(error.code(), Some("SW2002"), "{error}");
}

/// What functions need of tokio is there, inside a runtime's thread and outside.
fn uses_tokio() {
    async fn flow(ctx: Ctx) -> Result<u32> {
        ctx.run("io", || async {
            tokio::time::sleep(Duration::from_millis(30)).await;
            Ok(tokio::spawn(async { 7 }).await?)
        })
        .await
    }
    let mut test = Test::new(App::new("shop").workflow("flow", flow)).unwrap();
    let before = test.now();
    let run = test.start("flow", ()).unwrap();
    assert_eq!(run.output::<u32>().unwrap(), 7);
    assert_eq!(test.now(), before, "tokio's timers are real time");
}

#[test]
fn functions_have_a_runtime() {
    uses_tokio();
}

#[tokio::test]
async fn functions_have_a_runtime_inside_another() {
    uses_tokio();
}
