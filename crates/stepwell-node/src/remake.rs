//! Acts of operators that bring something along: resolving a step (§4.5), and new runs out of others
//! (§9.5, §9.8).

use std::time::Duration;

use serde_json::value::RawValue;
use stepwell_core::code::Code;
use stepwell_core::failure::Failure;
use stepwell_core::id::RunId;
use stepwell_core::operation::Operation;
use stepwell_core::payload;
use stepwell_core::run::{
    Command, Env, Fork, From, Operate, Outcome, Phase, Rejection, Resolution, Resolve, Run,
};

use crate::input::{About, Signed};
use crate::need::queue_of;
use crate::node::Node;
use crate::output::{ApiError, Outputs, Reply};

/// What an operator knows of a step whose outcome nobody else does (§4.5).
#[derive(Clone, Debug)]
pub struct ResolveRequest {
    /// The step's id.
    pub step: String,
    /// What is known.
    pub known: Known,
}

/// How a step ended, as an operator knows it.
#[derive(Clone, Debug)]
pub enum Known {
    /// With this result, absent for none.
    Completed(Option<Box<RawValue>>),
    /// With this error.
    Failed(Failure<'static>),
    /// Its function did nothing, and may start again.
    NotDone,
}

/// A new run that is to be made of another one.
#[derive(Clone, Debug)]
pub struct ForkRequest {
    /// From where it goes on.
    pub from: ForkAt,
    /// Another input than that of the source.
    pub input: Option<Box<RawValue>>,
    /// Other results of steps that are kept.
    pub outputs: Vec<(String, Box<RawValue>)>,
}

/// From where a new run goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForkAt {
    /// From the beginning: a rerun.
    Start,
    /// From this step.
    Step(String),
    /// From the last step that failed.
    Failure,
}

impl ForkAt {
    fn as_core(&self) -> From<'_> {
        match self {
            Self::Start => From::Start,
            Self::Step(step) => From::Step(step),
            Self::Failure => From::Failure,
        }
    }
}

fn error(code: Code, detail: String) -> Reply {
    Reply::Error(ApiError { code, detail })
}

impl Node {
    /// §4.5: an operator says how a step ended whose outcome is unknown.
    pub(crate) fn answer_resolve(
        &mut self,
        about: &About,
        asked: &ResolveRequest,
        signed: &Signed,
    ) {
        let id = about.run;
        let (by, reason) = (signed.by.as_deref(), signed.reason.as_deref());
        let operate = Operate { act: Operation::Resolve, by, reason };
        let resolution = match &asked.known {
            Known::Completed(output) => Resolution::Completed(output.as_deref()),
            Known::Failed(failure) => Resolution::Failed(failure.clone()),
            Known::NotDone => Resolution::NotDone,
        };
        let limit = self.config.limits.payload_bytes_max;
        let checked = match &asked.known {
            Known::Completed(Some(output)) => payload::check(output, limit),
            Known::Completed(None) | Known::Failed(_) | Known::NotDone => Ok(()),
        };
        let step = &*asked.step;
        let reply = match checked {
            Err(why) => error(Code::PayloadTooLarge, format!("the output is refused: {why}")),
            Ok(()) => {
                match self.apply(id, Command::Resolve(Resolve { operate, step, resolution }), None)
                {
                    Ok(()) => {
                        let status = self.hot.run(id).map(Run::status);
                        Reply::Acted {
                            status: status.unwrap_or(stepwell_core::status::RunStatus::Queued),
                        }
                    }
                    Err(Rejection::Ended(status)) => error(
                        Code::ActRefused,
                        format!(
                            "`resolve` is for runs that have not ended; {id} has ended: {status}"
                        ),
                    ),
                    Err(why) => error(Code::ActRefused, format!("{id}: {why}")),
                }
            }
        };
        self.reply_about(id, about.request, reply);
    }

    /// §9.5, §9.8: makes a new run of this one. A source that has not ended is ended by a fork, in
    /// the same commit and without clean-up; a rerun leaves it as it is.
    pub(crate) fn answer_fork(
        &mut self,
        about: &About,
        (asked, signed): (&ForkRequest, &Signed),
        journal: &[u8],
        out: &mut Outputs,
    ) {
        let source = about.run;
        if let Err(reply) = self.check_fork(asked) {
            return self.reply_about(source, about.request, reply);
        }
        let Some(run) = self.hot.run(source) else { return };
        let queue = queue_of(run);
        let lives = !matches!(run.phase(), Phase::Ended(_)) && asked.from != ForkAt::Start;
        let own = self.registry.get(&queue).and_then(|(_, options)| options.timeout_ms);
        let id = RunId::after(self.last_run, self.now, self.entropy_wide());
        let entropy = self.entropy();
        let (by, reason) = (signed.by.as_deref(), signed.reason.as_deref());
        let fork = Fork {
            source,
            journal,
            from: asked.from.as_core(),
            input: asked.input.as_deref(),
            outputs: &asked.outputs,
            timeout: own.map(Duration::from_millis),
            by,
            reason,
        };
        let env = Env { now: self.now, entropy, limits: &self.config.limits };
        let mut outcome = Outcome::default();
        let run = match Run::fork(id, &fork, env, &mut outcome) {
            Ok(run) => run,
            Err(why) => {
                let reply = error(Code::ForkRefused, format!("{source}: {why}"));
                return self.reply_about(source, about.request, reply);
            }
        };
        self.last_run = id;
        if lives {
            let act = Operation::Terminate;
            self.apply(source, Command::Operate(Operate { act, by, reason }), None)
                .unwrap_or_default();
            // In the batch that ends the source: either both are, or neither.
            self.commits.start_beside(source, id, &outcome.records);
        } else {
            self.commits.start(id, &outcome.records);
        }
        self.hot.insert_new(run);
        let reply = Reply::Started { run: id, created: true };
        self.reply_about(id, about.request, reply);
        self.try_at_once(id, &outcome.records, out);
        self.after_change(id);
    }

    fn check_fork(&self, asked: &ForkRequest) -> Result<(), Reply> {
        if self.draining {
            let text = "the server is stopping; try again when it is back".into();
            return Err(error(Code::Unavailable, text));
        }
        let limit = self.config.limits.payload_bytes_max;
        let Some(input) = asked.input.as_deref() else { return Ok(()) };
        payload::check(input, limit)
            .map_err(|why| error(Code::PayloadTooLarge, format!("the input is refused: {why}")))
    }
}
