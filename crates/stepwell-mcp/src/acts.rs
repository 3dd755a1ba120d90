//! Tools that change something. They are there where they were allowed.

use std::collections::BTreeMap;

use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::CallToolResult;
use rmcp::schemars::{self, JsonSchema};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, tool, tool_router};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::answer::told;
use crate::api::{Ask, Place};
use crate::server::Server;

/// Most characters of a client's name in the history of a run.
const NAME_CHARS_MAX: usize = 64;

/// See [`Server::start_run`].
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct StartRun {
    /// The workflow; `list_workflows` names those that there are.
    workflow: String,
    /// The app, where several have a workflow of this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<String>,
    /// The input: any JSON that fits the workflow's schema.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Value")]
    input: Option<Value>,
    /// Idempotency key: a repeat with the same key and input gives the first run. Give one, so that a call
    /// that is repeated starts nothing more.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Most time for the run, such as 30s or 2h.
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<String>,
    /// Begin after this time, such as 10m. In place of `at`.
    #[serde(skip_serializing_if = "Option::is_none")]
    delay: Option<String>,
    /// Begin at this instant, such as 2026-11-21T14:02:05Z.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    /// What is kept with the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<BTreeMap<String, Value>>,
    /// Search attributes: texts, numbers and booleans.
    #[serde(skip_serializing_if = "Option::is_none")]
    search: Option<BTreeMap<String, Value>>,
    /// The only runner that may run it.
    #[serde(skip_serializing_if = "Option::is_none")]
    runner: Option<String>,
    /// Wait for the end for at most this long, such as 20s, and return the output; at most 5m.
    #[serde(default, skip_serializing)]
    wait: Option<String>,
}

/// See [`Server::send_event`].
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SendEvent {
    /// The event's name.
    event: String,
    /// Its data: any JSON.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Value")]
    data: Option<Value>,
    /// Its id: sent again with the same id, it does nothing more. Give one, so that a call that is repeated
    /// does nothing more.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// What waits are held against in place of the data.
    #[serde(
        rename = "match",
        default,
        deserialize_with = "given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "Value")]
    offer: Option<Value>,
    /// Only for this app.
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<String>,
    /// Only for the waits of this run: its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    /// Only for the waits of the run that this idempotency key started.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// The workflow of `key`, where several have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow: Option<String>,
}

/// See [`Server::cancel_run`] and [`Server::retry_run`].
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ActOn {
    /// The run's id.
    run: String,
    /// Why, for the run's history.
    reason: Option<String>,
}

/// See [`Server::rerun_run`].
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Rerun {
    /// The run's id.
    run: String,
    /// Another input. Default: that of the run.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Value")]
    input: Option<Value>,
    /// Why, for the run's history.
    reason: Option<String>,
}

/// See [`Server::fork_run`].
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Fork {
    /// The run's id.
    run: String,
    /// The step to go on from: its id. Default: the last one that failed.
    step: Option<String>,
    /// Another input. Default: that of the run.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Value")]
    input: Option<Value>,
    /// Other results of steps that are kept, by their ids.
    #[serde(default)]
    outputs: BTreeMap<String, Value>,
    /// Why, for the run's history.
    reason: Option<String>,
}

/// What is said of an act.
#[derive(Debug, Serialize)]
struct Said {
    by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    outputs: BTreeMap<String, Value>,
}

impl Said {
    /// Names the client, as it calls itself.
    fn of(context: &RequestContext<RoleServer>, reason: Option<String>) -> Self {
        let client = context.peer.peer_info().map(|info| info.client_info.name.clone());
        let name = client.unwrap_or_default();
        let name: String = name.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect();
        let by = if name.is_empty() { "mcp".to_owned() } else { format!("mcp: {name}") };
        Self { by, reason, step: None, input: None, outputs: BTreeMap::new() }
    }
}

/// Reads a value that is there: `null` is one, and not the same as none.
fn given<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(source).map(Some)
}

#[tool_router(router = act_tools, vis = "pub(crate)")]
impl Server {
    /// Starts a run of a workflow. It goes on by itself; with `wait` its end is returned where it comes in
    /// time.
    #[tool(annotations(
        title = "Start a run",
        read_only_hint = false,
        destructive_hint = false,
        idempotent_hint = false
    ))]
    async fn start_run(&self, Parameters(asked): Parameters<StartRun>) -> CallToolResult {
        let place = Place::of(&["runs"]).with("wait", asked.wait.as_ref());
        told(self.ask(Ask::post(place, &asked)).await, None, "ask for the run with show_run")
    }

    /// Sends an event: it starts the workflows that trigger on it, and wakes the runs that wait for it.
    #[tool(annotations(
        title = "Send an event",
        read_only_hint = false,
        destructive_hint = false,
        idempotent_hint = false
    ))]
    async fn send_event(&self, Parameters(asked): Parameters<SendEvent>) -> CallToolResult {
        let ask = Ask::post(Place::of(&["events"]), &asked);
        told(self.ask(ask).await, None, "ask for the event with show_event")
    }

    /// Cancels a run: what is in flight gets time to return, and its children are cancelled too.
    #[tool(annotations(title = "Cancel a run", read_only_hint = false, destructive_hint = true))]
    async fn cancel_run(
        &self,
        Parameters(ActOn { run, reason }): Parameters<ActOn>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        self.act(&run, "cancel", &Said::of(&context, reason)).await
    }

    /// Ends the backoffs of a run's steps now, and tries a blocked run again. A run that has ended is tried
    /// again with `fork_run`.
    #[tool(annotations(title = "Retry a run", read_only_hint = false, destructive_hint = false))]
    async fn retry_run(
        &self,
        Parameters(ActOn { run, reason }): Parameters<ActOn>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        self.act(&run, "retry", &Said::of(&context, reason)).await
    }

    /// Starts a new run that goes on from a step of another one: completed steps before it keep their
    /// results. A run that has not ended is ended by that.
    #[tool(annotations(title = "Fork a run", read_only_hint = false, destructive_hint = true))]
    async fn fork_run(
        &self,
        Parameters(Fork { run, step, input, outputs, reason }): Parameters<Fork>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        let said = Said { step, input, outputs, ..Said::of(&context, reason) };
        self.act(&run, "fork", &said).await
    }

    /// Starts a new run of the same workflow, with the same input or another one, from its beginning.
    #[tool(annotations(title = "Rerun a run", read_only_hint = false, destructive_hint = false))]
    async fn rerun_run(
        &self,
        Parameters(Rerun { run, input, reason }): Parameters<Rerun>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        let said = Said { input, ..Said::of(&context, reason) };
        self.act(&run, "rerun", &said).await
    }
}

impl Server {
    async fn act(&self, run: &str, act: &str, said: &Said) -> CallToolResult {
        let ask = Ask::post(Place::of(&["runs", run, act]), said);
        told(self.ask(ask).await, None, "ask for the run with show_run")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn null_is_an_input_and_none_is_none() {
        let body = |asked: Value| {
            let asked: StartRun = serde_json::from_value(asked).unwrap();
            serde_json::to_value(&asked).unwrap()
        };
        assert_eq!(body(json!({ "workflow": "w" })), json!({ "workflow": "w" }));
        let null = json!({ "workflow": "w", "input": null });
        assert_eq!(body(null.clone()), null);
        let waits = json!({ "workflow": "w", "input": { "a": 1 }, "wait": "1s" });
        assert_eq!(body(waits), json!({ "workflow": "w", "input": { "a": 1 } }));
    }
}
