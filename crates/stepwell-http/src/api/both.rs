//! Lists of runs of both kinds: durable and observed ones, by the instant of their begin (§10).

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use stepwell_core::id::RunId;
use stepwell_core::status::{Dialect, RunStatus};
use stepwell_core::time::Timestamp;
use stepwell_store::query::{Filter, Page};
use stepwell_telemetry::keep::{After, RunsAsk, RunsPage};
use stepwell_telemetry::status::RunStatus as Observed;

use super::answer::json;
use super::list::{self, AnyRow, LIST_PATIENCE, List, ListQuery, Row, instant, now};
use super::observed::{self, Line};
use super::routes::Api;
use crate::gate::Caller;
use crate::problem::Problem;

/// Which runs a list has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RunKind {
    Durable,
    Observed,
    All,
}

impl RunKind {
    /// Reads the parameter; durable runs where it is left out.
    pub(super) fn of(word: Option<&str>) -> Result<Self, Problem> {
        match word {
            None | Some("durable") => Ok(Self::Durable),
            Some("observed") => Ok(Self::Observed),
            Some("all") => Ok(Self::All),
            Some(other) => Err(Problem::bad_request(format!(
                "`kind` is `{other}`; accepted: durable, observed or all"
            ))),
        }
    }
}

/// Where a list goes on: the begin of its last run, and behind which run of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cursor {
    at: Timestamp,
    durable: Option<RunId>,
    observed: Option<After>,
}

impl Cursor {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('~');
        let (at, durable, observed) = (parts.next()?, parts.next()?, parts.next()?);
        let durable = match durable {
            "" => None,
            text => Some(text.parse().ok()?),
        };
        let observed = match observed {
            "" => None,
            text => Some(observed::place(text)?),
        };
        let at = Timestamp::from_micros(at.parse().ok()?);
        parts.next().is_none().then_some(Self { at, durable, observed })
    }

    fn text(self) -> String {
        let durable = self.durable.map(|run| run.to_string()).unwrap_or_default();
        let observed = self.observed.map(observed::place_text).unwrap_or_default();
        format!("{}~{durable}~{observed}", self.at.as_micros())
    }
}

/// What is asked of each kind; `None` where none of that kind can fit.
struct Asks {
    durable: Option<Filter>,
    observed: Option<RunsAsk>,
    cursor: Option<Cursor>,
    limit: usize,
}

impl Asks {
    fn of(namespace: Arc<str>, kind: RunKind, query: ListQuery) -> Result<Self, Problem> {
        let now = now();
        let cursor = query.cursor.as_deref().map(|text| {
            Cursor::parse(text).ok_or_else(|| {
                let why = format!("`cursor` is `{text}`; accepted: the `next` of a page before");
                Problem::bad_request(why)
            })
        });
        let cursor = cursor.transpose()?;
        let (durable_status, observed_status) = statuses(query.status.as_deref())?;
        let has = |fits: bool| query.status.is_none() || fits;
        let with_durable = kind == RunKind::All && has(!durable_status.is_empty());
        let with_observed = !query.is_of_durable_only() && has(!observed_status.is_empty());
        // What began after the page before is not on the next one.
        let behind = cursor.map(|cursor| cursor.at.after(std::time::Duration::from_micros(1)));
        let bare = ListQuery { status: None, cursor: None, ..query };
        let filter = list::filter(Arc::clone(&namespace), &bare, now)?;
        let limit = filter.limit;
        let to = [instant("to", bare.to.as_deref(), now)?, behind].into_iter().flatten().min();
        let observed = RunsAsk {
            namespace,
            flows: bare.workflow.as_deref().map(Arc::from).into_iter().collect(),
            status: observed_status,
            text: bare.q.as_deref().map(|text| text.trim().to_owned()),
            from: filter.from,
            to,
            after: cursor.and_then(|cursor| cursor.observed),
            limit,
        };
        let before = cursor.and_then(|cursor| cursor.durable);
        let durable = Filter { statuses: durable_status, before, to, ..filter };
        Ok(Self {
            durable: with_durable.then_some(durable),
            observed: with_observed.then_some(observed),
            cursor,
            limit,
        })
    }
}

/// Reads statuses of either kind; each word is one of at least one of them.
fn statuses(text: Option<&str>) -> Result<(Vec<RunStatus>, Vec<Observed>), Problem> {
    let Some(text) = text else { return Ok((Vec::new(), Vec::new())) };
    let words = || text.split(',').map(str::trim);
    let observed = words().filter_map(Observed::parse).collect();
    let others: Vec<_> = words().filter(|word| Observed::parse(word).is_none()).collect();
    if !others.is_empty() {
        list::statuses(Some(&others.join(",")))?;
    }
    Ok((words().filter_map(RunStatus::parse).collect(), observed))
}

/// Lists runs of both kinds, or observed ones, newest first.
pub(super) async fn list(
    api: &Api,
    caller: &Caller,
    (kind, dialect): (RunKind, Option<Dialect>),
    query: ListQuery,
) -> Result<Response<Body>, Problem> {
    let Asks { durable, observed, cursor, limit } = Asks::of(caller.namespace(), kind, query)?;
    let durable = match durable {
        Some(filter) => api.node.read(move |store| store.query(&filter, LIST_PATIENCE)).await?,
        None => Page::default(),
    };
    let observed = match (&api.observed, observed) {
        (Some(of), Some(ask)) => of.ask(move |keep| keep.runs(&ask, now())).await?,
        _ => RunsPage::default(),
    };
    json(StatusCode::OK, &merged(&durable, &observed, (cursor, limit), dialect))
}

/// Puts two lists together.
fn merged<'a>(
    durable: &'a Page,
    observed: &'a RunsPage,
    (cursor, limit): (Option<Cursor>, usize),
    dialect: Option<Dialect>,
) -> List<'a> {
    let (mut first, mut second) = (durable.runs.iter().peekable(), observed.runs.iter().peekable());
    let mut rows = Vec::new();
    let start = Cursor { at: Timestamp::MIN, durable: None, observed: None };
    let mut at = cursor.unwrap_or(start);
    // Behind where looking stopped there may be durable runs that began before an observed one.
    let reached = durable.reached.map(RunId::created);
    let mut searched_to = None;
    while rows.len() < limit {
        let next = (first.peek().map(|run| run.created_at), second.peek().map(|run| run.place.at));
        match next {
            (Some(one), other) if other.is_none_or(|other| one >= other) => {
                let Some(run) = first.next() else { break };
                (at.at, at.durable) = (one, Some(run.id));
                rows.push(AnyRow::Durable(Row::of(run)));
            }
            (None, Some(other)) if reached.is_some_and(|reached| other < reached) => break,
            (_, Some(other)) => {
                let Some(run) = second.next() else { break };
                (at.at, at.observed) = (other, Some(run.place));
                rows.push(AnyRow::Observed(Line::of(run, dialect)));
            }
            (_, None) => break,
        }
    }
    if first.peek().is_none()
        && let Some(run) = durable.reached
    {
        (at.durable, searched_to) = (Some(run), reached);
        at.at = at.at.max(run.created());
    }
    let is_over = first.peek().is_none() && second.peek().is_none();
    let more = !is_over || durable.more || observed.more || durable.reached.is_some();
    List {
        runs: rows,
        next: more.then(|| at.text()),
        searched_to,
        stale: durable.stale || observed.stale,
    }
}
