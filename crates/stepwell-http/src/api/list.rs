//! Lists of runs, and counts of them.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode, Uri};
use serde::{Deserialize, Serialize, Serializer};
use stepwell_core::duration;
use stepwell_core::id::RunId;
use stepwell_core::search::{Attributes, Term};
use stepwell_core::status::RunStatus;
use stepwell_core::summary::{ErrorLine, Summary};
use stepwell_core::time::Timestamp;
use stepwell_core::view::{iso, iso_option};
use stepwell_store::query::{Count, Filter, IdPart, Text};
use utoipa::{IntoParams, ToSchema};

use super::answer::{json, millis_between};
use super::body;
use super::both::{self, RunKind};
use super::observed::Line;
use super::routes::Api;
use crate::gate::Caller;
use crate::openapi::{About, shapes};
use crate::problem::Problem;

/// How long a list waits until it shows what was durable when it was asked.
pub(super) const LIST_PATIENCE: Duration = Duration::from_millis(200);

pub(super) const LIMIT_DEFAULT: usize = 50;
pub(super) const LIMIT_MAX: usize = 500;
/// Most characters of a text that is looked for.
const TEXT_CHARS_MAX: usize = 200;
/// Fewest digits of the end of an id.
const DIGITS_MIN: usize = 4;
/// All digits of an id.
const DIGITS: usize = 32;

/// Which runs are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RunFilter)]
pub(super) struct ListQuery {
    /// Only runs of this app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) app: Option<String>,
    /// Only runs of this workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) workflow: Option<String>,
    /// Only runs of these statuses, divided by commas.
    #[param(example = "queued,running")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<String>,
    /// Only runs with this idempotency key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
    /// Only children of this run.
    #[param(value_type = Option<shapes::Id>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parent: Option<String>,
    /// Only runs created at or after: an instant, or a duration back from now.
    #[param(example = "7d")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<String>,
    /// Only runs created before: an instant, or a duration back from now.
    #[param(example = "2026-11-21T14:02:00Z")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<String>,
    /// Terms divided by commas, all of which fit: a name, `=`, `<`, `<=`, `>` or `>=`, and JSON or a text.
    #[param(example = "amount>=10,country=DE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) search: Option<String>,
    /// The whole id, or how it ends.
    #[param(pattern = "^(run_[0-9a-fA-F]{32}|[0-9a-fA-F]{4,32})$")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    /// A part of the workflow, the key, the id, a search attribute, or of why the run did not complete.
    #[param(min_length = 1, max_length = 200)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) q: Option<String>,
    /// How many.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500, default = 50)]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub(super) limit: Option<String>,
    /// The `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub(super) cursor: Option<String>,
    /// Which runs: `durable`, `observed`, or `all`. Of observed ones `workflow` is the flow and `q` a part of their
    /// name; they have no app, key, parent, search attributes or id, so filters by these leave them out.
    #[param(value_type = Option<shapes::RunKind>, inline, default = "durable")]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub(super) kind: Option<String>,
    /// In whose words the steps of an observed run's strip are; those of Stepwell where it is left out.
    #[param(value_type = Option<shapes::DialectWord>, inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub(super) dialect: Option<String>,
}

impl ListQuery {
    /// Tells whether what is asked for is something that observed runs do not have.
    pub(super) fn is_of_durable_only(&self) -> bool {
        let Self { app, key, parent, search, id, .. } = self;
        [app, key, parent, search, id].into_iter().any(Option::is_some)
    }

    /// Tells whether every run is meant.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The same with instants in place of durations back from now: what is asked later means the same runs.
    pub(super) fn at(self, now: Timestamp) -> Result<Self, Problem> {
        let fixed = |what, text: Option<String>| {
            let at = instant(what, text.as_deref(), now)?;
            Ok::<_, Problem>(at.map(|at| at.to_string()))
        };
        Ok(Self { from: fixed("from", self.from)?, to: fixed("to", self.to)?, ..self })
    }
}

/// Reads which runs are meant from the JSON that was kept of it.
pub(crate) fn filter_of(namespace: Arc<str>, json: &str) -> Result<Filter, Problem> {
    let query: ListQuery = body::parse(json.as_bytes())?;
    filter(namespace, &query, now())
}

