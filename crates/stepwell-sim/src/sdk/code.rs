//! The workflow: a program run by async code, with the SDK's steps.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use serde_json::value::RawValue;
use stepwell::{Ctx, Error, ErrorKind, Jitter, Result, Retry, StepCtx, StepStatus, Timestamp};

use super::desk::{Desk, Said};
use crate::calls::Outcome;
use crate::history::End;
use crate::program::{Delivered, Function, Input, Program, Shape, What};

/// What the workflows return, and their functions.
type Value = Option<Box<RawValue>>;

type Part<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// Every workflow: does what its input says.
pub(super) async fn workflow(desk: Desk, ctx: Ctx, input: Input) -> Result<Value> {
    let program = Program::of(&input);
    let code = Code { ctx, desk, program: Arc::clone(&program), given: Mutex::default() };
    code.walk(&program.shape).await?;
    if let Some(next) = program.next {
        return code.ctx.continue_as(next);
    }
    let count = code.given.lock().unwrap_or_else(PoisonError::into_inner).len();
    Ok(RawValue::from_string(format!("{{ \"given\" : {count} }}")).ok())
}

struct Code {
    ctx: Ctx,
    desk: Desk,
    program: Arc<Program>,
    given: Mutex<HashMap<usize, Delivered>>,
}

impl Code {
    fn walk<'a>(&'a self, shape: &'a Shape) -> Part<'a> {
        Box::pin(async move {
            match shape {
                Shape::Step(at) => self.step(*at).await,
                Shape::Sequence(parts) => {
                    for part in parts {
                        self.walk(part).await?;
                    }
                    Ok(())
                }
                Shape::Together(parts) => all(parts.iter().map(|part| self.walk(part))).await,
                Shape::First(parts) => first(parts.iter().map(|part| self.walk(part))).await,
                Shape::Either { of, even, odd } => {
                    let is_even = {
                        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
                        given.get(of).is_none_or(Delivered::is_even)
                    };
                    self.walk(if is_even { even } else { odd }).await
                }
            }
        })
    }

    async fn step(&self, at: usize) -> Result<()> {
        let step = &self.program.steps[at];
        match &step.what {
            What::Run(function) => self.run(at, function).await,
            What::Sleep(time) => {
                let slept = self.ctx.sleep(&*step.id, Duration::from_micros(*time)).await;
                self.give(at, StepStatus::Completed, &slept.map(|()| None))
            }
            What::SleepUntil(time) => {
                let created = self.ctx.started_at();
                let until: Timestamp = created.after(Duration::from_micros(*time));
                let slept = self.ctx.sleep_until(&*step.id, until).await;
                self.give(at, StepStatus::Completed, &slept.map(|()| None))
            }
            What::Invoke(invoked) => {
                let mut child = self.ctx.invoke::<Value>(&*step.id, &*invoked.workflow);
                child = child.input(invoked.input);
                if let Some(ms) = invoked.timeout_ms {
                    child = child.timeout(Duration::from_millis(ms));
                }
                let result = child.await;
                let given = self.give(at, status_of(&result), &result);
                if invoked.caught { Ok(()) } else { given }
            }
            What::Skip => {
                let skipped = self.ctx.skip(&*step.id).reason("not today").await;
                self.give(at, StepStatus::Skipped, &skipped.map(|()| None))
            }
        }
    }

    async fn run(&self, at: usize, function: &Function) -> Result<()> {
        let step = &self.program.steps[at];
        let (desk, id, run) = (&self.desk, &step.id, self.ctx.run_id());
        let called = self.ctx.run_with(&**id, move |step: StepCtx| async move {
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
        let result: Result<Value> = called.await;
        let given = self.give(at, status_of(&result), &result);
        if function.caught { Ok(()) } else { given }
    }

    /// Notes what the code was given.
    fn give(&self, at: usize, status: StepStatus, result: &Result<Value>) -> Result<()> {
        // What the SDK refuses by itself, such as a step over the limit, is not in the journal.
        let kinds = [
            ErrorKind::Step,
            ErrorKind::StepTimeout,
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
        self.desk.say(Said::Given { run: self.ctx.run_id(), end });
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.insert(at, Delivered { status, output });
        match result {
            Ok(_) => Ok(()),
            Err(error) => Err(Error::terminal(format!("step {at} failed: {error}"))),
        }
    }
}

fn status_of(result: &Result<Value>) -> StepStatus {
    match result {
        Ok(_) => StepStatus::Completed,
        Err(error) if error.kind() == ErrorKind::StepTimeout => StepStatus::TimedOut,
        Err(error) if error.kind() == ErrorKind::ChildTimeout => StepStatus::TimedOut,
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
