//! What is asked of a run that is another member's: it travels through the run's inbox, and its answer
//! back through the store.
//!
//! Whose the run is does what is asked in the batch that consumes the message and holds the answer: it is
//! done once, whoever crashes meanwhile.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use stepwell_core::code::Code;
use stepwell_core::failure::Failure;
use stepwell_core::id::RunId;
use stepwell_core::operation::Operation;
use stepwell_core::status::RunStatus;
use stepwell_store::inbox::{Message, MessageId, MessageKind};
use stepwell_store::shared::Answer;

use crate::api::Asked;
use crate::input::{About, RequestId, Signed};
use crate::node::Node;
use crate::output::{ApiError, Outputs, Reply};
use crate::remake::{ForkAt, ForkRequest, Known, ResolveRequest};
use crate::trigger::present;

/// What the body of a message that asks something says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    namespace: Arc<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    act: Act,
    /// The act of an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operation: Option<Operation>,
    /// The step that is resolved, or that a fork goes on from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    /// The result that a step is resolved with, or the input of a fork.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    value: Option<Box<RawValue>>,
    /// The error that a step is resolved with.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "owned")]
    failure: Option<Failure<'static>>,
    /// The step's function did nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    not_done: bool,
    /// A fork goes on from the last step that failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    from_failure: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    outputs: Vec<(String, Box<RawValue>)>,
}

/// An error outlives the message that brings it.
fn owned<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Failure<'static>>, D::Error> {
    Option::<Failure<'de>>::deserialize(from).map(|failure| failure.map(Failure::into_owned))
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Act {
    Cancel,
    Operate,
    Resolve,
    Fork,
}

impl Body {
    fn new(about: &About, signed: &Signed, act: Act) -> Self {
        Self {
            namespace: about.namespace.clone(),
            by: signed.by.clone(),
            reason: signed.reason.clone(),
            act,
            operation: None,
            step: None,
            value: None,
            failure: None,
            not_done: false,
            from_failure: false,
            outputs: Vec::new(),
        }
    }

    /// Writes down what is asked; `None` for what only reads.
    fn of(asked: &Asked) -> Option<Self> {
        Some(match asked {
            Asked::Cancel { about, signed } => Self::new(about, signed, Act::Cancel),
            Asked::Operate { about, act, signed } => {
                Self { operation: Some(*act), ..Self::new(about, signed, Act::Operate) }
            }
            Asked::Resolve { about, resolve, signed } => {
                let step = Some(resolve.step.clone());
                let body = Self { step, ..Self::new(about, signed, Act::Resolve) };
                match &resolve.known {
                    Known::Completed(value) => Self { value: value.clone(), ..body },
                    Known::Failed(failure) => Self { failure: Some(failure.clone()), ..body },
                    Known::NotDone => Self { not_done: true, ..body },
                }
            }
            Asked::Fork { about, fork, signed } => {
                let (step, from_failure) = match &fork.from {
                    ForkAt::Start => (None, false),
                    ForkAt::Step(step) => (Some(step.clone()), false),
                    ForkAt::Failure => (None, true),
                };
                let (value, outputs) = (fork.input.clone(), fork.outputs.clone());
                let body = Self::new(about, signed, Act::Fork);
                Self { step, value, from_failure, outputs, ..body }
            }
            Asked::Wait { .. } | Asked::End { .. } | Asked::Repeat { .. } | Asked::Import(_) => {
                return None;
            }
        })
    }

    fn into_asked(self, request: RequestId, run: RunId) -> Asked {
        let about = About { request, namespace: self.namespace, run };
        let signed = Signed { by: self.by, reason: self.reason };
        match (self.act, self.operation) {
            (Act::Operate, Some(act)) => Asked::Operate { about, act, signed },
            (Act::Resolve, _) => {
                let known = match self.failure {
                    Some(failure) => Known::Failed(failure),
                    None if self.not_done => Known::NotDone,
                    None => Known::Completed(self.value),
                };
                let step = self.step.unwrap_or_default();
                Asked::Resolve { about, resolve: Box::new(ResolveRequest { step, known }), signed }
            }
            (Act::Fork, _) => {
                let from = match self.step {
                    Some(step) => ForkAt::Step(step),
                    None if self.from_failure => ForkAt::Failure,
                    None => ForkAt::Start,
                };
                let fork = ForkRequest { from, input: self.value, outputs: self.outputs };
                Asked::Fork { about, fork: Box::new(fork), signed }
            }
            (Act::Cancel | Act::Operate, _) => Asked::Cancel { about, signed },
        }
    }
}

