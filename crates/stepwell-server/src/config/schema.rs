//! What a file of settings may hold, as JSON Schema (draft 2020-12), for editors.

use serde_json::{Map, Value as Json, json};

use super::kind::Kind;
use super::otlp::NAME_CHARS_MAX;
use super::table::{Effect, SETTINGS, Setting, Shown, setting};

/// A duration (§11), as far as a pattern can tell.
const SPAN: &str = r"^ *([0-9]+(\.[0-9]+)?|([0-9]+(\.[0-9]+)? *[a-zA-Z]+ *)+)$";

/// A size.
const SIZE: &str = "^[0-9]+ *(B|KiB|MiB|GiB)?$";

/// An address and a port.
const ADDRESS: &str = r"^(localhost|[0-9.]+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}$";

/// The address of a receiver of traces.
const URL: &str = "^https?://[^/@]+(/.*)?$";

/// Headers of requests.
const HEADERS: &str = "^[^=,]+=[^,]*(,[^=,]+=[^,]*)*$";

/// Returns the schema. What a pattern cannot tell, `stepwell config check` does.
pub fn schema() -> Json {
    let properties: Map<_, _> =
        SETTINGS.iter().map(|setting| (setting.name.to_owned(), property(setting))).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of a Stepwell server",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "dependentRequired": {"tls_cert": ["tls_key"], "tls_key": ["tls_cert"]},
    })
}

fn property(setting: &Setting) -> Json {
    let mut property = takes(setting);
    let mut about = format!("{}.", setting.about());
    let range = setting.kind.range();
    if !range.is_empty() {
        about = format!("{about} Accepted: {range}.");
    }
    about += match setting.effect {
        Effect::Reload => " A reload changes it.",
        Effect::Restart => " A change counts with the next start.",
    };
    let described = [
        ("description", Some(Json::from(about))),
        ("default", default(setting)),
        ("writeOnly", (setting.shown == Shown::Never).then(|| Json::from(true))),
    ];
    if let Some(map) = property.as_object_mut() {
        map.extend(described.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    }
    property
}

fn default(setting: &Setting) -> Option<Json> {
    let text = format!("value = {}", setting.default_toml()?);
    let mut table: Map<String, Json> = toml::from_str(&text).ok()?;
    table.remove("value")
}

fn takes(setting: &Setting) -> Json {
    match setting.kind {
        Kind::Address => json!({"type": "string", "pattern": ADDRESS}),
        Kind::Path | Kind::Filter => json!({"type": "string", "minLength": 1}),
        Kind::Url => json!({"type": "string", "pattern": URL}),
        Kind::Database => json!({"type": "string", "pattern": "^postgres(ql)?://"}),
        Kind::Headers => json!({"type": "string", "pattern": HEADERS}),
        Kind::Name => json!({"type": "string", "minLength": 1, "maxLength": NAME_CHARS_MAX}),
        Kind::Choice => {
            let words: Vec<_> = setting.choices().into_iter().map(|(word, _)| word).collect();
            json!({"enum": words})
        }
        Kind::Flag => json!({"type": "boolean"}),
        Kind::Count { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
        Kind::Size { min, max } => json!({"oneOf": [
            {"type": "integer", "minimum": min, "maximum": max},
            {"type": "string", "pattern": SIZE},
        ]}),
        Kind::Span { min, max } => {
            let millis = |span: std::time::Duration| u64::try_from(span.as_millis()).ok();
            json!({"oneOf": [
                {"type": "integer", "minimum": millis(min), "maximum": millis(max)},
                {"type": "string", "pattern": SPAN},
            ]})
        }
        Kind::Rules => rules(),
    }
}

fn rules() -> Json {
    let name =
        |what| json!({"type": "string", "description": format!("Only runs of this {what}.")});
    let ended = ["completed", "failed", "cancelled", "timed_out"];
    // It is kept as long as all runs are, at least.
    let mut keep = setting("retention").map(takes).unwrap_or_default();
    keep["description"] = "How long, after their end.".into();
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "namespace": name("namespace"),
                "app": name("app"),
                "workflow": name("workflow"),
                "statuses": {
                    "type": "array",
                    "items": {"enum": ended},
                    "description": "Only runs that ended so; all where there is none.",
                },
                "keep": keep,
            },
            "required": ["keep"],
            "additionalProperties": false,
        },
    })
}
