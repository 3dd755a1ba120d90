//! What a handler knows of its run, and where its steps come from.

use std::fmt;
use std::future::Future;
use std::hash::Hasher;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use stepwell_core::id::RunId;
use stepwell_core::status::Kind;
use stepwell_core::step_id;
use stepwell_core::time::Timestamp;
use uuid::Uuid;

use crate::duration::IntoDuration;
use crate::error::Result;
use crate::log::Log;
use crate::machine::{Cell, Lane, Until, inside};
use crate::step::{
    BlockingStep, EmitStep, Given, IntoInstant, InvokeStep, Plain, RaceStep, RunStep, SkipStep,
    SleepStep, StepCtx, WaitStep, With,
};

/// A run, as its code sees it (§2.3): the first argument of every handler, and the maker of steps.
///
/// Cheap to clone. Steps borrow what they need from the handler:
///
/// ```
/// use stepwell::{Ctx, Result};
///
/// async fn greet(ctx: Ctx, name: String) -> Result<String> {
///     let greeting = ctx.run("greet", || async { Ok(format!("Hello, {name}!")) }).await?;
///     ctx.sleep("think", "2s").await?;
///     Ok(greeting)
/// }
/// # let _ = stepwell::App::new("demo").workflow("greet", greet);
/// ```
#[derive(Clone)]
pub struct Ctx {
    cell: Arc<Cell>,
    /// The branch of a race that it was made for.
    lane: Option<Arc<Lane>>,
}

/// The run and step that invoked a run (§9.2).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parent {
    /// The run.
    pub run: RunId,
    /// The step of it that waits.
    pub step: String,
}

impl Parent {
    pub(crate) fn of(parent: &stepwell_protocol::to_runner::Parent<'_>) -> Self {
        Self { run: parent.run, step: parent.step.clone().into_owned() }
    }
}

impl Ctx {
    pub(crate) fn new(cell: Arc<Cell>) -> Self {
        Self { cell, lane: None }
    }

    pub(crate) fn lane(&self) -> Option<&Arc<Lane>> {
        self.lane.as_ref()
    }

    pub(crate) fn in_lane(&self, lane: Lane) -> Self {
        Self { cell: self.cell.clone(), lane: Some(Arc::new(lane)) }
    }

    pub(crate) fn payload_bytes_max(&self) -> usize {
        self.cell.terms.payload_bytes_max
    }

    /// Makes a step that calls a function and saves its result (§2).
    ///
    /// `id` is unique in the run. The function gives a future of [`Result`]; it is called once per
    /// attempt and never again after its result is saved. An error means: try again (§6.1), unless
    /// it is [`Error::terminal`](crate::Error::terminal).
    pub fn run<F, Fut, T>(&self, id: impl AsRef<str>, function: F) -> RunStep<Plain<F>, T>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T>>,
        T: Serialize + DeserializeOwned,
    {
        RunStep::new(self.clone(), id.as_ref(), Plain(function))
    }

    /// Makes a step whose function gets its attempt's context (§2.2): number, signal, idempotency
    /// key, log.
    pub fn run_with<F, Fut, T>(&self, id: impl AsRef<str>, function: F) -> RunStep<With<F>, T>
    where
        F: FnMut(StepCtx) -> Fut,
        Fut: Future<Output = Result<T>>,
        T: Serialize + DeserializeOwned,
    {
        RunStep::new(self.clone(), id.as_ref(), With(function))
    }

    /// Makes a step with an input that is recorded and handed to the function (§2).
    ///
    /// ```
    /// # use stepwell::{Ctx, Result};
    /// # async fn demo(ctx: Ctx) -> Result<u32> {
    /// let doubled = ctx.run_input("double", 21, |n: u32| async move { Ok(n * 2) }).await?;
    /// # Ok(doubled)
    /// # }
    /// ```
    pub fn run_input<I, F, Fut, T>(
        &self,
        id: impl AsRef<str>,
        input: I,
        function: F,
    ) -> RunStep<Given<F, I>, T>
    where
        I: Serialize + Clone,
        F: FnMut(I) -> Fut,
        Fut: Future<Output = Result<T>>,
        T: Serialize + DeserializeOwned,
    {
        let step = RunStep::new(self.clone(), id.as_ref(), Given(function, input.clone()));
        step.input(input)
    }

