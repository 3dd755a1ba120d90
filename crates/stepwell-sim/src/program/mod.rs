//! Programs: what the workflows of a simulation do.
//!
//! A run's input names its program by a number and a profile; every runner makes the same program of
//! them. Programs are run by an interpreter ([`Shape`] is looked at again after each delivery) and by
//! real async code over the SDK.
//!
//! | file | holds |
//! | --- | --- |
//! | `shape` | what a program is made of, and what it asks for at each point |
//! | `make` | making one from numbers |
//! | `saga` | workflows that say how their runs end |
//! | `input` | a run's input, which names its program |

mod input;
mod make;
mod saga;
mod shape;

pub use input::{Input, Profile};
pub use saga::Saga;
pub use shape::{
    Awaited, Delivered, Function, Look, Program, Shape, Since, Step, Topic, Try, TryEnd, Undo, What,
};
