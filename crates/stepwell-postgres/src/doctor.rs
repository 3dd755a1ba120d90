//! What is damaged, who is there, and what lags; beside nodes that are at work, and without changing anything.

use stepwell_core::id::RunId;
use stepwell_core::run::Run;
use stepwell_core::summary::Summary;
use stepwell_core::time::Timestamp;
use stepwell_store::Error;
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use uuid::Uuid;

use crate::check;
use crate::error::unread;
use crate::migrate::FORMAT;
use crate::moving::desk::Desk;
use crate::options::Options;
use crate::read::{COLUMNS, EVENT, LAST, high_water, read_event, read_summary};
use crate::value::{Text, run_id};

/// So much later than the end of a member its runs are to be somebody else's, in microseconds: a takeover takes
/// about as long as a lease is renewed.
const TAKEN_OVER_MICROS: i64 = 15_000_000;

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The run that it concerns; absent for the store as a whole.
    pub run: Option<RunId>,
    /// What was found.
    pub what: String,
}

/// How a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its lease runs.
    Live,
    /// Its lease is over, and nobody has ended it yet.
    Late,
    /// It left, or was ended.
    Ended,
}

impl State {
    /// Returns the word that people read.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Late => "late",
            Self::Ended => "ended",
        }
    }
}

/// A member: a node, since it opened the store last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The member's id.
    pub id: u64,
    /// The name of its node.
    pub node: String,
    /// How it is.
    pub state: State,
    /// How much longer its lease runs, in milliseconds; negative since it is over.
    pub lease_ms: i64,
    /// How many batches it made durable.
    pub head: u64,
    /// How many runs are its.
    pub runs: u64,
}

/// How many things wait for a node, and for how long the oldest of them does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lag {
    /// How many.
    pub count: u64,
    /// The age of the oldest, in milliseconds; 0 where there is none.
    pub oldest_ms: u64,
}

/// What was read, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The format of the tables.
    pub format: u64,
    /// The least format of a program that may write into them.
    pub least_writer: u64,
    /// The members, in the order in which they joined.
    pub nodes: Vec<Node>,
    /// How many runs there are.
    pub runs: u64,
    /// The size of their journals, in bytes.
    pub journal_bytes: u64,
    /// Events that have not done all that they do.
    pub unrouted: Lag,
    /// Timers that are due, of runs that are nobody's.
    pub due: Lag,
    /// Runs that want a runner and are nobody's.
    pub ready: Lag,
    /// Messages between runs that were not heard. It is not known since when.
    pub messages: u64,
    /// Runs of members that are gone, for as long as nobody had the time to take them over.
    pub left: u64,
    /// Runs of members that are gone, and which nobody took over in the time that takes. There are none.
    pub orphans: u64,
    /// The greatest engine time that was ever written.
    pub high_water: Timestamp,
    /// The time of the database.
    pub now: Timestamp,
    /// What is damaged, and what should not be; empty when all is well.
    pub problems: Vec<Problem>,
}

/// Reads everything. What nodes write meanwhile does no harm.
///
/// # Errors
/// [`Error::Refused`] where there is no store; [`Error::Format`] where it is another version's;
/// [`Error::Unavailable`] when something cannot be read at all. Damage is no error.
pub fn verify(options: &Options) -> Result<Report, Error> {
    let desk = Desk::open(options)?;
    desk.run("SET default_transaction_read_only = on")?;
    let Some((format, least_writer)) = desk.formats()? else {
        return Err(Error::Refused {
            found: format!("there is no store in the schema `{}`", options.schema),
            accepted: "a database and schema that nodes use".into(),
        });
    };
    if format < FORMAT {
        let found = format!("a store of format {format} in the schema `{}`", options.schema);
        return Err(Error::Format { found, known: format!("{FORMAT}, which a node makes of it") });
    }
    let mut problems = Vec::new();
    for (table, what) in
        [("moving", "a move into it is not at its end"), ("moved", "its runs were moved away")]
    {
        if desk.is_there(table)? {
            problems.push(of_store(format!("{what} (the table `{table}`): no node may use it")));
        }
    }
    let mut report = look(&desk, (format, least_writer), problems)?;
    if report.orphans > 0 {
        let orphans = report.orphans;
        let what =
            format!("{orphans} runs are of members that are gone, and nobody takes them over");
        report.problems.push(of_store(what));
    }
    runs(&desk, &mut report)?;
    events(&desk, &mut report)?;
    rows(&desk, &mut report)?;
    Ok(report)
}

