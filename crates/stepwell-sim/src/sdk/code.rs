//! The workflow: a program run by async code, with the SDK's steps.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::future::{Future, poll_fn};
use std::hash::{Hash, Hasher};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use serde_json::value::RawValue;
use stepwell::{
    Ctx, Error, ErrorKind, Jitter, OnUnknown, Result, Retry, RunFailure, RunId, StepCtx,
    StepStatus, Timestamp, Verdict,
};
use stepwell_core::status::Kind;
use stepwell_core::step_id;

use super::desk::{Desk, Said};
use crate::calls::Outcome;
use crate::history::{End, TakenBack};
use crate::program::{
    Delivered, Function, Input, Profile, Program, Shape, Since, Try, TryEnd, Undo, What,
};

/// What the workflows return, and their functions.
type Value = Option<Box<RawValue>>;

type Part<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// Every workflow: does what its input says.
pub(super) async fn workflow(desk: Desk, ctx: Ctx, input: Input) -> Result<Value> {
    let program = Program::of(&input);
    let saga = input.profile == Profile::Saga;
    let code = Code { desk, program: Arc::clone(&program), given: Mutex::default(), saga };
    code.walk(ctx.clone(), &program.shape).await?;
    if let Some(next) = program.next {
        return ctx.continue_as(next);
    }
    let count = code.given.lock().unwrap_or_else(PoisonError::into_inner).len();
    ctx.set_search([("given", count)])?;
    Ok(RawValue::from_string(format!("{{ \"given\" : {count} }}")).ok())
}

struct Code {
    desk: Desk,
    program: Arc<Program>,
    given: Mutex<HashMap<usize, Delivered>>,
    /// Its workflow may run again when it fails.
    saga: bool,
}

impl Code {
    /// Does a part of the program with the handle of the branch that it stands in.
    fn walk<'a>(&'a self, ctx: Ctx, shape: &'a Shape) -> Part<'a> {
        Box::pin(async move {
            match shape {
                Shape::Step(at) => self.step(&ctx, *at).await,
                Shape::Sequence(parts) => {
                    for part in parts {
                        self.walk(ctx.clone(), part).await?;
                    }
                    Ok(())
                }
                Shape::Together(parts) => {
                    all(parts.iter().map(|part| self.walk(ctx.clone(), part))).await
                }
                Shape::First(parts) => {
                    first(parts.iter().map(|part| self.walk(ctx.clone(), part))).await
                }
                Shape::Race { of, branches } => self.race(&ctx, *of, branches).await,
                Shape::Either { of, even, odd } => {
                    let is_even = {
                        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
                        given.get(of).is_none_or(Delivered::is_even)
                    };
                    self.walk(ctx, if is_even { even } else { odd }).await
                }
            }
        })
    }

    async fn race(&self, ctx: &Ctx, at: usize, branches: &[Shape]) -> Result<()> {
        let id = &self.program.steps[at].id;
        let mut race = ctx.race(&**id);
        for (n, branch) in branches.iter().enumerate() {
            race = race.branch(&format!("b{n}"), move |ctx| self.walk(ctx, branch));
        }
        let won = race.await;
        let won =
            won.map(|won| RawValue::from_string(format!("{{\"winner\":\"{}\"}}", won.winner)).ok());
        let status = if won.is_ok() { StepStatus::Completed } else { StepStatus::Failed };
        // A branch that failed does not fail the run.
        self.give(ctx, at, status, &won).or(Ok(()))
    }

    async fn step(&self, ctx: &Ctx, at: usize) -> Result<()> {
        let step = &self.program.steps[at];
        match &step.what {
            What::Run(function) => self.run(ctx, at, function).await,
            What::Race => Ok(()),
            What::Sleep(time) => {
                let slept = ctx.sleep(&*step.id, Duration::from_micros(*time)).await;
                self.give(ctx, at, StepStatus::Completed, &slept.map(|()| None))
            }
            What::SleepUntil(time) => {
                let created = ctx.started_at();
                let until: Timestamp = created.after(Duration::from_micros(*time));
                let slept = ctx.sleep_until(&*step.id, until).await;
                self.give(ctx, at, StepStatus::Completed, &slept.map(|()| None))
            }
            What::Wait(awaited) => {
                let wait = if awaited.named {
                    ctx.wait_as(step_id::shown(&step.id), awaited.topic.declared())
                } else {
                    let wanted = RawValue::from_string(awaited.topic.wanted()).ok();
                    ctx.wait_for_event::<Box<RawValue>>(&*step.id, awaited.topic.event())
                        .matching(wanted)
                };
                let since = match awaited.since {
                    Since::RunStart => stepwell::Since::RunStart,
                    Since::Parked => stepwell::Since::Parked,
                    Since::Back(us) => stepwell::Since::Back(Duration::from_micros(us)),
                };
                let timeout = Duration::from_micros(awaited.timeout);
                let found = wait.since(since).timeout(timeout).await;
                let came = found.as_ref().is_ok_and(Option::is_some);
                let status = if came { StepStatus::Completed } else { StepStatus::TimedOut };
                self.give(ctx, at, status, &found)
            }
            What::Emit(topic) => {
                let which = format!("{}/{}", ctx.run_id(), step.id);
                let data = RawValue::from_string(topic.data(&which)).ok();
                let sent = ctx.emit(&*step.id, topic.event()).data(data).await;
                let id = sent.map(|id| RawValue::from_string(format!("\"{id}\"")).ok());
                self.give(ctx, at, StepStatus::Completed, &id)
            }
            What::Invoke(invoked) => {
                let mut child = ctx.invoke::<Value>(&*step.id, &*invoked.workflow);
                child = child.input(invoked.input);
                if let Some(ms) = invoked.timeout_ms {
                    child = child.timeout(Duration::from_millis(ms));
                }
                let result = child.await;
                let given = self.give(ctx, at, status_of(&result), &result);
                if invoked.caught { Ok(()) } else { given }
            }
            What::Skip => {
                let skipped = ctx.skip(&*step.id).reason("not today").await;
                self.give(ctx, at, StepStatus::Skipped, &skipped.map(|()| None))
            }
        }
    }

