//! The audit log.

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode, Uri};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use stepwell_access::audit::{Ask, Order, Row};
use stepwell_core::code::Code;
use stepwell_core::time::Timestamp;
use stepwell_core::view::iso;
use utoipa::{IntoParams, ToSchema};

use super::answer::json;
use super::body;
use super::keys::{key_id, namespace_of};
use super::list::instant;
use super::routes::Api;
use crate::gate::{self, Caller};
use crate::openapi::{About, shapes};
use crate::problem::Problem;

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1_000;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct AuditQuery {
    /// Only rows of this namespace.
    namespace: Option<String>,
    /// Only what was done with the key of this id.
    #[param(pattern = "^[a-z2-7]{10}$")]
    key: Option<String>,
    /// Only this act, or with its first word, such as `keys`, all acts that begin with it and a dot.
    act: Option<String>,
    /// Only rows at or after: an instant, or a duration back from now.
    #[param(example = "7d")]
    from: Option<String>,
    /// Only rows before: an instant, or a duration back from now.
    #[param(example = "1h")]
    to: Option<String>,
    /// Which rows come first.
    #[param(pattern = "^(newest|oldest)$", default = "newest")]
    order: Option<String>,
    /// Only rows with a greater number.
    #[param(value_type = Option<shapes::Whole>, inline)]
    after: Option<String>,
    /// Only rows with a smaller number.
    #[param(value_type = Option<shapes::Whole>, inline)]
    before: Option<String>,
    /// How many.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<String>,
}

/// A row of the audit log.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditRow)]
struct Shown<'a> {
    /// Its number.
    n: u64,
    #[serde(serialize_with = "iso")]
    #[schema(value_type = shapes::Instant)]
    at: Timestamp,
    namespace: &'a str,
    /// The id of the key that acted.
    #[schema(required)]
    key: Option<String>,
    key_name: &'a str,
    /// The address that the request came from.
    from: &'a str,
    /// What was asked for, such as `runs.pause`.
    act: &'a str,
    /// What it was to be done to.
    object: &'a str,
    #[schema(required)]
    reason: Option<&'a str>,
    /// `asked`, `done`, or the code of the error.
    outcome: &'a str,
    /// Of an outcome, the number of the row that asked.
    #[schema(required)]
    of: Option<u64>,
    hash: String,
}

/// A page of the audit log.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditPage)]
struct List<'a> {
    rows: Vec<Shown<'a>>,
    /// The `after` or `before` of the next page.
    #[schema(required)]
    next: Option<u64>,
}

/// Describes [`list`].
pub(super) fn about() -> About {
    About::new("listAudit", "Lists rows of the audit log")
        .query::<AuditQuery>()
        .answer::<List<'_>>(200, "A page of rows.")
        .refuses(&[Code::UnknownAccess])
}

impl<'a> Shown<'a> {
    fn of(row: &'a Row) -> Self {
        let entry = &row.entry;
        Self {
            n: row.n,
            at: entry.at,
            namespace: &entry.namespace,
            key: entry.key.map(|key| key.to_string()),
            key_name: &entry.key_name,
            from: &entry.from,
            act: &entry.act,
            object: &entry.object,
            reason: entry.reason.as_deref(),
            outcome: &entry.outcome,
            of: entry.of,
            hash: HEXLOWER.encode(&row.hash.0),
        }
    }
}

/// Lists rows of the audit log.
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    uri: Uri,
) -> Result<Response<Body>, Problem> {
    let query: AuditQuery = body::query(&uri)?;
    let order = match query.order.as_deref() {
        None | Some("newest") => Order::Newest,
        Some("oldest") => Order::Oldest,
        Some(other) => {
            let why = format!("`order` is `{other}`; accepted: newest or oldest");
            return Err(Problem::bad_request(why));
        }
    };
    let limit = body::limit(query.limit.as_deref(), LIMIT_DEFAULT, LIMIT_MAX)?;
    let now = gate::now();
    let ask = Ask {
        namespace: namespace_of(&caller, query.namespace)?,
        key: query.key.as_deref().map(key_id).transpose()?,
        act: query.act,
        from: instant("from", query.from.as_deref(), now)?.unwrap_or(Timestamp::MIN),
        to: instant("to", query.to.as_deref(), now)?.unwrap_or(Timestamp::MAX),
        after: number("after", query.after.as_deref())?.unwrap_or(0),
        before: number("before", query.before.as_deref())?.unwrap_or(u64::MAX),
        order,
        limit,
    };
    let rows = api.keys.ask(move |keyring| keyring.audit(&ask)).await?;
    let next = rows.last().filter(|_| rows.len() == limit).map(|row| row.n);
    json(StatusCode::OK, &List { rows: rows.iter().map(Shown::of).collect(), next })
}

fn number(what: &str, text: Option<&str>) -> Result<Option<u64>, Problem> {
    let Some(text) = text else { return Ok(None) };
    text.parse().map(Some).map_err(|_| {
        let shown: String = text.chars().take(40).collect();
        Problem::bad_request(format!("`{what}` is `{shown}`; accepted: the number of a row"))
    })
}
