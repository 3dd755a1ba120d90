//! What a test does.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;
use stepwell_node::{Begin, SendRequest, StartRequest};

use super::mock::{Call, Mock, StandIn};
use super::view::TestRun;
use super::watch::{CrashAt, Watcher};
use super::world::{NAMESPACE, World};
use crate::app::App;
use crate::error::Result;
use crate::json;

/// A node, a process that serves an app, and a clock that moves when it is told to.
///
/// ```
/// use stepwell::test::Test;
/// use stepwell::{App, Ctx, Result, RunStatus};
///
/// async fn order(ctx: Ctx, cents: u32) -> Result<String> {
///     let receipt: String = ctx.run("charge", || async { Ok(bank::charge(cents).await?) }).await?;
///     ctx.run("ship", || async { Ok(format!("shipped, {receipt}")) }).await
/// }
/// # mod bank { pub async fn charge(_: u32) -> stepwell::Result<String> { unreachable!() } }
///
/// let mut test = Test::new(App::new("shop").workflow("order", order))?;
/// // No bank is called: the function of `charge` gives this.
/// let charge = test.mock_step("charge", |call| Ok(format!("receipt {}", call.attempt())));
/// // The process dies once the result is saved; another one goes on from there.
/// test.crash_after("charge");
/// let run = test.start("order", 500)?;
/// assert_eq!(run.output::<String>()?, "shipped, receipt 1");
/// assert_eq!(charge.calls(), 1);
/// # Ok::<(), stepwell::Error>(())
/// ```
///
/// What the app was given with [`App::data`] is the world outside: it is shared by the processes that
/// come one after another.
///
/// # Panics
/// As it is dropped, where a step was mocked, or a crash asked for, and the step never came; see
/// [`Mock::optional`].
#[derive(Debug)]
pub struct Test {
    world: Shared,
    watcher: Arc<Watcher>,
}

