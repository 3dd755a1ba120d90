//! What a line of the ledger says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::clock::Stamp;
use super::hash::Hash;

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// When it was about to be written.
    pub at: Stamp,
    /// The process that wrote it, named once: a process that is started again has another name.
    pub process: String,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum What {
    /// A client read that its start was accepted.
    AckedStart {
        /// The idempotency key that the client chose.
        key: String,
        /// The run that the answer named.
        run: String,
        /// How many steps with a function the run will have.
        steps: u32,
    },
    /// The function of a step began; its first act.
    FnStart {
        /// The run.
        run: String,
        /// The step.
        step: String,
        /// The attempt, from 1.
        attempt: u32,
        /// How many attempts the step may have.
        attempts_max: u32,
        /// Nothing happens that would allow a second start.
        once: bool,
    },
    /// The function of a step is about to return; its last act.
    FnEnd {
        /// The run.
        run: String,
        /// The step.
        step: String,
        /// The attempt.
        attempt: u32,
        /// What it returns; absent where it fails on purpose.
        value: Option<Hash>,
    },
    /// The workflow's code was given the result of a step: the engine has acknowledged it.
    AckedResult {
        /// The run.
        run: String,
        /// The step.
        step: String,
        /// The result.
        value: Hash,
    },
    /// A client read a run that had ended, or that will not end any more.
    RunEnd {
        /// The run.
        run: String,
        /// The key of its start.
        key: Option<String>,
        /// Its status.
        status: String,
        /// What else it says about itself where it did not complete.
        why: Option<String>,
        /// Its output: each step with a function, with the result that the code was given.
        output: BTreeMap<String, Hash>,
        /// Its steps.
        steps: BTreeMap<String, StepRead>,
    },
    /// A client is about to ask for the cancel of a run.
    AskedCancel {
        /// The run.
        run: String,
    },
    /// A client read that its cancel was accepted.
    AckedCancel {
        /// The run.
        run: String,
        /// The run's status by the answer: that of its end where it had ended before.
        status: String,
    },
    /// A process was killed and is gone.
    Kill {
        /// What was killed.
        target: Target,
        /// The name of the process.
        victim: String,
    },
}

/// What can be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// A server.
    Server,
    /// A runner.
    Runner,
}

/// A step as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepRead {
    /// Its kind.
    pub kind: String,
    /// Its status.
    pub status: String,
    /// The greatest number among its attempts that were not lost; 0 where it has none.
    pub attempts: u32,
    /// Its result.
    pub value: Option<Hash>,
}
