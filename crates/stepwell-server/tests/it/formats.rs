//! Folders of earlier formats: their runs go on.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use serde_json::json;
use stepwell_server::config::Config;
use stepwell_server::server;
use tempfile::TempDir;

use crate::support::{Runner, config, get};

/// Unpacks the folder of a format, as a server of it left it.
fn folder_of(format: u32) -> TempDir {
    let kept = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let kept = kept.join(format!("../stepwell-sqlite/fixtures/server-format-{format}"));
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(kept).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "gz") {
            let mut to = File::create(folder.path().join(path.file_stem().unwrap())).unwrap();
            io::copy(&mut GzDecoder::new(File::open(&path).unwrap()), &mut to).unwrap();
        }
    }
    folder
}

/// §4.9: a run of the first format that slept wakes, is given to a runner with what it had, and ends; one
/// that was blocked is tried again with another build.
#[tokio::test]
async fn runs_of_the_first_format_go_on() {
    let folder = folder_of(1);
    let config = Config { data: Some(folder.path().into()), ..config() };
    let server = server::start(&config).await.unwrap();
    let to = server.address();
    let list = get(to, "/api/v1/runs?workflow=nap").await.json();
    let run = list["runs"][0]["id"].as_str().unwrap().to_owned();

    let mut runner = Runner::connect(to, json!([{"name": "nap"}])).await;
    let activate = runner.hear("activate").await;
    assert_eq!(activate["run"], json!(run));
    let ended = activate["ended"].as_array().unwrap();
    assert_eq!((&ended[0]["step"], &ended[0]["output"]), (&json!("before"), &json!(42)));
    assert_eq!(ended[1]["step"], json!("nap"));
    let a = &activate["a"];
    runner.say(json!([{"finished": {"a": a, "output": 43}}])).await;
    let result = get(to, &format!("/api/v1/runs/{run}/result?wait=20s")).await.json();
    assert_eq!((&result["status"], &result["output"]), (&json!("completed"), &json!(43)));

    let list = get(to, "/api/v1/runs?status=blocked").await.json();
    let blocked = list["runs"][0]["id"].clone();
    let mut runner = Runner::connect(to, json!([{"name": "changed"}])).await;
    assert_eq!(runner.hear("activate").await["run"], blocked);
    server.stop().await;
}

/// §4.9: a run of the second format that was queued is given to the runner that it is pinned to, and ends; what
/// was started with a key is found by it.
#[tokio::test]
async fn runs_of_the_second_format_go_on() {
    let folder = folder_of(2);
    let config = Config { data: Some(folder.path().into()), ..config() };
    let server = server::start(&config).await.unwrap();
    let to = server.address();
    let list = get(to, "/api/v1/runs?status=queued").await.json();
    let run = list["runs"][0]["id"].as_str().unwrap().to_owned();
    let mut hello = Runner::hello(&json!([{"name": "noop"}]));
    (hello["app"], hello["runner"]) = (json!("bench"), json!("nobody"));
    let mut runner = Runner::open(to).await.unwrap();
    runner.say(json!([{"hello": hello}])).await;
    let activate = runner.hear("activate").await;
    assert_eq!((&activate["run"], &activate["input"]), (&json!(run), &json!(2)));
    runner.say(json!([{"finished": {"a": activate["a"], "output": 2}}])).await;
    let result = get(to, &format!("/api/v1/runs/{run}/result?wait=20s")).await.json();
    assert_eq!((&result["status"], &result["output"]), (&json!("completed"), &json!(2)));
    let keyed = get(to, "/api/v1/runs?key=order-7").await.json();
    assert_eq!(keyed["runs"][0]["status"], json!("completed"));
    server.stop().await;
}
