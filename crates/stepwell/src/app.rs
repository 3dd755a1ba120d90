//! Apps: workflows that are deployed together, and what they share.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;
use stepwell_core::clean_up::EndOptions;
use stepwell_core::name;

use crate::driver::Serve;
use crate::duration::IntoDuration;
use crate::error::{Error, Result};
use crate::failure::OnFailure;
use crate::handler::{AnyHandler, DataMap, Erased, Handler, Handlers, Need, Workflow};
use crate::json;
use crate::named_wait::{NamedWait, NamedWaits};
use crate::retry::Retry;
use crate::session::{Identity, Registered};

/// How many runs may have code in progress at once, unless the app says otherwise.
const SLOTS: u32 = 1_000;
/// Most of them that the protocol takes.
const SLOTS_MAX: u32 = 100_000;

/// Workflows that are deployed together under a name (§1).
///
/// ```no_run
/// use stepwell::{App, Ctx, Result};
///
/// async fn greet(ctx: Ctx, name: String) -> Result<String> {
///     ctx.run("greet", || async { Ok(format!("Hello, {name}!")) }).await
/// }
///
/// #[tokio::main]
/// async fn main() -> Result<()> {
///     App::new("demo").workflow("greet", greet).serve("http://127.0.0.1:7878").await
/// }
/// ```
#[must_use = "an app does nothing until it is served"]
pub struct App {
    name: String,
    runner: Option<String>,
    build: Option<String>,
    slots: u32,
    data: DataMap,
    workflows: Vec<Entry>,
    waits: Option<NamedWaits>,
    /// The first argument that was not accepted.
    error: Option<Error>,
}

struct Entry {
    name: String,
    options: WorkflowOptions,
    handler: Arc<dyn AnyHandler>,
    needs: Vec<Need>,
}

/// Options of a workflow; given to [`App::workflow_with`].
///
/// ```
/// use stepwell::WorkflowOptions;
///
/// let options = WorkflowOptions::new().version("2026-11").timeout("1h");
/// # let _ = options;
/// ```
#[derive(Default)]
#[must_use]
pub struct WorkflowOptions {
    version: Option<String>,
    timeout: Option<Result<std::time::Duration>>,
    strict: bool,
    input_schema: Option<String>,
    output_schema: Option<String>,
    retry: Option<Retry>,
    compensate_on_cancel: bool,
    on_failure: Option<OnFailure>,
    /// What that function takes.
    needs: Vec<Need>,
    triggers: Vec<(String, Result<Option<Box<RawValue>>>)>,
}

impl WorkflowOptions {
    /// Makes options that say nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the version, which runs record when they begin (§9.9).
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Bounds each run, from its accepted start (§7.1). Default: no bound.
    pub fn timeout(mut self, timeout: impl IntoDuration) -> Self {
        self.timeout = Some(timeout.into_duration());
        self
    }

    /// Makes a changed order of steps block a run (§4.10). Default: it is recorded and shown.
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Sets the JSON Schema of the input, as JSON text (§9.1).
    pub fn input_schema(mut self, schema: impl Into<String>) -> Self {
        self.input_schema = Some(schema.into());
        self
    }

    /// Starts a run for every event of this name, with the event's data as its input (§8.1).
    pub fn trigger(mut self, event: impl Into<String>) -> Self {
        self.triggers.push((event.into(), Ok(None)));
        self
    }

    /// Starts a run for events of this name that contain this match (§8.2).
    pub fn trigger_matching(mut self, event: impl Into<String>, wanted: impl Serialize) -> Self {
        let wanted = json::encode(|| "the match of a trigger".into(), &wanted);
        let wanted = wanted.map(|raw| Some(raw.unwrap_or_else(|| RawValue::NULL.to_owned())));
        self.triggers.push((event.into(), wanted));
        self
    }

