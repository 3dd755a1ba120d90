//! `migrate`: everything of a store that nobody uses, moved to an empty one of another kind.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;
use stepwell_http::problem::Problem;
use stepwell_postgres::moving::{DatabaseSource, DatabaseTarget};
use stepwell_sqlite::moving::{FolderSource, FolderTarget};
use stepwell_store::Error;
use stepwell_store::moving::{Kind, Moved, Source, Target, carry, compare};

use super::fault::Fault;
use super::out;
use super::place::Place;

/// How often it is told how far it is.
const TOLD_EVERY: Duration = Duration::from_secs(2);

/// From where to where.
#[derive(Debug, Args)]
pub(super) struct Migrate {
    /// The store that is moved: a data folder, or the address of a database; nobody uses it
    #[arg(long, value_name = "PLACE", env = "STEPWELL_MIGRATE_FROM", hide_env_values = true)]
    from: String,
    /// Where to: a folder or a schema that is empty or not there, or that this move was filling before
    #[arg(long, value_name = "PLACE", env = "STEPWELL_MIGRATE_TO", hide_env_values = true)]
    to: String,
    /// The schema of `--from` [default: stepwell]
    #[arg(long, value_name = "NAME")]
    from_schema: Option<String>,
    /// The schema of `--to` [default: stepwell]
    #[arg(long, value_name = "NAME")]
    to_schema: Option<String>,
    /// File of authorities that the certificate of `--from` is trusted of (PEM)
    #[arg(long, value_name = "FILE")]
    from_ca_file: Option<PathBuf>,
    /// File of authorities that the certificate of `--to` is trusted of (PEM)
    #[arg(long, value_name = "FILE")]
    to_ca_file: Option<PathBuf>,
    /// Leave observed runs and their flows behind, which are kept in folders only
    #[arg(long)]
    without_observed: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    from: String,
    to: String,
    /// Journals that this call wrote; fewer than there are where it went on with a move that was cut off.
    written: u64,
    moved_ms: u128,
    compared_ms: u128,
    kinds: Vec<ShownKind>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownKind {
    kind: &'static str,
    count: u64,
    from: String,
    to: String,
    same: bool,
}

fn refused(error: Error) -> Fault {
    Fault::from(Problem::from(error))
}

/// Does it.
pub(super) fn run(asked: &Migrate) -> Result<(), Fault> {
    let schema = (asked.from_schema.as_deref(), asked.from_ca_file.clone());
    let from = Place::read("--from", &asked.from, schema)?;
    let schema = (asked.to_schema.as_deref(), asked.to_ca_file.clone());
    let to = Place::read("--to", &asked.to, schema)?;
    let (from_name, to_name) = (from.describe()?, to.describe()?);
    if from_name == to_name {
        let text = format!("--from and --to are both {from_name}; accepted: two stores");
        return Err(Fault::Usage(text));
    }
    // A move that was cut off between its last two steps has marked its source already.
    let again = match &to {
        Place::Folder(folder) => FolderTarget::is_half(folder),
        Place::Database(options) => DatabaseTarget::is_half(options).map_err(refused)?,
    };
    let mut source = source(from, to_name.clone(), (again, asked.without_observed))?;
    let mut target: Box<dyn Target> = match to {
        Place::Folder(folder) => {
            Box::new(FolderTarget::begin(&folder, source.identity()).map_err(refused)?)
        }
        Place::Database(options) => {
            Box::new(DatabaseTarget::begin(&options, source.identity()).map_err(refused)?)
        }
    };
    if again {
        out::note(format_args!("going on with a move to {to_name} that was cut off"));
    }
    let begun = Instant::now();
    let written = write(&mut *source, &mut *target).map_err(refused)?;
    let moved_ms = begun.elapsed().as_millis();
    let begun = Instant::now();
    let told = &mut |kind: Kind| {
        if kind == Kind::Journals {
            out::note("reading both again, to compare them");
        }
    };
    let kinds = compare(&mut *source, &mut *target, told).map_err(refused)?;
    let compared_ms = begun.elapsed().as_millis();
    let differ: Vec<_> = kinds.iter().filter(|one| !one.is_same()).map(|one| one.kind).collect();
    if differ.is_empty() {
        source.leave().map_err(refused)?;
        target.finish().map_err(refused)?;
    }
    let shown = Shown {
        from: from_name,
        to: to_name,
        written,
        moved_ms,
        compared_ms,
        kinds: kinds.iter().map(ShownKind::of).collect(),
    };
    if asked.json { out::json(&shown) } else { show(&shown) }?;
    if differ.is_empty() {
        return Ok(());
    }
    let words: Vec<&str> = differ.into_iter().map(Kind::as_str).collect();
    let why = format!(
        "{} differ in {} from what {} holds; it is not used as it is: begin with an empty one",
        words.join(", "),
        shown.to,
        shown.from
    );
    Err(refused(Error::Corrupt(why)))
}

impl ShownKind {
    fn of(one: &Moved) -> Self {
        Self {
            kind: one.kind.as_str(),
            count: one.from.count,
            from: one.from.hex(),
            to: one.to.hex(),
            same: one.is_same(),
        }
    }
}

fn source(
    from: Place,
    to: String,
    (again, without_observed): (bool, bool),
) -> Result<Box<dyn Source>, Fault> {
    match from {
        Place::Folder(folder) => {
            let source = FolderSource::open(&folder, to, again).map_err(refused)?;
            if !without_observed && source.has_observed().map_err(refused)? {
                let text = format!(
                    "there are observed runs or flows in {}, which are kept in folders only; accepted: \
                     --without-observed, which leaves them there",
                    folder.display()
                );
                return Err(Fault::Usage(text));
            }
            Ok(Box::new(source))
        }
        Place::Database(options) => {
            Ok(Box::new(DatabaseSource::open(&options, to, again).map_err(refused)?))
        }
    }
}

/// Writes what is not there yet; returns how many journals that were.
fn write(source: &mut dyn Source, target: &mut dyn Target) -> Result<u64, Error> {
    let (mut journals, mut last) = (0, Instant::now());
    carry(source, target, &mut |kind, count| {
        if kind == Kind::Journals {
            journals = count;
        }
        if last.elapsed() >= TOLD_EVERY {
            last = Instant::now();
            out::note(format_args!("{}: {count} moved", kind.as_str()));
        }
    })?;
    Ok(journals)
}

fn show(shown: &Shown) -> Result<(), Fault> {
    out::line(format_args!("{} → {}", shown.from, shown.to))?;
    for one in &shown.kinds {
        let ShownKind { kind, count, from, to, same } = one;
        if *same {
            out::line(format_args!("✓ {kind:<18}{count:>12}  {from}"))?;
        } else {
            out::line(format_args!("✗ {kind:<18}{count:>12}  {from}, there {to}"))?;
        }
    }
    out::line(format_args!(
        "{} journals written in {:.1} s, both sides compared in {:.1} s",
        shown.written,
        seconds(shown.moved_ms),
        seconds(shown.compared_ms)
    ))?;
    if shown.kinds.iter().all(|one| one.same) {
        out::line(format_args!(
            "everything is in {}; {} is marked as moved, and is not started again",
            shown.to, shown.from
        ))?;
    }
    Ok(())
}

fn seconds(millis: u128) -> f64 {
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)).as_secs_f64()
}
