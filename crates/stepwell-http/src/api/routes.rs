//! The one table of routes, and the router made of it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Response, Uri, header};
use axum::middleware::from_fn;
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, delete, get, post, put};
use stepwell_access::Right;
use stepwell_core::code::Code;
use stepwell_core::limits::Limits;
use stepwell_protocol::PATH;

use super::{
    activity, acts, audit, backups, bulk, events, export, flow, flows, glance, health, history,
    import, keys, known, list, me, metrics, namespaces, observed, openapi, reload, remake,
    restored, run, runs, stream, telemetry,
};
use crate::bulk::Bulks;
use crate::gate::{Access, Caller, Keys, Spec, guard};
use crate::meters::{Meters, Place};
use crate::observe::Observed;
use crate::openapi::About;
use crate::problem::Problem;
use crate::reload::Reloader;
use crate::worker;
use stepwell_driver::{Backups, Handle};

/// What handlers work with.
#[derive(Clone, Debug)]
pub struct Api {
    /// The way to the node.
    pub node: Handle,
    /// The limits in force.
    pub limits: Arc<Limits>,
    /// What is kept of past minutes.
    pub past: activity::Past,
    /// What makes backups.
    pub backups: Backups,
    /// The keys and namespaces.
    pub keys: Keys,
    /// How callers are let in.
    pub access: Arc<Access>,
    /// What reads settings again.
    pub reloader: Reloader,
    /// What is counted of requests.
    pub meters: Meters,
    /// What gets on with acts on many runs.
    pub(crate) bulks: Bulks,
    /// Observed runs; `None` where none are taken.
    pub(crate) observed: Option<Observed>,
}

/// An address, what may be done there, and who may.
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path, with `{…}` for what varies.
    pub path: &'static str,
    /// The right that a caller needs; checked before the handler sees anything.
    pub right: Right,
    handler: fn() -> MethodRouter<Api>,
    /// What it says of itself, in the document that describes the API.
    pub(crate) about: fn() -> About,
}

/// Every route of the server. The router is made of this table and nothing else.
pub fn routes() -> Vec<Route> {
    [of_runs(), of_bulk(), of_events(), of_flows(), of_access(), of_server()]
        .into_iter()
        .flatten()
        .collect()
}

/// A row: the method, the path, the right, the handler, and what it says of itself.
fn route(
    method: &'static str,
    path: &'static str,
    right: Right,
    handler: fn() -> MethodRouter<Api>,
    about: fn() -> About,
) -> Route {
    Route { method, path, right, handler, about }
}

fn of_runs() -> Vec<Route> {
    use Right::{Act, Read, Start};
    vec![
        route("POST", "/api/v1/runs", Start, || post(runs::start), runs::about_start),
        route("GET", "/api/v1/runs", Read, || get(list::list), list::about_list),
        route("GET", "/api/v1/runs/glance", Read, || get(glance::glance), glance::about),
        route("GET", "/api/v1/runs/counts", Read, || get(list::counts), list::about_counts),
        route("GET", "/api/v1/runs/activity", Read, || get(activity::activity), activity::about),
        route("GET", "/api/v1/runs/export", Act, || get(export::many), export::about_many),
        route("POST", "/api/v1/runs/import", Act, || post(import::import), import::about),
        route("GET", "/api/v1/runs/{run}", Read, || get(run::show), run::about_show),
        route("DELETE", "/api/v1/runs/{run}", Act, || delete(acts::delete), acts::about_delete),
        route("GET", "/api/v1/runs/{run}/why", Read, || get(run::answer_why), run::about_why),
        route("GET", "/api/v1/runs/{run}/result", Read, || get(run::result), run::about_result),
        route("GET", "/api/v1/runs/{run}/history", Read, || get(history::history), history::about),
        route("GET", "/api/v1/runs/{run}/export", Act, || get(export::one), export::about_one),
        route(
            "POST",
            "/api/v1/runs/{run}/cancel",
            Start,
            || post(acts::cancel),
            acts::about_cancel,
        ),
        route("POST", "/api/v1/runs/{run}/pause", Act, || post(acts::pause), acts::about_pause),
        route("POST", "/api/v1/runs/{run}/resume", Act, || post(acts::resume), acts::about_resume),
        route(
            "POST",
            "/api/v1/runs/{run}/terminate",
            Act,
            || post(acts::terminate),
            acts::about_terminate,
        ),
        route("POST", "/api/v1/runs/{run}/retry", Act, || post(acts::retry), acts::about_retry),
        route(
            "POST",
            "/api/v1/runs/{run}/resolve",
            Act,
            || post(remake::resolve),
            remake::about_resolve,
        ),
        route("POST", "/api/v1/runs/{run}/rerun", Act, || post(remake::rerun), remake::about_rerun),
        route("POST", "/api/v1/runs/{run}/fork", Act, || post(remake::fork), remake::about_fork),
    ]
}

