//! The right of a route, held against its caller; what every route has in common.

use axum::body::Body;
use axum::http::{Request, Response};
use axum::middleware::Next;
use axum::response::IntoResponse;
use stepwell_access::Right;

use super::audited::{self, Act};
use super::caller::{Admission, Caller, not_admitted};
use super::live::until_ended;
use crate::problem::Problem;

/// What the table of routes says of a route.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec {
    /// The method.
    pub(crate) method: &'static str,
    /// The path, with `{…}` for what varies.
    pub(crate) path: &'static str,
    /// The right that a caller needs.
    pub(crate) right: Right,
}

impl Spec {
    /// Tells whether requests are written to the audit log: what acts on others' work, what takes data out
    /// or away, and what changes who may do so.
    pub(crate) fn is_audited(self) -> bool {
        match self.right {
            Right::Act => true,
            Right::Admin | Right::Server => self.method != "GET",
            Right::Start => self.path.ends_with("/cancel"),
            Right::Public
            | Right::Any
            | Right::Read
            | Right::Work
            | Right::Telemetry
            | Right::ServerRead => false,
        }
    }

    /// Tells whether a request may end the key that it came with. It waits for nothing, and who revokes his
    /// own key is told that it is done.
    fn changes_access(self) -> bool {
        matches!(self.right, Right::Admin | Right::Server)
    }
}

/// Stands before a route: lets a request through whose caller has the right, writes acts to the audit log,
/// and ends what lasts with its key.
pub(crate) async fn guard(spec: Spec, mut request: Request<Body>, next: Next) -> Response<Body> {
    if spec.right == Right::Public {
        return next.run(request).await;
    }
    let mut caller = match permitted(spec.right, &request) {
        Ok(caller) => caller,
        Err(problem) => {
            tracing::debug!(code = %problem.code, detail = problem.detail, "refused at the gate");
            return problem.into_response();
        }
    };
    if !spec.is_audited() {
        let response = within(&caller, next.run(request)).await;
        return until_ended_response(&caller, response);
    }
    let act = Act::of(spec, request.uri(), &mut caller);
    request.extensions_mut().insert(Admission(Ok(caller.clone())));
    let Some(keys) = request.extensions().get().cloned() else {
        return not_admitted().into_response();
    };
    let response = audited::run(act, keys, {
        let caller = caller.clone();
        async move {
            let answer = next.run(request);
            if spec.changes_access() { answer.await } else { within(&caller, answer).await }
        }
    });
    until_ended_response(&caller, response.await)
}

fn permitted(right: Right, request: &Request<Body>) -> Result<Caller, Problem> {
    let admission = request.extensions().get::<Admission>().ok_or_else(not_admitted)?;
    let caller = admission.0.clone()?;
    caller.permit(right)?;
    Ok(caller)
}

/// Answers, or stops answering once the caller's key is not taken any more.
async fn within(caller: &Caller, answer: impl Future<Output = Response<Body>>) -> Response<Body> {
    if caller.lasting().is_none() {
        return answer.await;
    }
    tokio::select! {
        // What was begun with a key that is over does not take another step.
        biased;
        problem = caller.ended() => problem.into_response(),
        response = answer => response,
    }
}

fn until_ended_response(caller: &Caller, response: Response<Body>) -> Response<Body> {
    let (parts, body) = response.into_parts();
    Response::from_parts(parts, until_ended(caller, body))
}
