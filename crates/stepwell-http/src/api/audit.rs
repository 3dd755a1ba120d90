//! The audit log.

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode, Uri};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use stepwell_access::audit::{Ask, Order, Row};
use stepwell_core::time::Timestamp;
use stepwell_core::view::iso;

use super::answer::json;
use super::body;
use super::keys::{key_id, namespace_of};
use super::list::instant;
use super::routes::Api;
use crate::gate::{self, Caller};
use crate::problem::Problem;

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AuditQuery {
    namespace: Option<String>,
    key: Option<String>,
    act: Option<String>,
    from: Option<String>,
    to: Option<String>,
    order: Option<String>,
    after: Option<String>,
    before: Option<String>,
    limit: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    n: u64,
    #[serde(serialize_with = "iso")]
    at: Timestamp,
    namespace: &'a str,
    key: Option<String>,
    key_name: &'a str,
    from: &'a str,
    act: &'a str,
    object: &'a str,
    reason: Option<&'a str>,
    outcome: &'a str,
    of: Option<u64>,
    hash: String,
}

#[derive(Serialize)]
struct List<'a> {
    rows: Vec<Shown<'a>>,
    /// The `after` or `before` of the next page.
    next: Option<u64>,
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
