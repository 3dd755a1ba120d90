//! Observed and durable runs in one list, and side by side.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::sent::{Told, send, until};
use crate::support::{Runner, get, post, request, server};

async fn start(to: SocketAddr, workflow: &str) -> String {
    post(to, "/api/v1/runs", &json!({"workflow": workflow})).await.text("id")
}

fn names(list: &Value) -> Vec<String> {
    let rows = list["runs"].as_array().unwrap().iter();
    rows.map(|row| row["run"].as_str().or_else(|| row["id"].as_str()).unwrap().to_owned()).collect()
}

/// Pages of both kinds: each run is on one page, once, newest first, while others come.
#[tokio::test]
async fn both_kinds_are_read_page_by_page() {
    let server = server().await;
    let to = server.address();
    drop(Runner::connect(to, json!([{"name": "pay"}])).await);
    let mut wanted = BTreeSet::new();
    for n in 0..7_u64 {
        wanted.insert(start(to, "pay").await);
        let run = format!("req-{n}");
        let told = Told { flow: "checkout", run: &run };
        // Some at once, some from before all others.
        let ago = if n % 2 == 0 { 0 } else { 3_600_000 + n };
        send(to, &[told.event(("charge", "c"), "running", ago)]).await;
        wanted.insert(run);
    }
    let all = until(to, "/api/v1/runs?kind=all", |list| names(list).len() == 14).await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = get(to, &format!("/api/v1/runs?kind=all&limit=3{cursor}")).await.json();
        assert_eq!(page["stale"], false);
        seen.extend(names(&page));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
        // What comes meanwhile is on no page: it is newer than all of them.
        start(to, "pay").await;
        let late = format!("late-{}", seen.len());
        let told = Told { flow: "checkout", run: &late };
        let mut event = told.event(("charge", "c"), "running", 0);
        event["at"] = stepwell_http::gate::now().to_string().into();
        send(to, &[event]).await;
    }
    assert_eq!(seen, names(&all));
    assert_eq!(seen.iter().cloned().collect::<BTreeSet<_>>(), wanted);
    let at = |row: &Value| {
        let at = row["createdAt"].as_str().or_else(|| row["startedAt"].as_str());
        at.unwrap().to_owned()
    };
    let ats: Vec<_> = all["runs"].as_array().unwrap().iter().map(at).collect();
    assert!(ats.is_sorted_by(|a, b| a >= b), "{ats:?}");
    let kinds: BTreeSet<_> =
        all["runs"].as_array().unwrap().iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, BTreeSet::from(["durable", "observed"]));
}

/// Filters mean the same for both kinds, and what observed runs do not have leaves them out.
#[tokio::test]
async fn filters_are_for_both_kinds() {
    let server = server().await;
    let to = server.address();
    let names_of_workflows = json!([{"name": "checkout"}, {"name": "other"}]);
    let _runner = Runner::connect(to, names_of_workflows).await;
    let durable =
        post(to, "/api/v1/runs", &json!({"workflow": "checkout", "key": "k"})).await.text("id");
    let (one, two) =
        (Told { flow: "checkout", run: "req-a" }, Told { flow: "mails", run: "req-b" });
    send(
        to,
        &[one.event(("s", "c"), "running", 300_000), one.event(("s", "c"), "success", 299_000)],
    )
    .await;
    send(to, &[two.event(("s", "c"), "running", 300_000), two.threw(("s", "c"), "no", 299_000)])
        .await;
    until(to, "/api/v1/runs?kind=all", |list| names(list).len() == 3).await;
    for (query, wanted) in [
        ("kind=all", &[&*durable, "req-a", "req-b"][..]),
        ("kind=durable", &[&durable]),
        ("", &[&durable]),
        ("kind=observed", &["req-a", "req-b"]),
        ("kind=all&workflow=checkout", &[&durable, "req-a"]),
        ("kind=observed&status=failed", &["req-b"]),
        ("kind=all&status=completed", &["req-a"]),
        ("kind=all&status=queued,running,failed", &[&durable, "req-b"]),
        ("kind=all&status=queued,waiting", &[]),
        ("kind=all&status=stuck", &[]),
        ("kind=all&q=req-b", &["req-b"]),
        ("kind=all&key=k", &[&durable]),
        ("kind=all&app=shop", &[&durable]),
        ("kind=observed&app=shop", &[]),
        ("kind=all&from=1m", &[&durable]),
        ("kind=all&to=1m", &["req-a", "req-b"]),
    ] {
        let list = get(to, &format!("/api/v1/runs?{query}")).await;
        assert_eq!(list.status, 200, "{query}: {list:?}");
        // The runner may have been given the run meanwhile.
        let mut found = names(&list.json());
        if query.contains("queued,waiting") {
            found.retain(|name| *name != durable);
        }
        let found: BTreeSet<_> = found.iter().map(String::as_str).collect();
        assert_eq!(found, wanted.iter().copied().collect(), "{query}");
    }
    for (query, part) in [
        ("kind=some", "durable, observed or all"),
        ("kind=all&status=lost", "accepted"),
        ("kind=all&cursor=x", "`next` of a page"),
        ("kind=all&limit=501", "1 to 500"),
    ] {
        let refused = get(to, &format!("/api/v1/runs?{query}")).await;
        assert_eq!(refused.status, 400, "{query}: {refused:?}");
        assert!(refused.text("detail").contains(part), "{refused:?}");
    }
    let counted = get(to, "/api/v1/runs/counts?kind=all").await;
    assert_eq!(counted.status, 400, "{counted:?}");
}