    /// Makes a step whose function may block: it runs on a thread of its own.
    ///
    /// It cannot be stopped from outside. On a timeout and at the end of the run the signal of its
    /// [`StepCtx`] fires (§2.2, §6.4).
    pub fn run_blocking<F, T>(&self, id: impl AsRef<str>, function: F) -> BlockingStep<F, T>
    where
        F: FnMut(StepCtx) -> Result<T> + Send + 'static,
        T: Serialize + DeserializeOwned,
    {
        BlockingStep::new(self.clone(), id.as_ref(), function)
    }

    /// Makes a step that pauses for a duration, or a text such as `"30 minutes"` (§11), whatever
    /// happens to processes meanwhile.
    pub fn sleep(&self, id: impl AsRef<str>, duration: impl IntoDuration) -> SleepStep {
        SleepStep::new(self.clone(), id.as_ref(), duration.into_duration().map(Until::For))
    }

    /// Makes a step that pauses until an instant: a [`Timestamp`], a [`SystemTime`], an ISO 8601
    /// text, or milliseconds since 1970 (§2). An instant that has passed wakes at once.
    ///
    /// [`SystemTime`]: std::time::SystemTime
    pub fn sleep_until(&self, id: impl AsRef<str>, at: impl IntoInstant) -> SleepStep {
        let until = at.into_instant().map(|at| Until::At(at.as_micros()));
        SleepStep::new(self.clone(), id.as_ref(), until)
    }

    /// Makes a step that runs another workflow as a child and gives what it returned (§9.2).
    ///
    /// The workflow is looked for in this app, then in the others. A child that fails, is cancelled or
    /// runs out of time gives an error of kind [`ChildFailed`](crate::ErrorKind::ChildFailed),
    /// [`ChildCancelled`](crate::ErrorKind::ChildCancelled) or
    /// [`ChildTimeout`](crate::ErrorKind::ChildTimeout).
    ///
    /// ```
    /// # use stepwell::{Ctx, Result};
    /// # async fn demo(ctx: Ctx, order: String) -> Result<u32> {
    /// let parcel = ctx.invoke::<u32>("ship", "ship-order").input(&order).timeout("2h").await?;
    /// # Ok(parcel)
    /// # }
    /// ```
    pub fn invoke<T: DeserializeOwned>(
        &self,
        id: impl AsRef<str>,
        workflow: impl AsRef<str>,
    ) -> InvokeStep<T> {
        InvokeStep::new(self.clone(), id.as_ref(), workflow.as_ref())
    }

    /// Completes the run and has another run of the workflow go on with this input, in one commit: for
    /// loops without end (§2.3). The handler returns what this gives.
    ///
    /// Who waits for the run, clients and a parent, gets the end of the last run of the chain. Key,
    /// parent and the deadline's instant pass on; steps that are still in flight are cancelled.
    ///
    /// ```
    /// # use stepwell::{Ctx, Result};
    /// async fn poll(ctx: Ctx, page: u32) -> Result<()> {
    ///     ctx.run("fetch", || async { Ok(()) }).await?;
    ///     ctx.sleep("pause", "1h").await?;
    ///     ctx.continue_as(page + 1)
    /// }
    /// # let _ = stepwell::App::new("demo").workflow("poll", poll);
    /// ```
    ///
    /// # Errors
    /// Always: [`ContinueAs`](crate::ErrorKind::ContinueAs), which the run understands when the handler
    /// returns it; [`Serialization`](crate::ErrorKind::Serialization) or
    /// [`Limit`](crate::ErrorKind::Limit) when the input cannot be kept.
    pub fn continue_as<T>(&self, input: impl Serialize) -> Result<T> {
        let what = || "the input of the run that goes on".to_owned();
        let input = crate::json::encode(what, &input)?;
        crate::json::within(what, input.as_deref(), self.payload_bytes_max())?;
        Err(crate::Error::continue_as(input))
    }

    /// Makes a step that waits for an event of this name, and gives its data (§2, §8).
    ///
    /// ```
    /// # use stepwell::{Ctx, Result};
    /// # async fn demo(ctx: Ctx, order: u64) -> Result<()> {
    /// let paid = ctx
    ///     .wait_for_event::<serde_json::Value>("payment", "order.paid")
    ///     .matching(serde_json::json!({ "order": order }))
    ///     .timeout("3d")
    ///     .await?;
    /// # let _ = paid;
    /// # Ok(())
    /// # }
    /// ```
    pub fn wait_for_event<T: DeserializeOwned>(
        &self,
        id: impl AsRef<str>,
        event: impl AsRef<str>,
    ) -> WaitStep<T> {
        WaitStep::new(self.clone(), id.as_ref(), Kind::WaitForEvent, event.as_ref())
    }

