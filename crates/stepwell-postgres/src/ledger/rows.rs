//! Namespaces, keys, the audit log.

use std::sync::Arc;

use deadpool_postgres::ClientWrapper;
use stepwell_access::audit::{Ask, Chain, Entry, Hash as RowHash, Order, ROOT, Row};
use stepwell_access::key::{Hash, Previous};
use stepwell_access::ledger::{BulkAsk, Error, Ledger};
use stepwell_access::{Bulk, Key, KeyId, Namespace};
use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;
use tokio_postgres::Row as SqlRow;

use super::open::{PostgresLedger, column, failed};
use crate::session::borrowed;
use crate::value::{Text, Value, micros};

/// Under what it is noted how far traces were exported: the end of a run and its id, 8 and 16 bytes.
const EXPORTED: &str = "exported";

/// How often a row of the audit log is tried: others write rows too.
const TRIES: usize = 1_000;

fn text(text: &str) -> Value {
    Box::new(Text::from(text))
}

fn maybe(text: Option<&str>) -> Value {
    Box::new(text.map(Text::from))
}

impl Ledger for PostgresLedger {
    fn namespaces(&self) -> Result<Vec<Namespace>, Error> {
        let select = "SELECT name, created_at, created_by, closed_at FROM namespaces \
                      ORDER BY name COLLATE \"C\"";
        self.ask(select, Vec::new())?.iter().map(namespace).collect()
    }

    fn put_namespace(&self, namespace: &Namespace) -> Result<(), Error> {
        let Namespace { name, created_at, created_by, closed_at } = namespace;
        let put = "INSERT INTO namespaces (name, created_at, created_by, closed_at) \
                   VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO UPDATE SET \
                   created_at = $2, created_by = $3, closed_at = $4";
        let values = vec![
            text(name),
            Box::new(created_at.as_micros()),
            text(created_by),
            Box::new(micros(*closed_at)),
        ];
        self.ask(put, values).map(drop)
    }

    fn remove_namespace(&self, name: &str) -> Result<(), Error> {
        let remove = "WITH k AS (DELETE FROM access_keys WHERE namespace = $1), \
                      r AS (DELETE FROM bulk_runs WHERE bulk IN (SELECT id FROM bulks WHERE namespace = $1)), \
                      b AS (DELETE FROM bulks WHERE namespace = $1) \
                      DELETE FROM namespaces WHERE name = $1";
        self.ask(remove, vec![text(name)]).map(drop)
    }

    fn keys(&self) -> Result<Vec<Key>, Error> {
        let select = "SELECT id, name, namespace, role, hash, generation, previous_hash, \
                      previous_until, created_at, created_by, expires_at, revoked_at, last_used_at \
                      FROM access_keys ORDER BY n";
        self.ask(select, Vec::new())?.iter().map(key).collect()
    }

    fn put_key(&self, key: &Key) -> Result<(), Error> {
        self.ask(PUT_KEY, key_values(key)).map(drop)
    }

    fn put_first_key(&self, key: &Key) -> Result<bool, Error> {
        let values = key_values(key);
        self.sessions.with(move |client| Box::pin(put_first(client, values))).map_err(failed)
    }

    fn used(&self, keys: &[(KeyId, Timestamp)]) -> Result<(), Error> {
        let note = "UPDATE access_keys SET last_used_at = greatest(last_used_at, at) \
                    FROM unnest($1::text[], $2::bigint[]) AS used (key, at) WHERE id = key";
        let ids: Vec<Text> = keys.iter().map(|(id, _)| Text::from(id.as_str())).collect();
        let at: Vec<i64> = keys.iter().map(|(_, at)| at.as_micros()).collect();
        self.ask(note, vec![Box::new(ids), Box::new(at)]).map(drop)
    }

    fn append(&self, entry: Entry) -> Result<Row, Error> {
        let last = "SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1";
        for _ in 0..TRIES {
            let rows = self.ask(last, Vec::new())?;
            let last = rows.first().map(numbered).transpose()?;
            let row = Chain::from(last.unwrap_or((0, ROOT))).next(entry.clone());
            // Of two nodes that write at the same time one is first, and the other one's row hangs on that.
            if self.put_row(&row)? {
                return Ok(row);
            }
        }
        Err(Error::Unavailable("other nodes keep writing the audit log; try again".into()))
    }

