//! How many runs ended, by the minute.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode, Uri};
use serde::{Deserialize, Serialize};
use stepwell_core::time::Timestamp;
use stepwell_core::view::iso;
use stepwell_store::query::{EndsAsk, Minute};
use utoipa::{IntoParams, ToSchema};

use super::answer::json;
use super::body;
use super::list::{LIST_PATIENCE, now};
use super::routes::Api;
use crate::gate::Caller;
use crate::openapi::{About, shapes};
use crate::problem::Problem;

const MINUTES_DEFAULT: u32 = 60;
const MINUTES_MAX: u32 = 1_440;
const MINUTE: Duration = Duration::from_mins(1);
/// How many ended runs are looked at for one answer.
const LOOKED_MAX: usize = 100_000;
/// How long after its end a minute may still get runs: ends are durable some time after their instant.
const SETTLED: Duration = Duration::from_secs(10);
/// Of how many questions past minutes are kept; each has at most a day of them.
const QUESTIONS_MAX: usize = 64;

/// What was asked: the namespace, the app, the workflow.
type Question = (Arc<str>, Option<Arc<str>>, Option<Arc<str>>);

/// Minutes that are over and were counted whole, by what was asked: they are not counted again.
#[derive(Clone, Debug, Default)]
pub struct Past(Arc<Mutex<BTreeMap<Question, BTreeMap<Timestamp, Minute>>>>);

impl Past {
    /// Returns the minutes from an instant on that are known without a gap.
    fn known(&self, question: &Question, from: Timestamp) -> Vec<Minute> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let minutes = all.get(question);
        let mut next = from;
        let known = minutes.into_iter().flat_map(|minutes| minutes.range(from..));
        let known = known.take_while(|(at, _)| {
            let follows = **at == next;
            next = next.after(MINUTE);
            follows
        });
        known.map(|(_, minute)| *minute).collect()
    }

    /// Keeps minutes that will not change.
    fn keep(&self, question: Question, minutes: impl Iterator<Item = (Timestamp, Minute)>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= QUESTIONS_MAX && !all.contains_key(&question) {
            all.clear();
        }
        let kept = all.entry(question).or_default();
        kept.extend(minutes);
        while kept.len() > MINUTES_MAX as usize {
            kept.pop_first();
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// Only runs of this app.
    app: Option<String>,
    /// Only runs of this workflow.
    workflow: Option<String>,
    /// How many minutes back from now.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1440, default = 60)]
    minutes: Option<String>,
}

/// Runs that ended, by the minute.
#[derive(Serialize, ToSchema)]
#[schema(as = Activity)]
struct Answer {
    /// When the first of the minutes began.
    #[serde(serialize_with = "iso")]
    #[schema(value_type = shapes::Instant)]
    from: Timestamp,
    /// Oldest first; the last one goes on.
    minutes: Vec<Shown>,
    stale: bool,
}

/// Runs that ended in a minute.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Minute)]
struct Shown {
    ended: u64,
    /// Those of them that failed or timed out.
    failed: u64,
    /// Not all of the minute was looked at.
    or_more: bool,
}

/// Describes [`activity`].
pub(super) fn about() -> About {
    About::new("countEnds", "Counts runs that ended, by the minute")
        .query::<Asked>()
        .answer::<Answer>(200, "The minutes.")
}

/// Counts the runs that ended, by the minute.
pub(super) async fn activity(
    State(api): State<Api>,
    caller: Caller,
    uri: Uri,
) -> Result<Response<Body>, Problem> {
    let Asked { app, workflow, minutes } = body::query(&uri)?;
    let count = minutes.as_deref().map_or(Ok(MINUTES_DEFAULT), |text| {
        let number = text.parse().ok().filter(|n| (1..=MINUTES_MAX).contains(n));
        let why = || format!("`minutes` is `{text}`; accepted: 1 to {MINUTES_MAX}");
        number.ok_or_else(|| Problem::bad_request(why()))
    })?;
    let question: Question = (caller.namespace(), app.map(Arc::from), workflow.map(Arc::from));
    let now = now();
    // The minute that goes on is the last one.
    let from = begin(now).before(MINUTE * (count - 1));
    let mut minutes = api.past.known(&question, from);
    let known = u32::try_from(minutes.len()).unwrap_or(count).min(count);
    let first = from.after(MINUTE * known);
    let (namespace, app, workflow) = question.clone();
    let ask = EndsAsk {
        namespace,
        app,
        workflow,
        from: first,
        minutes: count - known,
        looked: LOOKED_MAX,
    };
    let found = api.node.read(move |store| store.ends(&ask, LIST_PATIENCE)).await?;
    if !found.stale {
        let over = |at: Timestamp| at.after(MINUTE + SETTLED) <= now;
        let at = |place: usize| first.after(MINUTE * u32::try_from(place).unwrap_or(u32::MAX));
        let new = found.minutes.iter().enumerate().map(|(place, minute)| (at(place), *minute));
        api.past.keep(question, new.filter(|(at, minute)| over(*at) && !minute.or_more));
    }
    minutes.truncate(known as usize);
    minutes.extend(found.minutes);
    let shown = |minute: Minute| {
        let Minute { ended, failed, or_more } = minute;
        Shown { ended, failed, or_more }
    };
    let minutes = minutes.into_iter().map(shown).collect();
    json(StatusCode::OK, &Answer { from, minutes, stale: found.stale })
}

/// Returns the beginning of the minute of an instant.
fn begin(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.as_micros() - at.as_micros().rem_euclid(60_000_000))
}