/// Acts on many runs.
fn of_bulk() -> Vec<Route> {
    use Right::{Act, Read};
    vec![
        route("POST", "/api/v1/bulk", Act, || post(bulk::begin), bulk::about_begin),
        route("GET", "/api/v1/bulk", Read, || get(bulk::list), bulk::about_list),
        route("GET", "/api/v1/bulk/{bulk}", Read, || get(bulk::show), bulk::about_show),
        route("POST", "/api/v1/bulk/{bulk}/stop", Act, || post(bulk::stop), bulk::about_stop),
    ]
}

/// Events, runners, and what passes between them and runs.
fn of_events() -> Vec<Route> {
    use Right::{Read, Start, Work};
    vec![
        route("POST", "/api/v1/events", Start, || post(events::send), events::about_send),
        route("GET", "/api/v1/events", Read, || get(events::list), events::about_list),
        route("GET", "/api/v1/events/{event}", Read, || get(events::show), events::about_show),
        route("GET", "/api/v1/workflows", Read, || get(known::workflows), known::about_workflows),
        route("GET", "/api/v1/runners", Read, || get(known::runners), known::about_runners),
        route("GET", "/api/v1/stream", Read, || get(stream::stream), stream::about),
        route("GET", PATH, Work, || get(worker::connect), worker::about),
    ]
}

/// Observed runs (§10).
fn of_flows() -> Vec<Route> {
    use Right::{Act, Read, Telemetry};
    const FLOW: &str = "/api/v1/flows/{flow}";
    const LEARNED: &str = "/api/v1/flows/{flow}/learned";
    const ERRORS: &str = "/api/v1/flows/{flow}/errors";
    const RUNS: &str = "/api/v1/flows/{flow}/runs";
    const RUN: &str = "/api/v1/flows/{flow}/runs/{observed}";
    const BESIDE: &str = "/api/v1/runs/{run}/observed";
    vec![
        route("POST", "/api/v1/telemetry", Telemetry, || post(telemetry::take), telemetry::about),
        route("GET", "/api/v1/flows", Read, || get(flows::list), flows::about_list),
        route("GET", FLOW, Read, || get(flow::show), flow::about),
        route("PUT", FLOW, Act, || put(flows::declare), flows::about_declare),
        route("DELETE", FLOW, Act, || delete(flows::forget), flows::about_forget),
        route("GET", LEARNED, Read, || get(flows::learned), flows::about_learned),
        route("GET", ERRORS, Read, || get(flows::errors), flows::about_errors),
        route("GET", RUNS, Read, || get(observed::list), observed::about_list),
        route("GET", RUN, Read, || get(observed::show), observed::about_show),
        route("GET", BESIDE, Read, || get(observed::beside), observed::about_beside),
    ]
}

