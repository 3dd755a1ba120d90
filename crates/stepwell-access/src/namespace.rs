//! Namespaces: what belongs to one is not there for the keys of another.

use std::sync::Arc;

use stepwell_core::time::Timestamp;

/// The namespace that is always there. Its admins administer the server.
pub const DEFAULT: &str = "default";

/// The longest name of a namespace, in bytes.
pub const NAME_BYTES_MAX: usize = 64;

/// A namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// Its name, see [`check_name`].
    pub name: Arc<str>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The name of the key that made it.
    pub created_by: String,
    /// When it was deleted with runs still in it. No key of it is live from then on, and the name
    /// becomes free once the last of its runs is gone.
    pub closed_at: Option<Timestamp>,
}

/// The name is not one of a namespace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{shown}` is not the name of a namespace; accepted: 1 to {NAME_BYTES_MAX} of a-z, 0-9, `-`, `_` \
     and `.`, the first of them a letter or digit"
)]
pub struct BadName {
    shown: String,
}

/// Checks the name of a namespace: it stands in addresses, commands and logs as it is.
///
/// # Errors
/// [`BadName`].
pub fn check_name(name: &str) -> Result<(), BadName> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let fits = name.len() <= NAME_BYTES_MAX
        && name.bytes().next().is_some_and(plain)
        && name.bytes().all(|byte| plain(byte) || matches!(byte, b'-' | b'_' | b'.'));
    if fits { Ok(()) } else { Err(BadName { shown: name.escape_debug().take(100).collect() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for name in ["default", "a", "7", "shop-eu.test_2", &"x".repeat(64)] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in ["", "-a", ".", "..", "A", "a b", "a/b", "ä", "a\u{1f}b", &"x".repeat(65)] {
            assert!(check_name(name).unwrap_err().to_string().contains("accepted"), "{name}");
        }
    }
}
