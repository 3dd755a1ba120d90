//! Events of a slice of the log, put together by run.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use stepwell_store::Error;
use stepwell_telemetry::batch::{self, RunName};

use super::lane::Batch;

/// What is new of a run.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub(super) run: RunName<'a>,
    /// Encoded, in the order in which they came.
    pub(super) events: Vec<&'a [u8]>,
}

/// Puts the events of batches together by run; runs stand in the order of their first event.
///
/// # Errors
/// [`Error::Corrupt`] when a body is not a batch.
pub(super) fn by_run(batches: &[Batch]) -> Result<Vec<Group<'_>>, Error> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut places: HashMap<RunName<'_>, usize, RandomState> = HashMap::default();
    let mut last = 0;
    for Batch { position, body, .. } in batches {
        let damaged = || Error::Corrupt(format!("position {position} of the log is not telemetry"));
        let (_, events) = batch::read(body).ok_or_else(damaged)?;
        for event in events {
            let (run, event) = event.ok_or_else(damaged)?;
            // Events of a run mostly follow each other.
            if groups.get(last).is_none_or(|group| group.run != run) {
                last = *places.entry(run).or_insert_with(|| {
                    groups.push(Group { run, events: Vec::new() });
                    groups.len() - 1
                });
            }
            groups[last].events.push(event);
        }
    }
    Ok(groups)
}
