//! A folder that is moved to.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, Transaction, TransactionBehavior, params, params_from_iter};
use stepwell_core::time::Timestamp;
use stepwell_store::Error;
use stepwell_store::backup::Restored;
use stepwell_store::moving::{Derived, Facts, Field, Kind, Read, Row, Target, journal_of};

use super::mark::{self, Half, MOVING};
use super::{read, source};
use crate::backup;
use crate::disk::{Disk, OsDisk};
use crate::embedded::{TABLES, draw_id, guard};
use crate::folder;
use crate::ledger;
use crate::log::{Settings, recover};
use crate::options::Options;
use crate::tables::{self, FoldRun, FoldWrite, Place, Tables, failed};

/// What a folder may hold and be taken as empty: the root of a disk has it.
const IGNORED: [&str; 2] = ["lost+found", "LOCK"];

/// What stands for a backup in a store that was moved and knows of void activations.
const ORIGIN: &str = "moved";

/// A folder that is being filled, which this process owns as long as this is there.
pub struct FolderTarget {
    folder: PathBuf,
    disk: OsDisk,
    half: Half,
    tables: Tables,
    ledger: Connection,
    _lock: File,
}

impl FolderTarget {
    /// Tells whether a folder is being filled.
    pub fn is_half(folder: &Path) -> bool {
        folder.join(MOVING).exists()
    }

    /// Begins to fill a folder that is empty or not there, or goes on with one that was being filled from the
    /// same store.
    ///
    /// # Errors
    /// [`Error::Refused`] when it is being filled from another one, or is not empty; [`Error::Locked`];
    /// [`Error::Unusable`], [`Error::Unavailable`], [`Error::DiskFull`].
    pub fn begin(folder: &Path, from: &str) -> Result<Self, Error> {
        folder::make(folder)?;
        let disk = OsDisk::new(folder);
        let half = Half::read(&disk)?;
        if half.is_none() {
            let names = disk.list().map_err(|e| folder::unusable(folder, e.to_string()))?;
            if let Some(name) = names.iter().find(|name| !IGNORED.contains(&name.as_str())) {
                return Err(Error::Refused {
                    found: format!("{} is not empty: there is {name}", folder.display()),
                    accepted: "an empty folder, or one that is not there".into(),
                });
            }
        }
        let lock = folder::lock(folder)?;
        let half = match half {
            Some(half) if half.from == from => half,
            Some(half) => {
                return Err(Error::Refused {
                    found: format!(
                        "{} is being filled from {}, and this is {from}",
                        folder.display(),
                        half.from
                    ),
                    accepted: "what it was begun with, unchanged since; or an empty folder".into(),
                });
            }
            None => {
                let half = Half { from: from.to_owned(), store: draw_id()? };
                half.put(&disk)?;
                half
            }
        };
        let tables = Tables::open(Place::File(folder.join(TABLES)), half.store)?;
        let ledger = ledger::make(folder)?;
        Ok(Self { folder: folder.into(), disk, half, tables, ledger, _lock: lock })
    }

    fn facts(&self) -> Result<Facts, Error> {
        let high_water = tables::high_water(&*self.tables.reader()?)?;
        let void_until = backup::mark::read(&self.disk)?.map(|restored| restored.until);
        source::facts(Some(&self.ledger), &self.folder, (high_water, void_until))
    }

    fn put_journals(&self, rows: Vec<Row>) -> Result<(), Error> {
        let mut fold = FoldWrite { high_water: Timestamp::MIN, ..FoldWrite::default() };
        for row in rows {
            let (run, journal) = journal_of(row)?;
            let Derived { summary, waits, .. } = Derived::of(run, &journal)?;
            let records = vec![journal.into()];
            fold.runs.insert(run, FoldRun { records, row: Some(Arc::new(summary)), waits });
        }
        tables::write(&mut guard(&self.tables.writer), &fold)
    }