/// A run of a list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RunRow)]
pub(super) struct Row<'a> {
    /// `durable`.
    kind: &'static str,
    #[schema(value_type = shapes::Id)]
    id: RunId,
    app: &'a str,
    workflow: &'a str,
    /// Its idempotency key.
    #[schema(required)]
    key: Option<&'a str>,
    #[schema(value_type = shapes::Status)]
    status: RunStatus,
    #[schema(required)]
    version: Option<&'a str>,
    #[serde(serialize_with = "iso")]
    #[schema(value_type = shapes::Instant)]
    created_at: Timestamp,
    #[serde(serialize_with = "iso_option")]
    #[schema(value_type = Option<shapes::Instant>, required)]
    started_at: Option<Timestamp>,
    #[serde(serialize_with = "iso_option")]
    #[schema(value_type = Option<shapes::Instant>, required)]
    ended_at: Option<Timestamp>,
    #[schema(required)]
    duration_ms: Option<f64>,
    /// How many steps it has, and how many of them have ended and failed.
    steps: u32,
    steps_ended: u32,
    steps_failed: u32,
    /// Why it is blocked, as a sentence.
    #[schema(required)]
    blocked: Option<&'a str>,
    #[schema(value_type = Option<shapes::Id>, required)]
    parent: Option<RunId>,
    /// Why it did not complete, cut.
    #[schema(value_type = Option<shapes::ErrorText>, required)]
    error: Option<&'a ErrorLine>,
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, shapes::Attribute>, required = false)]
    search: &'a Attributes,
}

impl<'a> Row<'a> {
    pub(super) fn of(run: &'a Summary) -> Self {
        Self {
            kind: "durable",
            id: run.id,
            app: &run.app,
            workflow: &run.workflow,
            key: run.key.as_deref(),
            search: &run.search,
            status: run.status,
            version: run.version.as_deref(),
            created_at: run.created_at,
            started_at: run.started_at,
            ended_at: run.ended_at,
            duration_ms: millis_between(Some(run.created_at), run.ended_at),
            steps: run.steps,
            steps_ended: run.steps_ended,
            steps_failed: run.steps_failed,
            blocked: run.blocked.as_deref(),
            parent: run.parent,
            error: run.error.as_ref(),
        }
    }
}

/// A page of runs, newest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RunList)]
pub(super) struct List<'a> {
    pub(super) runs: Vec<AnyRow<'a>>,
    /// The `cursor` of the next page, while there is one.
    #[schema(required)]
    pub(super) next: Option<String>,
    /// How far back was looked, where looking stopped before the page was full.
    #[serde(serialize_with = "iso_option", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<shapes::Instant>, nullable = false)]
    pub(super) searched_to: Option<Timestamp>,
    /// It misses writes that were durable when it was asked for.
    pub(super) stale: bool,
}

/// A run of either kind.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = AnyRunRow)]
pub(super) enum AnyRow<'a> {
    /// A durable run.
    Durable(Row<'a>),
    /// An observed one.
    Observed(Line<'a>),
}

/// Describes [`list`].
pub(super) fn about_list() -> About {
    About::new("listRuns", "Lists runs, newest first")
        .query::<ListQuery>()
        .answer::<List<'_>>(200, "A page of runs.")
}

/// Lists runs, newest first.
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    uri: Uri,
) -> Result<Response<Body>, Problem> {
    let query: ListQuery = body::query(&uri)?;
    let dialect = body::dialect(query.dialect.as_deref())?;
    match RunKind::of(query.kind.as_deref())? {
        RunKind::Durable => {}
        kind => return both::list(&api, &caller, (kind, dialect), query).await,
    }
    let filter = filter(caller.namespace(), &query, now())?;
    let page = api.node.read(move |store| store.query(&filter, LIST_PATIENCE)).await?;
    let last = page.runs.last().filter(|_| page.more).map(|run| run.id);
    let list = List {
        runs: page.runs.iter().map(|run| AnyRow::Durable(Row::of(run))).collect(),
        next: page.reached.or(last).map(|run| run.to_string()),
        searched_to: page.reached.map(RunId::created),
        stale: page.stale,
    };
    json(StatusCode::OK, &list)
}

/// How many runs there are of each status.
#[derive(Serialize, ToSchema)]
#[schema(as = RunCounts)]
struct Counted {
    /// By the word of the status.
    #[serde(serialize_with = "by_status")]
    #[schema(value_type = std::collections::BTreeMap<String, Number>)]
    counts: Vec<(RunStatus, Count)>,
    stale: bool,
}

/// A number that is exact up to 10,000.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RunCount)]
pub(super) struct Number {
    pub(super) runs: u64,
    /// There are more, or may be.
    pub(super) or_more: bool,
}

/// Describes [`counts`].
pub(super) fn about_counts() -> About {
    About::new("countRuns", "Counts runs by status")
        .more("Takes the filters of a list; `status` has no effect.")
        .query::<ListQuery>()
        .without(PAGING)
        .answer::<Counted>(200, "How many there are of each status.")
}

/// Shows counts by the name of the status.
pub(super) fn by_status<S: Serializer>(
    counts: &[(RunStatus, Count)],
    to: S,
) -> Result<S::Ok, S::Error> {
    to.collect_map(counts.iter().map(|(status, count)| {
        (status.as_str(), Number { runs: count.runs, or_more: count.or_more })
    }))
}

