//! A run, and what is told of it.

use std::fmt::{Debug, Display};
use std::future::{Future, IntoFuture};
use std::sync::Arc;

use serde::Serialize;

use super::call::Place;
use super::event::About;
use super::metadata::{self, Object};
use super::step::{Judge, Step};
use super::sync::SyncStep;
use super::telemetry::Telemetry;

/// A run of a flow; made by [`Telemetry::run`]. Making one, and dropping one, sends nothing (§10.2).
///
/// Give one id to everything that belongs together: runs with other ids are other runs. Whoever tries a
/// request again under the same id sees its steps with several attempts (§10.4).
#[derive(Clone, Debug)]
pub struct Run {
    place: Option<Place>,
    /// What this run is told of, without what all runs are.
    given: Object,
}

impl Run {
    pub(super) fn new(telemetry: &Telemetry, flow: &str, run: String) -> Self {
        let place = telemetry.handle().map(|handle| {
            let metadata = handle.default_sealed.clone();
            let about = About { flow: flow.into(), run: run.into(), metadata, trace: None };
            Place::new(handle.clone(), about)
        });
        Self { place, given: Object::new() }
    }

    /// Adds what is told of the run: an object of ids, counts and words such as
    /// `json!({ "orderId": "o-17" })`, of at most 16 KiB. What looks like a secret is taken out here and
    /// once more by the server (§10.7); bodies of requests, payment data and what is private do not belong
    /// here.
    #[must_use]
    pub fn metadata(mut self, metadata: impl Serialize) -> Self {
        let Some(place) = &mut self.place else { return self };
        self.given.extend(metadata::object(metadata));
        let mut merged = place.handle.default_metadata.clone();
        merged.extend(self.given.clone());
        let sealed = place.handle.shared.redaction.sealed(merged);
        Arc::make_mut(&mut place.about).metadata = sealed;
        self
    }

    /// Names the trace of OpenTelemetry in which the run happens: its id of 32 hexadecimal digits, or a
    /// header `traceparent`. Anything else is passed over. A durable run of the same trace shows these
    /// steps, too.
    #[must_use]
    pub fn trace(mut self, trace: &str) -> Self {
        if let Some(place) = &mut self.place
            && let Some(id) = trace_id(trace)
        {
            Arc::make_mut(&mut place.about).trace = Some(id.into());
        }
        self
    }

    /// Makes a step of a future that gives a `Result`; await it to get just that.
    ///
    /// `running` is recorded as the step is first polled, before the future is; then `success`, or
    /// `error` with what the error shows (§10.2). A panic is recorded as an error and goes on; so is a
    /// future that is dropped before it ends. The key is the step's name in the flow, of at most 200
    /// characters. Wrap what matters to the business, not each call of a database.
    ///
    /// ```no_run
    /// # use stepwell::telemetry::Telemetry;
    /// # async fn charge() -> Result<String, std::io::Error> { Ok(String::new()) }
    /// # async fn demo(telemetry: Telemetry) -> Result<(), std::io::Error> {
    /// let run = telemetry.run("checkout", "req_123");
    /// let receipt = run.step("charge-card", charge()).await?;
    /// # drop(receipt);
    /// # Ok(())
    /// # }
    /// ```
    pub fn step<F, T, E>(&self, key: &str, future: F) -> Step<F::IntoFuture>
    where
        F: IntoFuture<Output = Result<T, E>>,
        E: Display + Debug,
    {
        Step::new(self.place.clone(), key, future.into_future(), Judge::of_results())
    }

    /// Makes a step of any future. It fails where it panics or is dropped before it ends, and where
    /// [`Step::failed_if`] says so of its output.
    pub fn observe<F: IntoFuture>(&self, key: &str, future: F) -> Step<F::IntoFuture>
    where
        F::IntoFuture: Future<Output = F::Output>,
    {
        Step::new(self.place.clone(), key, future.into_future(), Judge::never())
    }

    /// Makes a step of a function that is not async; [`SyncStep::call`] calls it, on this thread.
    ///
    /// ```no_run
    /// # use stepwell::telemetry::Telemetry;
    /// # fn write() -> Result<u64, std::io::Error> { Ok(1) }
    /// # fn demo(telemetry: Telemetry) -> Result<(), std::io::Error> {
    /// let run = telemetry.run("export", 17);
    /// let bytes = run.step_sync("write", write).call()?;
    /// # drop(bytes);
    /// # Ok(())
    /// # }
    /// ```
    pub fn step_sync<F, T, E>(&self, key: &str, function: F) -> SyncStep<F, Result<T, E>>
    where
        F: FnOnce() -> Result<T, E>,
        E: Display + Debug,
    {
        SyncStep::new(self.place.clone(), key, function, Judge::of_results())
    }

    /// The same of a function with any output, as [`observe`](Self::observe) is of futures.
    pub fn observe_sync<F, T>(&self, key: &str, function: F) -> SyncStep<F, T>
    where
        F: FnOnce() -> T,
    {
        SyncStep::new(self.place.clone(), key, function, Judge::never())
    }

    /// Tells that a step is left out on purpose, so that it is not shown as missing (§10.2, §10.5). Calls
    /// nothing.
    pub fn skip(&self, key: &str) {
        if let Some(place) = &self.place {
            place.skip(key);
        }
    }

    pub(super) fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }
}

/// Reads the id of a trace (W3C Trace Context §3.2.2).
fn trace_id(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split('-').collect();
    let ([id] | [_, id, _, _, ..]) = parts[..] else { return None };
    let is_hex = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_hex && id.bytes().any(|byte| byte != b'0')).then(|| id.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_are_read_from_ids_and_headers() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        for text in [
            id.to_owned(),
            id.to_uppercase(),
            format!("00-{id}-00f067aa0ba902b7-01"),
            format!("01-{id}-00f067aa0ba902b7-01-more"),
        ] {
            assert_eq!(trace_id(&text).as_deref(), Some(id), "{text}");
        }
        for text in ["", "4bf9", &"0".repeat(32), &format!("00-{id}"), &format!("{id}0")] {
            assert_eq!(trace_id(text), None, "{text}");
        }
    }
}
