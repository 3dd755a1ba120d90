//! Waiting for the ends of runs.

use std::sync::Arc;

use serde_json::value::RawValue;
use stepwell_core::failure::Failure;
use stepwell_core::id::RunId;
use stepwell_core::record::{self, Record};
use stepwell_core::run::Phase;
use stepwell_core::status::RunStatus;

use crate::api::{Api, Asked};
use crate::commit::refusal;
use crate::defer::Deferred;
use crate::input::{About, RequestId};
use crate::node::Node;
use crate::output::{EndedRun, Output, Outputs, Reply};

impl Api {
    pub(crate) fn wait(&mut self, run: RunId, request: RequestId, created: bool) {
        self.waiters.entry(run).or_default().push((request, created));
        self.waiting.insert(request, run);
    }

    /// Returns the runs whose end somebody waits for.
    pub(crate) fn awaited(&self) -> impl Iterator<Item = RunId> {
        self.waiters.keys().copied()
    }

    pub(crate) fn forget(&mut self, request: RequestId) {
        let Some(run) = self.waiting.remove(&request) else {
            return;
        };
        if let Some(waiters) = self.waiters.get_mut(&run) {
            waiters.retain(|(waiting, _)| *waiting != request);
            if waiters.is_empty() {
                self.waiters.remove(&run);
            }
        }
    }

    /// §2.3: who waits for a run waits for the one that goes on with it.
    pub(crate) fn pass_on(&mut self, run: RunId, to: RunId) {
        let waiters = self.waiters.remove(&run).unwrap_or_default();
        for (request, _) in &waiters {
            self.waiting.insert(*request, to);
        }
        if !waiters.is_empty() {
            self.waiters.entry(to).or_default().extend(waiters);
        }
    }

    fn take(&mut self, run: RunId) -> Vec<(RequestId, bool)> {
        let waiters = self.waiters.remove(&run).unwrap_or_default();
        for (request, _) in &waiters {
            self.waiting.remove(request);
        }
        waiters
    }
}

impl Node {
    pub(crate) fn on_wait(&mut self, about: About, out: &mut Outputs) {
        let known = self.hot.run(about.run);
        if known.is_some_and(|r| *r.namespace() == about.namespace && !r.status().is_ended()) {
            self.api.wait(about.run, about.request, false);
        } else {
            self.with_run(about.run, Deferred::Asked(Asked::Wait { about }), out);
        }
    }

    pub(crate) fn answer_wait(
        &mut self,
        id: RunId,
        (request, created): (RequestId, bool),
        journal: &[u8],
        out: &mut Outputs,
    ) {
        let Some(run) = self.hot.run(id) else { return };
        if let Some(run) = run.continued_as() {
            let namespace = self.hot.run(id).map(|run| run.namespace().clone());
            let about = About { request, namespace: namespace.unwrap_or_default(), run };
            return self.on_wait(about, out);
        }
        if !matches!(run.phase(), Phase::Ended(_)) {
            return self.api.wait(id, request, created);
        }
        if let Some(ended) = ended_run(id, journal) {
            let ended = EndedRun { created, ..ended };
            self.commits.effects(id).reply(request, Reply::Ended(Box::new(ended)));
        }
    }

    /// A run that is not in memory has ended: those who wait are told how.
    pub(crate) fn ask_for_end(&mut self, id: RunId, out: &mut Outputs) {
        for (request, created) in self.api.take(id) {
            let about = About { request, namespace: Arc::from(""), run: id };
            self.with_run(id, Deferred::Asked(Asked::End { about, created }), out);
        }
    }

    pub(crate) fn tell_waiters(
        &mut self,
        id: RunId,
        status: RunStatus,
        output: Option<&RawValue>,
        error: Option<&Failure<'static>>,
    ) {
        for (request, created) in self.api.take(id) {
            let output = output.filter(|_| status == RunStatus::Completed).map(ToOwned::to_owned);
            let ended = EndedRun { run: id, created, status, output, error: error.cloned() };
            self.commits.effects(id).reply(request, Reply::Ended(Box::new(ended)));
        }
    }

    pub(crate) fn refuse_waiters(
        &mut self,
        id: RunId,
        why: &stepwell_store::Error,
        out: &mut Outputs,
    ) {
        for (request, _) in self.api.take(id) {
            let reply = refusal(why);
            out.list.push(Output::Reply { request, reply });
        }
    }
}

fn ended_run(run: RunId, journal: &[u8]) -> Option<EndedRun> {
    record::decode(journal).find_map(|record| match record {
        Ok(Record::Ended(ended)) => Some(EndedRun {
            run,
            created: false,
            status: ended.status,
            output: ended.output.map(ToOwned::to_owned),
            error: ended.error.map(Failure::into_owned),
        }),
        _ => None,
    })
}
