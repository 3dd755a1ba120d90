//! How large data is made small: an agent reads all that it is given, and a run may be megabytes.

use serde_json::{Map, Value, json};

/// Members that hold payloads: whatever a program made of them is one value here.
const PAYLOADS: [&str; 9] = [
    "input",
    "output",
    "data",
    "match",
    "metadata",
    "cause",
    "inputSchema",
    "outputSchema",
    "search",
];

/// Lists of which the last entries tell most.
const GROWING: [&str; 6] =
    ["logs", "attempts", "activations", "history", "runsStarted", "waitsWoken"];

/// Most entries of such a list.
const ENTRIES_MAX: usize = 50;

/// Most characters of a text that is no payload: a message, a reason.
const TEXT_CHARS_MAX: usize = 2_000;

/// Cuts a text after so many characters, and says that it did.
pub(crate) fn text(text: &str, chars_max: usize) -> Option<String> {
    let (end, _) = text.char_indices().nth(chars_max)?;
    let begin = text.get(..end).unwrap_or_default();
    Some(format!("{begin}… ({} of {} characters)", chars_max, text.chars().count()))
}

/// Cuts payloads after so many characters of their JSON, long texts, and long lists.
///
/// A payload that is cut is `{"cut": "the beginning of its JSON …", "characters": 12345}` in its place.
pub(crate) fn value(value: &mut Value, payload_chars: usize) {
    match value {
        Value::Object(members) => object(members, payload_chars),
        Value::Array(items) => items.iter_mut().for_each(|item| self::value(item, payload_chars)),
        Value::String(long) => {
            if let Some(cut) = text(long, TEXT_CHARS_MAX) {
                *long = cut;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn object(members: &mut Map<String, Value>, payload_chars: usize) {
    let mut left_out = Vec::new();
    for (name, member) in members.iter_mut() {
        // `error` has a cause, which is an error again, and a stack.
        if PAYLOADS.contains(&&**name) || name == "stack" {
            payload(member, payload_chars);
            continue;
        }
        if let Value::Array(items) = member
            && GROWING.contains(&&**name)
            && items.len() > ENTRIES_MAX
        {
            let count = items.len() - ENTRIES_MAX;
            items.drain(..count);
            left_out.push((format!("{name}LeftOut"), json!(count)));
        }
        value(member, payload_chars);
    }
    members.extend(left_out);
}

fn payload(value: &mut Value, chars_max: usize) {
    let written = value.to_string();
    let Some((end, _)) = written.char_indices().nth(chars_max) else { return };
    let begin = written.get(..end).unwrap_or_default();
    *value = json!({ "cut": format!("{begin}…"), "characters": written.chars().count() });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(mut given: Value, payload_chars: usize) -> Value {
        value(&mut given, payload_chars);
        given
    }

    #[test]
    fn payloads_are_cut_and_say_how_large_they_are() {
        let long = "ä".repeat(20);
        assert_eq!(
            cut(json!({ "output": { "text": long }, "status": "completed", "input": [1, 2] }), 12),
            json!({
                "output": { "cut": format!("{{\"text\":\"{}…", "ä".repeat(3)), "characters": 31 },
                "status": "completed", "input": [1, 2],
            })
        );
        assert_eq!(cut(json!({ "input": "ab" }), 4), json!({ "input": "ab" }));
        let none = cut(json!({ "steps": [{ "output": 7 }] }), 0);
        assert_eq!(none, json!({ "steps": [{ "output": { "cut": "…", "characters": 1 } }] }));
    }

    #[test]
    fn long_texts_and_lists_are_cut() {
        let logs: Vec<Value> = (0..60).map(|n| json!({ "message": n })).collect();
        let shown = cut(json!({ "logs": logs, "why": "x".repeat(3_000) }), 500);
        assert_eq!(shown["logsLeftOut"], 10);
        assert_eq!(shown["logs"].as_array().unwrap().len(), 50);
        assert_eq!(shown["logs"][0]["message"], 10);
        let why = shown["why"].as_str().unwrap();
        assert!(why.ends_with("x… (2000 of 3000 characters)"), "{why}");
    }
}
