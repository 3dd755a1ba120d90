//! Every answer that a test gets is held against the document of the API: its status, the code of an error, its media
//! type, and its body, in which nothing may be that is not described.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::http::Answer;

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| strict(serde_json::to_value(stepwell_http::openapi::document()).unwrap()));

/// Holds an answer against what is said of the operation that was asked for.
#[track_caller]
pub(super) fn check(request: &[u8], answer: &Answer) {
    let Some((head, sent)) = split(request) else { return };
    let mut words = head.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return };
    let path = target.split('?').next().unwrap_or_default();
    let Some(operation) = operation(method, path) else { return };
    // Before a request is one, and of methods that an address does not take, nothing is said.
    if answer.status == 431 || answer.status == 400 && answer.body.is_empty() {
        return;
    }
    let at = format!("{method} {path}: {} {}", answer.status, answer.body);
    let said = &operation["responses"][answer.status.to_string()];
    assert!(said.is_object(), "{at}: this status is not described");
    let id = answer.header("x-request-id");
    assert!(id.is_some() && said["headers"]["X-Request-Id"].is_object(), "{at}: has no id");
    let Some((media, content)) = said["content"].as_object().and_then(|all| all.iter().next())
    else {
        return;
    };
    assert!(answer.headers.contains(&format!("content-type: {media}")), "{at}: not of {media}");
    let body = json_of(answer);
    if media == "application/problem+json" {
        let codes = said["x-codes"].as_array().unwrap();
        let code = &body.as_ref().unwrap()["code"];
        assert!(codes.contains(code), "{at}: this code is not described");
        let told = body.as_ref().unwrap()["requestId"].as_str();
        // Headers are read in small letters.
        assert_eq!(told.map(str::to_lowercase).as_deref(), id, "{at}: names another request");
    }
    if let (true, Some(body)) = (media.ends_with("json"), &body) {
        fits(&content["schema"], body, &at);
    }
    // What is compressed is not read here, and of a batch an event may be refused alone.
    let refused = body.as_ref().and_then(|body| body["refusedTotal"].as_u64()).unwrap_or(0);
    let is_plain = !head.to_lowercase().contains("content-encoding") && refused == 0;
    let taken = answer.status < 300 && !sent.is_empty() && is_plain;
    let wanted = &operation["requestBody"]["content"]["application/json"];
    if taken && wanted.is_object() {
        let sent: Value = serde_json::from_slice(sent).unwrap();
        fits(&wanted["schema"], &sent, &format!("{at}: taken with {sent}"));
    }
}

/// Returns the body, if it is JSON of a known length: more may stand behind it, for another request.
fn json_of(answer: &Answer) -> Option<Value> {
    let (_, length) = answer.headers.split_once("content-length: ")?;
    let length: usize = length.lines().next()?.trim().parse().ok()?;
    serde_json::from_str(answer.body.get(..length)?).ok()
}

fn split(request: &[u8]) -> Option<(&str, &[u8])> {
    let end = request.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    Some((std::str::from_utf8(&request[..end]).ok()?, &request[end + 4..]))
}

fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let exact = paths.get(path);
    let found =
        exact.or_else(|| paths.iter().find(|(of, _)| is_of(of, path)).map(|(_, item)| item));
    found?.get(method.to_lowercase())
}

fn is_of(template: &str, path: &str) -> bool {
    let (mut one, mut two) = (template.split('/'), path.split('/'));
    let same =
        one.by_ref().zip(two.by_ref()).all(|(a, b)| a.starts_with('{') && !b.is_empty() || a == b);
    same && template.split('/').count() == path.split('/').count()
}

#[track_caller]
fn fits(schema: &Value, value: &Value, at: &str) {
    let whole = json!({ "allOf": [schema], "components": DOCUMENT["components"] });
    let validator = jsonschema::validator_for(&whole).unwrap_or_else(|e| panic!("{at}: {e}"));
    let errors: Vec<_> = validator
        .iter_errors(value)
        .map(|error| format!("{} {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{at}: {errors:#?}");
}

/// Makes the document refuse fields that it does not name. To clients it allows them: there may be more one day.
fn strict(mut document: Value) -> Value {
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let parts: Vec<String> = schemas
        .values()
        .filter_map(|schema| schema["allOf"].as_array())
        .flatten()
        .filter_map(|part| part["$ref"].as_str()?.rsplit('/').next().map(str::to_owned))
        .collect();
    let schemas = document["components"]["schemas"].as_object_mut().unwrap();
    for (_, schema) in schemas.iter_mut().filter(|(name, _)| !parts.contains(name)) {
        close(schema.as_object_mut().unwrap());
    }
    document
}

fn close(schema: &mut Map<String, Value>) {
    let is_closed = schema.contains_key("additionalProperties");
    if (schema.contains_key("properties") || schema.contains_key("allOf")) && !is_closed {
        schema.insert("unevaluatedProperties".into(), false.into());
    }
}
