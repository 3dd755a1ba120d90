//! The part of the API that the test uses.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::http::{self, Answer};
use crate::error::Error;
use crate::ledger::{Hash, Origin, Stamp, StepRead, What};
use crate::plan::Plan;

/// How long an answer may take that waits for nothing.
const PATIENCE: Duration = Duration::from_secs(10);

/// Statuses of runs that have ended.
const ENDED: [&str; 4] = ["completed", "failed", "cancelled", "timed_out"];

/// A server: its nodes, which are asked in turn.
#[derive(Debug)]
pub struct Api {
    addresses: Vec<SocketAddr>,
    turn: AtomicUsize,
}

/// Why there is no answer to act on.
#[derive(Debug)]
pub enum Failure {
    /// The server is away or overloaded, or the answer was cut off: try again.
    Away(String),
    /// It refused.
    Refused(Error),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Away(why) => {
                Self::Late { what: "an answer was due".into(), after: PATIENCE, last: why }
            }
            Failure::Refused(error) => error,
        }
    }
}

/// An accepted start.
#[derive(Debug, Deserialize)]
pub struct Started {
    /// The run.
    pub id: String,
    /// The request started it, not one before with the same key.
    pub created: bool,
}

/// An event to send.
#[derive(Debug)]
pub struct Event<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its id: sent again, it does nothing more (§8.7).
    pub id: &'a str,
    /// Its data.
    pub data: &'a Value,
    /// What waits are held against, where that is not the data.
    pub offer: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Cancelled {
    status: String,
}

#[derive(Debug, Deserialize)]
struct List {
    runs: Vec<Row>,
    next: Option<String>,
    #[serde(default)]
    stale: bool,
}

#[derive(Debug, Deserialize)]
struct Row {
    id: String,
}

#[derive(Debug, Deserialize)]
struct Known {
    workflows: Vec<Named>,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
}

/// A run as the API shows it, as far as the ledger says something about it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadRun {
    id: String,
    workflow: String,
    status: String,
    key: Option<String>,
    output: Option<Output>,
    error: Option<Value>,
    blocked_because: Option<String>,
    why: Option<String>,
    continued_from: Option<String>,
    parent: Option<Parent>,
    steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
struct Parent {
    run: String,
    step: String,
}

#[derive(Debug, Deserialize)]
struct Output {
    results: BTreeMap<String, Hash>,
}

#[derive(Debug, Deserialize)]
struct Step {
    id: String,
    kind: String,
    status: String,
    output: Option<Value>,
    attempts: Vec<Attempt>,
}

#[derive(Debug, Deserialize)]
struct Attempt {
    n: u32,
    status: String,
}

impl ReadRun {
    /// Tells whether it has ended.
    pub fn has_ended(&self) -> bool {
        ENDED.contains(&self.status.as_str())
    }

    /// Returns the fact that it was seen, having been asked for at an instant, whether or not it has ended.
    pub fn into_sight(self, asked: Stamp) -> What {
        let status = Some(self.status.clone());
        match self.into_fact() {
            What::RunEnd { run, steps, .. } => {
                What::Seen { run, asked_ns: asked.mono_ns, status, steps }
            }
            other => other,
        }
    }

    /// Returns the fact about it.
    pub fn into_fact(self) -> What {
        let error = self.error.filter(|error| !error.is_null()).map(|error| error.to_string());
        let steps = self.steps.into_iter().map(|step| {
            let recorded = step.attempts.iter().filter(|attempt| attempt.status != "lost");
            let read = StepRead {
                kind: step.kind,
                status: step.status,
                attempts: recorded.map(|attempt| attempt.n).max().unwrap_or_default(),
                value: step.output.map(|output| Hash::of(&output)),
            };
            (step.id, read)
        });
        let first = self.continued_from.is_none();
        let after = self.continued_from.map(|run| Origin::After { run });
        let invoked = self.parent.map(|by| Origin::Step { run: by.run, step: by.step });
        What::RunEnd {
            run: self.id,
            origin: after.or(invoked),
            workflow: self.workflow,
            // A run that goes on with another one has its key too (§2.3).
            key: self.key.filter(|_| first),
            status: self.status,
            why: error.or(self.blocked_because).or(self.why),
            output: self.output.map(|output| output.results).unwrap_or_default(),
            steps: steps.collect(),
        }
    }
}

