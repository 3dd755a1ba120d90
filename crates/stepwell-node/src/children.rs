//! Runs that runs start: children (§9.2), and those that go on with them (§2.3).

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use stepwell_core::code::Code;
use stepwell_core::failure::{Failure, names};
use stepwell_core::id::RunId;
use stepwell_core::record::{Continues, Opening, Parent};
use stepwell_core::run::{
    Act, Child, Command, Env, Finish, InvokeStep, Origin, Outcome, Run, Start,
};
use stepwell_core::{name, payload};
use stepwell_protocol::to_node::{ContinueAs, Invoke};
use stepwell_store::query::Queue;

use crate::input::SessionId;
use crate::node::Node;
use crate::output::Outputs;
use crate::worker::Refusal;

/// What code wants to run as a child: the recorded input of its step (§3.4).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wanted<'a> {
    #[serde(borrow)]
    workflow: Cow<'a, str>,
    #[serde(borrow, default)]
    app: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    runner: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "payload::present")]
    input: Option<&'a RawValue>,
    #[serde(default)]
    timeout_ms: Option<u64>,
}

impl Node {
    pub(crate) fn on_invoke(
        &mut self,
        id: SessionId,
        m: &Invoke<'_>,
        out: &mut Outputs,
    ) -> Result<(), Refusal> {
        let protocol = |text: String| (Code::Protocol, text);
        name::check("a step id", &m.step).map_err(|error| protocol(error.to_string()))?;
        let recorded = m.open.input.map_or("null", RawValue::get);
        let wanted: Wanted<'_> = serde_json::from_str(recorded).map_err(|error| {
            protocol(format!("the input of the `invoke` of step `{}`: {error}", m.step))
        })?;
        let Some((run, epoch)) = self.held_under(id, m.a) else {
            return Ok(());
        };
        let Some(namespace) = self.hot.run(run).map(|run| run.namespace().clone()) else {
            return Ok(());
        };
        let own = self.hot.run(run).map(|run| run.app().clone());
        let found = self.find_child(&namespace, own.as_deref(), &wanted);
        // A repeat at the same instant makes the same id, and starts nothing.
        let is_new = self.hot.run(run).is_some_and(|run| run.child_of(&m.step).is_none());
        let entropy = RunId::entropy_of_child(run, &m.step);
        let child = RunId::after(self.last_run, self.now, entropy);
        let named = match &found {
            Ok(queue) => Ok(Child { id: child, app: &queue.app, workflow: &queue.workflow }),
            Err((name, text)) => Err(Failure::new(name, text.clone())),
        };
        let open: Opening<'_> = crate::said::opening(&m.open, self.now);
        let invoke = InvokeStep { step: m.step.clone(), open, child: named };
        let command = Command::Runner { epoch, act: Act::Invoke(invoke) };
        let applied = self.apply(run, command, None);
        self.answer_rejection(run, epoch, applied)?;
        let started = self.hot.run(run).and_then(|run| run.child_of(&m.step)) == Some(child);
        if let (true, Ok(queue)) = (is_new && started, found) {
            self.last_run = child;
            self.start_child((run, child), &queue, (&m.step, &wanted), out);
        }
        Ok(())
    }

    /// §9.2: the caller's app goes first, then the others that have a workflow of the name.
    fn find_child(
        &self,
        namespace: &Arc<str>,
        own: Option<&str>,
        wanted: &Wanted<'_>,
    ) -> Result<Queue, (&'static str, String)> {
        let failed = |text: String| (names::CHILD_FAILED, text);
        let named = |what, text: Option<&str>| {
            text.map_or(Ok(()), |text| name::check(what, text))
                .map_err(|error| failed(error.to_string()))
        };
        named("a workflow", Some(&wanted.workflow))?;
        named("an app", wanted.app.as_deref())?;
        named("a runner", wanted.runner.as_deref())?;
        let limit = self.config.limits.payload_bytes_max;
        wanted
            .input
            .map_or(Ok(()), |raw| payload::check(raw, limit))
            .map_err(|why| (names::LIMIT, format!("the child's input is refused: {why}")))?;
        let workflow: Arc<str> = Arc::from(&*wanted.workflow);
        let apps = self.registry.apps(namespace, &workflow);
        let is = |name: Option<&str>| apps.iter().find(|app| Some(&***app) == name);
        let app = match (wanted.app.as_deref(), is(own), apps) {
            (Some(app), ..) => is(Some(app)).ok_or_else(|| {
                failed(format!(
                    "no runner has ever registered workflow `{workflow}` of app `{app}`"
                ))
            })?,
            (None, Some(app), _) | (None, None, [app]) => app,
            (None, None, []) => {
                let text = format!("no runner has ever registered a workflow `{workflow}`");
                return Err(failed(text));
            }
            (None, None, several) => {
                return Err(failed(format!(
                    "several apps have a workflow `{workflow}`: {}; say which with `app`",
                    several.join(", ")
                )));
            }
        };
        Ok(Queue { namespace: namespace.clone(), app: app.clone(), workflow })
    }

    /// Starts a child in the batch that holds its parent's record.
    fn start_child(
        &mut self,
        (parent, child): (RunId, RunId),
        queue: &Queue,
        (step, wanted): (&str, &Wanted<'_>),
        out: &mut Outputs,
    ) {
        let Some(above) = self.hot.run(parent) else { return };
        let origin = Origin {
            parent: Some(Parent { run: parent, step: step.into() }),
            depth: above.depth() + 1,
            continues: None,
            inherited: None,
            deadline: above.deadline(),
        };
        let options = self.registry.get(queue).map(|(_, options)| options.clone());
        let own = options.as_ref().and_then(|options| options.timeout_ms);
        let timeout = own.into_iter().chain(wanted.timeout_ms).min().map(Duration::from_millis);
        let start = Start {
            namespace: &queue.namespace,
            app: &queue.app,
            workflow: &queue.workflow,
            input: wanted.input,
            key: None,
            timeout,
            not_before: None,
            metadata: None,
            runner: wanted.runner.as_deref(),
            ends: options.as_ref().map(|options| &options.ends),
            event: None,
            search: None,
            traceparent: None,
            origin,
        };
        self.start_beside(parent, child, start, out);
    }

    /// §2.3: a run completes, and its successor starts in the same batch.
    pub(crate) fn on_continue_as(
        &mut self,
        (run, epoch): (RunId, u32),
        with: &ContinueAs<'_>,
        out: &mut Outputs,
    ) -> Result<(), Refusal> {
        let entropy = self.entropy_wide();
        let next = RunId::after(self.last_run, self.now, entropy);
        let limit = self.config.limits.payload_bytes_max;
        let finish = match with.input.map_or(Ok(()), |raw| payload::check(raw, limit)) {
            Ok(()) => Finish::Continued { by: next },
            Err(why) => {
                let text = format!("the input of the run that goes on is refused: {why}");
                Finish::Failed(Failure::new(names::LIMIT, text))
            }
        };
        let command = Command::Runner { epoch, act: Act::Finish(finish) };
        let applied = self.apply(run, command, None);
        self.answer_rejection(run, epoch, applied)?;
        let Some(before) = self.hot.run(run).filter(|run| run.continued_as() == Some(next)) else {
            return Ok(());
        };
        self.last_run = next;
        let (namespace, app) = (before.namespace().clone(), before.app().clone());
        let (workflow, key) = (before.workflow().clone(), before.key().cloned());
        let (runner, ends) = (before.pinned_runner().cloned(), before.ends().clone());
        let search = before.search().clone();
        let start = Start {
            namespace: &namespace,
            app: &app,
            workflow: &workflow,
            input: with.input,
            key: key.as_deref(),
            timeout: None,
            not_before: None,
            metadata: None,
            runner: runner.as_deref(),
            ends: Some(&ends),
            event: None,
            search: Some(&search),
            traceparent: None,
            origin: Origin {
                parent: before.parent().cloned(),
                depth: before.depth(),
                continues: Some(Continues { from: run, first: before.first_of_chain() }),
                inherited: Some(Box::new(before.bequest(self.now, &self.config.limits))),
                deadline: before.deadline(),
            },
        };
        self.start_beside(run, next, start, out);
        Ok(())
    }

    /// Starts a run in the batch that holds another one's newest records: it is not refused as growth
    /// is, since the other one could not go on.
    fn start_beside(&mut self, beside: RunId, id: RunId, start: Start<'_>, out: &mut Outputs) {
        let entropy = self.entropy();
        let env = Env { now: self.now, entropy, limits: &self.config.limits };
        let mut outcome = Outcome::default();
        let run = Run::start(id, start, env, &mut outcome);
        self.commits.start_beside(beside, id, &outcome.records);
        self.hot.insert_new(run);
        self.try_at_once(id, &outcome.records, out);
        self.after_change(id);
    }
}
