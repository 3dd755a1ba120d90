//! Settings, read again.

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};

use stepwell_core::code::Code;

use super::answer::json;
use super::routes::Api;
use crate::gate::Caller;
use crate::openapi::About;
use crate::problem::Problem;
use crate::reload::Reloaded;

/// Describes [`reload`].
pub(super) fn about() -> About {
    About::new("reloadSettings", "Has the server read its settings again")
        .more("Takes no body. Settings that are not accepted change nothing.")
        .answer::<Reloaded>(200, "What counts now, and what counts with the next start.")
        .refuses(&[Code::ConfigInvalid])
}

/// Has the server read its settings again; tells what changed and what needs a restart.
pub(super) async fn reload(
    State(api): State<Api>,
    _caller: Caller,
) -> Result<Response<Body>, Problem> {
    json(StatusCode::OK, &api.reloader.run().await?)
}