impl Api {
    /// Makes one of where its nodes listen.
    pub fn at(addresses: Vec<SocketAddr>) -> Self {
        Self { addresses, turn: AtomicUsize::new(0) }
    }

    /// Starts a run.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn start(
        &self,
        app: &str,
        workflow: &str,
        key: &str,
        plan: &Plan,
    ) -> Result<Started, Failure> {
        let body = json!({ "app": app, "workflow": workflow, "key": key, "input": plan });
        let body = body.to_string().into_bytes();
        let answer = self.call(("POST", "/api/v1/runs"), Some(&body), PATIENCE)?;
        read("the answer to a start", &answer)
    }

    /// Sends an event to an app.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn send(&self, app: &str, event: &Event<'_>) -> Result<(), Failure> {
        let mut body = json!({
            "event": event.name, "id": event.id, "data": event.data, "app": app,
        });
        if let Some(offer) = &event.offer {
            body["match"] = offer.clone();
        }
        let body = body.to_string().into_bytes();
        self.call(("POST", "/api/v1/events"), Some(&body), PATIENCE).map(drop)
    }

    /// Cancels a run, and returns its status by the answer.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn cancel(&self, id: &str) -> Result<String, Failure> {
        let path = format!("/api/v1/runs/{id}/cancel");
        let answer = self.call(("POST", &path), Some(b"{}"), PATIENCE)?;
        let cancelled: Cancelled = read("the answer to a cancel", &answer)?;
        Ok(cancelled.status)
    }

    /// Reads a run, at its end or when the time is over. `None` where there is no such run.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn run(&self, id: &str, wait: Option<Duration>) -> Result<Option<ReadRun>, Failure> {
        let query = wait.map(|wait| format!("?wait={}ms", wait.as_millis())).unwrap_or_default();
        let path = format!("/api/v1/runs/{id}{query}");
        let patience = PATIENCE + wait.unwrap_or_default();
        match self.call(("GET", &path), None, patience) {
            Ok(answer) => read("a run", &answer).map(Some),
            Err(Failure::Refused(Error::Refused { status: 404, .. })) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Lists the ids of all runs, or of those with one of these statuses.
    ///
    /// # Errors
    /// [`Failure`]; a list that misses what is durable counts as the server being away.
    pub fn list(&self, statuses: Option<&str>) -> Result<Vec<String>, Failure> {
        let mut ids = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut path = "/api/v1/runs?limit=500".to_owned();
            for (name, value) in [("status", statuses), ("cursor", cursor.as_deref())] {
                if let Some(value) = value {
                    path.extend(["&", name, "=", value]);
                }
            }
            let list: List = read("a list", &self.call(("GET", &path), None, PATIENCE)?)?;
            if list.stale {
                return Err(Failure::Away("the list is stale".into()));
            }
            ids.extend(list.runs.into_iter().map(|row| row.id));
            match list.next {
                Some(next) => cursor = Some(next),
                None => return Ok(ids),
            }
        }
    }

    /// Tells whether these workflows are registered.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn has_workflows(&self, names: &[&str]) -> Result<bool, Failure> {
        let answer = self.call(("GET", "/api/v1/workflows"), None, PATIENCE)?;
        let known: Known = read("the workflows", &answer)?;
        Ok(names.iter().all(|name| known.workflows.iter().any(|one| one.name == *name)))
    }

    /// Tells whether a node takes runs.
    ///
    /// # Errors
    /// [`Failure::Away`] where it does not.
    pub fn serves(&self) -> Result<(), Failure> {
        self.call(("GET", "/healthz"), None, PATIENCE).map(drop)
    }

    /// Asks until there is an answer, however often the server is away.
    ///
    /// # Errors
    /// [`Error::Late`] when there was none in time; [`Error::Refused`].
    pub fn insist<T>(
        &self,
        what: &str,
        within: Duration,
        ask: impl Fn(&Self) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        let begun = std::time::Instant::now();
        loop {
            let last = match ask(self) {
                Ok(answer) => return Ok(answer),
                Err(Failure::Refused(error)) => return Err(error),
                Err(Failure::Away(why)) => why,
            };
            if begun.elapsed() > within {
                return Err(Error::Late { what: what.to_owned(), after: within, last });
            }
            std::thread::sleep(Duration::from_millis(15));
        }
    }

    fn call(
        &self,
        (method, path): (&str, &str),
        body: Option<&[u8]>,
        patience: Duration,
    ) -> Result<Answer, Failure> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let address = turn.checked_rem(self.addresses.len()).and_then(|at| self.addresses.get(at));
        let address = address.ok_or_else(|| Failure::Away("there is no node".into()))?;
        let answer = http::call(*address, (method, path), body, patience)
            .map_err(|error| Failure::Away(format!("{method} {path}: {error}")))?;
        let text = || String::from_utf8_lossy(&answer.body).into_owned();
        let what = format!("{method} {path}");
        match answer.status {
            200..=299 => Ok(answer),
            // It stops, it is full, or it is not ready yet: a client tries again.
            503 | 507 => Err(Failure::Away(format!("{what}: {}", text()))),
            status => Err(Failure::Refused(Error::Refused { what, status, body: text() })),
        }
    }
}

