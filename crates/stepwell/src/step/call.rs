//! How the function of a step is called.

use std::future::Future;

use super::context::StepCtx;

/// Which function of a step is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callee {
    /// That whose result is saved.
    Function,
    /// That which finds out how a lost start of it ended (§4.5).
    Verify,
}

/// Calls a step's function for an attempt.
pub trait Calls {
    /// What the function gives.
    type Future: Future;

    /// Calls it; `step` gives the attempt's context to a function that wants it.
    fn call(&mut self, callee: Callee, step: impl FnOnce() -> StepCtx) -> Self::Future;
}

/// A function without arguments.
#[derive(Debug)]
pub struct Plain<F>(pub(crate) F);

impl<F: FnMut() -> Fut, Fut: Future> Calls for Plain<F> {
    type Future = Fut;

    fn call(&mut self, _: Callee, _: impl FnOnce() -> StepCtx) -> Fut {
        (self.0)()
    }
}

/// A function that takes its attempt's context.
#[derive(Debug)]
pub struct With<F>(pub(crate) F);

impl<F: FnMut(StepCtx) -> Fut, Fut: Future> Calls for With<F> {
    type Future = Fut;

    fn call(&mut self, _: Callee, step: impl FnOnce() -> StepCtx) -> Fut {
        (self.0)(step())
    }
}

/// A function that takes the step's input.
#[derive(Debug)]
pub struct Given<F, I>(pub(crate) F, pub(crate) I);

impl<F: FnMut(I) -> Fut, I: Clone, Fut: Future> Calls for Given<F, I> {
    type Future = Fut;

    fn call(&mut self, _: Callee, _: impl FnOnce() -> StepCtx) -> Fut {
        (self.0)(self.1.clone())
    }
}
