//! Starts, cancels, and waiting for ends.

use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde_json::value::RawValue;
use stepwell_core::code::Code;
use stepwell_core::id::RunId;
use stepwell_core::operation::Operation;
use stepwell_core::record::{self, Record};
use stepwell_core::run::{Command, Operate, Rejection, Run};
use stepwell_core::status::RunStatus;
use stepwell_core::{name, payload, search};
use stepwell_store::query::{Key, Queue};

use crate::begin::Begun;
use crate::commit::store_error;
use crate::defer::Deferred;
use crate::import::{Claim, Importing};
use crate::input::{About, Begin, RequestId, Signed, StartRequest};
use crate::node::Node;
use crate::output::{ApiError, Output, Outputs, Reply};
use crate::remake::{ForkRequest, ResolveRequest};

/// Something that was asked about a run.
#[derive(Debug)]
pub(crate) enum Asked {
    Cancel {
        about: About,
        signed: Signed,
    },
    /// An act of an operator (§9.5).
    Operate {
        about: About,
        act: Operation,
        signed: Signed,
    },
    /// What is known of a step whose outcome is unknown (§4.5).
    Resolve {
        about: About,
        resolve: Box<ResolveRequest>,
        signed: Signed,
    },
    /// A new run is to be made of it (§9.8).
    Fork {
        about: About,
        fork: Box<ForkRequest>,
        signed: Signed,
    },
    Wait {
        about: About,
    },
    /// It has ended, and who waited for that is to be told how. Who may know was checked when they came.
    End {
        about: About,
        created: bool,
    },
    /// A start whose key this run has.
    Repeat {
        request: RequestId,
        start: Box<StartRequest>,
    },
    /// A copy of it is to be taken in.
    Import(Box<Importing>),
}

/// What waits until it is known which run has a key.
#[derive(Debug)]
pub(crate) enum Keyed {
    Start(RequestId, Box<StartRequest>),
    Import(Box<Importing>),
}

impl Asked {
    pub(crate) fn needs_journal(&self) -> bool {
        match self {
            Self::Cancel { .. } | Self::Operate { .. } | Self::Resolve { .. } => false,
            Self::Wait { .. }
            | Self::End { .. }
            | Self::Fork { .. }
            | Self::Repeat { .. }
            | Self::Import(_) => true,
        }
    }

    pub(crate) fn request(&self) -> RequestId {
        match self {
            Self::Cancel { about, .. }
            | Self::Operate { about, .. }
            | Self::Resolve { about, .. }
            | Self::Fork { about, .. }
            | Self::Wait { about }
            | Self::End { about, .. } => about.request,
            Self::Repeat { request, .. } => *request,
            Self::Import(importing) => importing.about.request,
        }
    }

    fn namespace(&self) -> &Arc<str> {
        match self {
            Self::Cancel { about, .. }
            | Self::Operate { about, .. }
            | Self::Resolve { about, .. }
            | Self::Fork { about, .. }
            | Self::Wait { about }
            | Self::End { about, .. } => &about.namespace,
            Self::Repeat { start, .. } => &start.namespace,
            Self::Import(importing) => &importing.about.namespace,
        }
    }
}

/// Requests that wait for something.
#[derive(Debug, Default)]
pub(crate) struct Api {
    pub(crate) waiters: FxHashMap<RunId, Vec<(RequestId, bool)>>,
    pub(crate) waiting: FxHashMap<RequestId, RunId>,
    /// What comes with a key, in the order in which it came, while the first of it is looked up or
    /// written.
    keys: FxHashMap<Key, VecDeque<Keyed>>,
    starting: FxHashMap<RunId, Key>,
}

impl Api {}

fn refuse(request: RequestId, code: Code, detail: String, out: &mut Outputs) {
    let reply = Reply::Error(ApiError { code, detail });
    out.list.push(Output::Reply { request, reply });
}

impl Node {
    pub(crate) fn on_start(&mut self, request: RequestId, start: StartRequest, out: &mut Outputs) {
        if self.draining {
            let text = "the server is stopping; try again when it is back".into();
            return refuse(request, Code::Unavailable, text, out);
        }
        match self.resolve(&start) {
            Err(error) if self.config.shared && error.code == Code::UnknownWorkflow => {
                self.start_once_known(request, Box::new(start), out);
            }
            _ => self.start_known(request, start, out),
        }
    }

    /// Starts a run of a workflow that is known by now, or by nobody.
    pub(crate) fn start_known(
        &mut self,
        request: RequestId,
        start: StartRequest,
        out: &mut Outputs,
    ) {
        let queue = match self.resolve(&start) {
            Ok(queue) => queue,
            Err(ApiError { code, detail }) => return refuse(request, code, detail, out),
        };
        let Some(key) = &start.key else {
            self.begin(request, &start, &queue, out);
            return;
        };
        let key = Key { queue, key: Arc::from(&**key) };
        self.ask_for_key(key, Keyed::Start(request, Box::new(start)), out);
    }

