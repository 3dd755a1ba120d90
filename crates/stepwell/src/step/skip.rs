//! Notes that a step does not apply.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use serde::Serialize;
use stepwell_core::status::Kind;

use super::plan::Plan;
use crate::ctx::Ctx;
use crate::error::Result;

/// Records that a step does not apply to this run; made by [`Ctx::skip`].
#[must_use = "a step does nothing unless awaited"]
pub struct SkipStep {
    plan: Plan,
}

impl SkipStep {
    pub(crate) fn new(ctx: Ctx, id: &str) -> Self {
        Self { plan: Plan::new(ctx, id, Kind::Skip) }
    }

    /// Sets why it does not apply.
    pub fn reason(mut self, reason: impl AsRef<str>) -> Self {
        #[derive(Serialize)]
        struct Reason<'a> {
            reason: &'a str,
        }
        self.plan.set_input(Reason { reason: reason.as_ref() });
        self
    }

    /// Sets what is shown with the step (§2.1).
    pub fn metadata(mut self, metadata: impl Serialize) -> Self {
        self.plan.set_metadata(metadata);
        self
    }
}

impl Future for SkipStep {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.plan.poll_plain(cx)
    }
}

impl fmt::Debug for SkipStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SkipStep").field("id", &self.plan.id).finish_non_exhaustive()
    }
}
