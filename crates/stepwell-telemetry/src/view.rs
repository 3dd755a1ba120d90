//! A run as people see it: its record, what is declared of its flow, and the time, in the words of the API.

mod run;
mod step;
mod why;
mod words;

pub use run::{RunView, run};
pub use step::{AttemptView, ErrorView, StepStatus, StepView};

use serde::Serialize;

/// Milliseconds, with a fraction.
fn ms(duration: std::time::Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// A pair of keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edge(pub String, pub String);

#[cfg(test)]
mod tests;
