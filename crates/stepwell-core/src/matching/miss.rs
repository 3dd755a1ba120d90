//! What kept a wait from matching (§8.10).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::document::contains;
use super::path::Path;
use super::tree::{Shape, Value};

/// Most differences that are told one by one.
const DIFFERENCES_MAX: usize = 8;
/// Most bytes of a value that are told.
const SHOWN_BYTES: usize = 200;

/// How an event and a match differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Miss {
    /// How many scalars, and elements of arrays, of the match the event has.
    pub agreed: usize,
    /// How many parts of the match it does not have.
    pub differed: usize,
    /// The first of them, at most 8.
    pub differences: Vec<Difference>,
}

impl Miss {
    /// Tells whether the wait nearly matched: one part of the match differed.
    pub fn is_near(&self) -> bool {
        self.differed == 1
    }
}

/// A part of a match that an event does not have. Values are JSON as it was written, cut off behind
/// 200 bytes and then followed by `…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where it is in the match, such as `$.order.tags[]`.
    pub path: String,
    /// What was asked for.
    pub expected: String,
    /// What the event has there; absent where it has nothing, and for elements of arrays.
    pub found: Option<String>,
}

/// Returns how an event differs from a match; nothing where it matches.
pub(super) fn miss(event: Value<'_>, wanted: Value<'_>) -> Option<Miss> {
    let mut miss = Miss::default();
    miss.compare(event, wanted, &Path::Root);
    (miss.differed > 0).then_some(miss)
}

impl Miss {
    fn compare(&mut self, found: Value<'_>, wanted: Value<'_>, path: &Path<'_>) {
        match (found.shape(), wanted.shape()) {
            (Shape::Object, Shape::Object) => {
                for (key, wanted) in wanted.members() {
                    let path = path.member(key);
                    match found.member(key) {
                        Some(found) => self.compare(found, wanted, &path),
                        None => self.differ(&path, wanted, None),
                    }
                }
            }
            (Shape::Array, Shape::Array) => {
                for wanted in wanted.elements() {
                    let has = if wanted.is_scalar() {
                        found.has(wanted)
                    } else {
                        found.nested().any(|found| contains(found, wanted))
                    };
                    if has {
                        self.agreed += 1;
                    } else {
                        self.differ(&path.element(), wanted, None);
                    }
                }
            }
            _ if contains(found, wanted) => self.agreed += 1,
            _ => self.differ(path, wanted, Some(found)),
        }
    }

    fn differ(&mut self, path: &Path<'_>, wanted: Value<'_>, found: Option<Value<'_>>) {
        self.differed += 1;
        if self.differences.len() < DIFFERENCES_MAX {
            let (path, expected) = (path.to_string(), shown(wanted.written()));
            let found = found.map(|value| shown(value.written()));
            self.differences.push(Difference { path, expected, found });
        }
    }
}

fn shown(written: &str) -> String {
    if written.len() <= SHOWN_BYTES {
        return written.into();
    }
    let begin = written.get(..written.floor_char_boundary(SHOWN_BYTES)).unwrap_or("");
    format!("{begin}…")
}