    /// Sets the JSON Schema of the output, as JSON text.
    pub fn output_schema(mut self, schema: impl Into<String>) -> Self {
        self.output_schema = Some(schema.into());
        self
    }

    /// Has the handler run again when it fails (§6.5): steps that completed keep their results, the
    /// others begin anew. Nothing is taken back before the last time. Default: it runs once.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = Some(retry);
        self
    }

    /// Has a cancelled run cleaned up as a failed one is (§7.3). Default: it is not.
    pub fn compensate_on_cancel(mut self) -> Self {
        self.compensate_on_cancel = true;
        self
    }

    /// Sets a function for runs that end badly (§7.4): an async function as handlers are, with a
    /// [`RunFailure`](crate::RunFailure) as its input. It is called in a step of its own, after what
    /// is taken back, and can ask for no steps. Default: none.
    pub fn on_failure<Args, H>(mut self, function: H) -> Self
    where
        H: Handler<Args>,
        Args: 'static,
    {
        self.needs = H::needs();
        self.on_failure = Some(OnFailure { handler: Arc::new(Erased::new(function)) });
        self
    }
}

impl fmt::Debug for WorkflowOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("WorkflowOptions");
        shown.field("version", &self.version).field("strict", &self.strict).finish_non_exhaustive()
    }
}

impl App {
    /// Makes an app without workflows.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            runner: None,
            build: None,
            slots: SLOTS,
            data: DataMap::default(),
            workflows: Vec::new(),
            waits: None,
            error: None,
        }
    }

    /// Gives the app something that handlers take as [`Data`](crate::Data): one value of each type.
    pub fn data<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        if !self.data.insert(value) {
            let name = std::any::type_name::<T>();
            self.fail(Error::argument(format!("the app was given two values of type `{name}`")));
        }
        self
    }

    /// Adds a workflow without options.
    pub fn workflow<Args, H>(self, name: impl Into<String>, handler: H) -> Self
    where
        H: Handler<Args>,
        Args: 'static,
    {
        self.workflow_with(name, handler, WorkflowOptions::new())
    }

    /// Adds a workflow.
    pub fn workflow_with<Args, H>(
        mut self,
        name: impl Into<String>,
        handler: H,
        options: WorkflowOptions,
    ) -> Self
    where
        H: Handler<Args>,
        Args: 'static,
    {
        self.workflows.push(Entry {
            name: name.into(),
            options,
            needs: H::needs(),
            handler: Arc::new(Erased::new(handler)),
        });
        self
    }

    /// Declares a wait that handlers use by its name (§2.4).
    pub fn wait(mut self, wait: NamedWait) -> Self {
        if let Err(error) = self.waits.get_or_insert_default().add(wait) {
            self.fail(error);
        }
        self
    }

    /// Sets the runner's name. Default: the app's.
    pub fn runner(mut self, name: impl Into<String>) -> Self {
        self.runner = Some(name.into());
        self
    }

    /// Sets what the process was built from, such as a commit: runs that are blocked are tried again
    /// by another build (§4.10). Default: unknown.
    pub fn build(mut self, build: impl Into<String>) -> Self {
        self.build = Some(build.into());
        self
    }

    /// Sets how many runs may have code in progress at once, 1 to 100,000. Default 1,000.
    pub fn slots(mut self, slots: u32) -> Self {
        if slots == 0 || slots > SLOTS_MAX {
            self.fail(Error::argument(format!("{slots} slots; accepted: 1 to {SLOTS_MAX}")));
        }
        self.slots = slots;
        self
    }

    /// Connects to a server and runs what it gives, until
    /// [`Serve::with_graceful_shutdown`] says otherwise.
    ///
    /// `url` begins with `http://` or `https://`. Several nodes are named with commas between, as in
    /// `http://a:7878,http://b:7878`: one of them is connected to, and where it is lost, the next one, to which
    /// the runner takes its runs along. A key is set by [`Serve::key`], or by the variable
    /// `STEPWELL_KEY`.
    ///
    /// Code runs on the tokio runtime that polls the future; the connection has a thread of its own,
    /// so that a function that blocks its thread does not count as lost (§4.7).
    pub fn serve(self, url: impl Into<String>) -> Serve {
        Serve::new(self, &url.into())
    }

    fn fail(&mut self, error: Error) {
        self.error.get_or_insert(error);
    }

    /// Checks everything that the app was given.
    pub(crate) fn into_parts(mut self, instance: String) -> Result<(Identity, Handlers)> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let runner = self.runner.take().unwrap_or_else(|| self.name.clone());
        for (what, text) in [("an app's name", &self.name), ("a runner's name", &runner)] {
            check_name(what, text)?;
        }
        let mut workflows = Vec::new();
        let mut registered = Vec::new();
        for entry in std::mem::take(&mut self.workflows) {
            self.check(&entry, &workflows)?;
            let (workflow, one) = entry.into_parts()?;
            workflows.push(workflow);
            registered.push(one);
        }
        if workflows.is_empty() {
            let text = format!("app `{}` has no workflow; add one with `.workflow(…)`", self.name);
            return Err(Error::argument(text));
        }
        let identity = Identity {
            app: self.name.into(),
            runner: runner.into(),
            instance,
            build: self.build,
            slots: self.slots,
            workflows: registered,
        };
        Ok((identity, Handlers::new(workflows, self.data).with_waits(self.waits)))
    }

    fn check(&self, entry: &Entry, before: &[Workflow]) -> Result<()> {
        check_name("a workflow's name", &entry.name)?;
        if before.iter().any(|one| *one.name == *entry.name) {
            return Err(Error::argument(format!("the app has two workflows `{}`", entry.name)));
        }
        let mut needs = entry.needs.iter().chain(&entry.options.needs);
        match needs.find(|need| !self.data.has(need)) {
            None => Ok(()),
            Some(need) => Err(Error::argument(format!(
                "workflow `{}` takes Data<{name}>, and the app was given none; \
                 add one with `.data(…)`",
                entry.name,
                name = need.name
            ))),
        }
    }
}