    /// Makes a step of a wait that the app declares (§2.4). It is named after itself: `waitForScan`,
    /// then `waitForScan:2`, in the order in which the code comes to it.
    pub fn wait<T: DeserializeOwned>(&self, name: impl AsRef<str>) -> WaitStep<T> {
        let name = name.as_ref();
        let n = {
            let mut core = self.cell.lock();
            let n = core.named.entry(name.to_owned()).or_default();
            *n += 1;
            *n
        };
        let id = if n == 1 { name.to_owned() } else { format!("{name}:{n}") };
        self.wait_as(id, name)
    }

    /// Makes a step of a wait that the app declares, with an id of its own.
    pub fn wait_as<T: DeserializeOwned>(
        &self,
        id: impl AsRef<str>,
        name: impl AsRef<str>,
    ) -> WaitStep<T> {
        let info = &self.cell.info;
        let id = step_id::of(Kind::NamedWait, id.as_ref());
        match info.waits.find(name.as_ref()) {
            Ok(declared) => {
                let input = info.input.as_deref().map_or("null", RawValue::get);
                let input = serde_json::from_str(input).unwrap_or_default();
                let step = WaitStep::new(self.clone(), &id, Kind::NamedWait, &declared.event);
                let step = step.on_timeout(declared.on_timeout.clone());
                match declared.wanted(&input, info.run) {
                    Some(wanted) => step.matching(wanted),
                    None => step,
                }
            }
            Err(error) => WaitStep::refused(self.clone(), &id, error),
        }
    }

    /// Makes a step that sends an event, exactly once, and gives its id (§2).
    pub fn emit(&self, id: impl AsRef<str>, event: impl AsRef<str>) -> EmitStep {
        EmitStep::new(self.clone(), id.as_ref(), event.as_ref())
    }

    /// Returns the id and the name of the event that started the run (§8.3); its data is the input.
    pub fn event(&self) -> Option<(&str, &str)> {
        self.cell.info.event.as_ref().map(|(id, name)| (id.as_str(), name.as_str()))
    }

    /// Makes a step that records that it does not apply to this run (§2).
    pub fn skip(&self, id: impl AsRef<str>) -> SkipStep {
        SkipStep::new(self.clone(), id.as_ref())
    }

    /// Makes a race of branches, of which the first to settle wins, durably (§2, §5.5).
    ///
    /// ```
    /// # use stepwell::{Ctx, Result};
    /// # async fn demo(ctx: Ctx) -> Result<()> {
    /// let won = ctx
    ///     .race("quote or give up")
    ///     .branch("quote", |ctx| async move { ctx.run("ask", || async { Ok(Some(12)) }).await })
    ///     .branch("late", |ctx| async move {
    ///         ctx.sleep("an hour", "1h").await?;
    ///         Ok(None)
    ///     })
    ///     .await?;
    /// println!("{}: {:?}", won.winner, won.value);
    /// # Ok(())
    /// # }
    /// ```
    pub fn race<'a, T>(&self, id: impl AsRef<str>) -> RaceStep<'a, T>
    where
        T: Serialize + DeserializeOwned,
    {
        RaceStep::new(self.clone(), id.as_ref())
    }

    /// Sets search attributes of the run, by which lists find it (§9.4): an object of texts, numbers
    /// and booleans, at most 20 in all and 256 bytes each. Those that it does not name stay; `None`
    /// takes one away.
    ///
    /// ```
    /// # use stepwell::{Ctx, Result};
    /// # async fn demo(ctx: Ctx) -> Result<()> {
    /// ctx.set_search([("country", "DE")])?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Argument`](crate::ErrorKind::Argument) when it is something else, or over a limit: nothing
    /// was set.
    pub fn set_search<K, V>(&self, attributes: impl IntoIterator<Item = (K, V)>) -> Result<()>
    where
        K: Into<String>,
        V: Serialize,
    {
        self.cell.set_search(crate::json::search(attributes)?)
    }

