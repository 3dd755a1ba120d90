//! Who a caller is, and the session of a browser.

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode, header};
use serde::Serialize;
use stepwell_access::Right;
use stepwell_core::code::Code;
use stepwell_core::time::Timestamp;
use stepwell_core::view::iso_option;
use utoipa::ToSchema;

use super::answer::json;
use super::routes::Api;
use crate::gate::{self, Caller};
use crate::openapi::{About, shapes};
use crate::problem::Problem;

/// A key, by name.
#[derive(Serialize, ToSchema)]
struct KeyName<'a> {
    id: String,
    name: &'a str,
}

/// Who the caller is, and what he may do.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Me<'a> {
    /// `keys` or `loopback`.
    access: &'static str,
    namespace: &'a str,
    #[schema(value_type = shapes::RoleWord)]
    role: &'static str,
    /// His key; null where nobody needs one.
    #[schema(required)]
    key: Option<KeyName<'a>>,
    #[schema(value_type = Vec<shapes::RightWord>)]
    rights: Vec<&'static str>,
    /// When the credential ends if nothing changes.
    #[serde(serialize_with = "iso_option")]
    #[schema(value_type = Option<shapes::Instant>, required)]
    ends_at: Option<Timestamp>,
}

/// Describes [`show`].
pub(super) fn about_show() -> About {
    About::new("whoAmI", "Tells who the caller is, and what he may do")
        .answer::<Me<'_>>(200, "The caller.")
}

/// Describes [`begin`].
pub(super) fn about_begin() -> About {
    About::new("beginSession", "Gives a browser a session of the key that it sends")
        .answer::<Me<'_>>(200, "The caller; where keys are needed, with a cookie.")
        .with_header(200, "Set-Cookie", "The session, for 12 hours at most.")
}

/// Describes [`end`].
pub(super) fn about_end() -> About {
    About::new("endSession", "Takes the session away from a browser")
        .empty(204, "The browser has no session.")
        .with_header(204, "Set-Cookie", "An empty session.")
}

/// Tells who the caller is and what he may do.
pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Response<Body>, Problem> {
    answer(&api, &caller, None)
}

fn answer(
    api: &Api,
    caller: &Caller,
    session_ends: Option<Timestamp>,
) -> Result<Response<Body>, Problem> {
    let lasting = caller.lasting();
    let live = lasting.map(|one| api.keys.keyring().recheck(&one.credential, gate::now()));
    let ends_at = live.transpose()?.and_then(|live| live.ends_at);
    let key = caller.key().map(|key| KeyName { id: key.id.to_string(), name: &key.name });
    let namespace = caller.namespace();
    let me = Me {
        access: api.access.mode.as_str(),
        namespace: &namespace,
        role: caller.role().as_str(),
        key,
        rights: caller.role().rights(caller.scope()).into_iter().map(Right::as_str).collect(),
        ends_at: [ends_at, session_ends].into_iter().flatten().min(),
    };
    json(StatusCode::OK, &me)
}

/// Gives a browser a session of the key that it sends.
pub(super) async fn begin(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Response<Body>, Problem> {
    let Some(lasting) = caller.lasting() else {
        // Nobody needs a key here, so nobody needs a session.
        return answer(&api, &caller, None);
    };
    if lasting.credential.until.is_some() {
        let why = "a session is made with a key, not with a session; accepted: the header \
                   `Authorization: Bearer sw_…`";
        return Err(Problem::new(Code::Unauthenticated, why));
    }
    let now = gate::now();
    let keyring = api.keys.keyring();
    let live = keyring.recheck(&lasting.credential, now)?;
    let session = keyring.session(&live, now);
    let mut response =
        answer(&api, &caller, Some(now.after(stepwell_access::keyring::SESSION_TIME)))?;
    let cookie = gate::session_cookie(&api.access.transport, &session);
    let cookie =
        cookie.ok_or_else(|| Problem::new(Code::Internal, "the session cannot be sent"))?;
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

/// Takes a session away from a browser.
pub(super) async fn end(State(api): State<Api>, _caller: Caller) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if let Some(cookie) = gate::clear_cookie(&api.access.transport) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}
