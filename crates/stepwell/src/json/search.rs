//! Search attributes (§9.4), as code gives them.

use serde::Serialize;
use stepwell_core::search::Change;

use crate::error::{Error, Result};

/// Reads attributes: texts, numbers, booleans, and nothing to take one away.
///
/// # Errors
/// `Argument` when a value is something else.
pub(crate) fn search<K: Into<String>, V: Serialize>(
    attributes: impl IntoIterator<Item = (K, V)>,
) -> Result<Change> {
    let read = |(name, value): (K, V)| {
        let name = name.into();
        let value = serde_json::to_value(&value).and_then(serde_json::from_value);
        let value = value.map_err(|_| {
            let text = format!(
                "the search attribute `{name}` is no text, number or boolean, and not `None`"
            );
            Error::argument(text)
        })?;
        Ok((name, value))
    };
    attributes.into_iter().map(read).collect()
}
