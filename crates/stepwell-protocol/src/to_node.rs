//! What a runner says.
//!
//! Instants are told as microseconds before the message was sent (`…AgoUs`), so that clocks need
//! not agree. `a` is the handle that the node gave the run on this connection.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stepwell_core::clean_up::Compensable;
use stepwell_core::failure::Failure;
use stepwell_core::id::RunId;
use stepwell_core::once::Once;
use stepwell_core::payload::present;
use stepwell_core::record::{BlockCause, Branch};
use stepwell_core::retry::Policy;
use stepwell_core::search::Change;
use stepwell_core::status::Kind;

pub use crate::branch::{Race, Raced, Verified};
pub use crate::event::{Emit, Since, Trigger, Wait};

/// A message from a runner.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum ToNode<'a> {
    /// The first message on a connection.
    #[serde(borrow)]
    Hello(Hello<'a>),
    /// A heartbeat: extends the runner's grant, counted from when the runner sent it.
    Ping {
        /// Its number on this connection, growing.
        k: u64,
    },
    /// The runner has handled so many bytes of what the node sent and may be sent as many more.
    Credit {
        /// How many.
        bytes: u64,
    },
    /// The runner stops: give it no more runs.
    Drain {},
    /// A function still runs some 50 ms after it began.
    #[serde(borrow)]
    Started(Started<'a>),
    /// An attempt of a step ended.
    #[serde(borrow)]
    Ended(Ended<'a>),
    /// The code sleeps.
    #[serde(borrow)]
    Sleep(Sleep<'a>),
    /// The code says that a step does not apply.
    #[serde(borrow)]
    Skip(Skip<'a>),
    /// The code dropped a step that had not ended.
    #[serde(borrow)]
    Dropped(Dropped<'a>),
    /// Code logged lines.
    #[serde(borrow)]
    Log(Log<'a>),
    /// The code asked for steps in another order than recorded.
    #[serde(borrow)]
    Order(Order<'a>),
    /// The code and the journal cannot go on together.
    #[serde(borrow)]
    Block(Block<'a>),
    /// No code of the run is in progress and at least one step waits for the engine: the run takes
    /// no slot until it is told of a step's end, or says `busy`.
    Idle {
        /// The run.
        a: u32,
    },
    /// Code of the run is in progress again (a backoff that the runner kept is over).
    Busy {
        /// The run.
        a: u32,
    },
    /// The runner dropped its copy of the run, having been given `seen` ends of steps.
    Released {
        /// The run.
        a: u32,
        /// How many ends of steps the code was given.
        seen: u32,
        /// A function was held back by a pause, and could have begun otherwise.
        #[serde(default, skip_serializing_if = "is_false")]
        ready: bool,
    },
    /// The handler ended.
    #[serde(borrow)]
    Finished(Finished<'a>),
    /// What was found out about a start whose outcome was lost (§4.5).
    #[serde(borrow)]
    Verified(Verified<'a>),
    /// A race begins.
    #[serde(borrow)]
    Race(Race<'a>),
    /// A branch of a race settled first.
    #[serde(borrow)]
    Raced(Raced<'a>),
    /// The code runs another workflow as a child.
    #[serde(borrow)]
    Invoke(Invoke<'a>),
    /// The code waits for an event.
    #[serde(borrow)]
    Wait(Wait<'a>),
    /// The code sends an event.
    #[serde(borrow)]
    Emit(Emit<'a>),
    /// Code sets search attributes.
    Search(Search),
}

/// See [`ToNode::Hello`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hello<'a> {
    /// The version of the protocol, [`crate::VERSION`].
    pub protocol: u32,
    /// The SDK and its version, such as `rust/0.1.0`.
    #[serde(borrow)]
    pub sdk: Cow<'a, str>,
    /// The app.
    #[serde(borrow)]
    pub app: Cow<'a, str>,
    /// The runner's name.
    #[serde(borrow)]
    pub runner: Cow<'a, str>,
    /// Random per process: what is fenced.
    #[serde(borrow)]
    pub instance: Cow<'a, str>,
    /// What the process was built from: another build is a reason to try blocked runs again.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Cow<'a, str>>,
    /// How many runs may have code in progress at once, 1 to 100,000.
    pub slots: u32,
    /// The bytes that the node may send before the first `credit`.
    pub credit_bytes: u64,
    /// The workflows that the runner has.
    #[serde(borrow)]
    pub workflows: Vec<Workflow<'a>>,
    /// Runs that the runner still holds from a connection before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resume: Vec<Resume>,
}

/// A workflow as its runner registers it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Workflow<'a> {
    /// Its name.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// Its version.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Cow<'a, str>>,
    /// Most time for a run's forward phase, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// A changed order of steps blocks the run (§4.10).
    #[serde(default)]
    pub strict: bool,
    /// JSON Schema of the input.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub input_schema: Option<&'a RawValue>,
    /// JSON Schema of the output.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<&'a RawValue>,
    /// How often its handler runs when it fails (§6.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Policy>,
    /// A cancelled run is cleaned up as a failed one is (§7.3).
    #[serde(default, skip_serializing_if = "is_false")]
    pub compensate_on_cancel: bool,
    /// It has a function for runs that end badly (§7.4).
    #[serde(default, skip_serializing_if = "is_false")]
    pub on_failure: bool,
    /// The events that start a run of it (§8.1).
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<Trigger<'a>>,
}

/// A run that a runner still holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resume {
    /// The run.
    pub run: RunId,
    /// The epoch of its activation.
    pub epoch: u32,
    /// The nonce of its activation.
    pub nonce: u64,
    /// How many ends of steps the runner was told.
    pub told: u32,
    /// No code of it is in progress.
    #[serde(default)]
    pub idle: bool,
}

/// What the first message about a step says of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Opening<'a> {
    /// What the step is made by.
    pub kind: Kind,
    /// How many ends of steps had been delivered to the code when it asked for the step.
    pub after: u32,
    /// When the code asked for it.
    pub ago_us: u64,
    /// Its recorded input.
    #[serde(
        borrow,
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub input: Option<&'a RawValue>,
    /// What the code says of it.
    #[serde(
        borrow,
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub metadata: Option<&'a RawValue>,
    /// Whether the step can be taken back (§7.3).
    #[serde(default, skip_serializing_if = "Compensable::is_no")]
    pub compensable: Compensable,
    /// Its function starts at most once: it is called after `begin` only (§4.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub once: Option<Once>,
    /// The branch of a race that it stands in.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<Branch<'a>>,
}

/// See [`ToNode::Started`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Started<'a> {
    /// The run.
    pub a: u32,
    /// The step.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
    /// The attempt, from 1.
    pub n: u32,
    /// When its function began.
    pub ago_us: u64,
    /// The function of the attempt before still ran.
    #[serde(default, skip_serializing_if = "is_false")]
    pub overlapped: bool,
    /// Needed where no message told of the step before.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub open: Option<Opening<'a>>,
}

/// See [`ToNode::Ended`]. Without `error` the function returned `output`, or nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ended<'a> {
    /// The run.
    pub a: u32,
    /// The step.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
    /// The attempt, from 1.
    pub n: u32,
    /// When its function began.
    pub started_ago_us: u64,
    /// When its function ended.
    pub ended_ago_us: u64,
    /// The function of the attempt before still ran.
    #[serde(default, skip_serializing_if = "is_false")]
    pub overlapped: bool,
    /// What the function returned.
    #[serde(
        borrow,
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub output: Option<&'a RawValue>,
    /// What the function threw.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure<'a>>,
    /// Trying again is of no use.
    #[serde(default, skip_serializing_if = "is_false")]
    pub terminal: bool,
    /// The attempt ran out of time.
    #[serde(default, skip_serializing_if = "is_false")]
    pub timed_out: bool,
    /// The code says how long to wait before the next attempt, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_in_ms: Option<u64>,
    /// When to try again; the default where absent. Needed with `error` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Policy>,
    /// Most time for all attempts and backoffs, in milliseconds. Needed with `error` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_timeout_ms: Option<u64>,
    /// Needed where no message told of the step before.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub open: Option<Opening<'a>>,
}

/// See [`ToNode::Sleep`]. One of `for_us` and `until_us`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sleep<'a> {
    /// The run.
    pub a: u32,
    /// The step.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
    /// How long, in microseconds from when the code asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_us: Option<u64>,
    /// Until when, in microseconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_us: Option<i64>,
    /// The step's opening, always; its input is `{"duration": …}` or `{"until": …}` (§3.4).
    #[serde(borrow)]
    pub open: Opening<'a>,
}

/// See [`ToNode::Skip`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Skip<'a> {
    /// The run.
    pub a: u32,
    /// The step.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
    /// The step's opening, always; its input is `{"reason": …}` where the code gave one.
    #[serde(borrow)]
    pub open: Opening<'a>,
}

/// See [`ToNode::Invoke`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Invoke<'a> {
    /// The run.
    pub a: u32,
    /// The step.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
    /// The step's opening, always; its input says what to run:
    /// `{"workflow": …, "app"?: …, "runner"?: …, "input"?: …, "timeoutMs"?: …}` (§3.4).
    #[serde(borrow)]
    pub open: Opening<'a>,
}

/// See [`ToNode::Dropped`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Dropped<'a> {
    /// The run.
    pub a: u32,
    /// The step.
    #[serde(borrow)]
    pub step: Cow<'a, str>,
    /// Needed where no message told of the step before.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub open: Option<Opening<'a>>,
}

/// See [`ToNode::Log`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Log<'a> {
    /// The run.
    pub a: u32,
    /// The step, absent for the handler.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Cow<'a, str>>,
    /// The lines, in order.
    #[serde(borrow)]
    pub lines: Vec<Line<'a>>,
}

/// A line of a [`Log`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Line<'a> {
    /// When it was logged.
    pub ago_us: u64,
    /// `debug`, `info`, `warn` or `error`.
    #[serde(borrow)]
    pub level: Cow<'a, str>,
    /// What it says.
    #[serde(borrow)]
    pub message: Cow<'a, str>,
}

/// See [`ToNode::Order`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Order<'a> {
    /// The run.
    pub a: u32,
    /// The step whose end was next by the journal.
    #[serde(borrow)]
    pub expected: Cow<'a, str>,
    /// The step that the code asked for.
    #[serde(borrow)]
    pub found: Cow<'a, str>,
}

/// See [`ToNode::Block`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Block<'a> {
    /// The run.
    pub a: u32,
    /// Why: `kindChanged`, `orderChanged` or `cleanUpLost`.
    #[serde(borrow)]
    pub cause: BlockCause<'a>,
}

/// See [`ToNode::Finished`]. Without `error` the handler returned `output`, or nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Finished<'a> {
    /// The run.
    pub a: u32,
    /// What the handler returned.
    #[serde(
        borrow,
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub output: Option<&'a RawValue>,
    /// Why the handler failed.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure<'a>>,
    /// The run completes, and another run of the workflow goes on with this input (§2.3).
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub continue_as: Option<ContinueAs<'a>>,
}

/// What a run goes on with as another.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContinueAs<'a> {
    /// The input of that run.
    #[serde(
        borrow,
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub input: Option<&'a RawValue>,
}

/// See [`ToNode::Search`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Search {
    /// The run.
    pub a: u32,
    /// What is set: texts, numbers, booleans; `null` takes one away.
    pub set: Change,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's skip_serializing_if gives a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}
