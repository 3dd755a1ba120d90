//! The one table of routes, and the router made of it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Response, Uri, header};
use axum::middleware::from_fn;
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, delete, get, post};
use stepwell_access::Right;
use stepwell_core::code::Code;
use stepwell_core::limits::Limits;
use stepwell_protocol::PATH;

use super::{
    activity, acts, audit, backups, events, glance, health, history, keys, known, list, me,
    namespaces, reload, remake, run, runs, stream,
};
use crate::gate::{Access, Caller, Keys, Spec, guard};
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
    /// The keys and namespaces.
    pub keys: Keys,
    /// How callers are let in.
    pub access: Arc<Access>,
    /// What makes backups.
    pub backups: Backups,
    /// What reads settings again.
    pub reloader: Reloader,
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
}

/// Every route of the server. The router is made of this table and nothing else.
pub fn routes() -> Vec<Route> {
    use Right::{Act, Admin, Any, Public, Read, Server, ServerRead, Start, Work};
    let route = |method, path, right, handler| Route { method, path, right, handler };
    vec![
        route("POST", "/api/v1/runs", Start, || post(runs::start)),
        route("GET", "/api/v1/runs", Read, || get(list::list)),
        route("GET", "/api/v1/runs/glance", Read, || get(glance::glance)),
        route("GET", "/api/v1/runs/counts", Read, || get(list::counts)),
        route("GET", "/api/v1/runs/activity", Read, || get(activity::activity)),
        route("GET", "/api/v1/runs/{run}", Read, || get(run::show)),
        route("DELETE", "/api/v1/runs/{run}", Act, || delete(acts::delete)),
        route("GET", "/api/v1/runs/{run}/why", Read, || get(run::answer_why)),
        route("GET", "/api/v1/runs/{run}/result", Read, || get(run::result)),
        route("GET", "/api/v1/runs/{run}/history", Read, || get(history::history)),
        route("POST", "/api/v1/runs/{run}/cancel", Start, || post(acts::cancel)),
        route("POST", "/api/v1/runs/{run}/pause", Act, || post(acts::pause)),
        route("POST", "/api/v1/runs/{run}/resume", Act, || post(acts::resume)),
        route("POST", "/api/v1/runs/{run}/terminate", Act, || post(acts::terminate)),
        route("POST", "/api/v1/runs/{run}/retry", Act, || post(acts::retry)),
        route("POST", "/api/v1/runs/{run}/resolve", Act, || post(remake::resolve)),
        route("POST", "/api/v1/runs/{run}/rerun", Act, || post(remake::rerun)),
        route("POST", "/api/v1/runs/{run}/fork", Act, || post(remake::fork)),
        route("POST", "/api/v1/events", Start, || post(events::send)),
        route("GET", "/api/v1/events", Read, || get(events::list)),
        route("GET", "/api/v1/events/{event}", Read, || get(events::show)),
        route("GET", "/api/v1/workflows", Read, || get(known::workflows)),
        route("GET", "/api/v1/runners", Read, || get(known::runners)),
        route("GET", "/api/v1/stream", Read, || get(stream::stream)),
        route("GET", PATH, Work, || get(worker::connect)),
        route("GET", "/api/v1/me", Any, || get(me::show)),
        route("POST", "/api/v1/session", Any, || post(me::begin)),
        route("DELETE", "/api/v1/session", Any, || delete(me::end)),
        route("POST", "/api/v1/keys", Admin, || post(keys::create)),
        route("GET", "/api/v1/keys", Admin, || get(keys::list)),
        route("POST", "/api/v1/keys/{key}/rotate", Admin, || post(keys::rotate)),
        route("POST", "/api/v1/keys/{key}/revoke", Admin, || post(keys::revoke)),
        route("GET", "/api/v1/audit", Admin, || get(audit::list)),
        route("POST", "/api/v1/namespaces", Server, || post(namespaces::create)),
        route("GET", "/api/v1/namespaces", Server, || get(namespaces::list)),
        route("DELETE", "/api/v1/namespaces/{namespace}", Server, || delete(namespaces::delete)),
        route("POST", "/api/v1/backups", Server, || post(backups::create)),
        route("GET", "/api/v1/backups", Server, || get(backups::list)),
        route("POST", "/api/v1/reload", Server, || post(reload::reload)),
        route("GET", "/healthz", Public, || get(health::health)),
        route("GET", "/metrics", ServerRead, || get(health::metrics)),
    ]
}

/// Makes the router of the table.
pub fn router(api: Api) -> Router {
    let mut router = Router::new();
    for Route { method, path, right, handler } in routes() {
        let spec = Spec { method, path, right };
        let guarded = from_fn(move |request, next| guard(spec, request, next));
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
    let fits = |path: &str| {
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
