//! Observed runs (§10): what code that is not durable tells of itself, and what it adds up to.
//!
//! A client sends events: a call of a step began, ended, or was left out. The record of a run is a function of the
//! *set* of its events, so that order, repetition and lateness of their arrival change nothing (§10.4). Nobody ends an
//! observed run: its status is computed from its record, what is declared of its flow, and the time (§10.5).
//!
//! | module | holds |
//! | --- | --- |
//! | [`event`] | one event and its encoding |
//! | [`incoming`] | events as clients send them: read, checked, redacted |
//! | [`batch`] | events of many runs on their way into a store |
//! | [`set`] | the set of events of a run |
//! | [`record`] | steps and attempts, which a set adds up to |
//! | [`flow`], [`file`] | what is declared of a flow, and the file in which it stands |
//! | [`learn`] | a flow as its runs show it |
//! | [`status`] | status of runs and steps at an instant |
//! | [`row`] | what lists are made of |
//! | [`tally`] | what a run adds to statistics |
//! | [`fingerprint`] | which errors are the same |
//! | [`redact`] | what is taken out of metadata and texts |
//! | [`view`] | a run and a flow as people see them |
//! | [`keep`] | what keeps all this |
//!
//! Nothing here reads a clock or touches IO.

pub mod batch;
pub mod event;
pub mod file;
pub mod fingerprint;
pub mod flow;
pub mod incoming;
pub mod keep;
pub mod learn;
pub mod record;
pub mod redact;
pub mod row;
pub mod set;
pub mod status;
pub mod tally;
#[cfg(test)]
mod testing;
pub mod view;