    /// Finds out which run has a key, behind those who asked before.
    pub(crate) fn ask_for_key(&mut self, key: Key, what: Keyed, out: &mut Outputs) {
        match self.api.keys.entry(key) {
            Entry::Occupied(mut others) => others.get_mut().push_back(what),
            Entry::Vacant(first) => {
                out.list.push(Output::Find(first.key().clone()));
                first.insert(VecDeque::from([what]));
            }
        }
    }

    /// Finds the workflow that a start means (§9.1), and checks what it brings.
    fn resolve(&self, start: &StartRequest) -> Result<Queue, ApiError> {
        let error = |code, detail: String| ApiError { code, detail };
        let bad = |text: name::Error| error(Code::BadRequest, text.to_string());
        let limit = self.config.limits.payload_bytes_max;
        let checked = |what: &str, raw: Option<&RawValue>| match raw
            .map_or(Ok(()), |raw| payload::check(raw, limit))
        {
            Ok(()) => Ok(()),
            Err(why) => Err(error(Code::PayloadTooLarge, format!("the {what} is refused: {why}"))),
        };
        name::check("a workflow", &start.workflow).map_err(bad)?;
        if let Some(key) = &start.key {
            name::check("an idempotency key", key).map_err(bad)?;
        }
        if let Some(runner) = &start.runner {
            name::check("a runner", runner).map_err(bad)?;
        }
        let change: search::Change = start
            .search
            .iter()
            .map(|(name, value)| (name.to_string(), Some(value.clone())))
            .collect();
        search::check(&search::Attributes::new(), &change)
            .map_err(|why| error(Code::BadRequest, why.to_string()))?;
        checked("input", start.input.as_deref())?;
        checked("metadata", start.metadata.as_deref())?;
        let workflow: Arc<str> = Arc::from(&*start.workflow);
        let apps = self.registry.apps(&start.namespace, &workflow);
        let app = match (&start.app, apps) {
            (Some(app), apps) => apps.iter().find(|one| ***one == **app).ok_or_else(|| {
                let text =
                    format!("no runner has ever registered workflow `{workflow}` of app `{app}`");
                error(Code::UnknownWorkflow, text)
            })?,
            (None, [app]) => app,
            (None, []) => {
                let text = format!("no runner has ever registered a workflow `{workflow}`");
                return Err(error(Code::UnknownWorkflow, text));
            }
            (None, several) => {
                let text = format!(
                    "several apps have a workflow `{workflow}`: {}; say which with `app`",
                    several.join(", ")
                );
                return Err(error(Code::AmbiguousWorkflow, text));
            }
        };
        Ok(Queue { namespace: start.namespace.clone(), app: app.clone(), workflow })
    }

    fn begin(
        &mut self,
        request: RequestId,
        start: &StartRequest,
        queue: &Queue,
        out: &mut Outputs,
    ) -> RunId {
        self.stamp_start();
        let id = RunId::after(self.last_run, self.now, self.entropy_wide());
        self.last_run = id;
        let not_before = match start.begin {
            Begin::Now => None,
            Begin::After(delay) => Some(self.now.after(delay)),
            Begin::At(at) => Some(at),
        };
        let begun = Begun {
            input: start.input.as_deref(),
            key: start.key.as_deref(),
            timeout: start.timeout,
            not_before,
            metadata: start.metadata.as_deref(),
            runner: start.runner.as_deref(),
            search: Some(&start.search),
            traceparent: start.traceparent,
            ..Begun::of(id)
        };
        if start.wait {
            self.api.wait(id, request, true);
        }
        self.begin_run(&begun, queue, out);
        if !start.wait {
            let reply = Reply::Started { run: id, created: true };
            self.commits.effects(id).reply(request, reply);
        }
        id
    }

    pub(crate) fn on_found(&mut self, key: Key, run: Option<RunId>, out: &mut Outputs) {
        let Some(pending) = self.api.keys.get_mut(&key) else {
            return;
        };
        if let Some(run) = run {
            for what in self.api.keys.remove(&key).unwrap_or_default() {
                match what {
                    Keyed::Start(request, start) => {
                        self.with_run(run, Deferred::Asked(Asked::Repeat { request, start }), out);
                    }
                    Keyed::Import(copy) => self.import_with(Claim::Taken(run), copy, out),
                }
            }
            return;
        }
        match pending.pop_front() {
            Some(Keyed::Start(request, start)) => {
                let run = self.begin(request, &start, &key.queue, out);
                self.hold_key(run, key);
            }
            Some(Keyed::Import(copy)) => self.import_with(Claim::Held(key), copy, out),
            None => {}
        }
    }

    /// A run with this key is on its way to the store.
    pub(crate) fn hold_key(&mut self, run: RunId, key: Key) {
        self.api.starting.insert(run, key);
    }

