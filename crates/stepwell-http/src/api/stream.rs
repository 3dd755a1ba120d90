//! What changed, as server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).
//!
//! They are hints: which run has new records, and how long its journal is now. Whoever shows that run asks
//! for it again. Each is told at least once, what comes close together is told together, and a reader that
//! was away says with `Last-Event-ID` what it was last told; where that is not known any more, it is told to
//! look at everything again.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, Stream};
use serde::{Deserialize, Serialize};
use stepwell_core::id::RunId;
use stepwell_driver::{Changed, Cursor, Handle, Told, Watch};
use tokio::time::Instant;
use utoipa::IntoParams;

use super::body;
use super::routes::Api;
use crate::gate::Caller;
use crate::meters::Open;
use crate::openapi::About;
use crate::problem::Problem;

/// Least time between two messages of a stream: what changes meanwhile is told together.
const PERIOD: Duration = Duration::from_millis(100);

/// A stream on which nothing happens says so this often, so that both sides see a dead connection.
const QUIET: Duration = Duration::from_secs(10);

/// How long a browser waits before it connects again.
const RETRY: Duration = Duration::from_secs(1);

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct StreamQuery {
    /// The same as the header `Last-Event-ID`, for who cannot set one.
    after: Option<String>,
}

/// Describes [`stream`].
pub(super) fn about() -> About {
    About::new("streamChanges", "Streams what changes, as it does")
        .more(
            "Server-sent events. `hello` comes first; `changes` has the data `{runs: [{id, \
             journalBytes}], others, events, runners, flows}`; `reset` says to look at everything \
             again; `closed` has an error as its data, and is the last.",
        )
        .query::<StreamQuery>()
        .header("Last-Event-ID", "The id of the last message that the reader was told.")
        .answer_as(200, "text/event-stream", "Messages, for as long as the reader stays.")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RunHint {
    id: RunId,
    journal_bytes: u64,
}

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is about something else")]
struct Hints {
    runs: Vec<RunHint>,
    others: bool,
    events: bool,
    runners: bool,
    flows: bool,
}

impl Hints {
    fn of(changed: Changed) -> Self {
        let Changed { runs, others, events, runners, flows } = changed;
        let hint = |(id, journal_bytes)| RunHint { id, journal_bytes };
        Self { runs: runs.into_iter().map(hint).collect(), others, events, runners, flows }
    }
}

/// A reader of the stream.
struct Reader {
    watch: Watch,
    /// Ready once the reader's key is not taken any more.
    ended: BoxFuture<'static, Problem>,
    /// It was told so; nothing follows.
    is_over: bool,
    node: Handle,
    /// Not told anything yet.
    is_new: bool,
    /// No message before this instant.
    not_before: Instant,
    /// It is counted.
    _open: Open,
}

/// Streams what changes in the caller's namespace until the server stops or the caller's key ends.
pub(super) async fn stream(
    State(api): State<Api>,
    caller: Caller,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let StreamQuery { after } = body::query(&uri)?;
    let header = headers.get("last-event-id").map(|id| String::from_utf8_lossy(id.as_bytes()));
    // The header is of the browser, which connects again by itself; the parameter is older then.
    let after = header.map(std::borrow::Cow::into_owned).or(after).map(|id| cursor(&id));
    let watch = api.node.watch(caller.namespace(), after);
    let open = api.meters.stream();
    let reader = Reader {
        watch,
        ended: caller.ended().boxed(),
        is_over: false,
        node: api.node,
        is_new: true,
        not_before: Instant::now(),
        _open: open,
    };
    let messages = futures_util::stream::unfold(reader, |reader| async move {
        reader.next().await.map(|(event, reader)| (Ok(event), reader))
    });
    Ok(Sse::new(messages).keep_alive(KeepAlive::new().interval(QUIET)))
}

impl Reader {
    /// Waits for the next message; `None` once the server stops.
    async fn next(mut self) -> Option<(Event, Self)> {
        if self.is_over {
            return None;
        }
        if std::mem::take(&mut self.is_new) {
            // Says at once where the reader stands, also where nothing changes for a while.
            let event = Event::default().event("hello").retry(RETRY).data("{}");
            return Some((event.id(text(self.watch.cursor())), self));
        }
        let told = tokio::select! {
            biased;
            () = self.node.stopping() => return None,
            problem = &mut self.ended => {
                self.is_over = true;
                let why = String::from_utf8_lossy(&problem.to_json()).into_owned();
                return Some((Event::default().event("closed").data(why), self));
            }
            told = next_after(&mut self.watch, self.not_before) => told,
        };
        self.not_before = Instant::now() + PERIOD;
        let event = match told {
            Told::Reset => Event::default().event("reset").data("{}"),
            Told::Changed(changed) => {
                let data = serde_json::to_string(&Hints::of(changed)).unwrap_or_default();
                Event::default().event("changes").data(data)
            }
        };
        Some((event.id(text(self.watch.cursor())), self))
    }
}

async fn next_after(watch: &mut Watch, instant: Instant) -> Told {
    tokio::time::sleep_until(instant).await;
    watch.next().await
}

fn text(cursor: Cursor) -> String {
    format!("{:016x}-{}", cursor.epoch, cursor.seen)
}

/// Reads an id that was told; one that never was stands for no place that is known.
fn cursor(text: &str) -> Cursor {
    let unknown = Cursor { epoch: 0, seen: u64::MAX };
    let Some((epoch, seen)) = text.split_once('-') else { return unknown };
    match (u64::from_str_radix(epoch, 16), seen.parse()) {
        (Ok(epoch), Ok(seen)) => Cursor { epoch, seen },
        _ => unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_written() {
        for cursor_of in [Cursor { epoch: 0, seen: 0 }, Cursor { epoch: u64::MAX, seen: 812 }] {
            assert_eq!(cursor(&text(cursor_of)), cursor_of);
        }
    }

    #[test]
    fn what_was_never_told_is_no_known_place() {
        for text in ["", "7", "x-1", "1-x", "1-2-3", "-"] {
            assert_eq!(cursor(text), Cursor { epoch: 0, seen: u64::MAX }, "{text}");
        }
    }
}
