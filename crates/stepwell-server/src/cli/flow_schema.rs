//! What a file of flows may hold, as JSON Schema (draft 2020-12), for editors.

use serde_json::{Value, json};
use stepwell_telemetry::file::FLOWS_MAX;
use stepwell_telemetry::flow::{EDGES_MAX, NAME_MAX, STEPS_MAX};

/// A duration (§11), as far as a pattern can tell.
const SPAN: &str = r"^ *([0-9]+(\.[0-9]+)?|([0-9]+(\.[0-9]+)? *[a-zA-Z]+ *)+)$";

/// Returns the schema. What a pattern cannot tell, such as edges between steps that there are not, `stepwell flows check`
/// does.
pub(super) fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Flows of Stepwell",
        "type": "object",
        "properties": {
            "$schema": {"type": "string"},
            "flows": {"type": "array", "maxItems": FLOWS_MAX, "items": flow()},
        },
        "required": ["flows"],
        "additionalProperties": false,
    })
}

fn flow() -> Value {
    json!({
        "type": "object",
        "properties": {
            "slug": name("What `client.run` is called with."),
            "name": name("What people read. Default: the slug."),
            "steps": {
                "type": "array",
                "minItems": 1,
                "maxItems": STEPS_MAX,
                "items": {
                    "type": "object",
                    "properties": {
                        "key": name("What `run.step` is called with."),
                        "name": name("What people read. Default: the key."),
                    },
                    "required": ["key"],
                    "additionalProperties": false,
                },
            },
            "edges": {
                "type": "array",
                "maxItems": EDGES_MAX,
                "items": edge(),
                "description": "Which step follows which. Default: the steps one after the other; [] for none.",
            },
            "stuckAfter": span("A call that is open for longer is stuck. Default: 10m."),
            "quietAfter": span("A run without events for so long has ended. Default: 1m."),
        },
        "required": ["slug", "steps"],
        "additionalProperties": false,
    })
}

fn edge() -> Value {
    let key = name("The key of a step.");
    json!({"oneOf": [
        {"type": "array", "prefixItems": [key, key], "items": false, "minItems": 2},
        {
            "type": "object",
            "properties": {"from": key, "to": key},
            "required": ["from", "to"],
            "additionalProperties": false,
        },
    ]})
}

fn name(about: &str) -> Value {
    json!({
        "type": "string",
        "minLength": 1,
        "maxLength": NAME_MAX,
        "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]+$",
        "description": about,
    })
}

fn span(about: &str) -> Value {
    json!({
        "oneOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": SPAN}],
        "description": about,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use stepwell_telemetry::file;

    use super::*;

    /// The file of the documents is what the command prints.
    #[test]
    fn the_documents_have_this_schema() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/flows.schema.json");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let found: Option<Value> = serde_json::from_str(&text).ok();
        let how = "`stepwell flows schema > docs/flows.schema.json`";
        assert!(found == Some(schema()), "docs/flows.schema.json is behind: {how}");
    }

    /// §10.6: the schema takes what is read, and refuses what it can tell.
    #[test]
    fn the_schema_tells_right_from_wrong() {
        assert!(jsonschema::meta::is_valid(&schema()));
        let validator = jsonschema::draft202012::new(&schema()).unwrap();
        let flow = |more: &str| {
            format!(
                r#"{{"flows": [{{"slug": "s", "steps": [{{"key": "a"}}, {{"key": "b"}}]{more}}}]}}"#
            )
        };
        for right in [
            r#"{"$schema": "./flows.schema.json", "flows": []}"#.to_owned(),
            flow(""),
            flow(
                r#", "name": "Shop", "edges": [["a", "b"]], "stuckAfter": "1h30m", "quietAfter": 500"#,
            ),
            flow(r#", "edges": [{"from": "a", "to": "b"}]"#),
            flow(r#", "edges": [], "quietAfter": "30 minutes""#),
        ] {
            let value: Value = serde_json::from_str(&right).unwrap();
            assert!(validator.is_valid(&value) && file::read(&right).is_ok(), "{right}");
        }
        for wrong in [
            "{}".to_owned(),
            r#"{"flows": {}}"#.to_owned(),
            r#"{"flows": [{"slug": "s", "steps": []}]}"#.to_owned(),
            r#"{"flows": [{"slug": "", "steps": [{"key": "a"}]}]}"#.to_owned(),
            r#"{"flows": [{"slug": "s", "steps": [{"key": "a", "kee": 1}]}]}"#.to_owned(),
            flow(r#", "colour": "red""#),
            flow(r#", "edges": [["a"]]"#),
            flow(r#", "edges": [["a", "b", "a"]]"#),
            flow(r#", "stuckAfter": true"#),
            flow(r#", "stuckAfter": "soon""#),
            flow(r#", "quietAfter": 0"#),
        ] {
            let value: Value = serde_json::from_str(&wrong).unwrap();
            assert!(!validator.is_valid(&value) && file::read(&wrong).is_err(), "{wrong}");
        }
    }
}
