//! `runs export`, `runs import`: copies of runs, in files.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use owo_colors::OwoColorize;
use serde::Deserialize;
use serde_json::value::RawValue;
use stepwell_core::code::Code;
use stepwell_http::gate::now;
use stepwell_store::bundle::{self, Copied, Item, Reader};

use super::args::{Reach, Which};
use super::client::{Client, segment, with_query};
use super::fault::Fault;
use super::out;

/// Bytes that are read at once.
const PIECE_BYTES: usize = 64 * 1024;

/// A request of an import is sent once it has so many bytes, or a run more.
const REQUEST_BYTES: usize = 16 * 1024 * 1024;

/// Longest journal that is read from a file; the server has a limit of its own.
const JOURNAL_BYTES_MAX: u64 = 1 << 30;

/// Which runs are copied, and where to.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// The runs' ids
    runs: Vec<String>,
    /// Every run
    #[arg(long, conflicts_with = "runs")]
    all: bool,
    /// Only runs with these statuses, divided by commas
    #[arg(long, value_name = "STATUSES")]
    status: Option<String>,
    #[command(flatten)]
    which: Which,
    /// The file; standard output where this is not given, or is -
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Which copies are taken in.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// The file that `runs export` made, or - for standard input
    file: PathBuf,
    /// End runs that had not ended where they were copied, in place of refusing them
    #[arg(long)]
    end_unfinished: bool,
    /// Why, for the history of those that are ended
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    reach: Reach,
}

/// Copies runs into a file.
pub(super) fn export(asked: &Export) -> Result<(), Fault> {
    let mut parameters = asked.which.parameters().to_vec();
    parameters.push(("status", asked.status.as_deref()));
    let filtered = parameters.iter().any(|(_, value)| value.is_some());
    let ways = usize::from(!asked.runs.is_empty()) + usize::from(filtered || asked.all);
    if ways != 1 {
        let text = "which runs are to be copied? accepted: their ids, or filters, or --all".into();
        return Err(Fault::Usage(text));
    }
    let client = Client::new(&asked.which.reach.url)?;
    let file = asked.output.as_deref().filter(|path| *path != Path::new("-"));
    let mut to: Box<dyn Write> = match file {
        Some(path) => {
            Box::new(File::create(path).map_err(|error| cannot("written", path, &error))?)
        }
        None => Box::new(io::stdout().lock()),
    };
    let copied = if asked.runs.is_empty() {
        let mut checked = Checked::new(&mut to);
        client.download(&with_query("/api/v1/runs/export", &parameters), &mut checked)?;
        checked.finish()?
    } else {
        some(&client, &asked.runs, &mut to)?
    };
    to.flush()?;
    if let Some(path) = file {
        let Count { runs, skipped } = copied;
        let left_out =
            if skipped > 0 { format!(", {skipped} cannot be read") } else { String::new() };
        out::note(format_args!("{runs} runs in {}{left_out}", path.display()));
    }
    Ok(())
}

/// How many runs a bundle has, and how many could not be copied.
struct Count {
    runs: u64,
    skipped: u64,
}

/// Copies runs one by one into one bundle.
fn some(client: &Client, runs: &[String], to: &mut dyn Write) -> Result<Count, Fault> {
    to.write_all(&bundle::head(env!("CARGO_PKG_VERSION"), now()))?;
    for run in runs {
        let mut bytes = Vec::new();
        client.download(&format!("/api/v1/runs/{}/export", segment(run)), &mut bytes)?;
        for Copied { run, journal } in runs_of(&mut &*bytes)? {
            to.write_all(&lines(&Copied { run, journal })?)?;
        }
    }
    let runs = runs.len() as u64;
    to.write_all(&bundle::end(runs, 0))?;
    Ok(Count { runs, skipped: 0 })
}

fn lines(copied: &Copied) -> Result<Vec<u8>, Fault> {
    bundle::run(copied.run, &copied.journal).map_err(|error| damaged(&error.to_string()))
}

fn damaged(why: &str) -> Fault {
    Fault::refused(Code::ImportRefused, why)
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Fault {
    Fault::Machine(format!("{} cannot be {what}: {error}", path.display()))
}

/// Passes a bundle on, and reads it on the way.
struct Checked<'a> {
    to: &'a mut dyn Write,
    reader: Reader,
    items: Vec<Item>,
    skipped: u64,
    why: Option<bundle::Error>,
}

impl<'a> Checked<'a> {
    fn new(to: &'a mut dyn Write) -> Self {
        let reader = Reader::new(JOURNAL_BYTES_MAX);
        Self { to, reader, items: Vec::new(), skipped: 0, why: None }
    }

    fn count(&mut self) {
        let skipped = self.items.drain(..).filter(|item| matches!(item, Item::Skipped { .. }));
        self.skipped += skipped.count() as u64;
    }

    fn finish(mut self) -> Result<Count, Fault> {
        if let Some(why) = self.why {
            return Err(damaged(&why.to_string()));
        }
        let runs = self.reader.finish(&mut self.items);
        Ok(Count { runs: runs.map_err(|why| damaged(&why.to_string()))?, skipped: self.skipped })
    }
}

