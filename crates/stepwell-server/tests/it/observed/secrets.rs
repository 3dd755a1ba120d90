//! Secrets end to end: none is stored, and none is shown.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::sent::{Told, send, until};
use crate::support::{get, server_on};

const VECTORS: &str = include_str!("../../../../../spec/redaction.json");

/// Every file below a folder, as bytes.
fn files(folder: &Path, all: &mut Vec<Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, all);
        } else {
            all.push(std::fs::read(path).unwrap());
        }
    }
}

/// The texts in a value, however deep.
fn texts(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::String(text) => all.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| texts(value, all)),
        Value::Object(fields) => fields.values().for_each(|value| texts(value, all)),
        _ => {}
    }
}

/// §10.7: of the secrets of the vectors none is in an answer or in a file of the data folder, wherever it was put; and what
/// is harmless stays as it was.
#[tokio::test]
async fn no_secret_is_stored_or_shown() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let server = server_on(folder.path()).await;
    let to = server.address();
    let told = Told { flow: "vectors", run: "r" };
    let secret = vectors["secret"].as_array().unwrap();
    let harmless = vectors["harmless"].as_array().unwrap();
    assert!(secret.len() >= 200 && harmless.len() >= 200);
    let mut events = Vec::new();
    for (at, one) in secret.iter().chain(harmless).enumerate() {
        let (step, call) = (format!("step-{at}"), format!("c-{at}"));
        let mut event = told.threw((&step, &call), "nothing", 300_000);
        let key = one["key"].as_str().unwrap();
        event["metadata"] = json!({key: one["value"], "beside": "kept"});
        event["runMetadata"] = json!({format!("of{at}"): {key: one["value"]}});
        events.push(event);
    }
    // In texts: as a program would print them.
    let mark = "hunter2-in-a-text";
    let message = format!("cannot log in: password={mark}, Authorization: Bearer {mark}.{mark}");
    events.push(told.threw(("text", "c"), &message, 300_000));
    send(to, &events).await;
    let wanted = events.len();
    let run = until(to, &told.path(), |run| run["events"] == wanted).await;
    let steps = run["steps"].as_array().unwrap();
    let metadata = |at: usize| {
        let key = format!("step-{at}");
        let step = steps.iter().find(|step| step["key"] == *key).unwrap();
        step["attempts"][0]["metadata"].clone()
    };
    for (at, one) in secret.iter().enumerate() {
        let key = one["key"].as_str().unwrap();
        let shown = metadata(at);
        assert_ne!(shown[key], one["value"], "{one} is shown");
        assert!(shown.to_string().contains("[redacted]"), "{one}: {shown}");
        assert_eq!(shown["beside"], "kept", "{one}: {shown}");
    }
    for (at, one) in harmless.iter().enumerate() {
        let key = one["key"].as_str().unwrap();
        assert_eq!(metadata(secret.len() + at)[key], one["value"], "{one} does not stay");
    }
    let pages = [
        run.to_string(),
        get(to, "/api/v1/flows/vectors/runs").await.body,
        get(to, "/api/v1/flows/vectors/errors").await.body,
        get(to, "/api/v1/runs?kind=all").await.body,
    ];
    server.stop().await;
    let mut stored = Vec::new();
    files(folder.path(), &mut stored);
    let is_anywhere = |text: &str| {
        let is_in = |bytes: &[u8]| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        pages.iter().any(|page| page.contains(text)) || stored.iter().any(|file| is_in(file))
    };
    assert!(is_anywhere("kept"), "what was sent is looked for where it is not");
    assert!(!is_anywhere(mark), "a secret in a text is stored or shown");
    let values = secret_texts(&run, secret, harmless);
    assert!(values.len() > 20, "only {} values are looked for", values.len());
    for value in values {
        assert!(!is_anywhere(&value), "{value} is stored or shown");
    }
}

/// Texts that are secrets as a whole, and in nothing that is harmless. Of others a part is the secret, which a test of
/// the vectors themselves tells.
fn secret_texts(run: &Value, secret: &[Value], harmless: &[Value]) -> BTreeSet<String> {
    let mut kept = vec!["nothing kept".to_owned()];
    for one in harmless {
        texts(&one["value"], &mut kept);
    }
    let mut found = Vec::new();
    for one in secret.iter().filter(|one| metadata_is_gone(one, run, secret)) {
        texts(&one["value"], &mut found);
    }
    let is_secret =
        |text: &String| text.len() >= 8 && !kept.iter().any(|other| other.contains(text.as_str()));
    found.into_iter().filter(is_secret).collect()
}

/// Tells whether nothing of a value was left.
fn metadata_is_gone(one: &Value, run: &Value, all: &[Value]) -> bool {
    let at = all.iter().position(|other| other == one).unwrap();
    let key = format!("step-{at}");
    let step = run["steps"].as_array().unwrap().iter().find(|step| step["key"] == *key);
    let key = one["key"].as_str().unwrap();
    step.is_some_and(|step| step["attempts"][0]["metadata"][key] == "[redacted]")
}
