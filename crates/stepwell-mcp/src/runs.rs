//! Tools that read runs.

use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::CallToolResult;
use rmcp::schemars::{self, JsonSchema};
use rmcp::{tool, tool_router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::told;
use crate::api::{Ask, Place, Refusal};
use crate::server::Server;

/// How many runs a page has, unless told otherwise, and at most.
const RUNS: u32 = 20;
const RUNS_MAX: u32 = 100;

/// How many steps a page has, unless told otherwise, and at most.
const STEPS: u32 = 50;
const STEPS_MAX: u32 = 500;

/// Declares what is asked of runs: which are meant, by what they have in common, and `more`. Serde cannot
/// refuse unknown members of a struct that holds another one's.
macro_rules! asks_of_runs {
    ($(#[$about:meta])* $name:ident { $($more:tt)* }) => {
        $(#[$about])*
        #[derive(Debug, Default, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        struct $name {
            /// Only runs of this app.
            app: Option<String>,
            /// Only runs of this workflow.
            workflow: Option<String>,
            /// Only the run with this idempotency key.
            key: Option<String>,
            /// Only runs that this run invoked: its id.
            parent: Option<String>,
            /// Created at or after: an instant such as 2026-11-21T14:02:05Z, or a duration back such as 7d.
            from: Option<String>,
            /// Created before: an instant, or a duration back.
            to: Option<String>,
            /// Search attributes that all fit, such as amount>=10,country=DE.
            search: Option<String>,
            /// The whole id, or how it ends: at least its last 4 hexadecimal digits.
            id: Option<String>,
            /// A text that is part of the workflow, key, id, an attribute, why it is blocked, or its error.
            query: Option<String>,
            $($more)*
        }

        impl $name {
            fn which(&self, place: Place) -> Place {
                place
                    .with("app", self.app.as_ref())
                    .with("workflow", self.workflow.as_ref())
                    .with("key", self.key.as_ref())
                    .with("parent", self.parent.as_ref())
                    .with("from", self.from.as_ref())
                    .with("to", self.to.as_ref())
                    .with("search", self.search.as_ref())
                    .with("id", self.id.as_ref())
                    .with("q", self.query.as_ref())
            }
        }
    };
}

asks_of_runs! {
    /// See [`Server::count_runs`].
    CountRuns {}
}

asks_of_runs! {
    /// See [`Server::list_runs`].
    ListRuns {
        /// Only runs with one of these statuses.
        status: Vec<Status>,
        /// Most runs, 1 to 100. Default 20.
        #[schemars(range(min = 1, max = 100))]
        limit: Option<u32>,
        /// The `next` of the page before.
        cursor: Option<String>,
    }
}

/// The status of a run.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Status {
    Queued,
    Running,
    Waiting,
    Paused,
    Blocked,
    Compensating,
    Completed,
    Failed,
    Cancelled,
    TimedOut,
}

impl Status {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::Blocked => "blocked",
            Self::Compensating => "compensating",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
        }
    }
}

/// See [`Server::show_run`].
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ShowRun {
    /// The run's id.
    run: String,
    /// Only this step: its id.
    step: Option<String>,
    /// Steps from this place on, counted from 0. Default 0.
    #[serde(default)]
    steps_from: u32,
    /// Most steps, 1 to 500. Default 50.
    #[schemars(range(min = 1, max = 500))]
    steps_limit: Option<u32>,
    /// Characters of each input, output and stack that are shown, at most 50000. Default 500.
    payload_chars: Option<usize>,
}

/// How many records a page has, unless told otherwise, and at most.
const RECORDS: u32 = 50;
const RECORDS_MAX: u32 = 500;

/// See [`Server::run_history`].
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RunHistory {
    /// The run's id.
    run: String,
    /// Most records, 1 to 500. Default 50.
    #[schemars(range(min = 1, max = 500))]
    limit: Option<u32>,
    /// The `next` of the page before, or the `n` of a record.
    cursor: Option<String>,
    /// Characters of each payload that are shown, at most 50000. Default 500.
    payload_chars: Option<usize>,
}

/// See [`Server::why_run`].
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OneRun {
    /// The run's id.
    run: String,
}

#[tool_router(router = run_tools, vis = "pub(crate)")]
impl Server {
    /// Lists runs, newest first. `next` is the cursor of the page that follows.
    #[tool(annotations(title = "List runs", read_only_hint = true, open_world_hint = false))]
    async fn list_runs(&self, Parameters(asked): Parameters<ListRuns>) -> CallToolResult {
        let status: Vec<&str> = asked.status.iter().map(|one| one.as_str()).collect();
        let status = (!status.is_empty()).then(|| status.join(","));
        let limit = asked.limit.unwrap_or(RUNS).min(RUNS_MAX);
        let place = asked.which(Place::of(&["runs"])).with("status", status);
        let place = place.with("limit", Some(limit)).with("cursor", asked.cursor);
        let answer = self.ask(Ok(Ask::Get(place))).await;
        told(answer, None, "ask with a smaller `limit`, and turn pages by `cursor`")
    }

