//! Tools that read events.

use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::CallToolResult;
use rmcp::schemars::{self, JsonSchema};
use rmcp::{tool, tool_router};
use serde::Deserialize;

use crate::answer::told;
use crate::api::{Ask, Place};
use crate::server::Server;

/// How many events a page has, unless told otherwise, and at most.
const EVENTS: u32 = 20;
const EVENTS_MAX: u32 = 100;

/// Which events come first.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Order {
    Newest,
    Oldest,
}

impl Order {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Oldest => "oldest",
        }
    }
}

/// See [`Server::list_events`].
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct ListEvents {
    /// Only events of this name.
    event: Option<String>,
    /// Which come first. Default: the newest, or with `event` the oldest.
    order: Option<Order>,
    /// Accepted at or after this instant, such as 2026-11-21T14:02:05Z.
    from: Option<String>,
    /// Most events, 1 to 100. Default 20.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
    /// The `cursor` of the page before, in the same order.
    cursor: Option<String>,
}

/// See [`Server::show_event`].
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ShowEvent {
    /// The event's id.
    id: String,
    /// Characters of the data that are shown, at most 50000. Default 500.
    payload_chars: Option<usize>,
}

#[tool_router(router = event_tools, vis = "pub(crate)")]
impl Server {
    /// Lists events that are kept, each with how many runs it started and how many waits it woke.
    #[tool(annotations(title = "List events", read_only_hint = true, open_world_hint = false))]
    async fn list_events(&self, Parameters(asked): Parameters<ListEvents>) -> CallToolResult {
        let place = Place::of(&["events"])
            .with("event", asked.event)
            .with("order", asked.order.map(Order::as_str))
            .with("from", asked.from)
            .with("limit", Some(asked.limit.unwrap_or(EVENTS).min(EVENTS_MAX)))
            .with("cursor", asked.cursor);
        let answer = self.ask(Ok(Ask::Get(place))).await;
        told(answer, None, "ask with a smaller `limit`, and turn pages by `cursor`")
    }

    /// Shows an event: its data, the runs that it started, the waits that it woke, and parked waits that it
    /// nearly matched, with what was expected and what was found.
    #[tool(annotations(title = "Show an event", read_only_hint = true, open_world_hint = false))]
    async fn show_event(&self, Parameters(asked): Parameters<ShowEvent>) -> CallToolResult {
        let place = Place::of(&["events", &asked.id]);
        let answer = self.ask(Ok(Ask::Get(place))).await;
        told(answer, asked.payload_chars, "ask with fewer `payload_chars`")
    }
}
