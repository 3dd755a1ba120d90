//! Values to JSON text and back.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use stepwell_core::payload;

use super::check::{Checked, Place};
use crate::error::{Error, Result};

/// Writes a value as JSON. What reads as no value (`()`, `None`) is absent (§2.6).
///
/// # Errors
/// `Serialization` with the place inside the value where it is not JSON.
pub(crate) fn encode<T: Serialize + ?Sized>(
    what: impl FnOnce() -> String,
    value: &T,
) -> Result<Option<Box<RawValue>>> {
    let place = Place::default();
    match serde_json::value::to_raw_value(&Checked::new(value, &place)) {
        Ok(raw) if raw.get() == "null" => Ok(None),
        Ok(raw) => Ok(Some(raw)),
        Err(error) => {
            let path = place.path();
            let text = format!("{} is not JSON at `{path}`: {error}", what());
            Err(Error::serialization(text, Some(path)))
        }
    }
}

/// Checks a payload's size and nesting against the limits (§12).
///
/// # Errors
/// `Limit` says by how much it is over.
pub(crate) fn within(
    what: impl FnOnce() -> String,
    payload: Option<&RawValue>,
    bytes_max: usize,
) -> Result<()> {
    let Some(raw) = payload else { return Ok(()) };
    let refuse = |why| Error::limit(format!("{} is refused: {why}", what()));
    payload::check(raw, bytes_max).map_err(refuse)
}

/// Reads a recorded value.
///
/// # Errors
/// `Serialization` when it is not such a value.
pub(crate) fn decode<T: DeserializeOwned>(
    what: impl FnOnce() -> String,
    raw: Option<&RawValue>,
) -> Result<T> {
    serde_json::from_str(raw.map_or("null", RawValue::get)).map_err(|error| {
        let wanted = std::any::type_name::<T>();
        let text = format!("{} does not read as `{wanted}`: {error}", what());
        Error::serialization(text, None)
    })
}

/// Reads a run's input.
///
/// # Errors
/// `Input` when it does not fit the workflow (§9.1).
pub(crate) fn decode_input<T: DeserializeOwned>(raw: Option<&RawValue>) -> Result<T> {
    serde_json::from_str(raw.map_or("null", RawValue::get)).map_err(|error| {
        let wanted = std::any::type_name::<T>();
        let absent = if raw.is_none() { " (the run was started without an input)" } else { "" };
        Error::input(format!("the input does not read as `{wanted}`: {error}{absent}"))
    })
}

/// Reads a JSON Schema that an app gives as text.
///
/// # Errors
/// `Argument` when it is not a JSON object.
pub(crate) fn parse_schema(what: &str, text: String) -> Result<Box<RawValue>> {
    let refuse = |why: &dyn std::fmt::Display| Error::argument(format!("{what}: {why}"));
    let raw = RawValue::from_string(text).map_err(|error| refuse(&error))?;
    if raw.get().trim_start().starts_with('{') {
        Ok(raw)
    } else {
        Err(refuse(&"a JSON Schema is a JSON object"))
    }
}
