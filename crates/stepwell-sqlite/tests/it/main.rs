//! Tests of the embedded store as its callers see it.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking, also in their helpers")]

mod backup;
mod conformance;
mod crash;
mod deletes;
mod folder;
mod formats;
mod ledger;
mod observed;
mod trace;
mod upgrade;
