//! Acts on all runs that a filter of the list names: asking for one, how far it is, stopping it.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri, header};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stepwell_access::bulk::{Act, Bulk, Counts, Owner, Progress, Refusal, State as Stage};
use stepwell_access::keyring::Begun;
use stepwell_access::ledger::BulkAsk;
use stepwell_core::code::Code;
use stepwell_core::id::RunId;
use stepwell_core::name;
use stepwell_core::status::RunStatus;
use stepwell_core::time::Timestamp;
use stepwell_core::view::{iso, iso_option};
use stepwell_store::query::{Count, Filter};
use utoipa::{IntoParams, ToSchema};

use super::acts::check_signed;
use super::answer::json;
use super::body;
use super::list::{self, ListQuery, Row};
use super::routes::Api;
use crate::gate::{Caller, entropy, now};
use crate::openapi::{About, shapes};
use crate::problem::Problem;

/// Jobs of a list.
const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 200;

/// Runs that a dry run shows.
const SAMPLE: usize = 20;

/// An act on all runs that a filter names.
#[derive(Deserialize, ToSchema)]
#[serde(
    deny_unknown_fields,
    rename_all = "camelCase",
    expecting = "a JSON object with the fields `act` and `filter`"
)]
#[schema(as = BeginBulk)]
struct BulkBody {
    #[schema(value_type = shapes::ActWord)]
    act: Act,
    /// At least one of its fields.
    filter: ListQuery,
    /// Nothing is done, and the answer says which runs these are.
    #[serde(default)]
    dry_run: bool,
    /// Who acts, for the histories of the runs.
    #[schema(value_type = Option<shapes::Name>)]
    by: Option<String>,
    /// Why, for the histories of the runs.
    #[schema(value_type = Option<shapes::Name>)]
    reason: Option<String>,
    /// Idempotency key: a repeat gives what the first request began.
    #[schema(value_type = Option<shapes::Name>)]
    key: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct ListOfJobs {
    /// How many.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<String>,
}

/// Why an act on many runs is stopped.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = StopBulk)]
struct StopBody {
    #[schema(value_type = Option<shapes::Name>)]
    reason: Option<String>,
}

/// Runs that were refused, or that failed, for one reason.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkRefusal)]
struct Refused<'a> {
    #[schema(value_type = shapes::CodeWord)]
    code: &'a str,
    /// How many.
    runs: u64,
    /// One of them, and what that one was told.
    #[schema(value_type = shapes::Id)]
    sample: RunId,
    detail: &'a str,
}

/// How far an act on many runs is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Bulk)]
struct Job<'a> {
    id: &'a str,
    #[schema(value_type = shapes::ActWord)]
    act: Act,
    #[schema(value_type = ListQuery)]
    filter: &'a RawValue,
    #[schema(required)]
    reason: Option<&'a str>,
    #[schema(required)]
    by: Option<&'a str>,
    /// The idempotency key.
    #[schema(required)]
    key: Option<&'a str>,
    #[schema(value_type = shapes::StageWord)]
    state: Stage,
    /// Runs that the filter names; this grows while they are collected.
    matched: u64,
    /// Runs on which it acted.
    done: u64,
    /// Runs that were not in a state for the act, or are gone.
    refused: u64,
    /// Runs on which the server could not act.
    failed: u64,
    /// Why, for at most ten reasons.
    refusals: Vec<Refused<'a>>,
    #[serde(serialize_with = "iso")]
    #[schema(value_type = shapes::Instant)]
    created_at: Timestamp,
    created_by: &'a str,
    #[serde(serialize_with = "iso")]
    #[schema(value_type = shapes::Instant)]
    changed_at: Timestamp,
    #[serde(serialize_with = "iso_option")]
    #[schema(value_type = Option<shapes::Instant>, required)]
    ended_at: Option<Timestamp>,
    /// Why it was stopped.
    #[schema(required)]
    why: Option<&'a str>,
}

impl<'a> Job<'a> {
    fn of(bulk: &'a Bulk) -> Result<Self, Problem> {
        let filter = serde_json::from_str(&bulk.filter)
            .map_err(|error| Problem::new(Code::StoreFailed, format!("{}: {error}", bulk.id)))?;
        let Counts { matched, done, refused, failed, refusals } = &bulk.counts;
        Ok(Self {
            id: &bulk.id,
            act: bulk.act,
            filter,
            reason: bulk.reason.as_deref(),
            by: bulk.by.as_deref(),
            key: bulk.key.as_deref(),
            state: bulk.state,
            matched: *matched,
            done: *done,
            refused: *refused,
            failed: *failed,
            refusals: refusals.iter().map(Refused::of).collect(),
            created_at: bulk.created_at,
            created_by: &bulk.owner.name,
            changed_at: bulk.changed_at,
            ended_at: bulk.ended_at,
            why: bulk.why.as_deref(),
        })
    }
}