fn of_store(what: String) -> Problem {
    Problem { run: None, what }
}

fn get<'r, T: FromSql<'r>>(row: &'r Row, at: usize) -> Result<T, Error> {
    row.try_get(at).map_err(|error| unread(&error))
}

fn count(row: &Row, at: usize) -> Result<u64, Error> {
    get::<i64>(row, at).map(i64::unsigned_abs)
}

const NODES: &str = "SELECT id, node, ended, (lease_until - store_time()) / 1000, head - base,
        (SELECT count(*) FROM runs WHERE owner = members.id)
    FROM members ORDER BY id";

/// What waits: how many, and for how long the oldest, in milliseconds.
const LAGS: &str = "SELECT
        (SELECT count(*) FROM events WHERE NOT routed),
        (SELECT min(accepted_at) FROM events WHERE NOT routed),
        (SELECT count(*) FROM runs WHERE timer_at <= now AND owner IS NULL),
        (SELECT min(timer_at) FROM runs WHERE timer_at <= now AND owner IS NULL),
        (SELECT count(*) FROM runs WHERE ready_at IS NOT NULL AND owner IS NULL),
        (SELECT min(ready_at) FROM runs WHERE ready_at IS NOT NULL AND owner IS NULL),
        (SELECT count(*) FROM inbox), now
    FROM (SELECT store_time() AS now) AS clock";

/// Runs of members that are gone: all of them, and those that were not taken over though somebody was there who
/// could.
const GONE: &str = "SELECT count(*), count(*) FILTER (
            WHERE coalesce(gone.lease_until, 0) < store_time() - $1
                AND EXISTS (SELECT FROM members WHERE NOT ended AND lease_until > store_time()
                    AND since < store_time() - $1))
    FROM runs LEFT JOIN members AS gone ON gone.id = runs.owner
    WHERE runs.owner IS NOT NULL
        AND (gone.id IS NULL OR gone.ended OR gone.lease_until <= store_time())";

fn look(desk: &Desk, (format, least): (i64, i64), problems: Vec<Problem>) -> Result<Report, Error> {
    let mut nodes = Vec::new();
    for row in desk.query(NODES, Vec::new())? {
        let lease_ms: i64 = get(&row, 3)?;
        let state = match get::<bool>(&row, 2)? {
            true => State::Ended,
            false if lease_ms <= 0 => State::Late,
            false => State::Live,
        };
        let node = get::<Text>(&row, 1)?.0.to_string();
        let (id, head, runs) = (count(&row, 0)?, count(&row, 4)?, count(&row, 5)?);
        nodes.push(Node { id, node, state, lease_ms, head, runs });
    }
    let nothing = || Error::Unavailable("there is no answer".into());
    let lags = desk.query(LAGS, Vec::new())?;
    let lags = lags.first().ok_or_else(nothing)?;
    let now: i64 = get(lags, 7)?;
    let lag = |at: usize| {
        let oldest: Option<i64> = get(lags, at + 1)?;
        let oldest_ms = oldest.map_or(0, |oldest| now.saturating_sub(oldest).max(0) / 1_000);
        Ok::<_, Error>(Lag { count: count(lags, at)?, oldest_ms: oldest_ms.unsigned_abs() })
    };
    let gone = desk.query(GONE, vec![Box::new(TAKEN_OVER_MICROS)])?;
    let gone = gone.first().ok_or_else(nothing)?;
    let (all, orphans) = (count(gone, 0)?, count(gone, 1)?);
    Ok(Report {
        format: format.unsigned_abs(),
        least_writer: least.unsigned_abs(),
        nodes,
        runs: 0,
        journal_bytes: 0,
        unrouted: lag(0)?,
        due: lag(2)?,
        ready: lag(4)?,
        messages: count(lags, 6)?,
        left: all - orphans,
        orphans,
        high_water: high_water(&desk.sessions)?,
        now: Timestamp::from_micros(now),
        problems,
    })
}

/// A run, as far as its journal was read.
struct Open {
    run: RunId,
    row: Summary,
    journal: Vec<u8>,
    damage: Option<String>,
}

