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
//! | `hot`, `defer`, `perform` | runs in memory: loading, what waits for that, applying, dropping; what follows from a command |
//! | `session`, `registry` | connections of runners: grants, slots; the workflows that they registered |
//! | `handshake`, `worker`, `said`, `told_events`, `activation` | what runners say, and what they are given |
//! | `dispatch`, `need` | queues, slots, fairness, lone runs, and what runs need of a runner |
//! | `children`, `inbox` | runs that runs start; what runs tell each other |
//! | `timers` | near timers; the far ones stay in the store |
//! | `api`, `begin`, `ends` | starts, cancels, waits for ends |
//! | `remake` | resolving steps, reruns, forks |
//! | `import` | copies of runs from elsewhere |
//! | `events`, `single`, `route`, `trigger`, `look`, `sweep` | events: accepting, for one wait, routing, what they start, looking back |
//! | `question` | what is asked of the store about events |
//! | `meter` | what is counted by workflow |
//! | `why` | why a run is not moving |
//! | `sharing`, `claim`, `elsewhere`, `ask`, `enquiry` | stores with several nodes: polls, claims, runs that are elsewhere, what is asked of them |
//! | `recovery` | runs whose runner is away: resume or loss |

mod activation;
mod api;
mod ask;
mod begin;
mod children;
mod claim;
mod commit;
mod defer;
mod dispatch;
mod elsewhere;
mod ends;
mod enquiry;
mod events;
mod handshake;
mod hot;
mod import;
mod inbox;
mod input;
mod look;
mod meter;
mod need;
mod node;
mod output;
mod perform;
mod question;
mod recovery;
mod registry;
mod remake;
mod route;
mod said;
mod session;
mod sharing;
mod single;
mod sweep;
mod timers;
mod told_events;
mod trigger;
mod why;
mod worker;

pub use activation::messages as activation_messages;
pub use enquiry::{Enquiry, Finding};
pub use import::{ImportRequest, Taken};
pub use input::{
    About, Begin, Input, Now, RequestId, SendRequest, SessionId, Signed, StartRequest,
};
pub use meter::{APPS_MAX, Crew, Measures, OTHER, WORKFLOWS_MAX, WorkflowMeter};
pub use node::{Config, Node, Restored};
pub use output::{ApiError, EndedRun, Output, Outputs, Reply, RunnerInfo, Sent, Stats};
pub use question::{Answer, Look, Question};
pub use remake::{ForkAt, ForkRequest, Known, ResolveRequest};
pub use why::{Behind, Cause, Why, awaited_child, held_back, why};
