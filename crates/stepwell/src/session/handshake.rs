//! What a runner says of itself.

use std::sync::Arc;

use serde_json::value::RawValue;
use stepwell_core::clean_up::EndOptions;
use stepwell_protocol::to_node::{Hello, Resume, Trigger, Workflow};

use crate::duration::to_millis;

/// Bytes that the node may send before they are handled.
pub(super) const CREDIT_BYTES: u64 = 16 * 1024 * 1024;

/// The SDK and its version.
const SDK: &str = concat!("rust/", env!("CARGO_PKG_VERSION"));

/// Who a runner is, and what it has.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) app: Arc<str>,
    pub(crate) runner: Arc<str>,
    pub(crate) instance: String,
    pub(crate) build: Option<String>,
    pub(crate) slots: u32,
    pub(crate) workflows: Vec<Registered>,
}

/// A workflow as it is registered.
#[derive(Clone, Debug)]
pub(crate) struct Registered {
    pub(crate) name: Arc<str>,
    pub(crate) version: Option<Arc<str>>,
    pub(crate) timeout: Option<std::time::Duration>,
    pub(crate) strict: bool,
    pub(crate) input_schema: Option<Box<RawValue>>,
    pub(crate) output_schema: Option<Box<RawValue>>,
    pub(crate) ends: EndOptions,
    /// The names of events that start it, and what they have to contain.
    pub(crate) triggers: Vec<(String, Option<Box<RawValue>>)>,
}

impl Identity {
    pub(super) fn hello(&self, resume: Vec<Resume>) -> Hello<'_> {
        Hello {
            protocol: stepwell_protocol::VERSION,
            sdk: SDK.into(),
            app: (&*self.app).into(),
            runner: (&*self.runner).into(),
            instance: self.instance.as_str().into(),
            build: self.build.as_deref().map(Into::into),
            slots: self.slots,
            credit_bytes: CREDIT_BYTES,
            workflows: self.workflows.iter().map(Registered::message).collect(),
            resume,
        }
    }
}

fn trigger((event, wanted): &(String, Option<Box<RawValue>>)) -> Trigger<'_> {
    Trigger { event: event.as_str().into(), wanted: wanted.as_deref() }
}

impl Registered {
    fn message(&self) -> Workflow<'_> {
        Workflow {
            name: (&*self.name).into(),
            version: self.version.as_deref().map(Into::into),
            timeout_ms: self.timeout.map(to_millis),
            strict: self.strict,
            input_schema: self.input_schema.as_deref(),
            output_schema: self.output_schema.as_deref(),
            retry: self.ends.retry.clone(),
            compensate_on_cancel: self.ends.compensate_on_cancel,
            on_failure: self.ends.on_failure,
            triggers: self.triggers.iter().map(trigger).collect(),
        }
    }
}
