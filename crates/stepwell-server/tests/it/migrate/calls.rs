//! The command, and what it tells.

use std::path::Path;
use std::process::Output;

use serde_json::Value;
use stepwell_postgres::testing::Place;
use stepwell_server::config::Config;
use stepwell_server::server::{self, Server};

use crate::backup::offline;
use crate::support::{config, out};

/// The flags that name a database, as `--from…` or `--to…`.
pub(super) fn database(side: &str, place: &Place) -> Vec<String> {
    let options = place.options();
    vec![format!("--{side}"), options.url, format!("--{side}-schema"), options.schema]
}

/// The flags that name a folder.
pub(super) fn folder(side: &str, path: &Path) -> Vec<String> {
    vec![format!("--{side}"), path.to_str().unwrap().to_owned()]
}

/// Moves, with more flags.
pub(super) fn migrate(from: &[String], to: &[String], more: &[&str]) -> Output {
    let mut all = vec!["migrate"];
    all.extend(from.iter().chain(to).map(String::as_str));
    all.extend(more);
    offline(&all)
}

/// Moves everything; returns what was told.
pub(super) fn moved(from: &[String], to: &[String]) -> Value {
    let output = migrate(from, to, &["--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let told: Value = serde_json::from_str(out(&output).trim()).unwrap();
    for kind in told["kinds"].as_array().unwrap() {
        assert_eq!((&kind["same"], &kind["from"]), (&Value::Bool(true), &kind["to"]), "{told}");
    }
    told
}

/// The hash of each kind, and how many there are.
pub(super) fn sums(told: &Value) -> Vec<(String, u64, String)> {
    let sum = |kind: &Value| {
        let text = |name: &str| kind[name].as_str().unwrap().to_owned();
        (text("kind"), kind["count"].as_u64().unwrap(), text("to"))
    };
    told["kinds"].as_array().unwrap().iter().map(sum).collect()
}

/// A server on a folder, with keys where it is asked for them.
pub(super) async fn on_folder(path: &Path) -> Server {
    server::start(&Config { data: Some(path.to_owned()), ..config() }).await.unwrap()
}
