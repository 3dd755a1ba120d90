//! A step around a function that is not async.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use serde::Serialize;

use super::call::Place;
use super::fault::Fault;
use super::metadata::{self, Object};
use super::step::Judge;

/// A step around a function; made by [`Run::step_sync`](super::Run::step_sync) and
/// [`Run::observe_sync`](super::Run::observe_sync).
#[must_use = "the function is not called: `.call()` does it"]
pub struct SyncStep<F, T> {
    place: Option<Place>,
    key: Box<str>,
    metadata: Object,
    function: F,
    judge: Judge<T>,
}

impl<F: FnOnce() -> T, T> SyncStep<F, T> {
    pub(super) fn new(place: Option<Place>, key: &str, function: F, judge: Judge<T>) -> Self {
        Self { place, key: key.into(), metadata: Object::new(), function, judge }
    }

    /// Adds what is told of this call, as [`Step::metadata`](super::Step::metadata) does.
    pub fn metadata(mut self, metadata: impl Serialize) -> Self {
        if self.place.is_some() {
            self.metadata.extend(metadata::object(metadata));
        }
        self
    }

    /// Sets which outputs are recorded as errors, as [`Step::failed_if`](super::Step::failed_if) does.
    pub fn failed_if<M: Into<String>>(
        mut self,
        judge: impl FnOnce(&T) -> Option<M> + Send + 'static,
    ) -> Self {
        self.judge = Judge::told(judge);
        self
    }

    /// Calls the function on this thread and returns what it does. What it panics with goes on.
    pub fn call(self) -> T {
        let Some(place) = self.place else { return (self.function)() };
        let call = place.begin(&self.key, self.metadata);
        match catch_unwind(AssertUnwindSafe(self.function)) {
            Ok(output) => {
                let stack = place.handle.shared.stack;
                call.end(self.judge.fault(&output, stack));
                output
            }
            Err(panic) => {
                call.end(Some(Fault::panic(&*panic)));
                resume_unwind(panic)
            }
        }
    }
}

impl<F, T> fmt::Debug for SyncStep<F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncStep").field("key", &self.key).finish_non_exhaustive()
    }
}
