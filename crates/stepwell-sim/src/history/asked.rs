//! What clients ask for, and what they are answered.

use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::operation::Operation;
use stepwell_core::status::RunStatus;
use stepwell_node::Taken;

use crate::program::{Input, Topic};

/// What a client asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To start a run.
    Start {
        /// The workflow.
        workflow: Arc<str>,
        /// The idempotency key.
        key: Option<Arc<str>>,
        /// The input.
        input: Input,
    },
    /// To cancel a run.
    Cancel(RunId),
    /// An act of an operator on it.
    Operate(Operation, RunId),
    /// To be taken at one's word of how a step ended whose outcome is unknown.
    Resolve {
        /// The run.
        run: RunId,
        /// The step.
        step: Arc<str>,
        /// How it ended.
        known: Known,
    },
    /// To make a new run of it.
    Fork(RunId, Forked),
    /// To take in a copy of a run of this server, in a namespace for copies.
    Import {
        /// The id of the copy.
        copy: RunId,
        /// The run.
        source: RunId,
        /// The copy is ended where the run has not.
        end: bool,
    },
    /// To be told of its end.
    Wait(RunId),
    /// To send an event.
    Send {
        /// Its id.
        id: Arc<str>,
        /// What it is about.
        topic: Topic,
    },
}

/// What an operator says of a step whose outcome is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It completed; the number tells its result.
    Completed(u64),
    /// It failed.
    Failed,
    /// It was not done.
    NotDone,
}

/// What an operator wants of a run that is made of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forked {
    /// From where it goes on.
    pub from: Place,
    /// Another input.
    pub input: Option<Input>,
    /// Steps that get another result; the number tells which.
    pub outputs: Vec<(Arc<str>, u64)>,
}

/// From where a run that is made of another one goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// From its beginning.
    Start,
    /// From a step.
    Step(Arc<str>),
    /// From the last step that failed.
    Failure,
}

/// Returns the result, as JSON, that an operator gives under a number.
pub fn given_by_hand(number: u64) -> String {
    format!("{{ \"byHand\": {number}}}")
}

/// What the node answered. It was sent; whether it arrived is another matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The run exists.
    Started {
        /// The run.
        run: RunId,
        /// By this request.
        created: bool,
    },
    /// The run has ended.
    Ended {
        /// The run.
        run: RunId,
        /// How.
        status: RunStatus,
        /// With what result.
        output: Option<Arc<str>>,
        /// With what error.
        error: Option<String>,
    },
    /// The cancel or other act is taken, or changed nothing.
    Acted(RunStatus),
    /// A copy is there.
    Imported(Taken),
    /// It was not done.
    Refused {
        /// The code.
        code: &'static str,
    },
    /// The event is there.
    Sent {
        /// Its id.
        id: Arc<str>,
    },
}
