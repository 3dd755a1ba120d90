//! Checks of the project on itself, and the simulator's own tests.

// Under `cfg(test)` clippy knows that helpers of tests are tests, and may `unwrap`.
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tidy;