    fn audit(&self, ask: &Ask) -> Result<Vec<Row>, Error> {
        let order = match ask.order {
            Order::Oldest => "ASC",
            Order::Newest => "DESC",
        };
        let select = format!(
            "SELECT n, hash, at, namespace, key, key_name, address, act, object, reason, outcome, of_n \
             FROM audit WHERE ($1::text IS NULL OR namespace = $1) AND n > $2 AND n < $3 \
             AND at >= $5 AND at < $6 AND ($7::text IS NULL OR key = $7) \
             AND ($8::text IS NULL OR act = $8 OR starts_with(act, $8 || '.')) \
             ORDER BY n {order} LIMIT $4"
        );
        let values: Vec<Value> = vec![
            maybe(ask.namespace.as_deref()),
            Box::new(signed(ask.after)),
            Box::new(signed(ask.before)),
            Box::new(i64::try_from(ask.limit).unwrap_or(i64::MAX)),
            Box::new(ask.from.as_micros()),
            Box::new(ask.to.as_micros()),
            maybe(ask.key.as_ref().map(KeyId::as_str)),
            maybe(ask.act.as_deref()),
        ];
        self.ask(&select, values)?.iter().map(row).collect()
    }

    fn bulks(&self, ask: &BulkAsk) -> Result<Vec<Bulk>, Error> {
        self.list_bulks(ask)
    }

    fn bulk(&self, id: &str) -> Result<Option<Bulk>, Error> {
        self.one_bulk("SELECT body FROM bulks WHERE id = $1", vec![text(id)])
    }

    fn bulk_of_key(&self, namespace: &str, key: &str) -> Result<Option<Bulk>, Error> {
        let select = "SELECT body FROM bulks WHERE namespace = $1 AND key = $2";
        self.one_bulk(select, vec![text(namespace), text(key)])
    }

    fn put_bulk(&self, bulk: &Bulk, portion: Option<&[RunId]>) -> Result<(), Error> {
        self.keep_bulk(bulk, portion)
    }

    fn bulk_portion(&self, id: &str, portion: u32) -> Result<Vec<RunId>, Error> {
        self.portion(id, portion)
    }

    fn forget_bulks(&self, before: Timestamp) -> Result<(), Error> {
        let forget = "DELETE FROM bulks WHERE ended_at < $1";
        self.ask(forget, vec![Box::new(before.as_micros())]).map(drop)
    }

    fn exported(&self) -> Result<Option<(Timestamp, RunId)>, Error> {
        let Some(bytes) = self.meta(EXPORTED)? else { return Ok(None) };
        let parts = bytes.split_at_checked(8).and_then(|(at, run)| {
            let at = i64::from_be_bytes(at.try_into().ok()?);
            let run = u128::from_be_bytes(run.try_into().ok()?);
            Some((Timestamp::from_micros(at), RunId::from_u128(run)))
        });
        let damaged = || Error::Corrupt(format!("its row `{EXPORTED}` has {} bytes", bytes.len()));
        parts.ok_or_else(damaged).map(Some)
    }

    fn put_exported(&self, (at, run): (Timestamp, RunId)) -> Result<(), Error> {
        let at = at.as_micros().to_be_bytes();
        let bytes = [&at[..], &run.as_u128().to_be_bytes()].concat();
        let put = "INSERT INTO ledger_meta (name, value) VALUES ($1, $2) \
                   ON CONFLICT (name) DO UPDATE SET value = $2";
        self.ask(put, vec![Box::new(EXPORTED), Box::new(bytes)]).map(drop)
    }
}

impl PostgresLedger {
    /// Writes a row of the audit log, unless there is another one in its place.
    fn put_row(&self, row: &Row) -> Result<bool, Error> {
        let put = "INSERT INTO audit (n, hash, at, namespace, key, key_name, address, act, object, \
                   reason, outcome, of_n) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
                   ON CONFLICT (n) DO NOTHING";
        let entry = &row.entry;
        let values: Vec<Value> = vec![
            Box::new(signed(row.n)),
            Box::new(row.hash.0.to_vec()),
            Box::new(entry.at.as_micros()),
            text(&entry.namespace),
            maybe(entry.key.as_ref().map(KeyId::as_str)),
            text(&entry.key_name),
            text(&entry.from),
            text(&entry.act),
            text(&entry.object),
            maybe(entry.reason.as_deref()),
            text(&entry.outcome),
            Box::new(entry.of.map(signed)),
        ];
        self.ask(put, values)?;
        let kept =
            self.ask("SELECT hash FROM audit WHERE n = $1", vec![Box::new(signed(row.n))])?;
        let kept: Option<Vec<u8>> = kept.first().map(|kept| column(kept, 0)).transpose()?;
        Ok(kept.is_some_and(|hash| hash == row.hash.0))
    }
}

// Rows are counted from 1, and never to where these differ.
fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or_default()
}

fn at(row: &SqlRow, index: usize) -> Result<Timestamp, Error> {
    column(row, index).map(Timestamp::from_micros)
}

fn maybe_at(row: &SqlRow, index: usize) -> Result<Option<Timestamp>, Error> {
    Ok(column::<Option<i64>>(row, index)?.map(Timestamp::from_micros))
}

fn shared(row: &SqlRow, index: usize) -> Result<Arc<str>, Error> {
    Ok(column::<Text>(row, index)?.0)
}

fn owned(row: &SqlRow, index: usize) -> Result<String, Error> {
    Ok(shared(row, index)?.to_string())
}

