//! Events (§8): sending them, listing them, and what one did.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response, StatusCode, Uri};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stepwell_core::code::Code;
use stepwell_core::id::RunId;
use stepwell_core::matching::{Document, Leaves, Match, Miss};
use stepwell_core::time::Timestamp;
use stepwell_core::view::iso;
use stepwell_node::SendRequest;
use stepwell_store::event::{Did, EventId, Known, Place};
use stepwell_store::query::{EventList, EventName};
use stepwell_store::{Error as StoreError, Store};
use utoipa::{IntoParams, ToSchema};

use super::answer::json;
use super::body;
use super::routes::Api;
use crate::gate::Caller;
use crate::openapi::{About, shapes};
use crate::problem::Problem;

const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 500;
/// Most runs and steps that are told of one event.
const DID_MAX: usize = 1_000;
/// How many waits are held against an event to find those that nearly matched.
const LOOKED_AT: usize = 1_000;
/// Most of them that are told.
const MISSES_MAX: usize = 20;

/// What is to be sent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a JSON object with the field `event`")]
#[schema(as = SendEvent)]
struct SendBody {
    /// The name of the event.
    #[schema(value_type = shapes::Name)]
    event: String,
    /// An event whose id was seen before does nothing more; made where it is left out.
    #[schema(value_type = Option<shapes::Name>)]
    id: Option<String>,
    /// The data, at most 512 KiB by default.
    #[schema(value_type = shapes::Json, required = false)]
    data: Option<Box<RawValue>>,
    /// What waits are held against in place of the data.
    #[serde(rename = "match")]
    #[schema(value_type = shapes::Json, required = false)]
    offer: Option<Box<RawValue>>,
    /// Only for this app.
    #[schema(value_type = Option<shapes::Name>)]
    app: Option<String>,
    /// Whose the `key` is.
    #[schema(value_type = Option<shapes::Name>)]
    workflow: Option<String>,
    /// Only for the waits of this run.
    #[schema(value_type = Option<shapes::Id>)]
    run: Option<RunId>,
    /// Only for the waits of the run that this idempotency key started.
    #[schema(value_type = Option<shapes::Name>)]
    key: Option<String>,
}

/// An event that was sent.
#[derive(Serialize, ToSchema)]
#[schema(as = SentEvent)]
struct Sent<'a> {
    id: &'a str,
    /// It is new; false where its id was seen before.
    accepted: bool,
    /// Of an event for one run, how many of its waits asked for it as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    delivered: Option<u64>,
    /// Why it does nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<&'a str>,
}

/// Describes [`send`].
pub(super) fn about_send() -> About {
    About::new("sendEvent", "Sends an event")
        .more("The answer comes once the event is durable. May be repeated with the same `id`.")
        .body::<SendBody>()
        .answer::<Sent<'_>>(200, "An event with this id was seen before; nothing happens.")
        .answer::<Sent<'_>>(201, "The event is durable.")
        .refuses(&[Code::PayloadTooLarge, Code::AmbiguousKey])
}

/// Sends an event (§8.1).
pub(super) async fn send(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    body::expect_json(&headers)?;
    let bytes = body::read(&headers, body, &api.limits).await?;
    let SendBody { event, id, data, offer, app, workflow, run, key } = body::parse(&bytes)?;
    drop(bytes);
    let namespace = caller.namespace();
    let send = SendRequest { namespace, id, event, data, offer, app, workflow, run, key };
    let sent = api.node.send_event(send).await?;
    let status = if sent.accepted { StatusCode::CREATED } else { StatusCode::OK };
    let shown = Sent {
        id: &sent.id,
        accepted: sent.accepted,
        delivered: sent.delivered,
        reason: sent.reason.as_deref(),
    };
    json(status, &shown)
}

/// An event.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Event)]
struct Shown {
    #[schema(value_type = String)]
    id: Arc<str>,
    /// Its name.
    #[schema(value_type = String)]
    event: Arc<str>,
    #[serde(serialize_with = "iso")]
    #[schema(value_type = shapes::Instant)]
    accepted_at: Timestamp,
    #[schema(value_type = shapes::Json)]
    data: Option<Box<RawValue>>,
    #[serde(rename = "match")]
    #[schema(value_type = shapes::Json)]
    offer: Option<Box<RawValue>>,
    #[schema(value_type = Option<String>, required)]
    app: Option<Arc<str>>,
    #[schema(value_type = Option<String>, required)]
    workflow: Option<Arc<str>>,
    #[schema(value_type = Option<shapes::Id>, required)]
    run: Option<RunId>,
    #[schema(value_type = Option<String>, required)]
    key: Option<Arc<str>>,
    /// Everything that it starts or wakes was told.
    routed: bool,
    /// Its content is kept.
    kept: bool,
}

