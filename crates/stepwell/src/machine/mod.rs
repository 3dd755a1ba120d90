//! A run in this process: what its code has asked for, and what the engine has told of it.
//!
//! Nothing here reads a clock or touches a socket. The code of a run and the session that talks to
//! the node meet in a [`Cell`]: code asks for steps there, the session applies messages there, and
//! what is to be said to the node is put into the session's [`Link`](crate::session::Link).
//!
//! | file | holds |
//! | --- | --- |
//! | `state` | the state of a run and its steps |
//! | `cell` | the place where code and session meet; wake-ups |
//! | `index` | steps by their ids |
//! | `ask` | code asks for a step |
//! | `turn` | a step's future asks what to do; code drops a step |
//! | `attempt` | attempts begin, end, run out of time |
//! | `once` | functions that start at most once (§4.5) |
//! | `race` | branches of races (§5.5) |
//! | `search` | code sets search attributes (§9.4) |
//! | `deliver` | ends of steps reach the code, one at a time, in the recorded order (§5.4) |
//! | `arrive` | what the node says of the run |
//! | `clean` | a run that is given out for its clean-up |
//! | `events` | what waits and events are told with |
//! | `time` | deadlines |
//! | `rest` | when a run has nothing to do, and what is done then |
//! | `flush`, `message` | what the node is told, and how it is written |
//! | `inside` | whether a step's function is being polled on this thread |
//! | `run` | the future that polls the handler |

mod arrive;
mod ask;
mod attempt;
mod cell;
mod clean;
mod deliver;
mod events;
mod flush;
mod index;
mod inside;
mod line;
mod message;
mod once;
mod race;
mod rest;
mod run;
mod search;
mod state;
mod time;
mod turn;

pub(crate) use ask::Ask;
pub(crate) use cell::{Cell, Info};
pub(crate) use clean::{Clean, CleanUp, Undoes, Undoing};
pub(crate) use events::{EmitAsk, EventAsk, Given, WaitAsk};
pub(crate) use inside::{Inside, inside};
pub(crate) use line::Level;
pub(crate) use race::{Lane, Racing, value_of};
pub(crate) use run::HandlerFuture;
pub use run::Run;
pub(crate) use state::{Details, End, Outcome, Until};
pub(crate) use turn::Turn;
