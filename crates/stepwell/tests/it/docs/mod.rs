//! What the pages in `docs/` show in Rust, compiled, and run where they say what comes out.
//!
//! A tidy test of `stepwell-sim` looks for each block of a page in these files (or in an example), line
//! by line but for its indentation: who changes a page changes the block here, and the other way round.

#![expect(clippy::unused_async, reason = "what stands for the world outside awaits nothing")]

mod coming_from;
mod deploying;
mod errors;
mod events;
mod once;
mod quickstart;
mod sagas;
mod starting;
mod steps;
mod telemetry;
mod testing;
mod waits;
mod world;
