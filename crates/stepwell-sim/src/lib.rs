//! Deterministic simulation of Stepwell, and the checks on its own source.
