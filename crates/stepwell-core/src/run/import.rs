//! Runs from elsewhere: a copy of a journal becomes a run here that has ended.
//!
//! The journal is checked as if anybody had written it. No effect of it is performed: nobody is told of
//! its end, nothing of it begins.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::command::{Command, Env, Operate, Outcome};
use super::fold::ReplayError;
use super::state::{Phase, Run};
use crate::id::RunId;
use crate::name;
use crate::operation::Operation;
use crate::record::{self, DecodeError, Record, Started};
use crate::status::RunStatus;
use crate::time::Timestamp;

/// What becomes of a run that had not ended where it was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unfinished {
    /// It is refused.
    #[default]
    Refuse,
    /// It is ended as it comes in, as a terminated run is.
    End,
}

/// A copy of a run that is to be taken in.
#[derive(Clone, Copy, Debug)]
pub struct Import<'a> {
    /// Its journal where it was copied.
    pub journal: &'a [u8],
    /// The namespace that it is to be in, whatever the one was that it comes from.
    pub namespace: &'a str,
    /// What becomes of it where it had not ended.
    pub unfinished: Unfinished,
    /// Who wants it, for the history of a run that is ended.
    pub by: Option<&'a str>,
    /// Why, for the history of a run that is ended.
    pub reason: Option<&'a str>,
}

/// Why a copy of a run is not taken in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// It is not the journal of a run.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// It has no start that can be read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A name in it is not one.
    #[error(transparent)]
    Name(#[from] name::Error),
    /// It is over the limit.
    #[error("the journal has {bytes} bytes; accepted: at most {max}")]
    Large {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        max: u64,
    },
    /// It tells of what is still to come.
    #[error("the run {what} at {at}, which is later than now")]
    Future {
        /// What it did then.
        what: &'static str,
        /// When.
        at: Timestamp,
    },
    /// The run had not ended where it was copied.
    #[error(
        "the run is {0} where it comes from; accepted: one that has ended, or with \
        `unfinished=end` one that is ended as it comes in"
    )]
    Unfinished(RunStatus),
}

/// How far ahead the clock of another machine may be, in microseconds: 5 minutes.
const AHEAD_US: i64 = 5 * 60 * 1_000_000;

impl Run {
    /// Makes a run of a copied journal, which has ended: pushes its whole journal to `out`, without effects.
    /// Returns it with the status that it had where it was copied.
    ///
    /// # Errors
    /// [`ImportError`]; then nothing was pushed.
    pub fn import(
        id: RunId,
        import: &Import<'_>,
        env: Env<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(Self, RunStatus), ImportError> {
        let max = env.limits.journal_bytes_max;
        if import.journal.len() as u64 > max {
            return Err(ImportError::Large { bytes: import.journal.len(), max });
        }
        let mut journal = moved(import.journal, import.namespace)?.into_owned();
        let mut run = Self::replay(id, &journal)?;
        check(&run, env.now)?;
        let was = run.status();
        if !matches!(run.phase(), Phase::Ended(_)) {
            if import.unfinished == Unfinished::Refuse {
                return Err(ImportError::Unfinished(was));
            }
            let operate =
                Operate { act: Operation::Terminate, by: import.by, reason: import.reason };
            let mut outcome = Outcome::default();
            // A run that has not ended can always be terminated. Nobody here is told of it.
            let ended = run.apply(Command::Operate(operate), env, &mut outcome);
            debug_assert!(ended.is_ok(), "{ended:?}");
            journal.append(&mut outcome.records);
        }
        out.append(&mut journal);
        Ok((run, was))
    }

    /// Tells whether a stored journal is that of the copy, or goes on from it.
    pub fn is_copied_from(stored: &[u8], import: &Import<'_>) -> bool {
        moved(import.journal, import.namespace)
            .is_ok_and(|journal| flat(stored).starts_with(&flat(&journal)))
    }
}

/// Writes a journal without line breaks, so that each record is one line. JSON has them between its parts
/// only, where a space says the same.
pub fn flat(journal: &[u8]) -> Cow<'_, [u8]> {
    let breaks = |byte: u8| byte == b'\n' || byte == b'\r';
    if !journal.iter().any(|byte| breaks(*byte)) {
        return Cow::Borrowed(journal);
    }
    journal.iter().map(|byte| if breaks(*byte) { b' ' } else { *byte }).collect()
}

/// Puts a journal into a namespace.
fn moved<'a>(journal: &'a [u8], namespace: &str) -> Result<Cow<'a, [u8]>, ImportError> {
    let Some(first) = record::decode_at(journal).next() else {
        return Err(ReplayError::Empty.into());
    };
    let (ends, Record::Started(started)) = first? else {
        return Err(
            ReplayError::Misplaced { number: 0, why: "a journal begins with a start" }.into()
        );
    };
    if started.namespace == namespace {
        return Ok(Cow::Borrowed(journal));
    }
    let mut moved = Vec::with_capacity(journal.len() + namespace.len());
    let started = Started { namespace: String::from(namespace).into(), ..started };
    Record::Started(started).encode(&mut moved);
    moved.extend_from_slice(journal.get(ends..).unwrap_or_default());
    Ok(Cow::Owned(moved))
}

