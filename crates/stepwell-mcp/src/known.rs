//! Tools that read what is deployed.

use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::CallToolResult;
use rmcp::schemars::{self, JsonSchema};
use rmcp::{tool, tool_router};
use serde::Deserialize;

use crate::answer::told;
use crate::api::{Ask, Place};
use crate::server::Server;

/// See [`Server::list_workflows`] and [`Server::list_runners`].
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Known {
    /// Only those of this app.
    app: Option<String>,
    /// Characters of each JSON Schema that are shown, at most 50000. Default 500.
    payload_chars: Option<usize>,
}

/// See [`Server::list_runners`].
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Runners {
    /// Only those of this app.
    app: Option<String>,
}

#[tool_router(router = known_tools, vis = "pub(crate)")]
impl Server {
    /// Lists every workflow that was ever registered, with its version and the JSON Schema of its input.
    #[tool(annotations(title = "List workflows", read_only_hint = true, open_world_hint = false))]
    async fn list_workflows(&self, Parameters(asked): Parameters<Known>) -> CallToolResult {
        let place = Place::of(&["workflows"]).with("app", asked.app);
        let answer = self.ask(Ok(Ask::Get(place))).await;
        told(answer, asked.payload_chars, "ask for one `app`, or with fewer `payload_chars`")
    }

    /// Lists runners that are connected or awaited, with how much each has to do.
    #[tool(annotations(title = "List runners", read_only_hint = true, open_world_hint = false))]
    async fn list_runners(&self, Parameters(asked): Parameters<Runners>) -> CallToolResult {
        let place = Place::of(&["runners"]).with("app", asked.app);
        told(self.ask(Ok(Ask::Get(place))).await, None, "ask for one `app`")
    }
}
