//! A server in this process, requests to it, and a runner that does what a test says.

mod cli;
mod collector;
mod described;
mod http;
mod runner;
mod server;

pub(crate) use cli::{out, stepwell};
pub(crate) use collector::{Behaviour, Collector, attribute};
pub(crate) use http::{Answer, exchange, get, post, request, status};
pub(crate) use runner::Runner;
pub(crate) use server::{FaultyStore, config, redacted, server, server_on};
