//! Which waits and triggers an event concerns (§8.2).
//!
//! A wait matches an event when its [`Match`] is contained in the event's `match`, or in its `data`
//! where the event has none. An event is read once, into a [`Document`]; any number of matches are
//! then held against it. To find them without a scan (§8.8), a wait is filed under one [`Leaf`] of
//! its match, and an event is looked up under the leaves that it has.
//!
//! | file | holds |
//! | --- | --- |
//! | `tree` | the values of a JSON text, by their places in it |
//! | `text`, `number` | when two strings or numbers are the same, whatever their spelling |
//! | `document` | an event's value, and what it contains |
//! | `pattern` | what a wait asks for, parsed and checked |
//! | `path` | the place of a value, as errors and misses name it |
//! | `leaf`, `hash` | where waits are filed and events look |
//! | `miss` | what kept a wait from matching (§8.10) |
//!
//! ```
//! use serde_json::value::RawValue;
//! use stepwell_core::matching::{Document, Leaves, Match};
//!
//! let data: &RawValue = serde_json::from_str(r#"{"order": {"id": 42.0, "tags": ["a", "b"]}}"#)?;
//! let wanted: &RawValue = serde_json::from_str(r#"{"order": {"tags": ["b"], "id": 42}}"#)?;
//! let (event, wait) = (Document::read(data)?, Match::parse(wanted)?);
//! assert!(wait.matches(&event));
//! let Leaves::Each(leaves) = event.leaves() else { panic!("it has few") };
//! assert!(leaves.contains(&wait.leaf()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod document;
mod hash;
mod leaf;
mod miss;
mod number;
mod path;
mod pattern;
mod text;
mod tree;

pub use document::Document;
pub use leaf::{LEAVES_MAX, Leaf, Leaves};
pub use miss::{Difference, Miss};
pub use pattern::{BYTES_MAX, CHOICES_MAX, DEPTH_MAX, EXPONENT_MAX, Error, Match, VALUES_MAX};
