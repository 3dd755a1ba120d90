//! The rules of a durable run, as a pure state machine.
//!
//! One function family takes a run's state and a command and yields *records* to write and
//! *effects* to perform once the records are durable. Nothing here reads a clock, draws a random
//! number, allocates a thread or touches IO: time and entropy are arguments.
//!
//! | module | holds |
//! | --- | --- |
//! | [`record`] | what a journal is made of, and its encoding |
//! | [`run`] | the state of a run (the fold of its records) and the commands on it |
//! | [`operation`] | what operators do to a run |
//! | [`clean_up`] | what is left to do when a run ends badly |
//! | [`once`] | steps whose function must not run twice |
//! | [`summary`], [`wait`] | the rows that lists, queues and waits are made of, derived from the state |
//! | [`view`] | a run as people see it: steps, attempts, logs, edges |
//! | [`matching`] | which waits and triggers an event concerns |
//! | [`derive`] | ids that follow from others |
//! | [`planted`] | bugs that the simulator plants, in builds for that only |
//! | [`trace`] | where a start stands in a trace of its caller |
//! | [`search`] | attributes that runs are found by |
//! | [`retry`], [`duration`], [`limits`], [`name`], [`payload`], [`time`] | the small rules |
//!
//! ```
//! use stepwell_core::{duration, time::Timestamp};
//!
//! let wake = Timestamp::from_millis(0).after(duration::parse("1d12h")?);
//! assert_eq!(wake.to_string(), "1970-01-02T12:00:00.000000Z");
//! # Ok::<(), duration::ParseError>(())
//! ```
#![no_std]
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::wildcard_enum_match_arm))]

extern crate alloc;

mod block;
mod branch;
pub mod clean_up;
pub mod code;
pub mod derive;
pub mod duration;
pub mod failure;
pub mod id;
pub mod limits;
pub mod matching;
pub mod name;
pub mod once;
pub mod operation;
mod origin;
pub mod payload;
pub mod planted;
pub mod record;
pub mod retry;
pub mod run;
pub mod search;
pub mod status;
pub mod step_id;
pub mod summary;
pub mod time;
pub mod trace;
pub mod view;
pub mod wait;
