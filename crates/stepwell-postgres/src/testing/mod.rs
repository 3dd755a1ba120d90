//! A PostgreSQL cluster of a test's own, which ends with the test.
//!
//! | file | holds |
//! | --- | --- |
//! | `cluster` | starting one, and what ends it |
//! | `place` | schemas for tests, in such a cluster or in the database that the environment names |

mod cluster;
mod place;

pub use cluster::{Cluster, Durability};
pub use place::{Place, place};
