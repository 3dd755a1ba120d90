//! Reading every run back.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::desk::Desk;
use crate::error::Error;
use crate::report::tell;

/// How long a server has to answer once it is not killed any more.
const ANSWER: Duration = Duration::from_secs(30);

/// Statuses of runs that will go on by themselves.
const GOING_ON: &str = "queued,running,waiting,compensating";

/// How long no run goes on before nothing is expected to happen any more.
const SETTLED: Duration = Duration::from_secs(1);

/// How many readers there are.
const READERS: usize = 4;

/// Waits until no run goes on, for a bounded time. What has not ended by then is for the judge.
pub(crate) fn await_quiet(
    desk: &Desk,
    patience: Duration,
    check: impl Fn() -> Result<(), Error>,
) -> Result<(), Error> {
    let begun = Instant::now();
    let mut quiet = None;
    loop {
        check()?;
        let list =
            desk.api.insist("a list of runs was due", ANSWER, |api| api.list(Some(GOING_ON)))?;
        // An event may be about to start a run: it has to be quiet for a while.
        let since = *quiet.get_or_insert_with(Instant::now);
        if !list.is_empty() {
            quiet = None;
        } else if since.elapsed() > SETTLED {
            let after = begun.elapsed();
            tell(&format!("all runs had come to their ends {after:.1?} after the last kill"));
            return Ok(());
        }
        if begun.elapsed() > patience {
            let count = list.len();
            tell(&format!(
                "{count} runs go on {patience:?} after the last kill; they are read as they are"
            ));
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Reads every run that was accepted and every run that is listed, and notes what is read.
pub(crate) fn read_all(desk: &Desk, accepted: &BTreeSet<String>) -> Result<usize, Error> {
    let listed = desk.api.insist("a list of all runs was due", ANSWER, |api| api.list(None))?;
    let mut ids: BTreeSet<String> = listed.into_iter().collect();
    ids.extend(accepted.iter().cloned());
    let count = ids.len();
    let ids = Mutex::new(ids.into_iter());
    let next = || ids.lock().ok().and_then(|mut ids| ids.next());
    let read = || -> Result<(), Error> {
        while let Some(id) = next() {
            let run = desk.api.insist("a run was due", ANSWER, |api| api.run(&id, None))?;
            // A run that is not there has no fact: the judge will miss it.
            if let Some(run) = run {
                desk.pen.note(run.into_fact()).map_err(Error::io("an end is noted"))?;
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..READERS).map(|_| scope.spawn(read)).collect();
        for reader in readers {
            super::whole::joined(reader)?;
        }
        Ok(count)
    })
}
