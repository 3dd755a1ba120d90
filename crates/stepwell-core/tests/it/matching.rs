//! Matching against the vectors of `spec/`, and against a naive model.

use std::fmt::Write as _;

use proptest::collection::vec;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use stepwell_core::matching::{
    BYTES_MAX, Difference, Document, Error, LEAVES_MAX, Leaf, Leaves, Match, Miss,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    #[serde(rename = "match")]
    pub(crate) wanted: String,
    pub(crate) event: String,
    pub(crate) matches: bool,
    /// What `PostgreSQL` does instead: `differs` or `refuses`.
    pub(crate) postgres: Option<String>,
}

#[derive(Deserialize)]
struct Filed {
    #[serde(rename = "match")]
    wanted: String,
    #[serde(rename = "as")]
    alone: Option<String>,
}

#[derive(Deserialize)]
struct Refused {
    #[serde(rename = "match")]
    wanted: String,
    error: String,
}

#[derive(Deserialize)]
struct Missed {
    #[serde(rename = "match")]
    wanted: String,
    event: String,
    miss: Option<Told>,
}

#[derive(Deserialize)]
struct Told {
    agreed: usize,
    differed: usize,
    differences: Vec<(String, String, Option<String>)>,
}

#[derive(Deserialize)]
pub(crate) struct Spec {
    pub(crate) cases: Vec<Case>,
    filed: Vec<Filed>,
    refused: Vec<Refused>,
    misses: Vec<Missed>,
}

pub(crate) fn spec() -> Spec {
    serde_json::from_str(include_str!("../../../../spec/matching.json")).unwrap()
}

