//! The command line as a process, against a server in this one.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Runner, out, server, stepwell};

/// Runs one run to its end through the command line, and looks at it in every way.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_started_listed_shown_and_followed() {
    let server = server().await;
    let to = server.address();
    let url = format!("http://{to}");
    let mut runner = Runner::connect(to, json!([{"name": "pay", "version": "2"}])).await;
    let run = tokio::spawn(async move {
        runner.run_one().await;
        runner
    });
    let start = ["runs", "start", "pay", "--input", "{\"order\": 7}", "--key", "k", "--wait"];
    let started = stepwell(url.clone(), &start).await;
    assert_eq!(started.status.code(), Some(0), "{started:?}");
    assert_eq!(out(&started), "\"done\"\n");
    let _runner = run.await.unwrap();

    let listed = stepwell(url.clone(), &["runs", "list", "--json"]).await;
    let row: Value = serde_json::from_str(out(&listed).trim()).unwrap();
    assert_eq!((&row["key"], &row["status"]), (&json!("k"), &json!("completed")));
    let id = row["id"].as_str().unwrap();
    let table = out(&stepwell(url.clone(), &["runs", "list"]).await);
    assert!(
        table.contains("RUN") && table.contains(id) && table.contains("✓ completed"),
        "{table}"
    );
    assert!(!table.contains('\u{1b}'), "colour in a pipe: {table}");

    let shown = out(&stepwell(url.clone(), &["runs", "show", id]).await);
    assert!(shown.contains("✓ charge") && shown.contains('█'), "{shown}");
    assert!(shown.contains("key k") && shown.contains("│0"), "{shown}");
    let tail = stepwell(url.clone(), &["runs", "tail", id, "--json"]).await;
    let whats: Vec<Value> = out(&tail)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["what"].take())
        .collect();
    assert_eq!(whats, [json!("accepted"), json!("completed"), json!("completed")]);

    let workflows = out(&stepwell(url.clone(), &["workflows"]).await);
    assert!(workflows.contains("pay") && workflows.contains("shop"), "{workflows}");
    let runners = out(&stepwell(url.clone(), &["runners", "--json"]).await);
    assert_eq!(serde_json::from_str::<Value>(&runners).unwrap()["name"], json!("blue"));
    let health = stepwell(url.clone(), &["doctor", "--json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&out(&health)).unwrap()["status"], json!("ok"));
    let told = out(&stepwell(url.clone(), &["doctor"]).await);
    assert!(told.contains(" of the log are not in tables yet"), "{told}");
    assert!(told.ends_with(" serves, and takes new runs\n"), "{told}");
    let missing = format!("run_{:032x}", 1);
    let refused = stepwell(url, &["runs", "show", &missing]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).starts_with("error[SW2001]: "), "{refused:?}");
}

/// A run that is cancelled while the command line waits for it is told by the exit code.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_does_not_complete_has_its_own_exit_code() {
    let server = server().await;
    let to = server.address();
    let url = format!("http://{to}");
    let mut runner = Runner::connect(to, json!([{"name": "pay"}])).await;
    let start = tokio::spawn(stepwell(url.clone(), &["runs", "start", "pay", "--wait"]));
    let activate = runner.hear("activate").await;
    let id = activate["run"].as_str().unwrap();
    let cancelled = stepwell(url, &["runs", "cancel", id, "--reason", "enough"]).await;
    assert_eq!(cancelled.status.code(), Some(0), "{cancelled:?}");
    runner.hear("end").await;
    runner.say(json!([{"finished": {"a": activate["a"]}}])).await;
    assert_eq!(start.await.unwrap().status.code(), Some(4));
}

#[test]
fn completions_are_printed_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run =
            Command::new(env!("CARGO_BIN_EXE_stepwell")).args(["completions", shell]).output();
        assert!(out(&run.unwrap()).contains("runs"), "{shell}");
    }
}

/// The documents are inside of the binary.
#[test]
fn pages_are_printed_by_their_names() {
    let docs = |topic: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_stepwell")).arg("docs").args(topic).output().unwrap()
    };
    let list = out(&docs(&[]));
    assert!(list.contains("testing") && list.contains("adr/0013") && !list.contains("SW4001"));
    for (topic, begin) in
        [("SW2001", "# SW2001: "), ("api", "# The HTTP API"), ("llms", "# Stepwell")]
    {
        let page = docs(&[topic]);
        assert_eq!(page.status.code(), Some(0), "{topic}");
        assert!(out(&page).starts_with(begin), "{topic}");
    }
    let none = docs(&["weather"]);
    let told = String::from_utf8_lossy(&none.stderr).into_owned();
    assert_eq!(none.status.code(), Some(2), "{told}");
    assert!(told.contains("there is no page on `weather`; there is: "), "{told}");
}

/// A node that is away is passed over.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_goes_to_the_next_address() {
    let server = server().await;
    let url = format!("http://127.0.0.1:1, http://{}", server.address());
    let health = stepwell(url, &["doctor", "--json"]).await;
    assert_eq!(health.status.code(), Some(0), "{health:?}");
    assert_eq!(serde_json::from_str::<Value>(&out(&health)).unwrap()["status"], json!("ok"));
    let nobody = "http://127.0.0.1:1,http://127.0.0.1:2".to_owned();
    let away = stepwell(nobody, &["doctor"]).await;
    assert_eq!(away.status.code(), Some(3), "{away:?}");
    let told = String::from_utf8_lossy(&away.stderr).into_owned();
    assert!(told.contains("at http://127.0.0.1:1 and http://127.0.0.1:2"), "{told}");
}
