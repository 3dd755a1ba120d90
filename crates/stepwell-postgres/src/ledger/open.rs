//! Opening the ledger of a database.

use std::fmt;

use stepwell_access::Pepper;
use stepwell_access::ledger::Error;
use tokio_postgres::Row;

use crate::migrate::migrate;
use crate::options::Options;
use crate::server::check;
use crate::session::{Purpose, Sessions};
use crate::value::Value;

/// Connections of a ledger: it is asked rarely.
const CONNECTIONS: usize = 2;

/// A ledger in PostgreSQL.
pub struct PostgresLedger {
    pub(super) sessions: Sessions,
}

impl fmt::Debug for PostgresLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresLedger").finish_non_exhaustive()
    }
}

/// The ledger of a database.
#[derive(Debug)]
pub struct Opened {
    /// The ledger.
    pub ledger: PostgresLedger,
    /// Under what its keys are hashed.
    pub pepper: Pepper,
}

/// Opens the ledger of a database, making it where it is not there. `drawn` becomes its pepper where it has
/// none.
///
/// # Errors
/// [`Error::Corrupt`] where what is kept is not understood; [`Error::Unavailable`].
pub fn open(options: &Options, drawn: [u8; Pepper::BYTES]) -> Result<Opened, Error> {
    let options = Options { readers: CONNECTIONS, ..options.clone() };
    let sessions = Sessions::start(&options).map_err(failed)?;
    let mut client = sessions.connect(Purpose::Read).map_err(failed)?;
    let schema = options.schema.clone();
    let made = sessions.line.wait(async move {
        check(&client).await?;
        migrate(&mut client, &schema).await
    });
    made.and_then(|made| made).map_err(failed)?;
    let ledger = PostgresLedger { sessions };
    // Whoever comes first draws it; the others read it.
    let draw = "INSERT INTO ledger_meta (name, value) VALUES ('pepper', $1) ON CONFLICT DO NOTHING";
    ledger.ask(draw, vec![Box::new(drawn.to_vec())])?;
    let kept = ledger.meta("pepper")?.and_then(|bytes| bytes.try_into().ok());
    let Some(kept) = kept else {
        let why = format!("the row `pepper` of `ledger_meta` has not {} bytes", Pepper::BYTES);
        return Err(Error::Corrupt(why));
    };
    Ok(Opened { ledger, pepper: Pepper::new(kept) })
}

impl PostgresLedger {
    pub(super) fn ask(&self, sql: &str, values: Vec<Value>) -> Result<Vec<Row>, Error> {
        self.sessions.ask(sql, values).map_err(failed)
    }

    pub(super) fn meta(&self, name: &'static str) -> Result<Option<Vec<u8>>, Error> {
        let select = "SELECT value FROM ledger_meta WHERE name = $1";
        let rows = self.ask(select, vec![Box::new(name)])?;
        rows.first().map(|row| column(row, 0)).transpose()
    }
}

/// Reads a column.
pub(super) fn column<'r, T>(row: &'r Row, at: usize) -> Result<T, Error>
where
    T: tokio_postgres::types::FromSql<'r>,
{
    row.try_get(at).map_err(|error| Error::Corrupt(crate::error::told(&error)))
}

pub(super) fn failed(error: stepwell_store::Error) -> Error {
    match error {
        stepwell_store::Error::Corrupt(why) => Error::Corrupt(why),
        stepwell_store::Error::Format { .. } => Error::Corrupt(error.to_string()),
        other => Error::Unavailable(other.to_string()),
    }
}
