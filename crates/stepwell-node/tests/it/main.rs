//! The node over the store in memory, with scripted runners and a clock that is turned by hand.

// Under `cfg(test)` clippy knows that helpers of tests are tests, and may `unwrap`.
#[cfg(test)]
mod bots;
#[cfg(test)]
mod chaos;
mod children;
#[cfg(test)]
mod clean_up;
#[cfg(test)]
mod clock;
#[cfg(test)]
mod dispatch;
#[cfg(test)]
mod events;
#[cfg(test)]
mod handshake;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod import;
#[cfg(test)]
mod operate;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod remake;
#[cfg(test)]
mod restored;
mod starting;
#[cfg(test)]
mod timers;
#[cfg(test)]
mod why;
