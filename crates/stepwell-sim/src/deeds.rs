//! What operators did to runs, and how often.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::value::RawValue;
use stepwell_core::id::RunId;
use stepwell_core::once::Verdict;
use stepwell_core::operation::Operation;
use stepwell_core::record::{self, Acted, Record};
use stepwell_core::status::{RunStatus, StepStatus};
use stepwell_core::time::Timestamp;

use crate::history::{Fact, History};

/// Something that an operator did, as it is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// A run was cancelled.
    Cancel,
    /// A run was ended at once.
    Terminate,
    /// A run was held back.
    Pause,
    /// A run was let go on.
    Resume,
    /// Backoffs were ended.
    RetryNow,
    /// A blocked run was tried again.
    Unblock,
    /// A step whose outcome was unknown completed.
    ResolveCompleted,
    /// A step whose outcome was unknown failed.
    ResolveFailed,
    /// A step whose outcome was unknown was not done.
    ResolveNotDone,
    /// A run was begun anew.
    Rerun,
    /// A run goes on with one that had ended.
    ForkEnded,
    /// A run goes on with one that was ended for it.
    ForkLiving,
    /// A run goes on with a result that the run before did not have.
    ForkEdited,
}

impl Deed {
    /// Every deed.
    pub const ALL: [Self; 13] = [
        Self::Cancel,
        Self::Terminate,
        Self::Pause,
        Self::Resume,
        Self::RetryNow,
        Self::Unblock,
        Self::ResolveCompleted,
        Self::ResolveFailed,
        Self::ResolveNotDone,
        Self::Rerun,
        Self::ForkEnded,
        Self::ForkLiving,
        Self::ForkEdited,
    ];
}

/// How often each deed was done.
#[derive(Clone, Debug, Default)]
pub struct Deeds(BTreeMap<Deed, u64>);

impl Deeds {
    /// Counts what the journals say that were read at last.
    pub fn of(history: &History) -> Self {
        let read = history.facts.iter().rev().find_map(|(_, fact)| match fact {
            Fact::Read(read) => Some(read),
            _ => None,
        });
        let journals = read.map(|read| &read.journals[..]).unwrap_or_default();
        let mut deeds = Self::default();
        for (_, journal) in journals {
            let records: Vec<_> = record::decode(journal).map_while(Result::ok).collect();
            for (place, record) in records.iter().enumerate() {
                if let Some(deed) = deed(record, records.get(place + 1)) {
                    deeds.note(deed);
                }
            }
            deeds.note_fork(&records, journals);
        }
        deeds
    }

    fn note(&mut self, deed: Deed) {
        *self.0.entry(deed).or_default() += 1;
    }

    fn note_fork(&mut self, records: &[Record<'_>], journals: &[(RunId, Arc<[u8]>)]) {
        let Some(Record::Started(started)) = records.first() else { return };
        if started.rerun_of.is_some() {
            self.note(Deed::Rerun);
        }
        let Some(from) = &started.forked_from else { return };
        let Some((_, source)) = journals.iter().find(|(run, _)| *run == from.run) else { return };
        let source: Vec<_> = record::decode(source).map_while(Result::ok).collect();
        let living = source.iter().any(|record| is_ended_for(record, started.at));
        self.note(if living { Deed::ForkLiving } else { Deed::ForkEnded });
        let outputs: BTreeMap<&str, Option<&str>> = source.iter().filter_map(output).collect();
        let kept = records.iter().skip(1).take_while(|record| {
            matches!(record, Record::StepEnded(end)
                if end.open.as_ref().is_some_and(|open| open.kept_from.is_some()))
        });
        if kept.filter_map(output).any(|(step, output)| outputs.get(step) != Some(&output)) {
            self.note(Deed::ForkEdited);
        }
    }

    /// Adds other counts.
    pub fn add(&mut self, other: &Self) {
        for (deed, count) in &other.0 {
            *self.0.entry(*deed).or_default() += count;
        }
    }

    /// Returns what was never done.
    pub fn zeros(&self) -> impl Iterator<Item = Deed> + '_ {
        Deed::ALL.into_iter().filter(|deed| !self.0.contains_key(deed))
    }

    /// Shows the counts.
    pub fn show(&self) -> String {
        let mut text = String::from("acts:");
        for deed in Deed::ALL {
            let _ = write!(text, " {deed:?} {}", self.0.get(&deed).copied().unwrap_or(0));
        }
        text
    }
}

/// A run that lives is ended by the fork, at the same instant.
fn is_ended_for(record: &Record<'_>, fork: Timestamp) -> bool {
    matches!(record, Record::Acted(Acted { at, act: Operation::Terminate, .. }) if *at == fork)
}

fn output<'r>(record: &'r Record<'_>) -> Option<(&'r str, Option<&'r str>)> {
    match record {
        Record::StepEnded(end) => Some((&end.step, end.output.map(RawValue::get))),
        _ => None,
    }
}

fn deed(record: &Record<'_>, next: Option<&Record<'_>>) -> Option<Deed> {
    Some(match record {
        Record::Ending(ending) if ending.status == RunStatus::Cancelled => Deed::Cancel,
        Record::Acted(acted) => match (acted.act, next) {
            (Operation::Pause, _) => Deed::Pause,
            (Operation::Resume, _) => Deed::Resume,
            (Operation::Terminate, _) => Deed::Terminate,
            (Operation::Retry, Some(Record::Unblocked(_))) => Deed::Unblock,
            (Operation::Retry, _) => Deed::RetryNow,
            (Operation::Resolve, Some(Record::Verified(one)))
                if one.verdict == Verdict::NotDone =>
            {
                Deed::ResolveNotDone
            }
            (Operation::Resolve, Some(Record::StepEnded(end)))
                if end.status == StepStatus::Completed =>
            {
                Deed::ResolveCompleted
            }
            (Operation::Resolve, _) => Deed::ResolveFailed,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_done_is_told() {
        let mut deeds = Deeds::default();
        assert_eq!(deeds.zeros().count(), Deed::ALL.len());
        deeds.note(Deed::Rerun);
        let mut sum = Deeds::default();
        sum.add(&deeds);
        sum.add(&deeds);
        assert!(sum.zeros().all(|deed| deed != Deed::Rerun));
        assert!(sum.show().contains("Rerun 2"));
    }
}
