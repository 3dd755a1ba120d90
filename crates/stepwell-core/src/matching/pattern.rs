//! What a wait or a trigger asks of an event, parsed and checked.

use alloc::string::{String, ToString};
use alloc::sync::Arc;

use serde_json::value::RawValue;

use super::document::{Document, contains};
use super::leaf::{Leaf, choose};
use super::miss::{Miss, miss};
use super::path::Path;
use super::tree::{Shape, Tree, Value};
use crate::payload;

/// Most bytes of a match as it is written.
pub const BYTES_MAX: usize = 16 * 1024;
/// Deepest nesting of arrays and objects in a match.
pub const DEPTH_MAX: usize = 32;
/// Most values in a match, arrays and objects included.
pub const VALUES_MAX: usize = 256;
/// Most arrays and objects that are elements of arrays in a match. Each may have to be held against
/// every such element of an event.
pub const CHOICES_MAX: usize = 16;
/// Greatest power of ten of a number in a match, in either direction.
pub const EXPONENT_MAX: i64 = 1_000_000;

/// Why a match is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is longer than [`BYTES_MAX`].
    #[error("the match has {bytes} bytes; accepted: at most {BYTES_MAX}")]
    Large {
        /// How long it is.
        bytes: usize,
    },
    /// It nests deeper than [`DEPTH_MAX`].
    #[error("the match nests deeper than {DEPTH_MAX} arrays and objects at {path}")]
    Deep {
        /// The first place that is too deep.
        path: String,
    },
    /// It has more values than [`VALUES_MAX`].
    #[error(
        "the match has {values} values; accepted: at most {VALUES_MAX}, arrays and objects included"
    )]
    Many {
        /// How many it has.
        values: usize,
    },
    /// It has more than [`CHOICES_MAX`] arrays and objects as elements of arrays.
    #[error(
        "the match has more than {CHOICES_MAX} arrays and objects as elements of arrays at {path}"
    )]
    Choices {
        /// The place of the first that is too many.
        path: String,
    },
    /// A number is further from 1 than [`EXPONENT_MAX`] powers of ten.
    #[error(
        "the number at {path} is out of range; accepted: powers of ten from -{EXPONENT_MAX} to \
         {EXPONENT_MAX}"
    )]
    Number {
        /// Where it is.
        path: String,
    },
}

/// What a wait or a trigger asks of an event (§8.2): any JSON value within the limits above, which
/// must be contained in what the event offers.
///
/// Of members with the same key the last one counts, as everywhere in JSON.
#[derive(Clone, Debug)]
pub struct Match {
    text: Arc<str>,
    tree: Tree,
}

impl Match {
    /// Parses and checks a match.
    ///
    /// # Errors
    /// [`Error`] says which limit it is over, and where.
    pub fn parse(json: &RawValue) -> Result<Self, Error> {
        let text = json.get();
        if text.len() > BYTES_MAX {
            return Err(Error::Large { bytes: text.len() });
        }
        // Nesting that is too deep to be read at all has no place that could be named.
        let unread = |_| Error::Deep { path: "$".into() };
        payload::check(json, BYTES_MAX).map_err(unread)?;
        let this = Self { text: text.into(), tree: Tree::read(text) };
        if this.tree.len() > VALUES_MAX {
            return Err(Error::Many { values: this.tree.len() });
        }
        check(this.root(), &Path::Root, 1, &mut 0)?;
        Ok(this)
    }

    /// Returns the match as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Tells whether the event is one that is asked for (§8.2).
    pub fn matches(&self, event: &Document<'_>) -> bool {
        contains(event.root(), self.root())
    }

    /// Returns where a wait with this match is filed (§8.8). It is the same for every spelling of the
    /// same match, and every event that matches has it among its leaves.
    pub fn leaf(&self) -> Leaf {
        choose(self.root())
    }

    /// Tells what kept an event from matching (§8.10); nothing for an event that matches.
    pub fn miss(&self, event: &Document<'_>) -> Option<Miss> {
        miss(event.root(), self.root())
    }

    fn root(&self) -> Value<'_> {
        self.tree.root(&self.text)
    }
}

fn check(
    value: Value<'_>,
    path: &Path<'_>,
    depth: usize,
    choices: &mut usize,
) -> Result<(), Error> {
    let deep = depth > DEPTH_MAX;
    match value.shape() {
        Shape::Array | Shape::Object if deep => Err(Error::Deep { path: path.to_string() }),
        Shape::Object => value
            .members()
            .try_for_each(|(key, value)| check(value, &path.member(key), depth + 1, choices)),
        Shape::Array => value.elements().try_for_each(|value| {
            let path = path.element();
            *choices += usize::from(!value.is_scalar());
            if *choices > CHOICES_MAX {
                return Err(Error::Choices { path: path.to_string() });
            }
            check(value, &path, depth + 1, choices)
        }),
        Shape::Number if value.number().exponent.unsigned_abs() > EXPONENT_MAX.unsigned_abs() => {
            Err(Error::Number { path: path.to_string() })
        }
        Shape::Null | Shape::False | Shape::True | Shape::Number | Shape::String { .. } => Ok(()),
    }
}
