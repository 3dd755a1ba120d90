//! Runs are copied out of one server and into another.

use std::net::SocketAddr;

use serde_json::{Value, json};
use stepwell_access::Role;

use crate::access::Keyed;
use crate::support::{Answer, Runner, get, out, post, request, server, stepwell};

const NDJSON: (&str, &str) = ("content-type", "application/x-ndjson");

async fn import(to: SocketAddr, query: &str, bundle: &str) -> Answer {
    request(to, &format!("POST /api/v1/runs/import{query}"), &[NDJSON], bundle.as_bytes()).await
}

/// Starts a run that completes, and one that waits for a runner.
async fn two_runs(to: SocketAddr) -> (String, String) {
    let mut runner = Runner::connect(to, json!([{"name": "pay", "version": "2"}])).await;
    let input = json!({"workflow": "pay", "input": {"order": 7}, "key": "order-7"});
    let done = post(to, "/api/v1/runs", &input).await.text("id");
    runner.run_one().await;
    get(to, &format!("/api/v1/runs/{done}/result?wait=20s")).await;
    let open = json!({"workflow": "pay", "runner": "green"});
    (done, post(to, "/api/v1/runs", &open).await.text("id"))
}

/// A run of which all is said but what is of this moment.
async fn shown(to: SocketAddr, run: &str) -> Value {
    get(to, &format!("/api/v1/runs/{run}")).await.json()
}

/// A run that was moved is shown as it was, and is found by its key.
#[tokio::test]
async fn a_run_is_moved_from_server_to_server() {
    let (from, into) = (server().await, server().await);
    let (run, _) = two_runs(from.address()).await;
    let copy = get(from.address(), &format!("/api/v1/runs/{run}/export")).await;
    assert_eq!(copy.status, 200);
    assert!(copy.headers.contains("content-type: application/x-ndjson"), "{}", copy.headers);
    let named = format!("content-disposition: attachment; filename=\"{run}.jsonl\"");
    assert!(copy.headers.contains(&named), "{}", copy.headers);
    assert_eq!(copy.body.lines().count(), 3 + 4, "a head, a run with four records, an end");

    let to = into.address();
    let told = import(to, "", &copy.body).await;
    let one = json!({"id": run, "outcome": "imported", "code": null, "detail": null});
    let all = json!({"imported": 1, "known": 0, "refused": 0, "runs": [one]});
    assert_eq!((told.status, told.json()), (200, all), "{told:?}");
    assert_eq!(shown(to, &run).await, shown(from.address(), &run).await);
    let list = get(to, "/api/v1/runs?key=order-7&status=completed").await.json();
    assert_eq!(list["runs"][0]["id"], json!(run));
    let again = get(to, &format!("/api/v1/runs/{run}/export")).await;
    assert_eq!(again.body.lines().nth(1), copy.body.lines().nth(1));

    let _runner = Runner::connect(to, json!([{"name": "pay", "version": "2"}])).await;
    let repeat = json!({"workflow": "pay", "input": {"order": 7}, "key": "order-7"});
    let started = post(to, "/api/v1/runs", &repeat).await;
    assert_eq!((started.status, started.text("id")), (200, run.clone()));
    let told = import(to, "", &copy.body).await.json();
    assert_eq!((&told["known"], &told["runs"][0]["outcome"]), (&json!(1), &json!("known")));
}