    /// Returns the namespace.
    pub fn namespace(&self) -> &str {
        &self.cell.info.namespace
    }

    /// Returns the app.
    pub fn app(&self) -> &str {
        &self.cell.shared.app
    }

    /// Returns the workflow's name.
    pub fn workflow(&self) -> &str {
        &self.cell.info.workflow
    }

    /// Returns the run's id.
    pub fn run_id(&self) -> RunId {
        self.cell.info.run
    }

    /// Returns the run and step that invoked this run, if one did.
    pub fn parent(&self) -> Option<&Parent> {
        self.cell.info.parent.as_ref()
    }

    /// Returns the runner's name.
    pub fn runner(&self) -> &str {
        &self.cell.shared.runner
    }

    /// Returns the version of the workflow in this process.
    pub fn version(&self) -> Option<&str> {
        self.cell.info.version.as_deref()
    }

    /// Returns the version of the workflow that the run began with, for code to branch on (§9.9).
    pub fn started_version(&self) -> Option<&str> {
        self.cell.info.started_version.as_deref()
    }

    /// Returns when the run was started, in engine time.
    pub fn started_at(&self) -> Timestamp {
        Timestamp::from_micros(self.cell.info.created_at_us)
    }

    /// Returns the idempotency key that the run was started with.
    pub fn key(&self) -> Option<&str> {
        self.cell.info.key.as_deref()
    }

    /// Reads what the start said about itself.
    ///
    /// # Errors
    /// [`Serialization`](crate::ErrorKind::Serialization) when it does not read as `T`.
    pub fn metadata<T: DeserializeOwned>(&self) -> Result<T> {
        crate::json::decode(|| "the run's metadata".into(), self.cell.info.metadata.as_deref())
    }

    /// Returns the engine time of the last end of a step that the code was given, at first that of
    /// the run's start: the same on replay (§2.3).
    pub fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.cell.lock().now_us)
    }

    /// Draws a number of at least 0 and less than 1: the same on replay (§2.3).
    pub fn random(&self) -> f64 {
        // The 53 bits that a number between 0 and 1 has.
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit exactly")]
        let numerator = (self.draw() >> 11) as f64;
        numerator / 9_007_199_254_740_992.0
    }

    /// Draws a UUID (version 4): the same on replay (§2.3).
    pub fn uuid(&self) -> Uuid {
        let bits = (u128::from(self.draw()) << 64) | u128::from(self.draw());
        uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()
    }

    /// Returns the log of the handler. Its lines are shown once, not again on replay (§2.3).
    pub fn log(&self) -> Log {
        let step = inside().filter(|inside| inside.run == self.cell.address());
        Log::new(self.cell.clone(), step.map(|inside| inside.step))
    }

    pub(crate) fn cell(&self) -> &Arc<Cell> {
        &self.cell
    }

    /// Draws bits from the run's id and a counter. In a step's function, which is not called on
    /// replay, the counter is the step's own.
    fn draw(&self) -> u64 {
        let mut core = self.cell.lock();
        let run = self.cell.info.run.as_u128();
        let mut seed = Mix(0);
        seed.write_u128(run);
        if let Some(inside) = inside().filter(|inside| inside.run == self.cell.address()) {
            let step = &mut core.steps[inside.step];
            step.draws += 1;
            seed.write(step.id.as_bytes());
            seed.write_u32(step.attempt.as_ref().map_or(0, |attempt| attempt.n));
            seed.write_u64(step.draws);
        } else {
            core.draws += 1;
            seed.write_u64(core.draws);
        }
        seed.finish()
    }
}

impl fmt::Debug for Ctx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let info = &self.cell.info;
        let mut shown = f.debug_struct("Ctx");
        shown.field("run", &info.run).field("workflow", &info.workflow).finish_non_exhaustive()
    }
}

/// `SplitMix64` over the words that it is given. What it gives must never change: runs replay it.
struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            for (to, from) in word.iter_mut().zip(chunk) {
                *to = *from;
            }
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = mix(self.0 ^ mix(word));
    }

    fn write_u128(&mut self, words: u128) {
        self.write(&words.to_le_bytes());
    }

    fn finish(&self) -> u64 {
        mix(self.0)
    }
}

fn mix(word: u64) -> u64 {
    let mut z = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
