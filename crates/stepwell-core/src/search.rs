//! Search attributes: small values that a run is found by (§9.4).

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use core::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::name;

/// Most attributes of a run.
pub const COUNT_MAX: usize = 20;

/// Most bytes of a value.
pub const VALUE_BYTES_MAX: usize = 256;

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a search attribute is a text, a number, true or false")]
pub enum Value {
    /// True or false.
    Flag(bool),
    /// A number, as JSON has it.
    Number(serde_json::Number),
    /// A text.
    Text(String),
}

/// The attributes of a run, by name.
pub type Attributes = BTreeMap<Arc<str>, Value>;

/// A change of attributes, by name; `None` takes one away.
pub type Change = BTreeMap<String, Option<Value>>;

/// Why attributes are not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name is none.
    #[error(transparent)]
    Name(#[from] name::Error),
    /// A value is over the limit.
    #[error("the search attribute `{name}` has {bytes} bytes; accepted: at most {VALUE_BYTES_MAX}")]
    Large {
        /// The attribute.
        name: String,
        /// The size of its value.
        bytes: usize,
    },
    /// There would be too many.
    #[error("a run has at most {COUNT_MAX} search attributes; these would be {0}")]
    Many(usize),
}

impl Value {
    /// Orders two values of one type: numbers by value, texts by their bytes, false before true.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Flag(one), Self::Flag(two)) => Some(one.cmp(two)),
            (Self::Number(one), Self::Number(two)) => one.as_f64()?.partial_cmp(&two.as_f64()?),
            (Self::Text(one), Self::Text(two)) => Some(one.as_bytes().cmp(two.as_bytes())),
            (Self::Flag(_) | Self::Number(_) | Self::Text(_), _) => None,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Flag(_) => 5,
            Self::Number(number) => alloc::string::ToString::to_string(number).len(),
            Self::Text(text) => text.len(),
        }
    }
}

/// Writes a value as JSON, for stores.
pub fn to_json(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Reads attributes from a JSON object, for stores; `None` when it is none.
pub fn from_json(text: &str) -> Option<Attributes> {
    serde_json::from_str(text).ok()
}

/// Puts a change into attributes.
pub fn apply(attributes: &mut Attributes, change: &Change) {
    for (name, value) in change {
        match value {
            Some(value) => attributes.insert(Arc::from(&**name), value.clone()),
            None => attributes.remove(&**name),
        };
    }
}

/// Checks a change before it is put into attributes.
///
/// # Errors
/// [`Error`] says which limit it breaks.
pub fn check(attributes: &Attributes, change: &Change) -> Result<(), Error> {
    for (name, value) in change {
        name::check("a search attribute", name)?;
        if let Some(bytes) = value.as_ref().map(Value::bytes).filter(|b| *b > VALUE_BYTES_MAX) {
            return Err(Error::Large { name: name.clone(), bytes });
        }
    }
    let mut after = attributes.clone();
    apply(&mut after, change);
    if after.len() > COUNT_MAX { Err(Error::Many(after.len())) } else { Ok(()) }
}

/// How a value is held against that of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// The run's is the same.
    Eq,
    /// The run's is less.
    Lt,
    /// The run's is less or the same.
    Le,
    /// The run's is greater.
    Gt,
    /// The run's is greater or the same.
    Ge,
}

impl Op {
    /// Returns the sign of it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }
}

/// Something that is asked of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The attribute.
    pub name: Arc<str>,
    /// How its value stands to this one.
    pub op: Op,
    /// The value.
    pub value: Value,
}

impl Term {
    /// Tells whether attributes are as asked; a value of another type is not.
    pub fn matches(&self, attributes: &Attributes) -> bool {
        let order = attributes.get(&self.name).and_then(|found| found.compare(&self.value));
        order.is_some_and(|order| match self.op {
            Op::Eq => order.is_eq(),
            Op::Lt => order.is_lt(),
            Op::Le => order.is_le(),
            Op::Gt => order.is_gt(),
            Op::Ge => order.is_ge(),
        })
    }

    /// Reads terms such as `amount>=10,country=DE,paid=true`. A value is JSON, or else a text; in a
    /// text a comma is not had: write it as JSON.
    ///
    /// # Errors
    /// The part that is not understood.
    pub fn parse_all(text: &str) -> Result<alloc::vec::Vec<Self>, String> {
        split(text).map(Self::parse).collect()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let at = text.find(['=', '<', '>']).filter(|at| *at > 0).ok_or_else(|| {
            alloc::format!(
                "`{text}` is not understood; accepted: NAME then =, <, <=, > or >=, then a value"
            )
        })?;
        let (name, rest) = text.split_at(at);
        let ops = [("<=", Op::Le), (">=", Op::Ge), ("=", Op::Eq), ("<", Op::Lt), (">", Op::Gt)];
        let found = ops.iter().find_map(|(sign, op)| Some((*op, rest.strip_prefix(sign)?)));
        let (op, value) = found.unwrap_or((Op::Eq, ""));
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::Text(value.into()));
        Ok(Self { name: Arc::from(name), op, value })
    }
}

/// Divides at commas that are not in a JSON text.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c| {
        let divides = c == ',' && !quoted;
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        divides
    })
    .filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(json: &str) -> Attributes {
        serde_json::from_str::<BTreeMap<String, Value>>(json)
            .unwrap()
            .into_iter()
            .map(|(name, value)| (Arc::from(name), value))
            .collect()
    }

    /// §9.4: exact and range, by type.
    #[test]
    fn terms_match_values_of_their_type() {
        let run = attributes(r#"{"amount": 12.5, "country": "DE", "paid": true, "big": 1e3}"#);
        for (terms, matches) in [
            ("amount=12.5", true),
            ("amount>12,amount<=12.5", true),
            ("amount<12", false),
            ("amount=\"12.5\"", false),
            ("country=DE", true),
            ("country>=DA,country<DZ", true),
            ("country=\"DE\"", true),
            ("paid=true", true),
            ("paid=false", false),
            ("big=1000", true),
            ("none=1", false),
        ] {
            let found = Term::parse_all(terms).unwrap().iter().all(|term| term.matches(&run));
            assert_eq!(found, matches, "{terms}");
        }
        for text in ["amount", "=1", "a=1,>=2"] {
            assert!(Term::parse_all(text).unwrap_err().contains("accepted"), "{text}");
        }
        let comma = Term::parse_all("a=\"x,\\\"y\",b=1").unwrap();
        assert_eq!(comma[0].value, Value::Text("x,\"y".into()));
        assert_eq!(comma.len(), 2);
    }

    /// §9.4, §12: 20 a run, 256 bytes each.
    #[test]
    fn limits_hold() {
        let many = |count: usize| -> Change {
            (0..count).map(|n| (alloc::format!("a{n}"), Some(Value::Flag(true)))).collect()
        };
        let mut run = Attributes::new();
        assert_eq!(check(&run, &many(20)), Ok(()));
        assert_eq!(check(&run, &many(21)), Err(Error::Many(21)));
        apply(&mut run, &many(20));
        let swap = Change::from([("a0".into(), None), ("b".into(), Some(Value::Flag(true)))]);
        assert_eq!(check(&run, &swap), Ok(()));
        let text = |bytes| Some(Value::Text("x".repeat(bytes)));
        assert_eq!(check(&run, &Change::from([("a0".into(), text(256))])), Ok(()));
        assert!(check(&run, &Change::from([("a0".into(), text(257))])).is_err());
        assert!(check(&run, &Change::from([(String::new(), text(1))])).is_err());
    }
}
