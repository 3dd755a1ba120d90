//! Errors as answers: `application/problem+json` (RFC 9457) with a stable code.

use std::fmt::Display;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde::Serialize;
use stepwell_access::keyring::{self, Refused};
use stepwell_core::code::Code;
use stepwell_node::ApiError;
use stepwell_store::Error as StoreError;
use utoipa::ToSchema;

use crate::openapi::shapes;

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The stable code.
    pub code: Code,
    /// What is wrong with this request, and what is accepted.
    pub detail: String,
    /// Places in a value that do not fit, for SW2006.
    pub places: Vec<Place>,
    /// Headers of the answer beside those that every answer with this code has.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

/// A place in a value that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Place {
    /// The place as a JSON pointer (RFC 6901); empty for the whole value.
    pub path: String,
    /// What is wrong there.
    pub message: String,
}

impl Problem {
    /// Makes a problem from a code and a text.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), places: Vec::new(), headers: Vec::new() }
    }

    /// Adds a header to the answer; one that cannot stand there is left out.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: impl Display) -> Self {
        if let Ok(value) = HeaderValue::try_from(value.to_string()) {
            self.headers.push((name, value));
        }
        self
    }

    /// Says after how many seconds to try again.
    #[must_use]
    pub fn retry_after(self, seconds: impl Display) -> Self {
        self.header(header::RETRY_AFTER, seconds)
    }

    /// The request is not understood.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(Code::BadRequest, detail)
    }

    /// The server stops or starts again; trying again helps.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(Code::Unavailable, detail)
    }

    /// Returns the problem as JSON, outside of the answer to a request.
    pub fn to_json(&self) -> Vec<u8> {
        self.document(None)
    }

    /// Returns the body of the answer to a request.
    pub(crate) fn document(&self, request_id: Option<&str>) -> Vec<u8> {
        let body = Document {
            r#type: format!("/errors/{}", self.code),
            title: self.code.title(),
            status: self.code.http_status(),
            code: self.code.as_str(),
            detail: &self.detail,
            request_id,
            errors: &self.places,
        };
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

/// Why a request was not done (RFC 9457).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem)]
pub(crate) struct Document<'a> {
    /// `/errors/` and the code.
    r#type: String,
    /// What is wrong in general.
    title: &'static str,
    /// The status of the answer.
    status: u16,
    #[schema(value_type = shapes::CodeWord)]
    code: &'static str,
    /// What is wrong with this request, and what is accepted.
    detail: &'a str,
    /// The id of the request, as in the header `X-Request-Id`; the server's log has it too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = true, nullable = false)]
    request_id: Option<&'a str>,
    /// Places in a value that do not fit, with SW2006.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [Place],
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        Self::new(error.code, error.detail)
    }
}

impl From<stepwell_driver::Error> for Problem {
    fn from(error: stepwell_driver::Error) -> Self {
        let place = |one: stepwell_driver::Place| Place { path: one.path, message: one.message };
        let places = error.places.into_iter().map(place).collect();
        Self { places, ..Self::new(error.code, error.detail) }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        Self::new(Code::Unauthenticated, refused.to_string())
    }
}

impl From<keyring::Error> for Problem {
    fn from(error: keyring::Error) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        stepwell_driver::Error::from(error).into()
    }
}

impl From<stepwell_telemetry::keep::Error> for Problem {
    fn from(error: stepwell_telemetry::keep::Error) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.to_json()));
        let status = StatusCode::from_u16(self.code.http_status());
        *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if matches!(self.code, Code::Unavailable | Code::InDoubt | Code::DiskFull) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if self.code == Code::Unauthenticated {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        // What was refused is written down with its code, and told with the id of the request.
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_tells_its_code_and_what_is_wrong() {
        let problem = Problem {
            places: vec![Place { path: "/a".into(), message: "is not a number".into() }],
            ..Problem::new(Code::InputInvalid, "the input does not fit")
        };
        let text = String::from_utf8(problem.to_json()).unwrap();
        insta::assert_snapshot!(text, @r#"{"type":"/errors/SW2006","title":"The input does not fit the workflow","status":422,"code":"SW2006","detail":"the input does not fit","errors":[{"path":"/a","message":"is not a number"}]}"#);
    }

    #[test]
    fn trying_again_is_advised_where_it_helps() {
        let retry_after = |code| {
            let response = Problem::new(code, "").into_response();
            response.headers().contains_key(header::RETRY_AFTER)
        };
        let codes = [Code::Unavailable, Code::InDoubt, Code::DiskFull];
        assert!(codes.into_iter().all(retry_after));
        assert!(!retry_after(Code::BadRequest));
    }
}
