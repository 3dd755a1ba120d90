//! The runs that a runner holds, and what the node says of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_protocol::to_node::{Resume, ToNode};
use stepwell_protocol::to_runner::{self, Activate, History, ToRunner};

use super::session::Fault;
use super::shared::{Shared, Terms};
use crate::ctx::Ctx;
use crate::failure::clean_up;
use crate::handler::{Call, Handlers, Workflow};
use crate::machine::{Cell, Clean, CleanUp, Info, Run};
use crate::moment::Moment;

/// Most runs that are taken along to another connection.
const RESUMED_MAX: usize = 20_000;

pub(super) struct Runs {
    handlers: Handlers,
    shared: Arc<Shared>,
    terms: Option<Terms>,
    by_handle: HashMap<u32, Arc<Cell>>,
    /// All runs, with their handle on this connection; ordered, so that nothing depends on chance.
    by_id: BTreeMap<RunId, (Arc<Cell>, Option<u32>)>,
    new: Vec<Run>,
    draining: bool,
}

impl Runs {
    pub(super) fn new(handlers: Handlers, shared: Arc<Shared>) -> Self {
        Self {
            handlers,
            shared,
            terms: None,
            by_handle: HashMap::new(),
            by_id: BTreeMap::new(),
            new: Vec::new(),
            draining: false,
        }
    }

