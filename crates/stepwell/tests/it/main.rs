//! The SDK against a scripted node, on a virtual clock; and its driver against a WebSocket.

#![expect(clippy::unwrap_used, clippy::needless_pass_by_value, reason = "tests read better so")]

mod branches;
mod children;
mod clean_up;
mod client;
mod crashes;
mod docs;
mod driver;
mod embedded;
mod encrypted;
mod ending;
mod events;
mod in_process;
mod keys;
mod names;
mod nodes;
mod once;
mod pause;
mod races;
mod replay;
mod rewritten;
mod steps;
mod telemetry;
mod together;
mod vectors;
mod world;