/// A run that had not ended is refused; taken in all the same it has ended, and a fork goes on with it.
#[tokio::test]
async fn a_run_that_had_not_ended_does_not_run_twice() {
    let (from, into) = (server().await, server().await);
    let (_, open) = two_runs(from.address()).await;
    let copy = get(from.address(), &format!("/api/v1/runs/{open}/export")).await.body;
    let to = into.address();
    let mut runner = Runner::connect(to, json!([{"name": "pay", "version": "2"}])).await;
    let told = import(to, "", &copy).await.json();
    assert_eq!((&told["refused"], &told["runs"][0]["code"]), (&json!(1), &json!("SW2013")));
    let detail = told["runs"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("is queued where it comes from"), "{detail}");
    assert_eq!(get(to, &format!("/api/v1/runs/{open}")).await.status, 404);

    let told = import(to, "?unfinished=end&reason=a%20report", &copy).await.json();
    assert_eq!(told["runs"][0]["outcome"], json!("ended"), "{told}");
    let run = shown(to, &open).await;
    assert_eq!(
        (&run["status"], &run["history"][0]["detail"]),
        (&json!("cancelled"), &json!("a report"))
    );
    let fork = post(to, &format!("/api/v1/runs/{open}/rerun"), &json!({})).await;
    assert_eq!(fork.status, 201, "{fork:?}");
    // It is pinned to another runner, so nothing of either reaches this one.
    runner.say(json!([{"ping": {"k": 1}}])).await;
    assert!(runner.hear("pong").await.is_object());
    assert_eq!(shown(from.address(), &open).await["status"], json!("queued"));
}

#[tokio::test]
async fn what_is_damaged_is_refused_with_its_place() {
    let (from, into) = (server().await, server().await);
    let (run, open) = two_runs(from.address()).await;
    let to = into.address();
    let copy = get(from.address(), &format!("/api/v1/runs/{run}/export")).await.body;
    let lines: Vec<&str> = copy.lines().collect();
    let changed = copy.replace("\"order\":7", "\"order\":8");
    let cut = lines[..lines.len() - 1].join("\n");
    for (body, line) in [("", "line 1 "), ("[]", "line 1 "), (&*changed, "line 6 ")] {
        let refused = import(to, "", body).await;
        assert_eq!((refused.status, refused.text("code")), (422, "SW2013".into()), "{refused:?}");
        assert!(refused.text("detail").starts_with(line), "{refused:?}");
    }
    assert_eq!(get(to, &format!("/api/v1/runs/{run}")).await.status, 404);
    // What stands in front of the damage is good.
    let refused = import(to, "", &cut).await;
    let detail = refused.text("detail");
    assert!(detail.contains("cut off") && detail.contains("1 were imported"), "{detail}");
    assert_eq!(get(to, &format!("/api/v1/runs/{run}")).await.status, 200);
    // The id of another run, with a hash that fits, is another run all the same.
    let other = get(from.address(), &format!("/api/v1/runs/{open}/export")).await.body;
    assert_eq!(import(to, "?unfinished=end", &other).await.json()["imported"], json!(1));

    let json = [("content-type", "application/json")];
    let refused = request(to, "POST /api/v1/runs/import", &json, copy.as_bytes()).await;
    assert_eq!((refused.status, refused.text("code")), (415, "SW1004".into()));
    for query in ["?unfinished=run", "?end=1", "?reason=%00"] {
        assert_eq!(import(to, query, &copy).await.status, 400, "{query}");
    }
    for path in ["/api/v1/runs/export?limit=5", "/api/v1/runs/export?status=done"] {
        assert_eq!(get(from.address(), path).await.text("code"), "SW1001", "{path}");
    }
    let none = "run_0193b5e4000070008000000000000000";
    let none = get(to, &format!("/api/v1/runs/{none}/export")).await;
    assert_eq!((none.status, none.text("code")), (404, "SW2001".into()));
}

