//! The event log of a run: every record of its journal, in order, as it was written.

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode, Uri};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stepwell_core::code::Code;
use stepwell_core::id::RunId;
use stepwell_core::record::{self, DecodeError, Entry};
use stepwell_core::time::Timestamp;
use stepwell_core::view::iso_option;
use stepwell_store::Error as StoreError;
use utoipa::{IntoParams, ToSchema};

use super::answer::{bytes, json_text};
use super::body;
use super::routes::Api;
use super::run::{is_of, unknown};
use crate::gate::Caller;
use crate::openapi::{About, shapes};
use crate::problem::Problem;

/// Records of a page.
const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1_000;

/// A page ends behind the record that makes it as large as this, in bytes of its records.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct HistoryQuery {
    /// How many records.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<String>,
    /// The `next` of the page before, or the `n` of a record.
    #[param(value_type = Option<shapes::Whole>, inline)]
    cursor: Option<String>,
}

/// A record of a journal.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = JournalRecord)]
struct Happened<'a> {
    /// Its number, from 1.
    n: usize,
    #[serde(serialize_with = "iso_option")]
    #[schema(value_type = Option<shapes::Instant>, required)]
    at: Option<Timestamp>,
    /// What kind of record it is, such as `started`.
    kind: &'a str,
    /// What it says, as it was written; instants are in microseconds.
    #[schema(value_type = shapes::Json)]
    content: &'a RawValue,
    /// How long the journal was with it.
    journal_bytes: usize,
}

/// A page of the event log of a run.
#[derive(Serialize, ToSchema)]
struct History<'a> {
    #[schema(value_type = shapes::Id)]
    id: RunId,
    records: Vec<Happened<'a>>,
    /// The `cursor` of the page that follows.
    #[schema(required)]
    next: Option<String>,
}

/// Describes [`history`].
pub(super) fn about() -> About {
    About::new("runHistory", "Tells what happened to a run, record by record")
        .query::<HistoryQuery>()
        .answer::<History<'_>>(200, "A page of records, in their order.")
        .refuses(&[Code::UnknownRun, Code::Quarantined])
}

/// Tells what happened to a run, record by record.
pub(super) async fn history(
    State(api): State<Api>,
    caller: Caller,
    run: body::Part,
    uri: Uri,
) -> Result<Response<Body>, Problem> {
    let id = body::run_of(run)?;
    let HistoryQuery { limit, cursor } = body::query(&uri)?;
    let limit = body::limit(limit.as_deref(), LIMIT_DEFAULT, LIMIT_MAX)?;
    let after = cursor.as_deref().map_or(Ok(0), record_number)?;
    let told = api.node.read(move |store| {
        let Some(journal) = store.load(id)? else { return Ok(Err(unknown(id))) };
        if !is_of(&caller, &journal) {
            // What another namespace has is not there (§1).
            return Ok(Err(unknown(id)));
        }
        let damaged =
            |error: DecodeError| StoreError::Quarantined { run: id, why: error.to_string() };
        let page = page(&journal, after, limit).map_err(damaged)?;
        Ok(json_text(&page.told(id)))
    });
    Ok(bytes(StatusCode::OK, told.await??))
}

/// Some records in a row.
struct Page<'a> {
    entries: Vec<Entry<'a>>,
    /// The number of the record before the first.
    after: usize,
    more: bool,
}

impl Page<'_> {
    fn told(&self, id: RunId) -> History<'_> {
        let mut records = Vec::with_capacity(self.entries.len());
        for (place, Entry { kind, content, at, ends }) in self.entries.iter().enumerate() {
            let n = self.after.saturating_add(place + 1);
            records.push(Happened { n, at: *at, kind, content, journal_bytes: *ends });
        }
        let next = records.last().filter(|_| self.more).map(|last| last.n.to_string());
        History { id, records, next }
    }
}

/// Reads the records behind the one with the number `after`. What is damaged is told by the page that
/// would begin with it, so that all before it is seen.
fn page(journal: &[u8], after: usize, limit: usize) -> Result<Page<'_>, DecodeError> {
    let mut page = Page { entries: Vec::new(), after, more: false };
    let mut left = PAGE_BYTES;
    for found in record::entries(journal).skip(after) {
        if page.entries.len() == limit || left == 0 {
            page.more = true;
            break;
        }
        match found {
            Ok(one) => {
                left = left.saturating_sub(one.content.get().len());
                page.entries.push(one);
            }
            Err(error) if page.entries.is_empty() => return Err(error),
            Err(_) => page.more = true,
        }
    }
    Ok(page)
}

fn record_number(text: &str) -> Result<usize, Problem> {
    text.parse().map_err(|_| {
        let shown: String = text.chars().take(40).collect();
        Problem::bad_request(format!(
            "`cursor` is `{shown}`; accepted: the `next` of the page before, or the `n` of a record"
        ))
    })
}

#[cfg(test)]
mod tests {
    use stepwell_core::record::{Record, Woken};

    use super::*;

    fn journal(records: i64) -> Vec<u8> {
        let mut journal = Vec::new();
        for n in 0..records {
            Record::Woken(Woken { at: Timestamp::from_micros(n) }).encode(&mut journal);
        }
        journal
    }

    fn numbers(page: &Page<'_>) -> (Vec<usize>, Option<String>) {
        let told = page.told(RunId::MIN);
        (told.records.iter().map(|one| one.n).collect(), told.next)
    }

    #[test]
    fn pages_join_without_a_gap() {
        let journal = journal(5);
        let page_behind = |after| numbers(&page(&journal, after, 2).unwrap());
        assert_eq!(page_behind(0), (vec![1, 2], Some("2".into())));
        assert_eq!(page_behind(2), (vec![3, 4], Some("4".into())));
        assert_eq!(page_behind(4), (vec![5], None));
        assert_eq!(page_behind(5), (vec![], None));
        assert_eq!(page_behind(usize::MAX), (vec![], None));
        assert_eq!(numbers(&page(&journal, 3, 2).unwrap()).1, None);
    }

    #[test]
    fn damage_is_told_behind_what_can_be_read() {
        let mut journal = journal(3);
        journal.extend_from_slice(b"{\"wo");
        assert_eq!(numbers(&page(&journal, 0, 10).unwrap()), (vec![1, 2, 3], Some("3".into())));
        assert!(page(&journal, 3, 10).is_err());
    }
}
