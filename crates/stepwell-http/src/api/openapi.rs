//! The document that describes this API.

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use utoipa::openapi::OpenApi;

use super::answer::json;
use crate::gate::Caller;
use crate::openapi::{About, document, shapes};
use crate::problem::Problem;

/// It is the same for as long as the program runs.
static DOCUMENT: LazyLock<OpenApi> = LazyLock::new(document);

/// Describes [`show`].
pub(super) fn about() -> About {
    About::new("openapi", "Describes this API as an `OpenAPI` 3.1 document")
        .answer::<shapes::Document>(200, "The document.")
}

/// Shows the document.
pub(super) async fn show(_caller: Caller) -> Result<Response<Body>, Problem> {
    json(StatusCode::OK, &*DOCUMENT)
}
