//! What a run does. The client draws it and gives it to the run as its input.

mod draw;
mod shape;

pub use shape::{Fate, How, Letter, Part, Plan, Starts, WORKFLOWS, Wait, Work, retries};