impl Shown {
    fn of(known: &Known) -> Self {
        let raw = |text: &Option<Arc<str>>| {
            text.as_deref().and_then(|text| RawValue::from_string(text.to_owned()).ok())
        };
        let event = &known.event;
        Self {
            id: Arc::clone(&event.id.id),
            event: Arc::clone(&event.name),
            accepted_at: event.accepted_at,
            data: raw(&event.data),
            offer: raw(&event.offer),
            app: event.scope.app.clone(),
            workflow: event.scope.workflow.clone(),
            run: event.scope.run,
            key: event.scope.key.clone(),
            routed: known.routed,
            kept: known.kept,
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Listing {
    /// Only events of this name.
    event: Option<String>,
    /// `newest` or `oldest` first; `newest` where no `event` is named, else `oldest`.
    #[param(pattern = "^(newest|oldest)$")]
    order: Option<String>,
    /// Only events accepted at or after.
    #[param(value_type = Option<shapes::GivenInstant>)]
    from: Option<String>,
    /// How many.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500, default = 50)]
    limit: Option<String>,
    /// The `cursor` of the page before, in the same order.
    cursor: Option<String>,
}

/// A page of events.
#[derive(Serialize, ToSchema)]
#[schema(as = EventPage)]
struct List {
    events: Vec<Listed>,
    /// That of the next page, while there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    cursor: Option<String>,
}

/// Describes [`list`].
pub(super) fn about_list() -> About {
    About::new("listEvents", "Lists events whose content is kept")
        .query::<Listing>()
        .answer::<List>(200, "A page of events.")
}

/// An event of a list, with how much it did.
#[derive(Serialize, ToSchema)]
#[schema(as = EventRow)]
struct Listed {
    #[serde(flatten)]
    event: Shown,
    /// How many runs it started, and how many waits it woke.
    started: usize,
    woke: usize,
    /// It did more than was counted.
    more: bool,
}

impl Listed {
    fn of(store: &dyn Store, known: &Known) -> Result<Self, StoreError> {
        let did = store.did(&known.event.id, None, DID_MAX + 1)?;
        let counted = did.get(..DID_MAX).unwrap_or(&did);
        let started = counted.iter().filter(|did| did.step.is_none()).count();
        let woke = counted.len() - started;
        Ok(Self { event: Shown::of(known), started, woke, more: did.len() > DID_MAX })
    }
}

/// Reads whether newer events come first; without a name they do.
fn newest(order: Option<&str>, named: bool) -> Result<bool, Problem> {
    match order {
        None => Ok(!named),
        Some("newest") => Ok(true),
        Some("oldest") => Ok(false),
        Some(other) => {
            let text = format!("`order` is `{other}`; accepted: newest, oldest");
            Err(Problem::bad_request(text))
        }
    }
}

/// Lists events whose content is kept.
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    uri: Uri,
) -> Result<Response<Body>, Problem> {
    let Listing { event, order, from, limit, cursor } = body::query(&uri)?;
    let newest = newest(order.as_deref(), event.is_some())?;
    let limit = body::limit(limit.as_deref(), LIMIT_DEFAULT, LIMIT_MAX)?;
    let from = from.as_deref().map_or(Ok(Timestamp::MIN), |text| {
        let refuse = |why| Problem::bad_request(format!("`from` is not accepted: {why}"));
        Timestamp::parse_iso(text).map_err(|error| refuse(error.to_string()))
    })?;
    let namespace = caller.namespace();
    let after = cursor.as_deref().map(|text| place_of(&namespace, text)).transpose()?;
    let asked = EventList { namespace, name: event.map(Arc::from), from, newest };
    let list = api
        .node
        .read(move |store| {
            let places = store.events_list(&asked, after.as_ref(), limit)?;
            let cursor = places.last().filter(|_| places.len() >= limit).map(cursor_of);
            let mut events = Vec::with_capacity(places.len());
            for place in &places {
                if let Some(known) = store.event(&place.id)? {
                    events.push(Listed::of(store, &known)?);
                }
            }
            Ok(List { events, cursor })
        })
        .await?;
    json(StatusCode::OK, &list)
}

fn cursor_of(place: &Place) -> String {
    format!("{}~{}", place.accepted_at.as_micros(), place.id.id)
}

fn place_of(namespace: &Arc<str>, text: &str) -> Result<Place, Problem> {
    let read = text.split_once('~').and_then(|(micros, id)| Some((micros.parse().ok()?, id)));
    let Some((micros, id)) = read else {
        let text = "`cursor` is not accepted; accepted: the `cursor` of the page before";
        return Err(Problem::bad_request(text));
    };
    let id = EventId { namespace: Arc::clone(namespace), id: Arc::from(id) };
    Ok(Place { accepted_at: Timestamp::from_micros(micros), id })
}

/// An event with what it did.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EventWithDeeds)]
struct Whole {
    #[serde(flatten)]
    event: Shown,
    #[schema(value_type = Vec<shapes::Id>)]
    runs_started: Vec<RunId>,
    waits_woken: Vec<Woken>,
    /// More was done than is told.
    more: bool,
    near_misses: Vec<NearMiss>,
}

/// Describes [`show`].
pub(super) fn about_show() -> About {
    About::new("showEvent", "Shows an event, what it did, and which waits nearly matched")
        .answer::<Whole>(200, "The event.")
        .refuses(&[Code::UnknownEvent])
}

/// A wait that an event woke.
#[derive(Serialize, ToSchema)]
struct Woken {
    #[schema(value_type = shapes::Id)]
    run: RunId,
    step: String,
}

/// A parked wait that asks for all but one thing of what the event has (§8.10).
#[derive(Serialize, ToSchema)]
struct NearMiss {
    #[schema(value_type = shapes::Id)]
    run: RunId,
    step: String,
    path: String,
    expected: String,
    #[schema(required)]
    found: Option<String>,
}

/// Shows an event with what it did, and which waits nearly matched (§8.10).
pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    id: body::Part,
) -> Result<Response<Body>, Problem> {
    let Path(id) = id.map_err(|error| {
        let why = error.body_text();
        Problem::bad_request(format!("the address is not accepted: {why}; accepted: UTF-8"))
    })?;
    let event = EventId { namespace: caller.namespace(), id: Arc::from(&*id) };
    match api.node.read(move |store| whole(store, &event)).await? {
        Some(whole) => json(StatusCode::OK, &whole),
        None => Err(Problem::new(Code::UnknownEvent, format!("there is no event `{id}`"))),
    }
}

fn whole(store: &dyn Store, id: &EventId) -> Result<Option<Whole>, StoreError> {
    let Some(known) = store.event(id)? else { return Ok(None) };
    let did = store.did(id, None, DID_MAX + 1)?;
    let more = did.len() > DID_MAX;
    let (mut runs_started, mut waits_woken) = (Vec::new(), Vec::new());
    for Did { run, step } in did.into_iter().take(DID_MAX) {
        match step {
            None => runs_started.push(run),
            Some(step) => {
                let step = stepwell_core::step_id::shown(&step).to_owned();
                waits_woken.push(Woken { run, step });
            }
        }
    }
    let near_misses = if known.kept { near_misses(store, &known)? } else { Vec::new() };
    let event = Shown::of(&known);
    Ok(Some(Whole { event, runs_started, waits_woken, more, near_misses }))
}

fn near_misses(store: &dyn Store, known: &Known) -> Result<Vec<NearMiss>, StoreError> {
    let event = &known.event;
    let name =
        EventName { namespace: Arc::clone(&event.id.namespace), name: Arc::clone(&event.name) };
    let offered = event.offer.as_deref().or(event.data.as_deref()).unwrap_or("null");
    let offered: Option<&RawValue> = serde_json::from_str(offered).ok();
    let Some(document) = offered.and_then(|raw| Document::read(raw).ok()) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for wait in store.waits_for(&name, &Leaves::All, None, LOOKED_AT)? {
        let wanted = wait.wanted.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let wanted = wanted.and_then(|raw: &RawValue| Match::parse(raw).ok());
        let miss = wanted.and_then(|wanted| wanted.miss(&document)).filter(Miss::is_near);
        let difference = miss.and_then(|miss| miss.differences.into_iter().next());
        found.extend(difference.map(|difference| NearMiss {
            run: wait.run,
            step: stepwell_core::step_id::shown(&wait.step).to_owned(),
            path: difference.path,
            expected: difference.expected,
            found: difference.found,
        }));
        if found.len() >= MISSES_MAX {
            break;
        }
    }
    Ok(found)
}
