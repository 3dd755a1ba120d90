//! Sets of events for the tests of this crate.

use stepwell_core::time::Timestamp;

use crate::event::{Event, Said, Thrown};
use crate::set::Set;

/// Minutes behind the epoch of tests, in seconds.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_795_390_000_000 + seconds * 1_000)
}

/// An event: `call` is empty for one that was recorded by hand.
pub(crate) fn event(id: &str, step: &str, call: &str, said: Said, seconds: i64) -> Event<'static> {
    Event {
        id: id.to_owned().into(),
        step: step.to_owned().into(),
        call: (!call.is_empty()).then(|| call.to_owned().into()),
        said,
        at: at(seconds),
        process: Some("shop/1".into()),
        trace: None,
        metadata: None,
        is_metadata_dropped: false,
        run_metadata: None,
        thrown: (said == Said::Error).then(|| Thrown {
            name: "TimeoutError".into(),
            message: "no answer".into(),
            stack: None,
        }),
    }
}

/// Encoded events.
pub(crate) fn bytes(events: &[Event<'_>]) -> Vec<Vec<u8>> {
    let encode = |event: &Event<'_>| {
        let mut bytes = Vec::new();
        event.encode(&mut bytes);
        bytes
    };
    events.iter().map(encode).collect()
}

/// The set of events.
pub(crate) fn set(bytes: &[Vec<u8>]) -> Set<'_> {
    let mut set = Set::default();
    set.add(bytes.iter().map(Vec::as_slice));
    set
}

/// Calls of steps, one after the other: each took a second.
pub(crate) fn calls(steps: &[(&str, Said)]) -> Vec<Event<'static>> {
    let mut events = Vec::new();
    for (at, (step, end)) in (0..).zip(steps) {
        let call = format!("c{at}");
        let id = |n: u8| format!("e{at}-{n}");
        if *end == Said::Skipped {
            events.push(event(&id(0), step, "", Said::Skipped, at * 10));
            continue;
        }
        events.push(event(&id(0), step, &call, Said::Running, at * 10));
        if *end != Said::Running {
            events.push(event(&id(1), step, &call, *end, at * 10 + 1));
        }
    }
    events
}
