//! Makers for the SDK's own errors.

use std::sync::Arc;

use serde_json::value::RawValue;
use stepwell_core::failure::{Failure, names};
use stepwell_core::once::Verdict;
use stepwell_core::status::StepStatus;

use super::{Cause, Error, ErrorKind};
use crate::machine::Outcome;

impl Error {
    /// §6.3, §6.4: what a step throws once it has failed or run out of time.
    pub(crate) fn step(
        id: &Arc<str>,
        status: StepStatus,
        attempts: u32,
        failure: Option<&Failure<'_>>,
    ) -> Self {
        let timed_out = status == StepStatus::TimedOut;
        if status == StepStatus::Unknown {
            return Self::outcome_unknown(id, attempts, failure);
        }
        let kind = if timed_out { ErrorKind::StepTimeout } else { ErrorKind::Step };
        let what = if timed_out { "timed out" } else { "failed" };
        let plural = if attempts == 1 { "" } else { "s" };
        let why = failure.map(|failure| format!(": {}", failure.message)).unwrap_or_default();
        let text = format!("step `{id}` {what} after {attempts} attempt{plural}{why}");
        let mut error = Self::of(kind, text);
        error.0.step = Some((id.clone(), attempts));
        error.0.cause = failure.map(Cause::of_failure);
        error
    }

    /// §4.5: what a step throws whose outcome nobody knows.
    fn outcome_unknown(id: &Arc<str>, starts: u32, failure: Option<&Failure<'_>>) -> Self {
        let text = failure.map_or_else(
            || format!("nobody knows how step `{id}` ended"),
            |failure| failure.message.to_string(),
        );
        let mut error = Self::of(ErrorKind::OutcomeUnknown, text);
        error.0.step = Some((id.clone(), starts));
        error
    }

    /// §5.5: what a race throws whose winner failed.
    pub(crate) fn race(id: &Arc<str>, failure: &Failure<'_>) -> Self {
        let text = format!("race `{id}` failed: {}", failure.message);
        let mut error = Self::of(ErrorKind::Step, text);
        error.0.step = Some((id.clone(), 1));
        error.0.cause = Some(Cause::of_failure(failure));
        error
    }

    /// Carries what was found out about a start from one future to another.
    pub(crate) fn verdict(verdict: Verdict) -> Self {
        let mut error = Self::of(ErrorKind::Other, verdict.as_str().into());
        error.0.verdict = Some(verdict);
        error
    }

    /// Returns what was found out about a start, where the error carries that.
    pub(crate) fn found(&self) -> Option<Verdict> {
        self.0.verdict
    }

    /// §9.3: what an invoke throws.
    pub(crate) fn child(id: &Arc<str>, failure: Option<&Failure<'_>>) -> Self {
        let name = failure.map_or(names::CHILD_FAILED, |failure| &*failure.name);
        let kind = match name {
            names::CHILD_CANCELLED => ErrorKind::ChildCancelled,
            names::CHILD_TIMEOUT => ErrorKind::ChildTimeout,
            names::LIMIT => ErrorKind::Limit,
            _ => ErrorKind::ChildFailed,
        };
        let why = failure.map_or("its child failed", |failure| &*failure.message);
        let mut error = Self::of(kind, format!("step `{id}`: {why}"));
        error.0.step = Some((id.clone(), 0));
        error.0.run = failure.and_then(|failure| failure.run);
        let behind = failure.and_then(|failure| failure.cause.as_ref());
        let behind = behind.and_then(|raw| serde_json::from_str::<Failure<'_>>(raw.get()).ok());
        error.0.cause = behind.map(|failure| Cause::of_failure(&failure));
        error
    }

    /// §2.3: tells the run that another one goes on with it.
    pub(crate) fn continue_as(input: Option<Box<RawValue>>) -> Self {
        let text = "the handler has to return this: another run goes on with it".to_owned();
        let mut error = Self::of(ErrorKind::ContinueAs, text);
        error.0.input = input;
        error
    }

    /// Returns how a handler ends that returns this.
    pub(crate) fn into_end(mut self) -> Outcome {
        if self.kind() == ErrorKind::ContinueAs {
            Outcome::Continued(self.0.input.take())
        } else {
            Outcome::of_error(&self)
        }
    }

    pub(crate) fn attempt_timeout(id: &str, limit: std::time::Duration) -> Self {
        Self::of(ErrorKind::StepTimeout, format!("step `{id}` did not end within {limit:?}"))
    }

    pub(crate) fn cancelled() -> Self {
        Self::of(ErrorKind::Cancelled, "the run is ending".into())
    }

    pub(crate) fn duplicate(id: &str) -> Self {
        let text = format!("step id `{id}` is used twice in this run; give each step its own id");
        Self::of(ErrorKind::DuplicateStepId, text)
    }

    pub(crate) fn nested(inner: &str, outer: &str) -> Self {
        let text = format!(
            "step `{inner}` is called inside the function of step `{outer}`; \
             call it in the handler, before or after"
        );
        Self::of(ErrorKind::NestedStep, text)
    }

    pub(crate) fn limit(text: String) -> Self {
        Self::of(ErrorKind::Limit, text)
    }

    pub(crate) fn argument(text: String) -> Self {
        Self::of(ErrorKind::Argument, text)
    }

    pub(crate) fn input(text: String) -> Self {
        Self::of(ErrorKind::Input, text)
    }

    pub(crate) fn serialization(text: String, path: Option<String>) -> Self {
        let mut error = Self::of(ErrorKind::Serialization, text);
        error.0.path = path;
        error
    }

    pub(crate) fn connection(text: String) -> Self {
        Self::of(ErrorKind::Connection, text)
    }

    pub(crate) fn refused(code: &str, text: String) -> Self {
        let mut error = Self::of(ErrorKind::Refused, text);
        error.0.code = Some(code.to_owned());
        error
    }

    pub(crate) fn run_end(kind: ErrorKind, text: String, failure: Option<&Failure<'_>>) -> Self {
        let mut error = Self::of(kind, text);
        error.0.cause = failure.map(Cause::of_failure);
        error
    }

    pub(crate) fn wait_timeout(text: String) -> Self {
        Self::of(ErrorKind::WaitTimeout, text)
    }

    /// §8.6: what a wait throws that no event ended in time.
    pub(crate) fn event_timeout(id: &Arc<str>, failure: &Failure<'_>) -> Self {
        let text = format!("step `{id}`: {}", failure.message);
        let mut error = Self::of(ErrorKind::EventTimeout, text);
        error.0.step = Some((id.clone(), 0));
        error
    }

    /// An error for what a panic carried.
    pub(crate) fn panic(payload: &(dyn std::any::Any + Send)) -> Self {
        let text = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic without a text".into());
        Self::of(ErrorKind::Other, format!("panicked: {text}")).named("Panic")
    }
}
