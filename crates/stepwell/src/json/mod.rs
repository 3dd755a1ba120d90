//! Values as JSON text (§2.6).
//!
//! | file | holds |
//! | --- | --- |
//! | `value` | values to text and back, limits |
//! | `check` | a serializer that refuses what JSON cannot hold, with its place |
//! | `check_parts` | the same for what is inside arrays and objects |

mod check;
mod check_parts;
mod search;
mod value;

pub(crate) use search::search;
pub(crate) use value::{decode, decode_input, encode, parse_schema, within};

#[cfg(test)]
mod tests;