    /// Counts runs by status: how many there are of each, exactly up to 10000.
    #[tool(annotations(title = "Count runs", read_only_hint = true, open_world_hint = false))]
    async fn count_runs(&self, Parameters(asked): Parameters<CountRuns>) -> CallToolResult {
        let place = asked.which(Place::of(&["runs", "counts"]));
        told(self.ask(Ok(Ask::Get(place))).await, None, "ask for fewer runs")
    }

    /// Shows a run: status, input, output, error, and its steps with attempts and logs. Large payloads are
    /// cut to `{"cut": …, "characters": …}`; ask for one `step` with more `payload_chars` to read them.
    #[tool(annotations(title = "Show a run", read_only_hint = true, open_world_hint = false))]
    async fn show_run(&self, Parameters(asked): Parameters<ShowRun>) -> CallToolResult {
        let place = Place::of(&["runs", &asked.run]);
        let answer = self.ask(Ok(Ask::Get(place))).await;
        let answer = answer.and_then(|run| some_steps(run, &asked));
        let less =
            "ask with a smaller `steps_limit`, with fewer `payload_chars`, or for one `step`";
        told(answer, asked.payload_chars, less)
    }

    /// Shows the event log of a run: every record of its journal, oldest first, with its number `n`, when it
    /// happened, its kind, and its content as it was written. `next` is the cursor of the page that follows.
    #[tool(annotations(
        title = "Event log of a run",
        read_only_hint = true,
        open_world_hint = false
    ))]
    async fn run_history(&self, Parameters(asked): Parameters<RunHistory>) -> CallToolResult {
        let limit = asked.limit.unwrap_or(RECORDS).min(RECORDS_MAX);
        let place = Place::of(&["runs", &asked.run, "history"]);
        let place = place.with("limit", Some(limit)).with("cursor", asked.cursor);
        let less =
            "ask with a smaller `limit` or fewer `payload_chars`, and turn pages by `cursor`";
        told(self.ask(Ok(Ask::Get(place))).await, asked.payload_chars, less)
    }

    /// Says why a run is not moving, or what it is doing: a `cause` to go by and a sentence.
    #[tool(annotations(
        title = "Why is a run not moving",
        read_only_hint = true,
        open_world_hint = false
    ))]
    async fn why_run(&self, Parameters(OneRun { run }): Parameters<OneRun>) -> CallToolResult {
        let place = Place::of(&["runs", &run, "why"]);
        told(self.ask(Ok(Ask::Get(place))).await, None, "ask for the run with show_run")
    }
}

/// Leaves those steps that were asked for.
fn some_steps(mut run: Value, asked: &ShowRun) -> Result<Value, Refusal> {
    let Some(Value::Array(steps)) = run.get_mut("steps") else { return Ok(run) };
    let count = steps.len();
    if let Some(id) = &asked.step {
        steps.retain(|step| step["id"] == id.as_str());
        if steps.is_empty() {
            let detail = format!("run {} has no step `{id}` among its {count}", asked.run);
            return Err(Refusal { code: None, detail });
        }
        return Ok(run);
    }
    let from = usize::try_from(asked.steps_from).unwrap_or(usize::MAX).min(count);
    let limit = asked.steps_limit.unwrap_or(STEPS).clamp(1, STEPS_MAX);
    let to = count.min(from.saturating_add(usize::try_from(limit).unwrap_or(usize::MAX)));
    steps.drain(to..);
    steps.drain(..from);
    let more = (to < count).then(|| format!("ask with steps_from {to}"));
    run["stepsShown"] = json!({ "from": from, "to": to, "of": count, "more": more });
    Ok(run)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(value: Value) -> ShowRun {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn steps_are_shown_page_by_page() {
        let run = json!({ "steps": [{ "id": "a" }, { "id": "b" }, { "id": "c" }] });
        let shown = |asked| some_steps(run.clone(), &ask(asked)).unwrap();
        let page = shown(json!({ "run": "r", "steps_from": 1, "steps_limit": 1 }));
        assert_eq!(page["steps"], json!([{ "id": "b" }]));
        let next = json!({ "from": 1, "to": 2, "of": 3, "more": "ask with steps_from 2" });
        assert_eq!(page["stepsShown"], next);
        let all = shown(json!({ "run": "r" }));
        assert_eq!(all["stepsShown"], json!({ "from": 0, "to": 3, "of": 3, "more": null }));
        let behind = shown(json!({ "run": "r", "steps_from": 9 }));
        assert_eq!((&behind["steps"], &behind["stepsShown"]["from"]), (&json!([]), &json!(3)));
        let one = shown(json!({ "run": "r", "step": "c" }));
        assert_eq!(one["steps"], json!([{ "id": "c" }]));
        let none = some_steps(run.clone(), &ask(json!({ "run": "r", "step": "d" }))).unwrap_err();
        assert_eq!(none.detail, "run r has no step `d` among its 3");
    }
}