/// The world, as a test and the runs that it looks at share it.
#[derive(Clone, Debug)]
pub(super) struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Test {
    /// Makes a node with an empty store, and a process that serves the app. The clock begins at
    /// 2026-01-01.
    ///
    /// # Errors
    /// [`Argument`](crate::ErrorKind::Argument) when something that the app was given is not accepted;
    /// [`Connection`](crate::ErrorKind::Connection) when the node does not take it.
    pub fn new(app: App) -> Result<Self> {
        let watcher = Arc::<Watcher>::default();
        let world = World::new(app, watcher.clone())?;
        Ok(Self { world: Shared(Arc::new(Mutex::new(world))), watcher })
    }

    /// Starts a run of a workflow, and lets it go as far as it can without time passing; `()` is no
    /// input.
    ///
    /// # Errors
    /// [`Refused`](crate::ErrorKind::Refused) with the code that a server would answer with;
    /// [`Serialization`](crate::ErrorKind::Serialization) when the input is no JSON.
    pub fn start(&mut self, workflow: &str, input: impl Serialize) -> Result<TestRun> {
        self.start_with_key(workflow, input, None)
    }

    /// The same with an idempotency key (§4.8): started twice, it is one run.
    ///
    /// # Errors
    /// As [`Test::start`].
    pub fn start_once(
        &mut self,
        workflow: &str,
        input: impl Serialize,
        key: &str,
    ) -> Result<TestRun> {
        self.start_with_key(workflow, input, Some(key.to_owned()))
    }

    fn start_with_key(
        &mut self,
        workflow: &str,
        input: impl Serialize,
        key: Option<String>,
    ) -> Result<TestRun> {
        let input = json::encode(|| format!("the input of workflow `{workflow}`"), &input)?;
        let start = StartRequest {
            namespace: Arc::from(NAMESPACE),
            app: None,
            workflow: workflow.to_owned(),
            input,
            key,
            timeout: None,
            begin: Begin::Now,
            metadata: None,
            runner: None,
            search: stepwell_core::search::Attributes::new(),
            traceparent: None,
            wait: false,
        };
        let run = self.world.lock().start(start)?;
        Ok(TestRun::new(self.world.clone(), run))
    }

    /// Sends an event (§8), and lets what it wakes and starts go as far as it can without time
    /// passing. Returns the event's id; `()` is no data.
    ///
    /// # Errors
    /// [`Refused`](crate::ErrorKind::Refused) with the code that a server would answer with;
    /// [`Serialization`](crate::ErrorKind::Serialization) when the data is no JSON.
    pub fn send(&mut self, event: &str, data: impl Serialize) -> Result<String> {
        self.send_event(event, data, None)
    }

    /// Sends an event for the waits of one run (§8.1).
    ///
    /// # Errors
    /// As [`Test::send`].
    pub fn send_to(&mut self, run: &TestRun, event: &str, data: impl Serialize) -> Result<String> {
        self.send_event(event, data, Some(run.id()))
    }

    fn send_event(
        &mut self,
        event: &str,
        data: impl Serialize,
        run: Option<RunId>,
    ) -> Result<String> {
        let data = json::encode(|| format!("the data of event `{event}`"), &data)?;
        self.world.lock().send(SendRequest {
            namespace: Arc::from(NAMESPACE),
            id: None,
            event: event.to_owned(),
            data,
            offer: None,
            app: None,
            workflow: None,
            run,
            key: None,
        })
    }

    /// Lets time pass on the virtual clock. Everything that is due meanwhile happens, in order: sleeps
    /// end, attempts are tried again or run out of time, deadlines come.
    ///
    /// Where a process died meanwhile, the time until another one has taken over comes on top: some
    /// ten seconds, as with a server.
    pub fn advance(&mut self, time: Duration) {
        self.world.lock().advance(time);
    }

    /// Returns the time of the virtual clock.
    pub fn now(&self) -> Timestamp {
        self.world.lock().now()
    }

    /// Returns a run that was started before.
    pub fn run(&self, id: RunId) -> TestRun {
        TestRun::new(self.world.clone(), id)
    }

    /// Returns every run that was started, in order.
    pub fn runs(&self) -> Vec<TestRun> {
        self.watcher.runs().into_iter().map(|run| self.run(run)).collect()
    }

    /// Cancels a run (§7.1).
    ///
    /// # Errors
    /// [`Refused`](crate::ErrorKind::Refused) with the code that a server would answer with.
    pub fn cancel(&mut self, run: &TestRun, reason: Option<&str>) -> Result<()> {
        self.world.lock().cancel(run.id(), reason.map(ToOwned::to_owned))
    }

    /// Has `function` give the result of a step, in every run, in place of the step's own function:
    /// once for each attempt. An error is what the attempt fails with (§6). It replaces a mock of the
    /// same step.
    pub fn mock_step<T, F>(&mut self, step: &str, function: F) -> Mock
    where
        T: Serialize,
        F: Fn(&Call) -> Result<T> + Send + Sync + 'static,
    {
        let (stand_in, mock) = StandIn::new(step, function);
        self.watcher.mock(stand_in);
        mock
    }

    /// Kills the process once it was told that the result of this step is saved, the next time that
    /// this happens in any run; another process takes over.
    pub fn crash_after(&mut self, step: &str) {
        self.crash_at(CrashAt::AfterAcknowledgement, step);
    }

    /// Kills the process when this step comes to this moment, the next time in any run; another process
    /// takes over.
    pub fn crash_at(&mut self, at: CrashAt, step: &str) {
        self.world.lock().trap(at, step);
    }

    /// Kills the process now; another process takes over.
    pub fn crash(&mut self) {
        let mut world = self.world.lock();
        world.kill();
        world.settle();
    }

    /// Sets how long functions in progress are waited for, in real time, before they are taken to hang.
    /// Default 1 s.
    pub fn patience(&mut self, patience: Duration) {
        self.world.lock().patience = patience;
    }

    /// Ends the test without looking at what never came.
    pub(super) fn abandon(self) {
        self.watcher.forget();
    }

    pub(super) fn watcher(&self) -> &Watcher {
        &self.watcher
    }
}

impl Drop for Test {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let missed = self.watcher.missed();
        assert!(missed.is_none(), "{}", missed.unwrap_or_default());
    }
}
