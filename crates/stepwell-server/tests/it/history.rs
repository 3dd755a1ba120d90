//! The event log of a run.

use serde_json::{Value, json};

use crate::support::{Runner, get, out, post, server, stepwell};

fn kinds(records: &Value) -> Vec<String> {
    let all = records.as_array().unwrap().iter();
    all.map(|one| one["kind"].as_str().unwrap().to_owned()).collect()
}

/// Every record is told, in order and as it was written, whatever the size of pages.
#[tokio::test]
async fn a_history_is_the_journal_page_by_page() {
    let server = server().await;
    let to = server.address();
    let mut runner = Runner::connect(to, json!([{"name": "pay", "version": "2"}])).await;
    let input = json!({"order": 7});
    let body = json!({"workflow": "pay", "input": input});
    let run = post(to, "/api/v1/runs", &body).await.text("id");
    runner.run_one().await;
    let result = get(to, &format!("/api/v1/runs/{run}/result?wait=20s")).await;
    assert_eq!(result.status, 200);

    let path = format!("/api/v1/runs/{run}/history");
    let whole = get(to, &path).await.json();
    let expected = ["started", "activated", "stepEnded", "ended"];
    assert_eq!(
        (kinds(&whole["records"]), &whole["next"]),
        (expected.map(String::from).to_vec(), &Value::Null)
    );
    let records = whole["records"].as_array().unwrap();
    assert_eq!(records[0]["content"]["input"], input);
    assert_eq!(records[2]["content"]["output"], json!({"paid": true}));
    let shown = get(to, &format!("/api/v1/runs/{run}")).await.json();
    assert_eq!(records[0]["at"], shown["createdAt"]);
    assert_eq!(records[3]["at"], shown["endedAt"]);
    assert_eq!(records[3]["journalBytes"], shown["journalBytes"]);

    let stored = run.parse().unwrap();
    let journal = server.node().read(move |store| store.load(stored)).await.unwrap().unwrap();
    let again = records.iter().map(|one| format!("{{{}:{}}},", one["kind"], one["content"]));
    let again: String = again.collect();
    let read = |text: &[u8]| {
        let text = String::from_utf8(text.to_vec()).unwrap();
        serde_json::from_str::<Value>(&format!("[{}]", text.trim_end_matches(','))).unwrap()
    };
    assert_eq!(read(again.as_bytes()), read(&journal));

    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = get(to, &format!("{path}?limit=1{cursor}")).await.json();
        paged.extend(page["records"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(&json!(paged), &whole["records"]);
}

#[tokio::test]
async fn what_is_not_accepted_is_said() {
    let server = server().await;
    let to = server.address();
    drop(Runner::connect(to, json!([{"name": "pay"}])).await);
    let run = post(to, "/api/v1/runs", &json!({"workflow": "pay"})).await.text("id");
    for (query, says) in [
        ("?limit=0", "`limit` is `0`; accepted: 1 to 1000"),
        ("?limit=1001", "accepted: 1 to 1000"),
        ("?cursor=-1", "`cursor` is `-1`; accepted: the `next` of the page before"),
        ("?order=newest", "unknown field `order`"),
    ] {
        let refused = get(to, &format!("/api/v1/runs/{run}/history{query}")).await;
        assert_eq!((refused.status, refused.text("code")), (400, "SW1001".into()), "{query}");
        assert!(refused.text("detail").contains(says), "{query}: {refused:?}");
    }
    let none = get(to, "/api/v1/runs/run_0193b5e4000070008000000000000000/history").await;
    assert_eq!((none.status, none.text("code")), (404, "SW2001".into()));
    let behind = get(to, &format!("/api/v1/runs/{run}/history?cursor=99999999999999999999")).await;
    assert_eq!(behind.status, 400);
    let behind = get(to, &format!("/api/v1/runs/{run}/history?cursor=9")).await.json();
    assert_eq!((&behind["records"], &behind["next"]), (&json!([]), &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_prints_a_history() {
    let server = server().await;
    let to = server.address();
    let url = format!("http://{to}");
    let _runner = Runner::connect(to, json!([{"name": "pay"}])).await;
    let body = json!({"workflow": "pay", "input": "x".repeat(300), "runner": "green"});
    let run = post(to, "/api/v1/runs", &body).await.text("id");
    let cut = out(&stepwell(url.clone(), &["runs", "history", &run]).await);
    let line: Vec<_> = cut.split_whitespace().collect();
    assert_eq!((line[0], line[2], cut.lines().count()), ("1", "started", 1), "{cut}");
    assert!(cut.trim_end().ends_with('…'), "{cut}");
    let full = out(&stepwell(url.clone(), &["runs", "history", &run, "--full"]).await);
    assert!(full.contains(&"x".repeat(300)) && full.trim_end().ends_with('}'), "{full}");
    let lines = out(&stepwell(url, &["runs", "history", &run, "--json"]).await);
    let one: Value = serde_json::from_str(&lines).unwrap();
    assert_eq!((&one["n"], &one["content"]["runner"]), (&json!(1), &json!("green")));
}
