//! What stands in for functions of steps.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use stepwell_core::id::RunId;

use crate::error::Result;
use crate::json;
use crate::machine::Outcome;

/// A call of a step's function that a mock stands in for.
#[derive(Clone, Debug)]
pub struct Call {
    pub(crate) run: RunId,
    pub(crate) workflow: Arc<str>,
    pub(crate) step: Arc<str>,
    pub(crate) attempt: u32,
    pub(crate) input: Option<Box<RawValue>>,
    /// Its function starts at most once (§4.5).
    pub(crate) once: bool,
}

impl Call {
    /// Returns the run.
    pub fn run(&self) -> RunId {
        self.run
    }

    /// Returns the run's workflow.
    pub fn workflow(&self) -> &str {
        &self.workflow
    }

    /// Returns the step's id; of a compensation, that of the step that is taken back.
    pub fn step(&self) -> &str {
        stepwell_core::step_id::shown(&self.step)
    }

    /// Returns the attempt's number, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Reads the step's recorded input.
    ///
    /// # Errors
    /// [`Serialization`](crate::ErrorKind::Serialization) when it does not read as `T`.
    pub fn input<T: DeserializeOwned>(&self) -> Result<T> {
        json::decode(|| format!("the input of step `{}`", self.step), self.input.as_deref())
    }
}

/// A mock that was set; made by [`Test::mock_step`](super::Test::mock_step).
#[derive(Clone, Debug)]
pub struct Mock(pub(super) Arc<Count>);

#[derive(Debug, Default)]
pub(super) struct Count {
    calls: AtomicUsize,
    optional: AtomicBool,
}

impl Mock {
    /// Returns how often it was called.
    pub fn calls(&self) -> usize {
        self.0.calls.load(Ordering::SeqCst)
    }

    /// Lets the test end well though the step never came. Default: it fails then.
    #[expect(clippy::return_self_not_must_use, reason = "mostly called for its effect")]
    pub fn optional(self) -> Self {
        self.0.optional.store(true, Ordering::SeqCst);
        self
    }
}

type Function = dyn Fn(&Call) -> Result<Option<Box<RawValue>>> + Send + Sync;

/// What stands in for the functions of a step.
#[derive(Clone)]
pub(super) struct StandIn {
    pub(super) step: Arc<str>,
    function: Arc<Function>,
    count: Arc<Count>,
}

impl StandIn {
    pub(super) fn new<T, F>(step: &str, function: F) -> (Self, Mock)
    where
        T: Serialize,
        F: Fn(&Call) -> Result<T> + Send + Sync + 'static,
    {
        let function = move |call: &Call| {
            let what = || format!("what the mock of step `{}` gave", call.step);
            json::encode(what, &function(call)?)
        };
        let count = Arc::<Count>::default();
        let mock = Mock(count.clone());
        (Self { step: Arc::from(step), function: Arc::new(function), count }, mock)
    }

    pub(super) fn call(&self, call: &Call) -> Outcome {
        self.count.calls.fetch_add(1, Ordering::SeqCst);
        match (self.function)(call) {
            Ok(output) => Outcome::Returned(output),
            Err(error) => Outcome::of_error(&error),
        }
    }

    /// Tells whether it waits for a call without which the test fails.
    pub(super) fn is_missed(&self) -> bool {
        self.count.calls.load(Ordering::SeqCst) == 0 && !self.count.optional.load(Ordering::SeqCst)
    }
}

impl fmt::Debug for StandIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StandIn").field("step", &self.step).finish_non_exhaustive()
    }
}
