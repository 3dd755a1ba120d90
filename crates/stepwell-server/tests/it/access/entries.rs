//! How each route is asked, and what another namespace's key finds there.

use serde_json::{Value, json};

/// What the key of an admin of another namespace finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Foreign {
    /// 404: what is named is not there.
    NotThere,
    /// An answer in which nothing of the first namespace is found.
    Nothing,
    /// An answer that never ends, and in which nothing is found.
    Stream,
    /// 403: it concerns the server.
    Refused,
    /// 201, and it was delivered to nobody.
    Undelivered,
    /// Something of its own.
    Own,
    /// 415: a bundle, which is tried where bundles are.
    Bundle,
    /// 426: an upgrade, which the frames are for.
    Upgrade,
}

/// How a route is asked.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The path, with what it names.
    pub(crate) path: String,
    /// The body.
    pub(crate) body: Option<Value>,
    pub(crate) foreign: Foreign,
}

/// What there is in the first namespace, for routes that name something.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) run: String,
    pub(crate) event: String,
    pub(crate) key: String,
}

/// Returns how a route is asked. A route that is not here has no entry, and the test fails.
pub(crate) fn entry(method: &str, path: &str, world: &World) -> Option<Entry> {
    let foreign = foreign(method, path)?;
    let body = match (method, path) {
        ("POST", "/api/v1/runs") => Some(json!({"workflow": "mark-pay"})),
        ("POST", "/api/v1/runs/{run}/resolve") => {
            Some(json!({"step": "charge", "outcome": "notDone"}))
        }
        // To the run of another, which gets nothing; the event itself is the sender's own.
        ("POST", "/api/v1/events") => Some(json!({"event": "paid", "run": world.run.clone()})),
        // Into the other's namespace, which is not there for this one.
        ("POST", "/api/v1/keys") => {
            Some(json!({"name": "x", "role": "viewer", "namespace": "mark-shop"}))
        }
        ("POST", "/api/v1/namespaces") => Some(json!({"name": "more"})),
        ("POST", "/api/v1/telemetry") => Some(json!({"events": [{
            "id": "e", "flow": "mine", "run": "r", "step": "s", "status": "running", "at": 1_795_390_276_123_u64,
        }]})),
        ("PUT", "/api/v1/flows/{flow}") => Some(json!({"steps": [{"key": "s"}]})),
        ("POST", "/api/v1/bulk") => {
            Some(json!({"act": "cancel", "filter": {"workflow": "mine"}, "dryRun": true}))
        }
        _ => None,
    };
    // What changes something declares or forgets what is its own.
    let flow = if method == "GET" { "mark-flow" } else { "mine" };
    let mut path = path
        .replace("{flow}", flow)
        .replace("{observed}", "mark-observed")
        .replace("{run}", &world.run)
        .replace("{event}", &world.event)
        .replace("{key}", &world.key)
        .replace("{bulk}", "blk_none")
        .replace("{namespace}", "mark-shop");
    if path == "/api/v1/runs/glance" {
        path = format!("{path}?ids={}", world.run);
    }
    Some(Entry { path, body, foreign })
}

fn foreign(method: &str, path: &str) -> Option<Foreign> {
    Some(match (method, path) {
        (
            "GET",
            "/api/v1/runs"
            | "/api/v1/runs/export"
            | "/api/v1/runs/glance"
            | "/api/v1/runs/counts"
            | "/api/v1/runs/activity"
            | "/api/v1/events"
            | "/api/v1/workflows"
            | "/api/v1/runners"
            | "/api/v1/keys"
            | "/api/v1/audit"
            | "/api/v1/flows"
            | "/api/v1/flows/{flow}/errors"
            | "/api/v1/flows/{flow}/runs"
            | "/api/v1/bulk",
        )
        | ("POST", "/api/v1/bulk") => Foreign::Nothing,
        (
            "GET",
            "/api/v1/runs/{run}"
            | "/api/v1/runs/{run}/why"
            | "/api/v1/runs/{run}/result"
            | "/api/v1/runs/{run}/history"
            | "/api/v1/runs/{run}/export"
            | "/api/v1/runs/{run}/observed"
            | "/api/v1/flows/{flow}"
            | "/api/v1/flows/{flow}/learned"
            | "/api/v1/flows/{flow}/runs/{observed}"
            | "/api/v1/bulk/{bulk}"
            | "/api/v1/events/{event}",
        )
        | (
            "POST",
            "/api/v1/runs"
            | "/api/v1/runs/{run}/resolve"
            | "/api/v1/runs/{run}/cancel"
            | "/api/v1/runs/{run}/pause"
            | "/api/v1/runs/{run}/resume"
            | "/api/v1/runs/{run}/terminate"
            | "/api/v1/runs/{run}/retry"
            | "/api/v1/runs/{run}/rerun"
            | "/api/v1/runs/{run}/fork"
            | "/api/v1/keys"
            | "/api/v1/keys/{key}/rotate"
            | "/api/v1/bulk/{bulk}/stop"
            | "/api/v1/keys/{key}/revoke",
        )
        | ("DELETE", "/api/v1/runs/{run}") => Foreign::NotThere,
        ("POST", "/api/v1/events") => Foreign::Undelivered,
        ("GET", "/api/v1/stream") => Foreign::Stream,
        ("POST", "/api/v1/runs/import") => Foreign::Bundle,
        ("GET", "/api/v1/worker") => Foreign::Upgrade,
        ("GET", "/api/v1/me" | "/api/v1/openapi.json")
        | ("POST" | "DELETE", "/api/v1/session")
        | ("POST", "/api/v1/telemetry")
        | ("PUT" | "DELETE", "/api/v1/flows/{flow}") => Foreign::Own,
        ("POST" | "GET", "/api/v1/namespaces" | "/api/v1/backups")
        | ("POST", "/api/v1/reload" | "/api/v1/server/resume")
        | ("GET", "/metrics")
        | ("DELETE", "/api/v1/namespaces/{namespace}") => Foreign::Refused,
        _ => return None,
    })
}
