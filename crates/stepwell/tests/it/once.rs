//! Functions that start at most once (§4.5), in a process that dies and in one that does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use stepwell::test::{CrashAt, Test, crash_everywhere};
use stepwell::{
    App, Ctx, Data, Error, ErrorKind, OnUnknown, Result, Retry, RunStatus, StepStatus, Verdict,
};

/// A bank that keeps what was wired, whoever dies.
#[derive(Default)]
struct Bank {
    wired: AtomicU32,
    asked: AtomicU32,
}

async fn careless(ctx: Ctx, Data(bank): Data<Arc<Bank>>) -> Result<u32> {
    ctx.run("wire", || async { Ok(bank.wired.fetch_add(1, Ordering::SeqCst) + 1) })
        .at_most_once()
        .await
}

async fn careful(ctx: Ctx, Data(bank): Data<Arc<Bank>>) -> Result<u32> {
    ctx.run("wire", || async { Ok(bank.wired.fetch_add(1, Ordering::SeqCst) + 1) })
        .at_most_once_verified(|_| async {
            bank.asked.fetch_add(1, Ordering::SeqCst);
            match bank.wired.load(Ordering::SeqCst) {
                0 => Ok(Verdict::NotDone),
                wired => Ok(Verdict::Done(wired)),
            }
        })
        .await
}

async fn caught(ctx: Ctx, Data(bank): Data<Arc<Bank>>) -> Result<String> {
    let wired: Result<u32> = ctx
        .run("wire", || async { Ok(bank.wired.fetch_add(1, Ordering::SeqCst) + 1) })
        .at_most_once()
        .on_unknown(OnUnknown::Throw)
        .await;
    match wired {
        Ok(_) => Ok("wired".into()),
        Err(error) if error.kind() == ErrorKind::OutcomeUnknown => {
            let told = format!("{} {:?} {:?}", error.name(), error.step_id(), error.attempts());
            ctx.run("tell", || async { Ok(told.clone()) }).await
        }
        Err(error) => Err(error),
    }
}

fn bank() -> (App, Arc<Bank>) {
    let bank = Arc::new(Bank::default());
    let app = App::new("bank")
        .data(bank.clone())
        .workflow("careless", careless)
        .workflow("careful", careful)
        .workflow("caught", caught);
    (app, bank)
}

/// §4.5: nobody crashes, and it is a step like others.
#[test]
fn a_function_that_starts_once_gives_its_result() {
    let mut test = Test::new(bank().0).unwrap();
    let run = test.start("careless", ()).unwrap();
    assert_eq!(run.output::<u32>().unwrap(), 1);
    assert_eq!(run.step("wire").unwrap().status, StepStatus::Completed);
}

/// §4.5: where its outcome is lost and nobody finds out, the run is blocked, and the function is not
/// called again, at whatever moment its process died.
#[test]
fn a_lost_outcome_blocks_the_run() {
    for (at, wired) in [(CrashAt::BeforeFunction, 0), (CrashAt::BeforeSend, 1)] {
        let (app, bank) = bank();
        let mut test = Test::new(app).unwrap();
        test.crash_at(at, "wire");
        let run = test.start("careless", ()).unwrap();
        test.advance(Duration::from_mins(5));
        assert_eq!(run.status().unwrap(), RunStatus::Blocked);
        assert_eq!(run.step("wire").unwrap().status, StepStatus::Unknown);
        assert_eq!(bank.wired.load(Ordering::SeqCst), wired);
        assert!(run.journal().unwrap().contains("outcomeUnknown"));
    }
}

/// §4.5: the code may catch it, and goes on.
#[test]
fn a_lost_outcome_can_be_caught() {
    let (app, bank) = bank();
    let mut test = Test::new(app).unwrap();
    test.crash_at(CrashAt::BeforeSend, "wire");
    let run = test.start("caught", ()).unwrap();
    test.advance(Duration::from_mins(1));
    assert_eq!(run.output::<String>().unwrap(), "OutcomeUnknownError Some(\"wire\") Some(1)");
    assert_eq!(run.step("wire").unwrap().status, StepStatus::Unknown);
    assert_eq!(bank.wired.load(Ordering::SeqCst), 1);
    test.crash();
    test.advance(Duration::from_mins(1));
}

