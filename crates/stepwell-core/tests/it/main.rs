//! Random commands against a naive model, and random bytes against the decoder.

// Under `cfg(test)` clippy knows that helpers of tests are tests, and may `unwrap`.
#[cfg(test)]
mod damage;
#[cfg(test)]
mod model;
#[cfg(test)]
mod random;
