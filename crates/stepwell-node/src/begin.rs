//! Runs that begin, whoever wants them.

use std::time::Duration;

use serde_json::value::RawValue;
use stepwell_core::id::RunId;
use stepwell_core::run::{Env, Origin, Outcome, Run, Start};
use stepwell_core::search;
use stepwell_core::time::Timestamp;
use stepwell_core::trace::Traceparent;
use stepwell_store::query::Queue;

use crate::node::Node;
use crate::output::Outputs;

/// A run that begins, whoever wants it.
#[derive(Debug)]
pub(crate) struct Begun<'a> {
    pub(crate) run: RunId,
    pub(crate) input: Option<&'a RawValue>,
    pub(crate) key: Option<&'a str>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) metadata: Option<&'a RawValue>,
    pub(crate) runner: Option<&'a str>,
    pub(crate) search: Option<&'a search::Attributes>,
    /// The id and the name of the event that starts it.
    pub(crate) event: Option<(&'a str, &'a str)>,
    pub(crate) traceparent: Option<Traceparent>,
}

impl Begun<'_> {
    /// A run of which nothing is said but its id.
    pub(crate) fn of(run: RunId) -> Self {
        Self {
            run,
            input: None,
            key: None,
            timeout: None,
            not_before: None,
            metadata: None,
            runner: None,
            search: None,
            event: None,
            traceparent: None,
        }
    }
}

impl Node {
    /// Begins a run, whoever wants it.
    pub(crate) fn begin_run(&mut self, begun: &Begun<'_>, queue: &Queue, out: &mut Outputs) {
        let (id, entropy) = (begun.run, self.entropy());
        let options = self.registry.get(queue).map(|(_, options)| options.clone());
        let own = options.as_ref().and_then(|options| options.timeout_ms);
        let own = own.map(Duration::from_millis);
        let timeout = match (begun.timeout, own) {
            (Some(asked), Some(own)) => Some(asked.min(own)),
            (asked, own) => asked.or(own),
        };
        let begins = Start {
            namespace: &queue.namespace,
            app: &queue.app,
            workflow: &queue.workflow,
            input: begun.input,
            key: begun.key,
            timeout,
            not_before: begun.not_before,
            metadata: begun.metadata,
            runner: begun.runner,
            ends: options.as_ref().map(|options| &options.ends),
            event: begun.event,
            search: begun.search,
            traceparent: begun.traceparent,
            origin: Origin::default(),
        };
        let env = Env { now: self.now, entropy, limits: &self.config.limits };
        let mut outcome = Outcome::default();
        let run = Run::start(id, begins, env, &mut outcome);
        self.commits.start(id, &outcome.records);
        self.hot.insert_new(run);
        self.try_at_once(id, &outcome.records, out);
        self.after_change(id);
    }
}
