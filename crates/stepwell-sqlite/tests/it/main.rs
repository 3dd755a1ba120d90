//! Tests of the embedded store as its callers see it.

mod conformance;
