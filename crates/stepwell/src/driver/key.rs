//! The key that a program shows to a server.

use std::ffi::OsString;
use std::fmt;

use hyper::header::HeaderValue;

use crate::error::{Error, Result};

/// The variable of the environment with the key of programs that name none.
const VARIABLE: &str = "STEPWELL_KEY";

/// Most bytes of a key: a server takes some kilobytes of headers altogether.
const BYTES_MAX: usize = 512;

const ACCEPTED: &str = "accepted: one as the server made it, such as sw_4hx2…";

/// A key as it is sent. Its text is in no message, and not in what `{:?}` shows.
#[derive(Clone)]
pub(crate) struct Key(HeaderValue);

impl Key {
    /// Takes the key that the program gives, else that of the environment, if there is one.
    ///
    /// # Errors
    /// [`Argument`](crate::ErrorKind::Argument) when it cannot be a key.
    pub(super) fn find(given: Option<&str>) -> Result<Option<Self>> {
        match given {
            Some(text) => Self::parse("the option `key`", text).map(Some),
            None => Self::of_variable(std::env::var_os(VARIABLE)),
        }
    }

    /// A variable that is empty is one that is not set: files of deployments have such.
    fn of_variable(value: Option<OsString>) -> Result<Option<Self>> {
        let Some(value) = value.filter(|value| !value.is_empty()) else { return Ok(None) };
        let text = value.to_str().ok_or_else(|| refused(VARIABLE, "is not Unicode"))?;
        Self::parse(VARIABLE, text).map(Some)
    }

    /// Whether it is a key that the server knows is the server's to say.
    fn parse(place: &str, text: &str) -> Result<Self> {
        // What is read from a file ends with a line break.
        let text = text.trim_ascii();
        if text.is_empty() {
            return Err(refused(place, "is empty"));
        }
        if text.len() > BYTES_MAX {
            return Err(refused(place, &format!("has {} bytes", text.len())));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(refused(place, "holds what is no letter, digit or sign of ASCII"));
        }
        let header = HeaderValue::try_from(format!("Bearer {text}"));
        let mut header = header.map_err(|_| refused(place, "cannot be sent"))?;
        header.set_sensitive(true);
        Ok(Self(header))
    }

    /// Returns the value of the header `Authorization` (RFC 6750 §2.1).
    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// Says what is wrong, and never what the key is.
fn refused(place: &str, why: &str) -> Error {
    Error::argument(format!("{place} {why}; {ACCEPTED}"))
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_taken_without_the_space_around_it_and_not_shown() {
        let key = Key::find(Some(" sw_abc_def\n")).unwrap().unwrap();
        assert_eq!(key.header(), "Bearer sw_abc_def");
        let shown = format!("{key:?} {:?}", key.header());
        assert!(!shown.contains("abc"), "{shown}");
    }

    #[test]
    fn the_variable_may_be_absent_or_empty() {
        assert!(Key::of_variable(None).unwrap().is_none());
        assert!(Key::of_variable(Some("".into())).unwrap().is_none());
        let key = Key::of_variable(Some("sw_a\n".into())).unwrap().unwrap();
        assert_eq!(key.header(), "Bearer sw_a");
    }

    #[test]
    fn what_cannot_be_a_key_is_refused_without_being_shown() {
        for (text, why) in [
            ("", "empty"),
            (" \n", "empty"),
            ("sw_se cret", "no letter"),
            ("sw_secret\r\nx: y", "no letter"),
            ("sw_secrét", "no letter"),
            (&"secret".repeat(100), "600 bytes"),
        ] {
            let error = Key::find(Some(text)).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Argument);
            assert!(error.message().contains(why), "{error}");
            assert!(error.message().contains("accepted") && !error.message().contains("secr"));
        }
    }
}
