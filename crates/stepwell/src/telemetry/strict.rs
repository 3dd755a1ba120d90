//! Steps that tell of events that were not sent (§10.3).

use std::convert::Infallible;
use std::fmt::{self, Debug, Display};
use std::future::{Future, IntoFuture};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::pin::Pin;

use futures_util::FutureExt;
use serde::Serialize;

use super::call::{Call, Place};
use super::error::{SendError, SendErrorKind};
use super::fault::Fault;
use super::metadata::{self, Object};
use super::park::block_on;
use super::record::StepRecord;
use super::run::Run;
use super::step::Judge;
use super::telemetry::Telemetry;

/// A client whose steps wait until what they tell has arrived; made by
/// [`Telemetry::strict`] and [`Builder::build_strict`](super::Builder::build_strict) (§10.3).
///
/// Each event is tried three times at most. This costs two requests for each step: it is for tests, and for code that
/// has to know that it is seen.
#[derive(Clone, Debug)]
pub struct StrictTelemetry(Telemetry);

/// A run whose steps wait until what they tell has arrived; made by [`StrictTelemetry::run`].
#[derive(Clone, Debug)]
pub struct StrictRun(Run);

/// Why a strict step gives no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepError<T, E> {
    /// The step's own error, untouched. It wins over errors of sending.
    Own(E),
    /// That the step begins could not be told: it was not called.
    NotStarted(SendError),
    /// The step succeeded, and that could not be told.
    NotRecorded {
        /// What the step gave.
        value: T,
        /// Why it is not recorded.
        error: SendError,
    },
}

/// A step that waits until what it tells has arrived; made by [`StrictRun::step`] and
/// [`StrictRun::observe`]. Await it.
#[must_use = "a step does nothing unless awaited"]
pub struct StrictStep<'a, T, E> {
    metadata: Object,
    begin: Box<dyn FnOnce(Object) -> Steps<'a, T, E> + Send + 'a>,
}

/// A strict step on its way.
type Steps<'a, T, E> = Pin<Box<dyn Future<Output = Result<T, StepError<T, E>>> + Send + 'a>>;

/// What a strict step is made of.
struct Parts<F: Future, T, E> {
    place: Option<Place>,
    key: Box<str>,
    future: F,
    judge: Judge<F::Output>,
    /// Parts what the future gives into the value and the step's own error.
    split: fn(F::Output) -> Result<T, E>,
}

impl StrictTelemetry {
    pub(super) fn new(telemetry: Telemetry) -> Self {
        Self(telemetry)
    }

    /// Returns a run, as [`Telemetry::run`] does.
    pub fn run(&self, flow: &str, run_id: impl Display) -> StrictRun {
        StrictRun(self.0.run(flow, run_id))
    }

    /// Tells of a step by hand, as [`Telemetry::record_step`] does, and waits until that has arrived.
    ///
    /// # Errors
    /// It has not.
    pub async fn record_step(&self, record: StepRecord<'_>) -> Result<(), SendError> {
        let Some(handle) = self.0.handle() else { return Ok(()) };
        let seen = record.seen(handle);
        let event = seen.event().encode(handle.shared.ids.next(), &seen.about);
        handle.shared.send_now(event).await
    }

    /// Returns the client itself, whose steps do not wait.
    pub fn telemetry(&self) -> &Telemetry {
        &self.0
    }
}

impl StrictRun {
    /// Adds what is told of the run, as [`Run::metadata`] does.
    #[must_use]
    pub fn metadata(self, metadata: impl Serialize) -> Self {
        Self(self.0.metadata(metadata))
    }

    /// Names the trace of the run, as [`Run::trace`] does.
    #[must_use]
    pub fn trace(self, trace: &str) -> Self {
        Self(self.0.trace(trace))
    }

    /// Makes a step of a future that gives a `Result`. Where `running` does not arrive, the future is not
    /// polled (§10.3).
    ///
    /// ```no_run
    /// # use stepwell::telemetry::{StepError, Telemetry};
    /// # async fn charge() -> Result<String, std::io::Error> { Ok(String::new()) }
    /// # async fn demo() -> stepwell::Result<()> {
    /// let telemetry = Telemetry::builder().build_strict()?;
    /// let run = telemetry.run("checkout", "req_123");
    /// let receipt = match run.step("charge", charge()).await {
    ///     Ok(receipt) | Err(StepError::NotRecorded { value: receipt, .. }) => receipt,
    ///     Err(StepError::Own(error)) => return Err(error.into()),
    ///     Err(StepError::NotStarted(error)) => return Err(error.into()),
    /// };
    /// # drop(receipt);
    /// # Ok(())
    /// # }
    /// ```
    pub fn step<'a, F, T, E>(&self, key: &str, future: F) -> StrictStep<'a, T, E>
    where
        F: IntoFuture<Output = Result<T, E>>,
        F::IntoFuture: Send + 'a,
        T: Send + 'a,
        E: Display + Debug + Send + 'a,
    {
        self.of_result(key, future.into_future()).erased()
    }

