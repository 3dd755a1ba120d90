//! Names that people choose: namespaces, apps, workflows, runners, steps, keys.

use alloc::string::{String, ToString};

/// The longest name, in bytes of UTF-8 (§2.5).
pub const BYTES_MAX: usize = 256;

/// Why a name is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name has no characters.
    #[error(
        "{what} is empty; accepted: 1 to {BYTES_MAX} bytes of UTF-8 without control characters"
    )]
    Empty {
        /// What the name is for, such as "a step id".
        what: &'static str,
    },
    /// The name is longer than [`BYTES_MAX`].
    #[error("{what} has {bytes} bytes; accepted: 1 to {BYTES_MAX} (it begins with `{begin}`)")]
    Long {
        /// What the name is for.
        what: &'static str,
        /// How long it is.
        bytes: usize,
        /// Its first characters.
        begin: String,
    },
    /// The name holds a control character.
    #[error(
        "{what} `{shown}` holds a control character; accepted: UTF-8 without control characters"
    )]
    Control {
        /// What the name is for.
        what: &'static str,
        /// The name with control characters escaped.
        shown: String,
    },
    /// The name is not of the space that it has to be of.
    #[error(
        "{what} `{shown}` is of another space; accepted: one that begins with `{space}\\u{{1f}}`"
    )]
    Space {
        /// What the name is for.
        what: &'static str,
        /// The name with control characters escaped.
        shown: String,
        /// The space.
        space: &'static str,
    },
}

/// Checks a name (§2.5): 1 to 256 bytes of UTF-8, no control characters.
///
/// # Errors
/// [`Error`] says which rule the name breaks.
pub fn check(what: &'static str, name: &str) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::Empty { what });
    }
    if name.len() > BYTES_MAX {
        let begin = name.chars().take(24).flat_map(char::escape_debug).collect();
        return Err(Error::Long { what, bytes: name.len(), begin });
    }
    if name.chars().any(char::is_control) {
        return Err(Error::Control { what, shown: name.escape_debug().to_string() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// §2.5: ids have 1 to 256 bytes and no control characters.
    #[test]
    fn names_outside_the_rule_are_refused() {
        let long = "x".repeat(257);
        for (name, word) in [("", "empty"), (long.as_str(), "257 bytes"), ("a\nb", "control")] {
            let error = check("a step id", name).unwrap_err().to_string();
            assert!(error.contains(word) && error.contains("a step id"), "{error}");
        }
        assert_eq!(check("a step id", "Prüfen & versenden ✓"), Ok(()));
        assert_eq!(check("a step id", &"x".repeat(256)), Ok(()));
    }
}