    pub(super) fn set_terms(&mut self, terms: Terms) {
        self.terms = Some(terms);
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn is_calling(&self) -> bool {
        self.by_id.values().any(|(cell, _)| cell.lock().is_calling())
    }

    pub(super) fn take_new(&mut self) -> Vec<Run> {
        std::mem::take(&mut self.new)
    }

    #[cfg(feature = "test")]
    pub(super) fn unasked(&self) -> Vec<Arc<str>> {
        self.by_id.values().flat_map(|(cell, _)| cell.lock().unasked_ends()).collect()
    }

    pub(super) fn drain(&mut self) {
        self.draining = true;
        for (run, _) in self.by_id.values() {
            run.on_drain();
        }
    }

    pub(super) fn close(&mut self) {
        self.by_handle.clear();
        for (_, (run, _)) in std::mem::take(&mut self.by_id) {
            run.on_over();
        }
    }

    /// Drops the runs that were given back.
    pub(super) fn sweep(&mut self) {
        for (run, epoch) in self.shared.take_forgotten() {
            // The node may have given the run out again meanwhile, to this very runner.
            if self.epoch(run) == Some(epoch) {
                self.remove(run);
            }
        }
    }

    fn epoch(&self, run: RunId) -> Option<u32> {
        self.by_id.get(&run).map(|(cell, _)| cell.info.epoch)
    }

    fn remove(&mut self, run: RunId) -> Option<Arc<Cell>> {
        let (cell, handle) = self.by_id.remove(&run)?;
        if let Some(a) = handle {
            self.by_handle.remove(&a);
        }
        Some(cell)
    }

    pub(super) fn on_disconnected(&mut self) {
        self.by_handle.clear();
        for (cell, handle) in self.by_id.values_mut() {
            *handle = None;
            cell.on_disconnected();
        }
    }

    /// Returns what the handshake says of runs from a connection before.
    pub(super) fn resume(&mut self) -> Vec<Resume> {
        self.sweep();
        let mut resume: Vec<Resume> = Vec::new();
        let mut lost = Vec::new();
        for (id, (cell, _)) in &self.by_id {
            match cell.resume() {
                Some(one) => resume.push(one),
                None => lost.push(*id),
            }
        }
        // The handshake is one frame. Runs that rest replay elsewhere for little.
        resume.sort_by_key(|one| one.idle);
        lost.extend(resume.drain(RESUMED_MAX.min(resume.len())..).map(|one| one.run));
        for run in lost {
            if let Some(cell) = self.remove(run) {
                cell.on_over();
            }
        }
        resume
    }

    pub(super) fn on_message(
        &mut self,
        message: ToRunner<'_>,
        generation: u64,
        now: Moment,
    ) -> Result<(), Fault> {
        match message {
            ToRunner::Activate(activate) => self.on_activate(*activate, generation, now)?,
            ToRunner::History(history) => self.on_history(history),
            ToRunner::Resumed(resumed) => {
                if let Some((cell, handle)) = self.by_id.get_mut(&resumed.run) {
                    *handle = Some(resumed.a);
                    self.by_handle.insert(resumed.a, cell.clone());
                    cell.on_resumed(resumed.a, generation, resumed.paused);
                }
            }
            ToRunner::Gone { run, epoch } => {
                if self.epoch(run) == Some(epoch)
                    && let Some(cell) = self.remove(run)
                {
                    cell.on_over();
                }
            }
            ToRunner::Settled(settled) => {
                if let Some(cell) = self.by_handle.get(&settled.a) {
                    cell.on_settled(&settled);
                }
            }
            ToRunner::Retry(retry) => {
                if let Some(cell) = self.by_handle.get(&retry.a) {
                    cell.on_retry(&retry, now);
                }
            }
            ToRunner::Begin(begin) => {
                if let Some(cell) = self.by_handle.get(&begin.a) {
                    cell.on_begin(&begin, now);
                }
            }
            ToRunner::End { a, .. } => {
                if let Some(cell) = self.by_handle.get(&a) {
                    cell.on_end();
                }
            }
            ToRunner::Pause { a } => {
                if let Some(cell) = self.by_handle.get(&a) {
                    cell.on_pause();
                }
            }
            ToRunner::Unpause { a } => {
                if let Some(cell) = self.by_handle.get(&a) {
                    cell.on_unpause();
                }
            }
            ToRunner::Evict { a } => {
                self.drop_run(a);
                // Another runner may get the run from here on.
                let released = ToNode::Released { a, seen: 0, ready: false };
                self.shared.link.write(generation, |outgoing| outgoing.push(&released, 0));
            }
            ToRunner::Done { a } => self.drop_run(a),
            ToRunner::Welcome(_)
            | ToRunner::Refused(_)
            | ToRunner::Pong { .. }
            | ToRunner::Credit { .. }
            | ToRunner::Draining {} => {}
        }
        Ok(())
    }

    fn drop_run(&mut self, a: u32) {
        if let Some(cell) = self.by_handle.remove(&a) {
            self.by_id.remove(&cell.info.run);
            cell.on_over();
        }
    }

    fn on_activate(
        &mut self,
        activate: Activate<'_>,
        generation: u64,
        now: Moment,
    ) -> Result<(), Fault> {
        let Some(terms) = self.terms else { return Ok(()) };
        let Some(workflow) = self.handlers.find(&activate.workflow) else {
            let text =
                format!("a run of workflow `{}`, which is not registered", activate.workflow);
            return Err(Fault::Protocol(text));
        };
        let info = Info {
            run: activate.run,
            epoch: activate.epoch,
            nonce: activate.nonce,
            namespace: activate.namespace.into_owned(),
            workflow: workflow.name.clone(),
            version: workflow.version.clone(),
            strict: workflow.strict,
            key: activate.key.map(std::borrow::Cow::into_owned),
            metadata: activate.metadata.map(ToOwned::to_owned),
            parent: activate.parent.as_ref().map(crate::ctx::Parent::of),
            created_at_us: activate.created_at_us,
            started_version: activate.started_version.map(std::borrow::Cow::into_owned),
            event: activate.event.map(|event| (event.id.into_owned(), event.name.into_owned())),
            input: self
                .handlers
                .waits()
                .is_some()
                .then(|| activate.input.map(ToOwned::to_owned))
                .flatten(),
            waits: self.handlers.waits().unwrap_or_default(),
        };
        let a = activate.a;
        let cell = Arc::new(Cell::new(info, self.shared.clone(), terms, a, generation));
        let clean = activate.clean_up.as_ref().map(|told| self.clean_up(&cell, workflow, told));
        cell.lock().search.all = activate.search;
        cell.on_history(activate.ended);
        cell.on_open(activate.open, now);
        if self.draining {
            cell.on_drain();
        }
        let call = Call::new(
            Ctx::new(cell.clone()),
            self.handlers.data(),
            activate.input.map(ToOwned::to_owned),
        );
        let handler = workflow.handler.clone();
        self.new.push(Run::new(cell.clone(), Box::new(move || handler.start(call)), clean));
        // A run that the node gives again is held under its newest epoch only.
        if let Some(old) = self.remove(activate.run) {
            old.on_over();
        }
        self.by_handle.insert(a, cell.clone());
        if !activate.more {
            cell.on_loaded();
        }
        self.by_id.insert(activate.run, (cell, Some(a)));
        Ok(())
    }

    /// Prepares a run for its clean-up.
    fn clean_up(
        &self,
        cell: &Arc<Cell>,
        workflow: &Workflow,
        told: &to_runner::CleanUp<'_>,
    ) -> Clean {
        let on_failure = workflow.on_failure.clone();
        let work = CleanUp::new(told, on_failure.is_none());
        cell.lock().clean_up = Some(Box::new(work));
        let (ctx, data) = (Ctx::new(cell.clone()), self.handlers.data());
        Box::new(move |work| Box::pin(clean_up(ctx, work, on_failure, data)))
    }

    fn on_history(&mut self, history: History<'_>) {
        let Some(cell) = self.by_handle.get(&history.a) else { return };
        cell.on_history(history.ended);
        if !history.more {
            cell.on_loaded();
            cell.notify();
        }
    }
}