    async fn run(&self, ctx: &Ctx, at: usize, function: &Function) -> Result<()> {
        let step = &self.program.steps[at];
        let (desk, id, run) = (&self.desk, &step.id, ctx.run_id());
        let called = ctx.run_with(&**id, move |step: StepCtx| async move {
            let n = step.attempt;
            let does = *function.attempt(n);
            let outcome = desk.call(run, id, (n, does)).await;
            for line in 0..does.logs {
                step.log.info(format!("line {line}"));
            }
            result_of(outcome)
        });
        let mut called = called;
        if let Some(policy) = &function.policy {
            let jitter = if policy.jitter { Jitter::Half } else { Jitter::None };
            let factor = f64::from(policy.factor_milli) / 1_000.0;
            let retry = Retry::attempts(policy.max_attempts)
                .backoff(Duration::from_millis(policy.backoff_ms))
                .factor(factor)
                .max_backoff(Duration::from_millis(policy.max_backoff_ms))
                .jitter(jitter);
            called = called.retry(retry);
        }
        if let Some(ms) = function.timeout_ms {
            called = called.timeout(Duration::from_millis(ms));
        }
        if let Some(ms) = function.total_timeout_ms {
            called = called.total_timeout(Duration::from_millis(ms));
        }
        if let Some(undo) = &function.undo {
            let back = Back::of(self, id, undo);
            called = called.compensate_with(move |step, result| {
                back.call(&step, TakenBack::Result(text(&result)))
            });
            if undo.unknown {
                let back = Back::of(self, id, undo);
                called =
                    called.compensate_unknown(move |step| back.call(&step, TakenBack::Unknown));
            }
        }
        let result: Result<Value> = if function.once {
            let failed = AtomicBool::new(false);
            let verify = |step: StepCtx| {
                let failed = &failed;
                async move { verdict(run, &step, failed) }
            };
            called.at_most_once_verified(verify).on_unknown(OnUnknown::Throw).await
        } else {
            called.await
        };
        let given = self.give(ctx, at, status_of(&result), &result);
        if function.caught { Ok(()) } else { given }
    }

    /// Notes what the code was given.
    fn give(&self, ctx: &Ctx, at: usize, status: StepStatus, result: &Result<Value>) -> Result<()> {
        // What the SDK refuses by itself, such as a step over the limit, is not in the journal.
        let kinds = [
            ErrorKind::Step,
            ErrorKind::StepTimeout,
            ErrorKind::OutcomeUnknown,
            ErrorKind::ChildFailed,
            ErrorKind::ChildCancelled,
            ErrorKind::ChildTimeout,
        ];
        if result.as_ref().is_err_and(|error| !kinds.contains(&error.kind())) {
            return Err(Error::terminal(format!("step {at} was refused")));
        }
        let output = result.as_ref().ok().and_then(|value| value.as_ref());
        let output: Option<Arc<str>> = output.map(|raw| Arc::from(raw.get()));
        let step = Arc::clone(&self.program.steps[at].id);
        let end = End { step, status, output: output.clone() };
        self.desk.say(Said::Given { run: ctx.run_id(), end });
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.insert(at, Delivered { status, output });
        match result {
            Ok(_) => Ok(()),
            Err(error) if self.saga => Err(Error::new(format!("step {at} failed: {error}"))),
            Err(error) => Err(Error::terminal(format!("step {at} failed: {error}"))),
        }
    }
}

