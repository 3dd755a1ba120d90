//! The log: what is durable first.
//!
//! Batches are frames in segment files that are zero-filled once and used again and again. One
//! commit is one write and one sync. A frame tells up to which position everything was durable when
//! it was written: damage at or before that is corruption, damage behind it is a torn tail.
//!
//! | file | holds |
//! | --- | --- |
//! | `frame` | the bytes of segment headers and frames |
//! | `body`, `body_event` | a batch as bytes |
//! | `segment` | segment files: names, making, reading |
//! | `writer` | appending, poison, recycling |
//! | `recover` | reading a log back, and what is a torn tail and what is damage |

pub(crate) mod body;
mod body_event;
mod body_inbox;
pub(crate) mod frame;
pub(crate) mod recover;
mod segment;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use segment::{create_slot, name as slot_name};
pub(crate) use writer::{Log, Prepared, Settings};