/// What an answer says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Said {
    Acted { status: RunStatus },
    Started { run: RunId, created: bool },
    Error { code: String, detail: String },
}

impl Said {
    fn of(reply: &Reply) -> Self {
        let (code, detail) = match reply {
            Reply::Acted { status } => return Self::Acted { status: *status },
            Reply::Started { run, created } => {
                return Self::Started { run: *run, created: *created };
            }
            Reply::Error(ApiError { code, detail }) => (*code, detail.clone()),
            // To what is asked there are no other answers.
            other => (Code::Internal, format!("{other:?}")),
        };
        Self::Error { code: code.as_str().to_owned(), detail }
    }

    fn into_reply(self) -> Reply {
        match self {
            Self::Acted { status } => Reply::Acted { status },
            Self::Started { run, created } => Reply::Started { run, created },
            Self::Error { code, detail } => {
                let known = Code::ALL.iter().find(|known| known.as_str() == code);
                Reply::Error(ApiError { code: known.copied().unwrap_or(Code::Internal), detail })
            }
        }
    }
}

/// Writes an answer down.
pub(crate) fn answer(ask: RunId, reply: &Reply) -> Answer {
    let body = serde_json::to_string(&Said::of(reply)).unwrap_or_default();
    Answer { ask, body: body.into() }
}

impl Node {
    /// Puts what is asked in the inbox of a run that is another member's.
    pub(crate) fn ask_elsewhere(&mut self, run: RunId, asked: &Asked) {
        let Some(body) = Body::of(asked) else { return };
        let Ok(body) = serde_json::to_string(&body) else { return };
        let ask = RunId::from_u128(self.entropy_wide());
        self.share.asks.insert(ask, asked.request());
        self.tell_run(run, MessageId { to: run, from: ask, kind: MessageKind::Ask }, body.into());
    }

    /// A run of this member is asked something that came to another one.
    pub(crate) fn hear_ask(&mut self, id: RunId, message: &Message, out: &mut Outputs) {
        // What a member wrote every member can read; what none can is asked by nobody.
        let Ok(body) = serde_json::from_str::<Body>(&message.body) else { return };
        let request = self.share.stand_in(message.id.from);
        let asked = body.into_asked(request, id);
        if asked.needs_journal() {
            // It is consumed with its answer.
            self.share.heard.insert(request, message.id);
            return self.with_run(id, crate::defer::Deferred::Asked(asked), out);
        }
        self.answer(id, asked, &[], out);
        self.commits.consume(id, message.id);
    }

    /// Nobody will hear what is asked: there is no such run.
    pub(crate) fn ask_of_nobody(&mut self, message: &Message) {
        let run = message.id.to;
        let detail = format!("there is no run {run}");
        let reply = Reply::Error(ApiError { code: Code::UnknownRun, detail });
        self.commits.answer(run, answer(message.id.from, &reply));
    }

    /// Answers a request about a run once what is known of the run is durable, wherever it was asked.
    pub(crate) fn reply_about(&mut self, id: RunId, request: RequestId, reply: Reply) {
        let Some(ask) = self.share.stands_for(request) else {
            return self.commits.effects(id).reply(request, reply);
        };
        self.commits.answer(id, answer(ask, &reply));
        if let Some(message) = self.share.heard.remove(&request) {
            self.commits.consume(id, message);
        }
    }

    pub(crate) fn on_answers(&mut self, answers: Vec<Answer>) {
        for Answer { ask, body } in answers {
            let Some(request) = self.share.asks.remove(&ask) else { continue };
            let reply = match serde_json::from_str::<Said>(&body) {
                Ok(said) => said.into_reply(),
                Err(error) => {
                    let detail = format!("the answer of another node is not understood: {error}");
                    Reply::Error(ApiError { code: Code::Internal, detail })
                }
            };
            self.commits.common().reply(request, reply);
        }
    }
}