impl Write for Checked<'_> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.why.is_none() {
            self.why = self.reader.read(piece, &mut self.items).err();
            self.count();
        }
        self.to.write_all(piece)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[derive(Default, Deserialize)]
struct Sum {
    imported: u64,
    known: u64,
    refused: u64,
    runs: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Told {
    id: String,
    outcome: String,
    code: Option<String>,
    detail: Option<String>,
}

/// Takes in the runs of a file. It is read as a whole before anything is sent.
pub(super) fn import(asked: &Import) -> Result<(), Fault> {
    let client = Client::new(&asked.reach.url)?;
    let unfinished = if asked.end_unfinished { "end" } else { "refuse" };
    let parameters = [("unfinished", Some(unfinished)), ("reason", asked.reason.as_deref())];
    let path = with_query("/api/v1/runs/import", &parameters);
    let mut sum = Sum::default();
    let mut send = |runs: &mut Vec<Vec<u8>>| -> Result<(), Fault> {
        let mut body = bundle::head(env!("CARGO_PKG_VERSION"), now());
        let count = runs.len() as u64;
        runs.drain(..).for_each(|mut run| body.append(&mut run));
        body.append(&mut bundle::end(count, 0));
        let answer: Sum = client.post_as(&path, body, bundle::MEDIA_TYPE)?.read()?;
        sum.imported += answer.imported;
        sum.known += answer.known;
        sum.refused += answer.refused;
        sum.runs.extend(answer.runs);
        Ok(())
    };
    let (mut waiting, mut bytes) = (Vec::new(), 0);
    let mut add = |copied: &Copied| -> Result<(), Fault> {
        let lines = lines(copied)?;
        bytes += lines.len();
        waiting.push(lines);
        if bytes >= REQUEST_BYTES {
            bytes = 0;
            send(&mut waiting)?;
        }
        Ok(())
    };
    if asked.file == Path::new("-") {
        runs_of(&mut io::stdin().lock())?.iter().try_for_each(&mut add)?;
    } else {
        let open = || File::open(&asked.file).map_err(|error| cannot("read", &asked.file, &error));
        each_run(&mut open()?, |_| Ok(()))?;
        each_run(&mut open()?, |copied| add(&copied))?;
    }
    if !waiting.is_empty() {
        send(&mut waiting)?;
    }
    tell(&sum, &asked.reach)
}

fn tell(sum: &Sum, reach: &Reach) -> Result<(), Fault> {
    let mut refusal = None;
    for raw in &sum.runs {
        let Told { id, outcome, code, detail } =
            serde_json::from_str(raw.get()).map_err(|error| {
                Fault::Unreachable(format!("the answer is not understood: {error}"))
            })?;
        if reach.json {
            out::json(raw)?;
        } else {
            let detail = detail.as_deref().map(|text| format!(": {}", out::printable(text)));
            out::line(format_args!("{id} {}{}", outcome.bold(), detail.unwrap_or_default()))?;
        }
        refusal = refusal.or(code);
    }
    let Sum { imported, known, refused, .. } = sum;
    out::note(format_args!("{imported} imported, {known} there already, {refused} refused"));
    match refusal {
        Some(code) => {
            let detail = format!("{refused} runs were refused; each is told with its reason");
            Err(Fault::Answered { code, detail })
        }
        None => Ok(()),
    }
}

/// Reads the runs of a bundle.
fn runs_of(from: &mut dyn Read) -> Result<Vec<Copied>, Fault> {
    let mut runs = Vec::new();
    each_run(from, |copied| {
        runs.push(copied);
        Ok(())
    })?;
    Ok(runs)
}

/// Does something with each run of a bundle, as it is read.
fn each_run(
    from: &mut dyn Read,
    mut each: impl FnMut(Copied) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut from = BufReader::with_capacity(PIECE_BYTES, from);
    let mut reader = Reader::new(JOURNAL_BYTES_MAX);
    let (mut piece, mut items) = (vec![0; PIECE_BYTES], Vec::new());
    loop {
        let count = from.read(&mut piece)?;
        let read = reader.read(piece.get(..count).unwrap_or_default(), &mut items);
        take_runs(&mut items, &mut each)?;
        read.map_err(|error| damaged(&error.to_string()))?;
        if count == 0 {
            let end = reader.finish(&mut items);
            take_runs(&mut items, &mut each)?;
            return end.map(drop).map_err(|error| damaged(&error.to_string()));
        }
    }
}

fn take_runs(
    items: &mut Vec<Item>,
    each: &mut impl FnMut(Copied) -> Result<(), Fault>,
) -> Result<(), Fault> {
    for item in items.drain(..) {
        match item {
            Item::Run(copied) => each(copied)?,
            Item::Skipped { run, why } => {
                out::note(format_args!("{run} is not in it: {}", out::printable(&why)));
            }
        }
    }
    Ok(())
}
