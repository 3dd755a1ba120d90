//! The wire format of version 1, and what is not of it.

// Under `cfg(test)` clippy knows that helpers of tests are tests, and may `unwrap`.
#[cfg(test)]
mod messages;
#[cfg(test)]
mod refusals;