    /// Makes a step of any future, as [`Run::observe`] does.
    pub fn observe<'a, F>(&self, key: &str, future: F) -> StrictStep<'a, F::Output, Infallible>
    where
        F: IntoFuture,
        F::IntoFuture: Send + 'a,
        F::Output: Send + 'a,
    {
        let (place, future) = (self.0.place().cloned(), future.into_future());
        Parts { place, key: key.into(), future, judge: Judge::never(), split: Ok }.erased()
    }

    /// Calls a function as a step, and blocks the thread until what it tells has arrived.
    ///
    /// # Errors
    /// The function's own error, or what was told has not arrived.
    pub fn step_sync<F, T, E>(&self, key: &str, function: F) -> Result<T, StepError<T, E>>
    where
        F: FnOnce() -> Result<T, E>,
        E: Display + Debug,
    {
        block_on(self.of_result(key, async { function() }).run(Object::new()))
    }

    /// Tells that a step is left out, as [`Run::skip`] does, and waits until that has arrived.
    ///
    /// # Errors
    /// It has not.
    pub async fn skip(&self, key: &str) -> Result<(), SendError> {
        let Some(place) = self.0.place() else { return Ok(()) };
        place.handle.shared.send_now(place.encode(&Place::skips(key))).await
    }

    fn of_result<F, T, E>(&self, key: &str, future: F) -> Parts<F, T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: Display + Debug,
    {
        let (place, judge) = (self.0.place().cloned(), Judge::of_results());
        Parts { place, key: key.into(), future, judge, split: |output| output }
    }
}

impl<F: Future, T, E> Parts<F, T, E> {
    fn erased<'a>(self) -> StrictStep<'a, T, E>
    where
        F: Send + 'a,
        F::Output: Send + 'a,
        T: Send + 'a,
        E: Send + 'a,
    {
        let begin = Box::new(|metadata| Box::pin(self.run(metadata)) as Steps<'a, T, E>);
        StrictStep { metadata: Object::new(), begin }
    }

    async fn run(self, metadata: Object) -> Result<T, StepError<T, E>> {
        let Self { place, key, future, judge, split } = self;
        let Some(place) = place else { return split(future.await).map_err(StepError::Own) };
        let shared = &place.handle.shared;
        let call = begin(&place, &key, metadata).await.map_err(StepError::NotStarted)?;
        let output = match AssertUnwindSafe(future).catch_unwind().await {
            Ok(output) => output,
            Err(panic) => {
                call.end(Some(Fault::panic(&*panic)));
                resume_unwind(panic)
            }
        };
        let fault = judge.fault(&output, shared.stack).map(|fault| fault.sealed(&shared.redaction));
        let event = place.encode(&call.ends(fault.as_ref()));
        call.leave();
        let sent = shared.send_now(event).await;
        match (split(output), sent) {
            (Ok(value), Ok(())) => Ok(value),
            (Ok(value), Err(error)) => Err(StepError::NotRecorded { value, error }),
            (Err(error), sent) => {
                // The step's own error wins; the other one is told where those are told.
                sent.unwrap_or_else(|error| shared.report(&error));
                Err(StepError::Own(error))
            }
        }
    }
}

/// Tells that a call begins, and waits until that has arrived.
async fn begin(place: &Place, key: &str, metadata: Object) -> Result<Call, SendError> {
    let mut call = place.call(key, metadata);
    match place.handle.shared.send_now(place.encode(&call.begins())).await {
        Ok(()) => {
            call.on_told();
            Ok(call)
        }
        Err(error) if error.kind() == SendErrorKind::Unreachable => {
            // It may have arrived all the same: then the call is not to be seen as open for ever.
            call.end(Some(Fault::text("the step was not called: its begin could not be told")));
            Err(error)
        }
        Err(error) => {
            call.leave();
            Err(error)
        }
    }
}

impl<T, E> StrictStep<'_, T, E> {
    /// Adds what is told of this call, as [`Step::metadata`](super::Step::metadata) does.
    pub fn metadata(mut self, metadata: impl Serialize) -> Self {
        self.metadata.extend(metadata::object(metadata));
        self
    }
}

impl<'a, T, E> IntoFuture for StrictStep<'a, T, E> {
    type Output = Result<T, StepError<T, E>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        (self.begin)(self.metadata)
    }
}

impl<T, E> Debug for StrictStep<'_, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StrictStep").finish_non_exhaustive()
    }
}

impl<T, E: Display> Display for StepError<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(error) => Display::fmt(error, f),
            Self::NotStarted(error) => write!(f, "the step was not called: {error}"),
            Self::NotRecorded { error, .. } => {
                write!(f, "the step succeeded, and is not recorded: {error}")
            }
        }
    }
}

impl<T: Debug, E: std::error::Error + 'static> std::error::Error for StepError<T, E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Own(error) => error.source(),
            Self::NotStarted(error) | Self::NotRecorded { error, .. } => Some(error),
        }
    }
}
