//! The one connection on which a member writes.

use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;
use stepwell_store::Error;
use tokio::time::timeout;
use tokio_postgres::{Client, Row, Statement};

use crate::error::{failed, unwritten};
use crate::line::Line;
use crate::session::borrowed;
use crate::value::Value;

/// Most statements that are kept prepared.
const PREPARED_MAX: usize = 256;

/// A connection that does one thing after the other.
pub(crate) struct Lane {
    client: Arc<Client>,
    patience: Duration,
    prepared: FxHashMap<String, Statement>,
    /// Why nothing is written any more.
    lost: Option<String>,
}

/// A statement with its values.
#[derive(Default)]
pub(crate) struct Sql {
    pub(crate) text: String,
    pub(crate) values: Vec<Value>,
}

impl Sql {
    /// Begins a statement.
    pub(crate) fn new(text: impl Into<String>, values: Vec<Value>) -> Self {
        Self { text: text.into(), values }
    }

    /// Adds a value, and returns what stands for it in the text.
    pub(crate) fn value<V>(&mut self, value: V) -> String
    where
        V: tokio_postgres::types::ToSql + Sync + Send + 'static,
    {
        self.values.push(Box::new(value));
        format!("${}", self.values.len())
    }

    /// Adds to the text.
    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }
}

impl Lane {
    /// Makes it of a connection; an answer is waited for `patience`.
    pub(crate) fn new(client: Client, patience: Duration) -> Self {
        Self { client: Arc::new(client), patience, prepared: FxHashMap::default(), lost: None }
    }

    /// Writes something: one statement, which is durable when this returns.
    ///
    /// # Errors
    /// [`Error::Unknown`] when no answer came, and from then on [`Error::Poisoned`]; else what
    /// [`unwritten`] makes of the answer, and nothing was written.
    pub(crate) fn write(&mut self, line: &Line, sql: Sql) -> Result<Vec<Row>, Error> {
        if let Some(why) = &self.lost {
            return Err(Error::Poisoned(why.clone()));
        }
        let Sql { text, values } = sql;
        let (client, patience) = (Arc::clone(&self.client), self.patience);
        let known = self.prepared.get(&text).cloned();
        let is_new = known.is_none();
        let told = text.clone();
        let work = async move {
            let statement = match known {
                Some(statement) => statement,
                None => client.prepare(&told).await?,
            };
            let rows = client.query(&statement, &borrowed(&values)).await?;
            Ok((statement, rows))
        };
        let late = move || Error::Unknown(format!("PostgreSQL did not answer within {patience:?}"));
        let answer = line.wait(async move {
            match timeout(patience, work).await {
                Ok(answer) => answer.map_err(|error: tokio_postgres::Error| unwritten(&error)),
                Err(_) => Err(late()),
            }
        });
        match answer.and_then(|answer| answer) {
            Ok((statement, rows)) => {
                if is_new {
                    if self.prepared.len() >= PREPARED_MAX {
                        self.prepared.clear();
                    }
                    self.prepared.insert(text, statement);
                }
                Ok(rows)
            }
            Err(error) => {
                if let Error::Unknown(why) = &error {
                    self.lost = Some(why.clone());
                }
                Err(error)
            }
        }
    }

    /// Reads something behind what was written.
    ///
    /// # Errors
    /// As [`Lane::write`].
    pub(crate) fn read(&mut self, line: &Line, sql: Sql) -> Result<Vec<Row>, Error> {
        self.write(line, sql)
    }
}

/// Reads a column.
///
/// # Errors
/// [`Error::Unavailable`] when it is not what was asked for.
pub(crate) fn column<'r, T: tokio_postgres::types::FromSql<'r>>(
    row: &'r Row,
    at: usize,
) -> Result<T, Error> {
    row.try_get(at).map_err(|error| failed(&error))
}