/// Who may do what.
fn of_access() -> Vec<Route> {
    use Right::{Admin, Any, Server};
    vec![
        route("GET", "/api/v1/me", Any, || get(me::show), me::about_show),
        route("POST", "/api/v1/session", Any, || post(me::begin), me::about_begin),
        route("DELETE", "/api/v1/session", Any, || delete(me::end), me::about_end),
        route("POST", "/api/v1/keys", Admin, || post(keys::create), keys::about_create),
        route("GET", "/api/v1/keys", Admin, || get(keys::list), keys::about_list),
        route(
            "POST",
            "/api/v1/keys/{key}/rotate",
            Admin,
            || post(keys::rotate),
            keys::about_rotate,
        ),
        route(
            "POST",
            "/api/v1/keys/{key}/revoke",
            Admin,
            || post(keys::revoke),
            keys::about_revoke,
        ),
        route("GET", "/api/v1/audit", Admin, || get(audit::list), audit::about),
        route(
            "POST",
            "/api/v1/namespaces",
            Server,
            || post(namespaces::create),
            namespaces::about_create,
        ),
        route(
            "GET",
            "/api/v1/namespaces",
            Server,
            || get(namespaces::list),
            namespaces::about_list,
        ),
        route(
            "DELETE",
            "/api/v1/namespaces/{namespace}",
            Server,
            || delete(namespaces::delete),
            namespaces::about_delete,
        ),
    ]
}

/// The server as a whole.
fn of_server() -> Vec<Route> {
    use Right::{Any, Public, Server, ServerRead};
    vec![
        route("POST", "/api/v1/backups", Server, || post(backups::create), backups::about_create),
        route("GET", "/api/v1/backups", Server, || get(backups::list), backups::about_list),
        route("POST", "/api/v1/reload", Server, || post(reload::reload), reload::about),
        route("POST", "/api/v1/server/resume", Server, || post(restored::resume), restored::about),
        route("GET", "/api/v1/openapi.json", Any, || get(openapi::show), openapi::about),
        route("GET", "/healthz", Public, || get(health::health), health::about_health),
        route("GET", "/metrics", ServerRead, || get(metrics::metrics), metrics::about),
    ]
}

/// Makes the router of the table.
pub fn router(api: Api) -> Router {
    let mut router = Router::new();
    for Route { method, path, right, handler, .. } in routes() {
        let spec = Spec { method, path, right };
        let guarded = from_fn(move |request, next| async move {
            let mut response = guard(spec, request, next).await;
            response.extensions_mut().insert(Place { method, path });
            response
        });
        router = router.route(path, handler().route_layer(guarded));
    }
    router.fallback(unknown).method_not_allowed_fallback(not_allowed).with_state(api)
}

async fn unknown(_caller: Caller, uri: Uri) -> Problem {
    let mut paths: Vec<_> = routes().into_iter().map(|route| route.path).collect();
    paths.dedup();
    let known = paths.join(", ");
    let path: String = uri.path().chars().take(200).collect();
    Problem::new(Code::UnknownRoute, format!("there is nothing at `{path}`; there is: {known}"))
}

async fn not_allowed(_caller: Caller, method: Method, uri: Uri) -> Response<Body> {
    // One that is written out stands before those that it would be a case of, as in the router.
    let is_written_out = routes().iter().any(|route| route.path == uri.path());
    let fits = |path: &str| {
        if is_written_out {
            return path == uri.path();
        }
        let (mut wanted, mut found) = (path.split('/'), uri.path().split('/'));
        wanted.by_ref().zip(found.by_ref()).all(|(a, b)| a == b || a.starts_with('{'))
            && path.split('/').count() == uri.path().split('/').count()
    };
    let mut methods = Vec::new();
    for route in routes().iter().filter(|route| fits(route.path)) {
        let takes: &[_] = if route.method == "GET" { &["GET", "HEAD"] } else { &[route.method] };
        methods.extend_from_slice(takes);
    }
    methods.sort_unstable();
    methods.dedup();
    let allow = methods.join(", ");
    let detail = format!("`{}` does not take {method}; accepted: {allow}", uri.path());
    Problem::new(Code::MethodNotAllowed, detail).header(header::ALLOW, allow).into_response()
}
