//! The store on a real PostgreSQL: see `stepwell_postgres::testing` for where that comes from.

#![expect(clippy::unwrap_used, reason = "what does not get what it asks for fails its test")]

mod conformance;
mod connections;
mod ledger;
mod members;
mod pooler;
mod refusals;
mod tls;
