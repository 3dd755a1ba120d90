//! The start of a run.

use alloc::boxed::Box;
use core::time::Duration;

use serde_json::value::RawValue;

use super::command::{Env, Outcome};
use super::state::Run;
use crate::clean_up::EndOptions;
use crate::id::RunId;
use crate::record::{Continues, FromEvent, Inherited, Parent, Record, Started};
use crate::search::{Attributes, Value};
use crate::time::Timestamp;
use crate::trace::Traceparent;

/// What a run starts with (§9.1). Names and payloads have been checked by the caller.
#[derive(Clone, Debug)]
pub struct Start<'a> {
    /// The namespace, from the credential.
    pub namespace: &'a str,
    /// The app.
    pub app: &'a str,
    /// The workflow.
    pub workflow: &'a str,
    /// The input.
    pub input: Option<&'a RawValue>,
    /// The idempotency key.
    pub key: Option<&'a str>,
    /// Most time to the end of the forward phase: from now, or from when the run may begin.
    pub timeout: Option<Duration>,
    /// No runner gets the run before this instant.
    pub not_before: Option<Timestamp>,
    /// What the start says about itself.
    pub metadata: Option<&'a RawValue>,
    /// The name of the runner to pin the run to.
    pub runner: Option<&'a str>,
    /// What the workflow says of how its runs end.
    pub ends: Option<&'a EndOptions>,
    /// The id and the name of the event that starts it (§8.3).
    pub event: Option<(&'a str, &'a str)>,
    /// Search attributes, checked by the caller.
    pub search: Option<&'a Attributes>,
    /// Where the start stands in a trace of its caller.
    pub traceparent: Option<Traceparent>,
    /// Where it comes from.
    pub origin: Origin<'a>,
}

/// Where a run comes from that no person or program started. The default is one that they did.
#[derive(Clone, Debug, Default)]
pub struct Origin<'a> {
    /// The run and step that invoked it (§9.2).
    pub parent: Option<Parent<'a>>,
    /// How many runs stand above it.
    pub depth: u32,
    /// The chain that it goes on with (§2.3).
    pub continues: Option<Continues>,
    /// What the runs before in the chain leave to it (§8.4).
    pub inherited: Option<Box<Inherited<'a>>>,
    /// It times out at this instant at the latest (§7.7).
    pub deadline: Option<Timestamp>,
}

fn set((name, value): (&alloc::sync::Arc<str>, &Value)) -> (alloc::string::String, Option<Value>) {
    ((&**name).into(), Some(value.clone()))
}

impl Run {
    /// Starts a run: pushes its first record to `out`.
    pub fn start(id: RunId, start: Start<'_>, env: Env<'_>, out: &mut Outcome) -> Self {
        // §9.1: an instant that has passed delays nothing.
        let not_before = start.not_before.filter(|at| *at > env.now);
        let begins = not_before.unwrap_or(env.now);
        let own = start.timeout.map(|timeout| begins.after(timeout));
        let started = Started {
            at: env.now,
            namespace: start.namespace.into(),
            app: start.app.into(),
            workflow: start.workflow.into(),
            input: start.input,
            key: start.key.map(Into::into),
            deadline: own.into_iter().chain(start.origin.deadline).min(),
            not_before,
            metadata: start.metadata,
            runner: start.runner.map(Into::into),
            ends: start.ends.cloned().unwrap_or_default(),
            forked_from: None,
            rerun_of: None,
            by: None,
            reason: None,
            parent: start.origin.parent,
            depth: start.origin.depth,
            continues: start.origin.continues,
            inherited: start.origin.inherited,
            event: start.event.map(|(id, name)| FromEvent { id: id.into(), name: name.into() }),
            search: start.search.into_iter().flatten().map(set).collect(),
            traceparent: start.traceparent,
        };
        let mut run = Self::born(id, &started);
        let before = out.records.len();
        Record::Started(started).encode(&mut out.records);
        run.journal_bytes = (out.records.len() - before) as u64;
        run
    }
}