/// §4.5: what finds out says what was done; only where it was not, the function starts again.
#[test]
fn what_finds_out_decides() {
    let play = |test: &mut Test| {
        let run = test.start("careful", ())?;
        test.advance(Duration::from_mins(1));
        assert_eq!(run.output::<u32>()?, 1);
        Ok(())
    };
    let report = crash_everywhere(|| bank().0, play).unwrap();
    assert!(report.crash_points() >= 4, "{report}");
}

/// §4.5: a timeout leaves the outcome unknown; what finds out is itself tried again.
#[test]
fn a_timeout_asks_what_became_of_it() {
    async fn slow(ctx: Ctx, Data(bank): Data<Arc<Bank>>) -> Result<u32> {
        ctx.run_with("wire", |step| {
            let bank = bank.clone();
            async move {
                bank.wired.fetch_add(1, Ordering::SeqCst);
                if step.attempt == 1 {
                    std::future::pending::<()>().await;
                }
                Ok(step.attempt)
            }
        })
        .timeout("10s")
        .at_most_once_verified(|_| async {
            match bank.asked.fetch_add(1, Ordering::SeqCst) {
                0 => Err(Error::new("the bank is closed")),
                _ => Ok(Verdict::NotDone),
            }
        })
        .await
    }
    let bank = Arc::new(Bank::default());
    let app = App::new("bank").data(bank.clone()).workflow("slow", slow);
    let mut test = Test::new(app).unwrap();
    test.patience(Duration::from_millis(100));
    let run = test.start("slow", ()).unwrap();
    test.advance(Duration::from_mins(1));
    assert_eq!(run.output::<u32>().unwrap(), 2);
    assert_eq!(bank.asked.load(Ordering::SeqCst), 2);
    assert_eq!(bank.wired.load(Ordering::SeqCst), 2);
}

/// §4.5: what is thrown is final, and a retry is refused at the call.
#[test]
fn it_is_not_tried_again() {
    async fn fails(ctx: Ctx, Data(bank): Data<Arc<Bank>>) -> Result<u32> {
        ctx.run("wire", || async {
            bank.wired.fetch_add(1, Ordering::SeqCst);
            Err::<u32, _>(Error::new("no money"))
        })
        .at_most_once()
        .await
    }
    async fn both(ctx: Ctx) -> Result<u32> {
        ctx.run("wire", || async { Ok(1) }).at_most_once().retry(Retry::never()).await
    }
    let bank = Arc::new(Bank::default());
    let app = App::new("bank").data(bank.clone());
    let mut test = Test::new(app.workflow("fails", fails).workflow("both", both)).unwrap();
    let run = test.start("fails", ()).unwrap();
    test.advance(Duration::from_mins(1));
    let error = run.output::<u32>().unwrap_err();
    assert!(error.message().contains("after 1 attempt: no money"), "{error}");
    assert_eq!(bank.wired.load(Ordering::SeqCst), 1);
    let run = test.start("both", ()).unwrap();
    let error = run.output::<u32>().unwrap_err();
    assert!(error.message().contains("`at_most_once` and `retry`"), "{error}");
}

/// §4.5: at most 4 starts in all, then its outcome is unknown.
#[test]
fn it_starts_four_times_at_most() {
    async fn never(ctx: Ctx, Data(bank): Data<Arc<Bank>>) -> Result<u32> {
        ctx.run("wire", || async {
            bank.wired.fetch_add(1, Ordering::SeqCst);
            std::future::pending::<()>().await;
            Ok(1)
        })
        .timeout("1s")
        .at_most_once_verified(|_| async { Ok(Verdict::NotDone) })
        .await
    }
    let bank = Arc::new(Bank::default());
    let app = App::new("bank").data(bank.clone()).workflow("never", never);
    let mut test = Test::new(app).unwrap();
    test.patience(Duration::from_millis(100));
    let run = test.start("never", ()).unwrap();
    test.advance(Duration::from_mins(1));
    assert_eq!(run.status().unwrap(), RunStatus::Blocked);
    assert_eq!(bank.wired.load(Ordering::SeqCst), 4);
}
