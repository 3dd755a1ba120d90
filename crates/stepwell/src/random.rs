//! Names that nobody else draws.

use std::hash::{BuildHasher, RandomState};

/// Draws 128 bits from the operating system, by way of the standard library, as 32 hexadecimal digits.
pub(crate) fn name() -> String {
    let random = || RandomState::new().hash_one(0);
    format!("{:016x}{:016x}", random(), random())
}