/// A durable run shows the observed runs of its id and of its trace; these name it.
#[tokio::test]
async fn a_durable_run_finds_what_was_observed_beside_it() {
    let server = server().await;
    let to = server.address();
    drop(Runner::connect(to, json!([{"name": "pay"}])).await);
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let traceparent = format!("00-{trace}-b7ad6b7169203331-01");
    let headers = [("content-type", "application/json"), ("traceparent", &*traceparent)];
    let body = json!({"workflow": "pay"}).to_string();
    let traced = request(to, "POST /api/v1/runs", &headers, body.as_bytes()).await.text("id");
    let plain = start(to, "pay").await;
    let same = Told { flow: "checkout", run: &plain };
    send(to, &[same.event(("charge", "c"), "running", 0)]).await;
    let mut in_trace = Told { flow: "mails", run: "m-1" }.event(("send", "c"), "running", 0);
    in_trace["trace"] = trace.into();
    let other = Told { flow: "mails", run: "m-2" }.event(("send", "c"), "running", 0);
    send(to, &[in_trace, other]).await;
    for (durable, wanted) in [(&traced, "m-1"), (&plain, &*plain)] {
        let path = format!("/api/v1/runs/{durable}/observed");
        let beside = until(to, &path, |beside| !names(beside).is_empty()).await;
        assert_eq!(names(&beside), [wanted]);
        assert_eq!(beside["runs"][0]["durableRun"], json!(durable));
    }
    let shown = get(to, &same.path()).await.json();
    assert_eq!(shown["durableRun"], json!(plain));
    let alone = get(to, "/api/v1/flows/mails/runs/m-2").await.json();
    assert_eq!(alone["durableRun"], Value::Null);
    let none = get(to, "/api/v1/runs/run_00000000000070008000000000000001/observed").await;
    assert_eq!((none.status, &*none.text("code")), (404, "SW2001"));
}

/// Who watches is told that something was observed, or declared.
#[tokio::test]
async fn the_stream_tells_of_flows() {
    let server = server().await;
    let to = server.address();
    let mut stream = TcpStream::connect(to).await.unwrap();
    let ask = format!("GET /api/v1/stream HTTP/1.1\r\nhost: {to}\r\n\r\n");
    stream.write_all(ask.as_bytes()).await.unwrap();
    let mut heard = String::new();
    hear(&mut stream, &mut heard, "event: hello").await;
    let told = Told { flow: "checkout", run: "r" };
    send(to, &[told.event(("charge", "c"), "running", 0)]).await;
    hear(&mut stream, &mut heard, r#""runners":false,"flows":true"#).await;
    heard.clear();
    let body = json!({"steps": [{"key": "charge"}]}).to_string();
    let json = [("content-type", "application/json")];
    let put = request(to, "PUT /api/v1/flows/checkout", &json, body.as_bytes()).await;
    assert_eq!(put.status, 200, "{put:?}");
    hear(&mut stream, &mut heard, r#""flows":true"#).await;
}

async fn hear(stream: &mut TcpStream, heard: &mut String, wanted: &str) {
    let mut bytes = [0; 4_096];
    while !heard.contains(wanted) {
        let read = stream.read(&mut bytes).await.unwrap();
        assert_ne!(read, 0, "the stream ended: {heard}");
        heard.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
}
