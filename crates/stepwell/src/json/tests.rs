use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::*;
use crate::ErrorKind;

#[derive(Serialize)]
struct Item {
    price: f64,
    tags: Vec<Option<f32>>,
}

#[derive(Serialize)]
enum Shape {
    Point,
    Circle(f64),
    Line { from: (f64, f64) },
}

fn path_of<T: Serialize>(value: &T) -> String {
    let error = encode(|| "the value".into(), value).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Serialization);
    assert!(error.message().contains(error.path().unwrap()), "{error}");
    error.path().unwrap().to_owned()
}

/// §2.6: what is not JSON is an error that names the path inside the value.
#[test]
fn numbers_that_json_lacks_are_refused_with_their_place() {
    let good = || Item { price: 1.5, tags: vec![] };
    let bad = Item { price: 1.0, tags: vec![Some(1.0), None, Some(f32::INFINITY)] };
    let map = BTreeMap::from([("a b", vec![good(), bad])]);
    assert_eq!(path_of(&map), "$[\"a b\"][1].tags[2]");
    assert_eq!(path_of(&Item { price: f64::NAN, tags: vec![] }), "$.price");
    assert_eq!(path_of(&f64::NEG_INFINITY), "$");
    assert_eq!(path_of(&Shape::Circle(f64::NAN)), "$.Circle");
    assert_eq!(path_of(&Shape::Line { from: (0.0, f64::NAN) }), "$.from[1]");
    assert_eq!(path_of(&BTreeMap::from([(3, f64::NAN)])), "$.3");
}

/// §2.6: keys have to be texts.
#[test]
fn maps_with_other_keys_are_refused() {
    let map = BTreeMap::from([(vec![1], 1)]);
    let error = encode(|| "the value".into(), &map).unwrap_err();
    assert!(error.message().contains("keys"), "{error}");
}

#[test]
fn values_are_written_as_serde_json_does() {
    let raw = RawValue::from_string("{\"a\":  1}".into()).unwrap();
    let shapes = (Shape::Point, Shape::Circle(1.0), Shape::Line { from: (1.0, 2.0) }, raw);
    let written = encode(|| "the value".into(), &shapes).unwrap().unwrap();
    assert_eq!(written.get(), serde_json::to_string(&shapes).unwrap());
    let item = Item { price: 0.1, tags: vec![None, Some(2.5)] };
    let written = encode(|| "the value".into(), &item).unwrap().unwrap();
    assert_eq!(written.get(), serde_json::to_string(&item).unwrap());
}

/// §2.6: no value is absent, and comes back as no value.
#[test]
fn no_value_is_absent() {
    assert!(encode(|| "the value".into(), &()).unwrap().is_none());
    assert!(encode(|| "the value".into(), &None::<u8>).unwrap().is_none());
    decode::<()>(|| "the value".into(), None).unwrap();
    assert_eq!(decode::<Option<u8>>(|| "the value".into(), None).unwrap(), None);
}

/// §12: what is over a limit is told with the limit.
#[test]
fn large_and_deep_values_are_refused() {
    let raw = encode(|| "the value".into(), &"x".repeat(100)).unwrap();
    within(|| "the value".into(), raw.as_deref(), 102).unwrap();
    let error = within(|| "the result of step `a`".into(), raw.as_deref(), 101).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(error.message().contains("step `a`") && error.message().contains("102"), "{error}");
}

#[derive(Debug, Deserialize)]
struct Order {
    #[expect(dead_code, reason = "only its reading is of interest")]
    id: u32,
}

/// §9.1: an input that does not fit is an `InputError`.
#[test]
fn other_values_are_refused_when_they_are_read() {
    let raw = RawValue::from_string("{\"id\": \"x\"}".into()).unwrap();
    let error = decode_input::<Order>(Some(&raw)).unwrap_err();
    assert_eq!((error.kind(), error.name()), (ErrorKind::Input, "InputError"));
    let error = decode_input::<Order>(None).unwrap_err();
    assert!(error.message().contains("without an input"), "{error}");
    let error = decode::<Order>(|| "the result".into(), Some(&raw)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Serialization);
}

#[test]
fn schemas_are_objects() {
    assert!(parse_schema("input_schema", "{\"type\":\"object\"}".into()).is_ok());
    assert!(parse_schema("input_schema", "[]".into()).is_err());
    assert!(parse_schema("input_schema", "{".into()).is_err());
}
