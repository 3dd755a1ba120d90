//! The handshake: who a runner is, what it registers, which runs it still holds.

use std::sync::Arc;

use serde_json::value::RawValue;
use stepwell_core::code::Code;
use stepwell_core::matching::Match;
use stepwell_core::name;
use stepwell_protocol::VERSION;
use stepwell_protocol::to_node::{self, Hello};
use stepwell_protocol::to_runner::{ToRunner, Welcome};
use stepwell_store::batch::Workflow;
use stepwell_store::query::Queue;

use crate::input::SessionId;
use crate::node::{Node, SLICE};
use crate::output::{Output, Outputs};
use crate::recovery::Return;
use crate::worker::Refusal;

const WORKFLOWS_MAX: usize = 10_000;
const SLOTS_MAX: u32 = 100_000;

impl Node {
    pub(crate) fn on_hello(
        &mut self,
        id: SessionId,
        hello: &Hello<'_>,
        out: &mut Outputs,
    ) -> Result<(), Refusal> {
        check_hello(hello)?;
        let (now, monotonic) = (self.now, self.monotonic);
        let Some(session) = self.sessions.get_mut(id) else {
            return Ok(());
        };
        let namespace = session.namespace.clone();
        session.ready = true;
        session.app = Arc::from(&*hello.app);
        session.name = Arc::from(&*hello.runner);
        session.instance = Arc::from(&*hello.instance);
        session.sdk = Arc::from(&*hello.sdk);
        session.build = hello.build.as_deref().map(Arc::from);
        session.slots = hello.slots;
        session.credit = i64::try_from(hello.credit_bytes).unwrap_or(i64::MAX);
        session.credit_max = session.credit;
        session.pinged_at = now;
        session.heard = monotonic;
        for workflow in &hello.workflows {
            let version = workflow.version.as_deref().map(Arc::from);
            session.workflows.insert(Arc::from(&*workflow.name), version);
        }
        let (app, build, instance) =
            (session.app.clone(), session.build.clone(), session.instance.clone());
        self.sessions.index(id);
        self.replace_older(id, out);
        for workflow in &hello.workflows {
            let queue = self.register(&namespace, &app, workflow);
            self.dispatch.scan(&queue);
            if self.registry.unblock(&queue, build.clone()) {
                out.list.push(Output::Blocked { queue, after: None, limit: SLICE });
            }
        }
        let welcome = self.welcome();
        let sent = self.commits.common().send(id, &ToRunner::Welcome(welcome));
        if let Some(session) = self.sessions.get_mut(id) {
            session.spend(sent);
        }
        for resume in &hello.resume {
            let (instance, resume) = (instance.clone(), resume.clone());
            self.away.present(Return { session: id, instance, resume, until: None });
        }
        if self.config.shared {
            self.meet(out);
        }
        self.take_returns(out);
        Ok(())
    }

    fn welcome(&self) -> Welcome {
        let limits = &self.config.limits;
        Welcome {
            server: self.config.version.clone(),
            ping_ms: self.config.ping_ms,
            ttl_ms: limits.runner_ttl_ms,
            linger_ms: limits.linger_ms,
            grace_ms: limits.grace_ms,
            payload_bytes_max: limits.payload_bytes_max as u64,
            steps_max: limits.steps_max,
            branches_max: limits.branches_max,
            credit_bytes: self.config.credit_bytes,
        }
    }

    /// Makes a registration durable where it says something new.
    fn register(
        &mut self,
        namespace: &Arc<str>,
        app: &Arc<str>,
        workflow: &to_node::Workflow<'_>,
    ) -> Queue {
        let name: Arc<str> = Arc::from(&*workflow.name);
        let queue =
            Queue { namespace: namespace.clone(), app: app.clone(), workflow: name.clone() };
        let options: Arc<str> = serde_json::to_string(workflow).unwrap_or_default().into();
        let known = self.registry.get(&queue).map(|(known, _)| known);
        if known.is_some_and(|known| known.options == options) {
            return queue;
        }
        let workflow = Workflow {
            namespace: namespace.clone(),
            app: app.clone(),
            name,
            options,
            first_at: known.map_or(self.now, |known| known.first_at),
            changed_at: self.now,
        };
        self.commits.register(workflow.clone());
        self.registry.insert(workflow)
    }
}

fn check_triggers(workflow: &to_node::Workflow<'_>) -> Result<(), String> {
    for trigger in &workflow.triggers {
        let of = |why: &dyn std::fmt::Display| {
            format!("workflow `{}`: a trigger on `{}`: {why}", workflow.name, trigger.event)
        };
        name::check("an event", &trigger.event).map_err(|why| of(&why))?;
        trigger
            .wanted
            .map_or(Ok(()), |wanted| Match::parse(wanted).map(drop))
            .map_err(|why| of(&why))?;
    }
    Ok(())
}

fn check_hello(hello: &Hello<'_>) -> Result<(), Refusal> {
    if hello.protocol != VERSION {
        let text = format!(
            "the SDK {} speaks protocol {}, this server {} speaks protocol {VERSION}; use an SDK and \
             a server of the same protocol",
            hello.sdk,
            hello.protocol,
            env!("CARGO_PKG_VERSION"),
        );
        return Err((Code::VersionSkew, text));
    }
    let invalid = |text: String| (Code::RegistrationInvalid, format!("`hello`: {text}"));
    let named =
        |what, value: &str| name::check(what, value).map_err(|error| invalid(error.to_string()));
    named("an app", &hello.app)?;
    named("a runner", &hello.runner)?;
    named("an instance", &hello.instance)?;
    named("an SDK", &hello.sdk)?;
    hello.build.as_deref().map_or(Ok(()), |build| named("a build", build))?;
    if !(1..=SLOTS_MAX).contains(&hello.slots) {
        return Err(invalid(format!("slots is {}; accepted: 1 to {SLOTS_MAX}", hello.slots)));
    }
    if hello.workflows.is_empty() || hello.workflows.len() > WORKFLOWS_MAX {
        let count = hello.workflows.len();
        return Err(invalid(format!("{count} workflows; accepted: 1 to {WORKFLOWS_MAX}")));
    }
    let mut seen = std::collections::BTreeSet::new();
    for workflow in &hello.workflows {
        named("a workflow", &workflow.name)?;
        if let Some(version) = workflow.version.as_deref() {
            let of = |error| invalid(format!("workflow `{}`: {error}", workflow.name));
            name::check("a version", version).map_err(of)?;
        }
        let schemas =
            [("inputSchema", workflow.input_schema), ("outputSchema", workflow.output_schema)];
        for (what, schema) in schemas {
            let Some(schema) = schema.map(RawValue::get).filter(|text| !text.starts_with('{'))
            else {
                continue;
            };
            let shown: String = schema.chars().take(24).collect();
            return Err(invalid(format!(
                "workflow `{}`: {what} is `{shown}`; accepted: a JSON Schema, as a JSON object",
                workflow.name
            )));
        }
        check_triggers(workflow).map_err(&invalid)?;
        if !seen.insert(&workflow.name) {
            return Err(invalid(format!("workflow `{}` is registered twice", workflow.name)));
        }
    }
    Ok(())
}
