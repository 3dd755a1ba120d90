//! The server as a whole: real sockets on loopback, a scripted runner, the memory and the embedded
//! store.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod access;
mod api;
mod backup;
mod backup_load;
mod bad_inputs;
mod bulk;
mod bundles;
mod cli;
mod delete;
mod dialects;
mod disk_full;
mod doctor;
mod doctor_database;
mod formats;
mod gate;
mod held;
mod history;
mod lists;
mod mcp;
mod metrics;
mod migrate;
mod monitoring;
mod nodes;
mod observed;
mod paging;
mod postgres;
mod process;
mod recovery;
mod reload;
mod repeated;
mod request_ids;
mod retention;
mod rules;
mod sdk;
mod stop;
mod stream;
mod support;
mod traces;
mod worker;
