//! An event's value, read once and held against any number of matches.

use serde_json::value::RawValue;

use super::leaf::{Leaves, leaves};
use super::tree::{Shape, Tree, Value};
use crate::payload;

/// What an event offers to matches: its `match`, or its `data` where it has none (§8.2).
#[derive(Clone, Debug)]
pub struct Document<'a> {
    text: &'a str,
    tree: Tree,
}

impl<'a> Document<'a> {
    /// Reads JSON text into an index by place; the text is not copied. Time and memory grow with
    /// the number of its values.
    ///
    /// # Errors
    /// [`payload::Error::Deep`] beyond [`payload::DEPTH_MAX`], [`payload::Error::Large`] beyond
    /// 4 GiB.
    pub fn read(json: &'a RawValue) -> Result<Self, payload::Error> {
        payload::check(json, u32::MAX as usize)?;
        Ok(Self { text: json.get(), tree: Tree::read(json.get()) })
    }

    /// Returns where waits that could match are filed (§8.8).
    pub fn leaves(&self) -> Leaves {
        leaves(self.root())
    }

    pub(super) fn root(&self) -> Value<'_> {
        self.tree.root(self.text)
    }
}

/// Tells whether `small` is contained in `large` (§8.2): objects by the members that `small` has,
/// arrays as sets whose elements are contained each in some element, scalars by value.
///
/// PostgreSQL's `@>` is the same but for one case: there a bare scalar is contained in an array that
/// has it, at the top only. §8.2 knows no exception, so here it is not.
pub(super) fn contains(large: Value<'_>, small: Value<'_>) -> bool {
    match (large.shape(), small.shape()) {
        (Shape::Object, Shape::Object) => {
            small.len() <= large.len()
                && small.members().all(|(key, wanted)| {
                    large.member(key).is_some_and(|found| contains(found, wanted))
                })
        }
        (Shape::Array, Shape::Array) => small.elements().all(|wanted| {
            if wanted.is_scalar() {
                large.has(wanted)
            } else {
                large.nested().any(|found| contains(found, wanted))
            }
        }),
        _ if large.is_scalar() && small.is_scalar() => large.compare(small).is_eq(),
        _ => false,
    }
}