fn check_name(what: &'static str, text: &str) -> Result<()> {
    name::check(what, text).map_err(|why| Error::argument(why.to_string()))
}

impl Entry {
    fn into_parts(self) -> Result<(Workflow, Registered)> {
        let (options, workflow) = (self.options, &self.name);
        let schema = |which: &str, text: Option<String>| {
            text.map(|text| json::parse_schema(&format!("{which} of workflow `{workflow}`"), text))
                .transpose()
        };
        let input_schema = schema("input_schema", options.input_schema)?;
        let output_schema = schema("output_schema", options.output_schema)?;
        if let Some(version) = &options.version {
            check_name("a workflow's version", version)?;
        }
        let mut triggers = Vec::new();
        for (event, wanted) in options.triggers {
            check_name("an event", &event)?;
            triggers.push((event, wanted?));
        }
        let name: Arc<str> = self.name.into();
        let version: Option<Arc<str>> = options.version.map(Into::into);
        let registered = Registered {
            name: name.clone(),
            version: version.clone(),
            timeout: options.timeout.transpose()?,
            strict: options.strict,
            input_schema,
            output_schema,
            ends: EndOptions {
                retry: options.retry.map(Retry::into_policy).transpose()?,
                compensate_on_cancel: options.compensate_on_cancel,
                on_failure: options.on_failure.is_some(),
            },
            triggers,
        };
        let handler = self.handler;
        let (strict, on_failure) = (options.strict, options.on_failure);
        Ok((Workflow { name, version, strict, handler, on_failure }, registered))
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let workflows: Vec<&str> = self.workflows.iter().map(|one| one.name.as_str()).collect();
        let mut shown = f.debug_struct("App");
        shown.field("name", &self.name).field("workflows", &workflows).finish_non_exhaustive()
    }
}
