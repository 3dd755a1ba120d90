//! Of which backup the server was restored, and letting its runs go.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use serde::{Deserialize, Serialize};
use stepwell_core::time::Timestamp;
use stepwell_core::view::iso;
use stepwell_store::backup::Restored;
use utoipa::ToSchema;

use super::answer::json;
use super::body;
use super::routes::Api;
use crate::openapi::{About, shapes};
use crate::problem::Problem;

/// What people are told of a restore.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Restored)]
pub(super) struct Shown {
    backup: String,
    #[serde(serialize_with = "iso")]
    #[schema(value_type = shapes::Instant)]
    taken_at: Timestamp,
    /// No run goes on until `POST /api/v1/server/resume`.
    pub(super) held: bool,
}

impl From<Restored> for Shown {
    fn from(restored: Restored) -> Self {
        let Restored { backup, taken_at, held, .. } = restored;
        Self { backup, taken_at, held }
    }
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "no body, or a JSON object without fields")]
#[schema(as = ResumeServer)]
struct ResumeBody {}

#[derive(Serialize, ToSchema)]
struct Resumed {
    /// `null` for a server that was not restored, whose runs nobody held.
    #[schema(required)]
    restored: Option<Shown>,
}

/// Describes [`resume`].
pub(super) fn about() -> About {
    About::new("resumeServer", "Lets the runs of a restored server go on")
        .more("Changes nothing where they go on already.")
        .optional_body::<ResumeBody>()
        .answer::<Resumed>(200, "They go on.")
}

/// Lets the runs of a restored server go on. Changes nothing where they do.
pub(super) async fn resume(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let ResumeBody {} = body::optional(&headers, body, &api.limits).await?;
    let restored = api.node.let_go().await?;
    json(StatusCode::OK, &Resumed { restored: restored.map(Shown::from) })
}
