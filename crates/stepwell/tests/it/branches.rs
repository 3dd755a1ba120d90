//! Branches.
