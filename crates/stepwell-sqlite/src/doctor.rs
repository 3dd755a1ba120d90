//! Reading everything and telling what is damaged; making derived rows anew.

use stepwell_core::id::RunId;
use stepwell_core::run::Run;
use stepwell_core::summary::Summary;
use stepwell_core::time::Timestamp;
use stepwell_core::wait::Wait;
use stepwell_store::Error;

use crate::disk::Disk;
use crate::embedded::{Embedded, Shared, guard};
use crate::log::recover;
use crate::tables::{self, Damage};

/// How many runs are looked at between two locks.
const PAGE: usize = 500;

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The run that it concerns; absent for the log and the tables as a whole.
    pub run: Option<RunId>,
    /// What was found.
    pub what: String,
}

/// What was read, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many runs the tables hold.
    pub runs: u64,
    /// The size of their journals, in bytes.
    pub journal_bytes: u64,
    /// The position up to which the tables are.
    pub folded: u64,
    /// The last position of the log.
    pub head: u64,
    /// What is durable and not in tables yet, in bytes.
    pub tail_bytes: u64,
    /// The greatest engine time that was ever written.
    pub high_water: Timestamp,
    /// What runs that are still there brought in, by the day on which they were created: the last seven of
    /// which there are any, oldest first.
    pub days: Vec<Day>,
    /// What is damaged; empty when all is well.
    pub problems: Vec<Problem>,
}

/// What one day brought in, of runs that are still there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// Its beginning, UTC.
    pub begins: Timestamp,
    /// Runs created on it.
    pub runs: u64,
    /// The size of their journals, in bytes.
    pub journal_bytes: u64,
}

/// How many days are told.
const DAYS: usize = 7;
const DAY_MICROS: i64 = 86_400_000_000;

impl Report {
    /// Counts a run among those of its day.
    fn count_day(&mut self, created_at: Timestamp, journal_bytes: u64) {
        let begins = created_at.as_micros().div_euclid(DAY_MICROS) * DAY_MICROS;
        let begins = Timestamp::from_micros(begins);
        let at = match self.days.binary_search_by_key(&begins, |day| day.begins) {
            Ok(at) => at,
            // Older than all that are told.
            Err(0) if self.days.len() == DAYS => return,
            Err(at) => {
                self.days.insert(at, Day { begins, ..Day::default() });
                if self.days.len() > DAYS {
                    self.days.remove(0);
                    at - 1
                } else {
                    at
                }
            }
        };
        if let Some(day) = self.days.get_mut(at) {
            day.runs += 1;
            day.journal_bytes += journal_bytes;
        }
    }
}

impl<D: Disk> Embedded<D> {
    /// Reads the log and every journal, checks and replays them, and compares rows with journals.
    /// Holds commits up while it reads the log.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when something cannot be read at all; damage is no error.
    pub fn verify(&self) -> Result<Report, Error> {
        let shared = &*self.shared;
        let (tail_bytes, high_water) = {
            let overlay = shared.overlay();
            (overlay.bytes(), overlay.high_water)
        };
        let mut report = Report { tail_bytes, high_water, ..Report::default() };
        shared.verify_log(&mut report)?;
        let reader = shared.reader()?;
        for what in tables::integrity(&reader)? {
            report.problems.push(Problem { run: None, what: format!("the tables: {what}") });
        }
        let orphans = tables::orphans(&reader)?;
        report.problems.extend(orphans.into_iter().map(|what| Problem { run: None, what }));
        let damaged = tables::damaged_events(&reader)?;
        report.problems.extend(damaged.into_iter().map(|what| Problem { run: None, what }));
        shared.each_run(|run| {
            report.runs += 1;
            match tables::journal(&reader, run) {
                Ok(stored) => {
                    let journal = stored.journal.unwrap_or_default();
                    report.journal_bytes += journal.len() as u64;
                    let row = tables::find_row(&reader, run)?;
                    let what = match Run::replay(run, &journal) {
                        Err(error) => Some(format!("its journal does not replay: {error}")),
                        Ok(replayed) => {
                            report.count_day(replayed.created_at(), journal.len() as u64);
                            (row != Some(Summary::of(&replayed)))
                                .then(|| "its row is not that of its journal".into())
                        }
                    };
                    report.problems.extend(what.map(|what| Problem { run: Some(run), what }));
                }
                Err(Damage::Run(what)) => report.problems.push(Problem { run: Some(run), what }),
                Err(Damage::Tables(error)) => return Err(error),
            }
            Ok(())
        })?;
        Ok(report)
    }

    /// Makes every row of `runs` and every index anew from the journals. Rows whose journal is
    /// damaged stay as they are and are told.
    ///
    /// # Errors
    /// [`Error::DiskFull`], [`Error::Unavailable`], [`Error::Corrupt`] when the tables cannot be read
    /// or written.
    pub fn rebuild(&self) -> Result<Report, Error> {
        let shared = &*self.shared;
        let head = shared.overlay().head;
        shared.fold_to(head)?;
        let mut report = Report { folded: head, head, ..Report::default() };
        let mut rows = Vec::new();
        {
            let writer = guard(&shared.tables.writer);
            writer.execute_batch("REINDEX").map_err(|e| tables::failed(&e))?;
            tables::drop_orphans(&writer)?;
        }
        let reader = shared.reader()?;
        shared.each_run(|run| {
            report.runs += 1;
            let found = tables::chunks(&reader, run).map_err(|e| tables::failed(&e))?;
            let row = found.and_then(|journal| {
                let journal = journal.ok_or("it has no history")?;
                report.journal_bytes += journal.len() as u64;
                let run = Run::replay(run, &journal)
                    .map_err(|error| format!("its journal does not replay: {error}"))?;
                Ok((Summary::of(&run), Wait::all_of(&run)))
            });
            match row {
                Ok(row) => rows.push(row),
                Err(what) => report.problems.push(Problem { run: Some(run), what }),
            }
            if rows.len() >= PAGE {
                tables::put_rows(&mut guard(&shared.tables.writer), &rows)?;
                rows.clear();
            }
            Ok(())
        })?;
        tables::put_rows(&mut guard(&shared.tables.writer), &rows)?;
        Ok(report)
    }
}

impl<D: Disk> Shared<D> {
    fn verify_log(&self, report: &mut Report) -> Result<(), Error> {
        let log = guard(&self.log);
        let reader = self.tables.reader()?;
        report.folded = tables::position(&reader)?;
        report.head = log.head;
        let what = match recover::verify(&*self.disk, &self.settings, report.folded) {
            Ok(found) if found == log.head => None,
            Ok(found) => Some(format!("the log ends at {found}, {} was written", log.head)),
            Err(Error::Corrupt(what)) => Some(what),
            Err(error) => return Err(error),
        };
        report.problems.extend(what.map(|what| Problem { run: None, what }));
        Ok(())
    }

    fn each_run(&self, mut look: impl FnMut(RunId) -> Result<(), Error>) -> Result<(), Error> {
        let mut after = None;
        loop {
            let page = {
                let reader = self.reader()?;
                tables::runs_behind(&reader, after, PAGE)?
            };
            for run in &page {
                look(*run)?;
            }
            after = page.last().copied();
            if page.len() < PAGE {
                return Ok(());
            }
        }
    }
}
