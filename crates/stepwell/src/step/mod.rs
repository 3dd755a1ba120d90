//! Steps, as code asks for them: futures with options, which do nothing until they are polled.
//!
//! | file | holds |
//! | --- | --- |
//! | `run` | a function whose result is saved |
//! | `call` | how that function is called |
//! | `blocking` | a function that runs on a thread of its own |
//! | `sleep`, `skip` | pauses, notes |
//! | `context` | what a function can ask for |
//! | `plan` | what steps have in common |

mod blocking;
mod call;
mod context;
mod plan;
mod run;
mod skip;
mod sleep;

pub use blocking::BlockingStep;
pub use call::{Given, Plain, With};
pub use context::StepCtx;
pub use run::RunStep;
pub use skip::SkipStep;
pub use sleep::{IntoInstant, SleepStep};
