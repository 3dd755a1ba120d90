//! What is told of a call that failed.

use std::any::Any;
use std::borrow::Cow;
use std::fmt::{Debug, Display};
use std::panic::{AssertUnwindSafe, catch_unwind};

use stepwell_telemetry::incoming::{MESSAGE_MAX, STACK_MAX};

use super::metadata::Redaction;
use crate::error::{Error, cut_at, type_name};

/// Most bytes of a text that are looked at.
const READ_BYTES_MAX: usize = 64 * 1024;

/// An error as it is recorded, with its secrets taken out.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) name: Cow<'static, str>,
    pub(super) message: String,
    pub(super) stack: Option<String>,
}

/// Whether what `{:?}` shows of an error is recorded too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stack {
    Captured,
    #[default]
    Left,
}

impl Fault {
    /// Describes what a function returned as its error.
    pub(super) fn of<E: Display + Debug + ?Sized>(error: &E, stack: Stack) -> Self {
        let message = calm(|| error.to_string());
        let stack = match stack {
            Stack::Captured => calm(|| format!("{error:?}")),
            Stack::Left => None,
        };
        Self {
            name: Cow::Borrowed(name::<E>()),
            message: message.unwrap_or_else(|| "the error cannot be shown".into()),
            stack,
        }
    }

    /// Describes an error of which there is a text.
    pub(super) fn text(message: impl Into<String>) -> Self {
        Self { name: Cow::Borrowed("Error"), message: message.into(), stack: None }
    }

    /// Describes what a panic carried.
    pub(super) fn panic(payload: &(dyn Any + Send)) -> Self {
        let error = Error::panic(payload);
        Self {
            name: Cow::Owned(error.name().to_owned()),
            message: error.message().to_owned(),
            stack: None,
        }
    }

    /// Describes a call whose future was dropped before it had ended.
    pub(super) fn cancelled() -> Self {
        let mut fault = Self::text("the call was dropped before it ended");
        fault.name = Cow::Borrowed("Cancelled");
        fault
    }

    /// Takes secrets out, and cuts what is too long.
    pub(super) fn sealed(mut self, redaction: &Redaction) -> Self {
        // Secrets go before the cut: half of one is not known for what it is.
        let seal = |path, text, bytes_max| {
            cut_at(redaction.text(path, cut_at(text, READ_BYTES_MAX)), bytes_max)
        };
        self.message = seal("error.message", self.message, MESSAGE_MAX);
        self.stack = self.stack.map(|stack| seal("error.stack", stack, STACK_MAX));
        self
    }
}

/// Returns the name of an error's type, where that says something.
fn name<E: ?Sized>() -> &'static str {
    match type_name::<E>() {
        name if !name.starts_with(|c: char| c.is_ascii_uppercase()) => "Error",
        "Box" | "Arc" | "Rc" | "String" | "Cow" => "Error",
        name => name,
    }
}

/// Calls code that is the user's; gives nothing where it panics.
pub(super) fn calm<T>(code: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(code)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken;

    impl Display for Broken {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("no text")
        }
    }

    impl Debug for Broken {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Broken")
        }
    }

    #[test]
    fn errors_have_the_names_of_their_types() {
        let parse = "x".parse::<u8>().unwrap_err();
        assert_eq!(Fault::of(&parse, Stack::Left).name, "ParseIntError");
        let boxed: Box<dyn std::error::Error> = Box::new(parse);
        let fault = Fault::of(&boxed, Stack::Captured);
        assert_eq!(fault.name, "Error");
        assert_eq!(fault.message, "invalid digit found in string");
        assert_eq!(fault.stack.unwrap(), "ParseIntError { kind: InvalidDigit }");
        assert_eq!(Fault::of("text", Stack::Left).name, "Error");
        assert_eq!(Fault::of(&String::new(), Stack::Left).name, "Error");
    }

    #[test]
    fn an_error_that_cannot_be_shown_is_one_all_the_same() {
        let fault = Fault::of(&Broken, Stack::Captured);
        assert_eq!((&*fault.name, &*fault.message), ("Broken", "the error cannot be shown"));
        assert_eq!(fault.stack.as_deref(), Some("Broken"));
    }
}
