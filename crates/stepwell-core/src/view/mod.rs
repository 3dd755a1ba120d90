//! A run as people see it: its steps with attempts, logs and edges (semantics §3.3).
//!
//! | file | holds |
//! | --- | --- |
//! | `model` | the shape, as the API shows it |
//! | `build` | how it is made from a journal |

mod build;
mod model;

pub use model::{
    Activation, AttemptView, ChildView, Note, Paused, StepView, View, iso, iso_option,
};
