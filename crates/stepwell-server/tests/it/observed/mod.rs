//! Observed runs, from the request with their events to what people see.

mod cli;
mod client;
mod ingest;
mod kept;
mod lists;
mod runs;
mod secrets;
mod sent;
mod words;
