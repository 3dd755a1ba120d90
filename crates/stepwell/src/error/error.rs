//! The error type of workflows, steps and clients.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use stepwell_core::failure::Failure;
use stepwell_core::id::RunId;
use stepwell_core::once::Verdict;

use super::cause::{Cause, cut};
use super::kind::ErrorKind;
use crate::duration::IntoDuration;

/// The result of workflows, steps and clients.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong in a workflow, a step or a client.
///
/// Any [`std::error::Error`] becomes one with `?`; in a step's function that means: try again (§6.1).
/// [`Error::terminal`] stops at once, [`Error::retry_after`] says when to try again (§6.2). What a
/// step throws in the end is of kind [`ErrorKind::Step`] or [`ErrorKind::StepTimeout`].
///
/// ```
/// use stepwell::{Error, ErrorKind, Result};
///
/// fn cents(text: &str) -> Result<u32> {
///     let cents: u32 = text.parse()?;
///     if cents == 0 {
///         return Err(Error::terminal("the amount is zero"));
///     }
///     Ok(cents)
/// }
///
/// let error = cents("ten").unwrap_err();
/// assert_eq!((error.kind(), error.name()), (ErrorKind::Other, "ParseIntError"));
/// assert_eq!(cents("0").unwrap_err().kind(), ErrorKind::NonRetryable);
/// ```
pub struct Error(pub(super) Box<Inner>);

pub(super) struct Inner {
    pub(super) kind: ErrorKind,
    pub(super) name: Cow<'static, str>,
    pub(super) message: String,
    pub(super) step: Option<(Arc<str>, u32)>,
    pub(super) cause: Option<Cause>,
    pub(super) after: Option<Duration>,
    pub(super) path: Option<String>,
    pub(super) code: Option<String>,
    /// What was found out about a start, which is no failure (§4.5).
    pub(super) verdict: Option<Verdict>,
    pub(super) source: Option<Box<dyn StdError + Send + Sync>>,
    pub(super) run: Option<RunId>,
    /// Of [`ErrorKind::ContinueAs`]: the input of the run that goes on.
    pub(super) input: Option<Box<RawValue>>,
}

impl Error {
    /// Makes an error from a text or an error; a step that ends with it is tried again.
    pub fn new(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::wrap(ErrorKind::Other, error.into())
    }

    /// Makes an error from a text or an error that stops a step's attempts at once (§6.2).
    pub fn terminal(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::wrap(ErrorKind::NonRetryable, error.into())
    }

    /// Makes an error that sets the step's next attempt (§6.2). [`Error::because`] says why.
    ///
    /// A text that is not a duration gives an error of kind [`ErrorKind::Argument`] instead.
    pub fn retry_after(after: impl IntoDuration) -> Self {
        match after.into_duration() {
            Ok(after) => {
                let message = format!("to be tried again in {after:?}");
                let mut error = Self::of(ErrorKind::RetryAfter, message);
                error.0.after = Some(after);
                error
            }
            Err(error) => error,
        }
    }

    /// Replaces the message by that of a text or an error, which also becomes the source.
    #[must_use]
    pub fn because(mut self, error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let error = error.into();
        self.0.message = cut(error.to_string());
        self.0.cause = Cause::behind(&*error);
        self.0.source = Some(error);
        self
    }

    /// Replaces the name under which the error is recorded, for errors that are made from texts.
    #[must_use]
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.0.name = name.into();
        self
    }

    /// Returns what sort of error it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the name under which it is recorded: one of §6.7, or that of its type.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Returns what went wrong.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the step that failed.
    pub fn step_id(&self) -> Option<&str> {
        self.0.step.as_ref().map(|(step, _)| &**step)
    }

    /// Returns how many attempts of the step were recorded.
    pub fn attempts(&self) -> Option<u32> {
        self.0.step.as_ref().map(|(_, attempts)| *attempts)
    }

    /// Returns the recorded error behind this one: of a step its last attempt's, of a run its own.
    pub fn cause(&self) -> Option<&Cause> {
        self.0.cause.as_ref()
    }

    /// Returns the child run that failed (§9.3), where one was started.
    pub fn run_id(&self) -> Option<RunId> {
        self.0.run
    }

    /// Returns how long to wait before the next attempt.
    pub fn retries_after(&self) -> Option<Duration> {
        self.0.after
    }

    /// Returns the place inside a value that is not JSON, such as `$.items[2].price`.
    pub fn path(&self) -> Option<&str> {
        self.0.path.as_deref()
    }

    /// Returns the stable code of a server's answer, such as `SW2001`.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Returns the error that this one was made from, where it was made in this process.
    pub fn source(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.0.source.as_deref()
    }

    /// Returns the page in the project's documents that explains the error.
    pub fn docs(&self) -> &'static str {
        self.0.kind.docs()
    }

    pub(super) fn of(kind: ErrorKind, message: String) -> Self {
        Self(Box::new(Inner {
            kind,
            name: Cow::Borrowed(kind.name()),
            message: cut(message),
            step: None,
            cause: None,
            after: None,
            path: None,
            code: None,
            verdict: None,
            source: None,
            run: None,
            input: None,
        }))
    }

    pub(super) fn wrap(kind: ErrorKind, source: Box<dyn StdError + Send + Sync>) -> Self {
        let mut error = Self::of(kind, source.to_string());
        error.0.cause = Cause::behind(&*source);
        error.0.source = Some(source);
        error
    }

    /// Returns the error as it is recorded and sent.
    pub(crate) fn to_failure(&self) -> Failure<'static> {
        Failure {
            name: self.0.name.clone(),
            message: Cow::Owned(self.0.message.clone()),
            stack: None,
            cause: self.0.cause.as_ref().and_then(Cause::to_raw),
            run: self.0.run,
        }
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        Self::wrap(ErrorKind::Other, Box::new(error)).named(type_name::<E>())
    }
}

/// Returns the last part of a type's path, without parameters.
pub(crate) fn type_name<T: ?Sized>() -> &'static str {
    let path = std::any::type_name::<T>();
    let path = path.split('<').next().unwrap_or(path);
    path.rsplit("::").next().unwrap_or(path)
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

/// Shows the error for people, since `main` shows it so.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.code {
            Some(code) => write!(f, "{} ({code}): {}", self.0.name, self.0.message)?,
            None => write!(f, "{}: {}", self.0.name, self.0.message)?,
        }
        let mut next = self.0.cause.as_ref();
        while let Some(cause) = next {
            write!(f, "\n  caused by {cause}")?;
            next = cause.cause.as_deref();
        }
        Ok(())
    }
}

/// An [`Error`] for interfaces that want a standard one.
#[derive(Debug)]
struct Standard(Error);

impl fmt::Display for Standard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl StdError for Standard {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.cause().map(|cause| cause as _)
    }
}

impl From<Error> for Box<dyn StdError + Send + Sync> {
    fn from(error: Error) -> Self {
        Box::new(Standard(error))
    }
}

impl From<Error> for Box<dyn StdError> {
    fn from(error: Error) -> Self {
        Box::new(Standard(error))
    }
}
