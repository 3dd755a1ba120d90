//! A client of the server's HTTP API that shares no code with the project's own.
//!
//! What it takes for an answer is a whole answer: one that was cut off by a crash is none.

mod api;
mod http;

pub use api::{Api, Event, Failure, ReadRun, Started};
