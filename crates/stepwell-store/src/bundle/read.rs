//! Reading bundles, from whoever sends them: bounded, and every run with the hash that it names.

use serde::Deserialize;
use stepwell_core::id::RunId;

use super::VERSION;
use super::line::{Copied, EndLine, Hash, Head, Line, NAME, RunLine};

/// Bytes that a line may have beyond the longest journal.
const ROOM: u64 = 64 * 1024;

/// Most characters of a line that an error shows.
const SHOWN_MAX: usize = 60;

/// Something of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A run, whole.
    Run(Copied),
    /// A run that whoever wrote the bundle could not read.
    Skipped {
        /// The run.
        run: RunId,
        /// Why, in its words.
        why: String,
    },
}

/// Why a bundle cannot be read. What came before it can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the bundle {what}")]
pub struct Error {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong there, and what is accepted.
    pub what: String,
}

/// Reads a bundle piece by piece. It holds one run at a time.
#[derive(Debug)]
pub struct Reader {
    journal_bytes_max: u64,
    line: u64,
    /// The beginning of the next line.
    rest: Vec<u8>,
    state: State,
    runs: u64,
    skipped: u64,
}

enum State {
    Head,
    Between,
    Records(Box<Open>),
    Ended,
    /// Nothing more is read behind an error.
    Failed,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Head => "Head",
            Self::Between => "Between",
            Self::Records(_) => "Records",
            Self::Ended => "Ended",
            Self::Failed => "Failed",
        })
    }
}

/// A run of which not all records came yet.
struct Open {
    about: RunLine,
    left: usize,
    hash: Hash,
    journal: Vec<u8>,
}

impl Reader {
    /// Makes a reader that takes journals of at most so many bytes.
    pub fn new(journal_bytes_max: u64) -> Self {
        let (rest, state) = (Vec::new(), State::Head);
        Self { journal_bytes_max, line: 0, rest, state, runs: 0, skipped: 0 }
    }

    /// Reads on, and adds what is whole to `items`.
    ///
    /// # Errors
    /// [`Error`]; then nothing more is read, and what was added before is good.
    pub fn read(&mut self, mut piece: &[u8], items: &mut Vec<Item>) -> Result<(), Error> {
        while let Some(at) = piece.iter().position(|byte| *byte == b'\n') {
            let (line, behind) = piece.split_at(at);
            piece = behind.get(1..).unwrap_or_default();
            self.line += 1;
            let read = if self.rest.is_empty() {
                self.take(line, items)
            } else {
                let mut whole = std::mem::take(&mut self.rest);
                whole.extend_from_slice(line);
                self.take(&whole, items)
            };
            self.told(read)?;
        }
        let bytes = (self.rest.len() + piece.len()) as u64;
        let max = self.journal_bytes_max.saturating_add(ROOM);
        if bytes > max {
            self.line += 1;
            return self.told(Err(format!("has more than {max} bytes; accepted: at most so many")));
        }
        self.rest.extend_from_slice(piece);
        Ok(())
    }

    /// Ends the reading; returns how many runs the bundle had.
    ///
    /// # Errors
    /// [`Error`] when the bundle was cut off.
    pub fn finish(mut self, items: &mut Vec<Item>) -> Result<u64, Error> {
        if !self.rest.is_empty() {
            // The last line need not end.
            self.read(b"\n", items)?;
        }
        match self.state {
            State::Ended => Ok(self.runs),
            State::Head | State::Between | State::Records(_) | State::Failed => Err(Error {
                line: self.line + 1,
                what: "is not there: the bundle was cut off; accepted: a last line `end`".into(),
            }),
        }
    }

    fn told(&mut self, read: Result<(), String>) -> Result<(), Error> {
        read.map_err(|what| {
            self.state = State::Failed;
            Error { line: self.line, what }
        })
    }

    fn take(&mut self, line: &[u8], items: &mut Vec<Item>) -> Result<(), String> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match std::mem::replace(&mut self.state, State::Failed) {
            State::Head => {
                let head: Head = parse(line, "the head of a bundle")?;
                if head.stepwell != NAME || head.version != VERSION {
                    return Err(format!(
                        "is of `{}`, version {}; accepted: `{NAME}`, version {VERSION}",
                        cut(&head.stepwell),
                        head.version
                    ));
                }
                self.state = State::Between;
            }
            State::Between if line.is_empty() => self.state = State::Between,
            State::Between => self.state = self.take_between(line, items)?,
            State::Records(open) => self.state = self.take_record(*open, line, items)?,
            State::Ended if line.is_empty() => self.state = State::Ended,
            State::Ended => return Err("stands behind the end".into()),
            State::Failed => return Err("is not read: the one before was refused".into()),
        }
        Ok(())
    }

    fn take_between(&mut self, line: &[u8], items: &mut Vec<Item>) -> Result<State, String> {
        match parse(line, "a run, or the end")? {
            Line::Run(about) => {
                let (max, bytes) = (self.journal_bytes_max, about.bytes as u64);
                if bytes > max {
                    return Err(format!(
                        "tells of a journal of {bytes} bytes; accepted: at most {max}"
                    ));
                }
                if about.records == 0 {
                    return Err("tells of a run without records".into());
                }
                let (left, hash) = (about.records, Hash::of(about.id));
                // Not reserved: what a line says of itself costs nothing yet.
                Ok(State::Records(Box::new(Open { about, left, hash, journal: Vec::new() })))
            }
            Line::Skipped(skipped) => {
                self.skipped += 1;
                items.push(Item::Skipped { run: skipped.run, why: skipped.why });
                Ok(State::Between)
            }
            Line::End(EndLine { runs, skipped }) => {
                if (runs, skipped) != (self.runs, self.skipped) {
                    return Err(format!(
                        "tells of {runs} runs and {skipped} that were skipped; there were {} and {}",
                        self.runs, self.skipped
                    ));
                }
                Ok(State::Ended)
            }
        }
    }

    fn take_record(
        &mut self,
        mut open: Open,
        line: &[u8],
        items: &mut Vec<Item>,
    ) -> Result<State, String> {
        let Open { about, left, hash, journal } = &mut open;
        hash.line(line);
        journal.extend_from_slice(line);
        journal.push(b',');
        if journal.len() > about.bytes {
            return Err(format!(
                "makes {} longer than the {} bytes that it has",
                about.id, about.bytes
            ));
        }
        *left -= 1;
        if *left > 0 {
            return Ok(State::Records(Box::new(open)));
        }
        let Open { about, hash, journal, .. } = open;
        let found = hash.hex();
        if journal.len() != about.bytes || found != about.sha256 {
            return Err(format!(
                "ends {}, which is damaged: its hash is {found}, and should be {}",
                about.id,
                cut(&about.sha256)
            ));
        }
        self.runs += 1;
        items.push(Item::Run(Copied { run: about.id, journal }));
        Ok(State::Between)
    }
}

fn parse<'a, T: Deserialize<'a>>(line: &'a [u8], wanted: &str) -> Result<T, String> {
    serde_json::from_slice(line).map_err(|error| {
        let shown = String::from_utf8_lossy(line.get(..200).unwrap_or(line)).into_owned();
        format!("is `{}`, which is not {wanted}: {error}", cut(&shown))
    })
}

fn cut(text: &str) -> String {
    text.chars().flat_map(char::escape_debug).take(SHOWN_MAX).collect()
}
