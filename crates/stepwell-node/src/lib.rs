//! The node: everything between sockets and the store, without either.
//!
//! [`Node::handle`] takes an [`Input`] and the time, and adds to [`Outputs`]; [`Node::flush`] closes
//! the open batch. Nothing here reads a clock, waits, or performs IO, so the same object runs under
//! a server and in the simulator.
//!
//! What a command makes happen outside (answers, messages, dispatches) hangs on the batch that holds
//! its records, and leaves the node only when that batch is committed.
//!
//! | file | holds |
//! | --- | --- |
//! | `input`, `output` | what goes in and comes out |
//! | `node` | the object, its entrance, bounded work |
//! | `commit` | the open batch and the effects that hang on batches |
//! | `hot` | runs in memory: loading, applying, dropping |
//! | `session` | connections of runners: grants, slots, registry |
//! | `handshake`, `worker`, `activation` | what runners say, and what they are given |
//! | `dispatch`, `need` | queues, slots, fairness, lone runs, and what runs need of a runner |
//! | `children`, `inbox` | runs that runs start; what runs tell each other |
//! | `timers` | near timers; the far ones stay in the store |
//! | `api` | starts, cancels, waits |
//! | `why` | why a run is not moving |
//! | `recovery` | runs whose runner is away: resume or loss |

mod activation;
mod api;
mod children;
mod commit;
mod dispatch;
mod handshake;
mod hot;
mod inbox;
mod input;
mod need;
mod node;
mod output;
mod recovery;
mod session;
mod timers;
mod why;
mod worker;

pub use activation::messages as activation_messages;
pub use input::{About, Begin, Input, Now, RequestId, SessionId, Signed, StartRequest};
pub use node::{Config, Node};
pub use output::{ApiError, EndedRun, Output, Outputs, Reply, RunnerInfo, Stats};
pub use why::{Behind, Cause, Why, awaited_child, why};