impl Open {
    fn chunk(&mut self, row: &Row, at: usize) -> Result<(), Error> {
        let Some(at_byte) = get::<Option<i64>>(row, at)? else {
            self.damage = Some("its history is missing".into());
            return Ok(());
        };
        let (bytes, crc): (&[u8], i64) = (get(row, at + 1)?, get(row, at + 2)?);
        if i64::try_from(self.journal.len()) != Ok(at_byte) {
            let found = self.journal.len();
            let why = format!("a chunk is for byte {at_byte}, and {found} bytes are before it");
            self.damage.get_or_insert(why);
        } else if check::chunk(self.run, at_byte, bytes) != crc {
            let why = format!("the chunk at byte {at_byte} is not what was written (CRC32C)");
            self.damage.get_or_insert(why);
        }
        self.journal.extend_from_slice(bytes);
        Ok(())
    }

    fn close(self, report: &mut Report) {
        let Self { run, row, journal, damage } = self;
        report.runs += 1;
        report.journal_bytes += journal.len() as u64;
        let replayed = || match Run::replay(run, &journal) {
            Err(error) => Some(format!("its journal does not replay: {error}")),
            Ok(replayed) => {
                let differs = row != Summary::of(&replayed);
                differs.then(|| "its row is not that of its journal".to_owned())
            }
        };
        let what = damage.or_else(replayed);
        report.problems.extend(what.map(|what| Problem { run: Some(run), what }));
    }
}

/// Reads every journal, checks and replays it, and compares its row with it: each row together with its journal, as
/// of one instant.
fn runs(desk: &Desk, report: &mut Report) -> Result<(), Error> {
    let sql = format!(
        "SELECT {COLUMNS}, chunk.at_byte, chunk.bytes, chunk.crc
        FROM runs {LAST} LEFT JOIN history AS chunk ON chunk.run = runs.id
        ORDER BY runs.id, chunk.at_byte"
    );
    let mut open: Option<Open> = None;
    desk.each(&sql, Vec::new(), |row| {
        let run = run_id(get::<Uuid>(&row, 0)?);
        if let Some(done) = open.take_if(|open| open.run != run) {
            done.close(report);
        }
        let mut now = match open.take() {
            Some(open) => open,
            None => Open { run, row: read_summary(&row)?, journal: Vec::new(), damage: None },
        };
        now.chunk(&row, row.len() - 3)?;
        open = Some(now);
        Ok(())
    })?;
    if let Some(done) = open {
        done.close(report);
    }
    Ok(())
}

fn events(desk: &Desk, report: &mut Report) -> Result<(), Error> {
    let sql = format!("SELECT {EVENT} FROM events");
    desk.each(&sql, Vec::new(), |row| match read_event(&row) {
        Ok(_) => Ok(()),
        Err(Error::Corrupt(what)) => {
            report.problems.push(of_store(what));
            Ok(())
        }
        Err(error) => Err(error),
    })
}

/// Tables whose rows belong to another one's.
const OWNED: [(&str, &str, &str); 5] = [
    ("history", "runs", "NOT EXISTS (SELECT FROM runs WHERE id = own.run)"),
    ("searches", "runs", "NOT EXISTS (SELECT FROM runs WHERE id = own.run)"),
    ("waits", "runs", "NOT EXISTS (SELECT FROM runs WHERE id = own.run)"),
    ("keys", "runs", "NOT EXISTS (SELECT FROM runs WHERE id = own.run)"),
    (
        "did",
        "events",
        "NOT EXISTS (SELECT FROM events WHERE namespace = own.namespace AND id = own.event)",
    ),
];

/// Says which tables have rows that belong to nothing.
fn rows(desk: &Desk, report: &mut Report) -> Result<(), Error> {
    for (table, owner, orphan) in OWNED {
        let sql = format!("SELECT count(*) FROM {table} AS own WHERE {orphan}");
        let found = desk.query(&sql, Vec::new())?;
        let rows = found.first().map_or(Ok(0), |row| count(row, 0))?;
        if rows > 0 {
            let what = format!("{rows} rows of `{table}` are of {owner} that are not there");
            report.problems.push(of_store(what));
        }
    }
    Ok(())
}
