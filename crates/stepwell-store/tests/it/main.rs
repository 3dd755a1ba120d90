//! Tests of the store in memory and of the suite itself.

mod conformance;
mod shared;
