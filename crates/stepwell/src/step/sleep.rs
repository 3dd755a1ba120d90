//! Pauses.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::SystemTime;

use serde::Serialize;
use stepwell_core::duration;
use stepwell_core::status::Kind;
use stepwell_core::time::Timestamp;

use super::plan::Plan;
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::machine::Until;

/// An instant: a [`Timestamp`], a [`SystemTime`], an ISO 8601 text with a time zone, or
/// milliseconds since 1970 (§2).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an instant",
    label = "give a `stepwell::Timestamp`, a `SystemTime`, a text such as \
             \"2026-11-21T14:02:05Z\", or milliseconds since 1970 as `i64`"
)]
pub trait IntoInstant {
    /// Reads the instant.
    ///
    /// # Errors
    /// [`Argument`](crate::ErrorKind::Argument) when a text is not an instant.
    fn into_instant(self) -> Result<Timestamp>;
}

impl IntoInstant for Timestamp {
    fn into_instant(self) -> Result<Timestamp> {
        Ok(self)
    }
}

impl IntoInstant for SystemTime {
    fn into_instant(self) -> Result<Timestamp> {
        Ok(match self.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => Timestamp::from_micros(0).after(after),
            Err(before) => Timestamp::from_micros(0).before(before.duration()),
        })
    }
}

impl IntoInstant for i64 {
    fn into_instant(self) -> Result<Timestamp> {
        Ok(Timestamp::from_millis(self))
    }
}

impl IntoInstant for &str {
    fn into_instant(self) -> Result<Timestamp> {
        Timestamp::parse_iso(self).map_err(|error| Error::argument(error.to_string()))
    }
}

impl IntoInstant for &String {
    fn into_instant(self) -> Result<Timestamp> {
        self.as_str().into_instant()
    }
}

/// The input that a pause records by itself (§3.4).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Recorded {
    /// As [`duration::text`] writes it.
    Duration(String),
    /// ISO 8601 in UTC with microseconds.
    Until(String),
}

impl Recorded {
    fn of(until: Until) -> Self {
        match until {
            Until::For(time) => Self::Duration(duration::text(time)),
            Until::At(micros) => Self::Until(Timestamp::from_micros(micros).to_string()),
        }
    }
}

/// A pause that outlives every process; made by [`Ctx::sleep`] and [`Ctx::sleep_until`].
#[must_use = "a step does nothing unless awaited"]
pub struct SleepStep {
    plan: Plan,
}

impl SleepStep {
    pub(crate) fn new(ctx: Ctx, id: &str, until: Result<Until>) -> Self {
        let kind = match until {
            Ok(Until::At(_)) => Kind::SleepUntil,
            Ok(Until::For(_)) | Err(_) => Kind::Sleep,
        };
        let mut plan = Plan::new(ctx, id, kind);
        if let Ok(until) = until {
            plan.set_input(Recorded::of(until));
        }
        plan.set(|_, details| {
            details.until = Some(until?);
            Ok(())
        });
        Self { plan }
    }

    /// Sets what is shown with the step (§2.1).
    pub fn metadata(mut self, metadata: impl Serialize) -> Self {
        self.plan.set_metadata(metadata);
        self
    }
}

impl Future for SleepStep {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.plan.poll_plain(cx)
    }
}

impl fmt::Debug for SleepStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SleepStep").field("id", &self.plan.id).finish_non_exhaustive()
    }
}
