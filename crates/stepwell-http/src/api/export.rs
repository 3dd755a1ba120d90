//! Copies of runs, as bundles: of one run, or of all that a filter of the list names.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, Uri, header};
use bytes::Bytes;
use futures_util::stream;
use stepwell_core::code::Code;
use stepwell_core::id::RunId;
use stepwell_core::run::ReplayError;
use stepwell_core::time::Timestamp;
use stepwell_driver::Handle;
use stepwell_store::query::Filter;
use stepwell_store::{Error as StoreError, bundle};

use super::body;
use super::list;
use super::routes::Api;
use super::run::{is_of, unknown};
use crate::gate::{Caller, now};
use crate::openapi::About;
use crate::problem::Problem;

/// Runs that are looked up at once.
const PAGE: usize = 100;

/// Describes [`one`].
pub(super) fn about_one() -> About {
    About::new("exportRun", "Copies a run with its whole history")
        .answer_as(200, bundle::MEDIA_TYPE, "A bundle of one run, as JSON Lines.")
        .refuses(&[Code::UnknownRun, Code::Quarantined])
}

/// Describes [`many`].
pub(super) fn about_many() -> About {
    About::new("exportRuns", "Copies all runs that a filter names")
        .more("Without filters these are all. The bundle is sent as runs are read, newest first; one without its last line is not whole.")
        .query::<list::ListQuery>()
        .without(list::PAGING)
        .answer_as(200, bundle::MEDIA_TYPE, "A bundle of the runs, as JSON Lines.")
}

/// Copies one run.
pub(super) async fn one(
    State(api): State<Api>,
    caller: Caller,
    run: body::Part,
) -> Result<Response<Body>, Problem> {
    let id = body::run_of(run)?;
    let copied = api.node.read(move |store| {
        let Some(journal) = store.load(id)? else { return Ok(Err(unknown(id))) };
        if !is_of(&caller, &journal) {
            // What another namespace has is not there (§1).
            return Ok(Err(unknown(id)));
        }
        let damaged =
            |error: ReplayError| StoreError::Quarantined { run: id, why: error.to_string() };
        Ok(Ok(bundle::run(id, &journal).map_err(damaged)?))
    });
    let lines = copied.await??;
    let all = [head(now()), lines, bundle::end(1, 0)].concat();
    Ok(answer(Body::from(all), &format!("{id}.jsonl")))
}

/// Copies all runs that a filter names, newest first. Those that begin later are not among them.
pub(super) async fn many(
    State(api): State<Api>,
    caller: Caller,
    uri: Uri,
) -> Result<Response<Body>, Problem> {
    let query: list::ListQuery = body::query(&uri)?;
    list::refuse_paging(&query, "an export")?;
    let filter = Filter { limit: PAGE, ..list::filter(caller.namespace(), &query, list::now())? };
    caller.note_object(uri.query().unwrap_or("all runs"));
    let export = Export { node: api.node, filter, runs: 0, skipped: 0, next: Next::Head };
    let pieces = stream::unfold(export, |export| async move { export.piece().await });
    Ok(answer(Body::from_stream(pieces), "runs.jsonl"))
}

fn head(at: Timestamp) -> Vec<u8> {
    bundle::head(env!("CARGO_PKG_VERSION"), at)
}

fn answer(body: Body, file: &str) -> Response<Body> {
    let mut response = Response::new(body);
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(bundle::MEDIA_TYPE));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(named) = HeaderValue::try_from(format!("attachment; filename=\"{file}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, named);
    }
    response
}

/// A bundle that is being sent.
struct Export {
    node: Handle,
    filter: Filter,
    runs: u64,
    skipped: u64,
    next: Next,
}

/// What comes next of it.
enum Next {
    Head,
    /// More runs, of those in front of the filter's `before`.
    Page,
    /// These, and then more where there are.
    Runs(Vec<RunId>, Box<Next>),
    End,
    Nothing,
}

type Piece = Result<Bytes, std::io::Error>;

impl Export {
    /// Makes the next piece. What goes wrong cuts the bundle off: whoever reads it finds no end.
    async fn piece(mut self) -> Option<(Piece, Self)> {
        loop {
            match std::mem::replace(&mut self.next, Next::Nothing) {
                Next::Head => {
                    self.next = Next::Page;
                    return Some((Ok(head(now()).into()), self));
                }
                Next::Page => match self.page().await {
                    Ok(next) => self.next = next,
                    Err(problem) => return Some((Err(broken(&problem)), self)),
                },
                Next::Runs(mut runs, then) => {
                    let Some(run) = runs.pop() else {
                        self.next = *then;
                        continue;
                    };
                    self.next = Next::Runs(runs, then);
                    match self.run(run).await {
                        Ok(Some(lines)) => return Some((Ok(lines.into()), self)),
                        Ok(None) => {}
                        Err(problem) => {
                            self.next = Next::Nothing;
                            return Some((Err(broken(&problem)), self));
                        }
                    }
                }
                Next::End => {
                    let end = bundle::end(self.runs, self.skipped);
                    return Some((Ok(end.into()), self));
                }
                Next::Nothing => return None,
            }
        }
    }

    async fn page(&mut self) -> Result<Next, Problem> {
        let filter = self.filter.clone();
        let page = self.node.read(move |store| store.query(&filter, list::LIST_PATIENCE)).await?;
        let last = page.runs.last().filter(|_| page.more).map(|run| run.id);
        let mut runs: Vec<_> = page.runs.iter().map(|run| run.id).collect();
        runs.reverse();
        let then = match page.reached.or(last) {
            Some(before) => {
                self.filter.before = Some(before);
                Next::Page
            }
            None => Next::End,
        };
        Ok(Next::Runs(runs, Box::new(then)))
    }

    /// Copies a run, or says why not; nothing where it was deleted meanwhile.
    async fn run(&mut self, id: RunId) -> Result<Option<Vec<u8>>, Problem> {
        let copied = self.node.read(move |store| match store.load(id) {
            Ok(journal) => {
                let lines = journal.map(|journal| bundle::run(id, &journal));
                Ok(lines.map(|lines| lines.map_err(|error| error.to_string())))
            }
            Err(StoreError::Quarantined { why, .. }) => Ok(Some(Err(why))),
            Err(error) => Err(error),
        });
        Ok(copied.await?.map(|lines| match lines {
            Ok(lines) => {
                self.runs += 1;
                lines
            }
            Err(why) => {
                self.skipped += 1;
                bundle::skipped(id, &why)
            }
        }))
    }
}

fn broken(problem: &Problem) -> std::io::Error {
    tracing::warn!(detail = problem.detail, "an export broke off");
    std::io::Error::other(problem.detail.clone())
}
