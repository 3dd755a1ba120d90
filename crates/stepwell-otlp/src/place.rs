//! In which trace a run stands, and below which span.

use std::collections::BTreeMap;

use stepwell_core::id::RunId;
use stepwell_core::record::{self, Record, Started};

use crate::ids;

/// Most runs above a run that are looked at.
const ABOVE_MAX: usize = 1_000;

/// Most runs whose trace is remembered.
const KNOWN_MAX: usize = 4_096;

/// A trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Its id.
    pub id: u128,
    /// It is kept; where not, nothing of its runs is exported.
    pub sampled: bool,
}

/// Finds traces, and remembers those of parents. The default knows none.
#[derive(Debug, Default)]
pub struct Traces {
    known: BTreeMap<RunId, Trace>,
}

impl Traces {
    /// Finds the trace of a run that has this journal: that of its caller, else that of the run that invoked it, else
    /// one of its own, which has the run's id. `load` gives journals of runs above it; what it does not find counts as
    /// a run that nobody invoked.
    ///
    /// # Errors
    /// Those of `load`.
    pub fn find<E>(
        &mut self,
        run: RunId,
        journal: &[u8],
        mut load: impl FnMut(RunId) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<Trace, E> {
        let mut above = Vec::new();
        let mut top = run;
        let mut place = first(journal).map(|started| Place::of(&started));
        let trace = loop {
            match place {
                Some(Place::In(trace)) => break trace,
                Some(Place::Below(parent)) if above.len() < ABOVE_MAX => {
                    if let Some(known) = self.known.get(&parent) {
                        break *known;
                    }
                    above.push(parent);
                    top = parent;
                    let journal = load(parent)?.unwrap_or_default();
                    place = first(&journal).map(|started| Place::of(&started));
                }
                Some(Place::Below(_) | Place::Top) | None => {
                    break Trace { id: top.as_u128(), sampled: true };
                }
            }
        };
        if self.known.len() + above.len() > KNOWN_MAX {
            self.known.clear();
        }
        self.known.extend(above.into_iter().map(|parent| (parent, trace)));
        Ok(trace)
    }
}

/// What a run's start says of its trace.
#[derive(Clone, Copy)]
enum Place {
    /// Its caller has one.
    In(Trace),
    /// It is that of this run, which invoked it.
    Below(RunId),
    /// It has one of its own.
    Top,
}

impl Place {
    fn of(started: &Started<'_>) -> Self {
        match (&started.traceparent, &started.parent) {
            (Some(caller), _) => Self::In(Trace { id: caller.trace, sampled: caller.sampled }),
            (None, Some(parent)) => Self::Below(parent.run),
            (None, None) => Self::Top,
        }
    }
}

/// Returns the record of a run's start.
pub(crate) fn first(journal: &[u8]) -> Option<Started<'_>> {
    match record::decode(journal).next() {
        Some(Ok(Record::Started(started))) => Some(started),
        _ => None,
    }
}

/// Returns the span that a run's own span is below, and whether that is a caller's; `None` for a run at the top.
pub(crate) fn parent(run: RunId, started: &Started<'_>) -> Option<(u64, bool)> {
    if let Some(caller) = started.traceparent {
        return Some((caller.span, true));
    }
    started.parent.as_ref()?;
    let first = started.continues.map_or(run, |continues| continues.first);
    Some((ids::of_invoke(first), false))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

    fn id(number: u128) -> RunId {
        RunId::from_u128(number)
    }

    /// The journal of a run of which no more is known than its start, with what is said of it.
    fn journal(said: &str) -> Vec<u8> {
        let start = r#""at":1,"namespace":"default","app":"shop","workflow":"w""#;
        format!(r#"{{"started":{{{start}{said}}}}},"#).into_bytes()
    }

    fn below(parent: u128) -> Vec<u8> {
        journal(&format!(r#","parent":{{"run":"{}","step":"ship"}},"depth":1"#, id(parent)))
    }

    /// Finds the trace of run 9, which run 8 invoked, which run 7 invoked; 7 has this journal.
    fn find(top: Option<&[u8]>) -> (Trace, Vec<RunId>) {
        let mut asked = Vec::new();
        let mut traces = Traces::default();
        for _ in 0..2 {
            let load = |run| {
                asked.push(run);
                Ok::<_, ()>(if run == id(8) { Some(below(7)) } else { top.map(Vec::from) })
            };
            assert!(traces.find(id(9), &below(8), load).is_ok());
        }
        let found = traces.find(id(9), &below(8), |_| Err(()));
        (found.expect("it is known by now"), asked)
    }

    #[test]
    fn a_child_is_in_the_trace_of_the_run_at_the_top() {
        let both = vec![id(8), id(7)];
        let caller = Trace { id: 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, sampled: false };
        let said = format!(r#","traceparent":"{CALLER}""#);
        assert_eq!(find(Some(&journal(&said))), (caller, both.clone()));
        let own = Trace { id: 7, sampled: true };
        assert_eq!(find(Some(&journal(""))), (own, both.clone()));
        // Of a parent that is gone no more is known than its id.
        assert_eq!(find(None), (own, both));
    }

    #[test]
    fn runs_that_invoke_each_other_have_an_end() {
        let load = |run: RunId| Ok::<_, ()>(Some(below(run.as_u128() % 2 + 1)));
        let found = Traces::default().find(id(1), &below(2), load);
        assert!(found.is_ok_and(|trace| trace.sampled));
    }
}
