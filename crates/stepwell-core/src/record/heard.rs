//! Which events a journal tells of.

use alloc::borrow::Cow;

use super::{Record, decode};

/// Returns the ids of the events that started a run or ended waits of it, in their order, as far as its
/// journal can be read.
pub fn heard(journal: &[u8]) -> impl Iterator<Item = Cow<'_, str>> {
    decode(journal).map_while(Result::ok).filter_map(|record| match record {
        Record::Started(started) => started.event.map(|event| event.id),
        Record::StepEnded(ended) => ended.event,
        Record::Activated(_)
        | Record::Released(_)
        | Record::Woken(_)
        | Record::Lost(_)
        | Record::StepStarted(_)
        | Record::AttemptFailed(_)
        | Record::SleepStarted(_)
        | Record::ChildStarted(_)
        | Record::Logged(_)
        | Record::OrderChanged(_)
        | Record::Blocked(_)
        | Record::Unblocked(_)
        | Record::Acted(_)
        | Record::WaitStarted(_)
        | Record::Looked(_)
        | Record::Ending(_)
        | Record::RaceStarted(_)
        | Record::Verified(_)
        | Record::SearchSet(_)
        | Record::Ended(_)
        | Record::CleanUp(_)
        | Record::Retried(_)
        | Record::CancelNoted(_) => None,
    })
}
