//! Values as answers.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use stepwell_core::code::Code;
use stepwell_core::time::Timestamp;

use crate::problem::Problem;

/// Returns the time between two instants in milliseconds, to the microsecond.
pub(super) fn millis_between(from: Option<Timestamp>, to: Option<Timestamp>) -> Option<f64> {
    Some(to?.since(from?).as_secs_f64() * 1_000.0).map(|ms| (ms * 1_000.0).round() / 1_000.0)
}

/// Makes a JSON answer.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Result<Response<Body>, Problem> {
    Ok(bytes(status, json_text(value)?))
}

/// Writes a value as JSON text.
pub(super) fn json_text(value: &impl Serialize) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(value).map_err(|error| {
        tracing::error!(%error, "an answer could not be written as JSON");
        Problem::new(Code::Internal, "the answer could not be written")
    })
}

/// Makes an answer of JSON text.
pub(super) fn bytes(status: StatusCode, json: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
