//! The start of a run.

use core::time::Duration;

use serde_json::value::RawValue;

use super::command::{Env, Outcome};
use super::state::Run;
use crate::id::RunId;
use crate::record::{Record, Started};

/// What a run starts with (§9.1). Names and payloads have been checked by the caller.
#[derive(Clone, Copy, Debug)]
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
    /// Most time from now to the end of the forward phase.
    pub timeout: Option<Duration>,
    /// What the start says about itself.
    pub metadata: Option<&'a RawValue>,
    /// The name of the runner to pin the run to.
    pub runner: Option<&'a str>,
}

impl Run {
    /// Starts a run: pushes its first record to `out`.
    pub fn start(id: RunId, start: Start<'_>, env: Env<'_>, out: &mut Outcome) -> Self {
        let started = Started {
            at: env.now,
            namespace: start.namespace.into(),
            app: start.app.into(),
            workflow: start.workflow.into(),
            input: start.input,
            key: start.key.map(Into::into),
            deadline: start.timeout.map(|timeout| env.now.after(timeout)),
            metadata: start.metadata,
            runner: start.runner.map(Into::into),
        };
        let mut run = Self::born(id, &started);
        let before = out.records.len();
        Record::Started(started).encode(&mut out.records);
        run.journal_bytes = (out.records.len() - before) as u64;
        run
    }
}
