//! Lists of runs and events, counts, and runs by the minute.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use stepwell_core::id::RunId;
use stepwell_core::search::Attributes;
use stepwell_core::status::RunStatus;
use stepwell_core::summary::{ErrorLine, Summary};
use stepwell_core::time::Timestamp;
use stepwell_store::Store;
use stepwell_store::batch::{Batch, RunWrite};

use crate::support::{FaultyStore, get, post, server};

const MINUTE: Duration = Duration::from_mins(1);

fn now() -> Timestamp {
    Timestamp::from_micros(0).after(std::time::UNIX_EPOCH.elapsed().unwrap())
}

/// A run as a store has it: failed with an error, or completed.
fn ended(at: Timestamp, entropy: u128, error: Option<&str>) -> RunWrite {
    let id = RunId::new(at, (entropy << 80) | (0xbeef << 48));
    let error =
        error.map(|message| ErrorLine { name: "PaymentError".into(), message: message.into() });
    let summary = Summary {
        id,
        namespace: "default".into(),
        app: "shop".into(),
        workflow: "pay".into(),
        key: Some(format!("order-{entropy}").into()),
        status: if error.is_some() { RunStatus::Failed } else { RunStatus::Completed },
        created_at: at,
        started_at: Some(at),
        ended_at: Some(at),
        version: None,
        ready_since: None,
        timer_at: None,
        active: false,
        steps: 0,
        steps_ended: 0,
        steps_failed: 0,
        blocked: None,
        journal_bytes: 0,
        parent: None,
        error,
        search: Attributes::new(),
    };
    RunWrite { run: id, records: Vec::new(), summary, waits: Arc::default() }
}

fn keys(list: &Value) -> Vec<&str> {
    list["runs"].as_array().unwrap().iter().map(|run| run["key"].as_str().unwrap()).collect()
}

/// §9.4: by the end of an id, by a text whatever its case, and counted by status.
#[tokio::test]
async fn runs_are_found_by_id_and_text_and_counted() {
    let store = FaultyStore::default();
    let at = now().before(MINUTE);
    let runs = vec![
        ended(at, 1, None),
        ended(at.after(Duration::from_millis(5)), 2, Some("Card declined")),
        ended(at.after(Duration::from_millis(9)), 3, Some("no answer")),
    ];
    let failed = runs[1].run.to_string();
    store.commit(&Batch { runs, ..Batch::default() }).unwrap();
    let server = store.server().await;
    let to = server.address();
    let list = get(to, "/api/v1/runs?q=cARD").await.json();
    assert_eq!(keys(&list), ["order-2"]);
    let error = json!({"name": "PaymentError", "message": "Card declined"});
    assert_eq!(list["runs"][0]["error"], error);
    let (whole, end) = (format!("id={failed}"), format!("id={}&status=completed", &failed[20..]));
    for (query, found) in [
        ("q=paymenterror&status=failed", &["order-3", "order-2"][..]),
        ("q=ORDER-1", &["order-1"]),
        ("q=nowhere", &[]),
        ("id=BEEF", &["order-3", "order-2", "order-1"]),
        ("id=abcdef", &[]),
        (&whole, &["order-2"]),
        (&end, &[]),
    ] {
        let list = get(to, &format!("/api/v1/runs?{query}")).await.json();
        assert_eq!(keys(&list), found, "{query}");
        assert_eq!(list["next"], Value::Null, "{query}");
    }
    let counts = get(to, "/api/v1/runs/counts?app=shop&status=queued").await.json();
    assert_eq!(counts["counts"]["failed"], json!({"runs": 2, "orMore": false}));
    assert_eq!(counts["counts"]["completed"], json!({"runs": 1, "orMore": false}));
    assert_eq!(counts["counts"].as_object().unwrap().len(), RunStatus::ALL.len());
    let counts = get(to, "/api/v1/runs/counts?q=card").await.json();
    assert_eq!(counts["counts"]["failed"]["runs"], json!(1));
    server.stop().await;
}

/// Ended runs are counted by the minute; what was counted once is told again.
#[tokio::test]
async fn ended_runs_are_counted_by_the_minute() {
    let store = FaultyStore::default();
    let now = now();
    let ago = |minutes: u32| now.before(MINUTE * minutes);
    let runs = vec![
        ended(ago(3), 1, None),
        ended(ago(3), 2, Some("no")),
        ended(ago(7), 3, None),
        ended(ago(90), 4, None),
    ];
    store.commit(&Batch { runs, ..Batch::default() }).unwrap();
    let server = store.server().await;
    let to = server.address();
    for (query, whole, failed) in [
        ("", 3, 1),
        ("", 3, 1),
        ("?minutes=5&app=shop&workflow=pay", 2, 1),
        ("?minutes=120", 4, 1),
        ("?app=other", 0, 0),
    ] {
        let answer = get(to, &format!("/api/v1/runs/activity{query}")).await.json();
        let minutes = answer["minutes"].as_array().unwrap();
        let sum = |name: &str| minutes.iter().map(|one| one[name].as_u64().unwrap()).sum::<u64>();
        assert_eq!((sum("ended"), sum("failed")), (whole, failed), "{query}");
        assert!(minutes.iter().all(|one| one["orMore"] == json!(false)), "{query}");
        let from = Timestamp::parse_iso(answer["from"].as_str().unwrap()).unwrap();
        let span = MINUTE * u32::try_from(minutes.len()).unwrap();
        assert!(from.after(span) > now && from.after(span) <= now.after(MINUTE * 2), "{query}");
    }
    server.stop().await;
}

/// §8.10: without a name all events are listed, newest first, each with how much it did.
#[tokio::test]
async fn events_of_all_names_are_listed() {
    let server = server().await;
    let to = server.address();
    for (event, id) in [("paid", "1"), ("sent", "2"), ("paid", "3")] {
        post(to, "/api/v1/events", &json!({"event": event, "id": id})).await;
    }
    let ids = |list: &Value| -> Vec<String> {
        let events = list["events"].as_array().unwrap().iter();
        events.map(|event| event["id"].as_str().unwrap().to_owned()).collect()
    };
    let all = get(to, "/api/v1/events").await.json();
    assert_eq!(ids(&all), ["3", "2", "1"]);
    let first = &all["events"][0];
    assert_eq!((&first["started"], &first["woke"]), (&json!(0), &json!(0)));
    assert_eq!(ids(&get(to, "/api/v1/events?order=oldest").await.json()), ["1", "2", "3"]);
    assert_eq!(ids(&get(to, "/api/v1/events?event=paid").await.json()), ["1", "3"]);
    let newest = get(to, "/api/v1/events?event=paid&order=newest&limit=1").await.json();
    assert_eq!(ids(&newest), ["3"]);
    let cursor = newest["cursor"].as_str().unwrap();
    let next = format!("/api/v1/events?event=paid&order=newest&limit=1&cursor={cursor}");
    assert_eq!(ids(&get(to, &next).await.json()), ["1"]);
    server.stop().await;
}
