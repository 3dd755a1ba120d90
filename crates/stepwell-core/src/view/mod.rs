//! A run as people see it: its steps with attempts, logs and edges (semantics §3.3).
//!
//! | file | holds |
//! | --- | --- |
//! | `model` | the shape, as the API shows it |
//! | `clean_up` | what is shown of a clean-up |
//! | `words` | the same in the words of other systems |
//! | `build` | how it is made from a journal |

mod build;
mod clean_up;
mod model;
mod words;

pub use model::{
    Activation, AttemptView, ChildView, CleanUpView, CompensationView, Note, Paused, StepView,
    View, iso, iso_option,
};