    /// A start with a key is written, or refused: those that wait for it are looked up again.
    pub(crate) fn on_key_written(&mut self, run: RunId, out: &mut Outputs) {
        let Some(key) = self.api.starting.remove(&run) else {
            return;
        };
        self.go_on_with_key(key, out);
    }

    /// Looks a key up again for those who wait for it.
    pub(crate) fn go_on_with_key(&mut self, key: Key, out: &mut Outputs) {
        let Some(pending) = self.api.keys.get(&key) else {
            return;
        };
        if pending.is_empty() {
            self.api.keys.remove(&key);
        } else {
            out.list.push(Output::Find(key));
        }
    }

    /// Somebody acts on a run.
    pub(crate) fn on_asked(&mut self, run: RunId, asked: Asked, out: &mut Outputs) {
        self.with_run(run, Deferred::Asked(asked), out);
    }

    pub(crate) fn answer_missing(
        &mut self,
        run: RunId,
        asked: &Asked,
        error: Option<&stepwell_store::Error>,
    ) {
        let error = error.map_or_else(
            || ApiError { code: Code::UnknownRun, detail: format!("there is no run {run}") },
            store_error,
        );
        self.reply_about(run, asked.request(), Reply::Error(error));
    }

    pub(crate) fn answer(&mut self, id: RunId, asked: Asked, journal: &[u8], out: &mut Outputs) {
        let Some(run) = self.hot.run(id) else { return };
        // That a copy has the id of a run of another namespace is said, and nothing more.
        let known = matches!(asked, Asked::Import(_) | Asked::End { .. });
        if !known && run.namespace() != asked.namespace() {
            // What another namespace has is not there (§1).
            return self.answer_missing(id, &asked, None);
        }
        match asked {
            Asked::Cancel { about, signed } => self.answer_cancel(id, about.request, &signed),
            Asked::Operate { about, act, signed } => {
                self.answer_act(id, about.request, act, &signed);
            }
            Asked::Resolve { about, resolve, signed } => {
                self.answer_resolve(&about, &resolve, &signed);
            }
            Asked::Fork { about, fork, signed } => {
                self.answer_fork(&about, (&fork, &signed), journal, out);
            }
            Asked::Wait { about } => self.answer_wait(id, (about.request, false), journal, out),
            Asked::End { about, created } => {
                self.answer_wait(id, (about.request, created), journal, out);
            }
            Asked::Repeat { request, start } => {
                self.answer_repeat((id, request), &start, journal, out);
            }
            Asked::Import(importing) => self.answer_import(id, *importing, journal, out),
        }
    }

    fn answer_cancel(&mut self, id: RunId, request: RequestId, signed: &Signed) {
        let command =
            Command::Cancel { by: signed.by.as_deref(), reason: signed.reason.as_deref() };
        let status = match self.apply(id, command, None) {
            Ok(()) => self.hot.run(id).map_or(RunStatus::Cancelled, Run::status),
            Err(Rejection::Ended(status)) => status,
            Err(_) => RunStatus::Compensating,
        };
        self.reply_about(id, request, Reply::Acted { status });
    }

    /// §9.5: an act that is not had is refused with what would be.
    fn answer_act(&mut self, id: RunId, request: RequestId, act: Operation, signed: &Signed) {
        let (by, reason) = (signed.by.as_deref(), signed.reason.as_deref());
        let reply = match self.apply(id, Command::Operate(Operate { act, by, reason }), None) {
            Ok(()) => {
                let status = self.hot.run(id).map_or(RunStatus::Cancelled, Run::status);
                Reply::Acted { status }
            }
            Err(Rejection::Ended(status)) if act == Operation::Terminate => Reply::Acted { status },
            Err(Rejection::Ended(status)) => refused(format!(
                "`{act}` is for runs that have not ended; {id} has ended: {status}"
            )),
            Err(_) => refused(format!(
                "the end of {id} is decided; accepted until it has ended: terminate"
            )),
        };
        self.reply_about(id, request, reply);
    }

    /// §4.8: a repeat returns the first run; with another input it is a conflict.
    fn answer_repeat(
        &mut self,
        (id, request): (RunId, RequestId),
        start: &StartRequest,
        journal: &[u8],
        out: &mut Outputs,
    ) {
        let first = record::decode(journal).next();
        let same = matches!(&first, Some(Ok(Record::Started(first)))
            if payload::same(first.input, start.input.as_deref()));
        if !same {
            let key = start.key.as_deref().unwrap_or_default();
            let detail = format!("the key `{key}` started {id} with another input");
            let reply = Reply::Error(ApiError { code: Code::KeyConflict, detail });
            return self.commits.effects(id).reply(request, reply);
        }
        if start.wait {
            return self.answer_wait(id, (request, false), journal, out);
        }
        self.commits.effects(id).reply(request, Reply::Started { run: id, created: false });
    }
}

fn refused(detail: String) -> Reply {
    Reply::Error(ApiError { code: Code::ActRefused, detail })
}
