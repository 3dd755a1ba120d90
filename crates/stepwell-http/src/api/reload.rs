//! Settings, read again.

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};

use super::answer::json;
use super::routes::Api;
use crate::gate::Caller;
use crate::problem::Problem;

/// Has the server read its settings again; tells what changed and what needs a restart.
pub(super) async fn reload(
    State(api): State<Api>,
    _caller: Caller,
) -> Result<Response<Body>, Problem> {
    json(StatusCode::OK, &api.reloader.run().await?)
}
