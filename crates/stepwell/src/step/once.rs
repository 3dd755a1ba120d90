//! Functions that start at most once, and what finds out how a lost start ended (§4.5).

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::call::{Callee, Calls};
use super::context::StepCtx;
use crate::error::{Error, Result};

/// What is known of a start whose outcome was lost; given by the function of
/// [`RunStep::at_most_once_verified`](super::RunStep::at_most_once_verified).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<T> {
    /// The function did what it is for, and this is its result.
    Done(T),
    /// It did not, and will not: it starts again.
    NotDone,
    /// Nobody can tell.
    Unknown,
}

/// A function together with what finds out how a lost start of it ended.
#[derive(Debug)]
pub struct Verified<C, V>(pub(crate) C, pub(crate) V);

/// A call of the one or of the other.
pub enum Either<A, B> {
    /// The function of the step.
    Function(Pin<Box<A>>),
    /// What finds out.
    Verify(Pin<Box<B>>),
}

impl<A, B, T> Future for Either<A, B>
where
    A: Future<Output = Result<T>>,
    B: Future<Output = Result<Verdict<T>>>,
{
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        match &mut *self {
            Self::Function(function) => function.as_mut().poll(cx),
            Self::Verify(verify) => verify.as_mut().poll(cx).map(|result| match result? {
                Verdict::Done(value) => Ok(value),
                Verdict::NotDone => Err(Error::verdict(stepwell_core::once::Verdict::NotDone)),
                Verdict::Unknown => Err(Error::verdict(stepwell_core::once::Verdict::Unknown)),
            }),
        }
    }
}

impl<C, V, T, W> Calls for Verified<C, V>
where
    C: Calls<Future: Future<Output = Result<T>>>,
    V: FnMut(StepCtx) -> W,
    W: Future<Output = Result<Verdict<T>>>,
{
    type Future = Either<C::Future, W>;

    fn call(&mut self, callee: Callee, step: impl FnOnce() -> StepCtx) -> Self::Future {
        match callee {
            Callee::Function => Either::Function(Box::pin(self.0.call(callee, step))),
            Callee::Verify => Either::Verify(Box::pin((self.1)(step()))),
        }
    }
}
