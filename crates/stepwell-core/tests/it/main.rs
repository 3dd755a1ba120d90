//! Random commands and matches against naive models, and random bytes against the decoder.

// Under `cfg(test)` clippy knows that helpers of tests are tests, and may `unwrap`.
#[cfg(test)]
mod changed;
mod damage;
#[cfg(test)]
mod matching;
#[cfg(test)]
mod matching_postgres;
#[cfg(test)]
mod model;
#[cfg(test)]
mod random;