    fn put_facts(&self, rows: &[Row]) -> Result<(), Error> {
        let Facts { exported, high_water, pepper, void_until } = Facts::of(rows);
        let set = "UPDATE meta SET value = ?1 WHERE name = 'high_water'";
        let at = high_water.as_micros();
        guard(&self.tables.writer).execute(set, [at]).map_err(|e| failed(&e))?;
        if let Some(exported) = exported {
            let put = "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)";
            let values = params![ledger::EXPORTED, exported];
            self.ledger.execute(put, values).map_err(|e| failed(&e))?;
        }
        if let Some(pepper) = pepper {
            ledger::keep_pepper(&self.folder, &pepper)?;
        }
        if let Some(until) = void_until {
            backup::mark::remove(&self.disk)?;
            let backup = ORIGIN.to_owned();
            let (store, taken_at) = (self.half.store, until);
            let restored = Restored { backup, store, taken_at, until, held: false };
            backup::mark::put(&self.disk, &restored)?;
            backup::mark::let_go(&self.disk)?;
        }
        Ok(())
    }
}

/// Writes rows into the table of their kind.
fn put(connection: &mut Connection, kind: Kind, rows: &[Row]) -> Result<(), Error> {
    let mut names: Vec<&str> = kind.columns().iter().map(|column| column.name).collect();
    names.extend(read::is_checked(kind).then_some("crc"));
    let marks = vec!["?"; names.len()].join(", ");
    let sql = format!("INSERT INTO {} ({}) VALUES ({marks})", read::table(kind), names.join(", "));
    let transaction = Transaction::new(connection, TransactionBehavior::Immediate);
    let transaction = transaction.map_err(|e| failed(&e))?;
    {
        let mut insert = transaction.prepare_cached(&sql).map_err(|e| failed(&e))?;
        for row in rows {
            let crc = read::is_checked(kind).then(|| read::check_of(kind, row)).transpose()?;
            let crc = crc.map(|crc| read::value(&Field::Number(i64::from(crc))));
            let values = row.iter().map(read::value).chain(crc);
            insert.execute(params_from_iter(values)).map_err(|e| failed(&e))?;
        }
    }
    transaction.commit().map_err(|e| failed(&e))
}

impl Read for FolderTarget {
    fn each(
        &mut self,
        kind: Kind,
        after: Option<&[Field]>,
        hear: &mut dyn FnMut(Row) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if kind == Kind::Facts {
            return self.facts()?.rows().into_iter().try_for_each(hear);
        }
        if kind.is_ledger() {
            return read::each(&self.ledger, kind, after, hear);
        }
        read::each(&*self.tables.reader()?, kind, after, hear)
    }
}

impl Target for FolderTarget {
    fn last(&mut self, kind: Kind) -> Result<Option<Vec<Field>>, Error> {
        if kind.is_ledger() {
            return read::last(&self.ledger, kind);
        }
        read::last(&*self.tables.reader()?, kind)
    }

    fn put(&mut self, kind: Kind, rows: Vec<Row>) -> Result<(), Error> {
        match kind {
            Kind::Journals => self.put_journals(rows),
            Kind::Facts => self.put_facts(&rows),
            _ if kind.is_ledger() => put(&mut self.ledger, kind, &rows),
            _ => put(&mut guard(&self.tables.writer), kind, &rows),
        }
    }

    fn finish(&mut self) -> Result<(), Error> {
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        for connection in [&*guard(&self.tables.writer), &self.ledger] {
            connection.query_row(sql, [], |_| Ok(())).map_err(|e| failed(&e))?;
        }
        let options = Options::default();
        let settings = Settings {
            store: self.half.store,
            segment_bytes: options.segment_bytes,
            reserve_bytes: options.disk_reserve,
        };
        recover::create(&self.disk, &settings, 0)?;
        folder::hand_over(&self.disk, self.half.store)?;
        mark::end(&self.disk)
    }
}