fn bytes<const N: usize>(row: &SqlRow, index: usize) -> Result<[u8; N], Error> {
    let bytes: Vec<u8> = column(row, index)?;
    let found = bytes.len();
    bytes.try_into().map_err(|_| Error::Corrupt(format!("a hash has {found} bytes, not {N}")))
}

/// Reads a text that has a form; what has another one is damage.
fn parsed<T>(row: &SqlRow, index: usize) -> Result<T, Error>
where
    T: std::str::FromStr<Err: std::error::Error>,
{
    shared(row, index)?.parse().map_err(|error: T::Err| Error::Corrupt(error.to_string()))
}

fn namespace(row: &SqlRow) -> Result<Namespace, Error> {
    Ok(Namespace {
        name: shared(row, 0)?,
        created_at: at(row, 1)?,
        created_by: owned(row, 2)?,
        closed_at: maybe_at(row, 3)?,
    })
}

fn key(row: &SqlRow) -> Result<Key, Error> {
    let previous = match column::<Option<&[u8]>>(row, 6)? {
        Some(_) => Some(bytes(row, 6)?),
        None => None,
    };
    let previous = previous.zip(maybe_at(row, 7)?);
    Ok(Key {
        id: parsed(row, 0)?,
        name: owned(row, 1)?,
        namespace: shared(row, 2)?,
        role: parsed(row, 3)?,
        hash: Hash::from_bytes(bytes(row, 4)?),
        generation: u32::try_from(column::<i64>(row, 5)?).unwrap_or(u32::MAX),
        previous: previous.map(|(hash, until)| Previous { hash: Hash::from_bytes(hash), until }),
        created_at: at(row, 8)?,
        created_by: owned(row, 9)?,
        expires_at: maybe_at(row, 10)?,
        revoked_at: maybe_at(row, 11)?,
        last_used_at: maybe_at(row, 12)?,
    })
}

fn numbered(row: &SqlRow) -> Result<(u64, RowHash), Error> {
    Ok((unsigned(column(row, 0)?), RowHash(bytes(row, 1)?)))
}

fn row(row: &SqlRow) -> Result<Row, Error> {
    let (n, hash) = numbered(row)?;
    let key = match column::<Option<Text>>(row, 4)? {
        Some(_) => Some(parsed(row, 4)?),
        None => None,
    };
    let entry = Entry {
        at: at(row, 2)?,
        namespace: shared(row, 3)?,
        key,
        key_name: owned(row, 5)?,
        from: owned(row, 6)?,
        act: owned(row, 7)?,
        object: owned(row, 8)?,
        reason: column::<Option<Text>>(row, 9)?.map(|text| text.0.to_string()),
        outcome: owned(row, 10)?,
        of: column::<Option<i64>>(row, 11)?.map(unsigned),
    };
    Ok(Row { n, entry, hash })
}

const PUT_KEY: &str = "INSERT INTO access_keys (id, name, namespace, role, hash, generation, \
    previous_hash, previous_until, created_at, created_by, expires_at, revoked_at, last_used_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
    ON CONFLICT (id) DO UPDATE SET name = $2, namespace = $3, role = $4, hash = $5, \
    generation = $6, previous_hash = $7, previous_until = $8, created_at = $9, created_by = $10, \
    expires_at = $11, revoked_at = $12, last_used_at = greatest(access_keys.last_used_at, $13)";

fn key_values(key: &Key) -> Vec<Value> {
    let previous = key.previous;
    vec![
        text(key.id.as_str()),
        text(&key.name),
        text(&key.namespace),
        text(key.role.as_str()),
        Box::new(key.hash.as_bytes().to_vec()),
        Box::new(i64::from(key.generation)),
        Box::new(previous.map(|previous| previous.hash.as_bytes().to_vec())),
        Box::new(previous.map(|previous| previous.until.as_micros())),
        Box::new(key.created_at.as_micros()),
        text(&key.created_by),
        Box::new(micros(key.expires_at)),
        Box::new(micros(key.revoked_at)),
        Box::new(micros(key.last_used_at)),
    ]
}

/// Keeps a key if there is none. Who comes second waits, and then sees the first.
async fn put_first(
    client: &mut ClientWrapper,
    values: Vec<Value>,
) -> Result<bool, stepwell_store::Error> {
    let put = async {
        let transaction = client.transaction().await?;
        let lock = "SELECT pg_advisory_xact_lock(hashtextextended(
            current_schema() || ' first key', 0))";
        transaction.execute(lock, &[]).await?;
        let any = "SELECT EXISTS (SELECT FROM access_keys)";
        if transaction.query_one(any, &[]).await?.get(0) {
            return Ok(false);
        }
        transaction.execute(PUT_KEY, &borrowed(&values)).await?;
        transaction.commit().await?;
        Ok(true)
    };
    put.await.map_err(|error: tokio_postgres::Error| crate::error::failed(&error))
}