impl<'a> Refused<'a> {
    fn of(refusal: &'a Refusal) -> Self {
        let Refusal { code, runs, sample, detail } = refusal;
        Self { code, runs: *runs, sample: *sample, detail }
    }
}

/// What an act would reach.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BulkDryRun)]
struct Reached<'a> {
    dry_run: bool,
    #[schema(value_type = shapes::ActWord)]
    act: Act,
    matched: list::Number,
    /// By the word of the status, where there are any.
    #[serde(serialize_with = "list::by_status")]
    #[schema(value_type = std::collections::BTreeMap<String, list::Number>)]
    by_status: &'a [(RunStatus, Count)],
    /// Some of the runs, newest first.
    sample: Vec<Row<'a>>,
    stale: bool,
}

/// What a dry run is answered, or a repeated request.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(as = BulkDryRunOrBulk)]
#[expect(dead_code, reason = "it describes two answers with one status, and is never made")]
enum Either<'a> {
    Would(Reached<'a>),
    Does(Job<'a>),
}

/// Describes [`begin`].
pub(super) fn about_begin() -> About {
    About::new("beginBulk", "Acts on all runs that a filter names, or says which these are")
        .more("Runs that begin later are not among them. It goes on after a restart of the server.")
        .body::<BulkBody>()
        .answer::<Either<'_>>(200, "The dry run, or what the same key began before.")
        .answer::<Job<'_>>(201, "It has begun.")
        .with_header(201, "Location", "The address at which it says how far it is.")
        .refuses(&[Code::KeyConflict, Code::AccessConflict])
}

/// Describes [`list`].
pub(super) fn about_list() -> About {
    About::new("listBulk", "Lists acts on many runs, newest first")
        .query::<ListOfJobs>()
        .answer::<Jobs<'_>>(200, "Those that go on, and those that ended in the last 30 days.")
}

/// Describes [`show`].
pub(super) fn about_show() -> About {
    About::new("showBulk", "Shows how far an act on many runs is")
        .answer::<Job<'_>>(200, "How far it is.")
        .refuses(&[Code::UnknownBulk])
}

/// Describes [`stop`].
pub(super) fn about_stop() -> About {
    About::new("stopBulk", "Stops an act on many runs; what it has done stays done")
        .optional_body::<StopBody>()
        .answer::<Job<'_>>(200, "How far it came.")
        .refuses(&[Code::UnknownBulk])
}

/// Begins to act on all runs that a filter names, or says which these are.
pub(super) async fn begin(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    body::expect_json(&headers)?;
    let bytes = body::read(&headers, body, &api.limits).await?;
    let BulkBody { act, filter, dry_run, by, reason, key } = body::parse(&bytes)?;
    list::refuse_paging(&filter, "an act on many runs")?;
    if filter.is_empty() {
        let why = "the filter is empty, which would be every run; accepted: at least one of app, \
                   workflow, status, key, parent, from, to, search, id, q";
        return Err(Problem::bad_request(why));
    }
    if let Some(key) = &key {
        let refuse = |error: name::Error| Problem::bad_request(error.to_string());
        name::check("the field key", key).map_err(refuse)?;
    }
    let query = filter.at(list::now())?;
    let filter = list::filter(caller.namespace(), &query, list::now())?;
    if dry_run {
        return look(&api, act, filter).await;
    }
    let signed = check_signed(&caller, by, reason)?;
    let made_at = now();
    let bulk = Bulk {
        id: Bulk::new_id(entropy()?),
        namespace: caller.namespace(),
        act,
        filter: serde_json::to_string(&query).unwrap_or_default(),
        reason: signed.reason,
        by: signed.by,
        key,
        owner: Owner {
            key: caller.key().map(|key| key.id.to_string()),
            name: caller.name().to_owned(),
            from: caller.from().to_string(),
        },
        created_at: made_at,
        changed_at: made_at,
        ended_at: None,
        state: Stage::Collecting,
        why: None,
        counts: Counts::default(),
        progress: Progress { before: Some(next_run(&api, &caller).await?), ..Progress::default() },
    };
    let begun = api.keys.ask(move |keyring| keyring.begin_bulk(bulk)).await?;
    let (status, bulk) = match begun {
        Begun::Now(bulk) => (StatusCode::CREATED, bulk),
        Begun::Before(bulk) => (StatusCode::OK, bulk),
        Begun::Conflict(known) => {
            let key = known.key.as_deref().unwrap_or_default();
            let text = format!("the key `{key}` began {} with another act or filter", known.id);
            return Err(Problem::new(Code::KeyConflict, text));
        }
    };
    api.bulks.wake();
    caller.note_object(format!("{} {} {}", bulk.id, bulk.act.as_str(), bulk.filter));
    let mut response = json(status, &Job::of(&bulk)?)?;
    if let Ok(location) = HeaderValue::try_from(format!("/api/v1/bulk/{}", bulk.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Returns an id behind every run that is there: runs that begin later are not meant.
async fn next_run(api: &Api, caller: &Caller) -> Result<RunId, Problem> {
    let all = Filter { namespace: caller.namespace(), limit: 1, ..Filter::default() };
    let newest = api.node.read(move |store| store.query(&all, list::LIST_PATIENCE)).await?;
    let id = newest.runs.first().map_or(0, |run| run.id.as_u128());
    Ok(RunId::from_u128(id.saturating_add(1)))
}

async fn look(api: &Api, act: Act, filter: Filter) -> Result<Response<Body>, Problem> {
    let asked = Filter { limit: SAMPLE, ..filter };
    let statuses = asked.statuses.clone();
    let look = api.node.read(move |store| {
        let page = store.query(&asked, list::LIST_PATIENCE)?;
        Ok((store.counts(&asked, list::LIST_PATIENCE)?, page))
    });
    let (mut counts, page) = look.await?;
    let wanted = |status: RunStatus| statuses.is_empty() || statuses.contains(&status);
    counts.counts.retain(|(status, count)| wanted(*status) && (count.runs > 0 || count.or_more));
    let matched = list::Number {
        runs: counts.counts.iter().map(|(_, count)| count.runs).sum(),
        or_more: counts.counts.iter().any(|(_, count)| count.or_more),
    };
    let told = Reached {
        dry_run: true,
        act,
        matched,
        by_status: &counts.counts,
        sample: page.runs.iter().map(Row::of).collect(),
        stale: counts.stale || page.stale,
    };
    json(StatusCode::OK, &told)
}

/// Acts on many runs.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkList)]
struct Jobs<'a> {
    jobs: Vec<Job<'a>>,
}

/// Lists acts on many runs, newest first.
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    uri: Uri,
) -> Result<Response<Body>, Problem> {
    let ListOfJobs { limit } = body::query(&uri)?;
    let limit = body::limit(limit.as_deref(), LIMIT_DEFAULT, LIMIT_MAX)?;
    let ask = BulkAsk { namespace: Some(caller.namespace()), open: false, limit };
    let bulks = api.keys.ask(move |keyring| keyring.bulks(&ask)).await?;
    let jobs: Result<Vec<_>, _> = bulks.iter().map(Job::of).collect();
    json(StatusCode::OK, &Jobs { jobs: jobs? })
}

/// Shows how far an act on many runs is.
pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    bulk: body::Part,
) -> Result<Response<Body>, Problem> {
    let id = body::part(bulk)?;
    let found = api.keys.ask({
        let id = id.clone();
        move |keyring| keyring.bulk(&caller.namespace(), &id)
    });
    let bulk = found.await?.ok_or_else(|| unknown(&id))?;
    json(StatusCode::OK, &Job::of(&bulk)?)
}

/// Stops an act on many runs; what it has done stays done.
pub(super) async fn stop(
    State(api): State<Api>,
    caller: Caller,
    bulk: body::Part,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let id = body::part(bulk)?;
    let StopBody { reason } = body::optional(&headers, body, &api.limits).await?;
    let signed = check_signed(&caller, None, reason)?;
    let why = match &signed.reason {
        Some(reason) => format!("{} stopped it: {reason}", caller.name()),
        None => format!("{} stopped it", caller.name()),
    };
    let stopped = api.keys.ask({
        let id = id.clone();
        move |keyring| keyring.stop_bulk(&caller.namespace(), &id, &why, now())
    });
    let bulk = stopped.await?.ok_or_else(|| unknown(&id))?;
    json(StatusCode::OK, &Job::of(&bulk)?)
}

fn unknown(id: &str) -> Problem {
    let shown: String = id.chars().take(40).collect();
    Problem::new(Code::UnknownBulk, format!("there is no act on many runs {shown}"))
}