/// §1: a copy comes into the namespace of the key, and an id that another namespace has is not taken over.
#[tokio::test]
async fn a_copy_comes_into_the_namespace_of_the_key() {
    let keyed = Keyed::start().await;
    keyed.namespace("here").await;
    keyed.namespace("there").await;
    let worker = keyed.key("there", Role::Worker).await;
    let client = keyed.key("there", Role::Client).await;
    drop(Runner::connect_with(keyed.to, Some(&worker), &json!([{"name": "pay"}])).await);
    let run = keyed.post("/api/v1/runs", &client, json!({"workflow": "pay"})).await.text("id");
    let operator = keyed.key("there", Role::Operator).await;
    keyed.post(&format!("/api/v1/runs/{run}/terminate"), &operator, json!({})).await;
    let copy = keyed.get(&format!("/api/v1/runs/{run}/export"), &operator).await.body;
    assert_eq!(keyed.get(&format!("/api/v1/runs/{run}/export"), &client).await.status, 403);

    let other = keyed.key("here", Role::Operator).await;
    let bearer = format!("Bearer {other}");
    let headers = [NDJSON, ("authorization", &*bearer)];
    let line = "POST /api/v1/runs/import";
    let told = request(keyed.to, line, &headers, copy.as_bytes()).await.json();
    assert_eq!(
        (&told["refused"], &told["runs"][0]["code"]),
        (&json!(1), &json!("SW2014")),
        "{told}"
    );
    assert_eq!(keyed.get(&format!("/api/v1/runs/{run}/export"), &other).await.status, 404);

    let gone = keyed.ask(&format!("DELETE /api/v1/runs/{run}"), Some(&operator), None).await;
    assert_eq!(gone.status, 200);
    let told = request(keyed.to, line, &headers, copy.as_bytes()).await.json();
    assert_eq!(told["imported"], json!(1), "{told}");
    assert_eq!(keyed.get(&format!("/api/v1/runs/{run}"), &other).await.text("namespace"), "here");
    assert_eq!(keyed.get(&format!("/api/v1/runs/{run}"), &operator).await.status, 404);
    let admin = keyed.key("here", Role::Admin).await;
    let rows = keyed.get("/api/v1/audit", &admin).await.json();
    assert_eq!(rows["rows"][0]["act"], json!("runs.import"), "{rows}");
    assert_eq!(rows["rows"][0]["object"], json!("1 imported, 0 known, 0 refused"));
}

/// Many runs go through a file, by filter and by id, and come back whole.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_copies_runs_through_files() {
    let (from, into) = (server().await, server().await);
    let to = from.address();
    let (run, open) = two_runs(to).await;
    for _ in 0..250 {
        let id = post(to, "/api/v1/runs", &json!({"workflow": "pay", "runner": "green"}))
            .await
            .text("id");
        post(to, &format!("/api/v1/runs/{id}/cancel"), &json!({})).await;
    }
    let (url, into_url) = (format!("http://{to}"), format!("http://{}", into.address()));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs.jsonl");
    let file = file.to_str().unwrap();
    let asked = ["runs", "export", "--status", "cancelled,completed", "-o", file];
    let done = stepwell(url.clone(), &asked).await;
    assert!(done.status.success(), "{done:?}");
    let note = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(note.starts_with("251 runs in "), "{note}");
    let done = stepwell(into_url.clone(), &["runs", "import", file]).await;
    let note = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(note, "251 imported, 0 there already, 0 refused\n", "{done:?}");
    assert_eq!(out(&done).lines().count(), 251);
    let counts = get(into.address(), "/api/v1/runs/counts").await.json();
    assert_eq!(counts["counts"]["cancelled"]["runs"], json!(250), "{counts}");
    let again = stepwell(into_url.clone(), &["runs", "import", file, "--json"]).await;
    assert!(out(&again).lines().all(|line| line.contains("\"known\"")), "{again:?}");

    // By id, to standard output; one that had not ended is refused, and said with its code.
    let two = stepwell(url.clone(), &["runs", "export", &run, &open]).await;
    std::fs::write(file, &two.stdout).unwrap();
    let refused = stepwell(into_url.clone(), &["runs", "import", file]).await;
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let note = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(note.contains("error[SW2013]: 1 runs were refused"), "{note}");
    let ended = stepwell(into_url.clone(), &["runs", "import", file, "--end-unfinished"]).await;
    assert!(ended.status.success(), "{ended:?}");

    // A file that was cut off is not sent at all.
    let text = std::fs::read_to_string(file).unwrap();
    std::fs::write(file, &text[..text.len() / 2]).unwrap();
    let cut = stepwell(into_url, &["runs", "import", file]).await;
    assert!(String::from_utf8_lossy(&cut.stderr).contains("error[SW2013]: line "), "{cut:?}");
    let which = stepwell(url, &["runs", "export"]).await;
    assert_eq!(which.status.code(), Some(2), "{which:?}");
}
