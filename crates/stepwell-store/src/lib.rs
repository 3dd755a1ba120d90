//! What a node asks of its store.
//!
//! A store keeps journals and answers a few questions about runs. No rule of a run lives here: the
//! rows it indexes are [`Summary`] values that the core derived.
//!
//! | module | holds |
//! | --- | --- |
//! | [`batch`] | what is written: many runs' records, made durable at once |
//! | [`query`] | what is asked: lists, queues, timers, keys |
//! | [`event`] | events: what was sent and what it did |
//! | [`inbox`] | what runs tell each other |
//! | [`backup`] | copies of a store, and stores made from one |
//! | [`bundle`] | copies of runs outside of any store |
//! | [`moving`] | all that a store holds, moved to a store of another kind |
//! | [`shared`] | stores that several nodes share: whose a run is |
//! | [`retention`] | how long ended runs are kept |
//! | [`error`] | how a store says no; retryability is in the type |
//! | [`memory`] | stores without a disk: of one node, and of several |
//! | [`rows`], [`events`] | rows of runs and events in memory, in the orders that are asked for |
//! | `conformance` | the suite for every store (feature `conformance`) |
//!
//! [`Summary`]: stepwell_core::summary::Summary

pub mod backup;
pub mod batch;
pub mod bundle;
pub mod error;
pub mod event;
pub mod events;
pub mod inbox;
pub mod memory;
pub mod moving;
pub mod query;
pub mod retention;
pub mod rows;
pub mod shared;
mod store;

#[cfg(feature = "conformance")]
pub mod conformance;

pub use error::Error;
pub use store::{Health, Position, Store};
