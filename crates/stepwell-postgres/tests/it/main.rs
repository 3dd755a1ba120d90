//! The store on a real PostgreSQL: see `stepwell_postgres::testing` for where that comes from.

mod conformance;
mod ledger;
