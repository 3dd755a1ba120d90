//! The chain of errors behind an error, as it is recorded.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use serde_json::value::RawValue;
use stepwell_core::failure::Failure;

/// Longest chain that is recorded.
const DEPTH_MAX: usize = 8;
/// Longest message and longest cause that are recorded, in bytes: an error with its whole chain
/// stays below the room that a frame has beside a payload.
const TEXT_BYTES_MAX: usize = 4 * 1024;

/// An error as it was recorded: its name, what went wrong, and the error behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The error's name: one of §6.7, or the name of its type.
    pub name: String,
    /// What went wrong.
    pub message: String,
    /// The error behind this one.
    pub cause: Option<Box<Self>>,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.message)
    }
}

impl StdError for Cause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

impl Cause {
    pub(crate) fn of_failure(failure: &Failure<'_>) -> Self {
        let behind = failure.cause.as_ref();
        let behind = behind.and_then(|raw| serde_json::from_str::<Failure<'_>>(raw.get()).ok());
        Self {
            name: failure.name.clone().into_owned(),
            message: failure.message.clone().into_owned(),
            cause: behind.map(|failure| Box::new(Self::of_failure(&failure))),
        }
    }

    /// Takes down what stands behind an error, without the error itself.
    pub(crate) fn behind(error: &(dyn StdError + 'static)) -> Option<Self> {
        let mut texts = Vec::new();
        let mut next = error.source();
        while let Some(error) = next.filter(|_| texts.len() < DEPTH_MAX) {
            texts.push(cut(error.to_string()));
            next = error.source();
        }
        // A `dyn Error` does not tell the name of its type.
        texts.into_iter().rev().fold(None, |cause, message| {
            Some(Self { name: "Error".into(), message, cause: cause.map(Box::new) })
        })
    }

    /// Returns the cause as the JSON that stands in a failure.
    pub(crate) fn to_raw(&self) -> Option<Box<RawValue>> {
        serde_json::value::to_raw_value(&self.to_failure()).ok()
    }

    fn to_failure(&self) -> Failure<'_> {
        Failure {
            name: Cow::Borrowed(&self.name),
            message: Cow::Borrowed(&self.message),
            stack: None,
            cause: self.cause.as_deref().and_then(Self::to_raw),
            run: None,
        }
    }
}

/// Cuts a text that is too long to be recorded.
pub(crate) fn cut(text: String) -> String {
    cut_at(text, TEXT_BYTES_MAX)
}

/// Cuts a text to so many bytes, at the end of a character.
pub(crate) fn cut_at(mut text: String, bytes_max: usize) -> String {
    if text.len() > bytes_max {
        let mut end = bytes_max;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}
