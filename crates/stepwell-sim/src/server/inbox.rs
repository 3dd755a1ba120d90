//! What waits for the node.

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use stepwell_core::failure::Failure;
use stepwell_core::id::RunId;
use stepwell_core::run::Unfinished;
use stepwell_core::time::Timestamp;
use stepwell_core::trace::Traceparent;
use stepwell_node::{
    About, Begin, ForkAt, ForkRequest, ImportRequest, Input, Known, RequestId, ResolveRequest,
    SendRequest, SessionId, Signed, StartRequest,
};
use stepwell_store::bundle;

use crate::env::Env;
use crate::history::{self, Asked, Forked, Place, Request, given_by_hand};
use crate::program::Saga;

/// The namespace of every simulation.
pub(super) const NAMESPACE: &str = "default";

/// The namespace of copies of runs.
pub(super) const COPIES: &str = "copies";

/// The app of every simulation.
pub(crate) const APP: &str = "app";

/// Something that waits for the node.
#[derive(Debug)]
pub(crate) enum Item {
    /// A runner connected.
    Reaches(SessionId),
    /// A runner sent a frame.
    Frame(SessionId, Vec<u8>),
    /// A connection is gone.
    Gone(SessionId),
    /// A client asks; whether to answer a start at the run's end.
    Asks(Request, Asked, bool),
    /// A client does not wait any more.
    GivesUp(Request),
    /// The server is told to stop: it drains first.
    Drain,
    /// Other nodes wrote something.
    Hint,
}

/// Every third start is part of a trace.
fn traceparent(request: RequestId) -> Option<Traceparent> {
    let place = Traceparent { trace: u128::from(request.0), span: request.0, sampled: true };
    (request.0 > 0 && request.0.is_multiple_of(3)).then_some(place)
}

/// Makes what the node is told of a client's request.
pub(super) fn input_of(
    request: Request,
    asked: Asked,
    wait: bool,
    env: &mut Env,
) -> Input<'static> {
    let request = RequestId(request.0);
    let namespace: Arc<str> = NAMESPACE.into();
    let about = |run: RunId| About { request, namespace: Arc::from(NAMESPACE), run };
    match asked {
        Asked::Start { workflow, key, input } => {
            let timeout = env.rng.chance(120).then(|| env.rng.spread(200_000, 60_000_000));
            let delay = Duration::from_micros(env.rng.spread(1_000, 40_000_000));
            let begin = if env.rng.chance(80) { Begin::After(delay) } else { Begin::Now };
            let pinned = env.rng.chance(60).then(|| crate::runner::name(0));
            // The first runner may have no SDK, and so no such workflow.
            let runner = pinned.filter(|_| Saga::find(&workflow).is_none());
            let start = StartRequest {
                namespace,
                app: env.rng.chance(500).then(|| APP.to_owned()),
                workflow: workflow.to_string(),
                input: input.write(),
                key: key.map(|key| key.to_string()),
                timeout: timeout.map(Duration::from_micros),
                begin,
                metadata: None,
                runner,
                search: stepwell_core::search::Attributes::new(),
                traceparent: traceparent(request),
                wait,
            };
            Input::Start { request, start: Box::new(start) }
        }
        Asked::Cancel(run) => Input::Cancel { about: about(run), signed: signed() },
        Asked::Operate(act, run) => Input::Operate { about: about(run), act, signed: signed() },
        Asked::Resolve { run, step, known } => {
            let step = step.to_string();
            let resolve = Box::new(ResolveRequest { step, known: known_of(known) });
            Input::Resolve { about: about(run), resolve, signed: signed() }
        }
        Asked::Fork(run, forked) => {
            Input::Fork { about: about(run), fork: Box::new(fork_of(forked)), signed: signed() }
        }
        // What is sent is read from the store of the same server: see `copy_of`.
        Asked::Import { .. } => Input::Forget { request },
        Asked::Wait(run) => Input::Wait { about: about(run) },
        Asked::Send { id, topic } => {
            let data = RawValue::from_string(topic.data(&id)).ok();
            let send = SendRequest {
                namespace,
                id: Some(id.to_string()),
                event: topic.event(),
                data,
                offer: None,
                app: env.rng.chance(300).then(|| APP.to_owned()),
                workflow: None,
                run: None,
                key: None,
            };
            Input::Send { request, send: Box::new(send) }
        }
    }
}

/// Makes what the node is told of a copy that a client sends, from a bundle as it is sent.
///
/// # Errors
/// Why there is no such bundle.
pub(super) fn copy_of(
    request: Request,
    copy: RunId,
    journal: &[u8],
    end: bool,
) -> Result<(Input<'static>, Vec<u8>), String> {
    let lines = bundle::run(copy, journal).map_err(|error| error.to_string())?;
    let sent = [bundle::head("sim", Timestamp::MIN), lines, bundle::end(1, 0)].concat();
    let (mut reader, mut items) = (bundle::Reader::new(u64::MAX / 2), Vec::new());
    let read = reader.read(&sent, &mut items).and_then(|()| reader.finish(&mut items));
    read.map_err(|error| error.to_string())?;
    let Some(bundle::Item::Run(copied)) = items.pop() else { return Err("no run".into()) };
    let unfinished = if end { Unfinished::End } else { Unfinished::Refuse };
    let import = Box::new(ImportRequest { journal: copied.journal.clone(), unfinished });
    let namespace = COPIES.into();
    let about = About { request: RequestId(request.0), namespace, run: copied.run };
    Ok((Input::Import { about, import, signed: signed() }, copied.journal))
}

fn known_of(known: history::Known) -> Known {
    match known {
        history::Known::Completed(number) => Known::Completed(by_hand(number)),
        history::Known::Failed => Known::Failed(Failure::new("Error", "somebody saw it fail")),
        history::Known::NotDone => Known::NotDone,
    }
}

fn fork_of(forked: Forked) -> ForkRequest {
    let outputs = forked.outputs.into_iter();
    ForkRequest {
        from: match forked.from {
            Place::Start => ForkAt::Start,
            Place::Step(step) => ForkAt::Step(step.to_string()),
            Place::Failure => ForkAt::Failure,
        },
        input: forked.input.and_then(|input| input.write()),
        outputs: outputs.filter_map(|(step, n)| Some((step.to_string(), by_hand(n)?))).collect(),
    }
}

fn by_hand(number: u64) -> Option<Box<RawValue>> {
    RawValue::from_string(given_by_hand(number)).ok()
}

fn signed() -> Signed {
    Signed { by: Some("somebody".into()), reason: Some("why not".into()) }
}