/// What is found out about a lost start: the same whenever it is asked about the same start.
fn verdict(run: RunId, step: &StepCtx, failed: &AtomicBool) -> Result<Verdict<Value>> {
    let mut hasher = DefaultHasher::new();
    (run.as_u128(), step.id(), step.attempt).hash(&mut hasher);
    let drawn = hasher.finish();
    if drawn.is_multiple_of(5) && !failed.swap(true, Ordering::Relaxed) {
        return Err(Error::new("nobody answers"));
    }
    Ok(match drawn / 5 % 10 {
        0 => Verdict::Unknown,
        1..=3 => Verdict::Done(RawValue::from_string("{ \"found\": true}".into()).ok()),
        _ => Verdict::NotDone,
    })
}

fn text(value: &Value) -> Option<Arc<str>> {
    value.as_ref().map(|raw| raw.get().into())
}

/// What takes a step back.
struct Back {
    desk: Desk,
    step: Arc<str>,
    undo: Undo,
}

impl Back {
    fn of(code: &Code, step: &Arc<str>, undo: &Undo) -> Self {
        Self { desk: code.desk.clone(), step: Arc::clone(step), undo: undo.clone() }
    }

    fn call(
        &self,
        step: &StepCtx,
        by: TakenBack,
    ) -> impl Future<Output = Result<()>> + Send + use<> {
        let (run, n) = (step.ctx.run_id(), step.attempt);
        self.desk.say(Said::TakesBack { run, step: Arc::clone(&self.step), by });
        let id: Arc<str> = step_id::of(Kind::Compensate, &self.step).into();
        let called = self.desk.call(run, &id, (n, *self.undo.attempt(n)));
        async move { result_of(called.await).map(|_| ()) }
    }
}

/// What a workflow does when one of its runs ends badly.
pub(super) async fn told(desk: Desk, ctx: Ctx, failure: RunFailure) -> Result<()> {
    let completed = failure.completed_steps.iter().map(|step| step.id.as_str().into());
    desk.say(Said::Told {
        run: ctx.run_id(),
        completed: completed.collect(),
        uncertain: failure.uncertain_steps.iter().map(|step| step.as_str().into()).collect(),
    });
    // Some take long, so that what goes wrong meets them.
    let drawn = u64::try_from(ctx.run_id().as_u128() % 4).unwrap_or(0);
    let takes = 20_000 + drawn * 1_500_000;
    let does = Try { takes, end: TryEnd::Nothing, heeds: true, logs: 0 };
    let id: Arc<str> = step_id::on_failure().into();
    result_of(desk.call(ctx.run_id(), &id, (1, does)).await).map(|_| ())
}

fn status_of(result: &Result<Value>) -> StepStatus {
    match result {
        Ok(_) => StepStatus::Completed,
        Err(error) if error.kind() == ErrorKind::StepTimeout => StepStatus::TimedOut,
        Err(error) if error.kind() == ErrorKind::ChildTimeout => StepStatus::TimedOut,
        Err(error) if error.kind() == ErrorKind::OutcomeUnknown => StepStatus::Unknown,
        Err(_) => StepStatus::Failed,
    }
}

fn result_of(outcome: Outcome) -> Result<Value> {
    match outcome {
        Outcome::Returned(text) => {
            Ok(text.and_then(|text| RawValue::from_string(text.to_string()).ok()))
        }
        Outcome::Failed { terminal: true, .. } => Err(Error::terminal("as planned")),
        Outcome::Failed { retry_in_ms: Some(ms), .. } => {
            Err(Error::retry_after(Duration::from_millis(ms)))
        }
        Outcome::Failed { .. } | Outcome::Stopped | Outcome::Killed => {
            Err(Error::new("as planned"))
        }
    }
}

/// Waits for all; the first failure ends it and drops the others.
async fn all<'a>(parts: impl Iterator<Item = Part<'a>>) -> Result<()> {
    let mut parts: Vec<Option<Part<'a>>> = parts.map(Some).collect();
    poll_fn(|cx| {
        let mut waits = false;
        for part in &mut parts {
            let Some(running) = part else { continue };
            match running.as_mut().poll(cx) {
                Poll::Pending => waits = true,
                Poll::Ready(Ok(())) => *part = None,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            }
        }
        if waits { Poll::Pending } else { Poll::Ready(Ok(())) }
    })
    .await
}

/// Waits for the first that settles, and drops the others.
async fn first<'a>(parts: impl Iterator<Item = Part<'a>>) -> Result<()> {
    let mut parts: Vec<Part<'a>> = parts.collect();
    poll_fn(|cx| {
        let settled = parts.iter_mut().find_map(|part| match part.as_mut().poll(cx) {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        });
        match settled {
            Some(result) => Poll::Ready(result),
            None if parts.is_empty() => Poll::Ready(Ok(())),
            None => Poll::Pending,
        }
    })
    .await
}
