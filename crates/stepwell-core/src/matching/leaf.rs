//! Where waits are filed, and where events look for them (§8.8).

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::hash::Hash;
use super::pattern::DEPTH_MAX;
use super::text::Text;
use super::tree::{Shape, Value};

/// Most leaves of an event that are looked up one by one.
pub const LEAVES_MAX: usize = 1_024;

/// The drawer that a wait lies in: a hash of one scalar of its match and of the way to it, or
/// [`Leaf::NAME`].
///
/// A wait found under a leaf is only a candidate: two scalars may share a hash, and the rest of the
/// match counts too. Leaves are stored, so what they are made of never changes: see `hash`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Leaf(u64);

impl Leaf {
    /// Where waits without a match lie, and those whose match has no scalar: under the event's name
    /// alone. Every event looks here.
    pub const NAME: Self = Self(0);

    fn of(way: Hash, scalar: Value<'_>) -> Self {
        Self(way.bytes(scalar.hash().to_le_bytes()).finished().max(1))
    }

    /// Returns the leaf as a number, the form in which stores keep it.
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// Makes a leaf from the number that [`Leaf::as_u64`] gave.
    pub const fn from_u64(value: u64) -> Self {
        Self(value)
    }
}

/// Where the waits lie that an event could match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaves {
    /// Under these, in order, [`Leaf::NAME`] first.
    Each(Vec<Leaf>),
    /// Anywhere: the event has more than [`LEAVES_MAX`] leaves, so every wait on its name is looked
    /// at.
    All,
}

/// Returns the leaves of an event's value.
pub(super) fn leaves(root: Value<'_>) -> Leaves {
    let mut found = BTreeSet::from([Leaf::NAME]);
    if collect(root, Hash::NEW, 0, &mut found) {
        Leaves::Each(found.into_iter().collect())
    } else {
        Leaves::All
    }
}

/// Collects leaves; `false` when there are too many. No match has scalars below [`DEPTH_MAX`].
fn collect(value: Value<'_>, hash: Hash, depth: usize, found: &mut BTreeSet<Leaf>) -> bool {
    match value.shape() {
        Shape::Array | Shape::Object if depth >= DEPTH_MAX => true,
        Shape::Object => {
            value.members().all(|(key, value)| collect(value, hash.member(key), depth + 1, found))
        }
        Shape::Array => {
            value.elements().all(|value| collect(value, hash.element(), depth + 1, found))
        }
        Shape::Null | Shape::False | Shape::True | Shape::Number | Shape::String { .. } => {
            found.insert(Leaf::of(hash, value));
            found.len() <= LEAVES_MAX
        }
    }
}

/// Chooses the scalar of a match that tells most: what few other waits on this name are likely to
/// ask for. Of equals the first counts, in the order of keys.
pub(super) fn choose(root: Value<'_>) -> Leaf {
    let mut best = Best { score: i32::MIN, leaf: Leaf::NAME };
    best.look(root, Hash::NEW, 0, 0);
    best.leaf
}

struct Best {
    score: i32,
    leaf: Leaf,
}

impl Best {
    /// Looks at all that is in a value. `place` is what its place tells, less with every level;
    /// `key` is what the nearest key tells.
    fn look(&mut self, value: Value<'_>, hash: Hash, place: i32, key: i32) {
        match value.shape() {
            Shape::Object => value.members().for_each(|(name, value)| {
                self.look(value, hash.member(name), place - 1, key_bonus(name));
            }),
            Shape::Array => value
                .elements()
                .for_each(|value| self.look(value, hash.element(), place + ELEMENT_BONUS, key)),
            Shape::Null | Shape::False | Shape::True | Shape::Number | Shape::String { .. } => {
                let score = told(value) + place + key;
                if score > self.score {
                    *self = Self { score, leaf: Leaf::of(hash, value) };
                }
            }
        }
    }
}

/// What a key that names one thing among many adds.
const IDENTITY_BONUS: i32 = 16;
/// What a key that names a sort of things adds.
const SORT_BONUS: i32 = -16;
/// What it adds to be an element: a set that many events have in common.
const ELEMENT_BONUS: i32 = -16;
/// How many characters of a string are looked at.
const LOOKED_AT: usize = 64;

/// Keys, or last words of keys, that name one thing among many.
const IDENTITIES: [&str; 11] =
    ["id", "key", "uuid", "guid", "email", "token", "ref", "reference", "number", "no", "hash"];
/// Keys, or last words of keys, that name a sort of things, or something that many share.
const SORTS: [&str; 14] = [
    "type",
    "kind",
    "status",
    "state",
    "version",
    "tenant",
    "region",
    "env",
    "environment",
    "currency",
    "locale",
    "source",
    "stage",
    "level",
];

fn key_bonus(key: Text<'_>) -> i32 {
    let word = LastWord::of(key);
    if word.is_any(&SORTS) || (word.is_any(&["id", "key"]) && word.before_is(b"tenant")) {
        SORT_BONUS
    } else if word.is_any(&IDENTITIES) {
        IDENTITY_BONUS
    } else {
        0
    }
}

/// The last word of a key such as `orderId`, `order_id`, `order-id` or `ID`, in lower case.
struct LastWord {
    letters: Vec<u8>,
    start: usize,
}

impl LastWord {
    fn of(key: Text<'_>) -> Self {
        let mut this = Self { letters: Vec::new(), start: 0 };
        let mut lower_before = false;
        for point in key.points().take(LOOKED_AT) {
            let byte = u8::try_from(point).unwrap_or(b'?');
            if byte.is_ascii_uppercase() && lower_before {
                this.start = this.letters.len();
            }
            lower_before = byte.is_ascii_lowercase() || byte.is_ascii_digit();
            if byte.is_ascii_alphanumeric() || byte == b'?' {
                this.letters.push(byte.to_ascii_lowercase());
            } else {
                this.start = this.letters.len();
            }
        }
        this
    }

    fn is_any(&self, words: &[&str]) -> bool {
        let (_, last) = self.letters.split_at_checked(self.start).unwrap_or_default();
        words.iter().any(|word| word.as_bytes() == last)
    }

    fn before_is(&self, word: &[u8]) -> bool {
        let (before, _) = self.letters.split_at_checked(self.start).unwrap_or_default();
        before == word
    }
}

/// Guesses how much a scalar tells, in bits or so.
fn told(value: Value<'_>) -> i32 {
    match value.shape() {
        Shape::Number => {
            let number = value.number();
            let places = i64::try_from(number.digits).unwrap_or(16).max(number.exponent + 1);
            10 + 4 * i32::try_from(places.clamp(1, 16)).unwrap_or(16)
        }
        Shape::String { escaped } => {
            let (mut digits, mut others) = (0, 0);
            for point in value.string(escaped).points().take(LOOKED_AT) {
                let is_digit = char::from_u32(point).is_some_and(|c| c.is_ascii_digit());
                *(if is_digit { &mut digits } else { &mut others }) += 1;
            }
            if digits == 0 {
                4 + others.min(12)
            } else {
                10 + 4 * digits.min(16) + 2 * others.min(16)
            }
        }
        Shape::Null | Shape::False | Shape::True | Shape::Array | Shape::Object => 1,
    }
}