pub(crate) fn raw(text: &str) -> &RawValue {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

pub(crate) fn parse(text: &str) -> Match {
    Match::parse(raw(text)).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Tells whether the event matches, and checks on the way what must hold of every pair.
pub(crate) fn matches(wanted: &str, event: &str) -> bool {
    let (wait, document) = (parse(wanted), Document::read(raw(event)).unwrap());
    let matches = wait.matches(&document);
    assert_eq!(wait.miss(&document).is_none(), matches, "a miss tells why: {wanted} in {event}");
    if let (true, Leaves::Each(leaves)) = (matches, document.leaves()) {
        assert!(leaves.contains(&wait.leaf()), "{wanted} is not found from {event}");
    }
    matches
}

/// §8.2: a wait matches when its match is contained in what the event offers.
#[test]
fn matching_vectors_hold() {
    let cases = spec().cases;
    assert!(cases.len() >= 80, "{} cases", cases.len());
    for case in cases {
        assert_eq!(matches(&case.wanted, &case.event), case.matches, "{}", case.name);
    }
}

/// §8.8: a wait is filed under the scalar of its match that tells most, however it is written.
#[test]
fn waits_are_filed_as_the_vectors_say() {
    for filed in spec().filed {
        let leaf = parse(&filed.wanted).leaf();
        let expected = filed.alone.as_deref().map_or(Leaf::NAME, |alone| parse(alone).leaf());
        assert_eq!(leaf, expected, "{} as {:?}", filed.wanted, filed.alone);
        assert_eq!(leaf == Leaf::NAME, filed.alone.is_none(), "{}", filed.wanted);
    }
}

/// §8.8: leaves are stored, so they stay what they are.
#[test]
fn leaves_never_change() {
    for (text, leaf) in [
        ("{\"order\":42}", 0x9be0_3f99_6477_e874),
        ("{\"order\":{\"id\":\"x-1\"}}", 0x7bb7_5071_a3ff_46d8),
        ("[[true,null]]", 0x014a_826a_a043_f713),
        ("{\"n\":-0.5}", 0x4a01_3e4e_645f_3bde),
        ("{\"🦀\":\"\\ud800\"}", 0x95b1_62b8_6e31_89ed),
    ] {
        assert_eq!(parse(text).leaf().as_u64(), leaf, "{text}: {:#x}", parse(text).leaf().as_u64());
    }
}

/// §12: what is over a limit is refused with the place and with what is accepted.
#[test]
fn matches_over_a_limit_are_refused() {
    for refused in spec().refused {
        let error = Match::parse(raw(&refused.wanted)).unwrap_err().to_string();
        assert!(error.contains(&refused.error), "{error}: {}", refused.wanted);
    }
    let long = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    assert!(Match::parse(raw(&long(BYTES_MAX))).is_ok());
    let error = Match::parse(raw(&long(BYTES_MAX + 1))).unwrap_err();
    assert_eq!(error, Error::Large { bytes: BYTES_MAX + 1 });
}

/// §8.10: an event can be asked which waits nearly matched, and which key differed.
#[test]
fn misses_say_what_differed() {
    for missed in spec().misses {
        let document = Document::read(raw(&missed.event)).unwrap();
        let miss = parse(&missed.wanted).miss(&document);
        let expected = missed.miss.map(|told| Miss {
            agreed: told.agreed,
            differed: told.differed,
            differences: told
                .differences
                .into_iter()
                .map(|(path, expected, found)| Difference { path, expected, found })
                .collect(),
        });
        assert_eq!(miss, expected, "{} in {}", missed.wanted, missed.event);
        assert!(expected.is_none_or(|miss| miss.is_near() == (miss.differed == 1)));
    }
}

/// §8.8: an event with more leaves than are looked up one by one looks at every wait on its name.
#[test]
fn an_event_with_many_leaves_looks_everywhere() {
    let event = |count: usize| {
        let numbers: Vec<_> = (0..count).map(|number| number.to_string()).collect();
        format!("{{\"numbers\":[{}]}}", numbers.join(","))
    };
    let (few, many) = (event(LEAVES_MAX - 1), event(LEAVES_MAX));
    let leaves = |text: &str| Document::read(raw(text)).unwrap().leaves();
    let Leaves::Each(each) = leaves(&few) else { panic!("they fit") };
    assert_eq!((each.len(), each[0]), (LEAVES_MAX, Leaf::NAME));
    assert!(each.is_sorted());
    assert_eq!(leaves(&many), Leaves::All);
    // Scalars that no match can have, since it would be too deep, are not looked up.
    let deep = format!("[{}{}{},1]", "[".repeat(32), event(LEAVES_MAX), "]".repeat(32));
    assert!(matches!(leaves(&deep), Leaves::Each(each) if each.len() == 2), "only 1 is");
}

/// Numbers in an array of half a megabyte are found without comparing each with each.
#[test]
fn large_events_are_matched() {
    let numbers: Vec<_> = (0..80_000).map(|number| format!("{number}.0")).collect();
    let event = format!("{{\"all\":[{}]}}", numbers.join(","));
    let wanted: Vec<_> = (0..250).map(|number| (number * 300).to_string()).collect();
    assert!(matches(&format!("{{\"all\":[{}]}}", wanted.join(",")), &event));
    assert!(!matches(&format!("{{\"all\":[{},-1]}}", wanted.join(",")), &event));
}

/// The naive model: numbers as doubles, trees by value.
fn contains(large: &Value, small: &Value) -> bool {
    match (large, small) {
        (Value::Object(large), Value::Object(small)) => {
            small.iter().all(|(key, small)| large.get(key).is_some_and(|one| contains(one, small)))
        }
        (Value::Array(large), Value::Array(small)) => {
            small.iter().all(|small| large.iter().any(|one| contains(one, small)))
        }
        (Value::Number(large), Value::Number(small)) => large.as_f64() == small.as_f64(),
        (large, small) => large == small,
    }
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        3 => (-3_i32..12).prop_map(|number| Value::from(f64::from(number) / 2.0)),
        2 => prop::sample::select(vec!["", "a", "b/c", "é", "🦀", "q\"\\\u{1}"]).prop_map(Value::from),
    ];
    let key = prop::sample::select(vec!["a", "b", "id", "é\n", "🦀"]).prop_map(String::from);
    scalar.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((key.clone(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Choices that a text is made by, or that a part of a value is taken by.
struct Choices<'a> {
    bytes: std::iter::Cycle<std::slice::Iter<'a, u8>>,
    /// Parts are not quite what they are taken of.
    wrong: bool,
}

impl<'a> Choices<'a> {
    fn new(bytes: &'a [u8], wrong: bool) -> Self {
        Self { bytes: bytes.iter().cycle(), wrong }
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::from(*self.bytes.next().unwrap()) % bound
    }

    /// Returns some part of a value, which is contained in it unless it is to be wrong.
    fn part(&mut self, of: &Value) -> Value {
        match of {
            Value::Object(members) => members
                .iter()
                .filter(|_| self.below(3) > 0)
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect::<Vec<_>>()
                .into_iter()
                .map(|(key, value)| (key, self.part(&value)))
                .collect(),
            Value::Array(elements) => {
                let kept: Vec<_> = elements.iter().filter(|_| self.below(3) > 0).collect();
                kept.into_iter().rev().map(|element| self.part(element)).collect()
            }
            _ if self.wrong && self.below(4) == 0 => Value::from(0.5),
            scalar => scalar.clone(),
        }
    }

    /// Writes a value in one of its many spellings.
    fn spell(&mut self, value: &Value, text: &mut String) {
        text.push_str(["", " ", "\n\t"][self.below(3)]);
        match value {
            Value::Null | Value::Bool(_) => text.push_str(&value.to_string()),
            Value::Number(number) => {
                let number = number.as_f64().unwrap();
                let written = match self.below(5) {
                    0 if number.fract() == 0.0 => format!("{number:.0}"),
                    1 => format!("{number:.3}"),
                    2 => format!("{:.1}e-1", number * 10.0),
                    3 => format!("{number:e}").replace("e0", "E+00"),
                    _ => format!("{number:?}"),
                };
                text.push_str(&written);
            }
            Value::String(string) => self.quote(string, text),
            Value::Array(elements) => {
                text.push('[');
                for (at, element) in elements.iter().enumerate() {
                    text.push_str(if at > 0 { "," } else { "" });
                    self.spell(element, text);
                }
                text.push(']');
            }
            Value::Object(members) => {
                text.push('{');
                let mut members: Vec<_> = members.iter().collect();
                if self.below(2) == 0 {
                    members.reverse();
                }
                for (at, (key, value)) in members.iter().enumerate() {
                    text.push_str(if at > 0 { "," } else { "" });
                    if self.below(8) == 0 {
                        // A member that does not count, since another with its key follows.
                        self.quote(key, text);
                        text.push_str(":[{\"a\":0}],");
                    }
                    self.quote(key, text);
                    text.push_str([":", " : "][self.below(2)]);
                    self.spell(value, text);
                }
                text.push('}');
            }
        }
        text.push_str(["", " "][self.below(2)]);
    }

    fn quote(&mut self, string: &str, text: &mut String) {
        text.push('"');
        for c in string.chars() {
            if c.is_control() || "\"\\".contains(c) || self.below(3) == 0 {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(text, "\\u{unit:04x}").unwrap();
                }
            } else {
                text.push(c);
            }
        }
        text.push('"');
    }
}

/// A match and an event, often one that matches, as values and as texts.
#[derive(Debug)]
pub(crate) struct Pair {
    values: (Value, Value),
    pub(crate) wanted: String,
    pub(crate) event: String,
}

pub(crate) fn pair() -> impl Strategy<Value = Pair> {
    (value(), value(), 0..4, vec(any::<u8>(), 60..200)).prop_map(|(event, other, is, bytes)| {
        let mut choices = Choices::new(&bytes, is == 1);
        let wanted = if is == 0 { other } else { choices.part(&event) };
        let (mut wanted_text, mut event_text) = (String::new(), String::new());
        choices.spell(&wanted, &mut wanted_text);
        choices.spell(&event, &mut event_text);
        Pair {
            values: (wanted, event),
            wanted: wanted_text.trim().into(),
            event: event_text.trim().into(),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    /// §8.2, §8.8: what is contained is what the naive model says, and a wait that matches is
    /// always filed under one of the event's leaves.
    #[test]
    fn containment_is_that_of_the_model(pair in pair()) {
        let (wanted, event) = &pair.values;
        let reads = |text| serde_json::from_str::<Value>(text).unwrap();
        prop_assert!(contains(&reads(&pair.event), event), "the text is that of the value");
        if Match::parse(raw(&pair.wanted)).is_ok() {
            prop_assert_eq!(matches(&pair.wanted, &pair.event), contains(event, wanted));
            prop_assert!(matches(&pair.wanted, &pair.wanted), "every match contains itself");
        }
    }

    /// §8.8: the leaf of a match is the same however it is written.
    #[test]
    fn spelling_does_not_move_a_wait(value in value(), bytes in vec(any::<u8>(), 60..200)) {
        let mut choices = Choices::new(&bytes, false);
        let (mut one, mut two) = (String::new(), String::new());
        choices.spell(&value, &mut one);
        choices.spell(&value, &mut two);
        let leaf = |text: &str| Match::parse(raw(text.trim())).ok().map(|wait| wait.leaf());
        prop_assert_eq!(leaf(&one), leaf(&two));
    }
}
