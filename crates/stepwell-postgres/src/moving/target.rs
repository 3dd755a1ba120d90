//! A database that is moved to.

use stepwell_core::time::Timestamp;
use stepwell_store::Error;
use stepwell_store::moving::{Facts, Field, Kind, Read, Row, Target, Type};

use super::desk::Desk;
use super::read::{self, Side};
use super::{source, write};
use crate::member::NOW;
use crate::options::Options;
use crate::value::{Text, Value};

/// Tables that are empty where nothing was ever stored.
const TABLES: [&str; 12] = [
    "workflows",
    "runs",
    "history",
    "keys",
    "events",
    "did",
    "inbox",
    "namespaces",
    "access_keys",
    "audit",
    "bulks",
    "answers",
];

/// A database that is being filled. Nobody joins as long as this is there, nor until it is finished.
pub struct DatabaseTarget {
    desk: Desk,
    /// Whose the runs are that runners hold: a member that has ended, so that the first node takes them over.
    owner: i64,
}

impl DatabaseTarget {
    /// Tells whether a schema is being filled.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; [`Error::Refused`] when the database cannot hold a store.
    pub fn is_half(options: &Options) -> Result<bool, Error> {
        Desk::open(options)?.is_there("moving")
    }

    /// Begins to fill a schema that is empty or not there, or goes on with one that was being filled from the same
    /// store.
    ///
    /// # Errors
    /// [`Error::Refused`] when it is being filled from another one, is not empty, or somebody uses it;
    /// [`Error::Unavailable`].
    pub fn begin(options: &Options, from: &str) -> Result<Self, Error> {
        let desk = Desk::open(options)?;
        if desk.is_there("moving")? {
            desk.take()?;
            let rows = desk.query("SELECT source, member FROM moving", Vec::new())?;
            let begun = rows.first().map(|row| (row.get::<_, Text>(0).0, row.get::<_, i64>(1)));
            return match begun {
                Some((theirs, owner)) if &*theirs == from => Ok(Self { desk, owner }),
                other => Err(Error::Refused {
                    found: format!(
                        "the schema `{}` is being filled from {}, and this is {from}",
                        options.schema,
                        other.map_or_else(|| "nowhere".into(), |(theirs, _)| theirs),
                    ),
                    accepted: "what it was begun with, unchanged since; or another schema".into(),
                }),
            };
        }
        desk.check_moved()?;
        desk.bring_up()?;
        desk.take()?;
        for table in TABLES {
            let sql = format!("SELECT EXISTS (SELECT FROM {table})");
            let found = desk.query(&sql, Vec::new())?;
            if found.first().is_none_or(|row| row.get(0)) {
                return Err(Error::Refused {
                    found: format!(
                        "the schema `{}` is not empty: there are rows in its table `{table}`",
                        options.schema
                    ),
                    accepted: "a schema that nothing was ever stored in, or one that is not there"
                        .into(),
                });
            }
        }
        desk.run("BEGIN")?;
        let sql = format!(
            "INSERT INTO members (node, nonce, since, lease_until, ended, head, base, high_water)
            SELECT 'stepwell migrate', gen_random_uuid(), {NOW}, {NOW}, true, value, value,
                -9223372036854775808 FROM meta WHERE name = 'head' RETURNING id"
        );
        let rows = desk.query(&sql, Vec::new())?;
        let missing =
            || Error::Corrupt("the table `meta` does not say how many batches there are".into());
        let owner: i64 = rows.first().ok_or_else(missing)?.get(0);
        desk.run(
            "DELETE FROM meta WHERE name = 'void_until'; DELETE FROM ledger_meta;
            CREATE TABLE moving (source text NOT NULL, member bigint NOT NULL)",
        )?;
        let put = "INSERT INTO moving (source, member) VALUES ($1, $2)";
        desk.query(put, vec![Box::new(Text::from(from)), Box::new(owner)])?;
        desk.run("COMMIT")?;
        Ok(Self { desk, owner })
    }

    /// Writes rows into the table of their kind.
    fn put_rows(&self, kind: Kind, rows: &[Row]) -> Result<(), Error> {
        let columns = kind.columns();
        let mut names: Vec<&str> = columns.iter().map(|column| column.name).collect();
        let mut types: Vec<_> = columns.iter().map(|column| read::sql_type(column.of)).collect();
        let more = match kind {
            Kind::Events | Kind::Messages => Some("crc"),
            Kind::Workflows => Some("version"),
            _ => None,
        };
        names.extend(more);
        types.extend(more.map(|_| read::sql_type(Type::Number)));
        let mut all: Vec<Vec<Value>> = Vec::with_capacity(rows.len());
        for row in rows {
            let fields = row.iter().zip(columns);
            let mut values: Vec<Value> =
                fields.map(|(field, column)| read::value(field, column.of)).collect();
            match kind {
                Kind::Workflows => values.push(Box::new(1_i64)),
                _ if read::is_checked(kind) => values.push(Box::new(read::check_of(kind, row)?)),
                _ => {}
            }
            all.push(values);
        }
        self.desk.copy((read::table(kind), &names), types, all)
    }

    fn put_facts(&self, rows: &[Row]) -> Result<(), Error> {
        let Facts { exported, high_water, pepper, void_until } = Facts::of(rows);
        let at = Timestamp::as_micros;
        let numbers = [("high_water", Some(at(high_water))), ("void_until", void_until.map(at))];
        let put = "INSERT INTO meta (name, value) VALUES ($1, $2)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        for (name, value) in numbers {
            if let Some(value) = value {
                self.desk.query(put, vec![Box::new(name), Box::new(value)])?;
            }
        }
        let put = "INSERT INTO ledger_meta (name, value) VALUES ($1, $2)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        for (name, value) in [("exported", exported), ("pepper", pepper)] {
            if let Some(value) = value {
                self.desk.query(put, vec![Box::new(name), Box::new(value)])?;
            }
        }
        Ok(())
    }
}

impl Read for DatabaseTarget {
    fn each(
        &mut self,
        kind: Kind,
        after: Option<&[Field]>,
        hear: &mut dyn FnMut(Row) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if kind == Kind::Facts {
            return source::facts(&self.desk)?.rows().into_iter().try_for_each(hear);
        }
        read::each(&self.desk, (kind, Side::To), after, hear)
    }
}

impl Target for DatabaseTarget {
    fn last(&mut self, kind: Kind) -> Result<Option<Vec<Field>>, Error> {
        read::last(&self.desk, kind)
    }

    fn put(&mut self, kind: Kind, rows: Vec<Row>) -> Result<(), Error> {
        self.desk.run("BEGIN")?;
        match kind {
            Kind::Journals => write::journals(&self.desk, self.owner, rows)?,
            Kind::Facts => self.put_facts(&rows)?,
            _ => self.put_rows(kind, &rows)?,
        }
        self.desk.run("COMMIT")
    }

    fn finish(&mut self) -> Result<(), Error> {
        self.desk.run(
            "ANALYZE runs; ANALYZE history; ANALYZE keys; ANALYZE searches; ANALYZE waits;
            ANALYZE events; ANALYZE did; ANALYZE audit",
        )?;
        self.desk.run(
            "BEGIN;
            SELECT setval(pg_get_serial_sequence('access_keys', 'n'), max(n)) FROM access_keys
                HAVING max(n) IS NOT NULL;
            SELECT setval(pg_get_serial_sequence('bulks', 'n'), max(n)) FROM bulks
                HAVING max(n) IS NOT NULL;
            UPDATE meta SET value = greatest(value, 1) WHERE name = 'workflows';
            DROP TABLE moving;
            COMMIT",
        )
    }
}