fn check(run: &Run, now: Timestamp) -> Result<(), ImportError> {
    name::check("an app", run.app())?;
    name::check("a workflow", run.workflow())?;
    if let Some(key) = run.key() {
        name::check("an idempotency key", key)?;
    }
    let latest = Timestamp::from_micros(now.as_micros().saturating_add(AHEAD_US));
    for (what, at) in [("started", Some(run.created_at())), ("ended", run.ended_at())] {
        if let Some(at) = at.filter(|at| *at > latest) {
            return Err(ImportError::Future { what, at });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::limits::Limits;
    use crate::run::{Origin, Start};

    const ID: RunId = RunId::from_u128(7);

    fn env(limits: &Limits, seconds: i64) -> Env<'_> {
        Env { now: Timestamp::from_millis(seconds * 1_000), entropy: 3, limits }
    }

    fn start() -> Start<'static> {
        Start {
            namespace: "there",
            app: "shop",
            workflow: "pay",
            input: None,
            key: Some("order-7"),
            timeout: None,
            not_before: None,
            metadata: None,
            runner: None,
            ends: None,
            event: None,
            search: None,
            traceparent: None,
            origin: Origin::default(),
        }
    }

    /// The journal of a run that waits for a runner, and of the same one cancelled.
    fn journals() -> (Vec<u8>, Vec<u8>) {
        let limits = Limits::default();
        let mut outcome = Outcome::default();
        let mut run = Run::start(ID, start(), env(&limits, 10), &mut outcome);
        let open = outcome.records.clone();
        let cancel = Command::Cancel { by: None, reason: None };
        run.apply(cancel, env(&limits, 20), &mut outcome).unwrap();
        (open, outcome.records)
    }

    fn import(journal: &[u8], unfinished: Unfinished) -> Import<'_> {
        let (by, reason) = (Some("ann"), Some("a copy"));
        Import { journal, namespace: "there", unfinished, by, reason }
    }

    fn take(import: &Import<'_>) -> Result<(Run, Vec<u8>), ImportError> {
        let limits = Limits::default();
        let mut out = Vec::new();
        Run::import(ID, import, env(&limits, 30), &mut out).map(|(run, _)| (run, out))
    }

    #[test]
    fn a_run_that_has_ended_comes_as_it_was() {
        let (open, ended) = journals();
        let (run, journal) = take(&import(&ended, Unfinished::Refuse)).unwrap();
        assert_eq!((run.status(), journal.as_slice()), (RunStatus::Cancelled, ended.as_slice()));
        assert_eq!(run, Run::replay(ID, &journal).unwrap());
        assert!(Run::is_copied_from(&journal, &import(&ended, Unfinished::Refuse)));
        // An earlier copy is of the same run, a later one tells what is not known here.
        assert!(Run::is_copied_from(&ended, &import(&open, Unfinished::Refuse)));
        assert!(!Run::is_copied_from(&open, &import(&ended, Unfinished::Refuse)));
    }

    #[test]
    fn a_run_that_has_not_ended_is_refused_or_ended() {
        let (open, _) = journals();
        let refused = take(&import(&open, Unfinished::Refuse)).unwrap_err();
        assert!(refused.to_string().starts_with("the run is queued where it comes from"));
        let (run, journal) = take(&import(&open, Unfinished::End)).unwrap();
        assert_eq!((run.status(), run.next_timer()), (RunStatus::Cancelled, None));
        assert_eq!(run, Run::replay(ID, &journal).unwrap());
        let text = String::from_utf8(journal.get(open.len()..).unwrap().to_vec()).unwrap();
        assert!(text.starts_with(r#"{"acted":"#) && text.contains("a copy"), "{text}");
        assert!(Run::is_copied_from(&journal, &import(&open, Unfinished::End)));
    }

    #[test]
    fn a_run_comes_into_the_namespace_that_is_said() {
        let (_, ended) = journals();
        let here = Import { namespace: "here", ..import(&ended, Unfinished::Refuse) };
        let (run, journal) = take(&here).unwrap();
        assert_eq!((&**run.namespace(), run.key().map(|key| &**key)), ("here", Some("order-7")));
        assert!(Run::is_copied_from(&journal, &here));
        assert!(!Run::is_copied_from(&ended, &here));
        let (_, back) = take(&import(&journal, Unfinished::Refuse)).unwrap();
        assert_eq!(back, ended);
    }

    #[test]
    fn what_is_no_journal_is_refused() {
        let (open, ended) = journals();
        let twice = [open.as_slice(), open.as_slice()].concat();
        let behind = [ended.as_slice(), open.as_slice()].concat();
        let named = String::from_utf8(ended.clone()).unwrap().replace("\"pay\"", "\"\"");
        for (journal, why) in [
            (&[][..], "journal is empty"),
            (b"{", "record at byte 0"),
            (ended.get(1..).unwrap(), "record at byte 0"),
            (ended.get(..ended.len() - 1).unwrap(), "not readable"),
            (twice.as_slice(), "starts once"),
            (behind.as_slice(), "has ended"),
            (ended.get(open.len()..).unwrap(), "begins with a start"),
            (named.as_bytes(), "a workflow is empty"),
        ] {
            let error = take(&import(journal, Unfinished::End)).unwrap_err().to_string();
            assert!(error.contains(why), "{why}: {error}");
        }
        let limits = Limits { journal_bytes_max: 10, ..Limits::default() };
        let asked = import(&ended, Unfinished::Refuse);
        let large = Run::import(ID, &asked, env(&limits, 30), &mut Vec::new()).unwrap_err();
        assert!(large.to_string().ends_with("accepted: at most 10"), "{large}");
        let limits = Limits::default();
        let early = Run::import(ID, &asked, env(&limits, -300), &mut Vec::new()).unwrap_err();
        assert!(early.to_string().starts_with("the run started at 1970-01-01T00:00:10"), "{early}");
    }

    #[test]
    fn line_breaks_between_parts_are_no_difference() {
        assert_eq!(flat(b"{\"a\":\r\n1},").as_ref(), b"{\"a\":  1},");
        assert!(matches!(flat(b"{}"), Cow::Borrowed(_)));
    }
}
