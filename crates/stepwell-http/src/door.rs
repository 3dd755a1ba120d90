//! The gate and what is behind it, for each connection.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse;
use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use stepwell_core::code::Code;
use tracing::Instrument as _;

use crate::api::{Api, router};
use crate::console::{self, Console};
use crate::gate::{Gate, Keys, Permit};
use crate::meters::{Meters, Place};
use crate::problem::Problem;
use crate::request_id::{RequestId, note_namespace};

/// The gate and what is behind it. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Door {
    gate: Gate,
    keys: Keys,
    console: Option<Console>,
    meters: Meters,
    router: TowerToHyperService<Router>,
}

/// A connection, as the door sees it.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    peer: SocketAddr,
    /// There until somebody was let in on this connection.
    unknown: Arc<Mutex<Option<Permit>>>,
}

impl Visit {
    /// A connection that has shown nothing yet.
    pub(crate) fn new(peer: SocketAddr, unknown: Option<Permit>) -> Self {
        Self { peer, unknown: Arc::new(Mutex::new(unknown)) }
    }

    fn is_known(&self) {
        self.unknown.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Door {
    pub(crate) fn new(gate: Gate, console: Option<Console>, api: Api) -> Self {
        let (keys, meters) = (api.keys.clone(), api.meters.clone());
        Self { gate, keys, console, meters, router: TowerToHyperService::new(router(api)) }
    }

    pub(crate) fn meters(&self) -> &Meters {
        &self.meters
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Answers with a page of the console, which holds no data: a link to it may stand on any site.
    fn page(
        &self,
        peer: SocketAddr,
        request: &Request<Body>,
    ) -> Option<Result<Response<Body>, Problem>> {
        let (method, uri, headers) = (request.method(), request.uri(), request.headers());
        let found = console::find(self.console?, method, uri)?;
        // Nothing is made for who is not let in.
        let admitted = self.gate.admit_page(peer, uri, headers);
        Some(admitted.and_then(|()| found.answer(headers)))
    }

    /// Answers a request.
    pub(crate) async fn enter(&self, visit: &Visit, request: Request<Incoming>) -> Response<Body> {
        let (began, method) = (Instant::now(), request.method().clone());
        let id = RequestId::of(request.headers());
        let span = id.span();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(id.clone());
        let response = self.answer(visit, request).instrument(span.clone()).await;
        let time = began.elapsed();
        let place = self.meters.answered(&method, &response, time);
        span.in_scope(|| tell(place, &response, time));
        id.mark(span, response)
    }

    async fn answer(&self, visit: &Visit, mut request: Request<Body>) -> Response<Body> {
        if let Some(page) = self.page(visit.peer, &request) {
            let mut response = page.unwrap_or_else(IntoResponse::into_response);
            response.extensions_mut().insert(Place::CONSOLE);
            return response;
        }
        match self.gate.admit(visit.peer, request.uri(), request.headers()) {
            Ok(admission) => {
                if let Some(caller) = admission.caller() {
                    visit.is_known();
                    note_namespace(&caller.namespace());
                }
                request.extensions_mut().insert(admission);
                request.extensions_mut().insert(self.keys.clone());
                // Nothing of a request is seen again after a panic in its handler.
                let answered = AssertUnwindSafe(self.router.call(request)).catch_unwind().await;
                answered.map_or_else(
                    |_| panicked(),
                    |answered: Result<_, Infallible>| {
                        answered.unwrap_or_else(|never| match never {})
                    },
                )
            }
            Err(problem) => {
                tracing::debug!(code = %problem.code, detail = problem.detail, "refused at the gate");
                problem.into_response()
            }
        }
    }
}

/// Logs an answer: that of the server's own failure so that people see it, others for who looks for them.
fn tell(place: Place, response: &Response<Body>, time: Duration) {
    let status = response.status();
    let Place { method, path: route } = place;
    let problem = response.extensions().get::<Problem>();
    let code = problem.map(|problem| problem.code.as_str());
    if status == StatusCode::INTERNAL_SERVER_ERROR {
        let detail = problem.map(|problem| &*problem.detail);
        tracing::error!(method, route, code, detail, "a request failed");
    }
    tracing::debug!(method, route, status = status.as_u16(), code, ?time, "answered");
}

fn panicked() -> Response<Body> {
    tracing::error!("the handler of a request panicked");
    Problem::new(Code::Internal, "the handler of this request failed; the log says more")
        .into_response()
}
