//! Namespaces: making, listing, deleting them.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response, StatusCode, Uri};
use serde::{Deserialize, Serialize};
use stepwell_access::Namespace;
use stepwell_core::code::Code;
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
use crate::upkeep::{Left, left};

/// Time for requests that were let in before a namespace was closed to have reached the node: they do not
/// take another step, but one may be under way.
const LAST_STEPS: Duration = Duration::from_millis(200);

/// The namespace that is to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a JSON object with the field `name`")]
#[schema(as = CreateNamespace)]
struct CreateBody {
    #[schema(value_type = shapes::NamespaceName)]
    name: String,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Deleting {
    /// Runs that have not ended are to be terminated, and observed ones forgotten.
    #[param(value_type = Option<bool>, default = false)]
    force: Option<String>,
    /// Why; it stands in the audit log.
    #[param(value_type = Option<shapes::Name>)]
    reason: Option<String>,
}

/// A namespace.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Namespace)]
struct Shown<'a> {
    name: &'a str,
    #[serde(serialize_with = "iso")]
    #[schema(value_type = shapes::Instant)]
    created_at: Timestamp,
    created_by: &'a str,
    /// Since when it is being deleted.
    #[serde(serialize_with = "iso_option")]
    #[schema(value_type = Option<shapes::Instant>, required)]
    closed_at: Option<Timestamp>,
    /// Keys that are live.
    keys: usize,
}

impl<'a> Shown<'a> {
    fn of(api: &Api, namespace: &'a Namespace) -> Self {
        let now = gate::now();
        let keys = api.keys.keyring().keys(Some(&namespace.name));
        let live = keys
            .iter()
            .filter(|key| key.revoked_at.is_none() && key.expires_at.is_none_or(|at| at > now));
        Self {
            name: &namespace.name,
            created_at: namespace.created_at,
            created_by: &namespace.created_by,
            closed_at: namespace.closed_at,
            keys: if namespace.closed_at.is_some() { 0 } else { live.count() },
        }
    }
}

/// Makes a namespace.
pub(super) async fn create(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    body::expect_json(&headers)?;
    let bytes = body::read(&headers, body, &api.limits).await?;
    let CreateBody { name } = body::parse(&bytes)?;
    let (by, now) = (caller.name().to_owned(), gate::now());
    let made = api.keys.change(move |keyring| keyring.create_namespace(&name, &by, now)).await?;
    caller.note_object(&*made.name);
    json(StatusCode::CREATED, &Shown::of(&api, &made))
}

/// Every namespace of the server.
#[derive(Serialize, ToSchema)]
#[schema(as = NamespaceList)]
struct List<'a> {
    namespaces: Vec<Shown<'a>>,
}

/// Describes [`create`].
pub(super) fn about_create() -> About {
    About::new("createNamespace", "Makes a namespace")
        .body::<CreateBody>()
        .answer::<Shown<'_>>(201, "The namespace.")
        .refuses(&[Code::AccessConflict])
}

/// Describes [`list`].
pub(super) fn about_list() -> About {
    About::new("listNamespaces", "Lists namespaces").answer::<List<'_>>(200, "The namespaces.")
}

/// Describes [`delete`].
pub(super) fn about_delete() -> About {
    About::new("deleteNamespace", "Deletes a namespace; its keys end at once")
        .query::<Deleting>()
        .answer::<Deleted<'_>>(200, "It is closed, or gone.")
        .refuses(&[Code::UnknownAccess, Code::AccessConflict])
}

/// Lists every namespace of the server.
pub(super) async fn list(
    State(api): State<Api>,
    _caller: Caller,
) -> Result<Response<Body>, Problem> {
    let found = api.keys.keyring().namespaces();
    let namespaces = found.iter().map(|one| Shown::of(&api, one)).collect();
    json(StatusCode::OK, &List { namespaces })
}

/// What is left of a deleted namespace.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DeletedNamespace)]
struct Deleted<'a> {
    name: &'a str,
    /// Nothing of it is left, and its name is free.
    gone: bool,
    /// Runs that are being ended.
    active: u64,
    /// Runs that stay until their retention is over.
    ended: u64,
}

/// Deletes a namespace: its keys end at once. One with runs is refused unless `force` says that they are to
/// be ended.
pub(super) async fn delete(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
    uri: Uri,
) -> Result<Response<Body>, Problem> {
    let Deleting { force, reason } = body::query(&uri)?;
    check_signed(&caller, None, reason)?;
    let force = match force.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(other) => {
            let why = format!("`force` is `{other}`; accepted: true or false");
            return Err(Problem::bad_request(why));
        }
    };
    let found = api.keys.keyring().namespace(&name)?;
    let name = Arc::clone(&found.name);
    let observed = api.observed.as_ref();
    let before = left(&api.node, observed, Arc::clone(&name)).await?;
    if !force && found.closed_at.is_none() && !before.has_no_runs() {
        return Err(has_runs(&name, before));
    }
    let (closed, now) = (Arc::clone(&name), gate::now());
    api.keys.change(move |keyring| keyring.close_namespace(&closed, now)).await?;
    tokio::time::sleep(LAST_STEPS).await;
    if let Some(observed) = observed.filter(|_| force) {
        observed.forget(&name).await?;
    }
    let after = left(&api.node, observed, Arc::clone(&name)).await?;
    if !force && found.closed_at.is_none() && !after.has_no_runs() {
        // One was started in the same moment.
        let opened = Arc::clone(&name);
        api.keys.change(move |keyring| keyring.reopen_namespace(&opened)).await?;
        return Err(has_runs(&name, after));
    }
    let gone = after.is_nothing();
    if gone {
        let forgotten = Arc::clone(&name);
        api.keys.change(move |keyring| keyring.forget_namespace(&forgotten)).await?;
    }
    let Left { active, ended, .. } = after;
    json(StatusCode::OK, &Deleted { name: &name, gone, active, ended })
}

fn has_runs(name: &str, left: Left) -> Problem {
    let Left { active, ended, flows, .. } = left;
    let observed = if flows { ", and flows that were observed or declared" } else { "" };
    let detail = format!(
        "the namespace `{name}` has {active} runs that have not ended and {ended} that have{observed}; \
         accepted: one without runs, or `force=true`, which ends them and forgets what was observed"
    );
    Problem::new(Code::AccessConflict, detail)
}
