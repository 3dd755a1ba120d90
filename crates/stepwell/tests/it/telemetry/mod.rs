//! Telemetry of code that is not durable, against a server that takes it and is scripted (§10).

mod recording;
mod sending;
mod server;
mod spans;
mod strict;
mod wrapping;