/// Counts runs by status.
pub(super) async fn counts(
    State(api): State<Api>,
    caller: Caller,
    uri: Uri,
) -> Result<Response<Body>, Problem> {
    let query: ListQuery = body::query(&uri)?;
    refuse_paging(&query, "a count")?;
    let filter = filter(caller.namespace(), &query, now())?;
    let found = api.node.read(move |store| store.counts(&filter, LIST_PATIENCE)).await?;
    json(StatusCode::OK, &Counted { counts: found.counts, stale: found.stale })
}

/// Parameters of a list that say nothing of which runs are meant.
pub(super) const PAGING: &[&str] = &["limit", "cursor", "kind", "dialect"];

/// Refuses what says which page of a list is meant, where all of it is, and observed runs, where there are none.
pub(super) fn refuse_paging(query: &ListQuery, what: &str) -> Result<(), Problem> {
    let ListQuery { limit, cursor, kind, dialect, .. } = query;
    for (name, value) in PAGING.iter().zip([limit, cursor, kind, dialect]) {
        if value.is_some() {
            let text = format!("{what} has no `{name}`; accepted: the filters of a list");
            return Err(Problem::bad_request(text));
        }
    }
    Ok(())
}

/// Engine time follows the wall clock, and "seven days back" needs no more than that.
pub(super) fn now() -> Timestamp {
    let wall = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    Timestamp::from_micros(0).after(wall)
}

/// Reads which runs are meant.
pub(super) fn filter(
    namespace: Arc<str>,
    query: &ListQuery,
    now: Timestamp,
) -> Result<Filter, Problem> {
    let shared = |text: &Option<String>| text.as_deref().map(Arc::from);
    Ok(Filter {
        namespace,
        app: shared(&query.app),
        workflow: shared(&query.workflow),
        statuses: statuses(query.status.as_deref())?,
        key: shared(&query.key),
        parent: query.parent.as_deref().map(body::run_id).transpose()?,
        from: instant("from", query.from.as_deref(), now)?,
        to: instant("to", query.to.as_deref(), now)?,
        search: query
            .search
            .as_deref()
            .map_or(Ok(Vec::new()), Term::parse_all)
            .map_err(|why| Problem::bad_request(format!("`search`: {why}")))?,
        id: query.id.as_deref().map(id_part).transpose()?,
        text: query.q.as_deref().map(looked_for).transpose()?.map(Text::new),
        before: query.cursor.as_deref().map(body::run_id).transpose()?,
        limit: body::limit(query.limit.as_deref(), LIMIT_DEFAULT, LIMIT_MAX)?,
    })
}

pub(super) fn statuses(text: Option<&str>) -> Result<Vec<RunStatus>, Problem> {
    let words = text.into_iter().flat_map(|text| text.split(','));
    let read = |word: &str| {
        RunStatus::parse(word.trim()).ok_or_else(|| {
            let known: Vec<_> = RunStatus::ALL.iter().map(|status| status.as_str()).collect();
            Problem::bad_request(format!(
                "`status` is `{word}`; accepted: {}, divided by commas",
                known.join(", ")
            ))
        })
    };
    words.map(read).collect()
}

/// Reads an instant, or how far back from now it is.
pub(super) fn instant(
    what: &str,
    text: Option<&str>,
    now: Timestamp,
) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let back = duration::parse(text).map(|back| now.before(back)).ok();
    match back.or_else(|| Timestamp::parse_iso(text).ok()) {
        Some(at) => Ok(Some(at)),
        None => Err(Problem::bad_request(format!(
            "`{what}` is `{text}`; accepted: an ISO 8601 instant with a time zone, or a duration \
             back from now such as 7d"
        ))),
    }
}

/// Reads a whole id, or how it ends.
fn id_part(text: &str) -> Result<IdPart, Problem> {
    let digits = text.strip_prefix("run_").filter(|rest| rest.len() == DIGITS).unwrap_or(text);
    let fits = (DIGITS_MIN..=DIGITS).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let value = u128::from_str_radix(digits, 16).ok().filter(|_| fits);
    let part = value.zip(u8::try_from(digits.len()).ok()).map(|(value, digits)| {
        let whole = usize::from(digits) == DIGITS;
        if whole { IdPart::Whole(RunId::from_u128(value)) } else { IdPart::End { value, digits } }
    });
    part.ok_or_else(|| {
        let shown: String = text.chars().take(TEXT_CHARS_MAX).collect();
        Problem::bad_request(format!(
            "`id` is `{shown}`; accepted: the id of a run, or at least its last {DIGITS_MIN} \
             hexadecimal digits"
        ))
    })
}

/// Reads the text that is looked for.
///
/// # Errors
/// [`Code::BadRequest`](stepwell_core::code::Code::BadRequest) when it is empty or too long.
pub(super) fn looked_for(text: &str) -> Result<&str, Problem> {
    let text = text.trim();
    let chars = text.chars().count();
    if (1..=TEXT_CHARS_MAX).contains(&chars) {
        return Ok(text);
    }
    let why = format!("`q` has {chars} characters; accepted: 1 to {TEXT_CHARS_MAX}");
    Err(Problem::bad_request(why))
}
