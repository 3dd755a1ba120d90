//! Keys: making, listing, rotating, revoking them.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response, StatusCode, Uri};
use serde::{Deserialize, Serialize};
use stepwell_access::keyring::{Create, Rotate};
use stepwell_access::{Key, KeyId, Right, Role, Secret};
use stepwell_core::code::Code;
use stepwell_core::duration;
use stepwell_core::time::Timestamp;
use stepwell_core::view::{iso, iso_option};
use utoipa::{IntoParams, ToSchema};

use super::acts::check_signed;
use super::answer::json;
use super::body;
use super::routes::Api;
use crate::gate::{self, Caller};
use crate::openapi::{About, shapes};
use crate::problem::Problem;

/// How long a rotated key is taken beside the new one where nothing else is said.
const OVERLAP: Duration = Duration::from_hours(24);

/// The key that is to be made.
#[derive(Deserialize, ToSchema)]
#[serde(
    deny_unknown_fields,
    rename_all = "camelCase",
    expecting = "a JSON object with the fields `name` and `role`"
)]
#[schema(as = CreateKey)]
struct CreateBody {
    #[schema(value_type = shapes::Name)]
    name: String,
    #[schema(value_type = shapes::RoleWord)]
    role: String,
    /// The caller's where it is left out; an admin of `default` may name any.
    #[schema(value_type = Option<shapes::Name>)]
    namespace: Option<String>,
    /// After which time it is not taken any more.
    #[schema(value_type = Option<shapes::DurationText>)]
    expires_in: Option<String>,
    /// From when on it is not taken any more; in place of `expiresIn`.
    #[schema(value_type = Option<shapes::GivenInstant>)]
    expires_at: Option<String>,
    /// Why, for the audit log.
    #[schema(value_type = Option<shapes::Name>)]
    reason: Option<String>,
}

/// How a key gets another secret.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = RotateKey)]
struct RotateBody {
    /// How long the secret before is taken too, 24 hours where it is left out.
    #[schema(value_type = Option<shapes::DurationText>)]
    overlap: Option<String>,
    /// Why, for the audit log.
    #[schema(value_type = Option<shapes::Name>)]
    reason: Option<String>,
}

/// Why a key is revoked.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = RevokeKey)]
struct RevokeBody {
    /// For the audit log.
    #[schema(value_type = Option<shapes::Name>)]
    reason: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct OfNamespace {
    /// Only keys of this namespace.
    namespace: Option<String>,
}

/// A key.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Key)]
struct Shown<'a> {
    id: String,
    name: &'a str,
    namespace: &'a str,
    #[schema(value_type = shapes::RoleWord)]
    role: &'static str,
    /// `live`, `expired` or `revoked`.
    state: &'static str,
    #[serde(serialize_with = "iso")]
    #[schema(value_type = shapes::Instant)]
    created_at: Timestamp,
    created_by: &'a str,
    #[serde(serialize_with = "iso_option")]
    #[schema(value_type = Option<shapes::Instant>, required)]
    expires_at: Option<Timestamp>,
    #[serde(serialize_with = "iso_option")]
    #[schema(value_type = Option<shapes::Instant>, required)]
    revoked_at: Option<Timestamp>,
    /// Exact to some minutes.
    #[serde(serialize_with = "iso_option")]
    #[schema(value_type = Option<shapes::Instant>, required)]
    last_used_at: Option<Timestamp>,
    /// Until when the key before the last rotation is taken too.
    #[serde(serialize_with = "iso_option")]
    #[schema(value_type = Option<shapes::Instant>, required)]
    previous_until: Option<Timestamp>,
    /// The key itself: told once, to who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    key: Option<&'a str>,
}

impl<'a> Shown<'a> {
    fn of(key: &'a Key, secret: Option<&'a Secret>, now: Timestamp) -> Self {
        let state = if key.revoked_at.is_some() {
            "revoked"
        } else if key.expires_at.is_some_and(|at| at <= now) {
            "expired"
        } else {
            "live"
        };
        Self {
            id: key.id.to_string(),
            name: &key.name,
            namespace: &key.namespace,
            role: key.role.as_str(),
            state,
            created_at: key.created_at,
            created_by: &key.created_by,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
            last_used_at: key.last_used_at,
            previous_until: key.previous.map(|one| one.until).filter(|until| *until > now),
            key: secret.map(Secret::expose),
        }
    }
}

/// Makes a key; the answer is the only one that ever holds it.
pub(super) async fn create(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    body::expect_json(&headers)?;
    let bytes = body::read(&headers, body, &api.limits).await?;
    let asked: CreateBody = body::parse(&bytes)?;
    check_signed(&caller, None, asked.reason)?;
    let now = gate::now();
    let role: Role =
        asked.role.parse().map_err(|error| Problem::bad_request(format!("{error}")))?;
    let create = Create {
        name: asked.name,
        namespace: namespace_of(&caller, asked.namespace)?.unwrap_or_else(|| caller.namespace()),
        role,
        expires_at: expiry(asked.expires_in.as_deref(), asked.expires_at.as_deref(), now)?,
        by: caller.name().to_owned(),
    };
    let entropy = gate::entropy()?;
    let (key, secret) =
        api.keys.change(move |keyring| keyring.create(create, entropy, now)).await?;
    caller.note_object(key.id.to_string());
    json(StatusCode::CREATED, &Shown::of(&key, Some(&secret), now))
}

