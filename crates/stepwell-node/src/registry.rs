//! The workflows that were ever registered.

use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::Deserialize;
use stepwell_core::clean_up::EndOptions;
use stepwell_core::matching::Document;
use stepwell_store::batch::Workflow;
use stepwell_store::event::Event;
use stepwell_store::query::Queue;

use crate::trigger::{Trigger, Triggers};

/// What a workflow's registration says that the node acts on.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Options {
    #[serde(default)]
    pub(crate) timeout_ms: Option<u64>,
    #[serde(flatten)]
    pub(crate) ends: EndOptions,
    #[serde(default)]
    pub(crate) triggers: Vec<Trigger>,
}

type Apps = Vec<Arc<str>>;

/// What a runner was built from, where it says so.
type Build = Option<Arc<str>>;

/// The workflows ever registered.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    workflows: FxHashMap<Queue, (Workflow, Options)>,
    /// By namespace and workflow.
    apps: FxHashMap<(Arc<str>, Arc<str>), Apps>,
    /// Queues whose blocked runs are being tried again, with the builds that are the reason: the
    /// first is being tried, one after the other.
    unblocking: FxHashMap<Queue, VecDeque<Build>>,
    triggers: Triggers,
}

impl Registry {
    pub(crate) fn insert(&mut self, workflow: Workflow) -> Queue {
        let queue = Queue {
            namespace: workflow.namespace.clone(),
            app: workflow.app.clone(),
            workflow: workflow.name.clone(),
        };
        let options: Options = serde_json::from_str(&workflow.options).unwrap_or_default();
        let before = self.workflows.get(&queue).map(|(_, options)| &*options.triggers);
        self.triggers.set(&queue, before.unwrap_or_default(), &options.triggers);
        if self.workflows.insert(queue.clone(), (workflow, options)).is_none() {
            let name = (queue.namespace.clone(), queue.workflow.clone());
            self.apps.entry(name).or_default().push(queue.app.clone());
        }
        queue
    }

    /// Notes that blocked runs are to be tried again with this build. Tells whether that begins now.
    pub(crate) fn unblock(&mut self, queue: &Queue, build: Build) -> bool {
        let builds = self.unblocking.entry(queue.clone()).or_default();
        if !builds.iter().skip(1).any(|waiting| *waiting == build) {
            builds.push_back(build);
        }
        builds.len() == 1
    }

    /// Returns the build that a queue's blocked runs are being tried with.
    pub(crate) fn unblocking(&self, queue: &Queue) -> Option<Build> {
        self.unblocking.get(queue)?.front().cloned()
    }

    /// Notes that a queue's blocked runs were tried with a build. Tells whether another is next.
    pub(crate) fn unblocked(&mut self, queue: &Queue) -> bool {
        let Some(builds) = self.unblocking.get_mut(queue) else {
            return false;
        };
        builds.pop_front();
        let more = !builds.is_empty();
        if !more {
            self.unblocking.remove(queue);
        }
        more
    }

    pub(crate) fn get(&self, queue: &Queue) -> Option<&(Workflow, Options)> {
        self.workflows.get(queue)
    }

    /// Returns the workflows of a namespace that are asked for.
    pub(crate) fn queues(&self, namespace: &str, asked: impl Fn(&Queue) -> bool) -> Vec<Queue> {
        let here = self.workflows.keys().filter(|queue| *queue.namespace == *namespace);
        let mut found: Vec<_> = here.filter(|queue| asked(queue)).cloned().collect();
        found.sort();
        found
    }

    /// Returns the workflows that an event starts, each once.
    pub(crate) fn triggered_by(&self, event: &Event, read: &Document<'_>) -> Vec<Queue> {
        self.triggers.of(event, read)
    }

    /// Returns the apps that have a workflow of this name.
    pub(crate) fn apps(&self, namespace: &Arc<str>, workflow: &Arc<str>) -> &[Arc<str>] {
        self.apps.get(&(namespace.clone(), workflow.clone())).map(Vec::as_slice).unwrap_or_default()
    }
}
