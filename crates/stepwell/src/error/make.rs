//! Makers for the SDK's own errors.

use std::sync::Arc;

use stepwell_core::failure::Failure;
use stepwell_core::status::StepStatus;

use super::{Cause, Error, ErrorKind};

impl Error {
    /// §6.3, §6.4: what a step throws once it has failed or run out of time.
    pub(crate) fn step(
        id: &Arc<str>,
        status: StepStatus,
        attempts: u32,
        failure: Option<&Failure<'_>>,
    ) -> Self {
        let timed_out = status == StepStatus::TimedOut;
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