/// Keys that the caller administers.
#[derive(Serialize, ToSchema)]
#[schema(as = KeyList)]
struct List<'a> {
    keys: Vec<Shown<'a>>,
}

/// Describes [`create`].
pub(super) fn about_create() -> About {
    About::new("createKey", "Makes a key")
        .body::<CreateBody>()
        .answer::<Shown<'_>>(201, "The key: this answer alone ever holds it.")
        .refuses(&[Code::UnknownAccess, Code::AccessConflict])
}

/// Describes [`list`].
pub(super) fn about_list() -> About {
    About::new("listKeys", "Lists keys")
        .query::<OfNamespace>()
        .answer::<List<'_>>(200, "The keys of the caller's namespace, for admins of `default` all.")
        .refuses(&[Code::UnknownAccess])
}

/// Describes [`rotate`].
pub(super) fn about_rotate() -> About {
    About::new("rotateKey", "Gives a key another secret")
        .optional_body::<RotateBody>()
        .answer::<Shown<'_>>(200, "The key: this answer alone ever holds its new secret.")
        .refuses(&[Code::UnknownAccess, Code::AccessConflict])
}

/// Describes [`revoke`].
pub(super) fn about_revoke() -> About {
    About::new("revokeKey", "Revokes a key; what is connected with it is dropped")
        .optional_body::<RevokeBody>()
        .answer::<Shown<'_>>(200, "The key, revoked now or before.")
        .refuses(&[Code::UnknownAccess, Code::AccessConflict])
}

/// Lists keys that the caller administers.
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    uri: Uri,
) -> Result<Response<Body>, Problem> {
    let OfNamespace { namespace } = body::query(&uri)?;
    let namespace = namespace_of(&caller, namespace)?;
    let keys = api.keys.keyring().keys(namespace.as_deref());
    let now = gate::now();
    let keys = keys.iter().map(|key| Shown::of(key, None, now)).collect();
    json(StatusCode::OK, &List { keys })
}

/// Gives a key another secret; the answer is the only one that ever holds it.
pub(super) async fn rotate(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let id = key_id(&id)?;
    let RotateBody { overlap, reason } = body::optional(&headers, body, &api.limits).await?;
    check_signed(&caller, None, reason)?;
    let overlap = match overlap.as_deref().map(duration::parse) {
        None => OVERLAP,
        Some(Ok(overlap)) => overlap,
        Some(Err(error)) => return Err(Problem::bad_request(format!("`overlap`: {error}"))),
    };
    let (now, entropy, bounds) = (gate::now(), gate::entropy()?, bounds(&caller));
    let rotate = Rotate { id, overlap };
    let rotated =
        api.keys.change(move |keyring| keyring.rotate(rotate, bounds.as_deref(), entropy, now));
    let (key, secret) = rotated.await?;
    json(StatusCode::OK, &Shown::of(&key, Some(&secret), now))
}

/// Revokes a key: what is connected with it is dropped.
pub(super) async fn revoke(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let id = key_id(&id)?;
    let RevokeBody { reason } = body::optional(&headers, body, &api.limits).await?;
    check_signed(&caller, None, reason)?;
    let (now, bounds) = (gate::now(), bounds(&caller));
    let key = api.keys.change(move |keyring| keyring.revoke(id, bounds.as_deref(), now)).await?;
    json(StatusCode::OK, &Shown::of(&key, None, now))
}

/// Which keys the caller may see and change; `None` for those of every namespace.
fn bounds(caller: &Caller) -> Option<Arc<str>> {
    (!caller.may(Right::Server)).then(|| caller.namespace())
}

/// Reads which namespace is meant; `None` where none is named and the caller administers all.
pub(super) fn namespace_of(
    caller: &Caller,
    named: Option<String>,
) -> Result<Option<Arc<str>>, Problem> {
    match (bounds(caller), named) {
        (None, named) => Ok(named.map(Arc::from)),
        (Some(own), None) => Ok(Some(own)),
        (Some(own), Some(named)) if *own == *named => Ok(Some(own)),
        (Some(_), Some(named)) => {
            // What another namespace has is not there, nor is that namespace.
            let shown: String = named.escape_debug().take(100).collect();
            let why = format!("there is no namespace `{shown}`");
            Err(Problem::new(Code::UnknownAccess, why))
        }
    }
}

pub(super) fn key_id(text: &str) -> Result<KeyId, Problem> {
    // Not what stands there: it may be a key, which is not repeated.
    text.parse().map_err(|error| Problem::bad_request(format!("{error}")))
}

fn expiry(
    within: Option<&str>,
    at: Option<&str>,
    now: Timestamp,
) -> Result<Option<Timestamp>, Problem> {
    let refuse = |why: String| Problem::bad_request(why);
    match (within, at) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(refuse("a key has `expiresIn` or `expiresAt`, not both".into())),
        (Some(within), None) => {
            let span = duration::parse(within);
            span.map(|span| Some(now.after(span))).map_err(|e| refuse(format!("`expiresIn`: {e}")))
        }
        (None, Some(at)) => {
            Timestamp::parse_iso(at).map(Some).map_err(|e| refuse(format!("`expiresAt`: {e}")))
        }
    }
}
