//! The one table of routes, and the router made of it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Response, Uri};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get, post};
use stepwell_core::code::Code;
use stepwell_core::limits::Limits;
use stepwell_protocol::PATH;

use super::{activity, acts, events, glance, health, known, list, remake, run, runs, stream};
use crate::problem::Problem;
use crate::worker;
use stepwell_driver::Handle;

/// What handlers work with.
#[derive(Clone, Debug)]
pub struct Api {
    /// The way to the node.
    pub node: Handle,
    /// The limits in force.
    pub limits: Arc<Limits>,
    /// What is kept of past minutes.
    pub past: activity::Past,
}

/// An address and what may be done there.
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path, with `{…}` for what varies.
    pub path: &'static str,
    handler: fn() -> MethodRouter<Api>,
}

/// Every route of the server. The router is made of this table and nothing else.
pub fn routes() -> [Route; 25] {
    let route = |method, path, handler| Route { method, path, handler };
    [
        route("POST", "/api/v1/runs", || post(runs::start)),
        route("GET", "/api/v1/runs", || get(list::list)),
        route("GET", "/api/v1/runs/glance", || get(glance::glance)),
        route("GET", "/api/v1/runs/counts", || get(list::counts)),
        route("GET", "/api/v1/runs/activity", || get(activity::activity)),
        route("GET", "/api/v1/runs/{run}", || get(run::show)),
        route("GET", "/api/v1/runs/{run}/why", || get(run::answer_why)),
        route("GET", "/api/v1/runs/{run}/result", || get(run::result)),
        route("POST", "/api/v1/runs/{run}/cancel", || post(acts::cancel)),
        route("POST", "/api/v1/runs/{run}/pause", || post(acts::pause)),
        route("POST", "/api/v1/runs/{run}/resume", || post(acts::resume)),
        route("POST", "/api/v1/runs/{run}/terminate", || post(acts::terminate)),
        route("POST", "/api/v1/runs/{run}/retry", || post(acts::retry)),
        route("POST", "/api/v1/runs/{run}/resolve", || post(remake::resolve)),
        route("POST", "/api/v1/runs/{run}/rerun", || post(remake::rerun)),
        route("POST", "/api/v1/runs/{run}/fork", || post(remake::fork)),
        route("POST", "/api/v1/events", || post(events::send)),
        route("GET", "/api/v1/events", || get(events::list)),
        route("GET", "/api/v1/events/{event}", || get(events::show)),
        route("GET", "/api/v1/workflows", || get(known::workflows)),
        route("GET", "/api/v1/runners", || get(known::runners)),
        route("GET", "/api/v1/stream", || get(stream::stream)),
        route("GET", PATH, || get(worker::connect)),
        route("GET", "/healthz", || get(health::health)),
        route("GET", "/metrics", || get(health::metrics)),
    ]
}

/// Makes the router of the table.
pub fn router(api: Api) -> Router {
    let mut router = Router::new();
    for route in routes() {
        router = router.route(route.path, (route.handler)());
    }
    router.fallback(unknown).method_not_allowed_fallback(not_allowed).with_state(api)
}

async fn unknown(uri: Uri) -> Problem {
    let mut paths: Vec<_> = routes().into_iter().map(|route| route.path).collect();
    paths.dedup();
    let known = paths.join(", ");
    let path: String = uri.path().chars().take(200).collect();
    Problem::new(Code::UnknownRoute, format!("there is nothing at `{path}`; there is: {known}"))
}

async fn not_allowed(method: Method, uri: Uri) -> Response<Body> {
    let fits = |path: &str| {
        let (mut wanted, mut found) = (path.split('/'), uri.path().split('/'));
        wanted.by_ref().zip(found.by_ref()).all(|(a, b)| a == b || a.starts_with('{'))
            && path.split('/').count() == uri.path().split('/').count()
    };
    let methods: Vec<_> =
        routes().into_iter().filter(|route| fits(route.path)).map(|route| route.method).collect();
    let allow = match methods.as_slice() {
        ["POST"] => "POST",
        ["GET"] => "GET, HEAD",
        _ => "GET, HEAD, POST",
    };
    let detail = format!("`{}` does not take {method}; accepted: {allow}", uri.path());
    let problem = Problem { allow: Some(allow), ..Problem::new(Code::MethodNotAllowed, detail) };
    problem.into_response()
}
