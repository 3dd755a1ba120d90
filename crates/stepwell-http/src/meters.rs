//! What is counted of requests, connections and streams.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Response};
use stepwell_core::time::Timestamp;
use stepwell_metrics::{Exposition, Histogram, Scale, table};

use crate::gate;
use crate::problem::Problem;

/// Where a request was answered: a route of the table, or a place that stands for others. It is among the
/// extensions of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
}

/// What was counted. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Meters(Arc<All>);

#[derive(Debug, Default)]
struct All {
    answers: Mutex<Answers>,
    connections: AtomicU64,
    streams: AtomicU64,
    traces: TraceMeters,
}

/// Bounded by the routes, the statuses that they answer with, and the codes that there are.
#[derive(Debug, Default)]
struct Answers {
    by_status: BTreeMap<(Place, u16), u64>,
    by_code: BTreeMap<&'static str, (u16, u64)>,
    times: BTreeMap<Place, Histogram>,
}

/// What is counted of the export of traces.
#[derive(Debug, Default)]
pub(crate) struct TraceMeters {
    exported: AtomicU64,
    refused: AtomicU64,
    damaged: AtomicU64,
    failed: AtomicU64,
    /// The end of the first run that is not exported.
    behind_since: Mutex<Option<Timestamp>>,
}

/// Why a span is not exported.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Dropped {
    /// The receiver does not take it.
    Refused,
    /// The journal of its run cannot be read.
    Damaged,
}

/// One more of something that is open, until it is dropped.
#[derive(Debug)]
pub(crate) struct Open {
    all: Arc<All>,
    what: fn(&All) -> &AtomicU64,
}

impl Open {
    fn new(all: &Arc<All>, what: fn(&All) -> &AtomicU64) -> Self {
        what(all).fetch_add(1, Ordering::Relaxed);
        Self { all: Arc::clone(all), what }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        (self.what)(&self.all).fetch_sub(1, Ordering::Relaxed);
    }
}

impl Place {
    /// The pages of the console.
    pub(crate) const CONSOLE: Self = Self { method: "GET", path: "console" };

    /// What no route of the table is for, or was refused before one was looked for.
    pub(crate) fn other(method: &Method) -> Self {
        let known = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"];
        let method = known.into_iter().find(|known| *known == method.as_str());
        Self { method: method.unwrap_or("other"), path: "other" }
    }
}

impl Meters {
    /// Counts an answer; returns where it was given.
    pub(crate) fn answered(
        &self,
        method: &Method,
        response: &Response<Body>,
        time: Duration,
    ) -> Place {
        let extensions = response.extensions();
        let place = extensions.get().copied().unwrap_or_else(|| Place::other(method));
        let status = response.status().as_u16();
        let mut answers = self.0.answers.lock().unwrap_or_else(PoisonError::into_inner);
        *answers.by_status.entry((place, status)).or_default() += 1;
        let times = &mut answers.times;
        times.entry(place).or_insert_with(|| Histogram::new(Scale::Medium)).observe(time);
        if let Some(Problem { code, .. }) = extensions.get() {
            answers.by_code.entry(code.as_str()).or_insert((status, 0)).1 += 1;
        }
        place
    }

    /// Counts a connection until what is returned is dropped.
    pub(crate) fn connection(&self) -> Open {
        Open::new(&self.0, |all| &all.connections)
    }

    /// Counts a stream until what is returned is dropped.
    pub(crate) fn stream(&self) -> Open {
        Open::new(&self.0, |all| &all.streams)
    }

    /// Returns what is counted of the export of traces.
    pub(crate) fn traces(&self) -> &TraceMeters {
        &self.0.traces
    }

    /// Writes everything.
    pub(crate) fn write(&self, text: &mut Exposition) {
        let answers = self.0.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let statuses = answers.by_status.iter();
        text.each(
            &table::HTTP_REQUESTS,
            statuses.map(|((place, status), count)| {
                ([place.method.to_owned(), place.path.to_owned(), status.to_string()], count)
            }),
        );
        let times = answers.times.iter();
        text.histograms(
            &table::HTTP_DURATION,
            times.map(|(place, times)| ([place.method, place.path], times)),
        );
        let codes = answers.by_code.iter();
        text.each(
            &table::HTTP_REFUSED,
            codes.map(|(code, (status, count))| ([(*code).to_owned(), status.to_string()], count)),
        );
        drop(answers);
        text.one(&table::HTTP_CONNECTIONS, self.0.connections.load(Ordering::Relaxed));
        text.one(&table::HTTP_STREAMS, self.0.streams.load(Ordering::Relaxed));
        self.0.traces.write(text);
    }
}

impl TraceMeters {
    /// Counts spans that were exported.
    pub(crate) fn exported(&self, spans: u64) {
        self.exported.fetch_add(spans, Ordering::Relaxed);
    }

    /// Counts spans that never will be.
    pub(crate) fn dropped(&self, why: Dropped, spans: u64) {
        let count = match why {
            Dropped::Refused => &self.refused,
            Dropped::Damaged => &self.damaged,
        };
        count.fetch_add(spans, Ordering::Relaxed);
    }

    /// Counts a request that is sent again.
    pub(crate) fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Says when the first run ended that is not exported; `None` where all are.
    pub(crate) fn behind_since(&self, since: Option<Timestamp>) {
        *self.behind_since.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    fn write(&self, text: &mut Exposition) {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        text.one(&table::TRACE_SPANS, count(&self.exported));
        let dropped = [(["refused"], count(&self.refused)), (["damaged"], count(&self.damaged))];
        text.each(&table::TRACE_SPANS_DROPPED, dropped);
        text.one(&table::TRACE_REQUESTS_FAILED, count(&self.failed));
        let since = *self.behind_since.lock().unwrap_or_else(PoisonError::into_inner);
        let behind = since.map(|since| gate::now().since(since)).unwrap_or_default();
        text.one(&table::TRACE_LAG, behind.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use stepwell_core::code::Code;

    use super::*;

    /// Proves the bound: made-up methods and paths are counted together.
    #[test]
    fn what_is_made_up_makes_no_series() {
        let meters = Meters::default();
        let refused = || Problem::new(Code::UnknownRoute, "").into_response();
        for number in 0..100 {
            let method = Method::from_bytes(format!("M{number}").as_bytes()).unwrap();
            meters.answered(&method, &refused(), Duration::ZERO);
        }
        let mut text = Exposition::default();
        meters.write(&mut text);
        let text = text.finish();
        let series = "stepwell_http_requests_total{";
        let found: Vec<_> = text.lines().filter(|line| line.starts_with(series)).collect();
        assert_eq!(found, [format!(r#"{series}method="other",route="other",status="404"}} 100"#)]);
    }

    #[test]
    fn what_is_open_is_counted_until_it_ends() {
        let meters = Meters::default();
        let count = || meters.0.streams.load(Ordering::Relaxed);
        let (first, second) = (meters.stream(), meters.stream());
        assert_eq!(count(), 2);
        drop(first);
        assert_eq!(count(), 1);
        drop(second);
        assert_eq!(count(), 0);
    }
}
