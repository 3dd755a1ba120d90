//! Events, as clients send them.

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stepwell_core::time::Timestamp;

use crate::support::{Answer, get, post};

/// How long a test waits for what comes by itself; only a failing one waits so long.
const PATIENCE: Duration = Duration::from_mins(1);

static IDS: AtomicU64 = AtomicU64::new(0);

/// A run that tells of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told<'a> {
    pub(crate) flow: &'a str,
    pub(crate) run: &'a str,
}

impl Told<'_> {
    /// An event of a call, so many milliseconds ago.
    pub(crate) fn event(&self, (step, call): (&str, &str), status: &str, ms_ago: u64) -> Value {
        let mut event = self.by_hand(step, status, ms_ago);
        event["call"] = call.into();
        event
    }

    /// An event without a call, so many milliseconds ago.
    pub(crate) fn by_hand(&self, step: &str, status: &str, ms_ago: u64) -> Value {
        let id = format!("e-{}", IDS.fetch_add(1, Ordering::Relaxed));
        let Told { flow, run } = self;
        let at = ago(ms_ago).to_string();
        json!({"id": id, "flow": flow, "run": run, "step": step, "status": status, "at": at})
    }

    /// A call that threw, so many milliseconds ago.
    pub(crate) fn threw(&self, call: (&str, &str), message: &str, ms_ago: u64) -> Value {
        let mut event = self.event(call, "error", ms_ago);
        event["error"] = json!({"name": "TimeoutError", "message": message});
        event
    }

    /// Where the run is shown.
    pub(crate) fn path(&self) -> String {
        format!("/api/v1/flows/{}/runs/{}", self.flow, self.run)
    }
}

/// An instant so many milliseconds before the test first asked, so that what lies between two of them is exact.
pub(crate) fn ago(ms: u64) -> Timestamp {
    static BEGIN: LazyLock<Timestamp> = LazyLock::new(stepwell_http::gate::now);
    BEGIN.before(Duration::from_millis(ms))
}

/// Sends events, all of which are taken.
pub(crate) async fn send(to: SocketAddr, events: &[Value]) {
    let answer = post(to, "/api/v1/telemetry", &json!({"process": "p1", "events": events})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["accepted"], events.len(), "{answer:?}");
}

/// Gets a path until its answer is as it should be.
pub(crate) async fn until(to: SocketAddr, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let answer: Answer = get(to, path).await;
        if answer.status == 200 && is_so(&answer.json()) {
            return answer.json();
        }
        assert!(begun.elapsed() < PATIENCE, "{path}: {answer:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The statuses of the steps of a run, by key.
pub(crate) fn steps(run: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let steps = run["steps"].as_array().unwrap().iter();
    steps.map(|step| (text(&step["key"]), text(&step["status"]))).collect()
}
