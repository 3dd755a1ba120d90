//! `stepwell flows`.

use serde_json::{Value, json};

use super::sent::{Told, send, until};
use crate::support::{get, out, server, stepwell};

fn errors(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// §10.6: a file is begun, checked, pushed; what it declares is listed and shown.
#[tokio::test]
async fn a_file_is_begun_checked_and_pushed() {
    let server = server().await;
    let url = || format!("http://{}", server.address());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a/flows.json");
    let file = file.to_str().unwrap();
    let begun = stepwell(url(), &["flows", "init", "--file", file]).await;
    assert!(begun.status.success(), "{begun:?}");
    let again = stepwell(url(), &["flows", "init", "--file", file]).await;
    assert_eq!(again.status.code(), Some(2), "{again:?}");
    assert!(errors(&again).contains("--force"), "{again:?}");
    let forced = stepwell(url(), &["flows", "init", "--force", "--file", file]).await;
    assert!(forced.status.success(), "{forced:?}");
    let schema = std::fs::read_to_string(folder.path().join("a/flows.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let text: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert!(jsonschema::draft202012::new(&schema).unwrap().is_valid(&text), "{text}");
    assert_eq!(text["$schema"], "./flows.schema.json");

    let checked = stepwell(url(), &["flows", "check", file]).await;
    assert!(out(&checked).contains("1 flow, nothing is wrong"), "{checked:?}");
    let pushed = stepwell(url(), &["flows", "push", file]).await;
    assert_eq!(out(&pushed), "checkout: declared, 3 steps\n");
    let pushed = stepwell(url(), &["flows", "push", file]).await;
    assert_eq!(out(&pushed), "checkout: as it was, 3 steps\n");
    let listed = out(&stepwell(url(), &["flows", "list"]).await);
    assert!(listed.contains("checkout") && listed.contains("3 steps"), "{listed}");
    let shown = out(&stepwell(url(), &["flows", "show", "checkout"]).await);
    assert!(shown.contains("Checkout (checkout), declared"), "{shown}");
    assert!(shown.contains("validate-cart"), "{shown}");
    let unknown = stepwell(url(), &["flows", "show", "nothing"]).await;
    assert!(errors(&unknown).contains("SW2016"), "{unknown:?}");
}

/// §10.6: everything that is wrong is said with its place, and nothing of such a file is pushed.
#[tokio::test]
async fn what_is_wrong_with_a_file_is_said() {
    let server = server().await;
    let url = || format!("http://{}", server.address());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("flows.json");
    let wrong = json!({"flows": [
        {"slug": "good", "steps": [{"key": "a"}]},
        {"slug": "bad", "steps": [{"key": "a"}, {"kee": "b"}], "edges": [["a", "z"]], "stuckAfter": "soon"},
    ]});
    std::fs::write(&file, wrong.to_string()).unwrap();
    let file = file.to_str().unwrap();
    for command in ["check", "push"] {
        let output = stepwell(url(), &["flows", command, file]).await;
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let text = out(&output);
        for place in ["flows[1].steps[1]", "flows[1].edges[0]", "flows[1].stuckAfter"] {
            assert!(text.contains(place) && text.contains("accepted"), "{text}");
        }
    }
    assert_eq!(get(server.address(), "/api/v1/flows").await.json()["flows"], json!([]));
    let missing = stepwell(url(), &["flows", "check", "/nowhere/flows.json"]).await;
    assert_eq!(missing.status.code(), Some(1));
}

/// §10.6: a file is made of what runs show, and a file of failpath is read.
#[tokio::test]
async fn a_file_is_made_of_what_runs_show() {
    let server = server().await;
    let (to, url) = (server.address(), || format!("http://{}", server.address()));
    let told = Told { flow: "mails", run: "m" };
    for (at, step) in ["render", "send"].into_iter().enumerate() {
        let ago = 9_000 - 2_000 * at as u64;
        let call = [
            told.event((step, step), "running", ago),
            told.event((step, step), "success", ago - 1_000),
        ];
        send(to, &call).await;
    }
    until(to, &told.path(), |run| run["events"] == 4).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("flows.json");
    let asked = ["flows", "init", "--from-server", "mails", "--file", file.to_str().unwrap()];
    let made = stepwell(url(), &asked).await;
    assert!(made.status.success(), "{made:?}");
    let text: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let flow = &text["flows"][0];
    assert_eq!((&flow["slug"], &flow["edges"]), (&json!("mails"), &json!([["render", "send"]])));
    let theirs = json!({"flow": {"slug": "failing", "name": "Failing"}, "version": 3,
        "steps": [{"sdkStepKey": "a", "name": "A"}, {"sdkStepKey": "b", "name": "B"}],
        "edges": [{"source": "a", "target": "b"}]});
    std::fs::write(&file, theirs.to_string()).unwrap();
    let pushed = stepwell(url(), &["flows", "push", file.to_str().unwrap()]).await;
    assert_eq!(out(&pushed), "failing: declared, 2 steps\n");
}
