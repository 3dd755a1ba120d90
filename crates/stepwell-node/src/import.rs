//! Copies of runs from elsewhere.
//!
//! A copy is taken in as a start is: its id and its idempotency key are looked up, and its journal joins
//! the open batch. It has ended, so nothing of it is dispatched, timed or told to anybody.

use stepwell_core::code::Code;
use stepwell_core::id::RunId;
use stepwell_core::run::{self, Env, Run, Unfinished};
use stepwell_core::status::RunStatus;
use stepwell_store::query::Key;

use crate::api::{Asked, Keyed};
use crate::commit::store_error;
use crate::input::{About, Signed};
use crate::need::queue_of;
use crate::node::Node;
use crate::output::{ApiError, Output, Outputs, Reply};

/// A copy of a run that is to be taken in.
#[derive(Clone, Debug)]
pub struct ImportRequest {
    /// Its journal where it was copied.
    pub journal: Vec<u8>,
    /// What becomes of it where it had not ended.
    pub unfinished: Unfinished,
}

/// What became of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The run is here now, as it was.
    New,
    /// The run is here now, and was ended.
    Ended,
    /// The same run was here before, perhaps further on.
    Known,
}

/// A copy, and who wants it to be taken in.
#[derive(Debug)]
pub(crate) struct Importing {
    pub(crate) about: About,
    pub(crate) request: ImportRequest,
    pub(crate) signed: Signed,
    claim: Claim,
}

/// What is known of the idempotency key of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// It has none, or the one of the run that it is a copy of.
    None,
    /// No run has it, and none gets it until this copy is done with.
    Held(Key),
    /// Another run has it.
    Taken(RunId),
}

impl Importing {
    pub(crate) fn new(about: About, request: ImportRequest, signed: Signed) -> Self {
        Self { about, request, signed, claim: Claim::None }
    }

    fn as_core(&self) -> run::Import<'_> {
        run::Import {
            journal: &self.request.journal,
            namespace: &self.about.namespace,
            unfinished: self.request.unfinished,
            by: self.signed.by.as_deref(),
            reason: self.signed.reason.as_deref(),
        }
    }
}

fn error(code: Code, detail: String) -> Reply {
    Reply::Error(ApiError { code, detail })
}

impl Node {
    pub(crate) fn on_import(&mut self, importing: Box<Importing>, out: &mut Outputs) {
        let (id, request) = (importing.about.run, importing.about.request);
        let read = if self.draining {
            let text = "the server is stopping; try again when it is back".into();
            Err(error(Code::Unavailable, text))
        } else {
            self.read_copy(&importing, &mut Vec::new())
        };
        match read {
            Ok((run, _)) => match run.key().cloned() {
                Some(key) => {
                    let key = Key { queue: queue_of(&run), key };
                    self.ask_for_key(key, Keyed::Import(importing), out);
                }
                None => self.on_asked(id, Asked::Import(importing), out),
            },
            Err(reply) => out.list.push(Output::Reply { request, reply }),
        }
    }

    /// It is known whose the key of a copy is: now the run is looked up.
    pub(crate) fn import_with(
        &mut self,
        claim: Claim,
        mut importing: Box<Importing>,
        out: &mut Outputs,
    ) {
        importing.claim = match claim {
            Claim::Taken(run) if run == importing.about.run => Claim::None,
            other => other,
        };
        self.on_asked(importing.about.run, Asked::Import(importing), out);
    }

    /// A run has this id: it is the same one, or the copy is refused.
    pub(crate) fn answer_import(
        &mut self,
        id: RunId,
        importing: Importing,
        journal: &[u8],
        out: &mut Outputs,
    ) {
        let status = self.hot.run(id).map_or(RunStatus::Cancelled, Run::status);
        let reply = if Run::is_copied_from(journal, &importing.as_core()) {
            Reply::Imported { status, taken: Taken::Known }
        } else {
            let text =
                format!("{id} is there with another history; accepted: a run that is not there");
            error(Code::ImportConflict, text)
        };
        self.commits.effects(id).reply(importing.about.request, reply);
        self.let_key_go(importing.claim, out);
    }

    /// No run has this id.
    pub(crate) fn take_copy(&mut self, importing: Box<Importing>, out: &mut Outputs) {
        let (id, request) = (importing.about.run, importing.about.request);
        if self.hot.live(id).is_some_and(|live| !live.is_cold()) {
            // Another copy of it is being written.
            return self.on_asked(id, Asked::Import(importing), out);
        }
        let reply = if self.hot.contains(id) {
            error(Code::Unavailable, format!("{id} was deleted just now; try again"))
        } else if let Claim::Taken(run) = importing.claim {
            let text =
                format!("the idempotency key of {id} is that of {run}; accepted: one that is free");
            error(Code::ImportConflict, text)
        } else {
            let mut records = Vec::new();
            match self.read_copy(&importing, &mut records) {
                Ok((run, was)) => {
                    let taken = if was.is_ended() { Taken::New } else { Taken::Ended };
                    let status = run.status();
                    self.commits.start(id, &records);
                    self.hot.insert_new(run);
                    self.commits.effects(id).reply(request, Reply::Imported { status, taken });
                    if let Claim::Held(key) = importing.claim {
                        self.hold_key(id, key);
                    }
                    return;
                }
                Err(reply) => reply,
            }
        };
        self.commits.common().reply(request, reply);
        self.let_key_go(importing.claim, out);
    }

    /// Whether there is such a run cannot be said.
    pub(crate) fn refuse_import(
        &mut self,
        importing: Importing,
        why: &stepwell_store::Error,
        out: &mut Outputs,
    ) {
        self.commits.common().reply(importing.about.request, Reply::Error(store_error(why)));
        self.let_key_go(importing.claim, out);
    }

    fn let_key_go(&mut self, claim: Claim, out: &mut Outputs) {
        if let Claim::Held(key) = claim {
            self.go_on_with_key(key, out);
        }
    }

    /// Makes a run of a copy; returns it with the status that it had. Its journal goes to `records`.
    fn read_copy(
        &mut self,
        importing: &Importing,
        records: &mut Vec<u8>,
    ) -> Result<(Run, RunStatus), Reply> {
        let env = Env { now: self.now, entropy: self.entropy(), limits: &self.config.limits };
        let id = importing.about.run;
        Run::import(id, &importing.as_core(), env, records)
            .map_err(|why| error(Code::ImportRefused, format!("{id} is refused: {why}")))
    }
}
