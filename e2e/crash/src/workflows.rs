//! The workflows: they play the plan that they are given, and note what happens.

use std::collections::BTreeMap;
use std::future::Future;
use std::io::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stepwell::{App, Ctx, Data, Error, Result, Retry, StepCtx};

use crate::dice::Dice;
use crate::ledger::{Hash, Pen, What};
use crate::plan::{How, Part, Plan, WORKFLOWS, Work};

/// How long an attempt has that hangs.
const HANG_TIMEOUT: Duration = Duration::from_millis(250);

/// The exit code of a runner that cannot write its ledger.
const NO_LEDGER: i32 = 70;

/// The hashes of results, as the code was given them, by step.
type Results = BTreeMap<String, Hash>;

/// What a run returns.
#[derive(Debug, Serialize)]
pub struct Output {
    results: Results,
}

/// What a function returns. No two calls return the same, so that a result that was made again shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Found {
    /// By chance.
    number: u64,
    /// By chance, and as long as the plan says.
    text: String,
    /// The result before this one in the plan.
    after: Option<Hash>,
}

/// Makes the app.
pub fn app(name: &str, runner: &str, pen: Pen) -> App {
    let app = App::new(name).runner(runner).data(pen);
    WORKFLOWS.iter().fold(app, |app, workflow| app.workflow(*workflow, play))
}

async fn play(ctx: Ctx, Data(pen): Data<Pen>, plan: Plan) -> Result<Output> {
    let results = Player { ctx: &ctx, pen: &pen }.parts(&plan.parts, None).await?;
    Ok(Output { results })
}

#[derive(Clone, Copy)]
struct Player<'a> {
    ctx: &'a Ctx,
    pen: &'a Arc<Pen>,
}

impl<'a> Player<'a> {
    /// Plays parts one after the other.
    fn parts(
        self,
        parts: &'a [Part],
        before: Option<Hash>,
    ) -> Pin<Box<dyn Future<Output = Result<Results>> + Send + 'a>> {
        Box::pin(async move {
            let (mut results, mut last) = (Results::new(), before);
            for part in parts {
                match part {
                    Part::Work(work) => {
                        let value = self.work(work, last).await?;
                        last = Some(value);
                        results.insert(work.id.clone(), value);
                    }
                    Part::Sleep { id, ms } => {
                        self.ctx.sleep(id, Duration::from_millis(*ms)).await?;
                    }
                    Part::Until { id, ms } => {
                        let at = self.ctx.now().after(Duration::from_millis(*ms));
                        self.ctx.sleep_until(id, at).await?;
                    }
                    Part::Skip { id } => self.ctx.skip(id).await?,
                    Part::Branches(branches) => {
                        let found = self.branches(branches, last).await?;
                        last = Some(Hash::of(&serde_json::to_value(&found)?));
                        results.extend(found);
                    }
                }
            }
            Ok(results)
        })
    }

    /// Plays branches side by side.
    async fn branches(self, branches: &'a [Vec<Part>], before: Option<Hash>) -> Result<Results> {
        let found: Vec<Result<Results>> = match branches {
            [one, other] => {
                let (one, other) = tokio::join!(self.parts(one, before), self.parts(other, before));
                vec![one, other]
            }
            _ => join_all(branches.iter().map(|parts| self.parts(parts, before))).await,
        };
        let found: Result<Vec<Results>> = found.into_iter().collect();
        Ok(found?.into_iter().flatten().collect())
    }

    async fn work(self, work: &'a Work, after: Option<Hash>) -> Result<Hash> {
        let retry = Retry::constant(work.attempts_max(), "20ms");
        let found: Found = match work.how {
            How::OwnThread => {
                let (pen, own) = (self.pen.clone(), work.clone());
                let function = move |step: StepCtx| {
                    let call = Call::begin(&pen, &own, &step);
                    std::thread::sleep(Duration::from_millis(own.ms));
                    call.end(after)
                };
                self.ctx.run_blocking(&work.id, function).retry(retry).await?
            }
            How::Waits | How::Hangs | How::BlocksThread => {
                let function = |step: StepCtx| async move {
                    let call = Call::begin(self.pen, work, &step);
                    call.pass().await;
                    call.end(after)
                };
                let step = self.ctx.run_with(&work.id, function).retry(retry);
                match work.how {
                    How::Hangs => step.timeout(HANG_TIMEOUT).await?,
                    _ => step.await?,
                }
            }
        };
        // The first thing after the engine has given the result: it has acknowledged it.
        let value = Hash::of(&serde_json::to_value(&found)?);
        let (run, step) = (self.ctx.run_id().to_string(), work.id.clone());
        note(self.pen, What::AckedResult { run, step, value });
        Ok(value)
    }
}

/// A call of a function.
struct Call<'a> {
    pen: &'a Pen,
    work: &'a Work,
    run: String,
    attempt: u32,
}

impl<'a> Call<'a> {
    fn begin(pen: &'a Pen, work: &'a Work, step: &StepCtx) -> Self {
        let (run, attempt) = (step.ctx.run_id().to_string(), step.attempt);
        let (attempts_max, once) = (work.attempts_max(), work.once);
        let (run_id, step) = (run.clone(), work.id.clone());
        note(pen, What::FnStart { run: run_id, step, attempt, attempts_max, once });
        Self { pen, work, run, attempt }
    }

    fn fails(&self) -> bool {
        self.attempt <= self.work.fails
    }

    async fn pass(&self) {
        let time = Duration::from_millis(self.work.ms);
        match self.work.how {
            // Longer than the attempt may take.
            How::Hangs if self.fails() => tokio::time::sleep(HANG_TIMEOUT * 20).await,
            How::BlocksThread => std::thread::sleep(time),
            How::Waits | How::Hangs | How::OwnThread => tokio::time::sleep(time).await,
        }
    }

    fn end(self, after: Option<Hash>) -> Result<Found> {
        let (run, step, attempt) = (self.run.clone(), self.work.id.clone(), self.attempt);
        if self.fails() {
            note(self.pen, What::FnEnd { run, step, attempt, value: None });
            return Err(Error::new(format!("attempt {attempt} fails on purpose")));
        }
        let mut dice = Dice::unknown();
        let found = Found { number: dice.next(), text: dice.text(self.work.bytes), after };
        let value: Value = serde_json::to_value(&found)?;
        note(self.pen, What::FnEnd { run, step, attempt, value: Some(Hash::of(&value)) });
        Ok(found)
    }
}

/// Notes a fact. A process that cannot do so must not go on: what it does would not be judged.
fn note(pen: &Pen, what: What) {
    if let Err(error) = pen.note(what) {
        let _gone = writeln!(std::io::stderr(), "the ledger cannot be written: {error}");
        std::process::exit(NO_LEDGER);
    }
}
