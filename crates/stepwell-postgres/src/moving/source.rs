//! A database that is moved.

use stepwell_store::Error;
use stepwell_store::moving::{Facts, Field, Kind, Read, Row, Source};

use super::desk::Desk;
use super::read::{self, Side};
use crate::member::NOW;
use crate::options::Options;
use crate::read::high_water;
use crate::value::Text;

/// A database that is moved. Nobody joins as long as this is there.
pub struct DatabaseSource {
    desk: Desk,
    to: String,
    identity: String,
}

impl DatabaseSource {
    /// Opens a store all of whose nodes are stopped. `to` is where it is moved, for people; `again` takes one that
    /// is marked as moved already, whose move did not come to its end.
    ///
    /// # Errors
    /// [`Error::Refused`] where there is no store, it was moved already, or somebody uses it;
    /// [`Error::Unavailable`].
    pub fn open(options: &Options, to: String, again: bool) -> Result<Self, Error> {
        let desk = Desk::open(options)?;
        if !desk.is_there("meta")? || desk.is_there("moving")? {
            return Err(Error::Refused {
                found: format!("there is no whole store in the schema `{}`", options.schema),
                accepted: "a database and schema that nodes have used".into(),
            });
        }
        if !again {
            desk.check_moved()?;
        }
        desk.bring_up()?;
        desk.take()?;
        let identity = desk.identity()?;
        Ok(Self { desk, to, identity })
    }
}

impl Read for DatabaseSource {
    fn each(
        &mut self,
        kind: Kind,
        after: Option<&[Field]>,
        hear: &mut dyn FnMut(Row) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if kind == Kind::Facts {
            return facts(&self.desk)?.rows().into_iter().try_for_each(hear);
        }
        read::each(&self.desk, (kind, Side::From), after, hear)
    }
}

impl Source for DatabaseSource {
    fn identity(&self) -> &str {
        &self.identity
    }

    fn leave(&mut self) -> Result<(), Error> {
        let make = "CREATE TABLE IF NOT EXISTS moved (target text NOT NULL, at bigint NOT NULL)";
        self.desk.run(make)?;
        let put = format!("INSERT INTO moved (target, at) VALUES ($1, {NOW})");
        self.desk.query(&put, vec![Box::new(Text::from(self.to.as_str()))]).map(drop)
    }
}

/// Reads single facts.
pub(super) fn facts(desk: &Desk) -> Result<Facts, Error> {
    let mut facts = Facts { high_water: high_water(&desk.sessions)?, ..Facts::default() };
    for row in desk.query("SELECT name, value FROM ledger_meta", Vec::new())? {
        let (name, value): (Text, Vec<u8>) = (row.get(0), row.get(1));
        match &*name.0 {
            "pepper" => facts.pepper = Some(value),
            "exported" => facts.exported = Some(value),
            _ => {}
        }
    }
    let void = "SELECT value FROM meta WHERE name = 'void_until'";
    let void = desk.query(void, Vec::new())?;
    let at = |row: &tokio_postgres::Row| stepwell_core::time::Timestamp::from_micros(row.get(0));
    facts.void_until = void.first().map(at);
    Ok(facts)
}