fn read<'a, T: Deserialize<'a>>(what: &str, answer: &'a Answer) -> Result<T, Failure> {
    serde_json::from_slice(&answer.body).map_err(|error| {
        let text = String::from_utf8_lossy(&answer.body);
        let body = format!("{error}: {text:.2000}");
        let what = format!("reading {what}");
        Failure::Refused(Error::Refused { what, status: answer.status, body })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_read_as_the_api_shows_it() {
        let shown = json!({
            "id": "run_1", "workflow": "chain", "status": "completed", "key": "k", "error": null, "why": null,
            "blockedBecause": null, "journalBytes": 7,
            "output": {"results": {"work-1": Hash::of(&json!(5))}},
            "steps": [
                {"id": "work-1", "kind": "run", "status": "completed", "output": 5, "attempts": [
                    {"n": 1, "status": "failed"}, {"n": 2, "status": "completed"},
                    {"n": 3, "status": "lost"}]},
                {"id": "sleep-2", "kind": "sleep", "status": "completed", "attempts": []},
            ],
        });
        let run: ReadRun = serde_json::from_value(shown).unwrap();
        assert!(run.has_ended());
        let What::RunEnd { steps, output, why, .. } = run.into_fact() else { panic!("no end") };
        assert_eq!((output["work-1"], why), (Hash::of(&json!(5)), None));
        assert_eq!(
            (steps["work-1"].attempts, steps["work-1"].value),
            (2, Some(Hash::of(&json!(5))))
        );
        assert_eq!((steps["sleep-2"].attempts, steps["sleep-2"].value), (0, None));
    }

    #[test]
    fn a_blocked_run_says_why() {
        let shown = json!({
            "id": "run_1", "workflow": "chain", "status": "blocked", "blockedBecause": "crashes its runner", "steps": [],
        });
        let run: ReadRun = serde_json::from_value(shown).unwrap();
        assert!(!run.has_ended());
        let What::RunEnd { why, .. } = run.into_fact() else { panic!("no end") };
        assert_eq!(why.as_deref(), Some("crashes its runner"));
    }
}
