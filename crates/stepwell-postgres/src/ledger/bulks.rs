//! Acts on many runs: a row of JSON for each, and portions of runs while it goes on.

use stepwell_access::Bulk;
use stepwell_access::ledger::{BulkAsk, Error};
use stepwell_core::id::RunId;
use tokio_postgres::Row;
use uuid::Uuid;

use super::open::{PostgresLedger, column, failed};
use crate::value::{Text, Value, micros, run_id, uuids};

impl PostgresLedger {
    pub(super) fn list_bulks(&self, ask: &BulkAsk) -> Result<Vec<Bulk>, Error> {
        let open = if ask.open { "ended_at IS NULL" } else { "true" };
        let select = format!(
            "SELECT body FROM bulks WHERE {open} AND ($1::text IS NULL OR namespace = $1) \
             ORDER BY n DESC LIMIT $2"
        );
        let limit = i64::try_from(ask.limit).unwrap_or(i64::MAX);
        let namespace = ask.namespace.as_deref().map(Text::from);
        self.ask(&select, vec![Box::new(namespace), Box::new(limit)])?.iter().map(bulk).collect()
    }

    pub(super) fn one_bulk(&self, sql: &str, values: Vec<Value>) -> Result<Option<Bulk>, Error> {
        self.ask(sql, values)?.first().map(bulk).transpose()
    }

    pub(super) fn keep_bulk(&self, bulk: &Bulk, portion: Option<&[RunId]>) -> Result<(), Error> {
        let put = "WITH put AS (INSERT INTO bulks (id, namespace, key, ended_at, body) \
                   VALUES ($1, $2, $3, $4, $5) \
                   ON CONFLICT (id) DO UPDATE SET ended_at = $4, body = $5), \
                   gone AS (DELETE FROM bulk_runs WHERE bulk = $1 AND $7) \
                   INSERT INTO bulk_runs (bulk, portion, runs) \
                   SELECT $1, (SELECT count(*) FROM bulk_runs WHERE bulk = $1), $6 \
                   WHERE $6::uuid[] IS NOT NULL AND NOT $7";
        let (id, namespace) = (Text::from(&*bulk.id), Text::from(&bulk.namespace));
        let (key, body) = (bulk.key.as_deref().map(Text::from), Text::from(&*bulk.to_json()));
        let (ended_at, ended) = (micros(bulk.ended_at), bulk.state.is_ended());
        let runs = portion.map(uuids);
        // Not asked twice, as what is idempotent may be: a portion would be there twice.
        let kept = self.sessions.with(move |client| {
            Box::pin(async move {
                let done = client
                    .execute(put, &[&id, &namespace, &key, &ended_at, &body, &runs, &ended])
                    .await;
                done.map(drop).map_err(|error| crate::error::failed(&error))
            })
        });
        kept.map_err(failed)
    }

    pub(super) fn portion(&self, id: &str, portion: u32) -> Result<Vec<RunId>, Error> {
        let select = "SELECT runs FROM bulk_runs WHERE bulk = $1 AND portion = $2";
        let values: Vec<Value> = vec![Box::new(Text::from(id)), Box::new(i64::from(portion))];
        let rows = self.ask(select, values)?;
        let runs: Option<Vec<Uuid>> = rows.first().map(|row| column(row, 0)).transpose()?;
        Ok(runs.unwrap_or_default().into_iter().map(run_id).collect())
    }
}

fn bulk(row: &Row) -> Result<Bulk, Error> {
    let body: Text = column(row, 0)?;
    Bulk::from_json(&body.0).map_err(|error| Error::Corrupt(error.to_string()))
}
