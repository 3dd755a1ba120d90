//! Steps, as code asks for them: futures with options, which do nothing until they are polled.
//!
//! | file | holds |
//! | --- | --- |
//! | `run` | a function whose result is saved |
//! | `call` | how that function is called |
//! | `blocking` | a function that runs on a thread of its own |
//! | `once` | functions that start at most once |
//! | `race` | branches of which the first to settle wins |
//! | `sleep`, `skip`, `invoke` | pauses, notes, children |
//! | `wait`, `emit` | waits for events, events that a run sends |
//! | `context` | what a function can ask for |
//! | `plan` | what steps have in common |
//! | `seen`, `unseen` | where tests see functions begin and end, and stand in for them |

mod blocking;
mod call;
mod context;
mod emit;
mod invoke;
mod once;
mod plan;
mod race;
mod run;
#[cfg(feature = "test")]
mod seen;
mod skip;
mod sleep;
#[cfg(not(feature = "test"))]
mod unseen;
mod wait;

#[cfg(not(feature = "test"))]
use unseen as seen;

pub use blocking::BlockingStep;
pub use call::{Given, Plain, With};
pub use context::StepCtx;
pub use emit::EmitStep;
pub use invoke::InvokeStep;
pub use once::{Verdict, Verified};
pub use race::{RaceStep, Won};
pub use run::RunStep;
pub use skip::SkipStep;
pub use sleep::{IntoInstant, SleepStep};
pub use wait::{OnTimeout, Since, WaitStep};
