//! A run: its state, and the commands on it.
//!
//! State changes only by records: every command pushes records, and each record is folded into the
//! state as it is pushed. So `fold(records) == state` holds by construction, and loading a run is
//! the same fold over its stored journal.
//!
//! | file | holds |
//! | --- | --- |
//! | `state` | the state and its questions |
//! | `fold` | what each record does to the state; replay of a journal |
//! | `command`, `act` | commands, what runners say, effects, rejections, and the one entrance [`Run::apply`] |
//! | `start`, `activation`, `step`, `child`, `timer`, `ending`, `clean_up`, `retried`, `operate`, `once`, `race`, `wait` | the commands, by what they are about |
//! | `fork` | new runs out of others |
//! | `import` | copies of runs from elsewhere |
//! | `index` | positions of steps by their ids |

mod act;
mod activation;
mod child;
mod clean_up;
mod command;
mod ending;
mod fold;
mod fork;
mod import;
mod index;
mod once;
mod operate;
mod race;
mod retried;
mod start;
mod state;
mod step;
#[cfg(test)]
mod tests;
mod timer;
mod wait;

pub use act::{Act, AttemptError, EndStep, Finish, SleepStep, StartStep, Then};
pub use child::{Child, ChildEnded, InvokeStep};
pub use clean_up::{Decided, Plan};
pub use command::{Activate, Command, Effect, Env, Operate, Outcome, Rejection};
pub use fold::ReplayError;
pub use fork::{Fork, ForkError, From};
pub use import::{Import, ImportError, Unfinished, flat};
pub use once::{Resolution, Resolve, VerifyStep};
pub use race::EndRace;
pub use retried::is_kept;
pub use start::{Origin, Start};
pub use state::{Activation, Paused, Phase, Run, Step};
pub use wait::{Deliver, EmitStep, Parked, Since, VALUE_BYTES_MAX, WaitStep};
