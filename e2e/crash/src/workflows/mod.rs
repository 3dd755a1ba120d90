//! The workflows: they play the plan that they are given, and note what happens.

mod app;
mod bank;
mod call;
mod player;
mod world;

pub use app::app;
pub use world::World;

/// The event that waits of plans wait for.
pub const GO: &str = "crash.go";

/// The event that starts runs of [`ECHO`].
pub const SAY: &str = "crash.say";

/// The workflow that events start.
pub const ECHO: &str = "echo";
