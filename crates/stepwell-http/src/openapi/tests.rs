//! The document says the same as the table of routes, and nothing in it is empty or leads nowhere.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::document;
use crate::api::{Route, routes};

fn written() -> Value {
    serde_json::to_value(document()).unwrap()
}

/// Returns the operation of a route.
#[track_caller]
fn operation<'a>(document: &'a Value, route: &Route) -> &'a Value {
    let method = route.method.to_lowercase();
    let found = document["paths"].get(route.path).and_then(|item| item.get(method));
    found.unwrap_or_else(|| panic!("{} {} is not in the document", route.method, route.path))
}

#[test]
fn each_route_is_an_operation_and_there_are_no_others() {
    let document = written();
    for route in routes() {
        let operation = operation(&document, &route);
        assert_eq!(operation["x-right"], route.right.as_str(), "{} {}", route.method, route.path);
    }
    let items = document["paths"].as_object().unwrap().values();
    let operations: usize = items.map(|item| item.as_object().unwrap().len()).sum();
    assert_eq!(operations, routes().len(), "two routes have the same method and path");
    assert_eq!(document["openapi"], "3.1.0");
}

/// What is missing is said by name: this is what somebody sees who adds a route.
#[test]
fn each_operation_says_what_it_does_takes_and_answers() {
    let document = written();
    let mut ids = BTreeSet::new();
    for route in routes() {
        let at = format!("{} {}", route.method, route.path);
        let operation = operation(&document, &route);
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id.to_owned()), "{at}: another route is called `{id}` too");
        let summary = operation["summary"].as_str().unwrap();
        assert!(summary.starts_with(|first: char| first.is_ascii_uppercase()), "{at}: {summary}");
        assert!(!summary.ends_with('.'), "{at}: a summary has no full stop: {summary}");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            let what = parameter["description"].as_str().unwrap_or_default();
            assert!(
                !what.is_empty(),
                "{at}: `{name}` is not described; one of a path is in `part`"
            );
            assert!(parameter["schema"].is_object(), "{at}: `{name}` has no schema");
        }
        let responses = operation["responses"].as_object().unwrap();
        let good = responses.keys().any(|status| status.as_str() < "400");
        assert!(good, "{at}: no answer is described but errors");
        for (status, response) in responses {
            let what = response["description"].as_str().unwrap();
            assert!(!what.is_empty(), "{at}: {status} is not described");
            if **status >= *"400" {
                assert!(response["content"]["application/problem+json"].is_object(), "{at}");
            }
        }
        let open = operation.get("security").is_none();
        assert_eq!(open, route.right == stepwell_access::Right::Public, "{at}");
        let tagged = operation["tags"][0].as_str().unwrap();
        let tags = document["tags"].as_array().unwrap();
        assert!(tags.iter().any(|tag| tag["name"] == tagged), "{at}: no tag `{tagged}`");
    }
}

/// Two types of one name would be one in the document.
#[test]
fn each_name_stands_for_one_type() {
    let mut seen: BTreeMap<String, Value> = BTreeMap::new();
    for route in routes() {
        for (name, schema) in (route.about)().schemas {
            let schema = serde_json::to_value(schema).unwrap();
            let before = seen.entry(name.clone()).or_insert_with(|| schema.clone());
            assert_eq!(*before, schema, "two types are called `{name}`: add `#[schema(as = …)]`");
        }
    }
}

#[test]
fn what_is_referred_to_is_there() {
    let document = written();
    let mut wanted = Vec::new();
    collect(&document, &mut wanted);
    assert!(wanted.len() > 100, "{}", wanted.len());
    for reference in wanted {
        let found = document.pointer(reference.trim_start_matches('#'));
        assert!(found.is_some(), "{reference} leads nowhere");
    }
}

fn collect(value: &Value, to: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == "$ref" => to.push(text.clone()),
                    _ => collect(value, to),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, to)),
        _ => {}
    }
}
